"""What TensorBoard's own reader finds in a file."""

import builtins
import subprocess
import sys

import numpy as np
import pytest
from made_runs import made_run
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from keras_dlbasic.records import TrainingRecord


@pytest.fixture(scope="module")
def record():
    return made_run(val_loss=np.r_[np.nan, np.linspace(1.2, 0.4, 19)])


def read(folder):
    found = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    return {
        tag: [(event.step, event.value) for event in found.Scalars(tag)]
        for tag in found.Tags()["scalars"]
    }


def test_series_by_layer_step_and_epoch(record, tmp_path):
    path = record.to_tensorboard(tmp_path / "logs")
    series = read(path.parent)
    for place, layer in enumerate(record.layers):
        steps, values = zip(*series[f"gradient_norm/{layer}"], strict=True)
        np.testing.assert_array_equal(steps, record.steps)
        expected = record.by_layer("gradient_norm")[:, place]
        np.testing.assert_allclose(values, expected, rtol=1e-6)
    epochs, losses = zip(*series["epoch/loss"], strict=True)
    assert epochs == tuple(range(20))
    np.testing.assert_allclose(losses, record.epochs["loss"], rtol=1e-6)
    assert [epoch for epoch, _ in series["epoch/val_loss"]] == list(range(1, 20))


def test_infinity_stays_and_two_writings_do_not_meet(tmp_path):
    record = TrainingRecord.from_history({"loss": [1.0, np.inf]})
    paths = {record.to_tensorboard(tmp_path) for _ in range(2)}
    assert len(paths) == 2
    assert read(tmp_path)["epoch/loss"][1] == (1, np.inf)


def test_nothing_recorded(tmp_path):
    TrainingRecord().to_tensorboard(tmp_path)
    assert read(tmp_path) == {}


def test_without_tensorboard_it_says_so(record, tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("tensorboard"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="pip install tensorboard"):
        record.to_tensorboard(tmp_path)


def test_tensorflow_is_not_imported(tmp_path):
    # Keras, left out for speed, does not import it either: tests/test_package.py
    code = (
        "import importlib.util as u, sys; find = u.find_spec; "
        "u.find_spec = lambda n, *a: None if n == 'keras' else find(n, *a); "
        "from keras_dlbasic.records import TrainingRecord; "
        f"TrainingRecord.from_history({{'loss': [1.0]}}).to_tensorboard({str(tmp_path)!r}); "
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
