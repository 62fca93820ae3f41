// Scales and ticks of the charts' axes.

// How a scale bends values before it spaces them, and back.
function bendOf({ type, constant = 1 }) {
  if (type === "log") return [Math.log, Math.exp];
  if (type === "symlog") return [(value) => Math.log1p(value / constant), (bent) => constant * Math.expm1(bent)];
  return [(value) => value, (bent) => bent];
}

// A log axis where values span more than a decade and a half, or lie more evenly on it; symlog where 0 is among them.
function scaleOf(values) {
  const linear = { type: "linear", zero: false };
  const positive = values.filter((value) => value > 0);
  if (positive.length < 2 || values.some((value) => value < 0)) return linear;
  const least = Math.min(...positive);
  const log = values.includes(0) ? { type: "symlog", constant: least } : { type: "log" };
  return Math.max(...positive) / least > 30 || widestGap(values, log) < widestGap(values, linear) ? log : linear;
}

// The largest share of a scale in which no value lies.
function widestGap(values, scale) {
  const bent = [...new Set(values)].map(bendOf(scale)[0]).sort((a, b) => a - b);
  const places = bent.map(placeAmong(bent, 0));
  return Math.max(0, ...places.slice(1).map((place, index) => place - places[index]));
}

// The least and the greatest positive value of a field, with a margin for a log axis.
/** @returns {[number, number]} */
function domainOf(rows, field, margin = 1.1) {
  const values = rows.map((row) => row[field]).filter((value) => value > 0);
  return values.length ? [field === "step" ? 0 : Math.min(...values) / margin, Math.max(...values) * margin] : [1, 10];
}

// A number at an axis: 1e-7, 0.001, 300, 1k, 3M, 1e30. Vega-Lite wants it as an expression.
function axisText(value) {
  const size = Math.abs(value);
  if (size >= 1e9 || (size > 0 && size < 1e-3)) return Number(value.toPrecision(3)).toExponential().replace("+", "");
  const [unit, letter] = size >= 1e6 ? [1e6, "M"] : size >= 1e3 ? [1e3, "k"] : [1, ""];
  return `${Number((value / unit).toPrecision(3))}${letter}`;
}
const AXIS_TEXT =
  "abs(datum.value) >= 1e9 || (datum.value != 0 && abs(datum.value) < 1e-3)" +
  " ? replace(format(datum.value, '.2~e'), '+', '')" +
  " : format(datum.value, abs(datum.value) < 1 ? '.3~r' : '.3~s')";

// At most so many round numbers at even distances between two.
function ticksWithin(low, high, most) {
  const raw = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5].find((times) => times * power >= raw) ?? 10);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, place) => (first + place) * step);
}

// On a log axis few lines at even distances, fewer in each decade the more decades there are: Vega draws all nine.
function logAxis([low, high]) {
  const [first, last] = [Math.log10(low), Math.log10(high)];
  const axis = { labelExpr: AXIS_TEXT, tickCount: 4, labelOverlap: "greedy" };
  if (!(last - first > 0.5)) return axis;
  const steps = last - first < 1.3 ? [1, 2, 5] : last - first < 3.2 ? [1, 3] : [1];
  const powers = Array.from(
    { length: Math.ceil(last) - Math.floor(first) + 1 },
    (_, place) => 10 ** (Math.floor(first) + place),
  );
  return { ...axis, values: powers.flatMap((power) => steps.map((step) => step * power)) };
}

// An encoding on a log axis, over all values of a field.
function logEncoding(rows, field, title, margin = 1.1) {
  const domain = domainOf(rows, field, margin);
  return { field, type: "quantitative", title, scale: { type: "log", nice: false, domain }, axis: logAxis(domain) };
}

const positive = (value) => (value > 0 ? value : null);

// From a number to its place between the least of some, 0, and the greatest, 1; `alike` where these are one.
function placeAmong(numbers, alike) {
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  return (number) => (high > low ? (number - low) / (high - low) : alike);
}

// From a value to its place between the least and the greatest, on the scale that a chart would use, and back.
function axisOf(values) {
  const [bend, back] = bendOf(scaleOf(values));
  const bent = values.map(bend);
  const [low, high] = [Math.min(...bent), Math.max(...bent)];
  const place = placeAmong(bent, 0.5);
  return { placeOf: (value) => place(bend(value)), valueAt: (share) => back(low + share * (high - low)) };
}
