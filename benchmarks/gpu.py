"""Neutrality, norms and cost on whatever device is there, in under six minutes.

    KERAS_BACKEND=jax python benchmarks/gpu.py [--seconds 330] [--quick]

Three questions, one table each: are the weights of a watched fit those of a plain one,
bit for bit; are the first norms those of the backend's own autodiff; and what do
`GradientNormMonitor` and `TrainingDoctor(x, y)` cost. What there was no time for is
named. Writes JSON to benchmarks/results/. `--quick` measures small models only, as a
trial on a CPU. It takes `greenlet` and the folder tests/ beside it.
"""

# ruff: noqa: E402 - backends read the environment when they are imported

import os

# bit for bit means little where the device itself adds up in any order
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
_FLAGS = os.environ.get("XLA_FLAGS", "")
if "deterministic" not in _FLAGS:
    os.environ["XLA_FLAGS"] = f"{_FLAGS} --xla_gpu_deterministic_ops=true".strip()

import argparse
import json
import sys
import time
from datetime import date
from pathlib import Path

import keras
import numpy as np
from overhead import cnn_32, measure, mlp, ratio, transformer
from rich.console import Console
from rich.table import Table

import keras_dlbasic as kd

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from reference import gradients

L = keras.layers
BACKEND = keras.backend.backend()
BEGIN = time.monotonic()

SMALL = {
    "dense": (lambda: mlp(64, 2), (784,)),
    "convolutions": (cnn_32, (32, 32, 3)),
    "LSTM": (
        lambda: keras.Sequential([keras.Input((12, 8)), L.LSTM(24), L.Dense(10)]),
        (12, 8),
    ),
    "attention": (transformer, (28, 28)),
}

OPTIONS = {
    "Adam": {},
    "Adam, clipvalue": {"clipvalue": 0.01},
    "Adam, global_clipnorm, EMA": {"global_clipnorm": 0.5, "use_ema": True},
}

LARGE = {
    # model, shape of a row, rows of a batch, steps of an epoch
    "mlp-4096x6": (lambda: mlp(4096, 6), (784,), 1024, 64),
    "cnn-32": (cnn_32, (32, 32, 3), 128, 64),
    "transformer": (transformer, (28, 28), 128, 64),
}

QUICK = {"mlp-128x2": (lambda: mlp(128, 2), (784,), 64, 24)}


def device():
    """Return the name of the device that Keras trains on."""
    if BACKEND == "torch":
        import torch

        torch.use_deterministic_algorithms(True, warn_only=True)
        return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "CPU"
    if BACKEND == "jax":
        import jax

        return str(jax.devices()[0].device_kind)
    import tensorflow as tf

    found = tf.config.list_physical_devices("GPU")
    known = tf.config.experimental.get_device_details(found[0]) if found else {}
    return known.get("device_name", "CPU")


def compiled(build, options):
    keras.utils.set_random_seed(1)
    model = build()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3, **options), loss)
    return model


def data(shape, rows, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, *shape)).astype("float32")
    return x, rng.integers(0, 10, rows).astype("int32")


def differing(build, shape, options):
    """Return in how many arrays fits differ from a plain one, by what watches them."""
    x, y = data(shape, 64)

    def left_by(*callbacks):
        model = compiled(build, options)
        arguments = {"batch_size": 16, "epochs": 3, "shuffle": False, "verbose": 0}
        model.fit(x, y, callbacks=list(callbacks), **arguments)
        variables = [*model.variables, *model.optimizer.variables]
        return [np.array(keras.ops.convert_to_numpy(v)) for v in variables]

    plain = left_by()
    watchers = {
        "plain again": [],
        "monitor, every step": [kd.callbacks.GradientNormMonitor(every=1)],
        "doctor": [kd.callbacks.TrainingDoctor(x, y, verbose=0)],
    }
    return {
        name: sum(
            not np.array_equal(one, other)
            for one, other in zip(plain, left_by(*callbacks), strict=True)
        )
        for name, callbacks in watchers.items()
    }


def error_of_norms(build, shape):
    """Return the largest error of the first norms, relative to autodiff's."""
    x, y = data(shape, 32)
    expected = [np.linalg.norm(g) for g in gradients(compiled(build, {}), x, y)]
    monitor = kd.callbacks.GradientNormMonitor(every=1)
    compiled(build, {}).fit(x, y, batch_size=32, verbose=0, callbacks=[monitor])
    found = monitor.record.gradient_norm[0]
    floor = np.maximum(expected, 1e-3 * max(expected))
    return float(np.max(np.abs(found - expected) / floor))


def cost(name, workloads):
    """Return the ratios of fits to a plain one, and what is compiled besides."""
    build, shape, batch_size, steps = workloads[name]
    arms = ["plain", "plain again", "auto", "doctor"]
    fits = measure(build, shape, batch_size, 8, arms, steps)
    plain = fits["plain"]
    per_step = float(np.median(plain.epochs("wall"))) / steps
    found = {"ms_per_step": round(1e3 * per_step, 3)}
    for arm in arms[1:]:
        more = sum(fits[arm].compiling) - sum(plain.compiling)
        found[arm] = {
            "epoch": ratio(fits[arm].epochs("wall"), plain.epochs("wall")),
            "whole_fit": round(fits[arm].whole / plain.whole, 3),
            "seconds_of_compiling": round(more, 2),
        }
    keras.backend.clear_session()
    return found


def answers(limit, workloads):
    """Yield the tables' rows: table, row and values; None for what was left out."""
    half = limit / 2  # the other half is for what watching costs
    for name, (build, shape) in SMALL.items():
        yield "error of norms", name, in_time(half, error_of_norms, build, shape)
        for option, options in OPTIONS.items():
            row = f"{name}, {option}"
            found = in_time(half, differing, build, shape, options)
            yield "arrays that differ", row, found
    for name in workloads:
        yield "cost", name, in_time(limit, cost, name, workloads)


def in_time(limit, question, *args):
    """Return the answer to a question, None if the time is up."""
    if time.monotonic() - BEGIN > limit:
        return None
    try:
        return question(*args)
    except Exception as error:  # what fails is an answer, too
        return f"{type(error).__name__}: {error}"[:300]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=330)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    report = {
        "date": date.today().isoformat(),
        "backend": BACKEND,
        "keras": keras.__version__,
        "device": device(),
    }
    table = Table(title=f"{BACKEND} on {report['device']}")
    for column in ("question", "of", "answer"):
        table.add_column(column)
    workloads = QUICK if options.quick else LARGE
    # the last workloads take longest: a fit that has begun is brought to its end
    for question, row, found in answers(options.seconds - 60, workloads):
        report.setdefault(question, {})[row] = found
        words = "no time" if found is None else json.dumps(found)
        table.add_row(question, row, words)
        print(question, row, words, sep=" | ", flush=True)
    report["seconds"] = round(time.monotonic() - BEGIN)
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    path = folder / f"gpu_{BACKEND}.json"
    path.write_text(json.dumps(report, indent=1) + "\n")
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
