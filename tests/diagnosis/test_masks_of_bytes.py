"""Masks that were not divided by 255, or were twice."""

import numpy as np
import pytest
from made_runs import edited_facts, found, made_run

OWN = {"class_name": "dice_loss", "own": True}


def of_masks(highest, loss, *, curve=None, **changes):
    record = made_run(loss=curve, facts={"loss": loss}, **changes)
    with edited_facts(record) as facts:
        facts["data"]["targets"][0] |= {
            "shape": [100, 8, 8, 1],
            "kind": "continuous",
            "min": 0.0,
            "max": highest,
            "distinct": [0, 255] if highest == 255 else None,
        }
        facts["network"]["outputs"][0] |= {
            "shape": [64, 8, 8, 1],
            "activation": "sigmoid",
        }
    return record


BELOW = np.linspace(-1.0, -80.0, 8)


@pytest.mark.parametrize(
    ("record", "named"),
    [
        (lambda: of_masks(255, OWN, curve=BELOW), True),
        (lambda: of_masks(1.0, OWN, curve=BELOW), False),
        (lambda: of_masks(1 / 255, "binary_crossentropy", skill=0.0), True),
        (lambda: of_masks(0.5, "binary_crossentropy", skill=0.0), False),
    ],
)
def test_masks_that_a_sigmoid_does_not_fit(record, named):
    finding = found(record(), "unscaled_targets")
    assert (finding is not None) == named
    assert not named or "masks" in finding.message
