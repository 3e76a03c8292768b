"""How often noise on a flat curve looks like overfitting: draws the threshold anew.

Each run is a flat curve of 300 epochs, judged after each of the epochs. Printed are,
for runs up to n epochs, the statistic over the threshold that one run in 100 exceeds
(to be 0 or less) and the share of runs that are flagged at `alpha`.

    python benchmarks/overfitting_null.py [runs] [memory of the noise] [tails]
"""

import sys

import numpy as np

from keras_dlbasic.analysis.overfitting.curve_turn import find_turn

LOOKS = (*range(5, 41), *range(42, 81, 2), *range(84, 301, 6))


def simulate(runs, memory=0.0, tails=0, seed=0, level=0.02):
    """Return statistic, threshold and whether flagged, `[runs, looks]` each."""
    rng = np.random.default_rng(seed)
    shape = (runs, len(LOOKS))
    statistic, threshold, flagged = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for run in range(runs):
        noise = (
            rng.standard_t(tails, 300) / np.sqrt(tails / (tails - 2))
            if tails
            else rng.standard_normal(300)
        )
        for i in range(1, 300 if memory else 0):
            noise[i] = memory * noise[i - 1] + np.sqrt(1 - memory**2) * noise[i]
        for column, n in enumerate(LOOKS):
            turn = find_turn(1 + level * noise[:n])
            statistic[run, column] = turn.statistic
            threshold[run, column] = turn.threshold
            flagged[run, column] = turn.turned
    return statistic, threshold, flagged


def main(runs=300, memory=0.0, tails=0):
    """Print the table."""
    statistic, threshold, flagged = simulate(int(runs), float(memory), int(tails))
    print("  n   1% excess  2%  5%   flagged so far")
    for n in (5, 6, 7, 8, 10, 12, 15, 20, 30, 40, 60, 80, 150, 300):
        upto = np.array(LOOKS) <= n
        excess = (statistic - threshold)[:, upto].max(axis=1)
        cuts = np.quantile(excess, [0.99, 0.98, 0.95])
        share = flagged[:, upto].any(axis=1).mean()
        here = np.quantile(statistic[:, LOOKS.index(n)], [0.95, 0.99, 0.995])
        print(f"{n:4d}", np.round(cuts, 1), f"{share:.3f}   here", np.round(here, 1))


if __name__ == "__main__":
    main(*sys.argv[1:])
