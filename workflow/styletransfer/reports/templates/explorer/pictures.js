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
  const button = make("button", { className: "tile" }, picture(run, describe(run)));
  button.dataset.run = run.index;
  const line = make("span", { className: "label" }, make("b", { textContent: label }));
  if (run.default) button.classList.add("default");
  if (run.default && label !== DEFAULT_NAME)
    line.append(make("span", { className: "tag default", textContent: "default" }));
  if (!ok(run)) {
    button.classList.add("bad");
    line.append(make("span", { className: "tag bad", textContent: run.status }));
  }
  line.append(make("span", { className: "marks" }));
  button.append(line);
  mark(button);
  return button;
}

// Which tile is open, pinned, a favourite: said by more than colour.
function mark(button) {
  const run = runs[button.dataset.run];
  if (run === current() && !besideLine(button)) button.setAttribute("aria-current", "true");
  else button.removeAttribute("aria-current");
  const pin = state.pins.indexOf(run.key);
  button.querySelector(".marks").textContent =
    (pin >= 0 && run.pair === state.pair ? `◆${pin + 1} ` : "") +
    (isFavourite(run) ? "★" : "") +
    (ratingOf(run) ? ` ${ratingOf(run)}/5` : "");
}

// Where each parameter has its row, the current run is in many: it is marked in that of the chosen parameter.
function besideLine({ dataset: { along: row } }) {
  return row && row !== state.along && along(current(), state.along).length > 1;
}

view(["run", "pair", "along", "pins", "marks"], () => elements(".tile").forEach(mark));
view(["colors"], () => {
  document.body.dataset.colors = state.colors;
});

on("click", (event) => {
  const button = event.target.closest("[data-run]");
  if (!button) return;
  stop();
  openRun(runs[button.dataset.run]);
  if (button.dataset.along) update({ along: button.dataset.along });
  if (button.closest("#sheet, #table, #shortlist")) element("explore").scrollIntoView();
});

for (const name of ["pointerover", "focusin"]) {
  on(name, (event) => hover(runs[event.target.closest?.("[data-run]")?.dataset.run]));
}

// Charts and tiles point at each other.
function hover(run) {
  for (const shown of elements(".tile.hovered")) shown.classList.remove("hovered");
  if (run) for (const shown of elements(`.tile[data-run="${run.index}"]`)) shown.classList.add("hovered");
  signalCharts("hovered", run?.index ?? -1);
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
