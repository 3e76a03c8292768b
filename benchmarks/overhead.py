r"""What watching costs: epochs with the callback against epochs without.

Fits of the same model run in greenlets of one thread that hand over at each epoch's
begin, so that arms alternate on things that are already compiled. Run it on a machine
with nothing else to do:

    KERAS_BACKEND=tensorflow python benchmarks/overhead.py [--pairs 15] [--steps 96] \
        [workload ...]

Prints a table and writes JSON to benchmarks/results/. For each arm: the ratio of
epochs with a bootstrap 95 % interval; the ratio of whole fits, from the call of `fit`
to its end, without the time of compiling, in wall and in CPU time; and what is
compiled besides what a plain fit compiles. `--arms plain doctor` measures
`TrainingDoctor(x, y)`.
"""

import argparse
import json
import os
import platform
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

import greenlet
import keras
import numpy as np
from compilations import Compilations
from rich.console import Console
from rich.table import Table

import keras_dlbasic as kd

L = keras.layers
STEPS = 96  # an epoch, where a workload has no other number
WARM_UP = 4  # epochs: compilation and the dense sampling of the first 256 steps


def mlp(width=512, depth=4):
    hidden = [L.Dense(width, "relu") for _ in range(depth)]
    return keras.Sequential([keras.Input((784,)), *hidden, L.Dense(10)])


def cnn():
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            L.Conv2D(32, 3, use_bias=False),
            L.BatchNormalization(),
            L.ReLU(),
            L.MaxPool2D(),
            L.Conv2D(64, 3, use_bias=False),
            L.BatchNormalization(),
            L.ReLU(),
            L.GlobalAveragePooling2D(),
            L.Dense(10),
        ]
    )


def cnn_32():
    hidden = []
    for filters in (32, 64):
        for _ in range(2):
            hidden += [L.Conv2D(filters, 3, padding="same", use_bias=False)]
            hidden += [L.BatchNormalization(), L.ReLU()]
        hidden.append(L.MaxPool2D())
    last = [L.GlobalAveragePooling2D(), L.Dense(10)]
    return keras.Sequential([keras.Input((32, 32, 3)), *hidden, *last])


def lstm():
    return keras.Sequential([keras.Input((28, 28)), L.LSTM(64), L.Dense(10)])


def transformer():
    inputs = keras.Input((28, 28))
    hidden = L.Dense(64)(inputs)
    for _ in range(2):
        attended = L.MultiHeadAttention(4, 16)(hidden, hidden)
        hidden = L.LayerNormalization()(L.Add()([hidden, attended]))
        fed = L.Dense(64)(L.Dense(128, "relu")(hidden))
        hidden = L.LayerNormalization()(L.Add()([hidden, fed]))
    outputs = L.Dense(10)(L.GlobalAveragePooling1D()(hidden))
    return keras.Model(inputs, outputs)


# name: (model, shape of a sample, batch size, target at default settings)
WORKLOADS = {
    "mlp-512x4-b128": (mlp, (784,), 128, 1.02),
    "cnn-bn-b64": (cnn, (28, 28, 1), 64, 1.02),
    "lstm-64-b32": (lstm, (28, 28), 32, 1.02),
    "transformer-b32": (transformer, (28, 28), 32, 1.02),
    "mlp-64x20-b32": (lambda: mlp(64, 20), (784,), 32, 1.05),
    "mlp-512x4-b1": (mlp, (784,), 1, 1.05),
    "mlp-128x2-24-steps": (lambda: mlp(128, 2), (784,), 64, 1.02),
    "cnn-32-64-steps": (cnn_32, (32, 32, 3), 64, 1.02),
}

STEPS_OF = {"mlp-128x2-24-steps": 24, "cnn-32-64-steps": 64}


class HandOver(keras.callbacks.Callback):
    """Gives the turn back to the timer before each epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        greenlet.getcurrent().parent.switch()


class SecondPass(keras.callbacks.Callback):
    """The recipe users copy: another backward pass after each batch."""

    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y)

    def on_train_begin(self, logs=None):
        self.norms = []
        self.gradients = _backward_pass(self._model)

    def on_train_batch_end(self, batch, logs=None):
        found = self.gradients(self.model, self.x, self.y)
        self.norms.append([float(keras.ops.norm(g)) for g in found])


def _backward_pass(model):
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        def gradients(model, x, y):
            with tf.GradientTape() as tape:
                loss = model.compute_loss(x, y, model(x, training=True))
            return tape.gradient(loss, [v.value for v in model.trainable_variables])

        return gradients
    if backend == "torch":
        import torch

        def gradients(model, x, y):
            loss = model.compute_loss(x, y, model(x, training=True))
            return torch.autograd.grad(
                loss, [v.value for v in model.trainable_variables]
            )

        return gradients
    import jax

    def loss(trainable, rest, x, y):
        outputs, _ = model.stateless_call(trainable, rest, x, training=True)
        return model.loss(y, outputs)

    compiled = jax.jit(jax.grad(loss))

    def gradients(model, x, y):
        trainable = [v.value for v in model.trainable_variables]
        rest = [v.value for v in model.non_trainable_variables]
        return compiled(trainable, rest, x, y)

    return gradients


def arms(x, y, batch_size, chosen):
    monitor = kd.callbacks.GradientNormMonitor
    every = {
        "plain": lambda: [],
        "plain again": lambda: [],  # how far two equal arms differ: the noise floor
        "auto": lambda: [monitor()],
        "every step": lambda: [monitor(every=1)],
        "doctor": lambda: [kd.callbacks.TrainingDoctor(x, y, verbose=0)],
        "doctor without data": lambda: [kd.callbacks.TrainingDoctor(verbose=0)],
        "second pass": lambda: [SecondPass(x[:batch_size], y[:batch_size])],
    }
    return {name: every[name] for name in chosen}


def measure(build, shape, batch_size, pairs, chosen, steps):
    """Return what `Timed` fits took, by arm."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch_size * steps, *shape)).astype("float32")
    y = rng.integers(0, 10, batch_size * steps).astype("int32")
    fits = {}
    for name, make in arms(x, y, batch_size, chosen).items():
        keras.utils.set_random_seed(0)
        model = build()
        model.compile(
            optimizer="adam",
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )

        def fit(model=model, make=make):
            model.fit(
                x,
                y,
                batch_size=batch_size,
                epochs=WARM_UP + pairs,
                verbose=0,
                callbacks=[HandOver(), *make()],
            )

        fits[name] = Timed(fit)
    # up to the first epoch, then an epoch each; the last one goes on to the end
    for _ in range(1 + WARM_UP + pairs):
        for timed in fits.values():
            timed.go_on()
    return fits


class Timed:
    """A fit that is run epoch by epoch, and how long each turn took."""

    def __init__(self, fit):
        self._fit = greenlet.greenlet(fit)
        self.wall, self.cpu, self.compiled = [], [], 0
        self.compiling, self.compiling_cpu = [], []

    def go_on(self):
        wall, cpu = time.perf_counter(), time.process_time()
        seconds, count = COMPILATIONS.seconds, COMPILATIONS.count
        cpu_seconds = COMPILATIONS.cpu_seconds
        self._fit.switch()
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(time.process_time() - cpu)
        self.compiling.append(COMPILATIONS.seconds - seconds)
        self.compiling_cpu.append(COMPILATIONS.cpu_seconds - cpu_seconds)
        self.compiled += COMPILATIONS.count - count

    def epochs(self, kind):
        """Return the seconds of the epochs after those to warm up."""
        return np.array(getattr(self, kind)[1 + WARM_UP :])

    @property
    def whole(self):
        """The seconds of the whole fit, without those of compiling."""
        return sum(self.wall) - sum(self.compiling)

    @property
    def whole_cpu(self):
        """The same in CPU time, which other programs on the machine disturb less."""
        return sum(self.cpu) - sum(self.compiling_cpu)


COMPILATIONS = Compilations()


def ratio(times, base):
    """Return the median ratio of pairs and its bootstrap 95 % interval."""
    ratios = times / base
    rng = np.random.default_rng(0)
    draws = rng.choice(ratios, (2000, len(ratios)))
    low, high = np.quantile(np.median(draws, axis=1), [0.025, 0.975])
    return [round(float(v), 3) for v in (np.median(ratios), low, high)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", default=list(WORKLOADS))
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--steps", type=int, help="of an epoch, of all workloads")
    parser.add_argument(
        "--arms",
        nargs="+",
        default=["plain", "plain again", "auto", "every step", "second pass"],
    )
    options = parser.parse_args()
    backend = keras.backend.backend()
    table = Table(title=f"Cost of watching on {backend}: ratio of wall time per epoch")
    for column in ("workload", "ms / step", *options.arms[1:], "target (auto)"):
        table.add_column(column)
    results = {}
    for name in options.workloads:
        build, shape, batch_size, target = WORKLOADS[name]
        steps = STEPS_OF[name] = options.steps or STEPS_OF.get(name, STEPS)
        fits = measure(build, shape, batch_size, options.pairs, options.arms, steps)
        plain = fits["plain"]
        wall, cpu = plain.epochs("wall"), plain.epochs("cpu")
        per_step = 1e3 * float(np.median(wall)) / steps
        results[name] = {"ms_per_step": round(per_step, 3), "target": target}
        cells = []
        for arm in options.arms[1:]:
            timed = fits[arm]
            in_wall = ratio(timed.epochs("wall"), wall)
            in_cpu = ratio(timed.epochs("cpu"), cpu)
            whole = round(timed.whole / plain.whole, 3)
            whole_cpu = round(timed.whole_cpu / plain.whole_cpu, 3)
            results[name][arm] = {
                "wall": in_wall,
                "cpu": in_cpu,
                "whole_fit": whole,
                "whole_fit_cpu": whole_cpu,
                "seconds_before_first_epoch": round(timed.wall[0], 2),
                "compiling": _compiling(timed, plain),
            }
            cell = "{:.3f} [{:.3f}, {:.3f}]".format(*in_wall)
            words = _in_words(timed, plain)
            cells.append(f"{cell} fit {whole:.3f} CPU {whole_cpu:.3f}{words}")
        table.add_row(name, f"{per_step:.2f}", *cells, f"{target:.2f}")
        _keep(results, options.pairs)
        print(f"{backend} {name}: {per_step:.2f} ms / step", *cells, sep="  ")
        keras.backend.clear_session()
    Console(width=140).print(table)


def _compiling(timed, plain):
    """Return how much is compiled besides what a plain fit compiles."""
    return {
        "more_seconds": round(sum(timed.compiling) - sum(plain.compiling), 2),
        "more_functions": timed.compiled - plain.compiled,
    }


def _in_words(timed, plain):
    more = _compiling(timed, plain)
    return ", +{more_functions} compiled in {more_seconds} s".format(**more)


def _keep(results, pairs):
    """Write what has been measured so far."""
    backend = keras.backend.backend()
    packages = {"tensorflow": "tensorflow_cpu"}.get(backend, backend)
    report = {
        "date": date.today().isoformat(),
        "backend": backend,
        "versions": {"keras": keras.__version__, backend: version(packages)},
        "machine": f"{platform.machine()}, {platform.system()}, {os.cpu_count()} cores",
        "pairs": pairs,
        "steps_per_epoch": {name: STEPS_OF.get(name, STEPS) for name in results},
        "ratios": results,
    }
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    path = folder / f"overhead_{backend}.json"
    path.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
