"""How many faulty runs `treat` repairs, and what it costs.

    KERAS_BACKEND=torch python benchmarks/repair.py [--per-fault 3] [--first-seed 300]

Each run is a family of `diagnosis_runs.py` with a fault that a change of the model or
of its training can fix. Held against each other are the skill on the validation rows
of the run trained as it is, treated, and of the family without the fault, on as many
rows.
Repaired: at least `SHARE` of what the fault took is back, or all but `CLOSE`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import time
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from diagnosis_record import wanted
from diagnosis_runs import FAULTS, build, family
from rich.console import Console
from rich.table import Table

import keras_dlbasic as kd

SHARE, CLOSE = 0.8, 0.05

OF_THE_DATA = ("constant_y", "nan_x", "overlap", "sorted", "constant_x", "shift_val")
"""Faults that no change of the model fixes."""


def score(model, setup):
    """Return accuracy over chance, or the share of variance explained."""
    predicted = np.asarray(model.predict(setup.val_x, verbose=0), np.float64)
    y = np.asarray(setup.val_y)
    if not np.isfinite(predicted).all():
        return 0.0
    if setup.task == "values":
        error = np.mean((predicted[:, 0] - y) ** 2) / np.var(y)
        return float(max(0.0, 1 - error))
    if setup.task == "classes":
        right = np.mean(predicted.argmax(axis=1) == y)
        chance = np.bincount(y).max() / len(y)
    else:
        threshold = 0.5 if predicted.min() >= 0 and predicted.max() <= 1 else 0.0
        right = np.mean((predicted > threshold).reshape(y.shape) == (y > 0.5))
        shares = np.atleast_1d((y > 0.5).mean(axis=0))
        chance = float(np.maximum(shares, 1 - shares).mean())
    return float(max(0.0, (right - chance) / (1 - chance)))


def plain_fit(setup, seed):
    keras.utils.set_random_seed(seed)
    model = build(setup)
    model.fit(
        setup.x,
        setup.y,
        batch_size=setup.batch_size,
        epochs=setup.epochs,
        verbose=0,
    )
    return model


def repair(name, fault, seed, budget):
    """Return what became of a run."""
    healthy = family(name, seed)
    rng = np.random.default_rng([seed, sum(map(ord, fault)), len(name)])
    setup = FAULTS[fault].inject(healthy, rng)
    if len(setup.x) < len(healthy.x):  # part of the fault, and no remedy brings it back
        healthy = replace(healthy, x=setup.x, y=setup.y)
    untreated = plain_fit(setup, seed)
    good = plain_fit(healthy, seed)
    keras.utils.set_random_seed(seed)
    begin = time.perf_counter()
    result = kd.treat(
        build(setup),
        setup.x,
        setup.y,
        epochs=setup.epochs,
        batch_size=setup.batch_size,
        validation_data=(setup.val_x, setup.val_y),
        budget=budget,
        verbose=0,
    )
    seconds = time.perf_counter() - begin
    of = {
        "healthy": score(good, healthy),
        "untreated": score(untreated, setup),
        "treated": score(result.model, setup),
    }
    lost = of["healthy"] - of["untreated"]
    back = of["treated"] - of["untreated"]
    return {
        "family": name,
        "fault": fault,
        "seed": seed,
        **of,
        "repaired": bool(back >= SHARE * lost or lost - back <= CLOSE),
        "was_lost": bool(lost > CLOSE),
        "silent": not result.diagnosis.at_least("warning"),
        "cost": result.cost,
        "seconds": seconds,
        "found": [f.name for f in result.first_diagnosis.at_least("warning")],
        "kept": [step.remedy for step in result.kept],
        "tried": [str(step) for step in result.history],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--per-fault", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=300)
    parser.add_argument("--budget", type=float, default=2.0)
    parser.add_argument("--faults", nargs="+")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = []
    for name, fault, seed in wanted(range(0), options.per_fault, options.first_seed):
        if fault in OF_THE_DATA or (options.faults and fault not in options.faults):
            continue
        with contextlib.redirect_stdout(io.StringIO()):
            row = repair(name, fault, seed, options.budget)
        rows.append(row)
        print(
            f"{'ok ' if row['repaired'] else 'NOT'} {fault:14} {name:20} "
            f"{row['healthy']:.2f} {row['untreated']:.2f} -> {row['treated']:.2f} "
            f"cost {row['cost']:.2f}  {'; '.join(row['kept'])[:70]}",
            flush=True,
        )
        if options.out:
            options.out.write_text(json.dumps(rows, indent=1) + "\n")
        keras.backend.clear_session()
    summary(rows)


def summary(rows):
    """Print the shares repaired and the cost."""
    table = Table(title=f"{len(rows)} runs, {keras.backend.backend()}")
    for column in (
        "fault",
        "runs",
        "lost by it",
        "of these repaired",
        "cost, median",
        "most",
    ):
        table.add_column(column)
    for fault in [*dict.fromkeys(row["fault"] for row in rows), "all"]:
        of = [row for row in rows if fault in (row["fault"], "all")]
        costs = [row["cost"] for row in of]
        table.add_row(
            fault,
            str(len(of)),
            str(sum(row["was_lost"] for row in of)),
            f"{np.mean([row['repaired'] for row in of if row['was_lost']] or [1]):.1%}",
            f"{np.median(costs):.2f}",
            f"{max(costs):.2f}",
        )
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
