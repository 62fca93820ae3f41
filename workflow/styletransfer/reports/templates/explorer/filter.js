// The columns of the table of runs, and the words that filter it.

/** @type {Column[]} */
const SETTINGS = parameters.map(({ name, help, numeric }) => ({
  name,
  title: words(name),
  note: help,
  words: !numeric,
  read: (run) => run.settings[name],
  show: (value) => labelOf(name, value),
}));
/** @type {Measured[]} */
const MEASURED = study.measures.map(({ name, title, unit, better, within }) => ({
  name,
  title: unit ? `${title}, ${unit}` : title,
  note: `${better} is better; compares between runs of equal ${within.map(words).join(", ")}`,
  read: (run) => run.measured[name],
  show: (value, run) => (run && withBar(value, barOf(run, name))) ?? text(value),
  compares: (run, other) => within.every((part) => told(run, part) === told(other, part)),
}));
const told = (run, part) => run[part] ?? setting(run, part);
/** @type {Column[]} */
const OTHERS = [
  { name: "favourite", title: "★", note: "favourite, pin", read: (run) => Number(isFavourite(run)), show: String },
  { name: "rating", title: "rating", read: ratingOf, show: (stars) => "★".repeat(stars) },
  { name: "status", title: "status", words: true, read: (run) => run.status, show: String },
];
const COLUMNS = [...SETTINGS, ...MEASURED, ...OTHERS];
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
  [describe(run), run.status, run.device, run.pair, run.id, isFavourite(run) ? "favourite" : ""]
    .join(" ")
    .toLowerCase();

const conditions = () => state.filter.trim().split(/\s+/).filter(Boolean).map(condition);

const RANGE = /^(\w+)([<>])=?(.+)$/;

// The limits that a filter sets to a column, lowest and highest; null where it sets none.
function rangeOf(filter, name) {
  /** @type {(number | null)[]} */
  const limits = [null, null];
  for (const word of filter.split(/\s+/)) {
    const [, column, sign, limit] = word.match(RANGE) ?? [];
    if (column === name && Number.isFinite(Number(limit))) limits[Number(sign === "<")] = Number(limit);
  }
  return limits;
}

// A filter with these limits of a column in place of others.
function withRange(filter, name, limits) {
  const [low, high] = limits;
  const others = filter.split(/\s+/).filter((word) => word && word.match(RANGE)?.[1] !== name);
  const limit = (sign, value) => (value === null ? [] : [`${name}${sign}${Number(value.toPrecision(3))}`]);
  return [...others, ...limit(">=", low), ...limit("<=", high)].join(" ");
}

function tableRuns(wanted) {
  const found = runsOfPair.get(state.pair).filter((run) => wanted.every(({ holds }) => holds(run)));
  const column = COLUMNS.find((one) => one.name === state.sort);
  if (!column) return found;
  const direction = state.descending ? -1 : 1;
  // What has no value goes last, whichever way.
  return found.toSorted((a, b) => {
    const [x, y] = [column.read(a), column.read(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return direction * (typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y)));
  });
}
