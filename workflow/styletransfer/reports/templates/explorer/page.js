// The page as a whole: its heading, theme, keys, and the first drawing.

{
  const widths = [...new Set(runs.map((run) => run.size[0]))];
  const [failed, left] = [diverged, stopped].map((is) => runs.filter(is).length);
  const every = runs.reduce((sum, run) => sum + Math.max(1, run.repeats), 0);
  const facts = [
    every > runs.length ? `${every} runs of ${runs.length} settings` : `${runs.length} runs`,
    study.pairs.length === 1 ? study.pairs[0].name : `${study.pairs.length} pairs of pictures`,
    `${widths.length === 1 ? widths[0] : `${Math.min(...widths)}–${Math.max(...widths)}`} px wide`,
    ...(study.constants.iterations ? [`${Number(study.constants.iterations).toLocaleString("en")} iterations`] : []),
    study.weights,
    ...(failed ? [`${failed} diverged`] : []),
    ...(left ? [`${left} stopped, as others were better`] : []),
  ];
  element("title").textContent = study.study;
  element("subtitle").textContent = facts.join(" · ");
}

// A link within the page scrolls; the address belongs to the state.
for (const link of elements("nav a, a.skip")) {
  link.onclick = (event) => {
    event.preventDefault();
    const target = element(link.hash.slice(1));
    scrollToSection(target);
    target.focus({ preventScroll: true });
  };
}

const darkSystem = matchMedia("(prefers-color-scheme: dark)");
// As the system has it, until the reader chooses.
/** @type {string | null} */
let theme = null;

function showTheme() {
  const name = theme ?? (darkSystem.matches ? "dark" : "light");
  document.documentElement.dataset.theme = name;
  element("theme").setAttribute("aria-pressed", String(name === "dark"));
  show(["theme"]);
}

element("theme").onclick = () => {
  theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  showTheme();
};
darkSystem.addEventListener("change", showTheme);

element("copy-link").onclick = (event) => copy(location.href.split("#")[0] + address(), event.target);
element("help-open").onclick = () => element("help").showModal();

function choose(by) {
  const place = parameters.findIndex((parameter) => parameter.name === state.along) + by;
  if (place in parameters) update({ along: parameters[place].name });
}

function stepBy(by) {
  stop();
  step(by);
}

function nextMode() {
  const names = Object.keys(MODES);
  update({ mode: names[(names.indexOf(state.mode) + 1) % names.length] });
}

const KEYS = {
  ArrowLeft: () => stepBy(-1),
  ArrowRight: () => stepBy(1),
  ArrowUp: () => choose(-1),
  ArrowDown: () => choose(1),
  " ": play,
  p: () => togglePin(current()) || announce(PINS_ARE_FULL),
  s: () => toggleFavourite(current()),
  n: survey,
  f: () => element("alone").click(),
  z: () => element("zoom-own").click(),
  c: () => update({ colors: state.colors === "own" ? "content" : "own" }),
  m: nextMode,
  "+": () => element("zoom-in").click(),
  "-": () => element("zoom-out").click(),
  "?": () => element("help").showModal(),
};
for (let stars = 1; stars <= 5; stars++) KEYS[stars] = () => judge(stars);
// 0 fits the zoomed picture; else it removes the rating.
KEYS[0] = () => (state.zoom !== 1 ? look(1) : rate(current(), 0));

on("keydown", (event) => {
  const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  const typing =
    event.target.closest("input:not([type=range]), select, dialog") ||
    (/^Arrow/.test(event.key) && event.target.closest("input, .scroll, pre"));
  const pressing = event.key === " " && event.target.closest("button, a");
  if (!action || typing || pressing || event.ctrlKey || event.metaKey || event.altKey || !element("keys-on").checked)
    return;
  // Up and down scroll the page, unless the reader is at the sliders or the picture.
  if (/^Arrow(Up|Down)$/.test(event.key) && !event.target.closest("#explore")) return;
  event.preventDefault();
  action();
});

function start() {
  const section = document.querySelector(`main > section[id="${CSS.escape(location.hash.slice(1))}"]`);
  const { found, unknown } = fromAddress();
  Object.assign(state, found);
  const everything = [...Object.keys(INITIAL), "marks"];
  for (const { render } of views) render(everything);
  announce(
    unknown === null
      ? ""
      : `The link asks for the run ${unknown.slice(0, 40)}, which this study does not have: ` +
          `shown is ${nameOf(current())}.`,
  );
  if (section) scrollToSection(section);
}

addEventListener("hashchange", () => {
  if (location.hash !== address()) start();
});

document.documentElement.dataset.theme = darkSystem.matches ? "dark" : "light";
element("theme").setAttribute("aria-pressed", String(darkSystem.matches));
start();
document.documentElement.dataset.ready = "true";
