"""Callbacks, and what they do to a fit."""

from __future__ import annotations

import copy
import gc
import pickle
import tempfile
import threading
from contextlib import suppress

import keras
import models
import numpy as np

import keras_dlbasic as kd
from ways_to_train.way import (
    BACKEND,
    BACKENDS,
    EVERYWHERE,
    SGD,
    WORKS,
    Monitor,
    Trained,
    fitted,
    way,
)


class Halving(keras.optimizers.Adam):
    """Halves gradients, and takes a part of each step back."""

    def apply(self, grads, trainable_variables=None):
        return super().apply([0.5 * g for g in grads], trainable_variables)

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient, variable, learning_rate)
        self.assign_add(variable, 0.1 * learning_rate * gradient)


class Unembedding(keras.layers.Layer):
    """Scores the rows of an embedding's table."""

    def __init__(self, embedding, **options):
        super().__init__(**options)
        self.embedding = embedding

    def call(self, x):
        return keras.ops.matmul(x, keras.ops.transpose(self.embedding.embeddings))


@way("tied weights", EVERYWHERE, runs="once")
def tied_weights(monitor):
    def tied(model):
        table = keras.layers.Embedding(9, 6)
        tokens = keras.Input((7,), dtype="int32")
        pooled = keras.layers.GlobalAveragePooling1D()(table(tokens))
        return keras.Model(tokens, Unembedding(table)(pooled))

    return fitted(monitor, name="embedding", prepare=tied)


class Drawing(keras.layers.Layer):
    """Draws from what is the backend's own, not from a `SeedGenerator`."""

    def call(self, x):
        if BACKEND == "torch":
            import torch

            return x + 0.1 * torch.randn_like(x)
        import tensorflow as tf

        return x + 0.1 * tf.random.normal(tf.shape(x))


@way(
    "a layer that draws by `tf.random` or `torch.randn_like`",
    {"tensorflow": WORKS, "torch": WORKS},
)
def own_draws(monitor, unwatched=0):
    """Fit a model that draws, at first this many times without the monitor."""
    model, x, y, loss = models.make("mlp")
    model = keras.Sequential([keras.Input((6,)), Drawing(), *model.layers])
    model.compile(optimizer=SGD(0.1, momentum=0.9), loss=loss)
    for _ in range(unwatched):
        model.fit(x, y, batch_size=8, verbose=0)
    callbacks = [] if monitor is None else [monitor]
    model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=callbacks)
    return Trained(model)


@way(
    "the same, after a fit that was not watched",
    {
        "tensorflow": "refused: the model draws by TensorFlow's operation",
        "torch": WORKS,
    },
)
def own_draws_after_an_unwatched_fit(monitor):
    return own_draws(monitor, unwatched=1)


class FitWithin(keras.callbacks.Callback):
    def __init__(self, watched):
        super().__init__()
        self.watched = watched

    def on_epoch_end(self, epoch, logs=None):
        model, x, y, loss = models.make("mlp")
        model.compile(optimizer="sgd", loss=loss)
        model.fit(x, y, verbose=0, callbacks=[Monitor(every=1)] * self.watched)


@way("a fit within a fit", EVERYWHERE, runs="once")
def fit_within_a_fit(monitor):
    watched = monitor is not None
    callbacks = [FitWithin(watched), *([monitor] if watched else [])]
    return fitted(monitor, fit={"callbacks": callbacks})


class Recompile(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch:
            self.model.compile(optimizer="sgd", loss=self.model.loss)


@way(
    "`compile` within a fit",
    dict.fromkeys(BACKENDS, "Keras refuses: 'NoneType' object is not callable"),
    runs="once",
)
def compile_within_a_fit(monitor):
    callbacks = [Recompile(), *([monitor] if monitor is not None else [])]
    return fitted(monitor, fit={"callbacks": callbacks})


@way(
    "no weight to train",
    dict.fromkeys(BACKENDS, "refused: the training step of"),
    runs="once",
)
def all_frozen(monitor):
    def frozen(model):
        model.trainable = False

    return fitted(monitor, prepare=frozen, steps=())


class Meddler(keras.callbacks.Callback):
    """Sets weights and rate, trains the model, collects garbage, and stops the fit."""

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 1:
            model = self.model
            model.set_weights([weights / 2 for weights in model.get_weights()])
            model.optimizer.learning_rate = 0.05

    def on_epoch_begin(self, epoch, logs=None):
        if epoch:
            _, x, y, _ = models.make("mlp")
            self.model.fit(x, y, batch_size=8, verbose=0, shuffle=False)

    def on_train_batch_end(self, batch, logs=None):
        gc.collect()
        self.model.stop_training = batch == 1 and self.model.optimizer.iterations > 7


@way(
    "a callback that sets weights and rate, trains the model and stops the fit",
    EVERYWHERE,
)
def meddling(monitor):
    callbacks = [Meddler()] if monitor is None else [monitor, Meddler()]
    trained = fitted(monitor, fit={"callbacks": callbacks, "epochs": 3})
    if monitor is not None:
        assert monitor.record.steps.tolist() == [0, 1, 2, 3, 4]
        assert monitor.record.trained_steps == 5
    return trained


@way("the same callback twice", EVERYWHERE, runs="once")
def same_callback_twice(monitor):
    fit = {"callbacks": [] if monitor is None else [monitor, monitor]}
    trained = fitted(monitor, fit=fit, steps=(0, 1))
    if monitor is not None:
        assert monitor.record.steps.tolist() == list(range(6))
        logged = monitor.record.epochs["global_gradient_norm"]
        norms = monitor.record.global_gradient_norm.reshape(2, 3)
        np.testing.assert_allclose(logged, norms.mean(axis=1))
    return trained


@way("several callbacks of ours", EVERYWHERE, runs="once")
def several_callbacks(monitor):
    callbacks = [kd.callbacks.TrainingDoctor(verbose=0), Monitor(every=2)]
    fit = {"callbacks": [] if monitor is None else [monitor, *callbacks]}
    trained = fitted(monitor, name="cnn", fit=fit, steps=())
    if monitor is not None:
        assert callbacks[1].record is monitor.record
    return trained


@way("copied and pickled callbacks", EVERYWHERE, runs="once")
def copies(monitor):
    """A tuner copies callbacks; a process pool pickles them."""
    trained = fitted(monitor and copy.deepcopy(monitor), steps=())
    if monitor is None:
        return trained
    watched = pickle.loads(pickle.dumps(monitor))
    trained = fitted(watched)
    for again in (copy.deepcopy(watched), pickle.loads(pickle.dumps(watched))):
        found = again.record.gradient_norm
        np.testing.assert_array_equal(found, watched.record.gradient_norm)
        fitted(again, steps=())
        assert len(watched.record.steps) == len(again.record.steps) == 6
    return Trained(trained.model, trained.norms, watched.record)


@way("one callback, two models in turn", EVERYWHERE, runs="once")
def two_models_in_turn(monitor):
    """One callback, two models; `append` must not join their records."""
    if monitor is not None:
        monitor.append = True
    first = fitted(monitor, steps=())
    seen = monitor.record if monitor is not None else None
    second = fitted(monitor, name="cnn", steps=())
    if monitor is not None:
        assert monitor.record is not seen
        assert len(seen.steps) == len(monitor.record.steps) == 6
    return Trained([first.model, second.model])


@way("two models in two threads", EVERYWHERE, runs="once")
def two_threads(monitor):
    names, found = ("mlp", "embedding"), {}
    monitors = {name: monitor and copy.deepcopy(monitor) for name in names}
    made = {}
    for name in names:
        made[name] = models.make(name)
        made[name][0].compile(optimizer="sgd", loss=made[name][3])

    def train(name):
        model, x, y, _ = made[name]
        callbacks = [] if monitor is None else [monitors[name]]
        fit = {"batch_size": 8, "verbose": 0, "shuffle": False, "callbacks": callbacks}
        model.fit(x, y, epochs=3, **fit)
        found[name] = model

    threads = [threading.Thread(target=train, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if monitor is None:
        return Trained([found[name] for name in names])
    one, other = (monitors[name].record for name in names)
    assert len(one.steps) == len(other.steps) == 9
    assert [v.path for v in other.variables] != [v.path for v in one.variables]
    return Trained([found[name] for name in names], {}, one)


class Stop(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt


@way("`BackupAndRestore` after an interrupt", EVERYWHERE, runs="once")
def backup(monitor):
    """Two epochs, an interrupt, and the other two in a new model."""
    _, x, y, _ = models.make("mlp")
    record = monitor and kd.records.TrainingRecord()
    fit = {"batch_size": 8, "epochs": 4, "verbose": 0, "shuffle": False}
    with tempfile.TemporaryDirectory() as folder:
        for interrupt in ([Stop()], []):
            keras.backend.clear_session()  # names as in a new process
            model, _, _, loss = models.make("mlp")
            model.compile(optimizer=SGD(0.1, momentum=0.9), loss=loss)
            callbacks = [keras.callbacks.BackupAndRestore(folder), *interrupt]
            if monitor is not None:
                callbacks.append(Monitor(every=1, record=record))
            with suppress(KeyboardInterrupt):
                model.fit(x, y, callbacks=callbacks, **fit)
    if monitor is not None:
        assert record.epochs["epoch"].tolist() == [0, 1, 2, 3]
        assert record.steps.tolist() == list(range(12))
        assert record.step_epochs.tolist() == np.repeat(range(4), 3).tolist()
    return Trained(model, {}, record)


@way(
    "layers frozen after a fit without `compile`",
    {
        "tensorflow": "refused: layers were frozen or unfrozen",
        "jax": "Keras refuses: Argument `optimizer_variables` must be a list",
        "torch": WORKS,
    },
)
def frozen_without_compile(monitor):
    model, x, y, loss = models.make("mlp")
    model.compile(optimizer="sgd", loss=loss)
    model.fit(x, y, verbose=0)
    model.layers[0].trainable = False
    model.fit(x, y, verbose=0, callbacks=[] if monitor is None else [monitor])
    return Trained(model)


way(
    "an optimizer with an `apply` and `update_step` of your own",
    EVERYWHERE,
    runs="once",
)(lambda monitor: fitted(monitor, optimizer=Halving))
