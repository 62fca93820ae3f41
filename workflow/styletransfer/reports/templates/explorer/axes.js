// Scales and ticks of the charts' axes.

// A log axis where values span more than a decade and a half; symlog where 0 is among them.
function scaleOf(values) {
  const positive = values.filter((value) => value > 0);
  const wide = positive.length > 1 && Math.max(...positive) / Math.min(...positive) > 30;
  if (!wide || values.some((value) => value < 0)) return { type: "linear", zero: false };
  return values.some((value) => value === 0) ? { type: "symlog", constant: Math.min(...positive) } : { type: "log" };
}

// The least and the greatest positive value of a field, with a margin for a log axis.
/** @returns {[number, number]} */
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

// From a value to its place between the least and the greatest, on the scale that a chart would use.
function unit(values) {
  const { type, constant = 1 } = scaleOf(values);
  const bend = { log: Math.log, symlog: (value) => Math.log1p(value / constant), linear: (value) => value }[type];
  const place = placeAmong(values.map(bend), 0.5);
  return (value) => place(bend(value));
}
