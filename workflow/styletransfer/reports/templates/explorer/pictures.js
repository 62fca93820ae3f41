// Pictures of runs: tiles, marks on them, and the card that follows the pointer.

// Elements are made, never parsed: a name stays text whatever is in it.
function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  if (tag === "button") made.type = "button";
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const cssUrl = (name) => `url(${JSON.stringify(study.pictures[name])})`;

// The content's colours on a run are the content picture blended over it: what the setting `colors: content` gives,
// where the colour exists at that luma, and free. One rule for each pair. A run with other `colors` stays as it is.
document.head.append(
  make("style", {
    textContent: study.pairs.map((pair, index) => `.pair-${index} { --content: ${cssUrl(pair.content)}; }`).join("\n"),
  }),
);

const pairClass = (run) => `pair-${study.pairs.indexOf(pairByName.get(run.pair))}`;

function picture(run, alternative = "") {
  const image = make("img", { src: run.picture, alt: alternative, decoding: "async", draggable: false });
  const frame = make("span", { className: `picture ${pairClass(run)}` }, image);
  frame.classList.toggle("own", !hasStyleColors(run));
  frame.style.aspectRatio = run.size.join("/");
  return frame;
}

function tile(run, label) {
  const line = make("span", { className: "label" }, make("b", { textContent: label }));
  const made = make(
    "div",
    { className: "tile" },
    make("button", { className: "open" }, picture(run, describe(run)), line),
    markButtons(run),
  );
  made.dataset.run = run.index;
  if (run.default) made.classList.add("default");
  if (run.default && label !== DEFAULT_NAME)
    line.append(make("span", { className: "tag default", textContent: "default" }));
  if (!ok(run)) {
    made.classList.toggle("bad", diverged(run));
    line.append(make("span", { className: `tag ${stopped(run) ? "stopped" : "bad"}`, textContent: run.status }));
  }
  line.append(make("span", { className: "rating" }));
  mark(made);
  return made;
}

// A box for a tile, which is made when it is about to be seen; those in sight, at once.
function boxFor(tag, run, makeTile) {
  const box = make(tag);
  box.dataset.box = run.index;
  whenSeen(box, () => box.append(makeTile()));
  return box;
}

// Which tile is open, and its rating.
function mark(made) {
  const run = runs[made.dataset.run];
  const here = run === current() && !besideLine(made);
  made.classList.toggle("here", here);
  if (here) made.firstChild.setAttribute("aria-current", "true");
  else made.firstChild.removeAttribute("aria-current");
  made.querySelector(".rating").textContent = ratingOf(run) ? `${ratingOf(run)}/5` : "";
}

const MARKS = { star: toggleFavourite, pin: togglePin };

// The star and the pin of a run, on every picture of it.
function markButtons(run) {
  const name = describe(run);
  const star = make("button", { "data-mark": "star", "aria-label": `Favourite: ${name}`, title: "Favourite" });
  const pin = make("button", { "data-mark": "pin" });
  const made = make("span", { className: "own" }, star, pin);
  Object.assign(made.dataset, { run: run.index, name });
  showMarks(made);
  return made;
}

function showMarks(made) {
  const run = runs[made.dataset.run];
  const [star, pin] = made.children;
  const place = state.pins.indexOf(run.key);
  press(star, isFavourite(run), isFavourite(run) ? "★" : "☆");
  press(pin, place >= 0, place >= 0 ? `◆${place + 1}` : "◇");
  pin.setAttribute("aria-label", `Pin${place >= 0 ? ` ${place + 1}` : ""}: ${made.dataset.name}`);
  pin.hidden = run.pair !== state.pair;
  pin.disabled = place < 0 && state.pins.length >= MAX_PINS;
  pin.title = pin.disabled ? PINS_ARE_FULL : "Pin to compare";
}

const PINS_ARE_FULL = `${MAX_PINS} pictures are pinned, the most at once: unpin one first.`;

function press(button, pressed, label = button.textContent) {
  button.textContent = label;
  button.setAttribute("aria-pressed", String(pressed));
}

// Where each parameter has its row, the current run is in many: it is marked in that of the chosen parameter.
function besideLine({ dataset: { along: row } }) {
  return row && row !== state.along && along(current(), state.along).length > 1;
}

view(["run", "pair", "along", "marks"], () => elements(".tile").forEach(mark));
view(["pair", "pins", "marks"], () => elements(".own").forEach(showMarks));
view(["colors"], () => {
  document.body.dataset.colors = state.colors;
});

on("click", (event) => {
  const shown = event.target.closest("[data-run]");
  if (!shown) return;
  const run = runs[shown.dataset.run];
  const kind = event.target.closest("[data-mark]")?.dataset.mark;
  if (kind) return MARKS[kind](run);
  stop();
  openRun(run);
  if (shown.dataset.along) update({ along: shown.dataset.along });
  if (shown.closest("#sheet, #pairs, #table, #shortlist")) element("explore").scrollIntoView();
});

for (const name of ["pointerover", "focusin"]) {
  on(name, (event) => hover(runs[event.target.closest?.("[data-run]")?.dataset.run]));
}

// Charts and tiles point at each other.
function hover(run) {
  for (const shown of elements(".hovered")) shown.classList.remove("hovered");
  if (!run) return signalCharts("hovered", -1);
  for (const shown of elements(`.tile[data-run="${run.index}"], [data-line="${run.index}"]`))
    shown.classList.add("hovered");
  signalCharts("hovered", run.index);
}

function peek(run, event) {
  const card = element("peek");
  card.hidden = !run;
  if (!run) return;
  const losses = TERMS.map((term) => `${term} ${text(lossOf(run, term))}`).join(" · ");
  card.replaceChildren(
    picture(run),
    make("b", { textContent: describe(run) }),
    make("span", { className: "quiet small", textContent: losses }),
  );
  const left =
    event.clientX + 18 + card.offsetWidth > innerWidth ? event.clientX - card.offsetWidth - 18 : event.clientX + 18;
  card.style.left = `${Math.max(4, left)}px`;
  card.style.top = `${Math.max(4, Math.min(event.clientY - 60, innerHeight - card.offsetHeight - 8))}px`;
}
