// What is taken out of the page as text: a command, a config, the marks.

// Every setting of a run, by name.
const settingsOf = (run) => ({ ...study.constants, ...run.settings });

// One word of a POSIX shell, whatever is in it.
const quoted = (word) => (/^[A-Za-z0-9_.,/:=@%+-]+$/.test(word) ? word : `'${String(word).replaceAll("'", `'\\''`)}'`);

// Several numbers are one text in the tables, with spaces between.
const listed = (value) => String(value).split(" ");
const isDefault = (name, value) => listed(study.defaults[name]).join() === listed(value).join();

/**
 * The command that makes a picture of a run with another width: a larger one grows from the run's own.
 * @param {Run} run
 * @param {number} width
 * @param {boolean} preserve  Whether in the content's colours.
 */
function finalOf(run, width, preserve) {
  if (width <= run.size[0]) return commandOf(run, width, preserve);
  const colors = preserve && hasStyleColors(run) ? " --preserve-colors" : "";
  return `styletransfer final ${quoted(run.id)} \\\n    --study ${quoted(study.study)} --width ${width}${colors}`;
}

/**
 * The command that makes a run's picture again, with another width.
 * @param {Run} run
 * @param {number} width
 * @param {boolean} preserve  Whether in the content's colours.
 */
function commandOf(run, width, preserve) {
  const pair = pairByName.get(run.pair);
  const from = settingsOf(run).initial_noiseblend < 1 ? ["--initial", study.files[pair.initial ?? pair.content]] : [];
  const values = { ...settingsOf(run), width, ...(preserve && hasStyleColors(run) ? { colors: "content" } : {}) };
  // Widths of stages are those of this run: for another, as many.
  const stages = listed(values.stages ?? 1);
  if (stages.length > 1 && width !== run.size[0]) values.stages = stages.length;
  const options = Object.entries(values)
    .filter(([name, value]) => name === "width" || !isDefault(name, value))
    .map(([name, value]) => [`--${name.replaceAll("_", "-")}`, ...listed(value)]);
  const parts = [
    ["styletransfer", "transfer"],
    ["--content", study.files[pair.content]],
    ["--styles", ...pair.styles.map((name) => study.files[name])],
    from,
    ["--network", study.network],
    ...options,
    ["--output", `final-${run.key}.png`],
  ];
  return parts
    .filter((part) => part.length)
    .map((part) => part.map((word) => quoted(String(word))).join(" "))
    .join(" \\\n    ");
}

/**
 * A config of the pictures of a pair. JSON is YAML: names keep every character that they have.
 * @param {Pair} pair
 * @param {string} about  What it is, for its first line.
 * @param {string} name  What to add to the study's name.
 * @param {Record<string, Value>} settings  Of every run.
 * @param {boolean} preserve  Whether in the content's colours.
 * @param {string[]} design  Lines that say which runs.
 */
function configText(pair, about, name, settings, preserve, design) {
  const images = [...new Set([pair.content, ...pair.styles, ...(pair.initial ? [pair.initial] : [])])];
  const { name: pairName, ...pictures } = pair;
  const defaults = Object.entries(settings).filter(([key, value]) => !isDefault(key, value));
  return [
    `# ${about} of the study ${study.study}, on ${JSON.stringify(pairName)}.`,
    `study: ${JSON.stringify(study.study.slice(0, 80 - name.length) + name)}`,
    `weights: ${JSON.stringify(study.config.weights)}`,
    "images:",
    ...images.map((image) => `  ${JSON.stringify(image)}: ${JSON.stringify(study.config.images[image])}`),
    `pairs: [${JSON.stringify(pictures)}]`,
    ...(preserve ? ["preserve_colors: true"] : []),
    "defaults:",
    ...Object.entries(configOf(defaults)).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`),
    ...design,
    "",
  ].join("\n");
}

/**
 * The config of chosen runs, at another width.
 * @param {Pair} pair
 * @param {Run[]} chosen
 * @param {number} width
 * @param {boolean} preserve
 */
function favouritesConfig(pair, chosen, width, preserve) {
  const rows = chosen.map(({ settings: { width: own, ...others } }) =>
    JSON.stringify(configOf(Object.entries(others))),
  );
  const design = ["design: list", "runs:", ...[...new Set(rows)].map((row) => `  - ${row}`)];
  return configText(pair, "Favourites", "-favourites", { ...study.constants, width }, preserve, design);
}

/**
 * The config of every combination of two parameters around a run.
 * @param {Run} run
 * @param {string[]} names
 * @param {boolean} preserve
 */
function gridConfig(run, names, preserve) {
  const vary = names.map((name) => `  ${name}: ${JSON.stringify(valuesOf(run.pair, name).map(configValue))}`);
  const settings = Object.entries(settingsOf(run)).filter(([name]) => !names.includes(name));
  return configText(
    pairByName.get(run.pair),
    `Every combination of ${names.map(words).join(" and ")}`,
    `-${names.join("-")}`,
    Object.fromEntries(settings),
    preserve,
    ["design: grid", "vary:", ...vary],
  );
}

const configValue = (value) => (/^[-+0-9.e]+( [-+0-9.e]+)+$/.test(value) ? listed(value).map(Number) : value);
const configOf = (settings) => Object.fromEntries(settings.map(([name, value]) => [name, configValue(value)]));

function marksText() {
  const marked = runs.filter((run) => isFavourite(run) || ratingOf(run));
  const entries = marked.map((run) => ({
    run_id: run.id,
    favourite: isFavourite(run),
    rating: ratingOf(run) || null,
    settings: settingsOf(run),
    measured: run.measured,
  }));
  return JSON.stringify({ study: study.study, runs: entries }, null, 1);
}
