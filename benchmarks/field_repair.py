"""How many programs after public reports the advice repairs, and how many `treat` does.

Each faulty program of `field_programs` is fitted as its author would, with a
`TrainingDoctor`. Then

- the code of the first suggestion of the first finding is run as it is printed, on the
  model that the run left, and the model is fitted again with the same arguments; epochs
  and batch size are set as the printed `fit` call says;
- `treat` is given a new model of the same program, if it takes what `fit` was given.

    KERAS_BACKEND=torch python benchmarks/field_repair.py --half tune --json out.json

Held against each other are the program's own score as it is, after each, and of its
repaired twin. Repaired: at least `SHARE` of what the fault took is back, or all but
`CLOSE` of it. Programs that lost no more than `CLOSE` are not counted. A first
suggestion without code is for the user to do by hand; `treat` cannot do it either, and
these programs are counted apart.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import json
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
from field import fitted
from field_programs import PROGRAMS, Program
from field_programs.registry import HALVES
from rich.console import Console
from rich.table import Table

import keras_dlbasic as kd

SHARE, CLOSE = 0.8, 0.05

TAKEN = {"epochs", "batch_size", "validation_data", "validation_split", "verbose"}
"""Arguments of `fit` that `treat` takes, or that can be given to it in another way."""


def main() -> None:
    """Run what is asked for and print the table."""
    given = arguments()
    warnings.simplefilter("ignore")
    rows = []
    for entry in chosen(given):
        row = run(entry, given)
        rows.append(row)
        print(line(row), flush=True)
        if given.json:
            given.json.write_text(json.dumps(rows, indent=1) + "\n")
        keras.backend.clear_session()
        gc.collect()
    report(rows)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--half", nargs="+", choices=HALVES, default=["tune"])
    parser.add_argument("--only", nargs="*", help="names of programs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--budget", type=float, default=2.0)
    parser.add_argument("--no-treat", action="store_true")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def chosen(given: argparse.Namespace) -> list[Program]:
    """Return the faulty programs to run."""
    backend = keras.backend.backend()
    return [
        entry
        for entry in PROGRAMS.values()
        if not entry.is_healthy
        and backend in entry.backends
        and (entry.name in given.only if given.only else entry.half in given.half)
    ]


# -- running ---------------------------------------------------------------------------


def run(entry: Program, given: argparse.Namespace) -> dict[str, Any]:
    """Return what became of a program, after the advice and after `treat`."""
    row: dict[str, Any] = {"name": entry.name, "kind": entry.kind}
    begin = time.perf_counter()
    try:
        doctor, row["faulty"] = scored(entry, False, given.seed)
        _, row["twin"] = scored(entry, True, given.seed, watch=False)
        serious = doctor.diagnosis.at_least("warning")
        row["found"] = [finding.name for finding in serious]
        row["named"] = bool(set(row["found"]) & set(entry.truth))
        row |= advised(entry, serious, given.seed)
        if not given.no_treat:
            row |= treated(entry, given)
    except Exception:
        row["raised"] = traceback.format_exc()
    row["seconds"] = round(time.perf_counter() - begin, 1)
    return row


def scored(
    entry: Program, repaired: bool, seed: int, *, watch: bool = True
) -> tuple[Any, float]:
    """Fit one version of a program; return the doctor and the score."""
    keras.utils.set_random_seed(seed)
    doctor, score = fitted(entry.build(repaired), watch=watch)
    return doctor, finite(score)


def advised(entry: Program, serious: Any, seed: int) -> dict[str, Any]:
    """Run the code of the first suggestion as printed, and fit again."""
    first = serious[0] if serious else None
    suggested = first.remedies[0] if first and first.remedies else None
    if suggested is None or suggested.name is None:
        return {"advice": "by hand" if suggested else "none"}
    keras.utils.set_random_seed(seed)
    fit = entry.build(False)
    fitted(fit, watch=False)  # the model as the run left it
    result: dict[str, Any] = {"advice": suggested.call}
    try:
        follow(fit, suggested)
        _, score = fitted(fit, watch=False)
        result["after_advice"] = finite(score)
    except Exception as error:
        result["advice_raised"] = f"{type(error).__name__}: {error}"[:300]
    return result


def follow(fit: Any, suggested: Any) -> None:
    """Change a program's fit as the code of a suggestion says."""
    if suggested.name == "train_longer":
        epochs = suggested.kwargs.get("epochs")
        factor = suggested.kwargs.get("factor", 3.0)
        fit.options["epochs"] = epochs or round(factor * fit.options["epochs"])
    elif suggested.name == "change_batch_size":
        fit.options["batch_size"] = suggested.kwargs["batch_size"]
    else:
        names = {"keras": keras, "kd": kd, "model": fit.model, "x": fit.x, "y": fit.y}
        with contextlib.redirect_stdout(io.StringIO()):
            exec(suggested.call, names)
        fit.model = names["model"]
        if suggested.name == "stop_early":
            callbacks = fit.options.get("callbacks", [])
            fit.options["callbacks"] = [*callbacks, names["stopping"]]


def treated(entry: Program, given: argparse.Namespace) -> dict[str, Any]:
    """Let `treat` do what it can with a program."""
    keras.utils.set_random_seed(given.seed)
    fit = entry.build(False)
    other = set(fit.options) - TAKEN
    if fit.y is None or other:
        return {"treat": f"not taken: {', '.join(sorted(other)) or 'batches'}"}
    x, y, held_out = fit.x, fit.y, fit.options.get("validation_data")
    share = fit.options.get("validation_split")
    if share:
        at = int(len(keras.tree.flatten(y)[0]) * (1 - share))
        held_out = tuple(
            keras.tree.map_structure(lambda a: a[at:], part) for part in (x, y)
        )
        x, y = (keras.tree.map_structure(lambda a: a[:at], part) for part in (x, y))
    try:
        result = kd.treat(
            fit.model,
            x,
            y,
            epochs=fit.options.get("epochs", 1),
            batch_size=fit.options.get("batch_size") or 32,
            validation_data=held_out,
            budget=given.budget,
            verbose=0,
        )
    except Exception as error:
        return {"treat": f"raised {type(error).__name__}: {error}"[:300]}
    return {
        "treat": "done",
        "after_treat": finite(fit.score(result.model, None)),
        "cost": result.cost,
        "kept": [step.remedy for step in result.kept],
        "tried": [str(step) for step in result.history],
        "by_hand": list(result.by_hand),
    }


def finite(score: Any) -> float:
    """Return a score, -1 where it is none."""
    return float(np.nan_to_num(score, nan=-1.0))


# -- figures ---------------------------------------------------------------------------


def lost_something(row: dict[str, Any]) -> bool:
    """Return whether the fault took enough that a repair can be seen."""
    return bool(row["twin"] - row["faulty"] > CLOSE)


def is_back(row: dict[str, Any], arm: str) -> bool:
    """Return whether what the fault took is back, of a program that lost something."""
    if arm not in row or not lost_something(row):
        return False
    lost, back = row["twin"] - row["faulty"], row[arm] - row["faulty"]
    return bool(back >= SHARE * lost or lost - back <= CLOSE)


def line(row: dict[str, Any]) -> str:
    """Return a line on a program."""
    if "raised" in row:
        return f"{row['name']} RAISED {row['raised'].strip().splitlines()[-1]}"
    after = [
        f"{arm} {'ok ' if is_back(row, key) else 'NOT'} {row[key]:.2f}"
        for arm, key in (("advice", "after_advice"), ("treat", "after_treat"))
        if key in row
    ]
    advice = row["advice"].replace("\n", "; ")
    return (
        f"{row['name']:32} {row['faulty']:.2f} of {row['twin']:.2f} "
        f"{'named' if row['named'] else 'missed'} | {' | '.join(after)} | {advice} "
        f"{row.get('advice_raised', '')} | treat: {row.get('treat', '')} "
        f"{'; '.join(row.get('kept', ()))} {row.get('cost', 0):.1f} x"
    )


def report(rows: list[dict[str, Any]]) -> None:
    """Print the shares."""
    done = [row for row in rows if "raised" not in row]
    ran = [row for row in done if lost_something(row)]
    found = [row for row in ran if row["found"]]
    coded = [row for row in found if row["advice"] not in ("by hand", "none")]
    taken = [row for row in ran if row.get("treat") == "done"]
    ours = [row for row in taken if row in coded]
    table = Table(title=f"{len(ran)} programs, {keras.backend.backend()}")
    for column in ("what", "repaired", "of"):
        table.add_column(column)
    for title, arm, of in (
        ("first advice, where it is code", "after_advice", coded),
        (
            "  of these, true cause named",
            "after_advice",
            [r for r in coded if r["named"]],
        ),
        ("treat, of all that it takes", "after_treat", taken),
        ("treat, where the first advice is code", "after_treat", ours),
        (
            "  of these, true cause named",
            "after_treat",
            [r for r in ours if r["named"]],
        ),
    ):
        back = sum(is_back(row, arm) for row in of)
        table.add_row(title, str(back), str(len(of)))
    Console(width=100).print(table)
    costs = [row["cost"] for row in taken] or [0.0]
    print(f"Cost of treat: median {np.median(costs):.2f}, most {max(costs):.2f}.")
    raised = sum("advice_raised" in row for row in rows)
    print(f"Lost nothing, not counted: {len(done) - len(ran)}.")
    print(f"By hand: {sum(r['advice'] == 'by hand' for r in ran)}. Raised: {raised}.")


if __name__ == "__main__":
    main()
