// The table of runs: sorted by any column, filtered by words and comparisons.

const SETTINGS = parameters.map(({ name, numeric }) => ({ name, title: words(name), words: !numeric, read: (run) => run.settings[name] }));
const LOSSES = TERMS.map((term) => ({ name: `${term}_loss`, title: `${term} loss`, read: (run) => run.losses[term] }));
const OTHERS = [
  { name: "seconds", title: "seconds", read: (run) => run.seconds },
  { name: "rating", title: "rating", read: ratingOf },
  { name: "status", title: "status", words: true, read: (run) => run.status },
];
const COLUMNS = [...SETTINGS, ...LOSSES, ...OTHERS];
// A narrow screen has room for few columns: the losses, which no slider shows.
const narrow = matchMedia("(max-width: 760px)");
const columnsInOrder = () => (narrow.matches ? [...LOSSES, ...SETTINGS, ...OTHERS] : COLUMNS);
narrow.addEventListener("change", () => whenNear(element("table"), drawTable));
const MAX_ROWS = 1000;
const COMPARISONS = {
  ">=": (a, b) => a >= b,
  "<=": (a, b) => a <= b,
  "!=": (a, b) => a !== b,
  ">": (a, b) => a > b,
  "<": (a, b) => a < b,
  "=": (a, b) => a === b,
};

// A word is a comparison such as style_weight>=100, or text that a run's description, status or device contains.
// holds: whether a run fulfils it; fault: why the word cannot be one, and then all runs do.
function condition(word) {
  const [, name, sign, wanted] = word.match(/^([a-z0-9_]+)(>=|<=|!=|=|>|<)(.+)$/) ?? [];
  const column = COLUMNS.find((one) => one.name === name);
  if (!name) return { holds: (run) => searchable(run).includes(word.toLowerCase()) };
  const faulty = (fault) => ({ fault, holds: () => true });
  if (!column) return faulty(`no column ${name}; known: ${COLUMNS.map((one) => one.name).join(", ")}`);
  if (!column.words && Number.isNaN(Number(wanted))) return faulty(`${wanted} is no number, as ${name} wants`);
  const value = Number.isNaN(Number(wanted)) ? wanted : Number(wanted);
  return { holds: (run) => column.read(run) !== null && COMPARISONS[sign](column.read(run), value) };
}

const searchable = (run) =>
  [describe(run), run.status, run.device, run.pair, run.id, isFavourite(run) ? "favourite" : ""].join(" ").toLowerCase();

const conditions = () => state.filter.trim().split(/\s+/).filter(Boolean).map(condition);

function tableRuns(wanted) {
  const found = runsOfPair.get(state.pair).filter((run) => wanted.every(({ holds }) => holds(run)));
  const column = COLUMNS.find((one) => one.name === state.sort);
  if (!column) return found;
  const direction = state.descending ? -1 : 1;
  // What has no value goes last, whichever way.
  return found.toSorted((a, b) => {
    const [x, y] = [column.read(a), column.read(b)];
    if (x === null || y === null) return (x === null) - (y === null);
    return direction * (typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y)));
  });
}

function headCell(column) {
  const sorted = state.sort === column.name;
  const sort = () => update({ sort: column.name, descending: sorted && !state.descending });
  const arrow = sorted ? (state.descending ? " ↓" : " ↑") : "";
  const cell = make("th", { scope: "col" }, make("button", { type: "button", textContent: column.title + arrow, onclick: sort }));
  cell.setAttribute("aria-sort", sorted ? (state.descending ? "descending" : "ascending") : "none");
  cell.firstChild.dataset.sort = column.name;
  return cell;
}

function bodyRow(run) {
  const button = make("button", { type: "button", className: "mini", "aria-label": `Open ${describe(run)}` }, picture(run));
  button.dataset.run = run.index;
  const cells = columnsInOrder().map((column) => {
    const value = column.read(run);
    const cell = make("td", { textContent: column.name === "rating" ? "★".repeat(value) : text(value) });
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
  const focused = document.activeElement?.dataset?.sort;
  const head = make("tr", {}, make("th", { scope: "col" }, make("span", { textContent: "picture" })), ...columnsInOrder().map(headCell));
  element("runs").replaceChildren(make("thead", {}, head), make("tbody", {}, ...found.slice(0, MAX_ROWS).map(bodyRow)));
  fadeEdge(element("runs").parentElement);
  if (focused) element("runs").querySelector(`[data-sort="${focused}"]`).focus();
  const cut = found.length > MAX_ROWS ? `, the first ${MAX_ROWS} shown: filter for the others` : "";
  const faults = wanted.map(({ fault }) => fault).filter(Boolean);
  element("filter-note").textContent = [...faults, `${found.length} of ${runsOfPair.get(state.pair).length} runs${cut}`].join(" · ");
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
