// What the page's model makes of choices, by simulated raters. All 200 of them: see raters.mjs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { model, rateAll } from "./raters.mjs";

test("simulated raters find one of the best runs, and the intervals hold", () => {
  const { rows } = rateAll({ raters: 6, range: 20, design: "star", counts: [40], first: 1000 });
  assert.ok(rows[0].near >= 4 / 6, `${rows[0].near} of the recommended runs are near the best`);
  assert.ok(rows[0].covered > 0.8, `${rows[0].covered} of the intervals hold`);
});

test("nobody is asked for a pair twice, nor for one without end", () => {
  const priors = model.priorsOf([[0], [0.5], [1]]);
  const belief = model.believe([], priors);
  const asked = new Set();
  const isAsked = (i, j) => asked.has([i, j].sort().join());
  const random = model.randomly(1);
  for (let turn = 0; turn < 3; turn++) asked.add(model.mostTelling(belief, isAsked, random).sort().join());
  assert.deepEqual([...asked].sort(), ["0,1", "0,2", "1,2"]);
  assert.equal(model.mostTelling(belief, isAsked, random), null);
});

test("what is always chosen becomes the best, and a near setting gains by it", () => {
  const priors = model.priorsOf([[0], [0.1], [0.9], [1]]);
  const belief = model.believe(Array(5).fill({ left: 0, right: 3, share: 1 }), priors);
  assert.deepEqual(
    [...belief.mean.keys()].sort((a, b) => belief.mean[b] - belief.mean[a]),
    [0, 1, 2, 3],
  );
  const { best, sure } = model.recommend(belief, model.randomly(1));
  assert.equal(best, 0);
  assert.ok(sure > 0.3 && sure < 1);
  const tie = model.believe([{ left: 0, right: 3, share: 0.5 }], priors);
  assert.ok(Math.abs(tie.mean[0] - tie.mean[3]) < 1e-9);
});

test("words as settings are alike or not, and a study of one setting has a prior", () => {
  const [prior] = model.priorsOf([["a"], ["a"], ["b"]]);
  assert.ok(prior.rows[0][1] > prior.rows[0][2]);
  assert.equal(model.believe([{ left: 0, right: 1, share: 1 }], model.priorsOf([[], []])).mean.length, 2);
});
