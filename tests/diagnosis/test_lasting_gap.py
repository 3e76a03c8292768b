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
    assert finding.severity == "info"  # nothing rules out weights of samples
    assert "weights may make the training loss small" in finding.message
    assert "has memorized" not in finding.message
    assert "stays far above the training loss: it ends at 1, " in finding.message
    assert finding.value == pytest.approx(0.95 / 1.55, abs=0.02)
    same = {"accuracy": ACCURACY, "val_accuracy": np.full(30, 0.55)}
    confirmed = found(FLAT, **same)
    assert confirmed.severity == "warning"
    assert "in training, and at 0.55" in confirmed.message


@pytest.mark.parametrize("name", ["mae", "rmse", "mean_squared_error"])
def test_an_error_confirms_it_or_not(name):
    own = np.sqrt(LEARNED)
    weighted = {"loss": 0.3 * LEARNED, name: own}
    assert found(LEARNED, **weighted, **{f"val_{name}": own + 0.01}) is None
    finding = found(FLAT, **{name: own, f"val_{name}": np.sqrt(FLAT)})
    assert finding.severity == "warning"
    assert f"`{name}` ends at" in finding.message


def test_weights_make_a_training_loss_small():
    assert found(FLAT, 0.3 * FLAT * np.linspace(3, 1, 30)).severity == "info"
    same = {"head_loss": 0.3 * FLAT, "val_head_loss": FLAT}  # weighted likewise
    weighted = found(FLAT, 0.3 * FLAT * np.linspace(3, 1, 30), **same)
    assert weighted.severity == "info"


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
