// Choices between two pictures: kept in the browser, taken out as a file, and several people's taken in.

const CHOICES = { format: "styletransfer-choices", version: 1 };
const CHOSEN = ["left", "right", "equal", "skip"];
const CHOICES_STORE = `${STORE}/choices`;

/** @returns {{ rater: string, choices: Choice[] }} */
function loadChoices() {
  try {
    const found = JSON.parse(localStorage.getItem(CHOICES_STORE) ?? "{}");
    return { rater: String(found.rater ?? ""), choices: (found.choices ?? []).filter((one) => fault(one) === null) };
  } catch {
    return { rater: "", choices: [] };
  }
}

function keepChoices(choices, rater = chosen.rater) {
  Object.assign(chosen, { choices, rater });
  try {
    localStorage.setItem(CHOICES_STORE, JSON.stringify(chosen));
  } catch {
    stored = false;
  }
  show(["choices"]);
}

// A number is kept for each two of the runs that can be judged: of more than these some, evenly spread over the study.
const MOST_JUDGED = 2000;
const evenly = (found, most) =>
  found.length > most ? Array.from({ length: most }, (_, k) => found[Math.floor((k * found.length) / most)]) : found;

// By pair of pictures the runs that can be judged, and their places among these by their ids.
const judged = index(study.pairs.map(({ name }) => [name, evenly(runsOfPair.get(name).filter(ok), MOST_JUDGED)]));
const placesOfPair = index(
  study.pairs.map(({ name }) => [name, index(judged.get(name).map((run, place) => [run.id, place]))]),
);

const isOfPair = (pair, { left, right }) => placesOfPair.get(pair).has(left) && placesOfPair.get(pair).has(right);

const chosen = loadChoices();

// Why an entry of a file is no choice of this study; null where it is one.
function fault(entry) {
  const texts = ["left", "right", "chosen", "rater", "at"].every((name) => typeof entry?.[name] === "string");
  if (!texts || !CHOSEN.includes(entry.chosen) || entry.left === entry.right) return "incomplete";
  return study.pairs.some(({ name }) => isOfPair(name, entry)) ? null : "unknown";
}

const choicesText = () => JSON.stringify({ ...CHOICES, study: study.study, choices: chosen.choices }, null, 1);

/**
 * Choices of a file, and those that are there: each once.
 * @param {string} name  Of the file.
 * @param {string} content
 * @param {Choice[]} there
 * @returns {{ choices: Choice[], told: string }}  told: what became of the file, in words.
 */
function merged(name, content, there) {
  const refused = (why) => ({ choices: there, told: `${name} is not read: ${why}` });
  let file;
  try {
    file = JSON.parse(content);
  } catch {
    return refused("it is no JSON.");
  }
  if (file?.format !== CHOICES.format || !Array.isArray(file.choices))
    return refused("it is no file of choices: this page saves them by “Save choices”.");
  if (file.version !== CHOICES.version)
    return refused(`its version is ${JSON.stringify(file.version)}; this page knows ${CHOICES.version}.`);
  if (file.study !== study.study)
    return refused(`it is of the study ${JSON.stringify(file.study)}, this page of ${JSON.stringify(study.study)}.`);
  const faults = file.choices.map(fault);
  const good = file.choices.filter((_, place) => faults[place] === null).map(plainChoice);
  const known = new Set(there.map((one) => JSON.stringify(plainChoice(one))));
  const fresh = [...new Map(good.map((one) => [JSON.stringify(one), one]))].filter(([key]) => !known.has(key));
  const counts = [
    [fresh.length, "taken in"],
    [good.length - fresh.length, "known already"],
    [faults.filter((one) => one === "unknown").length, "of runs that cannot be judged here, left out"],
    [faults.filter((one) => one === "incomplete").length, "incomplete, left out"],
  ];
  const parts = counts.filter(([count], place) => count || !place).map(([count, what]) => `${count} ${what}`);
  return { choices: [...there, ...fresh.map(([, one]) => one)], told: `${name}: ${parts.join(", ")}.` };
}

// The same keys in the same order, so that doubles are equal as text.
const plainChoice = ({ left, right, chosen, rater, at }) => ({ left, right, chosen, rater, at });

const SHARES = { left: 1, right: 0, equal: 0.5 };

// The choices of a pair of pictures by the places of its runs. What was skipped tells nothing.
/** @returns {Comparison[]} */
function comparisonsOf(pair) {
  const places = placesOfPair.get(pair);
  return chosen.choices
    .filter((one) => one.chosen !== "skip" && isOfPair(pair, one))
    .map(({ left, right, chosen }) => ({ left: places.get(left), right: places.get(right), share: SHARES[chosen] }));
}
