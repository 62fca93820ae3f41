// What the current run is compared with, and shown beside: one other picture, or all that are pinned or favourites.

const MODES = { single: "One", side: "Side by side", wipe: "Wipe", blink: "Blink", difference: "Difference" };
const MODE_NOTES = {
  side: "Framed: this run, which follows the sliders. The others stay.",
  difference: "Difference per colour channel, ×3.",
  blink: "Alternates every 0.8 s.",
};

choices(element("modes"), MODES, "mode");

const pinnedRuns = () => state.pins.map((key) => runByKey.get(`${state.pair}/${key}`));

// Every choice as key, name and runs; null is the content picture.
/** @returns {[string, string, (Run | null)[]][]} */
function comparisons() {
  const pins = pinnedRuns();
  const stars = favouriteRuns().filter((run) => run.pair === state.pair);
  const few = stars.slice(-MAX_PINS);
  /** @type {[string, string, (Run | null)[]][]} */
  const single = [
    ["default", DEFAULT_NAME, [defaultRun(state.pair)]],
    ["content", "the content picture", [null]],
    ...pins.map((run, place) => /** @type {any} */ ([`pin${place + 1}`, `◆${place + 1} ${nameOf(run)}`, [run]])),
  ];
  if (state.mode !== "side") return single;
  if (pins.length) single.push(["pins", `all pinned (${pins.length})`, pins]);
  const cut = few.length < stars.length ? `the last ${few.length} of ${stars.length} favourites` : "";
  if (few.length) single.push(["favourites", cut || `all favourites (${few.length})`, few]);
  return single;
}

// The choice in use. Where two pictures are compared, the last pin stands for all.
function comparison() {
  const found = comparisons();
  const lastPin = state.against === "pins" && state.pins.length ? found[found.length - 1] : undefined;
  return found.find(([key]) => key === state.against) ?? lastPin ?? found[0];
}

// Side by side each run is shown once.
function shownRuns() {
  if (state.mode === "single") return [current()];
  const [, , others] = comparison();
  return state.mode === "side" && others.includes(current()) ? others : [current(), ...others];
}

function fill(select, options, value) {
  select.replaceChildren(...options.map(([key, label]) => make("option", { value: key, textContent: label })));
  select.value = options.some(([key]) => key === value) ? value : options[0][0];
}

function pane(run) {
  const name = pairByName.get(state.pair).content;
  const shown = run
    ? picture(run, describe(run))
    : make(
        "span",
        { className: "picture input" },
        make("img", { src: study.pictures[name], alt: `content: ${name}`, draggable: false }),
      );
  shown.style.aspectRatio = current().size.join("/");
  const figure = make("div", { className: "pane" }, make("div", { className: "layer" }, shown));
  const caption = run ? describe(run) : `content: ${name}`;
  if (run && diverged(run))
    figure.append(make("span", { className: "tag bad", textContent: `${run.status}: last finite picture` }));
  if (run && ["single", "side"].includes(state.mode)) {
    figure.dataset.run = run.index;
    figure.classList.toggle("here", run === current());
    figure.append(make("button", { className: "caption", textContent: caption }), markButtons(run));
  } else figure.append(make("span", { className: "caption", textContent: caption }));
  return figure;
}

view(["run", "pair", "mode", "against", "pins", "marks"], () => {
  const shown = shownRuns();
  const key = [state.mode, state.pair, current().index, ...shown.map((run) => run?.index)].join();
  const stage = element("stage");
  element("stage-title").textContent = capital(describe(current()));
  element("compare").hidden = state.mode === "single";
  const alone = shown.every((run) => run === current());
  element("mode-note").textContent = alone
    ? "It is compared with itself: move a slider, and the other picture stays."
    : (MODE_NOTES[state.mode] ?? "");
  fill(element("against"), comparisons(), comparison()[0]);
  if (stage.dataset.key === key) return;
  stage.dataset.key = key;
  const focused = stage.contains(document.activeElement) && document.activeElement !== stage;
  const panes = make("div", { className: `panes ${state.mode}` }, ...shown.map(pane));
  if (state.mode === "wipe") panes.append(wipeHandle());
  stage.replaceChildren(panes);
  layOut();
  if (focused) stage.focus({ preventScroll: true });
});

// In as many columns as make the pictures largest.
function layOut() {
  const panes = /** @type {HTMLElement} */ (element("stage").firstChild);
  const [width, height] = current().size;
  const ratio = width / height;
  const count = state.mode === "side" ? panes.children.length : 1;
  const room = Number.parseFloat(getComputedStyle(panes).getPropertyValue("--room")) || innerHeight / 2;
  const across = (columns) =>
    Math.min(element("stage").clientWidth / columns, (room / Math.ceil(count / columns)) * ratio);
  const columns = Array.from({ length: count }, (_, place) => place + 1).reduce((best, one) =>
    across(one) > across(best) ? one : best,
  );
  panes.style.setProperty("--ratio", String((ratio * columns) / Math.ceil(count / columns)));
  panes.style.setProperty("--columns", String(columns));
}

// All pinned at once, or where none is, the favourites; and back.
function survey() {
  const against = state.pins.length ? "pins" : "favourites";
  if (state.mode === "side" && state.against === against) return update({ mode: "single" });
  update({ mode: "side", against });
  if (comparison()[0] !== against) announce("Pin pictures (P) or mark favourites (S) to see them beside each other.");
}

function wipeHandle() {
  return make("input", {
    type: "range",
    className: "wipe-handle",
    min: 0,
    max: 100,
    step: 0.5,
    value: state.wipe,
    "aria-label": "Wipe: share of the left picture",
    oninput: (event) => update({ wipe: Number(event.target.value) }),
  });
}

element("against").onchange = (event) => update({ against: event.target.value });
view(["wipe"], () => element("stage").style.setProperty("--wipe", `${state.wipe}%`));
