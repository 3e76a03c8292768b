"""What curvature and surfaces cost: `KERAS_BACKEND=jax python benchmarks/landscape.py`.

Times of one process on a compiled objective: a net of about 100,000 weights, 1,000
samples. Gradients and products are timed in turns, and the ratio is that of medians.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path

import keras
import numpy as np

import keras_dlbasic as kd

PAIRS = 15


def make(rows: int, x: np.ndarray | None = None) -> kd.landscape.Objective:
    """Return the objective of a net of 784-120-60-10 with this many rows."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    if x is None:
        x = rng.normal(size=(rows, 784)).astype("float32")
    y = rng.integers(0, 10, rows)
    units = [keras.layers.Dense(n, "relu") for n in (120, 60)]
    model = keras.Sequential([keras.Input((784,)), *units, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    return kd.landscape.Objective(model, x, y)


def timed(function: object) -> float:
    """Return the seconds that a call takes."""
    begin = time.perf_counter()
    function()  # type: ignore[operator]
    return time.perf_counter() - begin


def anonymous_pages() -> float:
    """Return the memory of the process in MB, without that of files."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    return float("nan")


def memory() -> dict[str, float]:
    """Return the memory after products over few and over many rows on disk."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for rows in (2_000, 100_000):
            path = os.path.join(folder, f"{rows}.npy")
            x = np.memmap(path, "float32", "w+", shape=(rows, 784))
            for start in range(0, rows, 1000):
                x[start : start + 1000] = start / rows
            objective = make(rows, x)
            objective.product(np.ones(objective.size))
            found[str(rows)] = anonymous_pages()
    return found


def main() -> None:
    """Print a table and write JSON."""
    objective = make(1000)
    direction = np.random.default_rng(1).normal(size=objective.size)
    objective.gradient(), objective.product(direction), objective.loss()
    gradients, products = [], []
    for _ in range(PAIRS):
        gradients.append(timed(objective.gradient))
        products.append(timed(lambda: objective.product(direction)))
    gradient = float(np.median(gradients))
    ratios = []  # what else runs on the machine slows both
    for _ in range(5):
        around = [timed(objective.gradient) for _ in range(PAIRS)]
        spent = timed(lambda: kd.landscape.hessian_extremes(objective))
        around += [timed(objective.gradient) for _ in range(PAIRS)]
        ratios.append(spent / float(np.mean(around)))
    point = timed(lambda: kd.landscape.classify_point(objective))
    surface = timed(lambda: kd.landscape.loss_surface(objective))
    result = {
        "backend": keras.backend.backend(),
        "keras": keras.__version__,
        "weights": objective.size,
        "load": os.getloadavg()[0],
        "gradient_ms": 1e3 * gradient,
        "product_per_gradient": float(np.median(products)) / gradient,
        "extremes_in_gradients": float(np.median(ratios)),
        "point_in_gradients": point / gradient,
        "surface_25x25_s": surface,
        "memory_mb_by_rows": memory(),
    }
    for name, value in result.items():
        print(f"{name:24s} {value}")
    name = f"landscape-{result['backend']}.json"
    Path(name).write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
