// What a parameter does, in words: what was measured of the pictures, and what is left to the eye.

const NO_COMPARISON = "Losses of different values do not compare.";
// These numbers compare whatever made the pictures.
const RULERS = ["style_reached", "content_kept"];
const isMeasured = (run) => ok(run) && RULERS.every((ruler) => run.measured[ruler] !== null);
const hundredths = (run, ruler) => run.measured[ruler].toFixed(2);

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
  return sentences.join(" ");
}

function toldByRulers({ name, kind }, good) {
  if (good.length < 2) return [];
  const ends = [good[0], good[good.length - 1]];
  const moves = RULERS.map((ruler) => `${words(ruler)} ${ends.map((run) => hundredths(run, ruler)).join(" → ")}`);
  const span = `From ${ends.map((run) => settingLabel(run, name)).join(" to ")}: ${moves.join(", ")}.`;
  return kind === "optimiser" || name === "tv_weight" ? [span] : [span, ...advice(name, good)];
}

function toldByLosses({ name, kind }, good) {
  if (kind === "measure") return [NO_COMPARISON];
  if (good.some((run) => LOSSES.some((term) => lossOf(run, term) === null))) return [];
  if (kind === "optimiser") {
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
  const around = good.slice(Math.max(0, place - 1), place + 2).map((run) => settingLabel(run, name));
  const numbers = RULERS.map((ruler) => `${words(ruler)} ${hundredths(best, ruler)}`).join(", ");
  const choice = `${around.slice(0, -1).join(", ")} and ${around[around.length - 1]}`;
  return [
    `Of the values tried, ${settingLabel(best, name)} lies nearest to the most of both (${numbers}).`,
    `Another range would name another value: look at ${choice} and choose by eye.`,
    ...beaten(best),
  ];
}

// What has more of both than this run: of several, the one with the most in sum.
function beaten(run) {
  const sum = (other) => RULERS.reduce((total, ruler) => total + other.measured[ruler], 0);
  const better = runsOfPair
    .get(run.pair)
    .filter((other) => other.front && RULERS.every((ruler) => other.measured[ruler] > run.measured[ruler]));
  if (!better.length) return [];
  const best = better.reduce((a, b) => (sum(b) > sum(a) ? b : a));
  const against = RULERS.map((ruler) => `${words(ruler)} ${hundredths(best, ruler)} against ${hundredths(run, ruler)}`);
  return [`${capital(nameOf(best))} has more of both (${against.join(", ")}).`];
}

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
