// Lines of runs, drawn as elements: the style sheet colours them, the pointer finds them, and a theme redraws nothing.

function draw(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// Gives an element its place on the ramp of colours, from 0 to 1.
function onRamp(made, place) {
  made.style.setProperty("--place", `${100 * place}%`);
  return made;
}

/**
 * What is seen of a run's line, and a wider one for the pointer.
 * @param {number | null} place  On the ramp of colours, from 0 to 1.
 */
function lineOf(run, points, place = null, isFound = true) {
  const line = draw("polyline", { points, class: isFound ? "line" : "line out", "data-line": run.index });
  if (place !== null) onRamp(line, place);
  return [line, isFound ? draw("polyline", { points, class: "hit", "data-run": run.index }) : null];
}

// All lines lie below what the pointer finds.
const groupsOf = (lines) => [
  draw("g", {}, ...lines.map(([line]) => line)),
  draw("g", {}, ...lines.flatMap(([, hit]) => hit ?? [])),
];

// The current run's lines lie on top.
function markLines() {
  for (const line of elements(".line.here")) line.classList.remove("here");
  for (const line of elements(`.line[data-line="${current().index}"]`)) {
    line.classList.add("here");
    line.parentElement.append(line);
  }
}

// A card beside the pointer shows the run whose line it finds.
function showCards(box) {
  box.addEventListener("pointermove", (event) => peek(runs[event.target.closest("[data-run]")?.dataset.run], event));
  box.addEventListener("pointerleave", () => {
    peek(null);
    hover(null);
  });
}

const rampWords = () => (isDark() ? "blue (low) to yellow (high)" : "green (low) to violet (high)");

view(["run"], markLines);
