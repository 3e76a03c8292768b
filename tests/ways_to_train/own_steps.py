"""Training steps of your own."""

from __future__ import annotations

import keras
import models
import numpy as np
import reference

from ways_to_train.way import (
    BACKEND,
    BACKENDS,
    EVERYWHERE,
    SGD,
    Trained,
    fitted,
    way,
)


class OwnStep(keras.Sequential):
    def train_step(self, *args):
        return super().train_step(*args)


@way("a `train_step` of your own", EVERYWHERE)
def own_train_step(monitor):
    return fitted(monitor, prepare=lambda model: OwnStep(model.layers), steps=(0, 1))


class Adversaries(keras.Model):
    """Two parts, an optimizer each; the first moves several times a step."""

    def __init__(self, updates):
        super().__init__()
        self.one, self.two = keras.layers.Dense(1), keras.layers.Dense(1)
        self.optimizers = {"one": SGD(0.1), "two": SGD(0.2)}
        self.updates = updates

    def call(self, x):
        return self.one(x) + self.two(x)

    def train_step(self, *args):
        x, y = args[-1][0], args[-1][1]
        parts = [(self.one, "one")] * self.updates + [(self.two, "two")]
        if BACKEND == "jax":
            return self._on_jax(args[0], x, y, parts)
        for part, name in parts:
            variables = part.trainable_variables
            gradients = self._gradients(x, y, variables)
            self.optimizers[name].apply(gradients, variables)
        return {"loss": keras.ops.mean(self(x))}

    def _gradients(self, x, y, variables):
        values = [v.value for v in variables]
        if BACKEND == "tensorflow":
            import tensorflow as tf

            with tf.GradientTape() as tape:
                loss = keras.ops.mean((self(x) - y) ** 2)
            return tape.gradient(loss, values)
        import torch

        loss = keras.ops.mean((self(x) - y) ** 2)
        return torch.autograd.grad(loss, values)

    def _on_jax(self, state, x, y, parts):
        import jax

        values, rest = list(state[0]), state[1:]

        def loss(some, places):
            present = list(values)
            for place, value in zip(places, some, strict=True):
                present[place] = value
            outputs, _ = self.stateless_call(present, rest[0], x)
            return keras.ops.mean((outputs - y) ** 2)

        ids = [id(v) for v in self.trainable_variables]
        for part, name in parts:
            places = [ids.index(id(v)) for v in part.trainable_variables]
            own = [values[place] for place in places]
            gradients = jax.grad(loss)(own, places)
            optimizer = self.optimizers[name]
            held = [v.value for v in optimizer.variables]
            moved, _ = optimizer.stateless_apply(held, gradients, own)
            for place, value in zip(places, moved, strict=True):
                values[place] = value
        return {"loss": loss([], [])}, (values, *rest)


@way("two optimizers in a step (GAN)", EVERYWHERE)
def adversaries(monitor, updates=1):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(16, 3)).astype("float32")
    y = rng.normal(size=(16, 1)).astype("float32")
    model = Adversaries(updates)
    model(x)
    for name, optimizer in model.optimizers.items():
        optimizer.build(getattr(model, name).trainable_variables)
    model.compile(optimizer="sgd", loss="mse")
    parts = [[np.float64(w) for w in p.get_weights()] for p in (model.one, model.two)]
    norms = []
    for part, rate, times in zip(parts, (0.1, 0.2), (updates, 1), strict=True):
        for _ in range(times):
            rest = sum(x @ kernel + bias for kernel, bias in parts) - y
            slopes = [2 * x.T @ rest / len(x), 2 * rest.mean(axis=0)]
            part[:] = [w - rate * s for w, s in zip(part, slopes, strict=True)]
        norms += [reference.norm(slope) for slope in slopes]
    callbacks = [] if monitor is None else [monitor]
    model.fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=callbacks)
    return Trained(model, {0: norms})


@way("a part updated three times a step", EVERYWHERE, runs="once")
def several_updates(monitor):
    return adversaries(monitor, updates=3)


@way(
    "a loop with `train_on_batch` that calls the hooks",
    dict.fromkeys(BACKENDS, "refused: Steps of `train_on_batch`"),
    runs="once",
)
def train_on_batch(monitor):
    model, x, y, loss = models.make("mlp")
    model.compile(optimizer="sgd", loss=loss)
    callbacks = [] if monitor is None else [monitor]
    hooks = keras.callbacks.CallbackList(callbacks, model=model, epochs=2, steps=3)
    hooks.on_train_begin()
    for epoch in range(2):
        hooks.on_epoch_begin(epoch)
        for step in range(3):
            hooks.on_train_batch_begin(step)
            model.train_on_batch(x[8 * step : 8 * step + 8], y[8 * step : 8 * step + 8])
            hooks.on_train_batch_end(step)
        hooks.on_epoch_end(epoch, {})
    hooks.on_train_end()
    return Trained(model)
