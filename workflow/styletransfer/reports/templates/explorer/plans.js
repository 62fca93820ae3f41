// What to run next, from what is seen: settings around a run, what of them is new, and what it would take.

// One run's settings with others in place of some: what differs between runs of this study, as in `run.settings`.
const planned = (run, changes) => ({ ...run.settings, ...changes });

const planKey = (settings) => JSON.stringify(parameters.map(({ name }) => settings[name]));

// The run of a pair that has these settings, if one has.
const existing = (pair, settings) => runsOfPair.get(pair).find((run) => planKey(run.settings) === planKey(settings));

// Values halfway between a run's and those beside it among the values tried, on the axis that charts use.
function finerValues(run, name) {
  const { integer } = parameterByName.get(name);
  const values = valuesOf(run.pair, name);
  const { placeOf, valueAt } = axisOf(values);
  const here = values.indexOf(run.settings[name]);
  const between = [values[here - 1], values[here + 1]]
    .filter((value) => value !== undefined)
    .map((value) => valueAt((placeOf(value) + placeOf(run.settings[name])) / 2));
  const round = (value) => (integer ? Math.round(value) : Number(value.toPrecision(3)));
  return [...new Set(between.map(round))].filter((value) => !values.includes(value));
}

/** The settings of a run with finer values of a parameter. */
const finer = (run, name) => finerValues(run, name).map((value) => planned(run, { [name]: value }));

// A run's value of a parameter and those beside it.
function around(run, name) {
  const values = valuesOf(run.pair, name);
  const here = values.indexOf(run.settings[name]);
  return values.slice(Math.max(0, here - 1), here + 2);
}

/** Every combination of two parameters' values next to those of a run. */
const smallGrid = (run, one, other) =>
  around(run, one).flatMap((first) =>
    around(run, other).map((second) => planned(run, { [one]: first, [other]: second })),
  );

/** What another run changes of the default, done to this one: this value with that one. */
function combined(run, other) {
  const changed = differences(other, defaultRun(run.pair));
  return planned(run, Object.fromEntries(changed.map((name) => [name, other.settings[name]])));
}

/**
 * Seconds that these settings would take, by the median run of the study; null where no time is known.
 * @param {string} pair
 * @param {Record<string, Value>[]} plans
 */
function secondsOf(pair, plans) {
  const effort = (settings, width) => width ** 2 * Number(settings.iterations ?? study.constants.iterations ?? 1);
  const rates = runsOfPair
    .get(pair)
    .filter((run) => ok(run) && run.measured.time > 0)
    .map((run) => run.measured.time / effort(run.settings, run.size[0]))
    .sort((a, b) => a - b);
  if (!rates.length) return null;
  const [{ size }] = runsOfPair.get(pair);
  const width = (settings) => Number(settings.width ?? size[0]);
  const total = plans.reduce((sum, settings) => sum + effort(settings, width(settings)), 0);
  return total * rates[Math.floor(rates.length / 2)];
}

function duration(seconds) {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400
    ? `${Math.round(seconds / 60)} minutes`
    : `${text(Number((seconds / 3600).toPrecision(2)))} hours`;
}

/** What of planned settings is new, and what it would take, in a sentence. */
function toldOf(pair, plans) {
  const fresh = plans.filter((settings) => !existing(pair, settings));
  const seconds = secondsOf(pair, fresh);
  const runs = plans.length === 1 ? "1 setting" : `${plans.length} settings`;
  if (!fresh.length) return `${runs}, none of them new: each is a run of this study.`;
  const time = seconds === null ? "how long is not known" : `about ${duration(seconds)} on one device`;
  return `${runs}, ${fresh.length} of them new: ${time}, by the median run of this study.`;
}

/** The config that computes planned settings. Runs that exist are not computed again. */
function plansConfig(pair, plans, preserve) {
  const rows = plans.map((settings) => JSON.stringify(configOf(Object.entries(settings))));
  const design = ["design: list", "runs:", ...rows.map((row) => `  - ${row}`)];
  return configText(pairByName.get(pair), "Settings to run next", "-next", study.constants, preserve, design);
}

/** The commands that make pictures of those planned settings that are new. */
const plansCommands = (pair, plans, preserve) =>
  plans
    .filter((settings) => !existing(pair, settings))
    .map((settings, place) => {
      const run = { ...defaultRun(pair), settings, key: `next-${place + 1}` };
      return commandOf(run, Number(settings.width ?? run.size[0]), preserve);
    })
    .join("\n");
