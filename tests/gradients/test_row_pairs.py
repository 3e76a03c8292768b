"""Steps of one's own in which targets meet the outputs of all rows."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_dlbasic as kd
from keras_dlbasic._backends.row_pairs import short_side

BACKEND = keras.backend.backend()
X = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
Y = X @ np.array([1.0, -2.0, 0.5], "float32")


class OwnStep(keras.Model):
    def __init__(self, loss):
        super().__init__()
        self.loss_of = loss
        self.layer = keras.layers.Dense(1)
        self.tracker = keras.metrics.Mean(name="loss")

    def call(self, x):
        return self.layer(x)

    def train_step(self, data):
        x, y = data
        if BACKEND == "torch":
            self.zero_grad()
            loss = self.loss_of(y, self(x))
            loss.backward()
            weights = list(self.trainable_weights)
            self.optimizer.apply([w.value.grad for w in weights], weights)
        else:
            import tensorflow as tf

            with tf.GradientTape() as tape:
                loss = self.loss_of(y, self(x))
            weights = list(self.trainable_weights)
            gradients = tape.gradient(loss, [w.value for w in weights])
            self.optimizer.apply_gradients(zip(gradients, weights, strict=True))
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}


def fitted(loss, y, *, watched=True):
    keras.utils.set_random_seed(0)
    model = OwnStep(loss)
    model.compile(keras.optimizers.SGD(0.05))
    doctor = kd.callbacks.TrainingDoctor(X, y, verbose=0)
    callbacks = [doctor] if watched else []
    model.fit(X, y, epochs=4, batch_size=16, verbose=0, callbacks=callbacks)
    return model, doctor


def squares(y, out):
    return ops.mean(ops.square(y - out))


def flat(y, out):
    return ops.mean(ops.square(ops.subtract(ops.cast(y, "float32"), out[:, 0])))


def columns(y, out):
    return ops.mean(ops.square(y[:, None] - out))


def ranks(y, out):
    order = ops.sign(y[:, None] - y[None, :])
    return ops.mean(ops.softplus(-order * (out - ops.transpose(out))))


needs_steps = pytest.mark.skipif(BACKEND == "jax", reason="traced out of sight")


@needs_steps
@pytest.mark.parametrize(
    ("loss", "y", "expected"),
    [
        (squares, Y, "targets"),
        (squares, Y.astype("int32"), "targets"),
        (flat, Y[:, None], "outputs"),
        (squares, Y[:, None], None),
        (flat, Y, None),
        (columns, Y, None),
        (ranks, Y, None),
    ],
)
def test_what_lacks_an_axis(loss, y, expected):
    if y.dtype.kind == "i":

        def loss(y, out):
            return squares(ops.cast(y, "float32"), out)

    assert fitted(loss, y)[1].record.facts.short_side == expected


@needs_steps
def test_the_step_trains_as_ever():
    weights = [fitted(squares, Y, watched=w)[0].get_weights() for w in (True, False)]
    for watched, plain in zip(*weights, strict=True):
        np.testing.assert_array_equal(watched, plain)


@needs_steps
def test_it_is_named():
    _, doctor = fitted(squares, Y)
    assert doctor.diagnosis[0].name == "disagreeing_loss"
    assert "(n,)" in doctor.diagnosis[0].message


def test_steps_of_keras_are_not_read():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    doctor = kd.callbacks.TrainingDoctor(X, Y, verbose=0)
    model.fit(X, Y, verbose=0, callbacks=[doctor])
    assert doctor.record.facts.short_side is None


@pytest.mark.parametrize(
    ("target", "output", "expected"),
    [
        ((8,), (8, 1), "targets"),
        ((None,), (None, 1), "targets"),
        ((8, 1), (8,), "outputs"),
        ((8,), (8,), None),
        ((8,), (8, 3), None),
        ((8,), (1, 1), None),
        ((1,), (1, 1), None),
        ((), (8, 1), None),
    ],
)
def test_short_side(target, output, expected):
    assert short_side(target, output) == expected
