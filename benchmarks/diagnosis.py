"""How many faults a diagnosis finds, and how many healthy runs it leaves alone.

Judges records made by `diagnosis_record.py` (own runs: families, injected faults, seeds)
and `diagnosis_cases.py` (published runs). Nothing is trained here.

    python benchmarks/diagnosis_record.py runs/tuning --part tuning
    python benchmarks/diagnosis.py runs/tuning --json figures.json
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
from diagnosis_cases import EXPECTED
from diagnosis_runs import FAULTS

import keras_dlbasic as kd

HARM = 0.9


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--all", action="store_true", help="print every run")
    parser.add_argument("--told", action="store_true", help="replay epoch by epoch")
    given = parser.parse_args()
    rows = [judge(path, given.told) for path in sorted(given.folder.glob("*.npz"))]
    healthy_scores = {
        (r["family"], r["seed"]): r["score"] for r in rows if not r["fault"]
    }
    for row in rows:
        row["harmless"] = is_harmless(row, healthy_scores, rows)
    report(rows, given.all)
    if given.json:
        given.json.write_text(json.dumps({"runs": rows, "figures": figures(rows)}))


def judge(path: Path, told: bool) -> dict:
    """Judge a record and compare with what is known of the run."""
    about = json.loads(path.with_suffix(".json").read_text())
    record = kd.records.TrainingRecord.load(path)
    diagnosis = kd.diagnose(record)
    serious = diagnosis.at_least("warning")
    causes = [f.name for f in serious if f.kind == "cause"]
    if "case" in about:
        expected = EXPECTED.get(about["case"], ((), ()))
        about |= {
            "family": about["case"],
            "score": float("nan"),
            "fault": about["case"] if about["role"] == "faulty" else None,
        }
    elif about["fault"]:
        fault = FAULTS[about["fault"]]
        expected = fault.causes, fault.symptoms
    else:
        expected = (), ()
    names = {f.name for f in serious}
    return {
        **about,
        "names": [f"{f.name}:{f.severity[0]}" for f in diagnosis],
        "serious": sorted(names),
        "found": bool(serious),
        "named": bool(names & {*expected[0], *expected[1]}),
        "root": bool(set(causes) & set(expected[0]))
        or bool(not causes and names & set(expected[0])),
        "root_first": bool(
            (causes or [f.name for f in serious] or [""])[0] in expected[0]
        ),
        "outcome": diagnosis.outcome,
        "first_told": first_told(record) if told and serious else None,
        "epochs": len(record.epochs["epoch"]),
    }


def first_told(record) -> int | None:
    """Return after how many epochs something serious is first said, replayed."""
    n = len(record.epochs["epoch"])
    for epoch in range(1, n + 1):
        if epoch > 8 and epoch % max(1, epoch // 5):
            continue
        part = kd.records.TrainingRecord(record.variables, record.facts)
        for row in np.flatnonzero(record.step_epochs < epoch):
            part._rows.append(
                int(record.steps[row]),
                record._rows.scalars[row],
                record._rows.measures[row],
            )
            part.trained_steps = int(record.steps[row]) + 1
        for row in range(epoch):
            part.append_epoch(row, {k: v[row] for k, v in record.epochs.items()})
        for name, table in record.tables.items():
            copy = part.tables[name] = kd.records.LayerTable(
                table.labels, table.measures
            )
            for row in np.flatnonzero(table.epochs < epoch):
                copy.append(
                    int(table.steps[row]),
                    int(table.epochs[row]),
                    {m: table[m][row] for m in table.measures},
                )
        if kd.diagnose(part, live=True).at_least("warning"):
            return epoch
    return n


def is_harmless(row: dict, healthy: dict, rows: list) -> bool:
    """Tell whether an injected fault did no harm: the run does as well as without."""
    twins = [s for (name, _), s in healthy.items() if name == row["family"]]
    if not row["fault"] or not twins or not np.isfinite(row["score"]):
        return False
    return bool(row["score"] >= HARM * np.nanmedian(twins))


def figures(rows: list) -> dict:
    """Return the shares."""
    healthy = [r for r in rows if not r["fault"]]
    faulty = [r for r in rows if r["fault"]]
    harmful = [r for r in faulty if not r["harmless"]]

    def share(part, key):
        return round(float(np.mean([r[key] for r in part])), 4) if part else None

    told = [r["first_told"] for r in faulty if r["first_told"]]
    return {
        "healthy": len(healthy),
        "healthy_flagged": share(healthy, "found"),
        "faulty": len(faulty),
        "harmful": len(harmful),
        **{
            f"{key}_{label}": share(part, key)
            for label, part in (("faulty", faulty), ("harmful", harmful))
            for key in ("found", "named", "root", "root_first")
        },
        "median_epochs_until_told": float(np.median(told)) if told else None,
    }


def report(rows: list, everything: bool) -> None:
    """Print a table by fault, what was missed, and the shares."""
    by_fault = defaultdict(list)
    for row in rows:
        by_fault[row["fault"] or "-"].append(row)
    print(
        f"{'fault':26} {'runs':>4} {'harm':>4} {'found':>6} {'named':>6} {'root':>6}"
        f" {'first':>6}"
    )
    for fault, part in sorted(by_fault.items()):
        values = [
            np.mean([r[k] for r in part])
            for k in ("found", "named", "root", "root_first")
        ]
        harm = sum(not r["harmless"] for r in part)
        print(
            f"{fault:26} {len(part):4} {harm:4} "
            + " ".join(f"{v:6.2f}" for v in values)
        )
    for row in rows:
        wrong = (
            row["found"]
            if not row["fault"]
            else not (row["named"] and row["root_first"])
        )
        if wrong or everything:
            score = f"{row['score']:.2f}"
            print(
                f"{'HEALTHY' if not row['fault'] else 'missed '} {row['family']}"
                f"--{row['fault']}--{row['seed']} {'harmless ' if row['harmless'] else ''}"
                f"val {score} {row['names']} | {row['outcome']}"
            )
    print(json.dumps(figures(rows), indent=1))


if __name__ == "__main__":
    main()
