// What a parameter does, in words: what its losses tell, and what they do not.

const HELP_TEXTS = {
  measure: "It changes what the losses measure, so numbers of different values do not compare: judge by eye.",
};

/**
 * @param {string} name  Of the parameter.
 * @param {Run[]} shown  Runs that differ in nothing else, by its value.
 */
function reading(name, shown) {
  const parameter = parameterByName.get(name);
  const help = `${capital(parameter.help)}.`;
  const good = shown.filter((run) => ok(run) && LOSSES.every((term) => lossOf(run, term) !== null));
  const lost = shown.length - good.length;
  const note = lost ? ` ${lost} of ${shown.length} runs diverged.` : "";
  if (parameter.kind === "measure") return `${help} ${HELP_TEXTS.measure}${note}`;
  if (good.length < 2) return help + note;
  const value = (run) => settingLabel(run, name);
  if (parameter.kind === "optimiser") {
    const best = good.reduce((a, b) => (lossOf(b, "total") < lossOf(a, "total") ? b : a));
    const told = `${value(best)} (${text(lossOf(best, "total"))})`;
    return `${help} It leaves the loss itself alone, so the lowest total tells the best: ${told}.${note}`;
  }
  const [first, last] = [good[0], good[good.length - 1]];
  const moved = (term) => `${term} loss ${change(lossOf(first, term), lossOf(last, term))}`;
  const moves = ["style", "content", "tv"].map(moved);
  const scale = "Losses here are unweighted: lower means more alike (tv: smoother).";
  const span = `From ${value(first)} to ${value(last)}: ${moves.join(", ")}.`;
  return `${help} ${span} ${scale}${name === "tv_weight" ? "" : advice(name, good)}${note}`;
}

// Between which values to judge by eye, and why. The extremes are those of the values tried: no value is best as such.
function advice(name, good) {
  const best = compromise(good);
  if (!best) return "";
  const value = (run) => settingLabel(run, name);
  const least = (term) => Math.min(...good.map((run) => lossOf(run, term)));
  const times = (term) => text(Number((lossOf(best, term) / least(term)).toPrecision(2)));
  const place = good.indexOf(best);
  const around = good.slice(Math.max(0, place - 1), place + 2).map(value);
  const excess = `content loss ×${times("content")}, style loss ×${times("style")} of the least`;
  const choice = `${around.slice(0, -1).join(", ")} and ${around[around.length - 1]}`;
  return (
    ` Of the values tried, ${value(best)} lies nearest to both extremes (${excess}).` +
    ` Another range would name another value: look at ${choice} and choose by eye.${beaten(best)}`
  );
}

// What another parameter does better than this run, in both losses: of several, the one nearest to the origin.
function beaten(run) {
  const product = (other) => lossOf(other, "content") * lossOf(other, "style");
  const lower = (other, term) => lossOf(other, term) < lossOf(run, term);
  const better = runsOfPair
    .get(run.pair)
    .filter((other) => other.front && other.group === run.group && lower(other, "content") && lower(other, "style"));
  if (!better.length) return "";
  const best = better.reduce((a, b) => (product(b) < product(a) ? b : a));
  const against = (term) => `${term} ${text(lossOf(best, term))} against ${text(lossOf(run, term))}`;
  return ` In both losses ${nameOf(best)} beats it (${against("content")}, ${against("style")}).`;
}

function change(from, to) {
  if (!from || !to) return `${text(from)} → ${text(to)}`;
  const ratio = to / from;
  const times = Number(Math.max(ratio, 1 / ratio).toPrecision(2));
  return times === 1 ? "about the same" : `${text(times)} times ${ratio > 1 ? "larger" : "smaller"}`;
}

// The run nearest to the point with the lowest content and the lowest style loss of all, on log axes from 0 to 1.
function compromise(good) {
  const terms = ["content", "style"];
  if (good.some((run) => terms.some((term) => lossOf(run, term) <= 0))) return null;
  const axes = terms.map((term) => {
    const place = placeAmong(
      good.map((run) => Math.log(lossOf(run, term))),
      0,
    );
    return (run) => place(Math.log(lossOf(run, term)));
  });
  const distance = (run) => Math.hypot(...axes.map((axis) => axis(run)));
  return good.reduce((best, run) => (distance(run) < distance(best) ? run : best));
}
