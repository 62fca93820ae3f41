// What is shown, kept in the address: a link reproduces the view. Views say which parts they depend on.

// So many pictures beside each other can be judged.
const MAX_PINS = 6;

/** @type {Record<string, any>} */
const INITIAL = {
  pair: study.pairs[0].name,
  run: "",
  along: "",
  colors: study.preserve_colors ? "content" : "own",
  mode: "single",
  against: "default",
  pins: [],
  zoom: 1,
  x: 0,
  y: 0,
  wipe: 50,
  rows: "",
  columns: "",
  weighted: false,
  sort: "",
  descending: false,
  filter: "",
  shade: "",
};
INITIAL.run = defaultRun(INITIAL.pair).key;
// What a newcomer asks first.
INITIAL.along = (parameterByName.get("style_weight") ?? parameters[0])?.name ?? "";

const state = { ...INITIAL };
const views = [];

/** The run that is shown. */
const current = () => runByKey.get(`${state.pair}/${state.run}`);

// uses: parts of the state; "marks" stands for favourites and ratings.
function view(uses, render) {
  views.push({ uses, render });
}

function update(changes) {
  const changed = Object.keys(changes).filter((name) => state[name] !== changes[name]);
  Object.assign(state, changes);
  if (changed.length) show(changed);
}

function show(changed) {
  for (const { uses, render } of views) if (uses.some((name) => changed.includes(name))) render(changed);
  rememberSoon();
}

function openRun(run) {
  update({ pair: run.pair, run: run.key });
}

let remembering;
function rememberSoon() {
  clearTimeout(remembering);
  remembering = setTimeout(remember, 150);
}

function address() {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    if (String(value) !== String(INITIAL[name]) || name === "run") parts.set(name, value);
  }
  return `#${parts}`;
}

// A report shows the page in a frame that may forbid this: then the link button still works.
function remember() {
  try {
    history.replaceState(null, "", address());
  } catch {
    return;
  }
}

// Whatever a link holds: only what this study knows is taken over. unknown: the run that it asked for in vain, or null.
function fromAddress() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const found = { ...INITIAL };
  for (const [name, value] of parts) if (name in INITIAL) found[name] = likeInitial(name, value);
  if (!pairByName.has(found.pair)) found.pair = INITIAL.pair;
  const known = runByKey.has(`${found.pair}/${found.run}`);
  const unknown = parts.has("run") && !known ? found.run : null;
  if (!known) found.run = defaultRun(found.pair).key;
  if (!parameterByName.has(found.along)) found.along = INITIAL.along;
  if (!(found.mode in MODES)) found.mode = INITIAL.mode;
  if (!(found.colors in COLORS)) found.colors = INITIAL.colors;
  found.pins = found.pins.filter((key) => runByKey.has(`${found.pair}/${key}`)).slice(0, MAX_PINS);
  return { found, unknown };
}

function likeInitial(name, value) {
  const initial = INITIAL[name];
  if (Array.isArray(initial)) return value.split(",").filter(Boolean);
  if (typeof initial === "boolean") return value === "true";
  return typeof initial === "number" ? (Number.isFinite(Number(value)) ? Number(value) : initial) : value;
}

// Marks live in the browser. Where it denies storage to files, they last as long as the page.
const STORE = `style-transfer-explorer/${study.study}`;
let stored = true;
const marks = loadMarks();

/** @returns {{ favourites: string[], ratings: Record<string, number> }} */
function loadMarks() {
  try {
    const found = JSON.parse(localStorage.getItem(STORE) ?? "{}");
    return { favourites: found.favourites ?? [], ratings: found.ratings ?? {} };
  } catch {
    stored = false;
    return { favourites: [], ratings: {} };
  }
}

function changeMarks(change) {
  change(marks);
  try {
    localStorage.setItem(STORE, JSON.stringify(marks));
  } catch {
    stored = false;
  }
  show(["marks"]);
}

const isFavourite = (run) => marks.favourites.includes(run.id);
const ratingOf = (run) => marks.ratings[run.id] ?? 0;

function toggleFavourite(run) {
  changeMarks((kept) => {
    kept.favourites = isFavourite(run) ? kept.favourites.filter((id) => id !== run.id) : [...kept.favourites, run.id];
  });
}

function rate(run, stars) {
  changeMarks((kept) => {
    if (stars === 0 || ratingOf(run) === stars) delete kept.ratings[run.id];
    else kept.ratings[run.id] = stars;
  });
}

// The current run is seen beside what is pinned. False where no more can be pinned.
function togglePin(run) {
  const others = state.pins.filter((key) => key !== run.key);
  const pins = others.length < state.pins.length ? others : [...others, run.key];
  if (pins.length > MAX_PINS) return false;
  const mode = !pins.length ? "single" : state.mode === "single" ? "side" : state.mode;
  update({ pins, mode, against: !pins.length ? "default" : state.against === "favourites" ? "favourites" : "pins" });
  return true;
}

// Listen on the whole document.
/** @type {(name: string, listener: (event: any) => void) => void} */
const on = (name, listener) => document.addEventListener(name, listener);

// A box that scrolls sideways fades where it goes on.
function fadeEdge(box) {
  box.classList.toggle("more", box.scrollLeft + box.clientWidth < box.scrollWidth - 2);
}

for (const box of elements(".scroll, .strip")) {
  box.addEventListener("scroll", () => fadeEdge(box), { passive: true });
  new ResizeObserver(() => fadeEdge(box)).observe(box);
}

// What is far down the page is drawn when the reader comes near, from what the state is by then.
const waiting = new Map();
const watcher = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) drawWaiting(target);
    }
  },
  { rootMargin: "600px" },
);

function drawWaiting(target) {
  watcher.unobserve(target);
  const draws = waiting.get(target) ?? [];
  waiting.delete(target);
  for (const draw of draws) draw();
}

function whenNear(target, draw) {
  waiting.set(target, (waiting.get(target) ?? new Set()).add(draw));
  watcher.unobserve(target);
  watcher.observe(target);
}

// Of what scrolls in a box only what is about to be seen is made: a large study has tens of thousands of cells.
/** @type {WeakMap<Element, () => void>} */
const makers = new WeakMap();
const sight = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) makeNow(target);
  },
  /** @type {any} */ ({ rootMargin: "400px", scrollMargin: "400px" }),
);

function makeNow(target) {
  sight.unobserve(target);
  makers.get(target)?.();
  makers.delete(target);
}

function whenSeen(target, making) {
  makers.set(target, making);
  sight.observe(target);
}

// Appends a portion of the rows, and the next one when the last of it is about to be seen.
function inPortions(box, rows, makeRow, portion, from = 0) {
  const made = rows.slice(from, from + portion).map(makeRow);
  box.append(...made);
  const next = from + made.length;
  if (next < rows.length) whenSeen(made[made.length - 1], () => inPortions(box, rows, makeRow, portion, next));
}

// What is drawn late would move what lies below it: so all is drawn before the page scrolls to a section.
function scrollToSection(target) {
  for (const place of [...waiting.keys()]) drawWaiting(place);
  target.scrollIntoView();
}
