"""Own building blocks against Keras' own, forward and in `fit`.

    KERAS_BACKEND=jax python benchmarks/blocks.py [--pairs 15] [--json FILE] [--only L2]

Both are compiled in one process and run in turn, A B B A A B ...; the table shows the
median of the ratios ours / Keras' of the pairs, with a bootstrap 95 % interval, for
wall and processor time. The target is 1.05; where Keras has no counterpart, the table
says what stands in for it, and the target does not apply.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import keras
import numpy as np

import keras_dlbasic as kd

Run = Callable[[], object]
SECONDS = 0.3
"""What one timing should last: shorter ones scatter more than what they measure."""
RNG = np.random.default_rng(0)
X = RNG.normal(size=(2048, 128)).astype("float32")
Y = RNG.normal(size=(2048, 1)).astype("float32")
GRID = RNG.normal(size=(256, 16, 128)).astype("float32")
# one for both sides: where an array lies in memory decides how fast it is read
WEIGHTS = keras.ops.convert_to_tensor(RNG.normal(size=(512, 512)).astype("float32"))

Pair = tuple[str, Callable[[], object], Callable[[], object]]


def plain_group_lasso(weights: object) -> object:
    """The formula as written down: its gradient is NaN where a unit is all zero."""
    squares = keras.ops.sum(keras.ops.square(weights), axis=0)
    return 1e-4 * weights.shape[0] ** 0.5 * keras.ops.sum(keras.ops.sqrt(squares))


# name: what it is compared with, ours, the other
LAYERS: dict[str, Pair] = {
    "BatchNormalization": (
        "Keras'",
        kd.layers.BatchNormalization,
        keras.layers.BatchNormalization,
    ),
    "LayerNormalization": (
        "Keras'",
        kd.layers.LayerNormalization,
        keras.layers.LayerNormalization,
    ),
    "Dropout": (
        "Keras'",
        lambda: kd.layers.Dropout(0.3, seed=0),
        lambda: keras.layers.Dropout(0.3, seed=0),
    ),
    "GradientClipping": (
        "Identity (Keras has no clipping layer)",
        lambda: kd.layers.GradientClipping(value=1.0),
        keras.layers.Identity,
    ),
}
PENALTIES: dict[str, Pair] = {
    "L1": (
        "Keras'",
        lambda: kd.regularizers.L1(1e-4),
        lambda: keras.regularizers.L1(1e-4),
    ),
    "L2": (
        "Keras'",
        lambda: kd.regularizers.L2(1e-4),
        lambda: keras.regularizers.L2(1e-4),
    ),
    "L1L2": (
        "Keras'",
        lambda: kd.regularizers.L1L2(1e-4, 1e-4),
        lambda: keras.regularizers.L1L2(1e-4, 1e-4),
    ),
    "GroupLasso": (
        "the bare formula (Keras has none)",
        lambda: kd.regularizers.GroupLasso(1e-4),
        lambda: plain_group_lasso,
    ),
}
LAWS: dict[str, Pair] = {
    "XavierNormal": (
        "GlorotNormal",
        kd.initializers.XavierNormal,
        keras.initializers.GlorotNormal,
    ),
    "XavierUniform": (
        "GlorotUniform",
        kd.initializers.XavierUniform,
        keras.initializers.GlorotUniform,
    ),
    "HeNormal": ("Keras'", kd.initializers.HeNormal, keras.initializers.HeNormal),
    "HeUniform": ("Keras'", kd.initializers.HeUniform, keras.initializers.HeUniform),
}


def layer_forward(make: Callable[[], object]) -> Run:
    model = keras.Sequential([keras.Input(GRID.shape[1:]), make(), make(), make()])
    return lambda: [model.predict_on_batch(GRID) for _ in range(10)]


def model_fit(make_layer: Callable[[], object] | None = None, **dense: object) -> Run:
    keras.utils.set_random_seed(0)
    layers = [keras.Input((128,))]
    for _ in range(4):
        layers.append(keras.layers.Dense(256, "relu", **dense))
        if make_layer is not None:
            layers.append(make_layer())
    model = keras.Sequential([*layers, keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    return lambda: model.fit(X, Y, batch_size=128, epochs=2, verbose=0)


def penalty_forward(penalty: Callable[[object], object]) -> Run:
    def run() -> None:
        for _ in range(100):
            value = penalty(WEIGHTS)
        keras.ops.convert_to_numpy(value)

    return run


def initializer_forward(make: Callable[..., object]) -> Run:
    initializer = make(seed=0)

    def run() -> None:
        for _ in range(10):
            value = initializer((512, 512))
        keras.ops.convert_to_numpy(value)

    return run


def compare(ours: Run, own: Run, pairs: int) -> dict[str, list[float]]:
    for run in (ours, own, ours, own):
        run()
    repeats = max(1, round(SECONDS / timed(own, 3)[0]))
    ratios: dict[str, list[float]] = {"wall": [], "cpu": []}
    for number in range(pairs):
        order = (ours, own) if number % 2 == 0 else (own, ours)
        times = {run: timed(run, repeats) for run in order}
        for kind, place in (("wall", 0), ("cpu", 1)):
            ratios[kind].append(times[ours][place] / times[own][place])
    return {kind: interval(values) for kind, values in ratios.items()}


def timed(run: Run, repeats: int) -> tuple[float, float]:
    """Return the seconds a run takes, on the wall and of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        run()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return wall / repeats, cpu / repeats


def interval(ratios: list[float]) -> list[float]:
    values = np.array(ratios)
    draws = RNG.choice(values, (2000, len(values)))
    low, high = np.quantile(np.median(draws, axis=1), [0.025, 0.975])
    return [round(float(v), 3) for v in (np.median(values), low, high)]


def cases() -> dict[str, tuple[str, Callable[[], Run], Callable[[], Run]]]:
    """Return by name: what is compared with, and how to set up the two runs."""
    table: dict[str, tuple[str, Callable[[], Run], Callable[[], Run]]] = {}

    def add(name: str, pair: Pair, set_up: Callable[..., Run]) -> None:
        against, ours, other = pair
        table[name] = (against, lambda: set_up(ours), lambda: set_up(other))

    for name, pair in LAYERS.items():
        add(f"{name} forward", pair, layer_forward)
        add(f"{name} fit", pair, model_fit)
    for name, pair in PENALTIES.items():
        add(f"{name} forward", pair, lambda make: penalty_forward(make()))
        add(f"{name} fit", pair, lambda make: model_fit(kernel_regularizer=make()))
    for name, pair in LAWS.items():
        add(f"{name} forward", pair, initializer_forward)
        add(
            f"{name} fit", pair, lambda make: model_fit(kernel_initializer=make(seed=0))
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", default="", help="cases whose name contains this")
    arguments = parser.parse_args()
    rows = {}
    print(f"{'case':28} {'wall':>7} {'95 %':>16} {'cpu':>7} {'95 %':>16}")
    for name, (against, ours, own) in cases().items():
        if arguments.only not in name:
            continue
        ratios = compare(ours(), own(), arguments.pairs)
        cells = [
            f"{median:7.3f} {f'{low:.3f} .. {high:.3f}':>16}"
            for median, low, high in ratios.values()
        ]
        print(f"{name:28} {' '.join(cells)}  against {against}", flush=True)
        rows[name] = {"against": against, **ratios}
    if arguments.json:
        about = {
            "date": date.today().isoformat(),
            "backend": keras.backend.backend(),
            "keras": keras.__version__,
            "python": platform.python_version(),
            "machine": platform.machine(),
            "pairs": arguments.pairs,
        }
        text = json.dumps({"about": about, "ratios": rows}, indent=2)
        arguments.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
