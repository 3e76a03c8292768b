"""Curves of which the validation loss stays far above the training loss."""

import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.records import TrainingRecord

EPOCHS = np.arange(30)
LEARNED = 1.5 * np.exp(-EPOCHS / 4) + 0.05
FLAT = 0.5 * np.exp(-EPOCHS / 3) + 1.0 + 0.01 * np.sin(EPOCHS)
ACCURACY = 1 - 0.6 * np.exp(-EPOCHS / 4)


def found(val_loss, loss=LEARNED, **curves):
    logs = {"loss": loss, "val_loss": val_loss, **curves}
    record = TrainingRecord.from_history({n: list(c) for n, c in logs.items()})
    return {f.name: f for f in kd.diagnose(record)}.get("overfitting")


def test_a_gap_that_does_not_close_is_named():
    finding = found(FLAT)
    assert finding.severity == "warning"
    assert "stays far above the training loss: it ends at 1, " in finding.message
    assert finding.value == pytest.approx(0.95 / 1.55, abs=0.02)
    same = {"accuracy": ACCURACY, "val_accuracy": np.full(30, 0.55)}
    assert "in training, and at 0.55" in found(FLAT, **same).message


@pytest.mark.parametrize(
    "curves",
    [
        {"val_loss": LEARNED + 0.1},  # small
        {"val_loss": 1.6 * np.exp(-EPOCHS / 20)},  # still closes
        {"val_loss": FLAT, "loss": np.linspace(1.5, 1.0, 30)},  # little learned
        {"val_loss": FLAT[:6], "loss": LEARNED[:6]},  # few epochs
        {"val_loss": 4 * LEARNED},  # both end near zero
        {"val_loss": FLAT, "accuracy": ACCURACY, "val_accuracy": ACCURACY - 0.02},
        {"val_loss": LEARNED, "loss": FLAT},  # dropout, in training only
    ],
)
def test_other_gaps_are_not(curves):
    assert found(**curves) is None


def test_the_command_names_it(tmp_path, capsys):
    path = tmp_path / "log.csv"
    rows = np.c_[EPOCHS, LEARNED, FLAT]
    np.savetxt(path, rows, "%g", ",", header="epoch,loss,val_loss", comments="")
    assert kd.explain(path).names == ("overfitting",)
