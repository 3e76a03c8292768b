"""Records made by hand: what a run measured, without a run."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np

import keras_dlbasic as kd
from keras_dlbasic.analysis.activations.statistics import MEASURES as ACTIVATIONS
from keras_dlbasic.inspection.probe import MEASURES as PROBED
from keras_dlbasic.records import (
    MEASURES,
    LayerTable,
    RunFacts,
    TrainingRecord,
    VariableInfo,
)

LAYERS = ("first", "second", "out")


def variables(layers=LAYERS):
    return [
        VariableInfo(f"{layer}/kernel", layer, "kernel", (4, 4), depth)
        for depth, layer in enumerate(layers)
    ]


def network(**changes):
    layers = [
        {
            "label": label,
            "class_name": "Dense",
            "kind": "dense",
            "activation": "relu" if label != "out" else "softmax",
            "units": 4,
            "trainable": True,
            "normalizes": False,
            "batch_normalizes": False,
            "is_recurrent": False,
            "gain": 1.2,
            "kernel_rms": 0.6,
            "fan_in": 4.0,
            "fan_out": 4.0,
            "units_alike": False,
            "penalty": None,
            **changes.get(label, {}),
        }
        for label in LAYERS
    ]
    return {
        "layers": layers,
        "outputs": [{"name": "out", "activation": "softmax", "units": 4, "rank": 2}],
        "n_weights": 48,
        "n_trainable_weights": changes.get("n_trainable_weights", 48),
        "normalizes_inputs": False,
    }


def data(**changes):
    return {
        "inputs": [
            {
                "name": "0",
                "dtype": "float32",
                "is_integer": False,
                "n_rows": 500,
                "non_finite": 0,
                "rms": 1.0,
                "offset": 0.0,
                "scale_ratio": 1.0,
                "constant_features": 0,
                "is_constant": False,
                **changes.get("inputs", {}),
            }
        ],
        "targets": [
            {
                "name": "0",
                "kind": "whole_numbers",
                "frequencies": [0.25] * 4,
                "mean": 1.5,
                "std": 1.1,
                "rms": 1.9,
                "min": 0.0,
                "max": 3.0,
                "n_columns": 1,
                "constant_columns": 0,
                "is_constant": False,
                "commonest": 0.25,
                "non_finite": 0,
                **changes.get("targets", {}),
            }
        ],
        "n_rows": 500,
        "validation": {"n_rows": 200, **changes.get("validation", {})},
    }


def made_run(
    loss=None,
    val_loss=None,
    *,
    end_loss=0.2,
    skill=0.9,
    reference=0.85,
    ratio=1e-3,
    gradients=(1.0, 1.0, 1.0),
    batch_loss=None,
    dead=0.0,
    saturated=np.nan,
    dead_before=0.0,
    spread=0.4,
    steps=None,
    weights=None,
    penalty=0.0,
    rates=None,
    clip_factor=1.0,
    missed=None,
    facts=None,
    **changes,
):
    """Return the record of a run over 20 epochs of 16 steps, healthy by default."""
    if loss is None:
        loss = 1.4 * np.exp(-np.arange(20) / 5) + 0.2
    record = TrainingRecord(
        variables(),
        {
            "loss": "sparse_categorical_crossentropy",
            "optimizer": {"class_name": "Adam", "learning_rate": 1e-3},
            "epochs": len(loss),
            "steps_per_epoch": 16,
            "batch_size": 32,
            "network": network(**changes),
            "data": data(**changes),
            "probe": {
                "rows": 256,
                "baseline_loss": float(np.log(4)),
                "references": {"neighbours": reference},
            },
            **(facts or {}),
        },
    )
    n = 60 if steps is None else steps
    weights = np.ones(n) if weights is None else weights
    for row in range(n):
        values = np.zeros((len(MEASURES), 3))
        values[MEASURES.index("gradient_norm")] = gradients
        values[MEASURES.index("max_abs_gradient")] = gradients
        values[MEASURES.index("weight_norm")] = weights[row]
        values[MEASURES.index("update_norm")] = ratio[row] if np.ndim(ratio) else ratio
        values[MEASURES.index("zero_unit_fraction")] = np.nan
        values[MEASURES.index("clip_factor")] = clip_factor
        told = 1.4 if batch_loss is None else batch_loss[row]
        record.append_step(
            row * 5,
            {
                "epoch": row * 5 // 16,
                "batch_loss": told,
                "learning_rate": 1e-3 if rates is None else rates[row],
                "skipped": 0,
                "batch_size": 32,
            },
            values,
        )
    record.trained_steps = 16 * len(loss) if steps is None else steps
    for epoch, value in enumerate(loss):
        logs = {"loss": value}
        if val_loss is not None:
            logs["val_loss"] = val_loss[epoch]
        record.append_epoch(epoch, logs)
    probe = LayerTable(("model",), PROBED)
    units = LayerTable(LAYERS, ACTIVATIONS)
    rows = (
        (0, -1, 1.4, 0.0, dead_before),
        (16 * len(loss), len(loss) - 1, end_loss, skill, dead),
    )
    for step, epoch, value, skilled, gone in rows:
        said = {
            "loss": value,
            "loss_error": 0.01,
            "skill": skilled,
            "spread": spread,
            "commonest": 0.3,
            "penalty": penalty,
            "non_finite": 0.0,
            **(missed or {}),
        }
        probe.append(step, epoch, {m: [said.get(m, np.nan)] for m in PROBED})
        shares = {
            "dead_units": [0.0, gone, 0.0],
            "saturated_units": [0.0, saturated, 0.0],
        }
        units.append(step, epoch, {m: shares.get(m, [0.1] * 3) for m in ACTIVATIONS})
    record.tables.update(probe=probe, activations=units)
    return record


AGE = {
    "loss": "mse",
    "activation": None,
    "units": 1,
    "target": {"kind": "continuous", "std": 1.0, "rms": 1.0, "min": -2.0, "max": 2.0},
    "baseline": 1.0,
    "first": 1.2,
    "end_loss": 0.1,
    "spread": 0.9,
}
"""An output of values that is learned."""

KIND = {
    "loss": "sparse_categorical_crossentropy",
    "activation": "softmax",
    "units": 4,
    "target": {},
    "baseline": float(np.log(4)),
    "first": 1.4,
    "end_loss": 0.2,
    "spread": 0.4,
}
"""An output of classes that is learned."""


def made_outputs(*, age=None, kind=None, loss_weights=None, logs_each=True, **changes):
    """Return the record of a run with the outputs "age" and "kind", healthy by default.

    What is given for an output changes `AGE` or `KIND`; besides, both take `skill`,
    `reference`, `curve` and `val_curve`.
    """
    outputs = {"age": {**AGE, **(age or {})}, "kind": {**KIND, **(kind or {})}}
    record = made_run(**changes)
    with edited_facts(record) as facts:
        facts["loss"] = {name: part["loss"] for name, part in outputs.items()}
        facts["loss_weights"] = loss_weights
        facts["network"]["outputs"] = [
            {"name": f"{name}_layer", "label": name, "rank": 2}
            | {key: part[key] for key in ("activation", "units")}
            for name, part in outputs.items()
        ]
        target = facts["data"]["targets"][0]
        facts["data"]["targets"] = [
            {**target, "name": name, **part["target"]} for name, part in outputs.items()
        ]
        facts["probe"] = {
            "rows": 256,
            "baseline_loss": sum(part["baseline"] for part in outputs.values()),
            "outputs": [
                {
                    "rows": 256,
                    "baseline_loss": part["baseline"],
                    "references": {"linear": part.get("reference", 0.8)},
                }
                for part in outputs.values()
            ],
        }
    table = LayerTable(("model", *outputs), PROBED)
    for row, (step, epoch) in enumerate(((0, -1), (320, 19))):
        columns = [{"penalty": 0.0, "non_finite": 0.0}]
        for part in outputs.values():
            loss = (part["first"], part["end_loss"])[row]
            columns.append(
                {
                    "loss": loss,
                    "loss_error": 0.01,
                    "skill": part.get("skill", 0.9),
                    "spread": part["spread"],
                    "commonest": 0.3,
                    "non_finite": 0.0,
                }
            )
        columns[0]["loss"] = sum(column["loss"] for column in columns[1:])
        told = {m: [column.get(m, np.nan) for column in columns] for m in PROBED}
        table.append(step, epoch, told)
    record.tables["probe"] = table
    for epoch in range(20 if logs_each else 0):
        for name, part in outputs.items():
            fall = part["first"] - part["end_loss"]
            curve = part["end_loss"] + fall * np.exp(-np.arange(20) / 4)
            logs = {f"{name}_loss": part.get("curve", curve)[epoch]}
            if "val_curve" in part:
                logs[f"val_{name}_loss"] = part["val_curve"][epoch]
            record.append_epoch(epoch, logs)
    return record


@contextmanager
def edited_facts(record):
    """Change the facts of a record as they would stand in its file."""
    facts = record.facts.to_dict()
    yield facts
    record.facts = RunFacts.from_dict(facts)


ONE_ANSWER = {"is_constant": True, "frequencies": [1.0]}


def judged(record):
    """A run whose output comes from a model that is compiled by itself."""
    with edited_facts(record) as facts:
        facts["network"]["outputs"][0]["judge"] = "judge"
    *others, last = record.variables
    record.variables = (*others, replace(last, layer="judge/out"))
    return record


STUCK = {"loss": np.full(20, 1.387), "end_loss": 1.386, "skill": 0.0}
"""A run that has learned nothing."""


def in_inference(record, *, drift=0.0, variance=1.0, **judged):
    """A run that was tried with its moving statistics, too."""
    drifts = [{"layer": "second", "mean": drift, "variance": variance}]
    with edited_facts(record) as facts:
        facts["probe"]["inference"] = {"drifts": drifts, **judged}
    return record


NORMALIZED = {"batch_normalizes": True, "momentum": 0.999}
FROZEN = {"batch_normalizes": True, "trainable": False}


def found(record, name):
    """Return the finding of a rule; None if it found nothing."""
    return next((f for f in kd.diagnose(record) if f.name == name), None)


def severity(record, name):
    """Return the severity of the finding of a rule; None if it found nothing."""
    finding = found(record, name)
    return finding and finding.severity
