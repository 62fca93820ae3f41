// A slider for each parameter. It goes where a run is, and says what else had to change on the way.

const PLAY_MS = 900;
// More short ticks than this are not told apart.
const MOST_TICKS = 100;
// So many pictures to either side of the current one are made at once.
const AROUND = 12;

function announce(message) {
  element("announcement").textContent = message;
}

// Tall ticks: the run that differs in this parameter alone. Short: there a run exists, but with other settings as well.
function slider(parameter) {
  const input = make("input", { type: "range", min: 0, step: 1, id: `slider-${parameter.name}` });
  const value = make("output", { htmlFor: input.id });
  const name = make("label", { htmlFor: input.id, textContent: words(parameter.name), title: parameter.help });
  const ticks = make("div", { className: "ticks", "aria-hidden": "true" });
  const row = make(
    "div",
    { className: "slider" },
    make("div", { className: "slider-head" }, name, value),
    input,
    ticks,
  );
  input.oninput = () => {
    stop();
    go(parameter.name, valuesOf(state.pair, parameter.name)[input.value]);
  };
  input.onfocus = () => update({ along: parameter.name });
  input.onpointerdown = () => update({ along: parameter.name });

  const render = () => {
    const run = current();
    const values = valuesOf(state.pair, parameter.name);
    const place = values.indexOf(run.settings[parameter.name]);
    const reachable = new Map(along(run, parameter.name).map((other) => [other.settings[parameter.name], other]));
    input.max = values.length - 1;
    input.value = place;
    input.disabled = values.length < 2;
    input.setAttribute("aria-valuetext", `${labelOf(parameter.name, values[place])}, ${place + 1} of ${values.length}`);
    value.textContent = labelOf(parameter.name, values[place]);
    const every = Math.ceil(values.length / MOST_TICKS);
    ticks.replaceChildren(
      ...values.flatMap((one, index) => {
        const other = reachable.get(one);
        if (!other && index % every) return [];
        const tick = make("i", { className: other ? (diverged(other) ? "bad" : "") : "else" });
        tick.style.left = `${values.length > 1 ? (100 * index) / (values.length - 1) : 50}%`;
        return tick;
      }),
    );
    row.classList.toggle("chosen", state.along === parameter.name);
  };
  view(["run", "pair", "along"], render);
  return row;
}

element("sliders").append(...parameters.map(slider));

// To the run with this value; the others stay as they are where such a run exists.
function go(name, value) {
  const before = current();
  const run = nearest(before, name, value);
  const moved = differences(before, run).filter((other) => other !== name);
  const start = defaultRun(state.pair);
  const changes = moved.map((other) => `${words(other)} to ${settingLabel(run, other)}`).join(", ");
  const back = moved.every((other) => sameValue(run, start, other));
  announce(
    moved.length === 0
      ? ""
      : `${back ? "Back to the default" : "Changed as well"}: ${changes}. ` +
          `No run has ${words(name)} ${labelOf(name, value)} with the rest unchanged.`,
  );
  update({ along: name, run: run.key });
}

function step(by) {
  if (!state.along) return false;
  const values = valuesOf(state.pair, state.along);
  const place = values.indexOf(current().settings[state.along]) + by;
  if (!(place in values)) return false;
  go(state.along, values[place]);
  return true;
}

/** @type {number | undefined} */
let playing;

function stop() {
  clearInterval(playing);
  playing = undefined;
  showPlay();
}

function play() {
  if (playing) return stop();
  if (!state.along) return;
  playing = setInterval(() => step(1) || go(state.along, valuesOf(state.pair, state.along)[0]), PLAY_MS);
  showPlay();
}

function showPlay() {
  const button = element("play");
  button.textContent = playing ? "❚❚ Stop" : "▶ Play";
  button.setAttribute("aria-pressed", String(Boolean(playing)));
  button.setAttribute("aria-label", `${playing ? "Stop" : "Play"}: through ${words(state.along)}`);
  button.disabled = !state.along;
}

element("play").onclick = play;
view(["along"], showPlay);

element("to-default").onclick = () => {
  stop();
  announce("");
  openRun(defaultRun(state.pair));
};
view(["run", "pair"], () => (element("to-default").disabled = current() === defaultRun(state.pair)));

element("pair").append(...study.pairs.map((pair) => make("option", { value: pair.name, textContent: pair.name })));
element("pair-choice").hidden = study.pairs.length < 2;
// The same settings on other pictures, where there is such a run.
element("pair").onchange = (event) => {
  stop();
  const pair = event.target.value;
  const same = runsOfPair.get(pair).find((run) => differences(run, current()).length === 0);
  announce(same ? "" : `No run has these settings on ${pair}: back to the default.`);
  update({ pair, run: (same ?? defaultRun(pair)).key, pins: [], against: "default" });
};
view(["pair"], () => (element("pair").value = state.pair));

const DRAWN_NOTE = "All vary at once: a slider goes to the nearest run and says what else changed.";
const DESIGN_NOTES = {
  star: "One at a time: moving a slider puts the others back to the default.",
  grid: "Every combination was run: each slider moves alone.",
  list: "A list of runs: a slider goes to the nearest run and says what else changed.",
  sobol: DRAWN_NOTE,
  lhs: DRAWN_NOTE,
};
element("design-note").textContent = DESIGN_NOTES[study.design];
if (study.design !== "grid" && !isScattered)
  element("design-note").textContent += " Tall ticks: runs that differ only in this.";

// What the chosen parameter does: its pictures in a row, and in words what its losses tell, and what they do not.
view(["run", "pair", "along"], () => {
  if (!state.along) {
    element("along-title").textContent = "Nothing was varied";
    return;
  }
  const shown = siblings();
  element("along-title").textContent = isScattered
    ? `All runs by ${words(state.along)}`
    : `What ${words(state.along)} does`;
  element("along-text").textContent = reading(state.along, shown);
  const key = `${state.along} ${shown.map((run) => run.index).join()}`;
  const strip = element("strip");
  if (strip.dataset.key !== key) {
    strip.dataset.key = key;
    strip.replaceChildren(...shown.map((run) => boxFor("div", run, () => tile(run, settingLabel(run, state.along)))));
  }
  const here = shown.indexOf(current());
  const boxes = [...strip.children];
  boxes.slice(Math.max(0, here - AROUND), Math.max(0, here) + AROUND).forEach(makeNow);
  strip.querySelectorAll(".tile").forEach(mark);
  fadeEdge(strip);
  const box = boxes[here];
  if (box) strip.scrollLeft = box.offsetLeft - (strip.clientWidth - box.offsetWidth) / 2;
});

// The runs along the chosen parameter; where the current one stands alone, those around the default.
function siblings() {
  if (isScattered) return inOrder(runsOfPair.get(state.pair), state.along);
  const own = along(current(), state.along);
  return own.length > 1 ? own : along(defaultRun(state.pair), state.along);
}
