// Charts, drawn by Vega-Lite. Each is redrawn only when its data change; else it is told what is current or hovered,
// and the colours of the theme.

// Okabe and Ito's colours: told apart by colour-blind people as well.
const CATEGORIES = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a7f00"];
const charts = new Map();

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// Colours of the style sheet that charts use; as expressions, since a theme may change them.
const COLOURS = ["ink", "quiet", "line", "accent", "default"];
const [INK, QUIET, LINE, ACCENT, DEFAULT] = COLOURS.map((name) => ({ expr: `${name}_colour` }));

function chartConfig() {
  const axis = {
    labelColor: QUIET,
    titleColor: QUIET,
    gridColor: LINE,
    domainColor: LINE,
    tickColor: LINE,
    titleFontWeight: "normal",
    labelFontSize: 12,
    titleFontSize: 12,
  };
  return {
    background: "transparent",
    font: getComputedStyle(document.body).fontFamily,
    view: { stroke: null },
    axis,
    legend: { labelColor: INK, titleColor: QUIET, labelFontSize: 12, titleFontWeight: "normal", symbolStrokeWidth: 2 },
  };
}

const signals = () => [
  { name: "current", value: current().index },
  { name: "hovered", value: -1 },
  ...COLOURS.map((name) => ({ name: `${name}_colour`, value: color(name) })),
];

// From the script before this one: Vega-Embed.
const { vegaEmbed } = /** @type {any} */ (window);
// Pictures beside a page that is a file are of no origin: they are not to be asked for as if they were of another.
const loader = {
  load: (uri) => Promise.reject(new Error(`charts load nothing: ${uri}`)),
  sanitize: async (href) => ({ href, crossOrigin: null }),
};

// key: what decides the data. summary: what a screen reader says.
async function chart(id, key, spec, summary) {
  const target = element(id);
  const drawn = charts.get(id);
  if (drawn?.key === key) return signal(drawn, "current", current().index);
  const entry = { key, view: null };
  charts.set(id, entry);
  drawn?.view?.finalize();
  const full = {
    width: "container",
    autosize: { type: "fit", contains: "padding", resize: true },
    params: signals(),
    config: chartConfig(),
    ...spec,
  };
  // ast: expressions are interpreted, so the page may forbid eval.
  const result = await vegaEmbed(target, full, {
    actions: false,
    renderer: "canvas",
    ast: true,
    tooltip: false,
    loader,
  });
  if (charts.get(id) !== entry) return result.view.finalize();
  entry.view = result.view;
  target.setAttribute("role", "img");
  target.setAttribute("aria-label", summary);
  listen(entry.view);
  for (const { name, value } of signals()) if (name !== "hovered") signal(entry, name, value);
}

function signal(entry, name, value) {
  if (entry.view && entry.view.signal(name) !== value) entry.view.signal(name, value).runAsync();
}

function signalCharts(name, value) {
  for (const entry of charts.values()) signal(entry, name, value);
}

view(["theme"], () => {
  for (const name of COLOURS) signalCharts(`${name}_colour`, color(name));
});

const runOfItem = (item) => (Number.isInteger(item?.datum?.run) ? runs[item.datum.run] : null);

function listen(chartView) {
  chartView.addEventListener("click", (_, item) => {
    const run = runOfItem(item);
    if (!run) return;
    stop();
    peek(null);
    openRun(run);
  });
  chartView.addEventListener("mousemove", (event, item) => {
    const run = runOfItem(item);
    chartView.container().style.cursor = run ? "pointer" : "";
    peek(run, event);
    hover(run);
  });
  chartView.addEventListener("mouseout", () => {
    peek(null);
    hover(null);
  });
}

const isDark = () => document.documentElement.dataset.theme === "dark";

const axisNumbers = { labelExpr: AXIS_TEXT, tickCount: 5, labelOverlap: true };
const isCurrent = "datum.run === current";
const isHovered = "datum.run === hovered";
