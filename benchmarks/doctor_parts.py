r"""What `TrainingDoctor(x, y)` adds to a fit, part by part, in CPU time.

    KERAS_BACKEND=jax python benchmarks/doctor_parts.py [--epochs 14] [--steps 96] \
        [workload ...]

On a loaded machine the times of two fits differ by more than what is asked for. So the
parts of one fit are timed: hooks of the callback by clocks before and after it (and
two clocks in a row, for what the clocks take), measured steps against the plain steps
next to them. Steps are waited for. What is compiled is told apart. Prints a table and
writes JSON to benchmarks/results/.
"""

import argparse
import json
import time
from datetime import date
from pathlib import Path

import keras
import numpy as np
from overhead import COMPILATIONS, WORKLOADS

import keras_dlbasic as kd

NEIGHBORS = 4
"""Plain steps on either side of a measured one that it is compared with."""

HOOKS = (
    "on_train_begin",
    "on_epoch_begin",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_epoch_end",
    "on_train_end",
)


class Clock(keras.callbacks.Callback):
    """Notes when each hook was called, by CPU time without that of compiling."""

    def __init__(self):
        super().__init__()
        self.at = {hook: [] for hook in HOOKS}


def _noting(hook):
    def note(self, *args, **kwargs):
        self.at[hook].append(time.process_time() - COMPILATIONS.cpu_seconds)

    return note


for name in HOOKS:
    setattr(Clock, name, _noting(name))


def parts(build, shape, batch_size, epochs, steps):
    """Return the seconds of each part of a fit with the doctor."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch_size * steps, *shape)).astype("float32")
    y = rng.integers(0, 10, batch_size * steps).astype("int32")
    keras.utils.set_random_seed(0)
    model = build()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss)
    doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)
    empty, before, after = Clock(), Clock(), Clock()
    compiled, seconds = COMPILATIONS.count, COMPILATIONS.cpu_seconds
    model.fit(
        x,
        y,
        batch_size=batch_size,
        epochs=epochs,
        verbose=0,
        callbacks=[empty, before, doctor, after],
    )
    hooks = {
        hook: np.subtract(after.at[hook], before.at[hook])
        - np.median(np.subtract(before.at[hook], empty.at[hook]))
        for hook in HOOKS  # between the clocks is the doctor alone
    }
    begun, ended = (
        np.array(clock.at[hook])
        for clock, hook in ((after, HOOKS[2]), (before, HOOKS[3]))
    )
    taken = ended - begun
    record = doctor.record
    measured = np.zeros(len(taken), bool)
    measured[record.steps] = True
    plain = ~measured
    plain[:2] = False  # compiles
    extra = [
        taken[step] - np.median(taken[near])
        for step in record.steps[2:]
        if len(near := _near(step, plain))
    ]
    per_step = float(np.median(taken[plain]))
    whole = per_step * len(taken)
    ends = hooks["on_epoch_end"]
    found = {
        "before the first step": hooks["on_train_begin"].sum(),
        f"{measured.sum()} measured steps": np.median(extra) * measured.sum(),
        "after the first epoch": ends[0],
        f"after {len(ends) - 1} later epochs": ends[1:].sum(),
        "at the end": hooks["on_train_end"].sum(),
        "hooks at each step": sum(hooks[h].sum() for h in HOOKS[1:4]),
    }
    return {
        "ms_per_step": 1e3 * per_step,
        "ms_more_per_measured_step": 1e3 * float(np.median(extra)),
        "looks": len(record.tables["probe"]),
        "share": {part: float(s) / whole for part, s in found.items()},
        "ms": {part: 1e3 * float(s) for part, s in found.items()},
        "ratio": 1 + sum(found.values()) / whole,
        "compiled_functions": COMPILATIONS.count - compiled,
        "compiled_cpu_seconds": COMPILATIONS.cpu_seconds - seconds,
    }


def _near(step, plain):
    """Return the plain steps next to a step."""
    near = np.flatnonzero(plain)
    return near[np.argsort(np.abs(near - step), kind="stable")[: 2 * NEIGHBORS]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", default=["mlp-512x4-b128"])
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--steps", type=int, default=96, help="of an epoch")
    options = parser.parse_args()
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        jax.config.update("jax_cpu_enable_async_dispatch", False)
    results = {}
    for name in options.workloads:
        build, shape, batch_size, _ = WORKLOADS[name]
        found = parts(build, shape, batch_size, options.epochs, options.steps)
        results[name] = found
        print(f"{backend} {name}: {found['ms_per_step']:.2f} ms a step, ", end="")
        print(
            f"{found['looks']} looks, ratio {found['ratio']:.4f}, compiled besides ",
            end="",
        )
        print(f"{found['compiled_cpu_seconds']:.2f} s (with the plain step)")
        for part, ms in found["ms"].items():
            print(f"  {part:30s} {ms:8.1f} ms {100 * found['share'][part]:6.2f} %")
        print(
            f"  a measured step takes {found['ms_more_per_measured_step']:.2f} ms more"
        )
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    path = folder / f"doctor_parts_{backend}.json"
    report = {"date": date.today().isoformat(), "results": results, **vars(options)}
    path.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
