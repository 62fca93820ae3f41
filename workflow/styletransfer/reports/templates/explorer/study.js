// The study: its runs, and which of them lie around a given one.

// An element by its id, which is one of page.html: so it is there, and of a known kind.
/** @type {(id: string) => any} */
const element = (id) => document.getElementById(id);
/** @type {(selector: string) => any[]} */
const elements = (selector) => [...document.querySelectorAll(selector)];

/** @type {<T>(entries: [string, T][]) => Index<T>} */
const index = (entries) => /** @type {Index<any>} */ (new Map(entries));

/** @type {Study} */
const study = JSON.parse(element("data").textContent);
const runs = study.runs;
const parameters = study.parameters;
const parameterByName = index(parameters.map((parameter) => [parameter.name, parameter]));
// The losses that have a curve. Their weighted sum is the total.
const TERMS = ["content", "style", "tv"];
const LOSSES = [...TERMS, "total"];
runs.forEach((run, index) => {
  run.index = index;
  run.key = run.id.slice(-12);
});
const runByKey = index(runs.map((run) => [`${run.pair}/${run.key}`, run]));
const runsOfPair = index(study.pairs.map((pair) => [pair.name, runs.filter((run) => run.pair === pair.name)]));
const pairByName = index(study.pairs.map((pair) => [pair.name, pair]));

const words = (name) => name.replaceAll("_", " ");
const capital = (sentence) => sentence[0].toUpperCase() + sentence.slice(1);
const ok = (run) => run.status === "ok";
const diverged = (run) => run.status === "diverged";
// Others have gone on to more steps, so its numbers do not compare with theirs.
const stopped = (run) => run.status === "stopped";

const inFourDigits = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
// A measured number, in four digits.
function text(value) {
  if (value === null) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-3)) return Number(value.toPrecision(3)).toExponential();
  return inFourDigits.format(Number(value.toPrecision(4)));
}

const labels = new Map(
  parameters.flatMap(({ name, values, labels }) => values.map((value, place) => [`${name} ${value}`, labels[place]])),
);
// What to call a value of a parameter; of a constant, itself.
const labelOf = (name, value) => labels.get(`${name} ${value}`) ?? String(value);
const settingLabel = (run, name) => labelOf(name, run.settings[name]);
const lossOf = (run, term) => run.measured[`${term}_loss`];

// A setting, whether or not the study varies it.
const setting = (run, name) => run.settings[name] ?? study.constants[name];

// Other colours are part of the picture, and no view of it.
const hasStyleColors = (run) => setting(run, "colors") === study.defaults.colors;

const sameValue = (run, other, name) => run.settings[name] === other.settings[name];

const differences = (run, other) =>
  parameters.map((parameter) => parameter.name).filter((name) => !sameValue(run, other, name));

const defaultRun = (pair) => runsOfPair.get(pair).find((run) => run.default) ?? runsOfPair.get(pair)[0];

// Whether most runs vary several parameters at once, so that few of them differ in one alone.
const isScattered =
  !["star", "grid"].includes(study.design) &&
  parameters.every(({ name }) => {
    const others = parameters.filter((parameter) => parameter.name !== name);
    const around = runs.map((run) => JSON.stringify([run.pair, ...others.map((other) => run.settings[other.name])]));
    return 2 * new Set(around).size > runs.length + 1;
  });

const DEFAULT_NAME = "the default";

// What a run is called: what sets it apart from the default of a star, else (and where that has no result) its values.
function nameOf(run) {
  const start = defaultRun(run.pair);
  const names =
    study.design === "star" && start.default ? differences(run, start) : parameters.map((parameter) => parameter.name);
  const texts = names.map((name) => `${words(name)} ${settingLabel(run, name)}`);
  return texts.join(", ") || (start.default ? DEFAULT_NAME : "the only run with a result");
}

const describe = (run) =>
  nameOf(run) + (run.default && study.design !== "star" ? " (default)" : "") + (ok(run) ? "" : `, ${run.status}`);

// Runs in the order of a parameter's values.
function inOrder(found, name) {
  const order = parameterByName.get(name).values;
  return found.toSorted((a, b) => order.indexOf(a.settings[name]) - order.indexOf(b.settings[name]));
}

// All runs that differ from this one in nothing but the parameter, by its value; this one is among them.
function along(run, name) {
  const others = runsOfPair.get(run.pair);
  return inOrder(
    others.filter((other) => differences(run, other).every((different) => different === name)),
    name,
  );
}

// The values of a parameter that the pair has at all, in order.
function valuesOf(pair, name) {
  const found = new Set(runsOfPair.get(pair).map((run) => run.settings[name]));
  return parameterByName.get(name).values.filter((value) => found.has(value));
}

// The run with this value that changes as little else as it can; where several do, the one nearest to the default.
function nearest(run, name, value) {
  const start = defaultRun(run.pair);
  const candidates = runsOfPair.get(run.pair).filter((other) => other.settings[name] === value);
  const cost = (other) => differences(run, other).length + differences(start, other).length / 100;
  return candidates.reduce((best, other) => (cost(other) < cost(best) ? other : best));
}
