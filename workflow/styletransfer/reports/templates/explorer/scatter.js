// All runs in one chart: content against style loss, and parallel coordinates.

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

function drawParallel() {
  const axes = [
    ...SETTINGS.filter((column) => !column.words),
    ...MEASURED.filter(({ name }) => TERMS.some((term) => name === `${term}_loss`)),
  ];
  const shown = runsOfPair.get(state.pair);
  const names = axes.map((axis) => axis.title);
  // A word a line, and as many lines for each: so that all names end at one height.
  const height = Math.max(...names.map((name) => name.split(" ").length));
  const stacked = (name) => [...Array(height - name.split(" ").length).fill(" "), ...name.split(" ")].join("|");
  const rows = [];
  const labels = [];
  axes.forEach(({ title, read, show }) => {
    const values = shown.map(read).filter((value) => value !== null);
    if (!values.length) return;
    const place = unit(values);
    const axis = stacked(title);
    for (const run of shown) if (read(run) !== null) rows.push({ run: run.index, axis, place: place(read(run)) });
    labels.push(
      { axis, place: 0, label: show(Math.min(...values)) },
      { axis, place: 1, label: show(Math.max(...values)) },
    );
  });
  const x = {
    field: "axis",
    type: "ordinal",
    scale: { type: "point", padding: 0.4 },
    sort: names.map(stacked),
    title: null,
    axis: {
      orient: "top",
      labelAngle: 0,
      labelExpr: "split(datum.label, '|')",
      labelLineHeight: 14,
      grid: true,
      domain: false,
      ticks: false,
      labelColor: color("ink"),
      labelPadding: 20 + 14 * (height - 1),
    },
  };
  const y = { field: "place", type: "quantitative", axis: null, scale: { domain: [0, 1] } };
  const line = (test, stroke, strokeWidth, opacity) => ({
    ...(test ? { transform: [{ filter: test }] } : {}),
    mark: { type: "line", stroke, strokeWidth, opacity },
    encoding: { detail: { field: "run" } },
  });
  const end = (place, dy) => ({
    data: { values: labels.filter((label) => label.place === place) },
    mark: { type: "text", dy, color: color("quiet") },
    encoding: { text: { field: "label" } },
  });
  const spec = {
    height: 320,
    padding: { top: 5, bottom: 18, left: 10, right: 10 },
    data: { values: rows },
    encoding: { x, y },
    layer: [
      line(null, color("quiet"), 1, shown.length > 100 ? 0.25 : 0.5),
      { mark: { type: "circle", size: 22, color: color("quiet"), opacity: 0.8 } },
      line(isHovered, color("accent"), 3, 1),
      line(isCurrent, color("ink"), 3, 1),
      line(null, color("quiet"), 9, 0.001),
      end(0, 13),
      end(1, -11),
    ],
  };
  chart(
    "parallel",
    state.pair,
    spec,
    `Parallel coordinates of ${shown.length} runs over ${names.join(", ")}; the table holds the same`,
  );
}

view(["run", "pair", "theme"], () => whenNear(element("scatter"), drawScatter));
view(["run", "pair", "theme"], () => whenNear(element("parallel"), drawParallel));
