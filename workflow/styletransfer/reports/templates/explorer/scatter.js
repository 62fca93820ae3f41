// All runs in one chart: content against style loss.

// Which parameter sets a run apart: its colour in the scatter.
function differs(run) {
  const names = differences(run, defaultRun(run.pair));
  return names.length === 0 ? "default" : names.length === 1 ? words(names[0]) : "several";
}

function drawScatter() {
  const shown = runsOfPair.get(state.pair).filter((run) => lossOf(run, "content") > 0 && lossOf(run, "style") > 0);
  const { group } = current();
  const comparable = (run) => ok(run) && run.group === group;
  const front = shown
    .filter((run) => run.front && run.group === group)
    .sort((a, b) => lossOf(a, "content") - lossOf(b, "content"));
  const rows = shown.map((run) => ({
    run: run.index,
    content: lossOf(run, "content"),
    style: lossOf(run, "style"),
    differs: differs(run),
    comparable: comparable(run),
    front: front.includes(run),
  }));
  const groups = [...new Set(rows.map((row) => row.differs))];
  const palette = groups.map((group) => (group === "default" ? color("default") : null));
  const colors = palette.map(
    (own, place) => own ?? CATEGORIES[palette.slice(0, place).filter((one) => one === null).length % CATEGORIES.length],
  );
  const legend = { title: "differs from the default in", orient: "top", columns: innerWidth < 760 ? 2 : 8 };
  const axes = {
    x: logEncoding(rows, "content", "content loss → less like the photograph", 1.25),
    y: logEncoding(rows, "style", "style loss → less like the artwork", 1.25),
  };
  const point = (filter, mark) => ({
    transform: [{ filter }],
    mark: { type: "point", size: 90, ...mark },
    encoding: {
      ...axes,
      color: { field: "differs", type: "nominal", scale: { domain: groups, range: colors }, legend },
      shape: { field: "differs", type: "nominal", scale: { domain: groups }, legend },
    },
  });
  const ring = (test, stroke) => ({
    transform: [{ filter: test }],
    mark: { type: "point", size: 330, stroke, strokeWidth: 3, filled: false },
    encoding: axes,
  });
  const spec = {
    height: 380,
    data: { values: rows },
    layer: [
      {
        data: { values: front.map((run) => ({ content: lossOf(run, "content"), style: lossOf(run, "style") })) },
        mark: { type: "line", interpolate: "step-after", stroke: color("quiet"), strokeWidth: 1.5, strokeDash: [5, 3] },
        encoding: axes,
      },
      point("!datum.comparable", { filled: false, opacity: 0.45 }),
      // The front lies on top: nothing hides a run that beats it.
      point("datum.comparable && !datum.front", { filled: true, opacity: 1 }),
      point("datum.front", { filled: true, opacity: 1 }),
      ring(isHovered, color("accent")),
      ring(isCurrent, color("ink")),
    ],
  };
  const others = rows.filter((row) => !row.comparable).length;
  element("scatter-note").textContent =
    `Unweighted losses on log axes; lower left is better. ` +
    `Dashed: the Pareto front, runs that no other beats in both (${front.length}).` +
    (others
      ? ` Hollow: runs that diverged, or whose losses measure something else than this run's ` +
        `and so do not compare (${others}).`
      : "");
  chart("scatter", `${state.pair} ${group}`, spec, element("scatter-note").textContent);
}

view(["run", "pair", "theme"], () => whenNear(element("scatter"), drawScatter));
