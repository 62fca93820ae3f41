// What choices between two pictures tell of all runs: a Bradley-Terry model whose strengths have a Gaussian prior.
// Runs with near settings are expected to be liked alike, so that tens of choices tell of hundreds of runs.
// Numbers in and numbers out: no page is needed.

function dot(one, other, count = one.length) {
  let sum = 0;
  for (let k = 0; k < count; k++) sum += one[k] * other[k];
  return sum;
}

/**
 * The lower triangle whose product with its own transpose is this matrix.
 * @param {Float64Array[]} matrix  Rows, symmetric and positive definite.
 */
function cholesky(matrix) {
  const lower = matrix.map((row) => new Float64Array(row.length));
  matrix.forEach((row, i) => {
    for (let j = 0; j < i; j++) lower[i][j] = (row[j] - dot(lower[i], lower[j], j)) / lower[j][j];
    lower[i][i] = Math.sqrt(row[i] - dot(lower[i], lower[i], i));
  });
  return lower;
}

function solveLower(lower, right) {
  const solved = Float64Array.from(right);
  for (let i = 0; i < solved.length; i++) solved[i] = (solved[i] - dot(lower[i], solved, i)) / lower[i][i];
  return solved;
}

function solveUpper(lower, right) {
  const solved = Float64Array.from(right);
  for (let i = solved.length - 1; i >= 0; i--) {
    solved[i] /= lower[i][i];
    for (let k = 0; k < i; k++) solved[k] -= lower[i][k] * solved[i];
  }
  return solved;
}

/**
 * Rows of a covariance of values around their mean: strengths have no zero, and only differences are chosen by.
 * @param {number} count
 * @param {(i: number, j: number) => number} covariance
 */
function centred(count, covariance) {
  const rows = Array.from({ length: count }, () => new Float64Array(count));
  for (let i = 0; i < count; i++) for (let j = 0; j <= i; j++) rows[i][j] = rows[j][i] = covariance(i, j);
  const means = rows.map((row) => row.reduce((sum, value) => sum + value, 0) / count);
  const mean = means.reduce((sum, value) => sum + value, 0) / count;
  rows.forEach((row, i) => {
    for (let j = 0; j < count; j++) row[j] += mean - means[i] - means[j];
  });
  return rows;
}

// log(1 / (1 + exp(-x))) without overflow.
const logChance = (x) => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)));
/** How probably the stronger of two is chosen, by how much it is stronger. */
const chance = (x) => Math.exp(logChance(x));

/**
 * The most probable strengths and, by Laplace's approximation, what is not known of them. All is solved in as many
 * dimensions as there are choices, however many runs there are (Rasmussen and Williams 2006, algorithms 3.1 and 3.2).
 * @param {Comparison[]} comparisons
 * @param {Prior} prior
 */
function fit(comparisons, { rows, scale }) {
  const between = ({ left, right }, i) => scale * (rows[left][i] - rows[right][i]);
  const joint = comparisons.map((one) =>
    Float64Array.from(comparisons, ({ left, right }) => between(one, left) - between(one, right)),
  );
  const { pull, lower, roots, evidence } = newton(
    joint,
    comparisons.map(({ share }) => share),
  );
  const mean = Float64Array.from(rows, (_, i) =>
    comparisons.reduce((sum, one, e) => sum + pull[e] * between(one, i), 0),
  );
  // What the choices took from the covariance, as products of columns, which are many: made when they are asked for.
  /** @type {Float64Array[]} */
  const columns = [];
  const taken = (i) =>
    (columns[i] ??= solveLower(
      lower,
      comparisons.map((one, e) => roots[e] * between(one, i)),
    ));
  const covariance = (i, j) => scale * rows[i][j] - dot(taken(i), taken(j));
  return { mean, covariance, evidence };
}

// The most probable differences are `joint` times `pull`: by Newton's method, with halved steps where one is too long.
function newton(joint, shares) {
  const times = (vector) => Float64Array.from(joint, (row) => dot(row, vector));
  const told = (x, e) => shares[e] * logChance(x) + (1 - shares[e]) * logChance(-x);
  const heightOf = (pull, at) => at.reduce((sum, x, e) => sum + told(x, e) - (pull[e] * x) / 2, 0);
  let pull = new Float64Array(shares.length);
  let at = times(pull);
  let height = heightOf(pull, at);
  for (let turn = 1; ; turn++) {
    const weights = at.map((x) => chance(x) * chance(-x));
    const roots = weights.map(Math.sqrt);
    const lower = cholesky(joint.map((row, e) => row.map((value, f) => roots[e] * value * roots[f] + Number(e === f))));
    const aim = at.map((x, e) => weights[e] * x + shares[e] - chance(x));
    const inner = times(aim).map((value, e) => roots[e] * value);
    const known = solveUpper(lower, solveLower(lower, inner));
    let next = aim.map((value, e) => value - roots[e] * known[e]);
    let there = times(next);
    while (heightOf(next, there) < height - 1e-9) {
      next = next.map((value, e) => (value + pull[e]) / 2);
      there = times(next);
    }
    const moved = there.reduce((most, x, e) => Math.max(most, Math.abs(x - at[e])), 0);
    [pull, at, height] = [next, there, heightOf(next, there)];
    if (moved < 1e-9 || turn === 50) {
      const volume = lower.reduce((sum, row, e) => sum + Math.log(row[e]), 0);
      return { pull, lower, roots, evidence: height - volume };
    }
  }
}

// How alike two values are, by their distance in lengths (Matern 5/2).
function likeness(distance) {
  const far = Math.sqrt(5) * distance;
  return (1 + far + (far * far) / 3) * Math.exp(-far);
}

const LENGTHS = [0.3, 0.8];
const DEVIATIONS = [0.7, 1.5, 3, 6];
// What each run has for itself, where 2 is all: settings that are alike need not be liked alike.
const OWN = 0.02;

/**
 * Priors for runs by their settings: half of a strength is a sum over parameters, half depends on all of them together.
 * They differ in how far from each other settings are alike, and in how sure the choices are.
 * @param {(number | string)[][]} places  Of each run its settings, a number from 0 to 1, or a word.
 * @returns {Prior[]}
 */
function priorsOf(places) {
  const axes = Math.max(1, places[0]?.length ?? 0);
  return LENGTHS.flatMap((length) => {
    const covariance = (i, j) => {
      let [sum, squares] = [0, 0];
      for (let axis = 0; axis < places[i].length; axis++) {
        const [a, b] = [places[i][axis], places[j][axis]];
        const apart = typeof a === "number" && typeof b === "number" ? Math.abs(a - b) : Number(a !== b);
        sum += likeness(apart / length);
        squares += apart * apart;
      }
      return sum / axes + likeness(Math.sqrt(squares) / (1.5 * length)) + OWN * Number(i === j);
    };
    const rows = centred(places.length, covariance);
    const variance = rows.reduce((sum, row, i) => sum + row[i], 0) / places.length || 1;
    return DEVIATIONS.map((deviation) => ({ rows, scale: (deviation * deviation) / variance }));
  });
}

// So many choices tell which priors fit; the others' weights are as good as 0.
const TELLING = 100;
const LEAST_WEIGHT = 0.02;

/**
 * What is believed of the strengths, over all priors by how well each tells the choices.
 * @param {Comparison[]} comparisons
 * @param {Prior[]} priors
 */
function believe(comparisons, priors) {
  const first = priors.map((prior) => fit(comparisons.slice(0, TELLING), prior));
  const best = Math.max(...first.map(({ evidence }) => evidence));
  const weights = first.map(({ evidence }) => Math.exp(evidence - best));
  const least = LEAST_WEIGHT * weights.reduce((sum, weight) => sum + weight, 0);
  const kept = priors.map((_, place) => place).filter((place) => weights[place] >= least);
  const total = kept.reduce((sum, place) => sum + weights[place], 0);
  const parts = kept.map((place) => ({
    weight: weights[place] / total,
    ...(comparisons.length > TELLING ? fit(comparisons, priors[place]) : first[place]),
  }));
  const mean = parts[0].mean.map((_, i) => parts.reduce((sum, part) => sum + part.weight * part.mean[i], 0));
  const covariance = (i, j) =>
    parts.reduce((sum, part) => sum + part.weight * (part.covariance(i, j) + part.mean[i] * part.mean[j]), 0) -
    mean[i] * mean[j];
  const deviation = mean.map((_, i) => Math.sqrt(Math.max(covariance(i, i), 1e-12)));
  return { mean, covariance, deviation };
}

/** Numbers between 0 and 1 that are the same each time (mulberry32). */
function randomly(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const normally = (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

// The normal distribution's density, and its integral (Abramowitz and Stegun 1964, 7.1.26).
const density = (x) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
function below(x) {
  const t = 1 / (1 + (0.3275911 * Math.abs(x)) / Math.SQRT2);
  const series = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
  const tail = (series.reduce((sum, factor) => sum * t + factor, 0) * t * Math.exp((-x * x) / 2)) / 2;
  return x > 0 ? 1 - tail : tail;
}

// So many runs may be the best, as far as is known; with these all is computed.
const CONTENDERS = 48;

function contenders({ mean, deviation }, random) {
  const most = mean.map((value, i) => value + 1.5 * deviation[i]);
  // Where nothing is known yet, any.
  const order = Array.from(mean, (_, i) => ({ i, lot: random() })).sort(
    (a, b) => most[b.i] - most[a.i] || a.lot - b.lot,
  );
  return order.slice(0, CONTENDERS).map(({ i }) => i);
}

/**
 * The two runs of which the better one is expected to be the best: each could be, and one does not tell of the other
 * (the utility of the better of two: Lin, Astudillo, Frazier and Bakshy 2022, arXiv:2203.11382).
 * @param {ReturnType<typeof believe>} belief
 * @param {(i: number, j: number) => boolean} isAsked
 * @param {() => number} random
 * @returns {number[] | null}  In the order in which to show them; null where each was asked.
 */
function mostTelling(belief, isAsked, random) {
  const { mean, covariance, deviation } = belief;
  const found = contenders(belief, random);
  let most = -Infinity;
  /** @type {number[] | null} */
  let pair = null;
  for (const [place, i] of found.entries()) {
    for (const j of found.slice(0, place)) {
      if (isAsked(i, j)) continue;
      const apart = Math.sqrt(Math.max(deviation[i] ** 2 + deviation[j] ** 2 - 2 * covariance(i, j), 1e-12));
      const lead = (mean[i] - mean[j]) / apart;
      const better = mean[i] * below(lead) + mean[j] * below(-lead) + apart * density(lead);
      if (better > most) [most, pair] = [better, [i, j]];
    }
  }
  return pair && random() < 0.5 ? pair.reverse() : pair;
}

const DRAWS = 400;
const NEAR = 0.05;
// An even chance is told to be enough: of simulated raters more had such a run than were told so (docs/explorer.md).
const ENOUGH = 0.5;

/**
 * The run to take, and how probably it is the best, or as good but for `NEAR` of the range.
 * @param {ReturnType<typeof believe>} belief
 * @param {() => number} random
 */
function recommend(belief, random) {
  const { mean, covariance } = belief;
  const best = mean.indexOf(Math.max(...mean));
  const among = [...new Set([best, ...contenders(belief, random)])];
  const joint = among.map((i) => Float64Array.from(among, (j) => covariance(i, j) + 1e-9 * Number(i === j)));
  const lower = cholesky(joint);
  const near = NEAR * (mean[best] - Math.min(...mean));
  let sure = 0;
  for (let draw = 0; draw < DRAWS; draw++) {
    const normals = Float64Array.from(among, () => normally(random));
    const drawn = among.map((i, place) => mean[i] + dot(lower[place], normals, place + 1));
    if (drawn[0] >= Math.max(...drawn) - near) sure += 1 / DRAWS;
  }
  return { best, sure };
}
