"""How often the response model is right, on responses that are known: run by hand, since it lasts for minutes.

python tests/simulations/response.py --seeds 100 --runs 64 --noise 0.2

Of each seed a Sobol design of six parameters, of which two act, each on its own and both together.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from helpers import planted
from styletransfer.analysis.measures import STYLE_REACHED
from styletransfer.analysis.response import response


def shares(acting):
    """The true shares of two that act: of each in all, and of both together, by a mean over a fine grid."""
    total = acting.var()
    alone = [acting.mean(axis).var() for axis in (1, 0)]
    together = total - sum(alone)
    return [(one + together) / total for one in alone], together / total


def main() -> None:
    """Print what came out."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seeds", type=int, default=100)
    options.add_argument("--runs", type=int, default=64)
    options.add_argument("--noise", type=float, default=0.2, help="relative to the response (default: %(default)s)")
    options = options.parse_args()
    axis = np.linspace(-1, 1, 401)
    each, both = shares(planted.acting(axis[:, None], axis[None]))
    right = wrong = silent = within = count = 0
    predicts = []
    start = time.process_time()
    for seed in range(options.seeds):
        runs, (one, two) = planted.two_act(seed, options.runs, options.noise)
        found = response(runs, STYLE_REACHED)
        matter = {effect.parameter for effect in found.effects if effect.verdict == "matters"}
        together = [set(pair.parameters) for pair in found.pairs if pair.verdict == "act together"]
        right += (matter, together) == ({one, two}, [{one, two}])
        wrong += bool(matter - {one, two}) or any(pair != {one, two} for pair in together)
        predicts.append(found.predicts)
        told = {effect.parameter: effect.total for effect in found.effects}
        (pair,) = (pair.share for pair in found.pairs if set(pair.parameters) == {one, two})
        for share, true in ((told[one], each[0]), (told[two], each[1]), (pair, both)):
            within += share.low <= true <= share.high
            count += 1
        noise = response(planted.nothing_acts(seed, options.runs), STYLE_REACHED)
        silent += bool(noise.reason)
    print(f"{options.runs} runs of 6 parameters, noise {options.noise:g} of the response, {options.seeds} seeds:")
    print(f"  names the two and that they act together, and nothing else: {right}")
    print(f"  names something that does not act: {wrong}")
    print(f"  predicts of the variance of runs left out, on average: {np.mean(predicts):.2f}")
    print(f"  true shares within their 90 % intervals: {within} of {count}")
    print(f"  says nothing of a measure that is noise: {silent}")
    print(f"  CPU time of a model: {(time.process_time() - start) / options.seeds / 2:.2f} s")


if __name__ == "__main__":
    main()
