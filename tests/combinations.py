"""Ways to train, and what watching each of them gives: the compatibility matrix.

`docs/guide/compatibility.md` is written from `ALL` by `benchmarks/compatibility.py`;
`test_combinations.py` checks that each says what is the case.
"""

from __future__ import annotations

import copy
import gc
import pickle
import tempfile
import threading
import warnings
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache

import keras
import models
import numpy as np
import reference

import keras_dlbasic as kd

BACKEND = keras.backend.backend()
WORKS = "works"
Monitor = kd.callbacks.GradientNormMonitor
SGD = keras.optimizers.SGD


@dataclass
class Trained:
    """What is left of one or several fits.

    Attributes:
        model: The model, or several.
        norms: By step of the record, the gradient norms that are right.
        record: The record, if not that of the monitor.
    """

    model: object
    norms: dict[int, list[float]] = field(default_factory=dict)
    record: object = None


@dataclass(frozen=True)
class Combination:
    """A way to train.

    Attributes:
        title: What it is, for readers.
        train: Trains with a monitor, or with None.
        expected: By backend: `WORKS`; `"refused: ..."` with words of our warning;
            `"Keras refuses: ..."` with words of Keras' error; no entry: not applicable.
        devices: Whether it needs two devices, so a process of its own.
        when: `"always"`: in the tests of each backend; `"once"`: in those of one;
            `"by hand"`: by `benchmarks/compatibility.py` only.
    """

    title: str
    train: Callable[[object], Trained]
    expected: dict[str, str]
    devices: bool = False
    when: str = "by hand"


def outcome(combination):
    """Train without and with a monitor; return what came out, in words.

    Raises:
        AssertionError: If a number is wrong or anything but the record differs.
    """
    results = []
    for monitor in (None, Monitor(every=1)):
        if not combination.devices:  # replicas lose their ways of communication
            keras.backend.clear_session()
        keras.utils.set_random_seed(0)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                results.append(combination.train(monitor))
            except Exception as error:
                results.append(error)
    plain, watched = results
    refused = [str(w.message) for w in said if "not watched" in str(w.message)]
    if isinstance(plain, Exception):
        assert type(plain) is type(watched), f"{plain!r} became {watched!r}"
        return f"Keras refuses: {plain} {' '.join(refused)}"
    if isinstance(watched, Exception):
        raise watched
    assert _left(plain) == _left(watched), "watching changed what was trained"
    if refused:
        assert len(refused) == 1
        return f"refused: {refused[0]}"
    record = watched.record or monitor.record
    assert len(record.steps), "nothing was measured and nothing said"
    for step, norms in watched.norms.items():
        row = record.steps.tolist().index(step)
        scale = np.linalg.norm(norms)
        np.testing.assert_allclose(
            record.gradient_norm[row], norms, rtol=1e-5, atol=1e-6 * scale
        )
    return WORKS


def says(found, expected):
    """Tell whether an outcome is the expected one, with the words in it."""
    verdict, _, words = expected.partition(": ")
    return found.startswith(verdict) and words in found


def _left(trained):
    several = trained.model if isinstance(trained.model, list) else [trained.model]
    return [
        array.tobytes()
        for model in several
        for array in reference.arrays([*model.variables, *model.optimizer.variables])
    ]


def norms_at(make, x, y, step, batch_size=8):
    """Return gradient norms by autodiff at a step of an unshuffled epoch."""
    twin = make()
    if step:
        n = step * batch_size
        first = {"batch_size": batch_size, "verbose": 0, "shuffle": False}
        twin.fit(x[:n], y[:n], **first)
    rows = slice(step * batch_size, (step + 1) * batch_size)
    if not twin.built:
        twin(x[rows])
    found = reference.gradients(twin, x[rows], y[rows])
    return [reference.norm(gradient) for gradient in found]


def maker(name, optimizer, prepare=None, **compile_args):
    """Return a function that makes a model of `models`, ready for `fit`."""

    def make():
        model, _, _, loss = models.make(name)
        if prepare is not None:
            model = prepare(model) or model
        model.compile(optimizer=optimizer(), loss=loss, **compile_args)
        return model

    return make


def momentum():
    return SGD(0.1, momentum=0.9)


def fitted(
    monitor,
    *,
    name="mlp",
    optimizer=momentum,
    steps=(0,),
    fit=None,
    **made,
):
    """Train a model of `models` for two epochs; norms are those of autodiff."""
    _, x, y, _ = models.make(name)
    make = maker(name, optimizer, **made)
    watched = monitor is not None
    norms = {step: norms_at(make, x, y, step) for step in steps if watched}
    model = make()
    callbacks = [monitor] if watched else []
    given = {"epochs": 2, "shuffle": False, "callbacks": callbacks, **(fit or {})}
    model.fit(x, y, batch_size=8, verbose=0, **given)
    return Trained(model, norms)


# -- ways to compile -------------------------------------------------------------------


def steps_per_execution(monitor):
    return fitted(monitor, steps=(1,), steps_per_execution=2)


def accumulation(monitor):
    return fitted(
        monitor,
        optimizer=lambda: SGD(0.1, clipnorm=0.1, gradient_accumulation_steps=2),
        steps=(0, 1),
    )


def loss_scaling(monitor):
    def optimizer():
        inner = SGD(0.1, global_clipnorm=0.5)
        return keras.optimizers.LossScaleOptimizer(inner, initial_scale=64.0)

    return fitted(monitor, optimizer=optimizer)


def low_rank(monitor):
    def adapted(model):
        model.layers[0].enable_lora(2)
        model.layers[-1].enable_lora(3)

    return fitted(monitor, prepare=adapted, steps=(0, 1))


def float8(monitor):
    def quantized(model):
        model.quantize("float8")

    return fitted(monitor, prepare=quantized, steps=())


def quantized_adapters(monitor):
    def adapted(model):
        model.quantize("int8")
        for layer in model.layers:
            layer.enable_lora(2)

    return fitted(monitor, prepare=adapted)


# -- steps of one's own ----------------------------------------------------------------


class OwnStep(keras.Sequential):
    def train_step(self, *args):
        return super().train_step(*args)


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


def several_updates(monitor):
    return adversaries(monitor, updates=3)


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


# -- data ------------------------------------------------------------------------------


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


def class_weights(monitor):
    weights = {0: 1.0, 1: 3.0, 2: 0.5, 3: 2.0}
    trained = fitted(monitor, fit={"class_weight": weights}, steps=())
    model, x, y, loss = models.make("mlp")
    model.compile(optimizer="sgd", loss=loss)
    of_rows = np.array([weights[int(label)] for label in y[:8]], "float32")
    found = reference.gradients(model, x[:8], y[:8], sample_weight=of_rows)
    return Trained(trained.model, {0: [reference.norm(g) for g in found]})


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


# -- callbacks -------------------------------------------------------------------------


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


def own_draws(monitor, unwatched=0):
    """Fit a model that draws, at first so many times without the monitor."""
    model, x, y, loss = models.make("mlp")
    model = keras.Sequential([keras.Input((6,)), Drawing(), *model.layers])
    model.compile(optimizer=momentum(), loss=loss)
    for _ in range(unwatched):
        model.fit(x, y, batch_size=8, verbose=0)
    callbacks = [] if monitor is None else [monitor]
    model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=callbacks)
    return Trained(model)


class FitWithin(keras.callbacks.Callback):
    def __init__(self, watched):
        super().__init__()
        self.watched = watched

    def on_epoch_end(self, epoch, logs=None):
        model, x, y, loss = models.make("mlp")
        model.compile(optimizer="sgd", loss=loss)
        model.fit(x, y, verbose=0, callbacks=[Monitor(every=1)] * self.watched)


def fit_within_a_fit(monitor):
    watched = monitor is not None
    callbacks = [FitWithin(watched), *([monitor] if watched else [])]
    return fitted(monitor, fit={"callbacks": callbacks})


class Recompile(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch:
            self.model.compile(optimizer="sgd", loss=self.model.loss)


def compile_within_a_fit(monitor):
    callbacks = [Recompile(), *([monitor] if monitor is not None else [])]
    return fitted(monitor, fit={"callbacks": callbacks})


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


def meddling(monitor):
    callbacks = [Meddler()] if monitor is None else [monitor, Meddler()]
    trained = fitted(monitor, fit={"callbacks": callbacks, "epochs": 3})
    if monitor is not None:
        assert monitor.record.steps.tolist() == [0, 1, 2, 3, 4]
        assert monitor.record.trained_steps == 5
    return trained


def same_callback_twice(monitor):
    fit = {"callbacks": [] if monitor is None else [monitor, monitor]}
    trained = fitted(monitor, fit=fit, steps=(0, 1))
    if monitor is not None:
        assert monitor.record.steps.tolist() == list(range(6))
        logged = monitor.record.epochs["global_gradient_norm"]
        norms = monitor.record.global_gradient_norm.reshape(2, 3)
        np.testing.assert_allclose(logged, norms.mean(axis=1))
    return trained


def several_callbacks(monitor):
    callbacks = [kd.callbacks.TrainingDoctor(verbose=0), Monitor(every=2)]
    fit = {"callbacks": [] if monitor is None else [monitor, *callbacks]}
    trained = fitted(monitor, name="cnn", fit=fit, steps=())
    if monitor is not None:
        assert callbacks[1].record is monitor.record
    return trained


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


def frozen_without_compile(monitor):
    model, x, y, loss = models.make("mlp")
    model.compile(optimizer="sgd", loss=loss)
    model.fit(x, y, verbose=0)
    model.layers[0].trainable = False
    model.fit(x, y, verbose=0, callbacks=[] if monitor is None else [monitor])
    return Trained(model)


# -- several devices -------------------------------------------------------------------


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


def doctor_on_replicas(monitor):
    """The doctor keeps the batches that are trained first, of all replicas."""
    doctor = kd.callbacks.TrainingDoctor(verbose=0)
    callbacks = [] if monitor is None else [monitor, doctor]
    trained = distributed(monitor, fit={"callbacks": callbacks})
    if monitor is not None:
        _, x, y, _ = models.make("mlp")
        assert doctor.record.facts["data"]["source"] == "first batches"
        np.testing.assert_array_equal(doctor._probe.x, x)
    return trained


def replica_norms(monitor):
    """Of the two halves of a batch, each on a device of its own."""
    trained = distributed(monitor, steps=())
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
        assert monitor.record.facts["replicas"] == 2
        assert np.isfinite(kd.analysis.replica_noise_scale(monitor.record).noise).all()
    return trained


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


# -- all of them -----------------------------------------------------------------------

BACKENDS = ("tensorflow", "jax", "torch")
EVERYWHERE = dict.fromkeys(BACKENDS, WORKS)
TENSORFLOW, JAX, TORCH = ({name: WORKS} for name in BACKENDS)
ON_REPLICAS = "cannot train with {} on several replicas"


def refused_on_replicas(title, words, **args):
    expected = {"tensorflow": "Keras refuses: " + ON_REPLICAS.format(words)}
    train = on_replicas(steps=(), **args)
    return Combination(title, train, expected, devices=True)


ALL = [
    Combination("`fit`, as it is", fitted, EVERYWHERE),
    Combination(
        "`run_eagerly=True`",
        lambda monitor: fitted(monitor, run_eagerly=True),
        EVERYWHERE,
    ),
    Combination(
        "`jit_compile=True`",
        lambda monitor: fitted(monitor, jit_compile=True),
        {**EVERYWHERE, "torch": "refused: `torch.compile` would fuse"},
    ),
    Combination(
        "`jit_compile=False` (JAX without compilation)",
        lambda monitor: fitted(monitor, jit_compile=False),
        JAX,
    ),
    Combination(
        "`steps_per_execution=2`",
        steps_per_execution,
        {**EVERYWHERE, "torch": "Keras refuses: `steps_per_execution` must be 1"},
        when="always",
    ),
    Combination("`gradient_accumulation_steps=2`", accumulation, EVERYWHERE),
    Combination("`LossScaleOptimizer`", loss_scaling, EVERYWHERE),
    Combination("LoRA (`enable_lora`)", low_rank, EVERYWHERE, when="once"),
    Combination("int8 with LoRA", quantized_adapters, EVERYWHERE),
    Combination("float8 (`quantize`)", float8, EVERYWHERE),
    Combination(
        "a subclassed model, built by its first batch",
        lambda monitor: fitted(monitor, name="subclassed"),
        EVERYWHERE,
    ),
    Combination("a `train_step` of one's own", own_train_step, EVERYWHERE),
    Combination("two optimizers in a step (GAN)", adversaries, EVERYWHERE),
    Combination(
        "a part updated three times a step", several_updates, EVERYWHERE, when="once"
    ),
    Combination(
        "a loop with `train_on_batch` that calls the hooks",
        train_on_batch,
        dict.fromkeys(BACKENDS, "refused: Steps of `train_on_batch`"),
        when="always",
    ),
    Combination("data of unknown length", unknown_length, EVERYWHERE, when="always"),
    Combination(
        "a `tf.data.Dataset`", trained_on(tensorflow_batches), EVERYWHERE, when="once"
    ),
    Combination(
        "an endless generator with `steps_per_epoch`",
        trained_on(endless, steps_per_epoch=2),
        EVERYWHERE,
        when="once",
    ),
    Combination("a `PyDataset`", trained_on(Batches), EVERYWHERE, when="once"),
    Combination(
        "a `PyDataset` with two workers",
        # which batch is the first depends on how far Keras looked ahead
        trained_on(lambda x, y: Batches(x, y, workers=2), steps=()),
        EVERYWHERE,
        when="once",
    ),
    Combination(
        "a `torch` `DataLoader` with two workers",
        trained_on(loaded_by_workers),
        EVERYWHERE,
        when="once",
    ),
    Combination("class weights", class_weights, EVERYWHERE),
    Combination(
        "dictionaries in and out, an output without a loss", dictionaries, EVERYWHERE
    ),
    Combination("no targets: `add_loss`, activity penalties", own_losses, EVERYWHERE),
    Combination(
        "an optimizer with an `apply` and `update_step` of one's own",
        lambda monitor: fitted(monitor, optimizer=Halving),
        EVERYWHERE,
        when="once",
    ),
    Combination("tied weights", tied_weights, EVERYWHERE, when="once"),
    Combination(
        "a layer that draws by `tf.random` or `torch.randn_like`",
        own_draws,
        {"tensorflow": WORKS, "torch": WORKS},
    ),
    Combination(
        "the same, after a fit that was not watched",
        lambda monitor: own_draws(monitor, unwatched=1),
        {
            "tensorflow": "refused: the model draws by TensorFlow's operation",
            "torch": WORKS,
        },
    ),
    Combination(
        "no weight to train",
        all_frozen,
        dict.fromkeys(BACKENDS, "refused: the training step of"),
        when="once",
    ),
    Combination("a fit within a fit", fit_within_a_fit, EVERYWHERE, when="once"),
    Combination(
        "`compile` within a fit",
        compile_within_a_fit,
        dict.fromkeys(BACKENDS, "Keras refuses: 'NoneType' object is not callable"),
        when="once",
    ),
    Combination(
        "a callback that sets weights and rate, trains the model and stops the fit",
        meddling,
        EVERYWHERE,
    ),
    Combination(
        "the same callback twice", same_callback_twice, EVERYWHERE, when="once"
    ),
    Combination(
        "several callbacks of ours", several_callbacks, EVERYWHERE, when="once"
    ),
    Combination("copied and pickled callbacks", copies, EVERYWHERE, when="once"),
    Combination(
        "one callback, two models in turn", two_models_in_turn, EVERYWHERE, when="once"
    ),
    Combination("two models in two threads", two_threads, EVERYWHERE, when="always"),
    Combination(
        "`BackupAndRestore` after an interrupt", backup, EVERYWHERE, when="once"
    ),
    Combination(
        "layers frozen after a fit without `compile`",
        frozen_without_compile,
        {
            "tensorflow": "refused: layers were frozen or unfrozen",
            "jax": "Keras refuses: Argument `optimizer_variables` must be a list",
            "torch": WORKS,
        },
    ),
    Combination(
        "two devices (`MirroredStrategy`, `DataParallel`)",
        on_replicas(),
        {**TENSORFLOW, **JAX},
        devices=True,
        when="always",
    ),
    *(
        Combination(
            f"two devices, {title}",
            on_replicas(**args),
            {**TENSORFLOW, **JAX},
            devices=True,
            when=when,
        )
        for title, args, when in (
            ("batch normalisation", {"name": "cnn", "steps": ()}, "by hand"),
            ("embedding (sparse gradients)", {"name": "embedding"}, "by hand"),
            ("AdamW with EMA and a loss scale", {"optimizer": averaging}, "by hand"),
            ("`LossScaleOptimizer`", {"optimizer": scaling}, "by hand"),
            ("`run_eagerly=True`", {"run_eagerly": True}, "by hand"),
            ("attention", {"name": "attention"}, "by hand"),
            ("LSTM", {"name": "lstm"}, "by hand"),
        )
    ),
    Combination(
        "two devices, with the doctor's probe",
        doctor_on_replicas,
        {**TENSORFLOW, **JAX},
        devices=True,
    ),
    Combination(
        "two devices, norms of the replicas' own gradients",
        replica_norms,
        TENSORFLOW,
        devices=True,
        when="always",
    ),
    Combination(
        "two devices, the loss of one is NaN",
        nan_on_one_replica,
        {**TENSORFLOW, **JAX},
        devices=True,
        when="always",
    ),
    Combination(
        "two devices, curvature and signals looked at in the strategy's scope",
        looks_on_replicas,
        {**TENSORFLOW, **JAX},
        devices=True,
    ),
    refused_on_replicas(
        "two devices, `steps_per_execution=2`",
        "`steps_per_execution=2`",
        steps_per_execution=2,
    ),
    refused_on_replicas(
        "two devices, `gradient_accumulation_steps=2`",
        "`gradient_accumulation_steps=2`",
        optimizer=accumulating,
    ),
    refused_on_replicas(
        "two devices, `jit_compile=True`", "`jit_compile=True`", jit_compile=True
    ),
    refused_on_replicas(
        "two devices, `ema_overwrite_frequency=2`",
        "`ema_overwrite_frequency=2`",
        optimizer=overwriting,
    ),
]
