// Charts, drawn by Vega-Lite. Each is redrawn only when its data change; else it is told what is current or hovered.

// Okabe and Ito's colours: told apart by colour-blind people as well.
const CATEGORIES = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a7f00"];
const charts = new Map();

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function chartConfig() {
  const ink = color("ink");
  const quiet = color("quiet");
  const axis = { labelColor: quiet, titleColor: quiet, gridColor: color("line"), domainColor: color("line"), tickColor: color("line"), titleFontWeight: "normal", labelFontSize: 12, titleFontSize: 12 };
  return {
    background: "transparent",
    font: getComputedStyle(document.body).fontFamily,
    view: { stroke: null },
    axis,
    title: { color: ink, fontSize: 13, anchor: "start" },
    legend: { labelColor: ink, titleColor: quiet, labelFontSize: 12, titleFontWeight: "normal", symbolStrokeWidth: 2 },
  };
}

const signals = () => [
  { name: "current", value: current().index },
  { name: "hovered", value: -1 },
];

// key: what decides the data. summary: what a screen reader says.
async function chart(id, key, spec, summary) {
  const target = element(id);
  const drawn = charts.get(id);
  key = `${key} ${document.documentElement.dataset.theme}`;
  if (drawn?.key === key) return signal(drawn, "current", current().index);
  const entry = { key, view: null };
  charts.set(id, entry);
  drawn?.view?.finalize();
  const full = { width: "container", autosize: { type: "fit", contains: "padding", resize: true }, params: signals(), config: chartConfig(), ...spec };
  // ast: expressions are interpreted, so the page may forbid eval.
  const result = await window.vegaEmbed(target, full, { actions: false, renderer: "canvas", ast: true, tooltip: false });
  if (charts.get(id) !== entry) return result.view.finalize();
  entry.view = result.view;
  target.setAttribute("role", "img");
  target.setAttribute("aria-label", summary);
  listen(entry.view);
  signal(entry, "current", current().index);
}

function signal(entry, name, value) {
  if (entry.view && entry.view.signal(name) !== value) entry.view.signal(name, value).runAsync();
}

function signalCharts(name, value) {
  for (const entry of charts.values()) signal(entry, name, value);
}

const runOfItem = (item) => (Number.isInteger(item?.datum?.run) ? runs[item.datum.run] : null);

function listen(chartView) {
  chartView.addEventListener("click", (event, item) => {
    const run = runOfItem(item);
    if (!run) return;
    stop();
    peek(null);
    open(run);
  });
  chartView.addEventListener("mousemove", (event, item) => {
    const run = runOfItem(item);
    chartView.container().style.cursor = run ? "pointer" : "";
    peek(run, event);
    hover(run);
  });
  chartView.addEventListener("mouseout", () => (peek(null), hover(null)));
}

// A log axis where values span more than a decade and a half; symlog where 0 is among them.
function scaleOf(values) {
  const positive = values.filter((value) => value > 0);
  const wide = positive.length > 1 && Math.max(...positive) / Math.min(...positive) > 30;
  if (!wide || values.some((value) => value < 0)) return { type: "linear", zero: false };
  return values.some((value) => value === 0) ? { type: "symlog", constant: Math.min(...positive) } : { type: "log" };
}

const isDark = () => document.documentElement.dataset.theme === "dark";

// The least and the greatest positive value of a field, with a margin for a log axis.
function domainOf(rows, field, margin = 1.1) {
  const values = rows.map((row) => row[field]).filter((value) => value > 0);
  return values.length ? [field === "step" ? 0 : Math.min(...values) / margin, Math.max(...values) * margin] : [1, 10];
}

// On a log axis few lines at even distances, fewer in each decade the more decades there are: Vega draws all nine.
function logAxis([low, high]) {
  const [first, last] = [Math.log10(low), Math.log10(high)];
  const axis = { format: "~s", tickCount: 4, labelOverlap: "greedy" };
  if (!(last - first > 0.5)) return axis;
  const steps = last - first < 1.3 ? [1, 2, 5] : last - first < 3.2 ? [1, 3] : [1];
  const powers = Array.from({ length: Math.ceil(last) - Math.floor(first) + 1 }, (_, place) => 10 ** (Math.floor(first) + place));
  return { ...axis, values: powers.flatMap((power) => steps.map((step) => step * power)) };
}

const positive = (value) => (value > 0 ? value : null);
const axisNumbers = { format: "~s", tickCount: 5, labelOverlap: true };
const isCurrent = "datum.run === current";
const isHovered = "datum.run === hovered";

// Each loss against the value of the chosen parameter, as a multiple of its least.
function drawEffect() {
  if (!state.along) return;
  const parameter = parameterByName.get(state.along);
  const shown = siblings().filter(ok);
  const terms = parameter.kind === "optimiser" ? TERMS : TERMS.slice(0, 3);
  const rows = terms.flatMap((term) => {
    const least = Math.min(...shown.map((run) => run.losses[term]).filter((value) => value > 0));
    return shown.map((run) => ({ run: run.index, term, value: run.settings[state.along], loss: positive(run.losses[term] / least) }));
  });
  const x = parameter.numeric
    ? { field: "value", type: "quantitative", scale: scaleOf(parameter.values), title: words(state.along), axis: { ...axisNumbers, grid: false } }
    : { field: "value", type: "ordinal", sort: null, title: words(state.along) };
  const spec = {
    height: 190,
    data: { values: rows.filter((row) => row.loss !== null) },
    encoding: {
      x,
      y: { field: "loss", type: "quantitative", scale: { type: "log" }, title: "times the least", axis: logAxis(domainOf(rows, "loss", 1)) },
      color: { field: "term", type: "nominal", scale: { domain: terms, range: CATEGORIES }, legend: { orient: "top", title: null } },
    },
    layer: [
      { mark: { type: "line", strokeWidth: 1.5 } },
      {
        mark: { type: "point", filled: true, opacity: 1 },
        encoding: { shape: { field: "term", type: "nominal", scale: { domain: terms }, legend: { orient: "top", title: null } }, size: { condition: { test: `${isCurrent} || ${isHovered}`, value: 130 }, value: 36 } },
      },
    ],
  };
  element("effect-caption").textContent = "Losses of the kept pictures, unweighted";
  chart("effect", rows.map((row) => row.run).join() + state.along, spec, `Losses against ${words(state.along)}. ${reading(siblings())}`);
}

// Loss against steps: this run among its siblings, a panel for each term.
function drawCurves() {
  const shown = state.along ? siblings() : [current()];
  const order = new Map(shown.map((run, rank) => [run.index, rank]));
  element("curves-note").textContent =
    `${shown.length} runs along ${words(state.along) || "nothing"}, ` +
    `${isDark() ? "blue (low) to yellow (high)" : "green (low) to violet (high)"}; this run in bold.` +
    (parameterByName.get(state.along)?.kind === "measure" ? ` ${HELP_TEXTS.measure}` : "");
  if (!element("curves").children.length) {
    element("curves").append(...TERMS.map((term) => make("div", { className: "chart", id: `curve-${term}` })));
  }
  for (const term of TERMS) {
    const rows = shown.flatMap((run) => curve(run, term).map(([step, value]) => ({ run: run.index, rank: order.get(run.index), step, value })));
    const weighted = state.weighted || term === "total";
    chart(
      `curve-${term}`,
      `${term} ${state.weighted} ${shown.map((run) => run.index).join()}`,
      curvesSpec(rows, `${term} loss, ${weighted ? "weighted" : "unweighted"}`, shown.length),
      `${term} loss against steps for ${shown.length} runs`,
    );
  }
}

// Pairs of step and loss; what is not positive has no place on a log axis.
function curve(run, term) {
  const weight = (name) => (state.weighted || term === "total" ? setting(run, `${name}_weight`) : 1);
  const names = term === "total" ? TERMS.slice(0, 3) : [term];
  return run.curve.iteration
    .map((step, place) => [step, names.reduce((sum, name) => sum + (run.curve[name][place] ?? NaN) * weight(name), 0)])
    .filter(([, value]) => value > 0);
}

function curvesSpec(rows, title, count) {
  const encoding = {
    x: { field: "step", type: "quantitative", title: "step", scale: { domain: domainOf(rows, "step", 1) }, axis: { grid: false, tickCount: 4, format: ",d" } },
    y: { field: "value", type: "quantitative", scale: { type: "log", domain: domainOf(rows, "value") }, title: null, axis: logAxis(domainOf(rows, "value")) },
    detail: { field: "run" },
  };
  // Vega-Lite cannot change a line's width by a signal for each line, so the emphasised ones are layers of their own.
  const emphasised = (test, stroke, width) => ({ transform: [{ filter: test }], mark: { type: "line", stroke, strokeWidth: width } });
  return {
    height: 200,
    title,
    data: { values: rows },
    encoding,
    layer: [
      {
        mark: { type: "line", strokeWidth: 1.4, opacity: 0.85 },
        encoding: { color: { field: "rank", type: "quantitative", scale: { scheme: isDark() ? { name: "viridis", extent: [0.3, 1] } : { name: "viridis", extent: [0.88, 0] }, domain: [0, Math.max(1, count - 1)] }, legend: null } },
      },
      emphasised(isHovered, color("accent"), 3),
      emphasised(isCurrent, color("ink"), 3),
      { mark: { type: "line", strokeWidth: 9, opacity: 0.001 } },
    ],
  };
}

// Which parameter sets a run apart: its group in the scatter.
function groupOf(run) {
  const names = differences(run, defaultRun(run.pair));
  return names.length === 0 ? "default" : names.length === 1 ? words(names[0]) : "several";
}

function drawScatter() {
  const shown = runsOfPair.get(state.pair).filter((run) => run.losses.content > 0 && run.losses.style > 0);
  const measure = measureOf(current());
  const comparable = (run) => ok(run) && measureOf(run) === measure;
  const front = paretoFront(current());
  const rows = shown.map((run) => ({ run: run.index, content: run.losses.content, style: run.losses.style, group: groupOf(run), comparable: comparable(run), front: front.includes(run) }));
  const groups = [...new Set(rows.map((row) => row.group))];
  const palette = groups.map((group) => (group === "default" ? color("default") : null));
  const colors = palette.map((own, place) => own ?? CATEGORIES[palette.slice(0, place).filter((one) => one === null).length % CATEGORIES.length]);
  const legend = { title: "differs from the default in", orient: "top", columns: innerWidth < 760 ? 2 : 8 };
  const axes = {
    x: { field: "content", type: "quantitative", scale: { type: "log", nice: false, domain: domainOf(rows, "content", 1.25) }, title: "content loss → less like the photograph", axis: logAxis(domainOf(rows, "content", 1.25)) },
    y: { field: "style", type: "quantitative", scale: { type: "log", nice: false, domain: domainOf(rows, "style", 1.25) }, title: "style loss → less like the artwork", axis: logAxis(domainOf(rows, "style", 1.25)) },
  };
  const point = (filter, mark) => ({
    transform: [{ filter }],
    mark: { type: "point", size: 90, ...mark },
    encoding: {
      ...axes,
      color: { field: "group", type: "nominal", scale: { domain: groups, range: colors }, legend },
      shape: { field: "group", type: "nominal", scale: { domain: groups }, legend },
    },
  });
  const ring = (test, stroke) => ({ transform: [{ filter: test }], mark: { type: "point", size: 330, stroke, strokeWidth: 3, filled: false }, encoding: axes });
  const spec = {
    height: 380,
    data: { values: rows },
    layer: [
      {
        data: { values: front.map((run) => ({ content: run.losses.content, style: run.losses.style })) },
        mark: { type: "line", interpolate: "step-after", stroke: color("quiet"), strokeWidth: 1.5, strokeDash: [5, 3] },
        encoding: axes,
      },
      point("!datum.comparable", { filled: false, opacity: 0.45 }),
      // The front lies on top: nothing hides a run that beats it.
      point("datum.comparable && !datum.front", { filled: true, opacity: 1 }),
      point("datum.front", { filled: true, opacity: 1 }),
      ring(isHovered, color("accent")),
      ring(isCurrent, color("ink")),
    ],
  };
  const others = rows.filter((row) => !row.comparable).length;
  element("scatter-note").textContent =
    `Unweighted losses on log axes; lower left is better. Dashed: the Pareto front, runs that no other beats in both (${front.length}).` +
    (others ? ` Hollow: runs that diverged, or whose losses measure something else than this run's and so do not compare (${others}).` : "");
  chart("scatter", `${state.pair} ${measure}`, spec, element("scatter-note").textContent);
}

function drawParallel() {
  const numeric = parameters.filter((parameter) => parameter.numeric);
  const axes = [
    ...numeric.map((parameter) => ({ name: words(parameter.name), read: (run) => run.settings[parameter.name] })),
    ...TERMS.slice(0, 3).map((term) => ({ name: `${term} loss`, read: (run) => run.losses[term] })),
  ];
  const shown = runsOfPair.get(state.pair);
  const names = axes.map((axis) => axis.name);
  // A word a line, and as many lines for each: so that all names end at one height.
  const height = Math.max(...names.map((name) => name.split(" ").length));
  const stacked = (name) => [...Array(height - name.split(" ").length).fill(" "), ...name.split(" ")].join("|");
  const rows = [];
  const labels = [];
  axes.forEach(({ name, read }) => {
    const values = shown.map(read).filter((value) => value !== null);
    if (!values.length) return;
    const place = unit(values);
    const axis = stacked(name);
    for (const run of shown) if (read(run) !== null) rows.push({ run: run.index, axis, place: place(read(run)) });
    labels.push({ axis, place: 0, label: text(Math.min(...values)) }, { axis, place: 1, label: text(Math.max(...values)) });
  });
  const x = { field: "axis", type: "point", sort: names.map(stacked), title: null, axis: { orient: "top", labelAngle: 0, labelExpr: "split(datum.label, '|')", labelLineHeight: 14, grid: true, domain: false, ticks: false, labelColor: color("ink"), labelPadding: 20 + 14 * (height - 1) } };
  const y = { field: "place", type: "quantitative", axis: null, scale: { domain: [0, 1] } };
  const line = (test, stroke, strokeWidth, opacity) => ({
    ...(test ? { transform: [{ filter: test }] } : {}),
    mark: { type: "line", stroke, strokeWidth, opacity },
    encoding: { detail: { field: "run" } },
  });
  const spec = {
    height: 320,
    padding: { top: 5, bottom: 18, left: 10, right: 10 },
    data: { values: rows },
    encoding: { x: { ...x, type: "ordinal", scale: { type: "point", padding: 0.4 } }, y },
    layer: [
      line(null, color("quiet"), 1, shown.length > 100 ? 0.25 : 0.5),
      { mark: { type: "circle", size: 22, color: color("quiet"), opacity: 0.8 } },
      line(isHovered, color("accent"), 3, 1),
      line(isCurrent, color("ink"), 3, 1),
      line(null, color("quiet"), 9, 0.001),
      { data: { values: labels }, transform: [{ filter: "datum.place === 0" }], mark: { type: "text", dy: 13, color: color("quiet") }, encoding: { text: { field: "label" } } },
      { data: { values: labels }, transform: [{ filter: "datum.place === 1" }], mark: { type: "text", dy: -11, color: color("quiet") }, encoding: { text: { field: "label" } } },
    ],
  };
  chart("parallel", state.pair, spec, `Parallel coordinates of ${shown.length} runs over ${names.join(", ")}; the table holds the same`);
}

// From a value to its place between the least and the greatest, on the scale that a chart would use.
function unit(values) {
  const { type, constant } = scaleOf(values);
  const bend = { log: Math.log, symlog: (value) => Math.log1p(value / constant), linear: (value) => value }[type];
  const [low, high] = [bend(Math.min(...values)), bend(Math.max(...values))];
  return (value) => (high > low ? (bend(value) - low) / (high - low) : 0.5);
}

for (const [value, name] of [[false, "Unweighted"], [true, "Weighted"]]) {
  element("weighting").append(make("button", { type: "button", textContent: name, onclick: () => update({ weighted: value }) }));
}
view(["weighted"], () => {
  [...element("weighting").children].forEach((button, place) => button.setAttribute("aria-pressed", String(Boolean(place) === state.weighted)));
});

view(["run", "pair", "along", "theme"], () => whenNear(element("effect"), drawEffect));
view(["run", "pair", "along", "weighted", "theme"], () => whenNear(element("curves"), drawCurves));
view(["run", "pair", "theme"], () => whenNear(element("scatter"), drawScatter));
view(["run", "pair", "theme"], () => whenNear(element("parallel"), drawParallel));
