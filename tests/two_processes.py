"""Train a model in two processes, watched and not; print what came out as JSON.

    python two_processes.py RANK PORT

Started twice by `gradients/test_two_processes.py`; on PyTorch it takes Keras 3.16.
"""

import contextlib
import io
import json
import sys
import warnings

import keras
import numpy as np
from keras import layers as L
from keras import optimizers as O

import keras_dlbasic as kd
from keras_dlbasic._backends import processes

RANK, PORT = int(sys.argv[1]), sys.argv[2]
BACKEND = keras.backend.backend()
ROWS, EACH = 64, 8  # of the data, and of a batch of one process

NORMS = ("gradient_norm", "update_norm", "weight_norm", "clip_factor")
X = np.random.default_rng(0).normal(size=(ROWS, 4)).astype("float32")
Y = X.sum(axis=1, keepdims=True)

WHOLE = "two processes, the data in parts (`MultiWorkerMirroredStrategy`, JAX, DDP)"
IN_PARTS = "two processes, the weights in parts (`ModelParallel`)"


def plain_is_kept(found):
    """Return whether all watched fits trained as those that were not."""
    return all(is_so for name, is_so in found.items() if "neutral" in name)


def together(*, shards=False):
    """From here on a model is trained by both processes.

    With `shards` Keras gives each process its part of a data set.
    """
    if BACKEND == "jax":
        devices = keras.distribution.list_devices()
        distribution = keras.distribution.DataParallel(
            devices=devices, auto_shard_dataset=shards
        )
        keras.distribution.set_distribution(distribution)
    else:
        import torch.distributed

        address = f"tcp://127.0.0.1:{PORT}"
        torch.distributed.init_process_group(
            "gloo", init_method=address, rank=RANK, world_size=2
        )


def in_parts():
    """From here on a model is parted between the processes."""
    devices = keras.distribution.list_devices()
    mesh = keras.distribution.DeviceMesh((1, 2), ["batch", "model"], devices)
    layout = keras.distribution.LayoutMap(mesh)
    layout[".*dense.*kernel"] = (None, "model")
    layout[".*dense.*bias"] = ("model",)
    distribution = keras.distribution.ModelParallel(
        layout_map=layout, batch_dim_name="batch", auto_shard_dataset=False
    )
    keras.distribution.set_distribution(distribution)


def sharded():
    """Return all rows as a data set, in batches for both processes."""
    import tensorflow as tf

    rows = tf.data.Dataset.from_tensor_slices((X, np.repeat(Y, 2, axis=1)))
    return rows.batch(2 * EACH)


def own(rows):
    """Return the rows of this process: half of each batch."""
    return rows.reshape(-1, 2, EACH, *rows.shape[1:])[:, RANK].reshape(
        -1, *rows.shape[1:]
    )


class Heard:
    """What a fit said, and what it left behind."""

    def __init__(self, callbacks, x=None, y=None, batch_size=EACH, epochs=2):
        x, y = (own(X), own(Y)) if x is None else (x, y)
        data = {"x": x}  # a data set
        if y is not None:
            data |= {"y": np.repeat(y, 2, axis=1), "batch_size": batch_size}
        keras.utils.set_random_seed(3)
        self.model = keras.Sequential(
            [
                keras.Input((4,)),
                L.Dense(8, "relu", kernel_regularizer="l2"),
                L.Dense(2),
            ]
        )
        self.model.compile(O.Adam(0.01, clipnorm=0.5), "mse")
        out = io.StringIO()
        with contextlib.redirect_stdout(out), warnings.catch_warnings(record=True) as w:
            warnings.simplefilter("always")
            warnings.filterwarnings("ignore", message="__array__ implementation")
            history = self.model.fit(
                **data,
                epochs=epochs,
                verbose=0,
                shuffle=False,
                callbacks=callbacks,
            )
        self.losses = history.history["loss"]
        self.text = out.getvalue()
        self.warnings = [str(each.message) for each in w]

    @property
    def numbers(self):
        weights = [*self.model.weights, *self.model.optimizer.variables]
        whole = [w.value for w in weights]
        if BACKEND == "jax":  # the part of this process
            whole = [w.addressable_shards[0].data for w in whole]
        arrays = [np.asarray(keras.ops.convert_to_numpy(w)) for w in whole]
        return [*arrays, np.asarray(self.losses)]


def is_same(one, other):
    pairs = zip(one.numbers, other.numbers, strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def apart(one, other):
    """Return how far the norms of two records are from each other."""
    worst = 0.0
    for name in NORMS:
        a, b = getattr(one, name), getattr(other, name)
        worst = max(worst, float(np.nanmax(np.abs(a - b) / (np.abs(a) + 1e-6))))
    return worst


def main():
    if BACKEND == "jax":  # before anything touches the devices
        import jax

        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        keras.distribution.initialize(f"127.0.0.1:{PORT}", 2, RANK)
    alone = kd.callbacks.GradientNormMonitor(every=1)
    Heard([alone], X, Y, 2 * EACH)  # in one process
    together()
    found = {}
    plain = Heard([])
    for every in (1, 3):
        monitor = kd.callbacks.GradientNormMonitor(every=every, verbose=1)
        watched = Heard([monitor])
        found[f"neutral, every={every}"] = is_same(plain, watched)
        found[f"warnings, every={every}"] = watched.warnings
        if every == 1:
            found["apart"] = apart(alone.record, monitor.record)
            losses = alone.record.batch_loss - monitor.record.batch_loss
            found["losses apart"] = float(np.abs(losses).max())
            found["batch size"] = float(monitor.record.batch_size[0])
            found["norms"] = monitor.record.gradient_norm.tolist()
            found["batch losses"] = monitor.record.batch_loss.tolist()
    reads = kd.callbacks.TrainingDoctor()  # keeps batches that pass
    watched = Heard([reads])
    found["neutral, batches read"] = is_same(plain, watched)
    found["has spoken"] = bool(watched.text)
    found["warnings, batches read"] = watched.warnings
    found["was judged"] = "no batches" not in str(reads.diagnosis)

    # a NaN in the rows of process 1: both stop, after the same step
    x = own(X).copy()
    if RANK == 1:
        x[3 * EACH] = np.nan
    stopping = kd.callbacks.GradientNormMonitor(stop_on_non_finite=True)
    stopped = Heard([stopping], x, own(Y))
    found["stopped at"] = stopping.non_finite.step
    found["epochs until then"] = len(stopped.losses)

    # a callback that judges by rows of its own stops both
    class Own(kd.callbacks.OverfittingDetector):
        def _epoch_ends(self, epoch, logs):
            self.model.stop_training = RANK == 1

    detector = Own(own(X), np.repeat(own(Y), 2, axis=1), stop=True, verbose=0)
    found["epochs of one decision"] = len(Heard([detector], epochs=3).losses)

    # given to process 0 only, it is refused and nothing waits
    processes.SECONDS = 2.0
    monitors = [kd.callbacks.GradientNormMonitor(every=1)] if RANK == 0 else []
    lone = Heard(monitors)
    found["neutral, watched in one"] = is_same(plain, lone)
    found["refused"] = lone.warnings
    is_right = plain_is_kept(found) and found["apart"] < 1e-4
    found["ways"] = {WHOLE: "works" if is_right else "WRONG"}
    if BACKEND == "jax":
        together(shards=True)
        plain = Heard([], sharded())
        monitor = kd.callbacks.GradientNormMonitor(every=1)
        watched = Heard([monitor, kd.callbacks.TrainingDoctor(verbose=0)], sharded())
        found["neutral, sharded data"] = is_same(plain, watched)
        found["steps of sharded data"] = len(monitor.record.steps)
        found["norms of sharded data"] = monitor.record.gradient_norm.tolist()
        # Keras itself takes the shards for shorter than they are
        found["own warnings, sharded data"] = sorted(
            set(watched.warnings) - set(plain.warnings)
        )
        in_parts()
        plain = Heard([], X, Y, 2 * EACH)
        monitor = kd.callbacks.GradientNormMonitor(every=1)
        doctor = kd.callbacks.TrainingDoctor(X, np.repeat(Y, 2, axis=1), verbose=0)
        penalty = kd.callbacks.PenaltyMonitor()
        watched = Heard([monitor, doctor, penalty], X, Y, 2 * EACH)
        found["neutral, in parts"] = is_same(plain, watched)
        found["apart, in parts"] = apart(alone.record, monitor.record)
        found["warnings, in parts"] = watched.warnings
        is_right = found["neutral, in parts"] and found["apart, in parts"] < 1e-4
        found["ways"][IN_PARTS] = "works" if is_right else "WRONG"
    sys.stdout.write("\n" + json.dumps(found) + "\n")
    sys.stdout.flush()
    if BACKEND == "torch":
        import torch.distributed

        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
