"""Studies refuse models that are distributed, before they train any."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic._backends.processes import Processes
from keras_dlbasic._trials import one_device

X = np.ones((20, 2), "float32")

pytestmark = pytest.mark.once


def build_model():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    # as on `tf.distribute.MirroredStrategy`
    model.distribute_strategy = SimpleNamespace(num_replicas_in_sync=2)
    return model


@pytest.mark.parametrize(
    "begin",
    [
        lambda: kd.studies.BatchSizeStudy(build_model, X, X[:, :1]),
        lambda: kd.studies.RemedyStudy(build_model, X, X[:, :1]),
        lambda: kd.studies.SampleSizeStudy(build_model, X, X[:, :1]),
        lambda: kd.studies.LearningRateRangeTest(build_model(), X, X[:, :1]).run(),
        lambda: kd.treat(build_model(), X, X[:, :1], epochs=1),
    ],
)
def test_several_devices(begin):
    with pytest.raises(ValueError, match="on one device. Received: .* 2 devices"):
        begin()


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="PyTorch only")
def test_processes_of_pytorch(monkeypatch):
    monkeypatch.setattr(one_device, "processes_of", lambda _: Processes(0, 4))
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    expected = "4 devices by `torch.distributed`.*before `torch.distributed.init_proc"
    with pytest.raises(ValueError, match=expected):
        one_device.refuse_several_devices(model, "A study")


def test_full_batch():
    with pytest.raises(ValueError, match="2 replicas .*cannot accumulate"):
        kd.studies.full_batch(X, X[:, :1], "sgd", micro_batch=5, model=build_model())
