"""Steps of one's own that clear gradients, and that do not."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_dlbasic as kd

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="only PyTorch keeps gradients"
)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(128, 3)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5]])).astype("float32")


class OwnStep(keras.Model):
    """Clears gradients every `clears` steps, and updates then; never if None."""

    def __init__(self, clears, to_none=True, clips=False):
        super().__init__()
        self.layer = keras.layers.Dense(1)
        self.clears, self.to_none, self.clips = clears, to_none, clips
        self.count = 0
        self.tracker = keras.metrics.Mean(name="loss")

    def call(self, x):
        return self.layer(x)

    def train_step(self, data):
        import torch

        x, y = data
        weights = list(self.trainable_weights)
        loss = ops.mean(ops.square(y - self(x)))
        loss.backward()
        self.count += 1
        if self.clips:
            torch.nn.utils.clip_grad_norm_([w.value for w in weights], 1.0)
        if self.count % (self.clears or 1) == 0:
            self.optimizer.apply([w.value.grad for w in weights], weights)
        if self.clears and self.count % self.clears == 0:
            for weight in weights:
                if self.to_none:
                    weight.value.grad = None
                else:
                    weight.value.grad.zero_()
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}


def fitted(*args, watched=True, rate=0.01, **options):
    keras.utils.set_random_seed(0)
    model = OwnStep(*args, **options)
    model.compile(keras.optimizers.SGD(rate))
    doctor = kd.callbacks.TrainingDoctor(X, Y, verbose=0)
    callbacks = [doctor] if watched else []
    model.fit(X, Y, epochs=4, batch_size=16, verbose=0, callbacks=callbacks)
    return model, doctor


@pytest.mark.parametrize("options", [{}, {"clips": True}])
def test_gradients_that_are_never_cleared(options):
    doctor = fitted(None, **options)[1]
    kept = doctor.record.facts.kept_gradient
    if options:
        assert kept > 0.2
    else:
        assert kept > 1
        assert "gradients_pile_up" in {f.name for f in doctor.diagnosis}


@pytest.mark.parametrize("clears", [1, 2, 3])
@pytest.mark.parametrize("to_none", [True, False])
def test_gradients_that_are_cleared_after_updates(clears, to_none):
    doctor = fitted(clears, to_none)[1]
    assert doctor.record.facts.kept_gradient is None


def test_a_part_whose_gradients_are_cleared_before_its_own_turn():
    class Pair(keras.Model):
        """A judge gets gradients of its rival, and clears them before its own."""

        def __init__(self):
            super().__init__()
            self.one, self.other = keras.layers.Dense(3), keras.layers.Dense(1)
            self.tracker = keras.metrics.Mean(name="loss")

        def call(self, x):
            return self.other(self.one(x))

        def train_step(self, data):
            x, y = data
            for layer in (self.one, self.other):
                for weight in layer.trainable_weights:
                    weight.value.grad = None
                loss = ops.mean(ops.square(y - self(x)))
                loss.backward()
                weights = list(layer.trainable_weights)
                self.optimizer.apply([w.value.grad for w in weights], weights)
            self.tracker.update_state(loss)
            return {"loss": self.tracker.result()}

    model = Pair()
    optimizer = keras.optimizers.SGD(0.01)
    model.compile(optimizer)
    model(X[:2])
    doctor = kd.callbacks.TrainingDoctor(X, Y, verbose=0)
    model.fit(X, Y, epochs=2, batch_size=16, verbose=0, callbacks=[doctor])
    assert doctor.record.facts.kept_gradient is None


@pytest.mark.parametrize("clears", [None, 1, 2])
def test_no_hook_stays(clears):
    weights = fitted(clears)[0].trainable_weights
    assert not any(weight.value._backward_hooks for weight in weights)


@pytest.mark.parametrize("clears", [None, 1])
def test_the_step_trains_as_ever(clears):
    weights = [fitted(clears, watched=w)[0].get_weights() for w in (True, False)]
    for watched, plain in zip(*weights, strict=True):
        np.testing.assert_array_equal(watched, plain)


def test_gradients_that_are_put_in_place_are_not_added():
    """`torch.autograd.grad` gives gradients and adds to none."""
    import torch

    class Placed(OwnStep):
        def train_step(self, data):
            x, y = data
            weights = list(self.trainable_weights)
            loss = ops.mean(ops.square(y - self(x)))
            values = [weight.value for weight in weights]
            for value, found in zip(
                values, torch.autograd.grad(loss, values), strict=True
            ):
                value.grad = found
            self.optimizer.apply([value.grad for value in values], weights)
            self.tracker.update_state(loss)
            return {"loss": self.tracker.result()}

    model = Placed(None)
    model.compile(keras.optimizers.SGD(0.01))
    doctor = kd.callbacks.TrainingDoctor(X, Y, verbose=0)
    model.fit(X, Y, epochs=3, batch_size=16, verbose=0, callbacks=[doctor])
    assert doctor.record.facts.kept_gradient is None


def test_no_hook_stays_after_an_interrupt():
    class Interrupted(OwnStep):
        def train_step(self, data):
            if self.count == 2:
                raise KeyboardInterrupt
            return super().train_step(data)

    model = Interrupted(None)
    model.compile(keras.optimizers.SGD(0.01))
    doctor = kd.callbacks.TrainingDoctor(X, Y, verbose=0)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=16, verbose=0, callbacks=[doctor])
    weights = model.trainable_weights
    assert not any(weight.value._backward_hooks for weight in weights)
