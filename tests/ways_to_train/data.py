"""Data in many forms."""

from __future__ import annotations

import keras
import models
import numpy as np
import reference

from ways_to_train.way import (
    EVERYWHERE,
    SGD,
    Trained,
    fitted,
    maker,
    momentum,
    norms_at,
    way,
)


@way("data of unknown length", EVERYWHERE, runs="once")
def unknown_length(monitor):
    """Keras begins one step more than there are batches."""
    model, x, y, loss = models.make("mlp")
    model.compile(optimizer="sgd", loss=loss)
    if monitor is not None:
        monitor.append = True
        monitor.every = 2  # steps that are not measured can be the last as well
    for _ in range(2):
        batches = ((x[i : i + 8], y[i : i + 8]) for i in (0, 8, 16))
        callbacks = [] if monitor is None else [monitor]
        model.fit(batches, verbose=0, callbacks=callbacks)
    if monitor is not None:
        assert monitor.record.steps.tolist() == [0, 2, 3, 5]
        assert monitor.record.trained_steps == 6
    return Trained(model)


class Batches(keras.utils.PyDataset):
    def __init__(self, x, y, **options):
        super().__init__(**options)
        self.x, self.y = x, y

    def __len__(self):
        return len(self.x) // 8

    def __getitem__(self, i):
        return self.x[8 * i : 8 * i + 8], self.y[8 * i : 8 * i + 8]


def endless(x, y):
    while True:
        for i in (0, 8, 16):
            yield x[i : i + 8], y[i : i + 8]


def tensorflow_batches(x, y):
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((x, y)).batch(8).prefetch(2)


def loaded_by_workers(x, y):
    import torch

    rows = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    return torch.utils.data.DataLoader(rows, batch_size=8, num_workers=2)


def trained_on(data, steps=(0, 1), **fit):
    """Return a function that trains on `data(x, y)`, which gives batches of 8."""

    def train(monitor):
        make = maker("mlp", momentum)
        _, x, y, _ = models.make("mlp")
        watched = monitor is not None
        norms = {step: norms_at(make, x, y, step) for step in steps if watched}
        model = make()
        callbacks = [monitor] if watched else []
        model.fit(
            data(x, y), epochs=2, verbose=0, shuffle=False, callbacks=callbacks, **fit
        )
        return Trained(model, norms)

    return train


@way("class weights", EVERYWHERE)
def class_weights(monitor):
    weights = {0: 1.0, 1: 3.0, 2: 0.5, 3: 2.0}
    trained = fitted(monitor, fit={"class_weight": weights}, steps=())
    model, x, y, loss = models.make("mlp")
    model.compile(optimizer="sgd", loss=loss)
    of_rows = np.array([weights[int(label)] for label in y[:8]], "float32")
    found = reference.gradients(model, x[:8], y[:8], sample_weight=of_rows)
    return Trained(trained.model, {0: [reference.norm(g) for g in found]})


@way("dictionaries in and out, an output without a loss", EVERYWHERE)
def dictionaries(monitor):
    """One of the outputs has a target and no loss."""

    def make():
        _, x, y, loss = models.make("mlp")
        parts = {"a": keras.Input((2,), name="a"), "b": keras.Input((4,), name="b")}
        hidden = keras.layers.Concatenate()(list(parts.values()))
        outputs = {name: keras.layers.Dense(4, name=name)(hidden) for name in "pq"}
        model = keras.Model(parts, {**outputs, "r": hidden})
        losses = {"p": loss, "q": "mse", "r": None}
        model.compile(
            SGD(0.1), loss=losses, loss_weights={"p": 1.0, "q": 0.3, "r": 1.0}
        )
        return model, {"a": x[:, :2], "b": x[:, 2:]}, {"p": y, "q": x[:, :4]}

    model, x, y = make()
    y["r"] = x["a"]
    first = keras.tree.map_structure(lambda leaf: leaf[:8], (x, y))
    norms = [reference.norm(g) for g in reference.gradients(model, *first)]
    model, _, _ = make()
    callbacks = [] if monitor is None else [monitor]
    fit = {"batch_size": 8, "shuffle": False, "verbose": 0, "callbacks": callbacks}
    model.fit(x, y, epochs=2, **fit)
    return Trained(model, {0: norms})


class Decoder(keras.Model):
    """All of its loss is its own; there are no targets."""

    def __init__(self):
        super().__init__()
        self.inner = keras.layers.Dense(3, "tanh", activity_regularizer="l1")
        self.outer = keras.layers.Dense(6)

    def call(self, x):
        outputs = self.outer(self.inner(x))
        self.add_loss(keras.ops.mean((outputs - x) ** 2))
        return outputs


@way("no targets: `add_loss`, activity penalties", EVERYWHERE)
def own_losses(monitor):
    _, x, _, _ = models.make("mlp")

    def make():
        keras.utils.set_random_seed(0)
        model = Decoder()
        model(x)
        model.compile(SGD(0.1))
        return model

    norms = [reference.norm(g) for g in reference.gradients(make(), x[:8], None)]
    model = make()
    callbacks = [] if monitor is None else [monitor]
    fit = {"batch_size": 8, "shuffle": False, "verbose": 0, "callbacks": callbacks}
    model.fit(x, epochs=2, **fit)
    return Trained(model, {0: norms})


way("a `tf.data.Dataset`", EVERYWHERE, runs="once")(trained_on(tensorflow_batches))

way("an endless generator with `steps_per_epoch`", EVERYWHERE, runs="once")(
    trained_on(endless, steps_per_epoch=2)
)

way("a `PyDataset`", EVERYWHERE, runs="once")(trained_on(Batches))

way("a `PyDataset` with two workers", EVERYWHERE, runs="once")(
    trained_on(lambda x, y: Batches(x, y, workers=2), steps=())
)

way("a `torch` `DataLoader` with two workers", EVERYWHERE, runs="once")(
    trained_on(loaded_by_workers)
)
