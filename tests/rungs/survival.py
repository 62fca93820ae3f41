"""How many of a study's best runs would have come through its rungs, and in how many steps.

    python tests/rungs/survival.py results/studies/my-study --shares 0.2 0.35 0.5

The study is one with `rungs` and `rungs_share: 1`, which computes every run all the way and measures it at every rung.
What a smaller share had decided is decided again from these numbers, by the workflow's own functions.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

from styletransfer.errors import command
from styletransfer.results.rungs import Candidate, decided
from styletransfer.study import plan
from styletransfer.study.rungs import counts

KEY = ["pair", "parameter", "label"]
BEST = 10


def measured(folder, rungs):
    """A table for each rung: its runs, and what was measured of them there; in the order of the study."""
    path = plan.find(folder)
    stem = path.stem.rpartition("-")[0]
    found = [pd.read_csv(folder / f"{stem}-{rung}.csv") for rung in rungs[1:]]
    last = pd.read_csv(folder / "runs.csv").drop_duplicates("run_id", keep="last")
    tables = [table.fillna({"parameter": ""}).astype({"label": str}).set_index(KEY) for table in [*found, last]]
    return [table.loc[tables[0].index].assign(is_ahead=False).reset_index() for table in tables]


def going(table, most, by):
    """Which rows of a table go on, by their keys; the best first."""
    rows = [Candidate(*row) for row in table[list(Candidate._fields)].itertuples(index=False)]
    made = decided(rows, most, by)
    return [tuple(row) for row in made[made["goes_on"]].sort_values("rank")[KEY].itertuples(index=False)]


def survival(folder, share):
    """Of each pair: the runs at each rung, how many of the best of all are among them, and the part of the steps."""
    study = plan.read(plan.find(folder))
    rungs, by = study.config["rungs"], study.config["rungs_by"]
    tables = measured(folder, rungs)
    for pair in dict.fromkeys(tables[0]["pair"]):
        at = [table[table["pair"] == pair] for table in tables]
        ok = at[-1][at[-1]["status"] == "ok"].assign(is_default=False)
        best = set(going(ok, BEST, by))
        most = counts(rungs, share, len(at[0]))
        alive, numbers, kept = set(map(tuple, at[0][KEY].to_numpy())), [len(at[0])], [len(best)]
        for table, number in zip(at, most[1:], strict=False):
            come = table[[key in alive for key in map(tuple, table[KEY].to_numpy())]]
            alive = set(going(come, number, by))
            numbers.append(len(alive))
            kept.append(len(best & alive))
        steps = [number * (last - first) for number, first, last in zip(numbers, (0, *rungs), rungs, strict=False)]
        yield pair, numbers, kept, sum(steps) / (numbers[0] * rungs[-1])


@command
def main():
    """A line for each share and pair."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="results/studies/<study>")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.2, 0.35, 0.5], help="of the steps")
    options = parser.parse_args()
    for share in options.shares:
        for pair, numbers, kept, part in survival(options.folder, share):
            runs, best = (" -> ".join(map(str, each)) for each in (numbers, kept))
            print(f"{share:.2f}  {pair}: runs {runs}; of the best {BEST} {best}; {part:.1%} of the steps")


if __name__ == "__main__":
    sys.exit(main())
