// The large picture: one run, or two of them side by side, wiped, blinking, or subtracted; zoomed and panned together.

const MODES = { single: "One", side: "Side by side", wipe: "Wipe", blink: "Blink", difference: "Difference" };
const MODE_NOTES = { difference: "Difference per colour channel, ×3.", blink: "Alternates every 0.8 s." };
const COLORS = { own: "Own colours", content: "Content colours" };
const MAX_ZOOM = 16;

// Buttons of which one is pressed.
function choices(group, labels, part) {
  for (const [value, label] of Object.entries(labels)) {
    group.append(
      make("button", { textContent: label, value, onclick: () => update({ [part]: likeInitial(part, value) }) }),
    );
  }
  view([part], () => {
    for (const button of group.children)
      button.setAttribute("aria-pressed", String(button.value === String(state[part])));
  });
}

choices(element("modes"), MODES, "mode");
choices(element("colors"), COLORS, "colors");

// What a side of a comparison shows: a run, or the content picture (null).
function sideRun(side) {
  if (side === "content") return null;
  if (side === "default") return defaultRun(state.pair);
  const key = { pin1: state.pins[0], pin2: state.pins[1] }[side];
  return runByKey.get(`${state.pair}/${key}`) ?? current();
}

function sideOptions() {
  const pins = state.pins.map((key, place) => [
    `pin${place + 1}`,
    `◆${place + 1} ${nameOf(runByKey.get(`${state.pair}/${key}`))}`,
  ]);
  return [["current", "this run"], ...pins, ["default", "the default"], ["content", "the content picture"]];
}

function fill(select, options, value) {
  select.replaceChildren(...options.map(([key, label]) => make("option", { value: key, textContent: label })));
  select.value = options.some(([key]) => key === value) ? value : options[0][0];
}

function pane(side) {
  const run = sideRun(side);
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
  if (run && !ok(run))
    figure.append(make("span", { className: "tag bad", textContent: `${run.status}: last finite picture` }));
  figure.append(make("span", { className: "caption", textContent: run ? describe(run) : `content: ${name}` }));
  return figure;
}

view(["run", "pair", "mode", "left", "right", "pins"], () => {
  const stage = element("stage");
  const sides = state.mode === "single" ? ["current"] : [state.left, state.right];
  const panes = make("div", { className: `panes ${state.mode}` }, ...sides.map(pane));
  const [width, height] = current().size;
  panes.style.setProperty("--ratio", width / height);
  if (state.mode === "wipe") panes.append(wipeHandle());
  stage.replaceChildren(panes);
  element("stage-title").textContent = capital(describe(current()));
  element("compare").hidden = state.mode === "single";
  element("mode-note").textContent = MODE_NOTES[state.mode] ?? "";
  fill(element("left"), sideOptions(), state.left);
  fill(element("right"), sideOptions(), state.right);
});

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

for (const side of ["left", "right"]) element(side).onchange = (event) => update({ [side]: event.target.value });
view(["wipe"], () => element("stage").style.setProperty("--wipe", `${state.wipe}%`));

view(["zoom", "x", "y"], () => {
  const stage = element("stage");
  stage.style.setProperty("--zoom", state.zoom);
  stage.style.setProperty("--x", `${state.x}%`);
  stage.style.setProperty("--y", `${state.y}%`);
  stage.classList.toggle("zoomed", state.zoom > 1);
  element("zoom-fit").textContent = state.zoom === 1 ? "Fit" : `Fit × ${state.zoom}`;
  element("zoom-fit").title = state.zoom === 1 ? "The picture fits the page" : "Back to fit";
  showEnlarged();
});

// Pixels of the screen that are none of the picture are said to be so.
function showEnlarged() {
  const image = elements("#stage .picture:not(.input) img")[0];
  const own = image?.naturalWidth;
  element("enlarged").textContent = own && image.clientWidth * state.zoom > own + 1 ? `enlarged from ${own} px` : "";
}
element("stage").addEventListener("load", showEnlarged, true);
new ResizeObserver(showEnlarged).observe(element("stage"));

// x, y: shift in percent of the picture, so that panes of any size move together.
function look(zoom, x = state.x, y = state.y) {
  zoom = Math.min(MAX_ZOOM, Math.max(1, zoom));
  const limit = 50 * (zoom - 1);
  const within = (shift) => Math.round(10 * Math.min(limit, Math.max(-limit, shift))) / 10;
  update({ zoom: Math.round(zoom * 100) / 100, x: within(x), y: within(y) });
}

// Zoom about the pointer: what is under it stays there.
function zoomAt(factor, event) {
  const box = event.target.closest(".pane")?.getBoundingClientRect();
  const zoom = Math.min(MAX_ZOOM, Math.max(1, state.zoom * factor));
  if (!box) return look(zoom);
  const change = zoom / state.zoom;
  const shift = (place, start, size, old) => {
    const from = (100 * (place - start)) / size - 50;
    return from - (from - old) * change;
  };
  look(zoom, shift(event.clientX, box.left, box.width, state.x), shift(event.clientY, box.top, box.height, state.y));
}

const ZOOM_STEP = 1.5;
element("zoom-in").onclick = () => look(state.zoom * ZOOM_STEP, state.x * ZOOM_STEP, state.y * ZOOM_STEP);
element("zoom-out").onclick = () => look(state.zoom / ZOOM_STEP, state.x / ZOOM_STEP, state.y / ZOOM_STEP);
element("zoom-fit").onclick = () => look(1);

{
  const stage = element("stage");
  // A plain wheel scrolls the page.
  const zoomByWheel = (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoomAt(Math.exp(-event.deltaY / 300), event);
  };
  stage.addEventListener("wheel", zoomByWheel, { passive: false });
  stage.addEventListener("dblclick", (event) => (state.zoom > 1 ? look(1) : zoomAt(3, event)));
  /** @type {{ x: number, y: number, from: number[], box: DOMRect } | null} */
  let held = null;
  stage.addEventListener("pointerdown", (event) => {
    if (state.zoom === 1 || event.target.matches("input")) return;
    const box = event.target.closest(".pane")?.getBoundingClientRect();
    if (!box) return;
    held = { x: event.clientX, y: event.clientY, from: [state.x, state.y], box };
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!held) return;
    const x = held.from[0] + (100 * (event.clientX - held.x)) / held.box.width;
    const y = held.from[1] + (100 * (event.clientY - held.y)) / held.box.height;
    look(state.zoom, x, y);
  });
  const release = () => {
    held = null;
  };
  for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, release);
  stage.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [8, 0], ArrowRight: [-8, 0], ArrowUp: [0, 8], ArrowDown: [0, -8] }[event.key];
    if (!step || state.zoom === 1 || event.target !== stage) return;
    event.preventDefault();
    event.stopPropagation();
    look(state.zoom, state.x + step[0], state.y + step[1]);
  });
}

view(["pair"], () => {
  const pair = pairByName.get(state.pair);
  const inputs = [["content", pair.content], ...pair.styles.map((name) => ["style", name])];
  if (pair.initial) inputs.push(["initial", pair.initial]);
  element("inputs").replaceChildren(
    ...inputs.map(([role, name]) =>
      make(
        "figure",
        {},
        make("img", { src: study.pictures[name], alt: `${role} picture: ${name}` }),
        make("figcaption", {}, make("span", { className: "quiet", textContent: `${role}: ` }), name),
      ),
    ),
  );
});

view(["run", "pair"], () => {
  const run = current();
  const measured = MEASURED.map(({ title, note, read, show }) => [title, show(read(run)), note]);
  const fault = ok(run) ? {} : { status: run.status, reason: run.reason };
  const made = { size: run.size.join(" × "), device: run.device, run: run.key };
  element("facts").replaceChildren(
    ...[...Object.entries(fault), ...measured, ...Object.entries(made)].flatMap(([name, value, note = ""]) => [
      make("dt", { textContent: name, title: note }),
      make("dd", { textContent: value }),
    ]),
  );
});

for (let stars = 1; stars <= 5; stars++) {
  element("rating").append(
    make("button", { value: stars, "aria-label": `${stars} of 5`, onclick: () => rate(current(), stars) }),
  );
}
element("favourite").onclick = () => toggleFavourite(current());
element("pin").onclick = () => togglePin(current());

view(["run", "pair", "marks", "pins"], () => {
  const run = current();
  const favourite = isFavourite(run);
  const pinned = state.pins.includes(run.key);
  element("favourite").textContent = favourite ? "★ Favourite" : "☆ Favourite";
  element("favourite").setAttribute("aria-pressed", String(favourite));
  element("pin").textContent = pinned ? "◆ Pinned" : "Pin to compare";
  element("pin").setAttribute("aria-pressed", String(pinned));
  for (const button of element("rating").children) {
    button.textContent = button.value <= ratingOf(run) ? "★" : "☆";
    button.setAttribute("aria-pressed", String(Number(button.value) === ratingOf(run)));
  }
});
