"""Train the runs once and keep their records, so that they can be judged again."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
from diagnosis_runs import FAMILIES, FAULTS, family, train

import keras_dlbasic as kd


def record_run(folder: Path, name: str, fault: str | None, seed: int) -> Path | None:
    """Train a run, unless its record is there; return where the record is."""
    stem = f"{name}--{fault or 'healthy'}--{seed}"
    path = folder / f"{stem}.npz"
    if path.exists():
        return path
    setup = family(name, seed)
    if fault is not None:
        code = sum(map(ord, fault))
        rng = np.random.default_rng([seed, code, len(name)])
        setup = FAULTS[fault].inject(setup, rng)
        if setup is None:
            return None
    doctor = kd.callbacks.TrainingDoctor(
        setup.x, setup.y, validation_data=(setup.val_x, setup.val_y), verbose=0
    )
    begin = time.time()
    model = train(setup, seed, doctor)
    about = {
        "family": name,
        "fault": fault,
        "seed": seed,
        "seconds": time.time() - begin,
        "task": setup.task,
        "score": final_score(model, setup),
    }
    doctor.record.save(path)
    path.with_suffix(".json").write_text(json.dumps(about))
    return path


def final_score(model, setup) -> float:
    """Return the score on validation rows, by our own formula."""
    predicted = np.asarray(model.predict(setup.val_x, verbose=0), np.float64)
    y = np.asarray(setup.val_y)
    if not np.isfinite(predicted).all():
        return float("nan")
    if setup.task == "values":
        return float(1 - np.mean((predicted[:, 0] - y) ** 2) / np.var(y))
    if setup.task == "classes":
        return float(np.mean(predicted.argmax(axis=1) == y))
    return float(np.mean((predicted > 0.5).squeeze() == (y > 0.5)))


def wanted(seeds_healthy: range, per_fault: int, first_seed: int):
    """Yield the runs of a part: families, faults, seeds."""
    for seed in seeds_healthy:
        for name in FAMILIES:
            yield name, None, seed
    names = list(FAMILIES)
    for place, fault in enumerate(FAULTS):
        found = 0
        for offset in range(len(names)):
            if found >= per_fault:
                break
            name = names[(7 * offset + 5 * place + 3 * first_seed) % len(names)]
            seed = first_seed + offset
            only = {"no_bend": ("circles", "moons")}.get(fault)
            if only and not name.startswith(only):
                continue
            setup = family(name, seed)
            rng = np.random.default_rng([seed, sum(map(ord, fault)), len(name)])
            if FAULTS[fault].inject(setup, rng) is None:
                continue
            found += 1
            yield name, fault, seed


PARTS = {"tuning": (range(0, 3), 5, 0), "once": (range(100, 105), 6, 100)}

if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", choices=PARTS, default="tuning")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for number, (name, fault, seed) in enumerate(wanted(*PARTS[given.part])):
        begin = time.time()
        try:
            record_run(given.folder, name, fault, seed)
        except Exception as error:
            print("FAILED", name, fault, seed, repr(error)[:300], flush=True)
        print(number, name, fault, seed, f"{time.time() - begin:.1f} s", flush=True)
