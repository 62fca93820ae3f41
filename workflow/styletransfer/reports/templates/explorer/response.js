// What a model of all runs says of each measure: in sentences, as shares of its variance, along curves, and in pairs.

const [SHARE_WIDE, CURVE_WIDE, CURVE_TALL] = [190, 140, 48];
const [LINES_WIDE, LINES_TALL] = [300, 120];

// Below 10 % in tenths; intervals are rounded outwards.
function percent(share, rounded = Math.round) {
  const scale = share < 0.1 ? 10 : 1;
  return `${rounded(Number((100 * scale * share).toFixed(6))) / scale} %`;
}
const spanOf = ({ low, high }) => `${percent(low, Math.floor).slice(0, -2)} to ${percent(high, Math.ceil)}`;
// A sentence, where what stands between backticks is code.
const sentence = (tag, text) =>
  make(tag, {}, ...text.split("`").map((part, place) => (place % 2 ? make("code", { textContent: part }) : part)));
const axisName = (name) => (name === "pair" ? "the pictures" : words(name));
const valueText = (value) => (typeof value === "number" ? text(value) : value);
const className = (verdict) => verdict.replaceAll(" ", "-");

function showResponse(found) {
  const [trust, ...told] = found.sentences;
  const parts = [
    make("h3", { textContent: capital(found.title) }),
    sentence("p", trust),
    make("ul", {}, ...told.map((text) => sentence("li", text))),
  ];
  if (found.effects.length) {
    const lines = found.pairs.filter((pair) => pair.lines.length);
    parts.push(
      make(
        "div",
        { className: "response-body" },
        scrolling(`Shares of ${found.title}, scrolls`, effectsTable(found)),
        ...(found.pairs.some((pair) => pair.share)
          ? [scrolling(`Pairs of ${found.title}, scrolls`, pairsTable(found))]
          : []),
      ),
      make("div", { className: "response-lines" }, ...lines.map((pair) => linesFigure(found, pair))),
    );
  }
  return make("div", { className: "response" }, ...parts);
}

const scrolling = (label, child) =>
  make("div", { className: "scroll whole", tabIndex: 0, role: "region", "aria-label": label }, child);

const headCells = (titles) => titles.map((title) => make("th", { scope: "col", textContent: title }));

function effectsTable(found) {
  const most = Math.max(0.25, ...found.effects.map((effect) => effect.total.high));
  const domain = domainOfCurves(found.effects.map((effect) => effect.curve));
  const rows = found.effects.map((effect) => {
    const { parameter, total, alone, verdict, curve } = effect;
    const name = make("button", { textContent: words(parameter), title: "Choose it above" });
    name.onclick = () => {
      update({ along: parameter });
      scrollToSection(element("along-title"));
    };
    const share = `${percent(total.value)} (${spanOf(total)})`;
    const label = `${share}, alone ${percent(alone.value)}`;
    return make(
      "tr",
      { className: className(verdict) },
      make("th", { scope: "row" }, parameterByName.has(parameter) ? name : words(parameter)),
      make("td", {}, shareBar(total, alone, most, label), make("div", { textContent: share })),
      make("td", { className: "verdict", textContent: verdict }),
      make("td", {}, curvePicture(effect, domain), make("div", { textContent: ends(curve.values) })),
    );
  });
  const titles = ["parameter", "share of the variance", "verdict", `${found.title}, mean`];
  return make(
    "table",
    { className: "plain shares" },
    make("thead", {}, make("tr", {}, ...headCells(titles))),
    make("tbody", {}, ...rows),
  );
}

const ends = (values) =>
  typeof values[0] === "number" ? `${text(values[0])} to ${text(values[values.length - 1])}` : values.join(", ");

// In full colour what it does alone, pale what it does together with others, a line for the interval.
function shareBar(total, alone, most, label) {
  const x = (share) => (share / most) * SHARE_WIDE;
  return draw(
    "svg",
    { viewBox: `0 0 ${SHARE_WIDE} 18`, width: SHARE_WIDE, height: 18, role: "img", "aria-label": label },
    draw("rect", { class: "with", y: 2, height: 14, width: x(total.value) }),
    draw("rect", { class: "alone", y: 2, height: 14, width: x(Math.min(alone.value, total.value)) }),
    draw("line", { class: "interval", x1: x(total.low), x2: x(total.high), y1: 9, y2: 9 }),
  );
}

/** @returns {[number, number]} */
function domainOfCurves(curves) {
  const all = curves.flatMap((curve) => [...(curve.low ?? curve.mean), ...(curve.high ?? curve.mean)]);
  return [Math.min(...all), Math.max(...all)];
}

// Where the points of a curve lie: evenly across, as the model has them, and by value upwards.
function placer([low, high], wide, tall, edge = 5) {
  const x = (place, count) => edge + (count > 1 ? place / (count - 1) : 0.5) * (wide - 2 * edge);
  const y = (value) => tall - edge - ((value - low) / (high - low || 1)) * (tall - 2 * edge);
  return { y, points: (values) => values.map((value, place) => [x(place, values.length), y(value)]) };
}

function curvePicture({ kind, curve }, domain) {
  const { points, y } = placer(domain, CURVE_WIDE, CURVE_TALL);
  const mean = points(curve.mean);
  const band = [...points(curve.high), ...points(curve.low).reverse()];
  const told = [0, curve.mean.length - 1].map((at) => `${text(curve.mean[at])} at ${valueText(curve.values[at])}`);
  const marks =
    kind === "choice"
      ? mean.flatMap(([x, middle], place) => [
          draw("line", { class: "bar", x1: x, x2: x, y1: y(curve.low[place]), y2: y(curve.high[place]) }),
          draw("circle", { class: "dot", cx: x, cy: middle, r: 3.5 }),
        ])
      : [draw("polygon", { class: "band", points: band.join(" ") }), draw("polyline", { points: mean.join(" ") })];
  const size = { viewBox: `0 0 ${CURVE_WIDE} ${CURVE_TALL}`, width: CURVE_WIDE, height: CURVE_TALL };
  return draw("svg", { ...size, role: "img", class: "curve", "aria-label": `mean ${told.join(", ")}` }, ...marks);
}

// A cell for each two: what they do together, beyond what each does alone. Without rows of which nothing can be told.
function pairsTable({ effects, pairs }) {
  const names = effects.map((effect) => effect.parameter);
  if (pairs.some((pair) => pair.parameters.includes("pair"))) names.push("pair");
  const pairOf = (one, two) => pairs.find((pair) => pair.parameters.includes(one) && pair.parameters.includes(two));
  const rows = names
    .slice(1)
    .map((row, place) => ({ row, place }))
    .filter(({ row, place }) => names.slice(0, place + 1).some((column) => pairOf(column, row).share))
    .map(({ row, place }) =>
      make(
        "tr",
        {},
        make("th", { scope: "row", textContent: axisName(row) }),
        ...names.slice(0, place + 1).map((column) => pairCell(pairOf(column, row))),
        ...names.slice(place + 2).map(() => make("td")),
      ),
    );
  return make(
    "table",
    { className: "pairs" },
    make("caption", { textContent: "Share of what two do together, beyond each alone" }),
    make("thead", {}, make("tr", {}, make("td"), ...headCells(names.slice(0, -1).map(axisName)))),
    make("tbody", {}, ...rows),
  );
}

function pairCell(pair) {
  const { share, verdict, runs: count } = pair;
  const label = `${verdict}: ${count} runs vary both`;
  if (!share) return make("td", { className: "untold", title: label, textContent: "cannot be told" });
  const cell = make("td", { className: className(verdict), title: label });
  cell.append(percent(share.value), make("div", { textContent: spanOf(share).slice(0, -2) }));
  cell.style.setProperty("--share", `${Math.min(100, 200 * share.value)}%`);
  return cell;
}

// What the first of two parameters does where the other is low and high, or for each of its words.
function linesFigure(found, { parameters: [one, two], lines }) {
  const { points } = placer(domainOfCurves(lines), LINES_WIDE, LINES_TALL);
  const drawn = lines.map(({ mean }, place) =>
    draw("polyline", {
      class: "of-two",
      stroke: CATEGORIES[place % CATEGORIES.length],
      points: points(mean).join(" "),
    }),
  );
  const told = lines.map(
    ({ at, mean }) => `${axisName(two)} ${valueText(at)}: ${text(mean[0])} to ${text(mean.at(-1))}`,
  );
  const size = { viewBox: `0 0 ${LINES_WIDE} ${LINES_TALL}`, width: LINES_WIDE, height: LINES_TALL };
  const picture = draw("svg", { ...size, role: "img", class: "curve", "aria-label": told.join("; ") }, ...drawn);
  const legend = told.map((line, place) => {
    const key = draw("svg", { viewBox: "0 0 18 8", width: 18, height: 8, "aria-hidden": "true" });
    key.append(draw("line", { x1: 0, x2: 18, y1: 4, y2: 4, stroke: CATEGORIES[place % CATEGORIES.length] }));
    return make("div", {}, key, ` ${line}`);
  });
  const title = `${capital(found.title)} along ${words(one)}, ${ends(lines[0].values)}`;
  return make("figure", {}, make("figcaption", { textContent: title }), picture, ...legend);
}

function drawResponses() {
  const box = element("responses");
  box.replaceChildren(...study.responses.map(showResponse));
  for (const scroll of box.querySelectorAll(".scroll")) {
    scroll.addEventListener("scroll", () => fadeEdge(scroll), { passive: true });
    new ResizeObserver(() => fadeEdge(scroll)).observe(scroll);
  }
}

if (study.responses.length) whenNear(element("responses"), drawResponses);
