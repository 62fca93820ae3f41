// What the page concludes from the data of a study.

import assert from "node:assert/strict";
import { test } from "node:test";
import { page, program, studyOf } from "./logic.mjs";

// Three weights of style, of which the middle one is the default, and a learning rate that beats it in both losses.
const STAR = [
  [{}, [200, 200]],
  [{ style_weight: 5 }, [100, 1000]],
  [{ style_weight: 500 }, [1000, 100]],
  [{ learning_rate: 1 }, [150, 150]],
  [{ style_scales: "2" }, [1, 1]],
];
const names = (runs) => runs.map((run) => run.settings.style_weight);

test("a run is called by what sets it apart from the default", () => {
  const { runs, nameOf } = page(studyOf(STAR));
  assert.deepEqual(runs.map(nameOf).slice(0, 3), ["the default", "style weight 5", "style weight 500"]);
  const grid = page(studyOf(STAR.slice(0, 2), { design: "grid" }));
  assert.equal(grid.nameOf(grid.runs[0]), "style weight 50, learning rate 10, style scales 1");
});

test("along a parameter lie the runs that differ in nothing else, by its value", () => {
  const { runs, along } = page(studyOf(STAR));
  assert.deepEqual(names(along(runs[0], "style_weight")), [5, 50, 500]);
  assert.deepEqual(names(along(runs[3], "style_weight")), [50]);
});

test("where all parameters vary at once nothing is told of one alone, and all runs are in its order", () => {
  const rows = [7, 5, 6].map((weight, place) => [{ style_weight: weight, learning_rate: place + 1 }, [1, 2]]);
  const { runs, inOrder, reading } = page(studyOf(rows, { design: "sobol" }));
  assert.deepEqual(names(inOrder(runs, "style_weight")), [5, 6, 7]);
  assert.deepEqual(names(runs), [7, 5, 6]);
  assert.equal(reading("style_weight", runs), "Weight of style. The other settings vary from run to run as well.");
});

test("the nearest run changes as little else as it can", () => {
  const rows = [
    [{}, [1, 1]],
    [{ style_weight: 5, learning_rate: 1 }, [1, 1]],
    [{ style_weight: 5, learning_rate: 1, style_scales: "2" }, [1, 1]],
  ];
  const { runs, nearest } = page(studyOf(rows, { design: "list" }));
  assert.equal(nearest(runs[0], "style_weight", 5), runs[1]);
  assert.equal(nearest(runs[2], "style_weight", 5), runs[2]);
});

test("numbers have four digits, and an exponent only where zeros would be counted", () => {
  const { text } = page(studyOf(STAR));
  const shown = [
    [12345.6, "12,350"],
    [0.123456, "0.1235"],
    [1e30, "1e+30"],
    [1.2345e-5, "1.23e-5"],
    [0, "0"],
    [null, "–"],
  ];
  for (const [value, expected] of shown) assert.equal(text(value), expected);
});

test("the reading of a weight compares both ends, and names what lies between and what has more of both", () => {
  const { runs, along, reading } = page(studyOf(STAR.slice(0, 4)));
  assert.equal(
    reading("style_weight", along(runs[0], "style_weight")),
    "Weight of style. From 5 to 500: style reached 0.09 → 0.50, content kept 0.50 → 0.09. " +
      "Of the values tried, 50 lies nearest to the most of both (style reached 0.33, content kept 0.33). " +
      "Another range would name another value: look at 5, 50 and 500 and choose by eye. " +
      "Learning rate 1 has more of both (style reached 0.40 against 0.33, content kept 0.40 against 0.33). " +
      "Unweighted losses: content 10 times larger, style 10 times smaller, tv about the same. " +
      "How much another seed changes was not measured.",
  );
});

test("what is not measured is not told; the losses are", () => {
  const study = studyOf(STAR.slice(0, 3));
  for (const run of study.runs) Object.assign(run.measured, { style_reached: null, content_kept: null });
  const { runs, along, reading } = page(study);
  assert.equal(
    reading("style_weight", along(runs[0], "style_weight")),
    "Weight of style. Unweighted losses: content 10 times larger, style 10 times smaller, tv about the same.",
  );
});

test("a value is called what Python calls it", () => {
  const study = studyOf(STAR);
  study.parameters[0].labels = ["five", "fifty", "many"];
  const { runs, nameOf } = page(study);
  assert.equal(nameOf(runs[2]), "style weight many");
});

test("nothing beats a run but what has more of both, whatever its losses measure", () => {
  for (const other of [[[150, 250]], [[200, 150]], [[250, 250]], [[150, 150], { front: false }]]) {
    const rows = STAR.slice(0, 4).with(3, [{ learning_rate: 1 }, ...other]);
    const { runs, along, reading } = page(studyOf(rows));
    assert.doesNotMatch(reading("style_weight", along(runs[0], "style_weight")), /more of both \(/);
  }
  const { runs, along, reading } = page(studyOf(STAR));
  assert.match(reading("style_weight", along(runs[0], "style_weight")), /Style scales 2 has more of both \(/);
});

test("of several that beat a run the one with the most in sum is named", () => {
  const better = [
    [{ learning_rate: 1 }, [190, 110]],
    [{ learning_rate: 2 }, [120, 120]],
    [{ learning_rate: 3 }, [110, 190]],
  ];
  const { runs, along, reading } = page(studyOf([...STAR.slice(0, 3), ...better]));
  assert.match(reading("style_weight", along(runs[0], "style_weight")), /Learning rate 2 has more of both/);
});

test("of an optimiser's parameter the lowest total tells the best, and diverged runs are counted", () => {
  const rows = [...STAR, [{ learning_rate: 99 }, [1, 1], { status: "diverged" }]];
  const { runs, along, reading } = page(studyOf(rows));
  const words = reading("learning_rate", along(runs[0], "learning_rate"));
  assert.match(words, /the lowest total tells the best: 1 \(300\)\. 1 of 3 runs diverged\. How much another/);
});

test("runs that were stopped before the end are counted, and not compared", () => {
  const rows = [...STAR, [{ learning_rate: 99 }, [1, 1], { status: "stopped" }]];
  const { runs, along, reading } = page(studyOf(rows));
  const words = reading("learning_rate", along(runs[0], "learning_rate"));
  assert.match(words, /the best: 1 \(300\)\. 1 of 3 runs were stopped before the end, and are not compared\. /);
});

test("where a parameter changes what losses measure, the pictures are compared and no losses", () => {
  const { runs, along, reading } = page(studyOf(STAR));
  assert.equal(
    reading("style_scales", along(runs[0], "style_scales")),
    "Scale of style. From 1 to 2: style reached 0.33 → 0.99, content kept 0.33 → 0.99. " +
      "Losses of different values do not compare. How much another seed changes was not measured.",
  );
});

// With the same bar in both numbers of every run.
function barred(rows, bar, constants = {}) {
  const study = studyOf(rows);
  for (const run of study.runs) run.bars = { style_reached: bar, content_kept: bar };
  return page({ ...study, constants: { ...study.constants, ...constants } });
}

test("ends whose bars touch have no difference", () => {
  const { runs, along, reading } = barred(STAR.slice(0, 3), 0.1);
  assert.match(
    reading("style_weight", along(runs[0], "style_weight")),
    /From 5 to 500: style reached 0\.09 ± 0\.10 → 0\.50 ± 0\.10, content kept 0\.50 ± 0\.10 → 0\.09 ± 0\.10\./,
  );
  runs[2].bars.content_kept = 0.32;
  assert.match(
    reading("style_weight", along(runs[0], "style_weight")),
    /0\.50 ± 0\.10, no difference in content kept \(0\.50 ± 0\.10 → 0\.09 ± 0\.32\)\./,
  );
});

test("where no two values differ there is no advice, and none of an optimiser's is the best", () => {
  for (const name of ["style_weight", "learning_rate"]) {
    const { runs, along, reading } = barred(STAR, 0.3);
    const told = reading(name, along(runs[0], name));
    assert.match(told, /No two of its values differ by more than another seed makes\./);
    assert.doesNotMatch(told, /nearest|more of both|the best/);
  }
  const { runs, along, reading } = barred(STAR, 0.05);
  assert.match(reading("style_weight", along(runs[0], "style_weight")), /nearest to the most of both/);
});

test("values that do not differ from the one nearest to both are named", () => {
  const { runs, along, reading } = barred([...STAR.slice(0, 3), [{ style_weight: 70 }, [210, 190]]], 0.02);
  assert.match(
    reading("style_weight", along(runs[0], "style_weight")),
    /50 lies nearest to the most of both \(style reached 0\.33 ± 0\.02, content kept 0\.33 ± 0\.02\)\. 70 does not differ/,
  );
});

test("what has more of both by no more than another seed makes is not named", () => {
  for (const [bar, is] of [
    [0.02, true],
    [0.04, false],
  ]) {
    const { runs, along, reading } = barred(STAR.slice(0, 4), bar);
    const told = reading("style_weight", along(runs[0], "style_weight"));
    assert.equal(/Learning rate 1 has more of both/.test(told), is);
  }
});

test("runs that start without noise need no bars", () => {
  const { runs, along, reading } = barred(STAR, 0, { initial_noiseblend: 0 });
  const told = reading("style_scales", along(runs[0], "style_scales"));
  assert.match(told, /style reached 0\.33 → 0\.99.* All start without noise, so another seed changes nothing\.$/);
});

test("the table shows a number with its bar", () => {
  const { runs, MEASURED } = barred(STAR, 0.003);
  const [reached, , loss] = MEASURED;
  assert.equal(reached.show(reached.read(runs[0]), runs[0]), "0.333 ± 0.003");
  assert.equal(reached.show(reached.read(runs[0])), "0.3333", "on an axis");
  assert.equal(reached.show(null, runs[0]), "–");
  assert.equal(loss.show(loss.read(runs[0]), runs[0]), "200", "a loss has none");
});

test("the compromise lies nearest to the most of both", () => {
  const losses = [
    [1, 1000],
    [50, 50],
    [1000, 1],
  ];
  const { runs, compromise } = page(studyOf(losses.map((pair, place) => [{ style_weight: place }, pair])));
  assert.equal(compromise(runs), runs[1]);
  assert.equal(compromise([runs[0], runs[2]]), runs[0], "ties go to the first");
});

test("a change is told as a factor", () => {
  const { change } = page(studyOf(STAR));
  assert.equal(change(10, 25), "2.5 times larger");
  assert.equal(change(25, 10), "2.5 times smaller");
  assert.equal(change(100, 101), "about the same");
  assert.equal(change(0, 5), "0 → 5");
});

test("values that span much are drawn on a log axis, with 0 on symlog, and with negative ones on a linear axis", () => {
  const { scaleOf, axisOf } = page(studyOf(STAR));
  assert.equal(scaleOf([1, 31]).type, "log");
  assert.equal(scaleOf([1, 29]).type, "linear");
  assert.deepEqual(scaleOf([0, 2, 200]), { type: "symlog", constant: 2 });
  assert.equal(scaleOf([-1, 1, 100]).type, "linear");
  assert.equal(scaleOf([1, 2, 4]).type, "log", "each value doubles");
  assert.equal(scaleOf([1, 2, 3]).type, "linear");
  assert.deepEqual(scaleOf([0, 10, 30]), { type: "symlog", constant: 10 }, "0 and 10 lie apart");
  assert.equal(scaleOf([0, 0.25, 0.5, 0.75, 1]).type, "linear");
  assert.equal(axisOf([1, 10, 100]).placeOf(10), 0.5);
  assert.equal(axisOf([0, 5, 10]).placeOf(5), 0.5);
  assert.equal(axisOf([7, 7]).placeOf(7), 0.5);
  for (const values of [
    [1, 10, 100],
    [0, 10, 30],
    [-1, 0, 1],
  ]) {
    const { placeOf, valueAt } = axisOf(values);
    for (const value of values) assert.ok(Math.abs(valueAt(placeOf(value)) - value) < 1e-9);
  }
});

test("a range of an axis is a part of the filter, and takes the place of another of that axis", () => {
  const { rangeOf, withRange } = page(studyOf(STAR));
  const filter = withRange("ok style_weight<=7 style_weight>1", "style_weight", [5.4321, null]);
  assert.equal(filter, "ok style_weight>=5.43");
  assert.deepEqual(rangeOf(filter, "style_weight"), [5.43, null]);
  assert.equal(withRange(filter, "content_loss", [null, 1234.5]), "ok style_weight>=5.43 content_loss<=1230");
  assert.equal(withRange(filter, "style_weight", [null, null]), "ok");
  assert.deepEqual(rangeOf("style_weight>abc style_weight=5", "style_weight"), [null, null]);
});

test("a log axis has fewer lines in a decade the more decades it has", () => {
  const { logAxis } = page(studyOf(STAR));
  const within = ([low, high]) => logAxis([low, high]).values?.filter((value) => value >= low && value <= high);
  assert.deepEqual(within([1, 10]), [1, 2, 5, 10]);
  assert.deepEqual(within([1, 1000]), [1, 3, 10, 30, 100, 300, 1000]);
  assert.deepEqual(within([1, 1e5]), [1, 10, 100, 1000, 1e4, 1e5]);
  assert.equal(within([1, 2]), undefined, "Vega's own ticks do for less than half a decade");
});

test("numbers at axes are those that people read, at round distances", () => {
  const { axisText, ticksWithin } = page(studyOf(STAR));
  const read = [0, 1e-7, 2.5e-4, 0.001, 0.03, 1, 300, 1500, 2e4, 3e6, 1e9, 1e30, -1e-5].map(axisText);
  const plain = ["0", "1e-7", "2.5e-4", "0.001", "0.03", "1", "300", "1.5k", "20k", "3M", "1e9", "1e30", "-1e-5"];
  assert.deepEqual(read, plain);
  assert.deepEqual(ticksWithin(0, 1000, 4), [0, 500, 1000]);
  assert.deepEqual(ticksWithin(0, 60, 4), [0, 20, 40, 60]);
  assert.deepEqual(ticksWithin(1.2, 2.9, 4).map(axisText), ["1.5", "2", "2.5"]);
});

test("words of the filter compare, or search; a faulty one says why and hides nothing", () => {
  const { state, tableRuns, condition } = page(studyOf(STAR));
  const found = (filter) => names(tableRuns(filter.split(" ").map(condition)));
  assert.deepEqual(found("style_weight>=50 style_weight<500"), [50, 50, 50]);
  assert.deepEqual(found("style_weight!=50"), [5, 500]);
  assert.deepEqual(found("content_loss<=100 STYLE"), [5, 50]);
  assert.equal(condition("stile_weight>3").fault.slice(0, 30), "no column stile_weight; known:");
  assert.equal(condition("style_weight>abc").fault, "abc is no number, as style_weight wants");
  assert.equal(found("stile_weight>3").length, 5);
  Object.assign(state, { sort: "style_loss", descending: true });
  assert.deepEqual(names(tableRuns([])), [5, 50, 50, 500, 50]);
});

test("what has no value is sorted last, whichever way", () => {
  const { runs, state, tableRuns } = page(studyOf(STAR));
  runs[0].measured.style_loss = null;
  for (const descending of [true, false]) {
    Object.assign(state, { sort: "style_loss", descending });
    assert.equal(tableRuns([]).at(-1), runs[0]);
  }
});

test("the command quotes what a shell would take for more, and says what differs from the defaults", () => {
  const { runs, commandOf, quoted } = page(studyOf(STAR));
  assert.equal(quoted("it's"), "'it'\\''s'");
  const lines = commandOf(runs[2], 1024, true).split(" \\\n    ");
  assert.deepEqual(lines, [
    "styletransfer transfer",
    "--content 'resources/a b.png'",
    "--styles resources/glass.png",
    "--network resources/vgg16.safetensors",
    "--iterations 4",
    "--colors content",
    "--style-weight 500",
    "--width 1024",
    "--output final-000000000002.png",
  ]);
});

test("a larger picture grows from the run's own, a smaller one has its settings", () => {
  const { runs, finalOf, commandOf } = page(studyOf(STAR));
  const [run] = runs;
  assert.equal(finalOf(run, 48, false), commandOf(run, 48, false));
  const made = "styletransfer final slug-000000000000 \\\n    --study 'made up' --width 49";
  assert.equal(finalOf(run, 49, false), made);
  assert.equal(finalOf(run, 49, true), `${made} --preserve-colors`);
});

test("a config of favourites has the width and the colours that are asked for, and no run twice", () => {
  const rows = [
    [{ style_weight: 5, width: 64 }, [1, 1]],
    [{ style_weight: 5, width: 128 }, [1, 1]],
  ];
  const study = studyOf(rows);
  study.parameters.push({ ...study.parameters[0], name: "width", values: [64, 128], labels: ["64", "128"] });
  const { runs, favouritesConfig } = page(study);
  const lines = favouritesConfig(study.pairs[0], runs, 2480, true).split("\n");
  assert.equal(lines[1], 'study: "made up-favourites"');
  assert.deepEqual(lines.slice(6, -1), [
    'pairs: [{"content":"photograph","styles":["glass"]}]',
    "preserve_colors: true",
    "defaults:",
    "  iterations: 4",
    "  width: 2480",
    "design: list",
    "runs:",
    '  - {"style_weight":5,"learning_rate":10,"style_scales":"1"}',
  ]);
  assert.doesNotMatch(favouritesConfig(study.pairs[0], runs, 64, false), /preserve/);
});

test("the config of a grid has every combination of two parameters, and the other settings of a run", () => {
  const { runs, gridConfig } = page(studyOf(STAR));
  const lines = gridConfig(runs[4], ["style_weight", "learning_rate"], false).split("\n");
  assert.deepEqual(lines.slice(7, -1), [
    "defaults:",
    "  iterations: 4",
    '  style_scales: "2"',
    "design: grid",
    "vary:",
    "  style_weight: [5,50,500]",
    "  learning_rate: [1,10]",
  ]);
});

test("a run with colours of its own keeps them", () => {
  const constants = { iterations: 4, initial_noiseblend: 1, colors: "matched" };
  const { runs, commandOf } = page(studyOf(STAR, { constants }));
  assert.match(commandOf(runs[0], 64, true), /--colors matched/);
  assert.doesNotMatch(commandOf(runs[0], 64, true), /--colors content/);
});

test("a run with widths of its stages has as many stages at another width", () => {
  const { runs, commandOf } = page(studyOf(STAR, { constants: { iterations: 4, stages: "16 32 48" } }));
  const own = runs[0].size[0];
  assert.match(commandOf(runs[0], own, false), /--stages 16 32 48/);
  assert.match(commandOf(runs[0], 2 * own, false), /--stages 3 /);
});

test("a run that starts from a picture names it", () => {
  const { runs, commandOf } = page(studyOf(STAR, { constants: { initial_noiseblend: 0 } }));
  assert.match(commandOf(runs[0], 64, false), /--initial 'resources\/a b\.png'/);
});

test("favourites and ratings are told with settings and losses", () => {
  const { runs, rate, toggleFavourite, marksText } = page(studyOf(STAR));
  toggleFavourite(runs[1]);
  rate(runs[2], 4);
  rate(runs[3], 5);
  rate(runs[3], 5);
  const told = JSON.parse(marksText()).runs;
  assert.deepEqual(
    told.map(({ run_id, favourite, rating }) => [run_id, favourite, rating]),
    [
      [runs[1].id, true, null],
      [runs[2].id, false, 4],
    ],
  );
  assert.equal(told[0].settings.style_weight, 5);
});

test("a link takes over only what the study knows", () => {
  const known = page(studyOf(STAR), "#run=000000000002&zoom=2.5&weighted=true&pins=000000000001,none,000000000003");
  const { found, unknown } = known.fromAddress();
  assert.deepEqual(
    [found.run, found.zoom, found.weighted, found.pins, unknown],
    [known.runs[2].key, 2.5, true, ["000000000001", "000000000003"], null],
  );
  const foreign = page(
    studyOf(STAR),
    "#run=none&mode=none&zoom=x&pair=none&along=none&colors=none&evil=1",
  ).fromAddress();
  assert.equal(foreign.unknown, "none");
  assert.deepEqual(foreign.found, page(studyOf(STAR)).fromAddress().found);
});

test("the scripts define nothing that none of them uses", () => {
  const defined = [...program.matchAll(/^(?:const|let|(?:async )?function) (\w+)/gm)].map(([, name]) => name);
  assert.ok(defined.length > 100);
  assert.deepEqual(
    defined.filter((name) => program.match(new RegExp(`\\b${name}\\b`, "g"))?.length === 1),
    [],
  );
});

test("no line is longer than 120 characters, texts included", () => {
  assert.deepEqual(
    program.split("\n").filter((line) => line.length > 120),
    [],
  );
});

const chosenBetween = ([left, right], changes = {}) => ({
  ...{ left: left.id, right: right.id, chosen: "left", rater: "Ada", at: "2026-01-01T00:00:00.000Z" },
  ...changes,
});
const fileOfChoices = (choices, changes = {}) =>
  JSON.stringify({ format: "styletransfer-choices", version: 1, study: "made up", choices, ...changes });

test("of more runs than can be judged some are, the first and as many of each part", () => {
  const { evenly } = page(studyOf(STAR));
  const found = Array.from({ length: 1000 }, (_, place) => place);
  assert.deepEqual(evenly(found, 1000), found);
  const some = evenly(found, 300);
  assert.equal(new Set(some).size, 300);
  assert.equal(some[0], 0);
  for (let part = 0; part < 10; part++)
    assert.equal(some.filter((place) => Math.floor(place / 100) === part).length, 30);
});

test("choices of several people are taken in once each, and what is of other runs is counted", () => {
  const { runs, merged } = page(studyOf(STAR));
  const own = chosenBetween(runs);
  const others = [
    own,
    chosenBetween(runs.slice(1), { rater: "Ben", note: "more than is known" }),
    chosenBetween(runs.slice(1), { rater: "Ben" }),
    chosenBetween([runs[0], { id: "none" }]),
    chosenBetween(runs, { chosen: "both" }),
    null,
  ];
  const { choices, told } = merged("ben.json", fileOfChoices(others), [own]);
  assert.deepEqual(choices, [own, chosenBetween(runs.slice(1), { rater: "Ben" })]);
  assert.equal(
    told,
    "ben.json: 1 taken in, 2 known already, 1 of runs that cannot be judged here, left out, 2 incomplete, left out.",
  );
});

test("what is no file of choices of this study is refused in a sentence, and changes nothing", () => {
  const { runs, merged } = page(studyOf(STAR));
  const there = [chosenBetween(runs)];
  const faulty = [
    ["{", "it is no JSON."],
    ["null", "it is no file of choices: this page saves them by “Save choices”."],
    [fileOfChoices([], { format: "other" }), "it is no file of choices: this page saves them by “Save choices”."],
    [fileOfChoices({}), "it is no file of choices: this page saves them by “Save choices”."],
    [fileOfChoices([], { version: 2 }), "its version is 2; this page knows 1."],
    [fileOfChoices([], { study: "other" }), 'it is of the study "other", this page of "made up".'],
  ];
  for (const [content, why] of faulty)
    assert.deepEqual(merged("x", content, there), { choices: there, told: `x is not read: ${why}` });
});

test("a choice of a run without a result is none", () => {
  const { runs, merged } = page(studyOf([...STAR, [{ learning_rate: 99 }, [1, 1], { status: "diverged" }]]));
  const { choices, told } = merged("x", fileOfChoices([chosenBetween([runs[0], runs[5]])]), []);
  assert.deepEqual(choices, []);
  assert.match(told, /1 of runs that cannot be judged here/);
});

test("what a run changes of the default is done to another one, and lies on no run yet", () => {
  const { runs, combined, toldOf } = page(studyOf(STAR));
  const both = combined(runs[1], runs[3]);
  assert.deepEqual(both, { style_weight: 5, learning_rate: 1, style_scales: "1" });
  const pair = runs[0].pair;
  // Each run took 4 s.
  assert.equal(
    toldOf(pair, [both]),
    "1 setting, 1 of them new: about 4 s on one device, by the median run of this study.",
  );
  assert.equal(toldOf(pair, [runs[2].settings]), "1 setting, none of them new: each is a run of this study.");
  const larger = { ...both, width: 480, iterations: 40 };
  assert.match(toldOf(pair, [larger]), /about 67 minutes/, "time grows with pixels and iterations");
});

test("finer values lie halfway to the neighbours on the axis, and a small grid takes the neighbours", () => {
  const { runs, finer, smallGrid } = page(studyOf(STAR));
  assert.deepEqual(names(finer(runs[0], "style_weight").map((settings) => ({ settings }))), [15.8, 158]);
  assert.deepEqual(names(finer(runs[1], "style_weight").map((settings) => ({ settings }))), [15.8]);
  const grid = smallGrid(runs[0], "style_weight", "learning_rate");
  assert.deepEqual(
    grid.map((settings) => [settings.style_weight, settings.learning_rate]),
    [5, 50, 500].flatMap((weight) => [1, 10].map((rate) => [weight, rate])),
  );
  const study = studyOf(STAR.slice(0, 3));
  study.parameters[0].integer = true;
  const whole = page(study);
  assert.deepEqual(names(whole.finer(whole.runs[0], "style_weight").map((settings) => ({ settings }))), [16, 158]);
});

test("what to run next is a list of runs, and a command for each that is new", () => {
  const { runs, smallGrid, plansConfig, plansCommands } = page(studyOf(STAR));
  const plans = smallGrid(runs[1], "style_weight", "learning_rate");
  const lines = plansConfig(runs[0].pair, plans, false).split("\n");
  assert.equal(lines[1], 'study: "made up-next"');
  assert.deepEqual(lines.slice(7, 12), [
    "defaults:",
    "  iterations: 4",
    "design: list",
    "runs:",
    '  - {"style_weight":5,"learning_rate":1,"style_scales":"1"}',
  ]);
  const commands = plansCommands(runs[0].pair, plans, false).match(/--output \S+/g);
  assert.deepEqual(commands, ["--output final-next-1.png"], "of four settings three are runs");
});
