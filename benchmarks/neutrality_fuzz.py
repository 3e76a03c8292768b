"""Train random models with and without `GradientNormMonitor` and compare every bit.

    KERAS_BACKEND=jax python benchmarks/neutrality_fuzz.py 60 0

trains the models of the seeds 0 to 59, each a random architecture with a random
optimizer, clipping, decay, loss scaling and accumulation. It prints which differ in a
weight, an optimizer variable or a logged value, and exits with 1 if any does.
"""

import argparse
import random
import sys
import time

import keras
import numpy as np

import keras_dlbasic as kd

L = keras.layers
SHAPE = (8, 8, 3)
CLASSES = 10
IMAGES = ("conv", "residual", "separable", "depthwise")
SEQUENCES = ("lstm", "gru", "bidirectional", "attention")
KINDS = ("dense", "embedding", "conv_lstm", *IMAGES, *SEQUENCES)


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


def random_model(chance):
    """Return the kind of a random model, and the model."""
    kind = chance.choice(KINDS)
    units = chance.choice([3, 7, 16, 33, 64])
    activation = chance.choice(["relu", "tanh", "gelu", "sigmoid", "selu"])
    penalties = [None, None, keras.regularizers.L2(1e-3), keras.regularizers.L1(1e-3)]
    regularizer = chance.choice(penalties)
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
    optimizer = getattr(keras.optimizers, name)(1e-3, **options)
    if chance.random() < 0.15:
        inner = keras.optimizers.SGD(0.01, clipnorm=0.3)
        scaled = keras.optimizers.LossScaleOptimizer(inner, initial_scale=256.0)
        return "LossScaleOptimizer(SGD)", scaled
    return f"{name}{options}", optimizer


def trained(seed, callbacks):
    """Train the model of `seed`; return its description, arrays and history."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    chance = random.Random(seed)
    kind, model = random_model(chance)
    words, optimizer = random_optimizer(chance)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, *SHAPE)).astype("float32")
    if kind == "embedding":
        x = (np.abs(3 * x) % 20).astype("int32")
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    y = rng.integers(0, CLASSES, 120)
    fit = {"batch_size": 32, "epochs": 2, "verbose": 0, "callbacks": callbacks}
    history = model.fit(x, y, **fit).history
    history.pop("global_gradient_norm", None)
    variables = [*model.variables, *model.optimizer.variables]
    arrays = [np.array(keras.ops.convert_to_numpy(v)) for v in variables]
    return f"{kind}, {words}", arrays, history


def difference(seed):
    """Return what differs for a seed in words, or None."""
    words, plain, history = trained(seed, [])
    monitor = kd.callbacks.GradientNormMonitor(every=2)
    _, watched, seen = trained(seed, [monitor])
    if not len(monitor.record.steps):
        return f"{words}: nothing was measured"
    pairs = zip(plain, watched, strict=True)
    count = sum(one.tobytes() != other.tobytes() for one, other in pairs)
    if count or repr(history) != repr(seen):
        return f"{words}: {count} of {len(plain)} arrays differ; {history} / {seen}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", type=int, help="how many models to train")
    parser.add_argument("seed", type=int, help="seed of the first")
    parser.add_argument("--seconds", type=float, help="begin no model after so many")
    options = parser.parse_args()
    begin, done, different = time.monotonic(), 0, 0
    for seed in range(options.seed, options.seed + options.number):
        if options.seconds and time.monotonic() - begin > options.seconds:
            break
        found = difference(seed)
        done += 1
        if found:
            different += 1
            print(f"seed {seed}: {found}", flush=True)
    name = keras.backend.backend()
    print(f"{name}: {different} of {done} models differ, first seed {options.seed}")
    sys.exit(1 if different or not done else 0)


if __name__ == "__main__":
    main()
