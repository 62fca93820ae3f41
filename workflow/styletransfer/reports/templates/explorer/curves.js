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
  const x = parameter.numeric
    ? {
        field: "value",
        type: "quantitative",
        scale: scaleOf(parameter.values),
        title: words(state.along),
        axis: { ...axisNumbers, grid: false },
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

// Loss against steps: this run among its siblings, a panel for each term.
function drawCurves() {
  const shown = state.along ? siblings() : [current()];
  const order = new Map(shown.map((run, rank) => [run.index, rank]));
  element("curves-note").textContent =
    `${shown.length} runs along ${words(state.along) || "nothing"}, ` +
    `${rampWords()}; this run in bold.` +
    (parameterByName.get(state.along)?.kind === "measure" ? ` ${NO_COMPARISON}` : "");
  if (!element("curves").children.length) {
    element("curves").append(...LOSSES.map((term) => make("div", { className: "chart", id: `curve-${term}` })));
  }
  for (const term of LOSSES) {
    const rows = shown.flatMap((run) =>
      curve(run, term).map(([step, value]) => ({ run: run.index, rank: order.get(run.index), step, value })),
    );
    const weighted = state.weighted || term === "total";
    chart(
      `curve-${term}`,
      `${term} ${state.weighted} ${shown.map((run) => run.index).join()}`,
      curvesSpec(rows, `${term} loss, ${weighted ? "weighted" : "unweighted"}`, shown.length),
      `${term} loss against steps for ${shown.length} runs`,
    );
  }
}

// Pairs of step and loss; what is not positive has no place on a log axis.
function curve(run, term) {
  const weight = (name) => (state.weighted || term === "total" ? setting(run, `${name}_weight`) : 1);
  const names = term === "total" ? TERMS : [term];
  return run.curve.iteration
    .map((step, place) => [step, names.reduce((sum, name) => sum + (run.curve[name][place] ?? NaN) * weight(name), 0)])
    .filter(([, value]) => value > 0);
}

function curvesSpec(rows, title, count) {
  const encoding = {
    x: {
      field: "step",
      type: "quantitative",
      title: "step",
      scale: { domain: domainOf(rows, "step", 1) },
      axis: { grid: false, tickCount: 4, format: ",d" },
    },
    y: logEncoding(rows, "value", null),
    detail: { field: "run" },
  };
  // Vega-Lite cannot change a line's width by a signal for each line, so the emphasised ones are layers of their own.
  const emphasised = (test, stroke, width) => ({
    transform: [{ filter: test }],
    mark: { type: "line", stroke, strokeWidth: width },
  });
  return {
    height: 200,
    title,
    data: { values: rows },
    encoding,
    layer: [
      {
        mark: { type: "line", strokeWidth: 1.4, opacity: 0.85 },
        encoding: {
          color: {
            field: "rank",
            type: "quantitative",
            scale: {
              scheme: { name: "viridis", extent: isDark() ? [0.3, 1] : [0.88, 0] },
              domain: [0, Math.max(1, count - 1)],
            },
            legend: null,
          },
        },
      },
      emphasised(isHovered, color("accent"), 3),
      emphasised(isCurrent, color("ink"), 3),
      { mark: { type: "line", strokeWidth: 9, opacity: 0.001 } },
    ],
  };
}

choices(element("weighting"), { false: "Unweighted", true: "Weighted" }, "weighted");

view(["run", "pair", "along", "theme"], () => whenNear(element("effect"), drawEffect));
view(["run", "pair", "along", "weighted", "theme"], () => whenNear(element("curves"), drawCurves));
