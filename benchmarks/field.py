"""What a diagnosis says of programs rebuilt after public reports, and healthy ones.

Each program of `field_programs` is fitted with its fault, and repaired, as its author
would: with a `TrainingDoctor` that is given the arrays where there are any.

    KERAS_BACKEND=torch python benchmarks/field.py --half tune --json torch.json
    python benchmarks/field.py --join torch.json jax.json tensorflow.json
    KERAS_BACKEND=jax python benchmarks/field.py --half look --smoke
    KERAS_BACKEND=torch python benchmarks/field.py --check --only ion_mobility

Without `--all`, a program runs on the backend that it was dealt to, so that three
processes cover all of them once. Each run ends with a check that every fault does harm:
the score of the repaired version is clearly better. `--check` does without the doctor;
`--smoke` runs it and prints nothing of what it says. The half to look at is looked at
once: tune on the other. The fresh programs were written later, by somebody who did not
know the rules, and are looked at once too. So were the unseen, the held, the blind and
the sealed ones, later still: `--half unseen`, `--half sealed`.
"""

from __future__ import annotations

import argparse
import gc
import json
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
from field_programs import PROGRAMS, Program, backend_of
from field_programs.registry import HALVES

import keras_dlbasic as kd


def main() -> None:
    """Run what is asked for and print the table."""
    given = arguments()
    if given.join:
        report(joined(given.join))
        return
    warnings.simplefilter("ignore")
    rows = []
    for entry in chosen(given):
        for repaired in (True,) if entry.is_healthy else (False, True):
            row = run(entry, repaired, given)
            rows.append(row)
            print(progress(row), flush=True)
            if given.json:
                given.json.write_text(json.dumps(rows, indent=1))
    if not (given.check or given.smoke):
        report(rows)
    check(rows)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--half", choices=HALVES, default="tune")
    parser.add_argument("--only", nargs="*", help="names of programs")
    parser.add_argument("--all", action="store_true", help="all on this backend")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--join", type=Path, nargs="*", help="files of --json")
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--check", action="store_true")
    return parser.parse_args()


def joined(paths: list[Path]) -> list[dict[str, Any]]:
    """Read results; of a program that was run again, those of the last file."""
    rows = [row for path in paths for row in json.loads(path.read_text())]
    last = {(row["name"], row["version"]): row for row in rows}
    return [row | truth_of(PROGRAMS[row["name"]]) for row in last.values()]


def chosen(given: argparse.Namespace) -> list[Program]:
    """Return the programs to run on this backend."""
    backend = keras.backend.backend()
    found = []
    for entry in PROGRAMS.values():
        half = given.half if not given.only else entry.half
        wanted = entry.half == half and entry.name in (given.only or PROGRAMS)
        mine = given.all or given.only or backend_of(entry.name) == backend
        if wanted and mine and backend in entry.backends:
            found.append(entry)
    return found


# -- running ---------------------------------------------------------------------------


def run(entry: Program, repaired: bool, given: argparse.Namespace) -> dict[str, Any]:
    """Fit one version of a program; return what was said, or what was raised."""
    row = {
        "name": entry.name,
        "kind": entry.kind,
        "family": entry.family,
        "version": "healthy" if entry.is_healthy else ["faulty", "repaired"][repaired],
        "backend": keras.backend.backend(),
        **truth_of(entry),
    }
    begin = time.perf_counter()
    try:
        keras.utils.set_random_seed(given.seed)
        doctor, score = fitted(entry.build(repaired), watch=not given.check)
        row["score"] = float(np.nan_to_num(score, nan=-1.0))
        if doctor is not None and not given.smoke:
            row |= said(doctor.diagnosis)
            row["saved_says_the_same"] = says_the_same_saved(doctor)
    except Exception:
        row["raised"] = traceback.format_exc()
    row["seconds"] = round(time.perf_counter() - begin, 1)
    keras.backend.clear_session()
    gc.collect()
    return row


def truth_of(entry: Program) -> dict[str, Any]:
    """Return what a diagnosis is compared with."""
    return {"truth": entry.truth, "also": entry.also, "margin": entry.margin}


def fitted(fit: Any, watch: bool) -> tuple[Any, float]:
    """Fit a program as its author would; return the doctor and the score."""
    options = dict(fit.options)
    callbacks = options.pop("callbacks", [])
    doctor = None
    if watch:
        arrays = (fit.x, fit.y) if fit.y is not None else ()
        pair = options.get("validation_data")
        known = pair if arrays and isinstance(pair, tuple) else None
        doctor = kd.callbacks.TrainingDoctor(*arrays, validation_data=known, verbose=0)
        callbacks = [*callbacks, doctor]
    data = {"x": fit.x} if fit.y is None else {"x": fit.x, "y": fit.y}
    history = fit.model.fit(**data, verbose=0, callbacks=callbacks, **options)
    return doctor, fit.score(fit.model, history)


def said(diagnosis: Any) -> dict[str, Any]:
    """Return what a diagnosis says, in terms JSON knows."""
    return {
        "findings": [
            [f.name, f.kind, f.severity, round(f.confidence, 2)] for f in diagnosis
        ],
        "messages": [str(f) for f in diagnosis.at_least("warning")],
        "outcome": diagnosis.outcome,
        "judged": is_judged(diagnosis),
        "skipped": {name: reason[:160] for name, reason in diagnosis.skipped.items()},
    }


def says_the_same_saved(doctor: Any) -> bool:
    """Return whether the record is judged alike once it was saved and loaded."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.npz"
        doctor.record.save(path)
        loaded = kd.records.TrainingRecord.load(path)
    return said(kd.diagnose(loaded)) == said(doctor.diagnosis)


def is_judged(diagnosis: Any) -> bool:
    """Return whether the decisive checks ran, or something was found all the same."""
    coverage = getattr(diagnosis, "coverage", None)
    if coverage is not None and hasattr(coverage, "is_judged"):
        return bool(coverage.is_judged)
    ran = {*diagnosis.checked_fine, *diagnosis.names}
    decisive = {"loss_target_mismatch", "output_activation_mismatch"}
    return bool(diagnosis.at_least("warning")) or decisive <= ran


# -- figures ---------------------------------------------------------------------------


def verdict(row: dict[str, Any]) -> dict[str, Any]:
    """Compare what was said of a program with the truth."""
    serious = [f for f in row.get("findings", ()) if f[2] != "info"]
    names = [f[0] for f in serious]
    top = serious[0] if serious else None
    allowed = {*row["truth"], *row["also"]}
    return {
        "found": bool(set(names) & set(row["truth"])),
        "first": bool(top and top[0] in row["truth"]),
        "false cause first": bool(top and top[1] == "cause" and top[0] not in allowed),
        "silent": not serious,
        "critical": any(f[2] == "critical" for f in serious),
        "judged": bool(row.get("judged")),
        "raised": "raised" in row,
    }


def report(rows: list[dict[str, Any]]) -> None:
    """Print a line for each miss, and the shares."""
    judged = [(row, verdict(row)) for row in rows]
    parts = {
        version: [pair for pair in judged if pair[0]["version"] == version]
        for version in ("faulty", "repaired", "healthy")
    }
    print()
    for row, result in judged:
        faulty = row["version"] == "faulty"
        if not (result["first"] if faulty else result["silent"]) or result["raised"]:
            print(miss(row, result))
    print()
    table = (
        ("faulty", ("found", "first", "false cause first", "judged", "raised")),
        ("repaired", ("silent", "critical", "judged", "raised")),
        ("healthy", ("silent", "critical", "judged", "raised")),
    )
    for version, columns in table:
        for column in columns:
            part = parts[version]
            count = sum(result[column] for _, result in part)
            share = f"{count / len(part):6.1%}" if part else "     -"
            print(f"{version:10} {column:18} {count:3} of {len(part):3} {share}")
    other = [row["name"] for row in rows if row.get("saved_says_the_same") is False]
    print(f"judged otherwise once saved: {', '.join(other) or 'none'}")


def miss(row: dict[str, Any], result: dict[str, Any]) -> str:
    """Return a line on a program whose verdict is not the right one."""
    title = f"{row['version']:9} {row['name']} ({row['kind']}, {row['family']})"
    if "raised" in row:
        return f"{title} RAISED {row['raised'].strip().splitlines()[-1]}"
    found = ", ".join(f"{f[0]}:{f[2][0]}" for f in row["findings"]) or "nothing"
    word = "named, not first" if result["found"] else "missed"
    if row["version"] != "faulty":
        word = "flagged"
    if result["false cause first"] and row["version"] == "faulty":
        word += ", false cause first"
    wanted = f" wanted {'|'.join(row['truth'])};" if row["truth"] else ""
    return (
        f"{title} {row['backend']}: {word};{wanted} said {found} | {row['outcome']}"
        f" | score {row.get('score', float('nan')):.2f}"
    )


def progress(row: dict[str, Any]) -> str:
    """Return a line on a program that has run; nothing of what is said of it."""
    line = f"{row['name']:32} {row['version']:9} {row['seconds']:5.1f} s"
    if "raised" in row:
        return f"{line} RAISED\n{row['raised']}"
    return f"{line} score {row['score']:6.2f}"


def check(rows: list[dict[str, Any]]) -> None:
    """Print the programs whose repaired version is not clearly better."""
    by_name: dict[str, dict[str, dict]] = {}
    for row in rows:
        by_name.setdefault(row["name"], {})[row["version"]] = row
    bad = 0
    for name, versions in by_name.items():
        if any("raised" in row for row in versions.values()):
            bad += 1
            print(f"{name}: raised")
        elif "faulty" in versions:
            faulty, repaired = (versions[v]["score"] for v in ("faulty", "repaired"))
            if repaired - faulty < versions["faulty"]["margin"]:
                bad += 1
                print(f"{name}: {faulty:.2f} with the fault, {repaired:.2f} repaired")
        elif versions["healthy"]["score"] < 0.15:
            bad += 1
            print(f"{name}: healthy, but its score is {versions['healthy']['score']}")
    print(f"{bad} of {len(by_name)} programs do not show what they should.")


if __name__ == "__main__":
    main()
