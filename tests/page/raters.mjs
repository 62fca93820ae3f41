// Simulated raters: how many choices the page's model needs, and whether its intervals hold.
//
// A rater likes runs by a smooth function of their settings, which is no draw of the model's own prior: over each of
// six parameters a peak, a step or a line, of a weight that is drawn; products of some two; and 1 % of the range that no
// setting tells. They choose by a logistic law on a range of so many log odds from the worst run to the best.
//
//   node tests/page/raters.mjs [raters] [range] [star|list]

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { compileFunction } from "node:vm";

const FILE = new URL("../../workflow/styletransfer/reports/templates/explorer/preferences.js", import.meta.url);
const NAMES = "fit centred priorsOf believe mostTelling recommend randomly normally chance ENOUGH";
export const model = compileFunction(
  `"use strict";\n${readFileSync(FILE, "utf8")}\nreturn { ${NAMES.replaceAll(" ", ", ")} };`,
)();

const RUNS = 252;
// Values of each parameter in a star, as in the study of 2018.
const VALUES = [13, 49, 30, 75, 50, 34];
const AXES = VALUES.map((_, axis) => axis);

/** Places of runs: around a default, or spread over all settings. */
function placesOf(design, random) {
  if (design === "list") {
    const columns = AXES.map(() => shuffled(RUNS, random).map((place) => (place + 0.5) / RUNS));
    return Array.from({ length: RUNS }, (_, run) => columns.map((column) => column[run]));
  }
  const start = AXES.map(() => 0.2 + 0.6 * random());
  const star = AXES.flatMap((axis) =>
    Array.from({ length: VALUES[axis] }, (_, place) => start.with(axis, place / (VALUES[axis] - 1))),
  );
  return [start, ...star].slice(0, RUNS);
}

function shuffled(count, random) {
  const lots = Array.from({ length: count }, () => random());
  return lots.map((_, place) => place).sort((a, b) => lots[a] - lots[b]);
}

function curve(random) {
  const [kind, middle, width, sign] = [random(), random(), 0.2 + 0.6 * random(), random() < 0.5 ? -1 : 1];
  const far = (x) => (x - middle) / width;
  if (kind < 0.5) return (x) => 1 / (1 + far(x) ** 2);
  return kind < 0.85 ? (x) => sign / (1 + Math.exp(-3 * far(x))) : (x) => sign * x;
}

/** How much a rater likes each run, in log odds. */
function likes(places, range, random) {
  const weight = () => -Math.log(1 - random());
  const single = AXES.map(() => ({ weight: weight(), at: curve(random) }));
  const double = AXES.flatMap((a) => AXES.slice(0, a).map((b) => [a, b])).filter(() => random() < 0.25);
  const product = double.map(([a, b]) => {
    const [factor, x, y] = [2.8 * weight() * (random() < 0.5 ? -1 : 1), random(), random()];
    return (place) => factor * (place[a] - x) * (place[b] - y);
  });
  const smooth = places.map(
    (place) =>
      single.reduce((sum, { weight, at }, axis) => sum + weight * at(place[axis]), 0) +
      product.reduce((sum, term) => sum + term(place), 0),
  );
  return spread(
    spread(smooth, 1).map((value) => value + 0.01 * model.normally(random)),
    range,
  );
}

function spread(values, range) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return values.map((value) => (range * (value - low)) / (high - low));
}

/** What the model tells of one rater after each of these numbers of choices. */
export function rate({ design, range, seed, counts }) {
  const random = model.randomly(seed);
  const places = placesOf(design, random);
  const liked = likes(places, range, random);
  const middle = liked.reduce((sum, value) => sum + value, 0) / liked.length;
  const priors = model.priorsOf(places);
  const [comparisons, asked, told, times] = [[], new Set(), [], []];
  let stop;
  let belief = model.believe(comparisons, priors);
  while (comparisons.length < counts.at(-1)) {
    const start = performance.now();
    const isAsked = (i, j) => asked.has(`${Math.min(i, j)} ${Math.max(i, j)}`);
    const [left, right] = model.mostTelling(belief, isAsked, random);
    asked.add(`${Math.min(left, right)} ${Math.max(left, right)}`);
    comparisons.push({ left, right, share: Number(random() < model.chance(liked[left] - liked[right])) });
    belief = model.believe(comparisons, priors);
    times.push(performance.now() - start);
    const count = comparisons.length;
    if (count % 5) continue;
    const { best, sure } = model.recommend(belief, random);
    const lost = (Math.max(...liked) - liked[best]) / range;
    if (sure >= model.ENOUGH) stop ??= { count, near: lost <= 0.05 };
    if (!counts.includes(count)) continue;
    const within = liked.filter(
      (value, run) => Math.abs(belief.mean[run] - (value - middle)) <= 1.6449 * belief.deviation[run],
    );
    told.push({ near: lost <= 0.05, lost, covered: within.length / RUNS, sure });
  }
  return { told, times, stop };
}

const mean = (values) => values.reduce((sum, value) => sum + Number(value), 0) / values.length;

/** Over raters: shares of recommendations near the best, of intervals that hold, and what the model thinks of itself. */
export function rateAll({ raters, range, design, counts = [20, 40, 60], first = 1 }) {
  const all = Array.from({ length: raters }, (_, rater) => rate({ design, range, seed: first + rater, counts }));
  const rows = counts.map((choices, place) => {
    const told = all.map((one) => one.told[place]);
    const part = (name) => mean(told.map((one) => one[name]));
    return { choices, near: part("near"), lost: part("lost"), covered: part("covered"), sure: part("sure") };
  });
  const times = all.flatMap((one) => one.times).sort((a, b) => a - b);
  const stops = all.flatMap(({ stop }) => stop ?? []);
  const stop = { raters: stops.length, near: mean(stops.map(({ near }) => near)) };
  return { rows, stop, median: times[Math.floor(times.length / 2)], slowest: times.at(-1) };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [raters = 200, range = 10] = process.argv.slice(2, 4).map(Number);
  for (const design of process.argv[4] ? [process.argv[4]] : ["star", "list"]) {
    const { rows, stop, median, slowest } = rateAll({ raters, range, design });
    console.log(`${design} of ${RUNS} runs, ${raters} raters, ${range} log odds from the worst run to the best;`);
    console.log(`an answer takes ${median.toFixed(0)} ms, at most ${slowest.toFixed(0)} ms`);
    console.log(
      `told that it is enough: ${stop.raters} raters, ${(100 * stop.near).toFixed(0)} % of them near the best`,
    );
    console.table(
      rows.map((row) => Object.fromEntries(Object.entries(row).map(([k, v]) => [k, Number(v.toFixed(3))]))),
    );
  }
}
