"""How often the claims of the gallery hold, over many seeds.

    KERAS_BACKEND=torch python benchmarks/claims.py [--seeds 10] [claim ...]

Prints a row for each script in `examples/claims`.
"""

import argparse
import importlib
import sys
from pathlib import Path

import keras
from rich.console import Console
from rich.table import Table

FOLDER = Path(__file__).parents[1] / "examples" / "claims"


def main():
    names = sorted(path.stem for path in FOLDER.glob("[abc]*_*.py"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("claims", nargs="*", default=names)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=1)
    options = parser.parse_args()
    sys.path.insert(0, str(FOLDER))
    table = Table(title=f"Claims that hold, {keras.backend.backend()}")
    for column in ("claim", "holds", "seeds"):
        table.add_column(column)
    for name in options.claims:
        claim = importlib.import_module(name)
        seeds = range(options.first_seed, options.first_seed + options.seeds)
        held = [bool(claim.holds(claim.measure(seed))) for seed in seeds]
        table.add_row(name, str(sum(held)), str(len(held)))
        print(f"{name}: {sum(held)} of {len(held)}", flush=True)
    Console(width=80).print(table)


if __name__ == "__main__":
    main()
