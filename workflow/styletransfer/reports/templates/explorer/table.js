// The table of runs: sorted by any column, filtered by words and comparisons.

// A narrow screen has room for few columns: the losses, which no slider shows.
const narrow = matchMedia("(max-width: 760px)");
const columnsInOrder = () => {
  const [favourite, ...others] = OTHERS;
  return [favourite, ...(narrow.matches ? [...MEASURED, ...SETTINGS] : [...SETTINGS, ...MEASURED]), ...others];
};
narrow.addEventListener("change", () => whenNear(element("table"), drawTable));
// So many rows are more than a screen shows.
const PORTION = 40;

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
    if (column.name === "favourite") return make("td", {}, markButtons(run));
    const value = column.read(run);
    const cell = make("td", { textContent: column.show(value, run) });
    if (typeof value === "number") cell.className = "number";
    if (column.name === "rating") cell.className = "rated";
    return cell;
  });
  const row = make("tr", { className: diverged(run) ? "bad" : "" }, make("td", {}, button), ...cells);
  if (run === current()) row.setAttribute("aria-current", "true");
  return row;
}

// What finds the focused button again when a box is drawn again: null where the focus is elsewhere.
function focusIn(box) {
  const here = /** @type {HTMLElement} */ (document.activeElement);
  if (!box.contains(here)) return null;
  const { sort, mark: kind } = here.dataset;
  if (sort) return `[data-sort="${sort}"]`;
  const run = /** @type {HTMLElement | null} */ (here.closest("[data-run]"))?.dataset.run;
  return `[data-run="${run}"]${kind ? ` [data-mark="${kind}"]` : ""}`;
}

function drawTable() {
  const wanted = conditions();
  const found = tableRuns(wanted);
  const focused = focusIn(element("runs"));
  const head = make(
    "tr",
    {},
    make("th", { scope: "col" }, make("span", { textContent: "picture" })),
    ...columnsInOrder().map(headCell),
  );
  const body = make("tbody");
  inPortions(body, found, bodyRow, PORTION);
  element("runs").replaceChildren(make("thead", {}, head), body);
  fadeEdge(element("runs").parentElement);
  if (focused) element("runs").querySelector(focused)?.focus();
  const faults = wanted.map(({ fault }) => fault).filter(Boolean);
  const count = `${found.length} of ${runsOfPair.get(state.pair).length} runs`;
  element("filter-note").textContent = [...faults, count].join(" · ");
}

view(["pair", "sort", "descending", "filter"], () => whenNear(element("table"), drawTable));
// Marks move rows only where the order or the filter may ask for them.
view(["marks"], () => {
  if (state.filter || ["favourite", "rating"].includes(state.sort)) return whenNear(element("table"), drawTable);
  for (const row of element("runs").querySelectorAll("tbody tr")) {
    row.querySelector(".rated").textContent = "★".repeat(ratingOf(runs[row.querySelector(".mini").dataset.run]));
  }
});
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
