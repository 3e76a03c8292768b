"""Tables of epochs that are too short, or whose loss hardly moves."""

import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.command_line import main
from keras_dlbasic.records import TrainingRecord

pytestmark = pytest.mark.once

RNG = np.random.default_rng(0)


def curves(loss, **more):
    return kd.diagnose(TrainingRecord.from_history({"loss": list(loss), **more}))


def still(n, level=0.693, noise=1e-3):
    return level * (1 + noise * RNG.uniform(-1, 1, n))


@pytest.mark.parametrize("loss", [[0.7], [0.7, np.nan], [0.693, 0.6931, 0.6929]])
def test_what_is_too_short_is_not_judged(loss):
    diagnosis = curves(loss)
    if np.isfinite(loss).all():
        assert not diagnosis
        assert not diagnosis.is_judged
        assert "Nothing wrong" not in diagnosis.headline
        assert f"{len(loss)} epoch" in diagnosis.headline
    else:  # that is found in one epoch
        assert diagnosis.names == ("non_finite_values",)


@pytest.mark.parametrize("n", [5, 12, 60])
@pytest.mark.parametrize("level", [0.693, 2.3, 1e4, -5.0])
def test_a_loss_that_hardly_moves_is_a_warning(n, level):
    (found,) = curves(still(n, level))
    assert (found.name, found.severity) == ("plateau", "warning")
    assert f"{n} epochs" in found.message
    assert "curves alone do not show" in found.message
    assert "TrainingDoctor" in found.remedies[0].title
    assert found.confidence < 0.8


@pytest.mark.parametrize(
    ("loss", "more"),
    [
        (np.linspace(0.7, 0.65, 12), {}),  # it falls
        (still(12, 1e-5), {}),  # there is nothing left to learn
        (still(12), {"accuracy": np.linspace(0.5, 0.9, 12)}),  # something moves
        (still(12), {"accuracy": [0.97] * 12}),  # trained before
        (still(12, noise=0.05), {}),  # it moves, though not down
    ],
)
def test_no_plateau_where_the_curves_tell_otherwise(loss, more):
    assert "plateau" not in curves(loss, **more).names


def test_the_command_says_so(tmp_path, capsys):
    table = tmp_path / "log.csv"
    table.write_text("epoch,loss\n0,0.7\n")
    assert main(["diagnose", str(table)]) == 3
    assert "1 epoch was logged" in " ".join(capsys.readouterr().out.split())
    rows = [f"{i},{loss}" for i, loss in enumerate(still(12))]
    table.write_text("epoch,loss\n" + "\n".join(rows))
    assert main(["diagnose", str(table), "--fail-on", "warning"]) == 1
    assert "WARNING plateau" in capsys.readouterr().out
