"""Own building blocks against Keras' own, forward and in `fit`.

    KERAS_BACKEND=jax python benchmarks/blocks.py [--pairs 15] [--json FILE] [--only L2]

Both are compiled in one process and run in turn, A B B A A B ...; the table shows the
median of the ratios ours / Keras' of the pairs, with a bootstrap 95 % interval, for
wall and processor time.
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
RNG = np.random.default_rng(0)
X = RNG.normal(size=(2048, 128)).astype("float32")
Y = RNG.normal(size=(2048, 1)).astype("float32")
GRID = RNG.normal(size=(256, 16, 128)).astype("float32")

LAYERS = {
    "BatchNormalization": (
        lambda: kd.layers.BatchNormalization(),
        lambda: keras.layers.BatchNormalization(),
    ),
    "LayerNormalization": (
        lambda: kd.layers.LayerNormalization(),
        lambda: keras.layers.LayerNormalization(),
    ),
    "Dropout": (
        lambda: kd.layers.Dropout(0.3, seed=0),
        lambda: keras.layers.Dropout(0.3, seed=0),
    ),
}
PENALTIES = {
    "L1": (lambda: kd.regularizers.L1(1e-4), lambda: keras.regularizers.L1(1e-4)),
    "L2": (lambda: kd.regularizers.L2(1e-4), lambda: keras.regularizers.L2(1e-4)),
    "L1L2": (
        lambda: kd.regularizers.L1L2(1e-4, 1e-4),
        lambda: keras.regularizers.L1L2(1e-4, 1e-4),
    ),
}
LAWS = {
    "XavierNormal": (kd.initializers.XavierNormal, keras.initializers.GlorotNormal),
    "XavierUniform": (kd.initializers.XavierUniform, keras.initializers.GlorotUniform),
    "HeNormal": (kd.initializers.HeNormal, keras.initializers.HeNormal),
    "HeUniform": (kd.initializers.HeUniform, keras.initializers.HeUniform),
}


def layer_forward(make: Callable[[], object]) -> Run:
    model = keras.Sequential([keras.Input(GRID.shape[1:]), make(), make(), make()])
    return lambda: [model.predict_on_batch(GRID) for _ in range(10)]


def model_fit(make_layer: Callable[[], object] | None, penalty: object = None) -> Run:
    layers = [keras.Input((128,))]
    for _ in range(4):
        layers.append(keras.layers.Dense(256, "relu", kernel_regularizer=penalty))
        if make_layer is not None:
            layers.append(make_layer())
    model = keras.Sequential([*layers, keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    return lambda: model.fit(X, Y, batch_size=128, epochs=2, verbose=0)


def penalty_forward(penalty: object) -> Run:
    weights = keras.ops.convert_to_tensor(RNG.normal(size=(512, 512)).astype("float32"))

    def run() -> None:
        for _ in range(100):
            value = penalty(weights)
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
    ratios: dict[str, list[float]] = {"wall": [], "cpu": []}
    for number in range(pairs):
        order = (ours, own) if number % 2 == 0 else (own, ours)
        times = {run: timed(run) for run in order}
        for kind, place in (("wall", 0), ("cpu", 1)):
            ratios[kind].append(times[ours][place] / times[own][place])
    return {kind: interval(values) for kind, values in ratios.items()}


def timed(run: Run) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def interval(ratios: list[float]) -> list[float]:
    values = np.array(ratios)
    draws = RNG.choice(values, (2000, len(values)))
    low, high = np.quantile(np.median(draws, axis=1), [0.025, 0.975])
    return [round(float(v), 3) for v in (np.median(values), low, high)]


def cases() -> dict[str, tuple[Callable[[], Run], Callable[[], Run]]]:
    table = {}
    for name, (ours, own) in LAYERS.items():
        table[f"{name} forward"] = (
            lambda ours=ours: layer_forward(ours),
            lambda own=own: layer_forward(own),
        )
        table[f"{name} fit"] = (
            lambda ours=ours: model_fit(ours),
            lambda own=own: model_fit(own),
        )
    for name, (ours, own) in PENALTIES.items():
        table[f"{name} forward"] = (
            lambda ours=ours: penalty_forward(ours()),
            lambda own=own: penalty_forward(own()),
        )
        table[f"{name} fit"] = (
            lambda ours=ours: model_fit(None, ours()),
            lambda own=own: model_fit(None, own()),
        )
    for name, (ours, own) in LAWS.items():
        table[f"{name} forward"] = (
            lambda ours=ours: initializer_forward(ours),
            lambda own=own: initializer_forward(own),
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
    for name, (ours, own) in cases().items():
        if arguments.only not in name:
            continue
        rows[name] = compare(ours(), own(), arguments.pairs)
        cells = [
            f"{median:7.3f} {f'{low:.3f} .. {high:.3f}':>16}"
            for median, low, high in rows[name].values()
        ]
        print(f"{name:28} {' '.join(cells)}", flush=True)
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
