// The large picture, or several: zoomed and panned together, alone on the screen, judged.

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
    for (const button of group.children) press(button, button.value === String(state[part]));
  });
}

choices(element("colors"), COLORS, "colors");

view(["zoom", "x", "y"], () => {
  const stage = element("stage");
  stage.style.setProperty("--zoom", state.zoom);
  stage.style.setProperty("--x", `${state.x}%`);
  stage.style.setProperty("--y", `${state.y}%`);
  stage.classList.toggle("zoomed", state.zoom > 1);
  element("zoom-fit").textContent = state.zoom === 1 ? "Fit" : `Fit × ${Number(state.zoom.toPrecision(3))}`;
  element("zoom-fit").title = state.zoom === 1 ? "The picture fits the page" : "Back to fit";
  showEnlarged();
  if (state.zoom !== 1) elements("#stage [data-run] img").forEach(sharpen);
});

const firstImage = () => elements("#stage .picture:not(.input) img")[0];

// The zoom at which a pixel of the picture is one of the screen.
const ownSize = () => current().size[0] / ((firstImage()?.clientWidth || 1) * devicePixelRatio);
const isOwnSize = () => Math.abs(state.zoom / ownSize() - 1) < 0.001;

// Pixels of the screen that are none of the picture are said to be so.
function showEnlarged() {
  const image = firstImage();
  const own = image?.naturalWidth;
  element("enlarged").textContent = own && image.clientWidth * state.zoom > own + 1 ? `enlarged from ${own} px` : "";
  press(element("zoom-own"), isOwnSize());
}
element("stage").addEventListener("load", showEnlarged, true);
new ResizeObserver(() => {
  layOut();
  showEnlarged();
}).observe(element("stage"));

// A run's own file, in the folder of all runs.
const fileOf = (run, folder) => `${folder}/${run.id}/image.png`;

/** @returns {Promise<boolean>} Whether the picture can be had: a page that was copied has none beside it. */
const isThere = (address) =>
  new Promise((resolve) => {
    make("img", { onload: () => resolve(true), onerror: () => resolve(false), src: address });
  });

// Where the page keeps a run's picture smaller than it is, a closer look is one at the run's own file.
async function sharpen(image) {
  const run = runs[image.closest("[data-run]").dataset.run];
  const file = fileOf(run, study.pool_link);
  if (image.naturalWidth < run.size[0] && (await isThere(file))) image.src = file;
}

// x, y: shift in percent of the picture, so that panes of any size move together.
function look(zoom, x = state.x, y = state.y) {
  zoom = withinZoom(zoom);
  const limit = Math.max(0, 50 * (zoom - 1));
  const within = (shift) => Math.round(10 * Math.min(limit, Math.max(-limit, shift))) / 10;
  update({ zoom: Number(zoom.toFixed(4)), x: within(x), y: within(y) });
}

// From the whole picture, or its own size where that is smaller.
const withinZoom = (zoom) => Math.min(MAX_ZOOM, Math.max(Math.min(1, ownSize()), zoom));

// Zoom about the pointer: what is under it stays there.
function zoomAt(factor, event) {
  const box = event.target.closest(".pane")?.getBoundingClientRect();
  const zoom = withinZoom(state.zoom * factor);
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
element("zoom-own").onclick = () => look(isOwnSize() ? 1 : ownSize());

// The picture alone in the window, and the window on the whole screen where the browser lets it.
function showAlone(alone) {
  element("viewer").classList.toggle("alone", alone);
  press(element("alone"), alone);
  for (const other of elements("header.top, .missing, .skip, .controls, .side, .along, section:not(#explore)"))
    other.inert = alone;
  if (alone) document.documentElement.requestFullscreen?.().catch(() => {});
  else if (document.fullscreenElement) document.exitFullscreen();
}

const isAlone = () => element("viewer").classList.contains("alone");
element("alone").onclick = () => showAlone(!isAlone());
on("keydown", (event) => event.key === "Escape" && isAlone() && !event.target.closest("dialog") && showAlone(false));
// The browser itself ends it by Escape.
on("fullscreenchange", () => document.fullscreenElement || showAlone(false));

{
  const stage = element("stage");
  // A plain wheel scrolls the page.
  const zoomByWheel = (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoomAt(Math.exp(-event.deltaY / 300), event);
  };
  stage.addEventListener("wheel", zoomByWheel, { passive: false });
  stage.addEventListener("dblclick", (event) => (state.zoom !== 1 ? look(1) : zoomAt(3, event)));
  /** @type {{ x: number, y: number, from: number[], box: DOMRect } | null} */
  let held = null;
  stage.addEventListener("pointerdown", (event) => {
    if (state.zoom <= 1 || event.target.closest("input, button")) return;
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
    if (!step || state.zoom <= 1 || event.target !== stage) return;
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
  const measured = MEASURED.map(({ title, note, read, show, compares }) => {
    const start = defaultRun(run.pair);
    const times = run !== start && compares(run, start) && read(start) > 0 ? read(run) / read(start) : null;
    return [title, show(read(run), run), note, times];
  });
  const fault = ok(run) ? {} : { status: run.status, reason: run.reason };
  const made = { size: run.size.join(" × "), device: run.device };
  element("facts").replaceChildren(
    ...[...Object.entries(fault), ...measured, ...Object.entries(made)].flatMap(([name, value, note = "", times]) => [
      make("dt", { textContent: name, title: note }),
      make(
        "dd",
        {},
        value,
        times ? make("span", { className: "quiet", textContent: ` ×${text(Number(times.toPrecision(2)))}` }) : "",
      ),
    ]),
  );
  element("facts-note").hidden = !measured.some(([, , , times]) => times);
});

view(["run", "pair", "colors"], () => {
  element("file").textContent = fileOf(current(), study.pool);
  element("file").href = fileOf(current(), study.pool_link);
  element("file-note").textContent = "";
});

element("file").onclick = async (event) => {
  event.preventDefault();
  const { href } = element("file");
  if (await isThere(href)) open(href);
  else
    element("file-note").textContent =
      "The file is not beside this page: it may be a copy. The path is that in the folder of the project.";
};
element("copy-file").onclick = (event) => copy(element("file").textContent, event.target);

for (let stars = 1; stars <= 5; stars++) {
  element("rating").append(
    make("button", { value: stars, "aria-label": `${stars} of 5`, onclick: () => judge(stars) }),
  );
}

// As photographs are sorted: a rating goes on to the next picture.
function judge(stars) {
  const run = current();
  rate(run, stars);
  if (!ratingOf(run) || !element("moves-on").checked) return;
  const shown = shownRuns();
  if (state.mode !== "side" || shown.length < 3) step(1);
  else openRun(shown[Math.min(shown.indexOf(run) + 1, shown.length - 1)] ?? run);
  announce(`${capital(describe(run))}: ${ratingOf(run)} of 5.`);
}

element("favourite").onclick = () => toggleFavourite(current());
element("pin").onclick = () => togglePin(current());

view(["run", "pair", "marks", "pins"], () => {
  const run = current();
  const pinned = state.pins.includes(run.key);
  press(element("favourite"), isFavourite(run), isFavourite(run) ? "★ Favourite" : "☆ Favourite");
  press(element("pin"), pinned, pinned ? "◆ Pinned" : "◇ Pin");
  element("pin").disabled = !pinned && state.pins.length >= MAX_PINS;
  element("pin").title = element("pin").disabled ? PINS_ARE_FULL : "Pin to compare";
  for (const button of element("rating").children) {
    const filled = button.value <= ratingOf(run);
    press(button, Number(button.value) === ratingOf(run), filled ? "★" : "☆");
  }
});
