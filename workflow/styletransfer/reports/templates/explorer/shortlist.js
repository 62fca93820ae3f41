// Favourites and ratings, and the ways to take them out of the browser.

const favouriteRuns = () => marks.favourites.map((id) => runs.find((run) => run.id === id)).filter(Boolean);
const finalWidth = () => Math.round(Number(element("final-width").value)) || current().size[0];

element("final-width").value = Math.max(1024, 2 * Math.max(...runs.map((run) => run.size[0])));
element("final-width").oninput = () => drawExports();

// Every setting of a run, by name.
const settingsOf = (run) => ({ ...study.constants, ...run.settings });

// One word of a POSIX shell, whatever is in it.
const quoted = (word) => (/^[A-Za-z0-9_.,/:=@%+-]+$/.test(word) ? word : `'${String(word).replaceAll("'", `'\\''`)}'`);

// Several numbers are one text in the tables, with spaces between.
const listed = (value) => String(value).split(" ");
const isDefault = (name, value) => listed(study.defaults[name]).join() === listed(value).join();

function commandOf(run) {
  const pair = pairByName.get(run.pair);
  const from = settingsOf(run).initial_noiseblend < 1 ? ["--initial", study.files[pair.initial ?? pair.content]] : [];
  const values = { ...settingsOf(run), width: finalWidth() };
  const options = Object.entries(values)
    .filter(([name, value]) => name === "width" || !isDefault(name, value))
    .map(([name, value]) => [`--${name.replaceAll("_", "-")}`, ...listed(value)]);
  const parts = [
    ["python", "workflow/scripts/neural_style.py"],
    ["--content", study.files[pair.content]],
    ["--styles", ...pair.styles.map((name) => study.files[name])],
    from,
    ["--network", study.network],
    ...options,
    ...(state.colors === "content" ? [["--preserve-colors"]] : []),
    ["--output", `final-${run.key}.png`],
  ];
  return parts.filter((part) => part.length).map((part) => part.map((word) => quoted(String(word))).join(" ")).join(" \\\n    ");
}

// JSON is YAML: names keep every character that they have.
function fragmentOf(chosen) {
  const pair = pairByName.get(state.pair);
  const names = [...new Set([pair.content, ...pair.styles, ...(pair.initial ? [pair.initial] : [])])];
  const { name, ...pictures } = pair;
  const defaults = Object.entries(study.constants).filter(([key, value]) => !isDefault(key, value));
  return [
    `# Favourites of the study ${study.study}, on ${JSON.stringify(name)}. For larger pictures change the width.`,
    `study: ${JSON.stringify(`${study.study.slice(0, 69)}-favourites`)}`,
    `weights: ${JSON.stringify(study.config.weights)}`,
    "images:",
    ...names.map((image) => `  ${JSON.stringify(image)}: ${JSON.stringify(study.config.images[image])}`),
    `pairs: [${JSON.stringify(pictures)}]`,
    "defaults:",
    ...defaults.map(([key, value]) => `  ${key}: ${JSON.stringify(configValue(value))}`),
    "design: list",
    "runs:",
    ...chosen.map((run) => `  - ${JSON.stringify(Object.fromEntries(Object.entries(run.settings).map(([key, value]) => [key, configValue(value)])))}`),
    "",
  ].join("\n");
}

const configValue = (value) => (/^[-+0-9.e]+( [-+0-9.e]+)+$/.test(value) ? listed(value).map(Number) : value);

function marksText() {
  const marked = runs.filter((run) => isFavourite(run) || ratingOf(run));
  const entries = marked.map((run) => ({
    run_id: run.id,
    favourite: isFavourite(run),
    rating: ratingOf(run) || null,
    settings: settingsOf(run),
    losses: run.losses,
  }));
  return JSON.stringify({ study: study.study, runs: entries }, null, 1);
}

function drawExports() {
  const chosen = favouriteRuns().filter((run) => run.pair === state.pair);
  element("command").textContent = commandOf(current());
  element("fragment").textContent = chosen.length ? fragmentOf(chosen) : "Mark favourites with ☆, and their config stands here.";
  element("marks").textContent = marksText();
  element("save-config").disabled = !chosen.length;
}

view(["marks"], () => {
  const chosen = favouriteRuns();
  element("favourite-count").textContent = chosen.length ? `★ ${chosen.length}` : "";
  element("favourites").replaceChildren(...chosen.map((run) => tile(run, nameOf(run))));
  element("storage-note").textContent = stored
    ? "Kept in this browser only: save them below to keep them for good."
    : "This browser denies storage to the page: favourites last until it is closed. Save them below.";
});
view(["run", "pair", "marks", "colors"], drawExports);

function save(name, type, content) {
  const link = make("a", { download: name, href: `data:${type};charset=utf-8,${encodeURIComponent(content)}` });
  link.click();
}

element("save-marks").onclick = () => save(`${study.study}-favourites.json`, "application/json", element("marks").textContent);
element("save-config").onclick = () => save(`${study.study}-favourites.yaml`, "application/yaml", element("fragment").textContent);

async function copy(content, button) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(content);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select and copy by hand";
  }
  setTimeout(() => (button.textContent = label), 1500);
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.onclick = () => copy(element(button.dataset.copy).textContent, button);
}
