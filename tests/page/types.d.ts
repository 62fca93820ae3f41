// What `explorer.content` in Python gathers for the page, and what the page makes of it.

type Value = number | string;
type Term = "content" | "style" | "tv";

interface Run {
  id: string;
  pair: string;
  default: boolean;
  status: string;
  reason: string;
  size: [number, number];
  settings: Record<string, Value>;
  /** Numbers by the name of a measure; null where there is none. */
  measured: Record<string, any>;
  /** Of a measure, how far the numbers of other seeds may lie to either side; null where it was not measured. */
  bars: Record<string, number | null>;
  /** How many runs with other seeds its numbers are the means of. */
  repeats: number;
  /** Equal where unweighted losses compare. */
  group: number;
  /** Whether no other run of its pair has more of both style and content. */
  front: boolean;
  device: string;
  /** bands: by loss the least and the greatest of repeats; there where the setting has several. */
  curve: {
    iteration: number[];
    bands?: Record<string, { low: number[]; high: number[] }>;
  } & Record<Term, (number | null)[]>;
  picture: string;
  /** Its place among all runs. */
  index: number;
  /** Its name in the address. */
  key: string;
}

interface Measure {
  name: string;
  title: string;
  unit: string;
  better: "lower" | "higher";
  /** In what two runs must agree for their numbers to compare. */
  within: string[];
}

interface Parameter {
  name: string;
  help: string;
  kind: "weight" | "measure" | "optimiser";
  values: Value[];
  /** What to call each value. */
  labels: string[];
  numeric: boolean;
  /** Whether its values are whole numbers. */
  integer: boolean;
}

/** A share of a variance, with a 90 % interval. */
interface Share {
  value: number;
  low: number;
  high: number;
}

/** What a model says of a measure. */
interface Response {
  title: string;
  sentences: string[];
  effects: {
    parameter: string;
    kind: "linear" | "log" | "choice";
    total: Share;
    alone: Share;
    verdict: string;
    curve: { values: Value[]; mean: number[]; low: number[]; high: number[] };
  }[];
  pairs: {
    parameters: [string, string];
    runs: number;
    share: Share | null;
    verdict: string;
    lines: { at: Value; values: Value[]; mean: number[] }[];
  }[];
}

interface Pair {
  name: string;
  content: string;
  styles: string[];
  initial?: string;
}

interface Study {
  study: string;
  weights: string;
  design: "star" | "grid" | "list" | "sobol" | "lhs";
  preserve_colors: boolean;
  measures: Measure[];
  parameters: Parameter[];
  constants: Record<string, Value>;
  defaults: Record<string, Value>;
  pairs: Pair[];
  runs: Run[];
  config: { weights: unknown; images: Record<string, unknown> };
  files: Record<string, string>;
  network: string;
  responses: Response[];
  /** The folder of all runs: from that of the project, and from the page. */
  pool: string;
  pool_link: string;
  pictures: Record<string, string>;
}

/** A column of the table of runs. words: its values are no numbers. note: what to know of it. */
interface Column {
  name: string;
  title: string;
  note?: string;
  words?: boolean;
  read: (run: Run) => any;
  show: (value: any, run?: Run) => string;
}

interface Measured extends Column {
  /** Whether its numbers of two runs compare. */
  compares: (run: Run, other: Run) => boolean;
}

/** A map that is asked only for what it has. */
type Index<T> = { get(key: string): T } & Map<string, T>;

/** Two runs by their places; share: 1 where the left one was chosen, 0 where the right one, 0.5 where neither. */
interface Comparison {
  left: number;
  right: number;
  share: number;
}

/** A covariance of strengths: rows of a symmetric matrix, all of them times `scale`. */
interface Prior {
  rows: Float64Array[];
  scale: number;
}

/** A choice between two pictures, as a file of choices holds it. at: time in ISO 8601. */
interface Choice {
  left: string;
  right: string;
  chosen: "left" | "right" | "equal" | "skip";
  rater: string;
  at: string;
}
