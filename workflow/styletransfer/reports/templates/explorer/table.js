// The table of runs: sorted by any column, filtered by words and comparisons.

// A narrow screen has room for few columns: the losses, which no slider shows.
const narrow = matchMedia("(max-width: 760px)");
const columnsInOrder = () => (narrow.matches ? [...MEASURED, ...SETTINGS, ...OTHERS] : COLUMNS);
narrow.addEventListener("change", () => whenNear(element("table"), drawTable));
const MAX_ROWS = 1000;

function headCell(column) {
  const sorted = state.sort === column.name;
  const sort = () => update({ sort: column.name, descending: sorted && !state.descending });
  const arrow = sorted ? (state.descending ? " ↓" : " ↑") : "";
  const cell = make(
    "th",
    { scope: "col", title: column.note ?? "" },
    make("button", { textContent: column.title + arrow, onclick: sort }),
  );
  cell.setAttribute("aria-sort", sorted ? (state.descending ? "descending" : "ascending") : "none");
  cell.firstChild.dataset.sort = column.name;
  return cell;
}

function bodyRow(run) {
  const button = make("button", { className: "mini", "aria-label": `Open ${describe(run)}` }, picture(run));
  button.dataset.run = run.index;
  const cells = columnsInOrder().map((column) => {
    const value = column.read(run);
    const cell = make("td", { textContent: column.show(value) });
    if (typeof value === "number") cell.className = "number";
    return cell;
  });
  const row = make("tr", { className: ok(run) ? "" : "bad" }, make("td", {}, button), ...cells);
  if (run === current()) row.setAttribute("aria-current", "true");
  return row;
}

function drawTable() {
  const wanted = conditions();
  const found = tableRuns(wanted);
  const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.sort;
  const head = make(
    "tr",
    {},
    make("th", { scope: "col" }, make("span", { textContent: "picture" })),
    ...columnsInOrder().map(headCell),
  );
  element("runs").replaceChildren(make("thead", {}, head), make("tbody", {}, ...found.slice(0, MAX_ROWS).map(bodyRow)));
  fadeEdge(element("runs").parentElement);
  if (focused) element("runs").querySelector(`[data-sort="${focused}"]`).focus();
  const cut = found.length > MAX_ROWS ? `, the first ${MAX_ROWS} shown: filter for the others` : "";
  const faults = wanted.map(({ fault }) => fault).filter(Boolean);
  element("filter-note").textContent = [
    ...faults,
    `${found.length} of ${runsOfPair.get(state.pair).length} runs${cut}`,
  ].join(" · ");
}

view(["pair", "sort", "descending", "filter", "marks"], () => whenNear(element("table"), drawTable));
view(["run"], () => {
  for (const row of element("runs").querySelectorAll("tbody tr")) {
    const here = Number(row.querySelector("[data-run]").dataset.run) === current().index;
    if (here) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
});
view(["filter"], () => {
  if (element("filter").value !== state.filter) element("filter").value = state.filter;
});
element("filter").oninput = (event) => update({ filter: event.target.value });
