"""Check every way to train, and write the compatibility matrix of the guide.

    KERAS_BACKEND=jax python benchmarks/compatibility.py
    KERAS_BACKEND=jax python benchmarks/compatibility.py --write

The first trains each way of `tests/ways_to_train` with and without a monitor
and exits with 1 if any does not do what is written there. The second writes that to
`docs/guide/compatibility.md`.
"""

import argparse
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "guide" / "compatibility.md"
BEGIN, END = "<!-- the matrix begins -->", "<!-- the matrix ends -->"
sys.path.insert(0, str(ROOT / "tests"))

import ways_to_train  # noqa: E402


def page(text):
    """Return the guide's page with the matrix in it."""
    head, tail = text.split(BEGIN)[0], text.split(END)[1]
    return f"{head}{BEGIN}\n\n{matrix()}\n\n{END}{tail}"


def matrix():
    """Return the matrix as a table."""
    names = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
    lines = [
        f"| {' | '.join(('way to train', *names.values()))} |",
        "| --- | --- | --- | --- |",
    ]
    for way in ways_to_train.ALL:
        cells = [way.expected.get(name, "-") for name in names]
        lines.append(f"| {' | '.join((way.title, *cells))} |")
    return "\n".join(lines)


def outcomes(part):
    """Yield title and outcome of each way with `part` in its title."""
    for way in ways_to_train.ALL:
        is_here = ways_to_train.BACKEND in way.expected
        if way.devices or way.processes or not is_here or part not in way.title:
            continue
        try:
            yield way.title, ways_to_train.outcome(way)
        except AssertionError as error:
            yield way.title, f"WRONG: {error}"
    if ways_to_train.BACKEND != "torch" and part in "two devices":
        flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
        run = subprocess.run(
            [sys.executable, ROOT / "tests" / "two_devices.py", "all"],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env={**os.environ, **flags},
        )
        yield from json.loads(run.stdout.splitlines()[-1]).items()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="?", default="", help="of the titles to check")
    parser.add_argument("--write", action="store_true", help="write the guide's page")
    options = parser.parse_args()
    if options.write:
        PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
        return
    warnings.simplefilter("ignore")
    wrong = 0
    for title, found in outcomes(options.part):
        (chosen,) = (c for c in ways_to_train.ALL if c.title == title)
        is_right = ways_to_train.says(found, chosen.expected[ways_to_train.BACKEND])
        wrong += not is_right
        said = "as written" if is_right else "NOT AS WRITTEN"
        print(said, title, found, sep=": ", flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
