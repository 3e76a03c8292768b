"""Masks and maps that belong to other inputs, and those that are hard to learn."""

import numpy as np
import pytest
from made_runs import made_run

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import Finding, Run, all_rules

RULES = {rule.name: rule for rule in all_rules()}
RARE = {"missed": 1, "missed_class": 1, "missed_rows": 99, "missed_ratio": 9.0}
NOTHING = {"rows": 240, "places": 2880, "axes": 2, "found": 0.03, "error": 0.02}
MIRRORED = {"restored_by": "mirroring", "restored": 0.7}
STILL = np.full(20, 1.1)
FALLS = np.r_[1.3, np.linspace(1.2, 0.5, 19)]


def of_masks(dense=None, *, beyond=0.04, loss=STILL, skill=0.0, **changes):
    """A run with the targets of places, that has learned what is usual at each."""
    known = {
        "rows": 240,
        "baseline_loss": 1.386,
        "dense": {**NOTHING, **(dense or {})},
        "references": {"around": changes.pop("reference", 0.01)},
    }
    missed = {**RARE, "beyond_places": beyond}
    return made_run(
        loss=loss,
        end_loss=float(loss[-1]),
        skill=skill,
        missed=missed,
        facts={"probe": known},
        **changes,
    )


def verdict(name, record):
    found = RULES[name](Run(record))
    return found if isinstance(found, Finding) else None


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (lambda: of_masks(), "warning"),
        (lambda: of_masks({"axes": 1}), None),  # steps may be told by later ones
        (lambda: of_masks({**MIRRORED, "axes": 1}), "warning"),
        (lambda: of_masks({**MIRRORED, "found": 0.3}, beyond=0.4), "warning"),
        (lambda: of_masks(MIRRORED, beyond=0.65, loss=FALLS), None),
        (lambda: of_masks({**MIRRORED, "rows": 60}), None),
        (lambda: of_masks({"found": 0.09, "error": 0.027}), "warning"),
        (lambda: of_masks({"found": 0.12, "error": 0.02}), None),
        (lambda: of_masks({"found": 0.6, "error": 0.06}), None),
        (lambda: of_masks({"error": 0.1}), None),  # too few places to say
        (lambda: of_masks({"rows": 60}), None),
        (lambda: of_masks(beyond=0.6), None),
        (lambda: of_masks(beyond=0.6, skill=0.9, loss=FALLS), None),
        (lambda: of_masks(loss=FALLS), None),
        (lambda: of_masks(loss=FALLS, val_loss=FALLS), None),
        (lambda: of_masks(loss=FALLS, val_loss=np.full(20, 1.2)), "warning"),
        (
            lambda: of_masks(
                loss=FALLS, beyond=0.8, skill=0.8, val_loss=np.full(20, 1.5)
            ),
            "warning",
        ),
    ],
)
def test_masks_of_other_rows(record, said):
    found = verdict("unrelated_targets", record())
    assert (found.severity if found else None) == said


@pytest.mark.parametrize(
    ("dense", "beyond", "named"),
    [
        ({}, 0.04, False),
        ({"found": 0.5, "error": 0.05}, 0.04, True),
        ({}, 0.4, True),
        ({"error": 0.1}, 0.04, True),
        ({**MIRRORED, "found": 0.3}, 0.4, False),
    ],
)
def test_a_rare_class_is_no_cause_where_nothing_is_found(dense, beyond, named):
    found = verdict("imbalanced_classes", of_masks(dense, beyond=beyond))
    assert (found is not None) is named


def test_another_pairing_is_named():
    found = verdict("unrelated_targets", of_masks(MIRRORED))
    assert "0.70 with inputs mirrored from left to right" in found.message
    assert found.confidence > verdict("unrelated_targets", of_masks()).confidence


def test_a_model_behind_the_surroundings_underfits():
    seen = {"found": 0.7, "error": 0.06}
    found = verdict("underfitting", of_masks(seen, reference=0.7))
    assert "the surroundings of each place" in found.message
    assert verdict("underfitting", of_masks(seen, reference=0.7, skill=0.8)) is None


def test_the_cause_is_known():
    record = of_masks()
    diagnosis = kd.diagnose(record)
    assert "unrelated_targets" in diagnosis.names
    assert not {"imbalanced_classes", "unknown_cause"} & set(diagnosis.names)


def test_without_references_nothing_is_raised():
    record = of_masks(loss=np.full(20, 1.387))
    record.trained_steps = 50  # too few to blame the targets
    record.note(
        probe=type(record.facts.probe).from_dict(
            {**record.facts.probe.to_dict(), "references": None}
        )
    )
    found = {finding.name: finding for finding in kd.diagnose(record)}
    assert "correlation 0.03" in " ".join(found["unknown_cause"].message.split())
