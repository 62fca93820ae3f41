// The contact sheet: any two parameters as rows and columns, or every parameter as a row of its own.

const EVERY = "every";
const PAIRS = "pair";
// More rows scroll in a box, under column labels that stay.
const WHOLE_ROWS = 10;

function dimensions() {
  const names = parameters.map((parameter) => [parameter.name, words(parameter.name)]);
  return study.pairs.length > 1 ? [...names, [PAIRS, "pictures"]] : names;
}

const rowOptions = [[EVERY, "every parameter"], ...dimensions()];

// In a star every parameter has its row; in a grid the first two span the sheet.
function initialRows() {
  return study.design === "star" || parameters.length < 2 ? EVERY : parameters[0].name;
}

const rowsShown = () => (rowOptions.some(([key]) => key === state.rows) ? state.rows : initialRows());

function columnsShown() {
  const options = dimensions().filter(([key]) => key !== rowsShown());
  return options.some(([key]) => key === state.columns) ? state.columns : (options[0]?.[0] ?? "");
}

const valuesIn = (name) => (name === PAIRS ? study.pairs.map((pair) => pair.name) : valuesOf(state.pair, name));
const label = (name) => (name === PAIRS ? "pictures" : words(name));

// The run in a cell: as the current one, but for the two values. Null where there is none.
function cellRun(wanted) {
  const run = current();
  const pair = wanted[PAIRS] ?? state.pair;
  const values = { ...run.settings, ...wanted };
  return (
    runsOfPair.get(pair).find((other) => parameters.every(({ name }) => other.settings[name] === values[name])) ?? null
  );
}

function everyRow() {
  const rows = parameters.map((parameter) => {
    const shown = along(defaultRunAround(), parameter.name);
    const cells = shown.map((run) => make("td", {}, rowTile(run, parameter.name)));
    return make("tr", {}, make("th", { scope: "row", textContent: words(parameter.name) }), ...cells);
  });
  if (!parameters.length) rows.push(make("tr", {}, make("td", {}, tile(current(), "the only run"))));
  return [make("tbody", {}, ...rows)];
}

function rowTile(run, name) {
  const made = tile(run, settingLabel(run, name));
  made.dataset.along = name;
  mark(made);
  return made;
}

// A star's rows go through its default; in a grid they go through the current run.
function defaultRunAround() {
  return study.design === "star" ? defaultRun(state.pair) : current();
}

function crossTable(rowName, columnName) {
  const columnValues = valuesIn(columnName);
  const head = make(
    "tr",
    {},
    make("th", { className: "corner", textContent: `${label(rowName)} ↓\n${label(columnName)} →` }),
  );
  head.append(...columnValues.map((value) => make("th", { scope: "col", textContent: labelOf(columnName, value) })));
  const rows = valuesIn(rowName).map((rowValue) => {
    const cells = columnValues.map((columnValue) => {
      const run = cellRun({ [rowName]: rowValue, [columnName]: columnValue });
      const value = `${labelOf(rowName, rowValue)} · ${labelOf(columnName, columnValue)}`;
      return run
        ? make("td", {}, tile(run, value))
        : make("td", {}, make("span", { className: "none", textContent: "no run" }));
    });
    return make("tr", {}, make("th", { scope: "row", textContent: labelOf(rowName, rowValue) }), ...cells);
  });
  return [make("thead", {}, head), make("tbody", {}, ...rows)];
}

function drawSheet() {
  const [rows, columns] = [rowsShown(), columnsShown()];
  const body = element("sheet-body");
  const key = JSON.stringify([
    state.pair,
    rows,
    columns,
    study.design === "star" && rows === EVERY ? "" : sheetPlane(rows, columns),
  ]);
  fill(element("rows"), rowOptions, rows);
  fill(
    element("columns"),
    rows === EVERY ? [["", "its values"]] : dimensions().filter(([name]) => name !== rows),
    columns,
  );
  element("columns").disabled = rows === EVERY;
  element("sheet-note").textContent = sheetNote(rows, columns);
  if (body.dataset.key === key) return;
  body.dataset.key = key;
  const table = make("table", { className: "sheet" });
  table.append(...(rows === EVERY || !columns ? everyRow() : crossTable(rows, columns)));
  body.classList.toggle("whole", table.rows.length <= WHOLE_ROWS + 1);
  body.replaceChildren(table);
  fadeEdge(body);
}

// All settings but the two that the sheet spans: it changes only when they do.
function sheetPlane(rows, columns) {
  const run = current();
  return rows === EVERY
    ? run.key
    : parameters.map(({ name }) => (name === rows || name === columns ? "" : run.settings[name])).join();
}

function sheetNote(rows, columns) {
  if (!parameters.length) return "Nothing was varied.";
  const center = study.design === "star" ? "the default" : "this run";
  if (rows === EVERY) return `Each row varies one parameter around ${center}. Click a picture to open it.`;
  const fixed = parameters.filter(({ name }) => name !== rows && name !== columns);
  const rest = fixed.map(({ name }) => `${words(name)} ${settingLabel(current(), name)}`).join(", ");
  const cross =
    study.design === "star" && rows !== PAIRS && columns !== PAIRS
      ? " A star varies one parameter at a time, so most combinations were not run."
      : "";
  return `${rest ? `All with ${rest}.` : ""}${cross}`;
}

view(["run", "pair", "rows", "columns"], () => whenNear(element("sheet"), drawSheet));
element("rows").onchange = (event) => update({ rows: event.target.value });
element("columns").onchange = (event) => update({ columns: event.target.value });
element("tile-size").oninput = (event) => showTileSize(event.target.value);

// As large as lets the longest row fit, within reason.
function fittingTile() {
  const longest = Math.max(...parameters.map(({ name }) => valuesOf(state.pair, name).length), 1);
  return Math.round(Math.min(220, Math.max(104, (element("sheet-body").clientWidth - 140) / longest)));
}

function showTileSize(size) {
  element("tile-size").value = size;
  element("sheet-body").style.setProperty("--tile", `${size}px`);
  fadeEdge(element("sheet-body"));
}

view(["pair"], () => showTileSize(fittingTile()));
