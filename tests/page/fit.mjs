// A fit of the page's model as numbers, for tests in Python: JSON in, JSON out.

import { readFileSync } from "node:fs";
import { model } from "./raters.mjs";

const { count, variance, places, comparisons } = JSON.parse(readFileSync(0, "utf8"));
const rows = variance ? model.centred(count, (i, j) => Number(i === j)) : model.priorsOf(places)[0].rows;
const { mean, covariance } = model.fit(comparisons, { rows, scale: variance ?? 1 });
const every = [...mean.keys()];
const known = every.map((i) => every.map((j) => covariance(i, j)));
console.log(JSON.stringify({ mean: [...mean], covariance: known, prior: rows.map((row) => [...row]) }));
