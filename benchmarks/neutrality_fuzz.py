"""Train random models with and without `GradientNormMonitor` and compare every bit.

    KERAS_BACKEND=jax python benchmarks/neutrality_fuzz.py 60 0

trains the models of the seeds 0 to 59, each a random architecture with a random
optimizer, clipping, decay, loss scaling, accumulation, precision, way to compile and
way to be watched. It prints which differ in a weight, an optimizer variable or a logged
value, or whose gradient norms are not those of the backend's own autodiff at one of the
first four steps, and exits with 1 if any does.
"""

import argparse
import gc
import os
import random
import sys
import time
import warnings
from pathlib import Path

# with several threads TensorFlow adds up rows of embeddings in any order: two plain
# fits differ
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import keras
import numpy as np

import keras_dlbasic as kd

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import reference

L = keras.layers
SHAPE = (8, 8, 3)
CLASSES = 10
IMAGES = ("conv", "residual", "separable", "depthwise")
SEQUENCES = ("lstm", "gru", "bidirectional", "attention")
KINDS = ("dense", "subclassed", "embedding", "conv_lstm", *IMAGES, *SEQUENCES)
BACKEND = keras.backend.backend()
BATCH = 24
N = 4 * BATCH + 7
"""The last batch of an epoch is a short one."""

EXACT, ROUGH = (2e-4, 1e-5), (0.1, 0.02)
"""Relative tolerance, and absolute as a share of the whole, by precision."""

ROUGH_BIAS = (0.1, 0.15)
"""A bias before a normalization, whose gradient is zero but for rounding, gets a tenth
of the whole from autodiff in half precision outside the compiled step."""


class UntrainableError(Exception):
    """Raised for a model that Keras itself cannot train."""


def image_block(chance, kind, x, units, activation, regularizer):
    shortcut = x
    if kind == "separable":
        x = L.SeparableConv2D(units, 3, padding="same", activation=activation)(x)
    elif kind == "depthwise":
        x = L.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(x)
    else:
        x = L.Conv2D(
            units,
            chance.choice([1, 3]),
            padding="same",
            kernel_regularizer=regularizer,
            use_bias=chance.random() < 0.7,
        )(x)
    if chance.random() < 0.5:
        x = L.BatchNormalization()(x)
    x = L.Activation(activation)(x)
    if kind == "residual" and shortcut.shape == x.shape:
        x = L.Add()([shortcut, x])
    return L.Dropout(0.2)(x) if chance.random() < 0.3 else x


def sequence_part(kind, x, units, activation):
    x = L.Reshape((8, 24))(x)
    if kind == "lstm":
        return L.LSTM(units)(x)
    if kind == "gru":
        return L.GRU(units, return_sequences=True)(x)
    if kind == "bidirectional":
        return L.Bidirectional(L.LSTM(units))(x)
    x = L.Dense(units)(x)
    attended = L.MultiHeadAttention(2, max(units // 2, 1), dropout=0.1)(x, x)
    return L.Dense(units, activation)(L.LayerNormalization()(x + attended))


class Subclassed(keras.Model):
    """Built by its first batch; with a step of its own."""

    def __init__(self, units, activation, n):
        super().__init__()
        self.flatten = L.Flatten()
        self.hidden = [L.Dense(units, activation) for _ in range(n)]
        self.head = L.Dense(CLASSES)

    def call(self, x):
        x = self.flatten(x)
        for layer in self.hidden:
            x = layer(x)
        return self.head(x)

    def train_step(self, *args):
        return super().train_step(*args)


def random_model(chance):
    """Return the kind of a random model, and the model."""
    kind = chance.choice(KINDS)
    units = chance.choice([3, 7, 16, 33, 64])
    activation = chance.choice(["relu", "tanh", "gelu", "sigmoid", "selu"])
    penalties = [None, None, keras.regularizers.L2(1e-3), keras.regularizers.L1(1e-3)]
    regularizer = chance.choice(penalties)
    if kind == "subclassed":
        return kind, Subclassed(units, activation, chance.randint(1, 3))
    inputs = keras.Input(SHAPE, dtype="int32" if kind == "embedding" else "float32")
    x = inputs
    if kind == "dense":
        x = L.Flatten()(x)
        for _ in range(chance.randint(1, 3)):
            x = L.Dense(units, activation, kernel_regularizer=regularizer)(x)
    elif kind in IMAGES:
        for _ in range(chance.randint(1, 3)):
            x = image_block(chance, kind, x, units, activation, regularizer)
    elif kind in SEQUENCES:
        x = sequence_part(kind, x, units, activation)
    elif kind == "conv_lstm":
        x = L.ConvLSTM2D(4, 3)(L.Reshape((2, 4, 8, 3))(x))
    else:
        x = L.GlobalAveragePooling1D()(L.Embedding(20, units)(L.Flatten()(x)))
        x = L.Dense(units, activation)(x)
    if len(x.shape) > 2 and chance.random() < 0.5:
        pooling = (L.GlobalAveragePooling1D, L.GlobalAveragePooling2D)
        x = pooling[len(x.shape) - 3]()(x)
    return kind, keras.Model(inputs, L.Dense(CLASSES)(L.Flatten()(x)))


def random_optimizer(chance):
    """Return the words that describe a random optimizer, and the optimizer."""
    clippings = [{}, {}, {"clipnorm": 0.1}, {"global_clipnorm": 0.5}]
    options = dict(chance.choice([*clippings, {"clipvalue": 0.01}]))
    for share, extra in (
        (0.3, {"weight_decay": 1e-2}),
        (0.2, {"use_ema": True}),
        (0.15, {"loss_scale_factor": 128.0}),
        (0.15, {"gradient_accumulation_steps": 2}),
    ):
        if chance.random() < share:
            options |= extra
    names = ("SGD", "Adam", "RMSprop", "Nadam", "Adagrad", "Lion")
    name = chance.choice(names)
    if name in ("SGD", "RMSprop") and chance.random() < 0.5:
        options["momentum"] = 0.9  # keeps bits that weights lose
    optimizer = getattr(keras.optimizers, name)(1e-3, **options)
    if chance.random() < 0.15:
        inner = keras.optimizers.SGD(0.01, clipnorm=0.3)
        scaled = keras.optimizers.LossScaleOptimizer(inner, initial_scale=256.0)
        return "LossScaleOptimizer(SGD)", scaled
    return f"{name}{options}", optimizer


def random_compile(chance):
    """Return arguments of `compile`."""
    options = {}
    if BACKEND != "torch" and chance.random() < 0.2:
        options["steps_per_execution"] = chance.choice([2, 3])
    if BACKEND == "tensorflow" and chance.random() < 0.2:
        options["jit_compile"] = chance.random() < 0.5
        options["run_eagerly"] = not options["jit_compile"]
    return options


def made(seed):
    """Return words that describe the case of `seed`, the compiled model and its data.

    Every call gives the same weights and states of random generators.
    """
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    chance = random.Random(seed)
    policy = chance.choice(["float32"] * 8 + ["mixed_float16", "mixed_bfloat16"])
    keras.config.set_dtype_policy(policy)
    kind, model = random_model(chance)
    words, optimizer = random_optimizer(chance)
    options = random_compile(chance)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, *SHAPE)).astype("float32")
    if kind == "embedding":
        x = (np.abs(3 * x) % 20).astype("int32")
    if len(model.layers) > 3 and chance.random() < 0.15:
        model.layers[1].trainable = False
        words += ", frozen"
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        **options,
    )
    y = rng.integers(0, CLASSES, N)
    return f"{kind}, {policy}, {words}, {options}", model, x, y


def trained(seed, callbacks):
    """Train the model of `seed`; return its description, arrays and history."""
    words, model, x, y = made(seed)
    fit = {"batch_size": BATCH, "epochs": 2, "verbose": 0, "callbacks": callbacks}
    history = model.fit(x, y, shuffle=False, **fit).history
    history.pop("global_gradient_norm", None)
    variables = [*model.variables, *model.optimizer.variables]
    arrays = [np.array(keras.ops.convert_to_numpy(v)) for v in variables]
    return words, arrays, history


def norms_at(seed, step):
    """Return gradient norms by autodiff, at a step of the first epoch.

    None where autodiff draws another dropout: PyTorch's own generator is one that `fit`
    draws from too, and XLA on TensorFlow has a generator of its own.
    """
    _, model, x, y = made(seed)
    draws_apart = {"torch": True, "tensorflow": model.jit_compile, "jax": False}
    layers = model._flatten_layers()
    if draws_apart[BACKEND] and any(isinstance(part, L.Dropout) for part in layers):
        return None
    model.steps_per_execution = 1
    for before in range(step):  # not by `fit`, whose end puts averages into the weights
        rows = slice(before * BATCH, (before + 1) * BATCH)
        model.train_on_batch(x[rows], y[rows])
    rows = slice(step * BATCH, (step + 1) * BATCH)
    if not model.built:
        model(x[rows])
    found = reference.gradients(model, x[rows], y[rows])
    return np.array([reference.norm(gradient) for gradient in found])


def difference(seed):
    """Return what differs for a seed as text, or None.

    Raises:
        UntrainableError: If Keras itself cannot train the model.
    """
    chance = random.Random(f"watched {seed}")
    try:
        words, plain, history = trained(seed, [])
    except Exception as error:
        raise UntrainableError(f"{type(error).__name__}: {error}") from error
    monitor = kd.callbacks.GradientNormMonitor(every=chance.choice([1, 2, 3, "auto"]))
    others = [kd.callbacks.TrainingDoctor(verbose=0)] if chance.random() < 0.2 else []
    _, watched, seen = trained(seed, [monitor, *others])
    if not len(monitor.record.steps):
        return f"{words}: nothing was measured"
    pairs = zip(plain, watched, strict=True)
    count = sum(one.tobytes() != other.tobytes() for one, other in pairs)
    if count or repr(history) != repr(seen):
        return f"{words}: {count} of {len(plain)} arrays differ; {history} / {seen}"
    return wrong_norms(seed, words, monitor.record, chance)


def wrong_norms(seed, words, record, chance):
    """Return how the norms of a step differ from those of autodiff, or None."""
    # a skipped step has none, and float16 differs by how the step is fused
    rows = [r for r, s in enumerate(record.steps) if s < 4 and not record.skipped[r]]
    if not rows:
        return None
    row = chance.choice(rows)
    expected = norms_at(seed, int(record.steps[row]))
    if expected is None:
        return None
    found = record.gradient_norm[row]
    tolerances = [
        EXACT if "mixed" not in words else ROUGH_BIAS if v.role == "bias" else ROUGH
        for v in record.variables
    ]
    relative, absolute = np.array(tolerances).T
    scale = np.linalg.norm(expected)
    off = np.abs(found - expected) / scale
    if not np.all(off <= absolute + relative * expected / scale):
        place = int(np.argmax(off))
        path = record.variables[place].path
        return (
            f"{words}: step {record.steps[row]}: norm of {path} is {found[place]:g}, "
            f"by autodiff {expected[place]:g}, over all {scale:g}"
        )
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", type=int, help="how many models to train")
    parser.add_argument("seed", type=int, help="seed of the first")
    parser.add_argument("--seconds", type=float, help="begin no model after this many")
    options = parser.parse_args()
    warnings.simplefilter("error", UserWarning)  # refusals among them
    begin, done, different, untrainable = time.monotonic(), 0, 0, 0
    for seed in range(options.seed, options.seed + options.number):
        if options.seconds and time.monotonic() - begin > options.seconds:
            break
        try:
            found = difference(seed)
        except UntrainableError as error:
            untrainable += 1
            print(f"seed {seed}: {made(seed)[0]}: not by Keras: {error}", flush=True)
            continue
        except Exception as error:
            found = f"{made(seed)[0]}: {type(error).__name__}: {error}"
        gc.collect()
        done += 1
        if found:
            different += 1
            print(f"seed {seed}: {found}", flush=True)
    name = keras.backend.backend()
    print(
        f"{name}: {different} of {done} models differ, first seed "
        f"{options.seed}; {untrainable} Keras cannot train"
    )
    sys.exit(1 if different or not done else 0)


if __name__ == "__main__":
    main()
