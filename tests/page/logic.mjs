// The scripts of the page without a page: what they know, as functions to call.

import { readdirSync, readFileSync } from "node:fs";
import { compileFunction } from "node:vm";

const FOLDER = new URL("../../workflow/styletransfer/reports/templates/explorer/", import.meta.url);
const KNOWING = ["study", "axes", "insight", "state", "filter", "exports", "preferences", "choices", "plans"];
const NAMES = `runs nameOf along inOrder nearest text state fromAddress toggleFavourite rate reading compromise change
  scaleOf axisText ticksWithin logAxis axisOf rangeOf withRange condition tableRuns commandOf finalOf favouritesConfig
  gridConfig marksText quoted MEASURED merged comparisonsOf choicesText evenly
  finer smallGrid combined toldOf plansConfig plansCommands`.split(/\s+/);

/** All scripts of the page, as one text. */
export const program = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".js"))
  .map((name) => readFileSync(new URL(name, FOLDER), "utf8"))
  .join("\n");

class Observer {
  observe() {}
  unobserve() {}
}

/** @param study  What the page would find as its data. hash: the address. */
export function page(study, hash = "") {
  const data = { textContent: JSON.stringify(study) };
  const stored = new Map();
  const browser = {
    document: { getElementById: () => data, querySelectorAll: () => [] },
    localStorage: { getItem: (key) => stored.get(key) ?? null, setItem: (key, value) => stored.set(key, value) },
    history: { replaceState() {} },
    location: { hash },
    IntersectionObserver: Observer,
    ResizeObserver: Observer,
    MODES: { single: "One", wipe: "Wipe" },
    COLORS: { own: "Own colours", content: "Content colours" },
  };
  const source = KNOWING.map((name) => readFileSync(new URL(`${name}.js`, FOLDER), "utf8")).join("\n");
  const program = `"use strict";\n${source}\nreturn { ${NAMES.join(", ")} };`;
  return compileFunction(program, Object.keys(browser))(...Object.values(browser));
}

const HELP = { style_weight: "weight of style", learning_rate: "size of a step", style_scales: "scale of style" };
const KINDS = { style_weight: "weight", learning_rate: "optimiser", style_scales: "measure" };
const DEFAULTS = { style_weight: 50, learning_rate: 10, style_scales: "1" };

const NAMES_OF_MEASURES = [
  "style_reached",
  "content_kept",
  "content_loss",
  "style_loss",
  "tv_loss",
  "total_loss",
  "time",
];
const MEASURES = NAMES_OF_MEASURES.map((name, place) => {
  const unit = name === "time" ? "s" : "";
  return { name, title: name.replace("_", " "), unit, better: place < 2 ? "higher" : "lower", within: ["pair"] };
});
// What a picture keeps and reaches, the less the higher its losses are.
const numberOf = (loss) => 1 / (1 + loss / 100);

/** A study from rows of settings that differ from the default, and losses as [content, style, tv]. */
export function studyOf(rows, changes = {}) {
  const runs = rows.map(([settings, [content, style, tv = 1], more = {}], place) => ({
    id: `slug-${String(place).padStart(12, "0")}`,
    pair: "photograph x glass",
    default: Object.keys(settings).length === 0,
    status: "ok",
    reason: "",
    size: [48, 36],
    settings: { ...DEFAULTS, ...settings },
    measured: {
      style_reached: numberOf(style),
      content_kept: numberOf(content),
      ...{ content_loss: content, style_loss: style, tv_loss: tv, total_loss: content + style, time: 4 },
    },
    bars: { style_reached: null, content_kept: null },
    repeats: 1,
    group: Number(settings.style_scales ?? 1),
    front: true,
    device: "cpu",
    curve: { iteration: [0], content: [1], style: [1], tv: [1] },
    picture: "",
    ...more,
  }));
  const parameters = Object.keys(DEFAULTS).map((name) => {
    const values = [...new Set(runs.map((run) => run.settings[name]))].sort((a, b) => a - b);
    return {
      name,
      help: HELP[name],
      kind: KINDS[name],
      values,
      labels: values.map((value) => `${value}`),
      numeric: true,
      integer: false,
    };
  });
  return {
    study: "made up",
    weights: "VGG-16",
    design: "star",
    preserve_colors: false,
    measures: MEASURES,
    parameters,
    constants: { iterations: 4, initial_noiseblend: 1, colors: "style" },
    defaults: { ...DEFAULTS, iterations: 1000, initial_noiseblend: 1, width: 512, colors: "style" },
    pairs: [{ name: "photograph x glass", content: "photograph", styles: ["glass"] }],
    runs,
    config: { weights: "vgg16", images: { photograph: { sample: "astronaut" }, glass: { painting: "glass" } } },
    files: { photograph: "resources/a b.png", glass: "resources/glass.png" },
    network: "resources/vgg16.safetensors",
    pictures: {},
    responses: [],
    ...changes,
  };
}
