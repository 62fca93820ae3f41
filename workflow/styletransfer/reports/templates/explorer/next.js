// What to run next: settings that the reader gathers around the run that is shown, as a config or as commands.

/** @type {Map<string, Record<string, Value>[]>} */
const plansOfPair = new Map();
const plans = () => plansOfPair.get(state.pair) ?? [];

function setPlans(found) {
  plansOfPair.set(state.pair, [...new Map(found.map((settings) => [planKey(settings), settings])).values()]);
  drawPlans();
}

const addPlans = (found) => setPlans([...plans(), ...found]);
// What settings are called, whether or not a run has them.
const planName = (settings) => nameOf({ ...defaultRun(state.pair), settings });

// What can be put together with the current run: what a marked run changes, or a value that was tried.
function combinations() {
  const marked = [...new Set([...pinnedRuns(), ...favouriteRuns().filter((run) => run.pair === state.pair)])];
  const others = marked.filter((run) => run !== current() && differences(run, defaultRun(run.pair)).length);
  return [
    ["pinned and favourites", others.map((run) => [nameOf(run), combined(current(), run)])],
    ...parameters.map(({ name }) => [
      words(name),
      valuesOf(state.pair, name)
        .filter((value) => value !== current().settings[name])
        .map((value) => [`${words(name)} ${labelOf(name, value)}`, planned(current(), { [name]: value })]),
    ]),
  ].filter(([, options]) => options.length);
}

function drawOffers() {
  const others = parameters.filter(({ name }) => name !== state.along);
  const groups = combinations();
  const options = groups.map(([label, found]) =>
    make(
      "optgroup",
      { label },
      ...found.map(([name, settings]) => make("option", { textContent: name, value: JSON.stringify(settings) })),
    ),
  );
  element("next-run").textContent = describe(current());
  element("next-value").replaceChildren(...options);
  element("add-value").disabled = !options.length;
  const finest = state.along && parameterByName.get(state.along).numeric ? finerValues(current(), state.along) : [];
  element("add-finer").disabled = !finest.length;
  element("add-finer").textContent = finest.length
    ? `Add finer ${words(state.along)}: ${finest.map(text).join(", ")}`
    : "No finer values here";
  const before = element("next-other").value;
  element("next-other").replaceChildren(
    ...others.map(({ name }) => make("option", { value: name, textContent: words(name) })),
  );
  if (others.some(({ name }) => name === before)) element("next-other").value = before;
  element("add-grid").disabled = !others.length;
  element("next-along").textContent = words(state.along);
}

function drawPlans() {
  const found = plans();
  const preserve = state.colors === "content";
  element("plans").replaceChildren(...found.map(planItem));
  element("next-told").textContent = found.length
    ? capital(toldOf(state.pair, found))
    : "Nothing is added yet: open a run in any view, and add settings around it.";
  element("next-exports").hidden = !found.length;
  element("next-config").textContent = found.length ? plansConfig(state.pair, found, preserve) : "";
  element("next-commands").textContent = plansCommands(state.pair, found, preserve);
}

function planItem(settings) {
  const run = existing(state.pair, settings);
  const drop = () => {
    setPlans(plans().filter((one) => one !== settings));
    element("next-told").focus();
  };
  const name = planName(settings);
  return make(
    "li",
    {},
    make("span", { textContent: name }),
    make("span", { className: "quiet small", textContent: run ? "there already" : "new" }),
    make("button", { textContent: "×", "aria-label": `Leave out: ${name}`, onclick: drop }),
  );
}

element("add-value").onclick = () => addPlans([JSON.parse(element("next-value").value)]);
element("add-finer").onclick = () => addPlans(finer(current(), state.along));
element("add-grid").onclick = () => addPlans(smallGrid(current(), state.along, element("next-other").value));
element("clear-plans").onclick = () => setPlans([]);

view(["run", "pair", "along", "pins", "marks"], () => whenNear(element("next"), drawOffers));
view(["pair", "colors"], drawPlans);
