// Parallel coordinates: a line for each run, an axis for each setting and loss. A range dragged on an axis is a filter.

const [SIDE, TOP, TALL, BOTTOM] = [60, 80, 280, 24];
const LEAST_WIDTH = 900;
// So many pictures of the runs that the filter leaves.
const MAX_FOUND = 60;
const PARALLEL = [
  ...SETTINGS.filter((column) => !column.words),
  ...MEASURED.filter(({ name }) => [...RULERS, ...TERMS.map((term) => `${term}_loss`)].includes(name)),
];

const up = (place) => TOP + (1 - place) * TALL;

function drawParallel() {
  const shown = runsOfPair.get(state.pair);
  const wanted = conditions();
  const found = shown.filter((run) => wanted.every(({ holds }) => holds(run)));
  element("brush-reset").disabled = !state.filter;
  const columns = PARALLEL.filter(({ read }) => shown.some((run) => read(run) !== null));
  const width = Math.max(LEAST_WIDTH, element("parallel").clientWidth);
  const step = (width - 2 * SIDE) / Math.max(1, columns.length - 1);
  const axes = columns.map((column, place) => {
    const values = shown.map(column.read).filter((value) => value !== null);
    return { column, values, x: SIDE + place * step, ...axisOf(values) };
  });
  const shade = axes.find(({ column }) => column.name === state.shade);
  element("brush-note").textContent = `${found.length} of ${shown.length} runs`;
  const among = new Set(found);
  const lines = shown.map((run) => lineAcross(run, axes, shade, among.has(run)));
  const picture = draw(
    "svg",
    { viewBox: `0 0 ${width} ${TOP + TALL + BOTTOM}`, role: "img" },
    ...groupsOf(lines),
    ...axes.map(drawAxis),
  );
  const names = columns.map(({ title }) => title).join(", ");
  picture.setAttribute(
    "aria-label",
    `Parallel coordinates of ${shown.length} runs over ${names}; the table holds the same, and its filter the ranges`,
  );
  element("parallel").replaceChildren(picture);
  element("found").replaceChildren(
    ...(state.filter ? found.slice(0, MAX_FOUND).map((run) => tile(run, nameOf(run))) : []),
  );
  fadeEdge(element("found"));
  markLines();
}

function lineAcross(run, axes, shade, isFound) {
  const known = axes.filter(({ column }) => column.read(run) !== null);
  const points = known.map(({ column, x, placeOf }) => `${x},${up(placeOf(column.read(run)))}`).join(" ");
  const value = shade?.column.read(run) ?? null;
  return lineOf(run, points, value === null ? null : shade.placeOf(value), isFound);
}

function drawAxis({ column, values, x, placeOf, valueAt }) {
  const lines = column.title.split(" ");
  const title = lines.map((word, place) => draw("tspan", { x, y: TOP - 22 - 14 * (lines.length - 1 - place) }, word));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [from, to] = rangeOf(state.filter, column.name).map((limit, end) => (limit === null ? end : placeOf(limit)));
  const brush = draw("rect", { class: "brush", x: x - 7, width: 14, rx: 3 });
  const show = (a, b) => {
    const [bottom, top] = [a, b].sort((one, other) => one - other).map((place) => Math.min(1, Math.max(0, place)));
    brush.setAttribute("y", String(up(top)));
    brush.setAttribute("height", String(up(bottom) - up(top)));
    return [bottom, top];
  };
  if (from > 0 || to < 1) show(from, to);
  const area = draw("rect", { class: "axis-area", x: x - 14, y: TOP - 8, width: 28, height: TALL + 16 });
  area.addEventListener("pointerdown", (event) => dragRange(event, column, show, valueAt));
  return draw(
    "g",
    { class: "axis", "data-name": column.name },
    draw("text", { class: "axis-title" }, ...title),
    draw("line", { x1: x, x2: x, y1: TOP, y2: TOP + TALL }),
    draw("text", { x, y: TOP - 6 }, column.show(high)),
    draw("text", { x, y: TOP + TALL + 16 }, column.show(low)),
    brush,
    area,
  );
}

// A drag is a range of the axis; a click lets go of it.
function dragRange(event, column, show, valueAt) {
  const area = event.currentTarget;
  const box = area.getBoundingClientRect();
  const placeOf = ({ clientY }) => 1 - ((clientY - box.top) / box.height) * ((TALL + 16) / TALL) + 8 / TALL;
  const start = placeOf(event);
  /** @type {number[] | null} */
  let range = null;
  area.setPointerCapture(event.pointerId);
  area.onpointermove = (move) => {
    if (range || Math.abs(move.clientY - event.clientY) > 3) range = show(start, placeOf(move));
  };
  area.onpointerup = area.onpointercancel = () => {
    area.onpointermove = area.onpointerup = area.onpointercancel = null;
    const [bottom, top] = range ?? [0, 1];
    const limits = [bottom > 0 ? valueAt(bottom) : null, top < 1 ? valueAt(top) : null];
    update({ filter: withRange(state.filter, column.name, limits) });
  };
}

fill(element("shade"), [["", "none"], ...PARALLEL.map(({ name, title }) => [name, title])], "");
element("shade").onchange = (event) => update({ shade: event.target.value });
element("brush-reset").onclick = () => update({ filter: "" });
showCards(element("parallel"));

view(["shade", "theme"], () => {
  element("shade").value = state.shade;
  element("shade-note").textContent = element("shade").value ? `from ${rampWords()}` : "";
});
view(["pair", "filter", "shade"], () => whenNear(element("parallel"), drawParallel));
