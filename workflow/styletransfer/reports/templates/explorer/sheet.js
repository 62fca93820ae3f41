// The contact sheet: any two parameters as rows and columns, or every parameter as a row of its own.

const EVERY = "every";
const PAIRS = "pair";
// More rows scroll in a box, under column labels that stay.
const WHOLE_ROWS = 10;
// So many cells are made at first, and so many pictures of each row.
const [CELLS, AT_ONCE] = [1000, 14];

function dimensions() {
  const names = parameters.map((parameter) => [parameter.name, words(parameter.name)]);
  return study.pairs.length > 1 ? [...names, [PAIRS, "pictures"]] : names;
}

// Where all vary at once, no two parameters have more than single runs to show.
const rowOptions = [[EVERY, "every parameter"], ...(isScattered ? [] : dimensions())];

// In a star every parameter has its row; in a grid the first two span the sheet.
function initialRows() {
  return isScattered || study.design === "star" || parameters.length < 2 ? EVERY : parameters[0].name;
}

const rowsShown = () => (rowOptions.some(([key]) => key === state.rows) ? state.rows : initialRows());

function columnsShown() {
  const options = dimensions().filter(([key]) => key !== rowsShown());
  return options.some(([key]) => key === state.columns) ? state.columns : (options[0]?.[0] ?? "");
}

const valuesIn = (name) => (name === PAIRS ? study.pairs.map((pair) => pair.name) : valuesOf(state.pair, name));
const label = (name) => (name === PAIRS ? "pictures" : words(name));

// The runs in the cells around one: like it, but for two values. Null where there is none.
function cellsAround(run, rowName, columnName) {
  const spanned = [rowName, columnName];
  const settingOf = (other, name) => (name === PAIRS ? other.pair : other.settings[name]);
  const rows = new Map(valuesIn(rowName).map((value) => [value, new Map()]));
  for (const other of spanned.includes(PAIRS) ? runs : runsOfPair.get(state.pair)) {
    if (differences(run, other).every((name) => spanned.includes(name)))
      rows.get(settingOf(other, rowName))?.set(settingOf(other, columnName), other);
  }
  const columns = valuesIn(columnName);
  return [...rows.values()].map((row) => columns.map((value) => row.get(value) ?? null));
}

const filled = (cells) => cells.flat().filter(Boolean).length;

// The sheet of two parameters lies around the current run, or around the default where that has more pictures.
function crossSheet(rowName, columnName) {
  const sheets = [current(), defaultRun(state.pair)].map((center) => ({
    center,
    cells: cellsAround(center, rowName, columnName),
  }));
  return filled(sheets[1].cells) > filled(sheets[0].cells) ? sheets[1] : sheets[0];
}

function everyRow() {
  const rows = parameters.map((parameter) => {
    const shown = isScattered
      ? inOrder(runsOfPair.get(state.pair), parameter.name)
      : along(defaultRunAround(), parameter.name);
    const cells = shown.map((run) => boxFor("td", run, () => rowTile(run, parameter.name)));
    cells.slice(0, AT_ONCE).forEach(makeNow);
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

function crossTable(cells, rowName, columnName) {
  const columnValues = valuesIn(columnName);
  const head = make(
    "tr",
    {},
    make("th", { className: "corner", textContent: `${label(rowName)} ↓\n${label(columnName)} →` }),
  );
  head.append(...columnValues.map((value) => make("th", { scope: "col", textContent: labelOf(columnName, value) })));
  const row = (rowValue, down) => {
    const boxes = columnValues.map((columnValue, across) => {
      const run = cells[down][across];
      const value = `${labelOf(rowName, rowValue)} · ${labelOf(columnName, columnValue)}`;
      return run
        ? boxFor("td", run, () => tile(run, value))
        : make("td", {}, make("span", { className: "none", textContent: "no run" }));
    });
    boxes.slice(0, AT_ONCE).forEach(makeNow);
    return make("tr", {}, make("th", { scope: "row", textContent: labelOf(rowName, rowValue) }), ...boxes);
  };
  const body = make("tbody");
  inPortions(body, valuesIn(rowName), row, Math.max(WHOLE_ROWS + 2, Math.ceil(CELLS / columnValues.length)));
  return [make("thead", {}, head), body];
}

function drawSheet() {
  const [rows, columns] = [rowsShown(), columnsShown()];
  const body = element("sheet-body");
  const every = rows === EVERY || !columns;
  const { center, cells } = every ? { center: defaultRunAround(), cells: [] } : crossSheet(rows, columns);
  // The sheet changes only with the settings that it does not span.
  const free = every ? [] : [rows, columns];
  const plane = isScattered ? [] : parameters.map(({ name }) => (free.includes(name) ? "" : center.settings[name]));
  const key = JSON.stringify([state.pair, rows, columns, plane]);
  fill(element("rows"), rowOptions, rows);
  fill(
    element("columns"),
    rows === EVERY ? [["", "its values"]] : dimensions().filter(([name]) => name !== rows),
    columns,
  );
  element("columns").disabled = rows === EVERY;
  element("sheet-note").textContent = sheetNote(rows, columns, center);
  offerGrid(center, rows, columns, cells);
  if (body.dataset.key === key) return;
  body.dataset.key = key;
  const table = make("table", { className: "sheet" });
  table.append(...(every ? everyRow() : crossTable(cells, rows, columns)));
  body.classList.toggle("whole", table.rows.length <= WHOLE_ROWS + 1);
  body.replaceChildren(table);
  fadeEdge(body);
}

function sheetNote(rows, columns, center) {
  if (!parameters.length) return "Nothing was varied.";
  const around = study.design === "star" ? "the default" : "this run";
  if (isScattered) return "Each row has the runs in the order of one parameter. Click a picture to open it.";
  if (rows === EVERY) return `Each row varies one parameter around ${around}. Click a picture to open it.`;
  const fixed = parameters.filter(({ name }) => name !== rows && name !== columns);
  const rest = fixed.map(({ name }) => `${words(name)} ${settingLabel(center, name)}`).join(", ");
  return rest && `All with ${rest}.`;
}

// Where combinations of two parameters were not run, the config that runs them.
function offerGrid(center, rows, columns, cells) {
  const offer = element("sheet-offer");
  const count = cells.flat().length;
  const lacking = count - filled(cells);
  offer.hidden = !lacking || [rows, columns].includes(PAIRS);
  if (offer.hidden) return;
  element("sheet-offer-title").textContent =
    `${lacking} of ${count} combinations have no run. Compute these ${lacking}: config`;
  element("grid-config").textContent = gridConfig(center, [rows, columns], state.colors === "content");
}

view(["run", "pair", "rows", "columns", "colors"], () => whenNear(element("sheet"), drawSheet));
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
