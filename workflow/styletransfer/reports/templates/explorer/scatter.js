// All runs on one plane: how much of the content they keep, against how much of the style they reach.

// Which parameter sets a run apart: its colour in the scatter.
function differs(run) {
  const names = differences(run, defaultRun(run.pair));
  return names.length === 0 ? "default" : names.length === 1 ? words(names[0]) : "several";
}

const SCATTER_HEIGHT = 460;
// The longer side of a picture at a point, in pixels.
const AT_POINT = 64;

function drawScatter() {
  const shown = runsOfPair.get(state.pair).filter((run) => RULERS.every((ruler) => run.measured[ruler] !== null));
  const front = shown.filter((run) => run.front);
  const groups = [...new Set(shown.map(differs))];
  const others = groups.filter((group) => group !== "default");
  const colors = groups.map((group) =>
    group === "default" ? DEFAULT : CATEGORIES[others.indexOf(group) % CATEGORIES.length],
  );
  const rows = shown.map((run) => ({
    run: run.index,
    kept: run.measured.content_kept,
    reached: run.measured.style_reached,
    keptBar: barOf(run, "content_kept"),
    reachedBar: barOf(run, "style_reached"),
    differs: differs(run),
    ok: ok(run),
  }));
  const legend = { title: "differs from the default in", orient: "top", columns: innerWidth < 760 ? 2 : 8 };
  const domains = { kept: widened(rows, "kept"), reached: widened(rows, "reached", 0.22) };
  const along = (field, title) => ({
    field,
    type: "quantitative",
    title,
    scale: { domain: domains[field], nice: false, zero: false },
    axis: { tickCount: 6 },
  });
  const axes = {
    x: along("kept", "content kept → more like the photograph"),
    y: along("reached", "style reached → more like the artwork"),
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
  // As far as the numbers of other seeds may lie.
  const bars = (channel, field) => ({
    data: { values: rows.filter((row) => row[`${field}Bar`] > 0) },
    transform: [
      { calculate: `datum.${field} - datum.${field}Bar`, as: "low" },
      { calculate: `datum.${field} + datum.${field}Bar`, as: "high" },
    ],
    mark: { type: "rule", strokeWidth: 1.5, opacity: 0.6 },
    encoding: {
      ...axes,
      [channel]: { ...axes[channel], field: "low" },
      [`${channel}2`]: { field: "high" },
      color: { field: "differs", type: "nominal", scale: { domain: groups, range: colors }, legend },
    },
  });
  const ring = (test, stroke) => ({
    transform: [{ filter: test }],
    mark: { type: "point", size: 330, stroke, strokeWidth: 3, filled: false },
    encoding: axes,
  });
  const spec = {
    height: SCATTER_HEIGHT,
    data: { values: rows },
    layer: [
      {
        data: { values: front.map((run) => rows[shown.indexOf(run)]).sort((a, b) => a.kept - b.kept) },
        mark: {
          type: "line",
          interpolate: "step-before",
          stroke: QUIET,
          strokeWidth: 1.5,
          strokeDash: [5, 3],
        },
        encoding: axes,
      },
      {
        data: { values: withPictures(rows, front, domains) },
        mark: { type: "image", width: AT_POINT, height: AT_POINT, aspect: true, yOffset: -0.55 * AT_POINT },
        encoding: { ...axes, url: { field: "picture", type: "nominal" } },
      },
      bars("x", "kept"),
      bars("y", "reached"),
      point("!datum.ok", { filled: false, opacity: 0.45 }),
      point("datum.ok", { filled: true, opacity: 1 }),
      ring(isHovered, ACCENT),
      ring(isCurrent, INK),
    ],
  };
  const gone = runsOfPair.get(state.pair).length - shown.length;
  element("scatter-note").textContent =
    "Measured alike for all settings; upper right is better. " +
    `Dashed: the Pareto front, runs of which no other has more of both (${front.length}). ` +
    `Hollow: ${shown.some(stopped) ? "stopped, or " : ""}diverged.` +
    (shown.some((run) => RULERS.some((ruler) => barOf(run, ruler)))
      ? " Bars: runs whose bars overlap differ by no more than another seed makes."
      : "") +
    (gone ? ` ${gone} runs are not measured.` : "");
  chart("scatter", `${state.pair} ${innerWidth}`, spec, element("scatter-note").textContent);
}

// From the least to the greatest value of a field, with room for bars and points at the ends, and above for a picture.
function widened(rows, field, above = 0.08) {
  const values = rows.flatMap((row) => [row[field] - row[`${field}Bar`], row[field] + row[`${field}Bar`]]);
  const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
  const span = high - low || 1;
  return [low - 0.08 * span, high + above * span];
}

// Rows with a picture, as far as none covers another: of the default first, then of the front, then of others.
function withPictures(rows, front, domains) {
  const rank = ({ run }) => (runs[run].default ? 0 : front.includes(runs[run]) ? 1 : 2);
  const size = { kept: element("scatter").clientWidth || 800, reached: SCATTER_HEIGHT };
  const apart = (one, other, field) => {
    const [low, high] = domains[field];
    return (Math.abs(one[field] - other[field]) / (high - low)) * size[field] > 1.1 * AT_POINT;
  };
  const chosen = [];
  for (const row of [...rows].sort((a, b) => rank(a) - rank(b)))
    if (chosen.every((other) => apart(row, other, "kept") || apart(row, other, "reached")))
      chosen.push({ ...row, picture: runs[row.run].picture });
  return chosen;
}

view(["run", "pair"], () => whenNear(element("scatter"), drawScatter));
