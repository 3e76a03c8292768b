"""Measure the orderings of the three regimes: where computing dominates, and not.

    KERAS_BACKEND=jax python benchmarks/batch_size.py [seconds a trial] [seeds]

Prints, with 95 % intervals over seeds: seconds an update, jitter of the batch loss,
seconds to the target; for a network that keeps the processor busy, and for a tiny one,
where what Keras does for each step takes longer than computing it.
"""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version
from typing import Any

import keras
from sklearn.datasets import load_digits

import keras_dlbasic as kd

MEASURES = ("seconds_per_update", "loss_jitter", "update_noise", "seconds_to_target")


def build_wide() -> Any:
    """Return a network of half a million weights."""
    dense = keras.layers.Dense
    model = keras.Sequential(
        [
            keras.Input((64,)),
            dense(640, activation="relu"),
            dense(640, activation="relu"),
            dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(0.02), loss="sparse_categorical_crossentropy"
    )
    return model


def build_tiny() -> Any:
    """Return a network of 650 weights."""
    model = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(10, activation="softmax")]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(0.02), loss="sparse_categorical_crossentropy"
    )
    return model


def report(title: str, result: Any) -> None:
    """Print rankings."""
    print(f"\n{title}", flush=True)
    for measure in MEASURES:
        ranking = result.ranking(measure)
        print(f"  {ranking}")
        for size, interval in zip(ranking.order, ranking.intervals, strict=True):
            print(f"    batch size {size:>5}: {interval}")


def main() -> None:
    """Run both studies."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    backend = keras.backend.backend()
    print(
        f"{backend} {version(backend.replace('tensorflow', 'tensorflow-cpu'))}, "
        f"Keras {keras.__version__}, {platform.machine()}, {os.cpu_count()} processors"
    )
    digits = load_digits()
    x, y = (digits.data / 16.0).astype("float32"), digits.target
    study = kd.studies.BatchSizeStudy
    options = {"seeds": seeds, "verbose": 0}
    wide = study(
        build_wide,
        x,
        y,
        batch_sizes=("full", 32, 1),
        budget={"seconds": seconds},
        **options,
    )
    report("computing dominates: 64-640-640-10, 1797 samples", wide.run())
    tiny = study(
        build_tiny,
        x[:64],
        y[:64],
        batch_sizes=(64, 16, 4),
        budget={"updates": 256},
        **options,
    )
    report("Keras' step dominates: 64-10, 64 samples", tiny.run())


if __name__ == "__main__":
    main()
