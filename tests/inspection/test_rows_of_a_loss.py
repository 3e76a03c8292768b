"""How many rows a loss of the user's is given."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_dlbasic as kd
from keras_dlbasic.inspection.baseline import AT_ONCE, sample_losses
from keras_dlbasic.inspection.own_loss import truth_of_own_loss
from keras_dlbasic.inspection.truth_facts import truth_facts

X = np.random.default_rng(0).normal(size=(300, 4)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")
BATCH = 16


class Largest:
    """The largest number of rows that were given, of those given outside `fit`."""

    def __init__(self):
        self.rows = 0

    def all_pairs(self, y_true, y_pred):
        """A loss of pairs of rows: its memory grows with the square of their number."""
        self.rows = max(self.rows, int(y_pred.shape[0]))
        far = ops.abs(y_pred[:, None] - y_pred[None])
        apart = ops.abs(y_true[:, None] - y_true[None])
        return ops.mean(ops.square(far - apart))


class ByItself(keras.Model):
    seen: Largest

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
        return self.seen.all_pairs(y, y_pred)


@pytest.mark.parametrize("is_compiled", [True, False], ids=["compiled", "compute_loss"])
def test_a_loss_of_pairs_gets_no_more_rows_than_in_a_batch(is_compiled):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    outputs = keras.layers.Dense(1)(keras.layers.Dense(8, "relu")(inputs))
    model = (keras.Model if is_compiled else ByItself)(inputs, outputs)
    seen = Largest()
    model.seen = seen
    model.compile("adam", seen.all_pairs if is_compiled else None)
    doctor = kd.callbacks.TrainingDoctor(X, Y, verbose=0)
    model.fit(X, Y, batch_size=BATCH, epochs=3, verbose=0, callbacks=[doctor])
    kd.preflight(model, X, Y)
    assert BATCH <= seen.rows <= AT_ONCE


@pytest.mark.parametrize("n", [1, 31, 32, 33, 100])
def test_rows_in_parts_have_the_same_losses(n):
    def error(y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1)

    outputs = X[:n, :1]
    own, known = (sample_losses(loss, Y[:n], outputs) for loss in (error, "mse"))
    np.testing.assert_allclose(own, known, rtol=1e-6)
    mean = sample_losses(lambda y, p: ops.mean(error(y, p)), Y[:n], outputs)
    assert len(mean) == -(-n // AT_ONCE)
    np.testing.assert_allclose(mean.mean(), known.mean(), rtol=0.05)


class SquaredError(keras.Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
        return ops.mean(ops.square(y - y_pred))


def test_what_a_model_computes_by_itself_is_asked_of_few_rows():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    model = SquaredError(inputs, keras.layers.Dense(1)(inputs))
    model.compile("adam")
    truth = truth_of_own_loss(model, X, Y, Y.shape, None)
    assert truth.truth < truth.constant < truth.shuffled


def test_rows_in_the_order_of_their_classes():
    """Rows that are given together differ all the same."""

    def error(y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1)

    y = np.repeat([0.0, 1.0, 2.0, 3.0], AT_ONCE)[:, None].astype("float32")
    truth = truth_facts(error, y, y.shape, None)
    assert truth.shuffled > truth.constant > truth.truth
