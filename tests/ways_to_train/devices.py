"""Two devices."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache

import keras
import models
import numpy as np
import reference

import keras_dlbasic as kd
from ways_to_train.way import (
    BACKEND,
    JAX,
    SGD,
    TENSORFLOW,
    Trained,
    fitted,
    maker,
    momentum,
    norms_at,
    way,
)


def distributed(
    monitor, *, name="mlp", optimizer=momentum, steps=(0,), fit=None, **made
):
    """Train on two devices; norms are those of autodiff on one."""
    _, x, y, _ = models.make(name)
    make = maker(name, optimizer, **made)
    watched = monitor is not None
    norms = {step: norms_at(make, x, y, step) for step in steps if watched}
    args = {"name": name, "optimizer": optimizer, "fit": fit, **made}
    with _two_devices():
        trained = fitted(monitor, steps=(), **args)
    return Trained(trained.model, norms)


@contextmanager
def _two_devices():
    if BACKEND == "tensorflow":
        with _strategy().scope():
            yield
        return
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    try:
        yield
    finally:
        keras.distribution.set_distribution(None)


@cache
def _strategy():
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def on_replicas(**args):
    return lambda monitor: distributed(monitor, **args)


@way("two devices, with the doctor's probe", {**TENSORFLOW, **JAX}, devices=True)
def doctor_on_replicas(monitor):
    """The doctor keeps the batches that are trained first, of all replicas."""
    doctor = kd.callbacks.TrainingDoctor(verbose=0)
    callbacks = [] if monitor is None else [monitor, doctor]
    trained = distributed(monitor, fit={"callbacks": callbacks})
    if monitor is not None:
        _, x, y, _ = models.make("mlp")
        assert doctor.record.facts.data.source == "first batches"
        np.testing.assert_array_equal(doctor._looks.probe.x, x)
    return trained


@way(
    "two devices, norms of the replicas' own gradients",
    TENSORFLOW,
    runs="always",
    devices=True,
)
def replica_norms(monitor):
    """Of the two halves of a batch, each on a device of its own."""
    trained = distributed(monitor)
    if monitor is not None:
        model, x, y, loss = models.make("mlp")
        model.compile(optimizer="sgd", loss=loss)
        squares = [
            sum(reference.norm(g) ** 2 for g in reference.gradients(model, x[h], y[h]))
            for h in (slice(0, 4), slice(4, 8))
        ]
        expected = np.sqrt(np.mean(squares))
        found = monitor.record.replica_gradient_norm
        np.testing.assert_allclose(found[0], expected, rtol=1e-5)
        assert monitor.record.facts.replicas == 2
        assert np.isfinite(kd.analysis.replica_noise_scale(monitor.record).noise).all()
    return trained


@way(
    "two devices, the loss of one is NaN",
    {**TENSORFLOW, **JAX},
    runs="always",
    devices=True,
)
def nan_on_one_replica(monitor):
    """The loss of one replica only is NaN; the record's is, like that of the logs."""
    _, x, y, _ = models.make("mlp")
    weights = np.where(np.arange(len(y)) == 0, np.nan, 1.0)
    fit = {"batch_size": 8, "shuffle": False, "sample_weight": weights, "verbose": 0}
    with _two_devices():
        model = maker("mlp", momentum)()
        callbacks = [] if monitor is None else [monitor]
        history = model.fit(x, y, callbacks=callbacks, **fit)
    assert np.isnan(history.history["loss"]).all()
    if monitor is not None:
        assert np.isnan(monitor.record.batch_loss).all()
        assert (monitor.record.non_finite[0] > 0).any()
    return Trained(model)


@way(
    "two devices, curvature and signals looked at in the strategy's scope",
    {**TENSORFLOW, **JAX},
    devices=True,
)
def looks_on_replicas(monitor):
    """Looks do not depend on a strategy's scope; `treat` refuses such a model."""

    def looked():
        model, x, y, loss = models.make("mlp")
        model.compile(optimizer="sgd", loss=loss)
        value, slope = kd.landscape.Objective(model, x, y).gradient()
        report = kd.propagation_report(model, x, y)
        return [
            value,
            *slope[:4],
            *[layer.gradient_variance for layer in report.layers],
        ]

    trained = distributed(monitor, steps=())
    if monitor is not None:
        expected = looked()
        with _two_devices():
            np.testing.assert_allclose(looked(), expected, rtol=1e-4)
            model, x, y, loss = models.make("mlp")
            model.compile(optimizer="sgd", loss=loss)
            try:
                kd.treat(model, x, y, epochs=1, verbose=0)
            except ValueError as error:
                assert "trains each model on one device" in str(error)
            else:
                raise AssertionError("a distributed model was treated")
    return trained


def averaging():
    return keras.optimizers.AdamW(0.01, use_ema=True, loss_scale_factor=64.0)


def accumulating():
    return SGD(0.1, gradient_accumulation_steps=2)


def scaling():
    return keras.optimizers.LossScaleOptimizer(SGD(0.1))


def overwriting():
    return SGD(0.1, use_ema=True, ema_overwrite_frequency=2)


way(
    "two devices (`MirroredStrategy`, `DataParallel`)",
    {**TENSORFLOW, **JAX},
    runs="jax",  # TensorFlow's is the first of these, too
    devices=True,
)(on_replicas())

for _title, _args in (
    ("batch normalization", {"name": "cnn", "steps": ()}),
    ("embedding (sparse gradients)", {"name": "embedding"}),
    ("AdamW with EMA and a loss scale", {"optimizer": averaging}),
    ("`LossScaleOptimizer`", {"optimizer": scaling}),
    ("`run_eagerly=True`", {"run_eagerly": True}),
    ("attention", {"name": "attention"}),
    ("LSTM", {"name": "lstm"}),
):
    way(f"two devices, {_title}", {**TENSORFLOW, **JAX}, devices=True)(
        on_replicas(**_args)
    )

# what Keras itself cannot do on several replicas, and says so because we ask first
for _words, _args in (
    ("`steps_per_execution=2`", {"steps_per_execution": 2}),
    ("`gradient_accumulation_steps=2`", {"optimizer": accumulating}),
    ("`jit_compile=True`", {"jit_compile": True}),
    ("`ema_overwrite_frequency=2`", {"optimizer": overwriting}),
):
    _refusal = f"Keras refuses: cannot train with {_words} on several replicas"
    way(f"two devices, {_words}", {"tensorflow": _refusal}, devices=True)(
        on_replicas(steps=(), **_args)
    )


@way("`OneDeviceStrategy`", TENSORFLOW)
def one_device(monitor):
    import tensorflow as tf

    with tf.distribute.OneDeviceStrategy("CPU:0").scope():
        return fitted(monitor)


@way("`MultiWorkerMirroredStrategy` with one worker", TENSORFLOW)
def one_worker(monitor):
    import tensorflow as tf

    with tf.distribute.MultiWorkerMirroredStrategy().scope():
        return fitted(monitor, steps=())


UNCHECKED = "refused: the gradients were not tested"


@way("`CentralStorageStrategy`", {"tensorflow": UNCHECKED})
def central(monitor):
    import tensorflow as tf

    with tf.distribute.experimental.CentralStorageStrategy().scope():
        return fitted(monitor, steps=())


# trained by `two_processes.py`
way(
    "two processes, the data in parts (`MultiWorkerMirroredStrategy`, JAX, DDP)",
    {
        "tensorflow": "Keras refuses: Attempt to convert a value (PerReplica",
        **JAX,
        "torch": "Keras refuses: no DDP in `fit`; from Keras 3.16: works",
    },
    processes=True,
)(None)
way(
    "two processes, the weights in parts (`ModelParallel`)",
    {
        **JAX,
        "torch": "Keras refuses: no `ModelParallel`; from Keras 3.16: refused: not "
        "tested on PyTorch",
    },
    processes=True,
)(None)
