// Losses against the chosen parameter, and against steps.

// Each loss against the value of the chosen parameter, as a multiple of its least. Where all parameters vary at once
// losses do not compare: what was measured of the pictures does.
function drawEffect() {
  if (!state.along) return;
  const parameter = parameterByName.get(state.along);
  const shown = siblings().filter(ok);
  const terms = isScattered ? RULERS.map(words) : parameter.kind === "optimiser" ? LOSSES : TERMS;
  const rows = terms.flatMap((term, place) => {
    const least = Math.min(...shown.map((run) => lossOf(run, term)).filter((value) => value > 0));
    return shown.map((run) => ({
      run: run.index,
      term,
      value: run.settings[state.along],
      loss: isScattered ? run.measured[RULERS[place]] : positive(lossOf(run, term) / least),
    }));
  });
  const scale = scaleOf(parameter.values);
  const x = parameter.numeric
    ? {
        field: "value",
        type: "quantitative",
        scale,
        title: words(state.along),
        axis: { ...(scale.type === "log" ? logAxis(domainOf(rows, "value")) : axisNumbers), grid: false },
      }
    : { field: "value", type: "ordinal", sort: null, title: words(state.along) };
  const spec = {
    height: 190,
    data: { values: rows.filter((row) => row.loss !== null) },
    encoding: {
      x,
      y: isScattered
        ? { field: "loss", type: "quantitative", title: "measured", scale: { zero: false } }
        : logEncoding(rows, "loss", "times the least", 1.05),
      color: {
        field: "term",
        type: "nominal",
        scale: { domain: terms, range: CATEGORIES },
        legend: { orient: "top", title: null },
      },
    },
    layer: [
      ...(isScattered ? [] : [{ mark: { type: "line", strokeWidth: 1.5 } }]),
      {
        mark: { type: "point", filled: true, opacity: 1 },
        encoding: {
          shape: { field: "term", type: "nominal", scale: { domain: terms }, legend: { orient: "top", title: null } },
          size: { condition: { test: `${isCurrent} || ${isHovered}`, value: 130 }, value: 36 },
        },
      },
    ],
  };
  const what = isScattered ? "What was measured" : "Losses";
  element("effect-caption").textContent = isScattered
    ? `${what} of the pictures`
    : `${what} of the kept pictures, unweighted`;
  chart(
    "effect",
    rows.map((row) => row.run).join() + state.along,
    spec,
    `${what} against ${words(state.along)}. ${reading(state.along, siblings())}`,
  );
}

const [LEFT, RIGHT, HEAD, FOOT, PANEL_TALL] = [48, 12, 28, 36, 207];
const [LEAST_PANEL, MOST_LABELS] = [250, 7];
// More lines than this nobody tells apart.
const MOST_CURVES = 200;

// Loss against steps: this run among its siblings, a panel for each term.
function drawCurves() {
  const found = state.along ? siblings() : [current()];
  const shown = found.filter((run, rank) => isDrawn(rank, found.length) || run === current());
  const box = element("curves");
  const few = shown.length < found.length ? `${shown.length} of ` : "";
  element("curves-note").textContent =
    `${few}${found.length} runs along ${words(state.along) || "nothing"}, ` +
    `${rampWords()}; this run in bold.` +
    (shown.some((run) => run.curve.bands) ? " Shaded: between the least and the greatest of repeats." : "") +
    (parameterByName.get(state.along)?.kind === "measure" ? ` ${NO_COMPARISON}` : "");
  const wide = Math.max(LEAST_PANEL, box.firstElementChild?.clientWidth ?? 0);
  const key = `${state.weighted} ${wide} ${shown.map((run) => run.index).join()}`;
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  for (const term of LOSSES) element(`curve-${term}`).replaceChildren(panel(term, shown, found, wide));
  markLines();
}

// Of many runs some, evenly chosen by their rank.
const isDrawn = (rank, count) =>
  count <= MOST_CURVES || Math.floor((rank * MOST_CURVES) / count) !== Math.floor(((rank - 1) * MOST_CURVES) / count);

function panel(term, shown, found, wide) {
  const drawn = shown.map((run) => ({ run, points: curve(run, term), band: bandOf(run, term) }));
  const all = drawn.flatMap(({ points, band }) => [...points, ...band]);
  const [across, up] = [domainOf(all, "step", 1), domainOf(all, "value")];
  const x = placing(across, LEFT, wide - RIGHT);
  const y = placing(up, PANEL_TALL - FOOT, HEAD, Math.log);
  const placed = (points) => points.map(({ step, value }) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  const placeOf = (run) => (found.length > 1 ? found.indexOf(run) / (found.length - 1) : 0);
  const lines = drawn.map(({ run, points }) => lineOf(run, placed(points), placeOf(run)));
  const bands = drawn
    .filter(({ band }) => band.length)
    .map(({ run, band }) => onRamp(draw("polygon", { class: "spread", points: placed(band) }), placeOf(run)));
  const title = `${term} loss, ${state.weighted || term === "total" ? "weighted" : "unweighted"}`;
  return draw(
    "svg",
    {
      viewBox: `0 0 ${wide} ${PANEL_TALL}`,
      class: "plot",
      role: "img",
      "aria-label": `${term} loss against steps for ${shown.length} runs`,
    },
    draw("text", { class: "plot-title", x: 0, y: 14 }, title),
    ...heights(up).map((value) => heightLine(axisText(value), y(value), wide)),
    ...ticksWithin(across[0], across[1], 4).map((step) =>
      draw("text", { class: "of-x", x: x(step), y: PANEL_TALL - FOOT + 16 }, step.toLocaleString("en")),
    ),
    draw("text", { class: "of-x", x: (LEFT + wide - RIGHT) / 2, y: PANEL_TALL - 4 }, "step"),
    ...bands,
    ...groupsOf(lines),
  );
}

// From a number of a domain to its place between two in the picture.
function placing([low, high], from, to, bend = (value) => value) {
  const span = bend(high) - bend(low) || 1;
  return (value) => from + ((bend(value) - bend(low)) / span) * (to - from);
}

// Where a log axis has its lines: as few as have room.
function heights([low, high]) {
  const all = logAxis([low, high]).values?.filter((value) => value >= low && value <= high) ?? [];
  const every = Math.ceil(all.length / MOST_LABELS);
  return all.length > 1 ? all.filter((_, place) => place % every === 0) : ticksWithin(low, high, 4);
}

function heightLine(label, y, wide) {
  return draw(
    "g",
    {},
    draw("line", { x1: LEFT, x2: wide - RIGHT, y1: y, y2: y }),
    draw("text", { class: "of-y", x: LEFT - 6, y: y + 4 }, label),
  );
}

// A loss by its step; what is not positive has no place on a log axis.
function curve(run, term) {
  const weight = (name) => (state.weighted || term === "total" ? setting(run, `${name}_weight`) : 1);
  const names = term === "total" ? TERMS : [term];
  return run.curve.iteration
    .map((step, place) => ({
      step,
      value: names.reduce((sum, name) => sum + (run.curve[name][place] ?? NaN) * weight(name), 0),
    }))
    .filter(({ value }) => value > 0);
}

// Around the least and the greatest loss of a setting's repeats; nothing where it was run once.
function bandOf(run, term) {
  const band = run.curve.bands?.[term];
  if (!band) return [];
  const weight = state.weighted && term !== "total" ? setting(run, `${term}_weight`) : 1;
  const end = (values) => run.curve.iteration.map((step, place) => ({ step, value: values[place] * weight }));
  return [...end(band.low), ...end(band.high).reverse()].filter(({ value }) => value > 0);
}

element("curves").append(...LOSSES.map((term) => make("div", { className: "chart", id: `curve-${term}` })));
showCards(element("curves"));
choices(element("weighting"), { false: "Unweighted", true: "Weighted" }, "weighted");

view(["run", "pair", "along"], () => whenNear(element("effect"), drawEffect));
view(["run", "pair", "along", "weighted", "theme"], () => whenNear(element("curves"), drawCurves));
