"""How often is a remedy recommended that helps, and how often one that does not?

    python benchmarks/remedy_advice.py

simulates studies of ten remedies of which one or none lowers the error, and prints what
`analysis.RemedyResult` recommends.
"""

import argparse
import collections
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "analysis"))

from test_remedies import scattered


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=60)
    studies = parser.parse_args().studies
    rng = np.random.default_rng(5)
    for gain in (0.0, 0.05, 0.08, 0.12, 0.2):
        counts, right = collections.Counter(), 0
        for _ in range(studies):
            gains = {str(arm): 0.0 for arm in range(10)}
            found = scattered({**gains, "helps": gain}, rng).recommendation
            counts[found.confidence] += 1
            right += found.remedy == "helps"
        print(f"gain {gain}: {dict(counts)}, the right one {right}", flush=True)


if __name__ == "__main__":
    main()
