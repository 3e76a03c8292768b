"""Targets that a loss cannot be computed for, found without running the model."""

from __future__ import annotations

from typing import Any

from keras_dlbasic.diagnosis import Finding, all_rules
from keras_dlbasic.diagnosis.diagnose import diagnose_plan
from keras_dlbasic.inspection.collect import data_facts, output_shapes
from keras_dlbasic.inspection.network_facts import network_facts
from keras_dlbasic.inspection.run_facts import run_facts
from keras_dlbasic.records import TrainingRecord

RULE = "loss_target_mismatch"
"""The rule that needs facts of the model and the data only."""


def loss_fault(model: Any, x: Any, y: Any) -> Finding | None:
    """Return what is certainly wrong with the targets for the compiled loss.

    JAX silently computes a loss for class numbers outside of the output units; other
    backends raise errors about tensors.

    Args:
        model: A compiled model that is built.
        x: Inputs: arrays.
        y: Targets: arrays, or None.

    Returns:
        A critical finding, or None.
    """
    record = TrainingRecord(facts=run_facts(model, {}))
    shapes = output_shapes(model)
    record.note(
        model=network_facts(model, x),
        data=data_facts(x, y, output_shapes=shapes, model=model),
    )
    rules = [rule for rule in all_rules() if rule.name == RULE]
    found = diagnose_plan(record, rules=rules)
    return next((one for one in found if one.severity == "critical"), None)
