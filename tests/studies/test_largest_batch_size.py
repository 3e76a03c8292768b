"""The batch size that fits is found, and the model is left as it was.

Memory runs out where a test says so: the backend's own error is raised in a layer.
pytorch/pytorch#18853: an error that is kept keeps the tensors of its step.
"""

import random
import weakref

import keras
import numpy as np
import pytest
import reference

import keras_dlbasic as kd
from keras_dlbasic._backends.out_of_memory import give_back_memory, let_go, memory_error
from keras_dlbasic.analysis import TriedBatchSize, largest_batch_size_of

BACKEND = keras.backend.backend()
X = np.random.default_rng(0).normal(size=(100, 3)).astype("float32")


def backend_error():
    """Return what the backend raises when memory runs out."""
    if BACKEND == "torch":
        import torch

        return torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")
    import jax

    return jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating")


class Limited(keras.layers.Layer):
    """Has memory for a number of rows."""

    def __init__(self, most, error=backend_error):
        super().__init__()
        self.most, self.error = most, error
        self.held = []

    def call(self, x):
        if x.shape[0] is not None and x.shape[0] > self.most:
            big = Big()
            self.held.append(weakref.ref(big))
            raise self.error()
        return x

    def compute_output_shape(self, shape):  # Keras tries no rows of its own then
        return shape


class Big:
    """Stands for a tensor of the step that failed."""


def limited(most, **args):
    layers = [
        keras.Input((3,)),
        Limited(most, **args),
        keras.layers.Dense(4, "relu"),
        keras.layers.Dropout(0.5),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(1),
    ]
    model = keras.Sequential(layers)
    # TensorFlow hides the number of rows while it traces a step
    model.compile("adam", "mse", metrics=["mae"], run_eagerly=BACKEND == "tensorflow")
    return model


def state(model):
    values = [*model.variables, *model.optimizer.variables]
    arrays = [a.tobytes() for a in reference.arrays(values)]
    return arrays, random.getstate(), np.random.get_state(legacy=False)["state"]["pos"]


@pytest.mark.parametrize(
    "is_trained", [pytest.param(False, marks=pytest.mark.once), True]
)
def test_the_largest_is_found_and_nothing_is_left(is_trained, capsys):
    model, y = limited(37), X[:, :1]
    if is_trained:
        model.fit(X[:32], y[:32], verbose=0)
    optimizer, before = model.optimizer, state(model)
    found = kd.studies.largest_batch_size(model, X, y, verbose=int(is_trained))
    assert found.largest == 36  # a 16th below is near enough
    assert found.smallest_failed == 38
    sizes = [one.batch_size for one in found.tried]
    assert sizes == [1, 2, 4, 8, 16, 32, 64, 48, 40, 36, 38]
    assert state(model) == before
    assert model.optimizer is optimizer
    assert model.optimizer.built == is_trained
    out = capsys.readouterr().out
    assert ("Batch size 64 does not fit" in out) == is_trained
    assert all(held() is None for held in model.layers[0].held)  # nothing is kept


@pytest.mark.once
def test_a_model_trains_on_as_if_nothing_had_been():
    """What it draws and learns afterwards is the same to the bit."""
    left = []
    for search in (False, True):
        keras.utils.set_random_seed(3)
        model = limited(50)
        for _ in range(2):
            model.fit(X[:48], X[:48, :1], batch_size=16, verbose=0)
            if search:
                kd.studies.largest_batch_size(model, X, X[:, :1], low=32, verbose=0)
        left.append(state(model))
    assert left[0] == left[1]


@pytest.mark.once
def test_all_that_fit_and_none():
    assert (
        kd.studies.largest_batch_size(
            limited(1000), X, X[:, :1], low=50, verbose=0
        ).largest
        == 100
    )
    low = np.int64(8)
    found = kd.studies.largest_batch_size(limited(7), X, X[:, :1], low=low, verbose=0)
    assert found.largest is found.suggestion is None
    assert "Not even batch size 8 fits into memory" in str(found)
    assert "OutOfMemoryError" in found.tried[0].error
    assert repr(found).startswith("<LargestBatchSize: Not even")


@pytest.mark.once
def test_other_errors_and_interrupts_pass():
    for error in (ArithmeticError, KeyboardInterrupt):
        model = limited(20, error=error)
        before = state(model)
        with pytest.raises(error):
            kd.studies.largest_batch_size(model, X, X[:, :1], verbose=0)
        assert state(model) == before


@pytest.mark.skipif(BACKEND != "jax", reason="JAX takes the arrays of a step")
def test_arrays_that_a_failed_step_has_taken():
    def error():
        for array in arrays:
            array.delete()
        return backend_error()

    model = limited(20, error=error)
    arrays = [variable.value for variable in model.trainable_variables]
    before = state(model)
    assert (
        kd.studies.largest_batch_size(model, X, X[:, :1], low=8, verbose=0).largest
        == 20
    )
    assert state(model) == before


@pytest.mark.parametrize("most", [19, 20])  # the last trial fails, or fits
def test_metrics_that_the_first_trial_builds_are_at_their_start(most):
    model = limited(most)
    kd.studies.largest_batch_size(model, X, X[:, :1], low=19, high=20, verbose=0)
    assert len(model.metrics_variables) == 4  # of the loss and of "mae"
    assert not any(a.any() for a in reference.arrays(model.metrics_variables))
    assert set(model.get_metrics_result()) == {"loss", "mae"}


@pytest.mark.once
@pytest.mark.parametrize(
    ("noise", "size", "accumulate"),
    [(None, 64, 1), (20.0, 20, 1), (100.0, 50, 2), (1000.0, 63, 16), (np.inf, 63, 16)],
)
def test_joined_with_the_noise_scale(noise, size, accumulate):
    tried = [(64, True), (128, False)]
    found = largest_batch_size_of(tried, rows=1000, noise_scale=noise)
    assert (found.suggestion, found.accumulate) == (size, accumulate)
    assert size * accumulate >= min(noise or 0, 1000)
    assert str(size) in str(found)
    assert found.table()[0]["batch_size"] == 64


@pytest.mark.once
def test_what_fits_above_what_does_not_is_not_counted_on():
    assert (
        largest_batch_size_of([(8, True), (16, False), (32, True)], rows=50).largest
        == 8
    )


@pytest.mark.once
def test_a_noise_scale_of_more_than_all_samples():
    """Then larger batches would not save few steps; there are none."""
    found = largest_batch_size_of([(500, True)], rows=500, noise_scale=4e4)
    text = " ".join(str(found).split())
    assert "is 4e+04 samples, more than there are" in text
    assert "batch_size=500 (all samples)" in text
    assert "save few steps" not in text
    found = largest_batch_size_of([(500, True)], rows=500, noise_scale=500)
    assert "save few steps" in " ".join(str(found).split())


@pytest.mark.once
def test_the_error_shown_is_that_of_the_smallest_that_failed():
    tried = [
        TriedBatchSize(16, False, 1.0, "no 16"),
        TriedBatchSize(8, False, 1.0, "no 8"),
    ]
    text = str(largest_batch_size_of(tried, rows=50))
    assert text == "Not even batch size 8 fits into memory: no 8"
    text = str(largest_batch_size_of([(8, False)], rows=50))
    assert text == "Not even batch size 8 fits into memory."
    with pytest.raises(ValueError, match="`tried` must be .*Received: tried="):
        largest_batch_size_of([], rows=50)


@pytest.mark.once
def test_wrong_arguments():
    model, y = limited(50), X[:, :1]
    wrong = ({"low": 0}, {"low": True}, {"high": 2.5}, {"high": True}, {"low": 200})
    for given in (*wrong, {"noise_scale": -1.0}):
        (name,) = given
        with pytest.raises(ValueError, match=name):
            kd.studies.largest_batch_size(model, X, y, **given)
    model.distribute_strategy = type("Strategy", (), {"num_replicas_in_sync": 2})()
    with pytest.raises(ValueError, match="largest_batch_size.*one device"):
        kd.studies.largest_batch_size(model, X, y)


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="PyTorch only")
@pytest.mark.parametrize("is_there", [True, False])
def test_memory_of_macs_is_given_back(is_there, monkeypatch):
    import torch

    emptied = []
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: is_there)
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: emptied.append(1))
    give_back_memory()
    assert bool(emptied) == is_there


def test_whose_errors_are_about_memory():
    for error in (
        backend_error(),
        MemoryError(),
        RuntimeError("[enforce fail] not enough memory: you tried"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ):
        assert memory_error(error) is error
    assert memory_error(ValueError("a shape")) is None
    try:
        try:
            raise backend_error()
        except Exception as error:
            raise ValueError("Exception encountered when calling Dense") from error
    except ValueError as error:
        assert memory_error(error) is error.__cause__
        let_go(error)
        assert error.__cause__.__traceback__ is None
