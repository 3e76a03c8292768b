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


def build_convolutions() -> Any:
    """Return a network of few weights and many multiplications for each sample."""
    convolution = keras.layers.Conv2D
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Reshape((8, 8, 1)),
            keras.layers.UpSampling2D(3),
            convolution(16, 3, padding="same", activation="relu"),
            convolution(16, 3, padding="same", activation="relu"),
            keras.layers.AveragePooling2D(4),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(0.05), loss="sparse_categorical_crossentropy"
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
            print(f"    batch size {size:>5}: {interval}, {interval.n} seeds")


def main() -> None:
    """Run both studies."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
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
    for sizes, budget in (
        (("full", 32, 1), {"updates": 48}),
        ((32, 1), {"seconds": seconds}),
    ):
        convolutions = study(
            build_convolutions,
            x[:512],
            y[:512],
            batch_sizes=sizes,
            budget=budget,
            target_loss=0.3,
            **options,
        )
        report(
            f"computing dominates: two convolutions, 512 samples, {budget}",
            convolutions.run(),
        )
    tiny = study(
        build_tiny,
        x,
        y,
        batch_sizes=(16, 4, 1),
        budget={"updates": 512},
        **options,
    )
    report("Keras' step dominates: one layer 64-10, 1797 samples", tiny.run())


if __name__ == "__main__":
    main()
