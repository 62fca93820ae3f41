// Which of two pictures is better, again and again, until the best run of all is known well enough.

const ANYBODY = "anonymous";
const RANKED = 12;
const WITHIN_90 = 1.6449;

// Priors take a moment for a thousand runs, and are the same for all choices.
/** @type {Map<string, Prior[]>} */
const priorsOfPair = new Map();

function priorsFor(pair) {
  const found = priorsOfPair.get(pair) ?? priorsOf(placesOfSettings(judged.get(pair)));
  priorsOfPair.set(pair, found);
  return found;
}

// Where the settings of runs lie on their axes, each from 0 to 1; words as they are.
function placesOfSettings(shown) {
  const axes = parameters.map(({ name, numeric }) => {
    if (!numeric) return (run) => String(run.settings[name]);
    const { placeOf } = axisOf(shown.map((run) => run.settings[name]));
    return (run) => placeOf(run.settings[name]);
  });
  return shown.map((run) => axes.map((axis) => axis(run)));
}

const rater = () => chosen.rater.trim() || ANYBODY;
const isOwn = (choice) => choice.rater === rater() && isOfPair(state.pair, choice);

// The two runs that are shown; null where there are none to ask about.
/** @type {Run[] | null} */
let asked = null;

function ask() {
  const shown = judged.get(state.pair);
  asked = null;
  element("contenders").hidden = shown.length < 2;
  if (shown.length < 2) {
    element("pairs-progress").textContent = "To choose there must be two pictures.";
    return;
  }
  const comparisons = comparisonsOf(state.pair);
  const belief = believe(comparisons, priorsFor(state.pair));
  const random = randomly(chosen.choices.length);
  const answered = new Set(chosen.choices.filter(isOwn).flatMap((one) => [keyOf(one), keyOf(turned(one))]));
  const isAsked = (i, j) => answered.has(keyOf({ left: shown[i].id, right: shown[j].id }));
  asked = mostTelling(belief, isAsked, random)?.map((place) => shown[place]) ?? null;
  showContenders();
  showRanking(belief, comparisons.length, recommend(belief, random));
}

const keyOf = ({ left, right }) => `${left} ${right}`;
const turned = ({ left, right }) => ({ left: right, right: left });

// The names stay hidden: they would be judged as well.
function showContenders() {
  const [width, height] = (asked ?? judged.get(state.pair))[0].size;
  element("contenders").style.setProperty("--ratio", String(width / height));
  for (const [place, box] of elements("#contenders .contender").entries()) {
    const run = asked?.[place];
    box.disabled = !run;
    if (run) box.firstElementChild.replaceWith(picture(run, place ? "Right picture" : "Left picture"));
  }
  for (const name of ["equal", "skip"]) element(`choose-${name}`).disabled = !asked;
  element("choose-undo").disabled = !chosen.choices.some(isOwn);
}

function showRanking({ mean, deviation }, count, { best, sure }) {
  const shown = judged.get(state.pair);
  const people = new Set(chosen.choices.filter((one) => isOfPair(state.pair, one)).map((one) => one.rater)).size;
  const told = `${count} choice${count === 1 ? "" : "s"}${people > 1 ? ` of ${people} people` : ""}`;
  const enough = sure >= ENOUGH ? " That is enough to take it." : "";
  const end = asked ? "" : " You have judged every pair that could change it.";
  element("pairs-progress").textContent = count
    ? `${told}. The best so far: ${describe(shown[best])}. That no run is better by more than 5 % of the range has, ` +
      `by a cautious count, a chance of ${Math.round(100 * sure)} %.${enough}${end}`
    : `No choice yet.${someOf(shown.length)}${end}`;
  const order = Array.from(mean.keys()).sort((a, b) => mean[b] - mean[a]);
  const top = count ? order.slice(0, RANKED) : [];
  const spans = top.map((run) => [-1, 0, 1].map((sign) => mean[run] + sign * WITHIN_90 * deviation[run]));
  const place = placeAmong(spans.flat(), 0.5);
  element("ranked").hidden = !count;
  element("recommended").replaceChildren(...top.slice(0, 1).map((run) => tile(shown[run], nameOf(shown[run]))));
  element("ranking").replaceChildren(...top.map((run, rank) => ranked(shown[run], spans[rank], place)));
}

function someOf(count) {
  const all = runsOfPair.get(state.pair).filter(ok).length;
  return count < all ? ` ${count} of ${all} runs are asked about, evenly spread over the study.` : "";
}

function ranked(run, span, place) {
  const [low, middle, high] = span.map((value) => `${(100 * place(value)).toFixed(1)}%`);
  const [least, value, most] = span.map((value) => value.toFixed(1));
  const bar = make("span", { className: "interval", "aria-hidden": "true" }, make("i"), make("b"));
  bar.style.setProperty("--low", low);
  bar.style.setProperty("--middle", middle);
  bar.style.setProperty("--high", high);
  const button = make("button", { className: "mini", "aria-label": `Open ${describe(run)}` }, picture(run));
  button.dataset.run = run.index;
  const strength = make("span", { className: "quiet small", textContent: `${value} (${least} to ${most})` });
  return make("li", {}, button, make("span", { textContent: describe(run) }), bar, strength);
}

function answer(choice) {
  if (!asked) return;
  const [left, right] = asked.map((run) => run.id);
  // Until the next two are drawn, a second press is none of these.
  asked = null;
  const at = new Date().toISOString();
  keepChoices([...chosen.choices, { left, right, chosen: choice, rater: rater(), at }]);
}

function takeBack() {
  const last = chosen.choices.findLastIndex(isOwn);
  if (last >= 0) keepChoices(chosen.choices.toSpliced(last, 1));
}

for (const [place, box] of elements("#contenders .contender").entries())
  box.onclick = () => answer(place ? "right" : "left");
element("choose-equal").onclick = () => answer("equal");
element("choose-skip").onclick = () => answer("skip");
element("choose-undo").onclick = takeBack;
element("rater").value = chosen.rater;
element("rater").onchange = () => keepChoices(chosen.choices, element("rater").value);

const PAIR_KEYS = {
  1: () => answer("left"),
  2: () => answer("right"),
  "=": () => answer("equal"),
  s: () => answer("skip"),
  u: takeBack,
};

// While the two pictures are in the middle of the screen, or the focus is at them, the keys are theirs.
document.addEventListener(
  "keydown",
  (event) => {
    const action = PAIR_KEYS[event.key.toLowerCase()];
    const from = /** @type {HTMLElement} */ (event.target);
    const { top, bottom } = element("contenders").getBoundingClientRect();
    const here = element("pairs").contains(from) || (top < innerHeight / 2 && bottom > innerHeight / 2);
    const typing = from.closest("input, select, dialog");
    if (!action || !here || typing || event.ctrlKey || event.metaKey || event.altKey || !element("keys-on").checked)
      return;
    event.preventDefault();
    event.stopPropagation();
    action();
  },
  true,
);

element("load-choices").onchange = async (event) => {
  const told = [];
  let { choices } = chosen;
  for (const file of event.target.files) {
    const found = merged(file.name, await file.text(), choices);
    choices = found.choices;
    told.push(found.told);
  }
  event.target.value = "";
  element("choices-note").textContent = told.join(" ");
  keepChoices(choices);
};

view(["choices", "pair"], () => whenNear(element("pairs"), ask));
view(["choices"], () => (element("choices").textContent = choicesText()));
