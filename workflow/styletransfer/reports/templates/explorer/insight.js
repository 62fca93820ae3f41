// What a parameter does, in words: what was measured of the pictures, and what is left to the eye.

const NO_COMPARISON = "Losses of different values do not compare.";
const NO_NOISE = "All start without noise, so another seed changes nothing.";
const UNKNOWN_NOISE = "How much another seed changes was not measured.";
// These numbers compare whatever made the pictures.
const RULERS = ["style_reached", "content_kept"];
const isMeasured = (run) => ok(run) && RULERS.every((ruler) => run.measured[ruler] !== null);
const hundredths = (run, ruler) => run.measured[ruler].toFixed(2);
// How far the numbers of other seeds may lie to either side; none where it was not measured, or no noise is drawn.
const barOf = (run, name) => run.bars[name] ?? 0;
const barred = (run, ruler) => withBar(run.measured[ruler], barOf(run, ruler)) ?? hundredths(run, ruler);
// With as many digits as the bar leaves them a meaning.
function withBar(value, bar) {
  if (value === null || !bar) return null;
  const digits = Math.max(2, -Math.floor(Math.log10(bar)));
  return `${value.toFixed(digits)} ± ${bar.toFixed(digits)}`;
}
// Bars that touch: another seed makes as much. Where there are none, every difference is told.
function touch(run, other, ruler) {
  const bars = barOf(run, ruler) + barOf(other, ruler);
  return bars > 0 && Math.abs(run.measured[ruler] - other.measured[ruler]) <= bars;
}
const alike = (run, other) => RULERS.every((ruler) => touch(run, other, ruler));
const allAlike = (shown) => shown.every((run, place) => shown.slice(0, place).every((other) => alike(run, other)));
const enumerated = (words) => [words.slice(0, -1).join(", "), ...words.slice(-1)].filter(Boolean).join(" and ");

/**
 * @param {string} name  Of the parameter.
 * @param {Run[]} shown  Runs that differ in nothing else, by its value.
 */
function reading(name, shown) {
  const parameter = parameterByName.get(name);
  const good = shown.filter(ok);
  const sentences = [`${capital(parameter.help)}.`];
  if (isScattered) sentences.push("The other settings vary from run to run as well.");
  else if (good.length > 1)
    sentences.push(...toldByRulers(parameter, good.filter(isMeasured)), ...toldByLosses(parameter, good));
  const [lost, left] = [diverged, stopped].map((is) => shown.filter(is).length);
  if (lost) sentences.push(`${lost} of ${shown.length} runs diverged.`);
  if (left) sentences.push(`${left} of ${shown.length} runs were stopped before the end, and are not compared.`);
  if (good.length > 1 && !isScattered) sentences.push(...toldOfNoise(good.filter(isMeasured)));
  return sentences.join(" ");
}

function toldByRulers({ name, kind }, good) {
  if (good.length < 2) return [];
  const ends = [good[0], good[good.length - 1]];
  const moves = RULERS.map((ruler) => {
    const numbers = ends.map((run) => barred(run, ruler)).join(" → ");
    return touch(ends[0], ends[1], ruler)
      ? `no difference in ${words(ruler)} (${numbers})`
      : `${words(ruler)} ${numbers}`;
  });
  const span = `From ${ends.map((run) => settingLabel(run, name)).join(" to ")}: ${moves.join(", ")}.`;
  if (allAlike(good)) return [span, "No two of its values differ by more than another seed makes."];
  return kind === "optimiser" || name === "tv_weight" ? [span] : [span, ...advice(name, good)];
}

// What tells noise, or why nothing does.
function toldOfNoise(good) {
  if (good.length < 2) return [];
  if (good.every((run) => setting(run, "initial_noiseblend") === 0)) return [NO_NOISE];
  if (good.every((run) => RULERS.some((ruler) => run.bars[ruler] === null))) return [UNKNOWN_NOISE];
  return [];
}

function toldByLosses({ name, kind }, good) {
  if (kind === "measure") return [NO_COMPARISON];
  if (good.some((run) => LOSSES.some((term) => lossOf(run, term) === null))) return [];
  if (kind === "optimiser") {
    if (allAlike(good)) return [];
    const best = good.reduce((a, b) => (lossOf(b, "total") < lossOf(a, "total") ? b : a));
    const told = `${settingLabel(best, name)} (${text(lossOf(best, "total"))})`;
    return [`It leaves the loss itself alone, so the lowest total tells the best: ${told}.`];
  }
  const [first, last] = [good[0], good[good.length - 1]];
  const moves = TERMS.map((term) => `${term} ${change(lossOf(first, term), lossOf(last, term))}`);
  return [`Unweighted losses: ${moves.join(", ")}.`];
}

// Between which values to judge by eye, and why. The extremes are those of the values tried: no value is best as such.
function advice(name, good) {
  if (good.length < 3) return [];
  const best = compromise(good);
  const place = good.indexOf(best);
  const around = good.slice(Math.max(0, place - 1), place + 2);
  const same = good.filter((run) => run !== best && alike(run, best));
  const called = (shown) => enumerated(shown.map((run) => settingLabel(run, name)));
  const numbers = RULERS.map((ruler) => `${words(ruler)} ${barred(best, ruler)}`).join(", ");
  return [
    `Of the values tried, ${settingLabel(best, name)} lies nearest to the most of both (${numbers}).`,
    ...(same.length ? [`${called(same)} ${same.length > 1 ? "do" : "does"} not differ from it.`] : []),
    `Another range would name another value: look at ${called(around)} and choose by eye.`,
    ...beaten(best),
  ];
}

// What has more of both than this run, and more than noise makes: of several, the one with the most in sum.
function beaten(run) {
  const sum = (other) => RULERS.reduce((total, ruler) => total + other.measured[ruler], 0);
  const better = runsOfPair
    .get(run.pair)
    .filter((other) => other.front && RULERS.every((ruler) => exceeds(other, run, ruler)));
  if (!better.length) return [];
  const best = better.reduce((a, b) => (sum(b) > sum(a) ? b : a));
  const against = RULERS.map((ruler) => `${words(ruler)} ${hundredths(best, ruler)} against ${hundredths(run, ruler)}`);
  return [`${capital(nameOf(best))} has more of both (${against.join(", ")}).`];
}

const exceeds = (run, other, ruler) => run.measured[ruler] > other.measured[ruler] && !touch(run, other, ruler);

function change(from, to) {
  if (!from || !to) return `${text(from)} → ${text(to)}`;
  const ratio = to / from;
  const times = Number(Math.max(ratio, 1 / ratio).toPrecision(2));
  return times === 1 ? "about the same" : `${text(times)} times ${ratio > 1 ? "larger" : "smaller"}`;
}

// The run nearest to the most style and the most content of all, each from 0 to 1.
function compromise(good) {
  const axes = RULERS.map((ruler) => {
    const place = placeAmong(
      good.map((run) => run.measured[ruler]),
      1,
    );
    return (run) => 1 - place(run.measured[ruler]);
  });
  const distance = (run) => Math.hypot(...axes.map((axis) => axis(run)));
  return good.reduce((best, run) => (distance(run) < distance(best) ? run : best));
}
