"""Runs with known faults and known-healthy runs, made by injecting faults.

Each run is a family (data and a model that suits them), a fault or none, and a seed.
`FAULTS` says which names a diagnosis should give: causes and symptoms.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np
from sklearn import datasets

L = keras.layers


@dataclass
class Setup:
    """A run to be: data, a recipe for the model, and how it is trained."""

    x: np.ndarray
    y: np.ndarray
    val_x: np.ndarray
    val_y: np.ndarray
    task: str  # binary, classes, multi_label, values
    body: str = "mlp"
    width: int = 24
    depth: int = 2
    activation: str = "relu"
    initializer: Any = None
    normalize: bool = False
    dropout: float = 0.0
    l2: float = 0.0
    output: str | None = None  # activation of the output
    units: int = 1
    loss: Any = None
    optimizer: str = "adam"
    learning_rate: float = 3e-3
    momentum: float = 0.9
    batch_size: int = 32
    epochs: int = 25
    schedule: str | None = None
    pretrain: int = 0
    freeze: bool = False
    stop_early: bool = False
    bias: float = 0.0
    notes: dict[str, Any] = field(default_factory=dict)


# -- data ------------------------------------------------------------------------------


def _split(x, y, rng, share=0.3, rows=None):
    order = rng.permutation(len(x))[:rows]
    x, y = np.asarray(x, "float32")[order], np.asarray(y)[order]
    n = int(len(x) * (1 - share))
    return x[:n], y[:n], x[n:], y[n:]


def _standard(x):
    std = x.std(axis=0)
    return (x - x.mean(axis=0)) / np.where(std > 0, std, 1)


def _sequences(rng, n=400, length=12):
    x = rng.normal(size=(n, length, 2))
    return x, (x[:, :, 0].sum(axis=1) + 0.5 * x[:, -1, 1] > 0).astype(int)


def _waves(rng, n=400, length=16):
    kind = rng.integers(0, 3, n)
    t = np.arange(length)
    phase = rng.uniform(0, 6.28, (n, 1))
    x = np.sin(t * (0.4 + 0.5 * kind[:, None]) + phase) + 0.3 * rng.normal(
        size=(n, length)
    )
    return x[..., None], kind


def _tokens(rng, n=500, length=10, vocabulary=20):
    x = rng.integers(0, vocabulary, (n, length))
    return x, ((x < 5).sum(axis=1) > (x >= 15).sum(axis=1)).astype(int)


def _spots(rng, n=400):
    kind = rng.integers(0, 4, n)
    x = 0.3 * rng.normal(size=(n, 8, 8, 1))
    for i, k in enumerate(kind):
        r, c = rng.integers(0, 4, 2) + 4 * np.array([k // 2, k % 2])
        x[i, max(r - 1, 0) : r + 2, max(c - 1, 0) : c + 2, 0] += 1.5
    return x, kind


def _make(rng, name):
    seed = int(rng.integers(1 << 30))
    if name == "digits":
        d = datasets.load_digits()
        return d.data / 16 * 2 - 0.6, d.target, "classes", 700
    if name == "cancer":
        d = datasets.load_breast_cancer()
        return _standard(d.data), d.target, "binary", None
    if name == "wine":
        d = datasets.load_wine()
        return _standard(d.data), d.target, "classes", None
    if name == "iris":
        d = datasets.load_iris()
        return _standard(d.data), d.target, "classes", None
    if name == "diabetes":
        d = datasets.load_diabetes()
        return _standard(d.data), _standard(d.target), "values", None
    if name == "friedman":
        x, y = datasets.make_friedman1(500, noise=0.5, random_state=seed)
        return _standard(x), _standard(y), "values", None
    if name == "linear":
        x, y = datasets.make_regression(300, 8, noise=20, random_state=seed)
        return _standard(x), _standard(y), "values", None
    if name == "moons":
        x, y = datasets.make_moons(400, noise=0.2, random_state=seed)
        return _standard(x), y, "binary", None
    if name == "circles":
        x, y = datasets.make_circles(400, noise=0.1, factor=0.5, random_state=seed)
        return _standard(x), y, "binary", None
    if name == "blobs":
        x, y = datasets.make_blobs(500, centers=4, cluster_std=2.0, random_state=seed)
        return _standard(x), y, "classes", None
    if name == "imbalanced":
        x, y = datasets.make_classification(
            800,
            10,
            n_informative=5,
            weights=[0.93],
            random_state=seed,
            flip_y=0.01,
            class_sep=1.5,
        )
        return _standard(x), y, "binary", None
    if name == "noisy":
        x, y = datasets.make_classification(
            600, 8, n_informative=4, flip_y=0.3, random_state=seed
        )
        return _standard(x), y, "binary", None
    if name == "noisy_values":
        x = rng.normal(size=(600, 6))
        y = np.sin(x[:, 0]) + x[:, 1] + 1.5 * rng.normal(size=600)
        return x, _standard(y), "values", None
    if name == "labels":
        x, y = datasets.make_multilabel_classification(
            500, 12, n_classes=5, random_state=seed
        )
        return _standard(x), y, "multi_label", None
    if name == "small":
        x, y = datasets.make_moons(60, noise=0.1, random_state=seed)
        return _standard(x), y, "binary", None
    x, y = {
        "sequences": _sequences,
        "waves": _waves,
        "tokens": _tokens,
        "spots": _spots,
    }[name](rng)
    return x, y, "binary" if name in ("sequences", "tokens") else "classes", None


FAMILIES: dict[str, dict[str, Any]] = {
    "digits_mlp": {"data": "digits"},
    "digits_tanh_sgd": {
        "data": "digits",
        "activation": "tanh",
        "optimizer": "sgd",
        "learning_rate": 0.05,
    },
    "digits_bn": {"data": "digits", "normalize": True, "depth": 3},
    "digits_dropout": {"data": "digits", "dropout": 0.3, "width": 48},
    "digits_cnn": {"data": "digits", "body": "cnn", "width": 6},
    "digits_cnn_bn": {"data": "digits", "body": "cnn", "width": 6, "normalize": True},
    "spots_cnn": {"data": "spots", "body": "cnn", "width": 6},
    "cancer_mlp": {"data": "cancer", "epochs": 15},
    "cancer_converged": {
        "data": "cancer",
        "pretrain": 12,
        "epochs": 6,
        "learning_rate": 5e-4,
        "width": 8,
    },
    "wine_mlp": {"data": "wine", "epochs": 30},
    "iris_mlp": {"data": "iris", "learning_rate": 0.01, "epochs": 40},
    "diabetes_mlp": {"data": "diabetes", "width": 8, "depth": 1, "epochs": 15},
    "friedman_mlp": {"data": "friedman", "activation": "elu"},
    "friedman_rmsprop": {
        "data": "friedman",
        "optimizer": "rmsprop",
        "learning_rate": 1e-3,
        "epochs": 40,
    },
    "linear_linear": {"data": "linear", "depth": 0, "learning_rate": 0.03},
    "moons_mlp": {"data": "moons", "learning_rate": 0.01, "epochs": 40},
    "moons_converged": {
        "data": "moons",
        "learning_rate": 0.01,
        "pretrain": 40,
        "epochs": 20,
    },
    "circles_tanh": {"data": "circles", "activation": "tanh", "learning_rate": 0.01},
    "circles_deep": {
        "data": "circles",
        "activation": "relu",
        "depth": 6,
        "width": 12,
        "initializer": "he_normal",
    },
    "blobs_sgd": {"data": "blobs", "optimizer": "sgd", "learning_rate": 0.02},
    "blobs_schedule": {"data": "blobs", "schedule": "cosine", "learning_rate": 0.01},
    "imbalanced_mlp": {"data": "imbalanced", "width": 12, "epochs": 20},
    "noisy_mlp": {"data": "noisy", "width": 8, "depth": 1, "epochs": 15},
    "noisy_values": {"data": "noisy_values", "width": 8, "depth": 1, "epochs": 15},
    "labels_mlp": {"data": "labels", "epochs": 20, "width": 12},
    "small_mlp": {
        "data": "small",
        "learning_rate": 0.01,
        "width": 8,
        "epochs": 15,
        "batch_size": 8,
    },
    "small_stopped": {
        "data": "small",
        "learning_rate": 0.02,
        "epochs": 200,
        "batch_size": 8,
        "stop_early": True,
    },
    "sequences_lstm": {
        "data": "sequences",
        "body": "lstm",
        "width": 8,
        "learning_rate": 0.01,
        "epochs": 15,
    },
    "waves_gru": {
        "data": "waves",
        "body": "gru",
        "width": 8,
        "learning_rate": 0.01,
        "epochs": 20,
    },
    "sequences_attention": {
        "data": "sequences",
        "body": "attention",
        "width": 8,
        "learning_rate": 5e-3,
    },
    "tokens_attention": {
        "data": "tokens",
        "body": "embedding",
        "width": 8,
        "learning_rate": 0.01,
        "epochs": 20,
    },
    "digits_fine_tuned": {
        "data": "digits",
        "pretrain": 15,
        "freeze": True,
        "learning_rate": 1e-3,
        "epochs": 10,
    },
    "digits_residual": {"data": "digits", "body": "residual", "depth": 5, "width": 24},
    "digits_sgd_one": {
        "data": "digits",
        "optimizer": "sgd",
        "learning_rate": 0.01,
        "momentum": 0.0,
        "batch_size": 4,
        "epochs": 12,
    },
    "digits_short": {"data": "digits", "epochs": 6, "learning_rate": 5e-3},
    "friedman_l2": {"data": "friedman", "l2": 1e-4},
    "digits_full_batch": {
        "data": "digits",
        "batch_size": 490,
        "learning_rate": 0.02,
        "epochs": 60,
    },
}


def family(name: str, seed: int) -> Setup:
    """Return the healthy setup of a family."""
    keys = dict(FAMILIES[name])
    index = sorted(FAMILIES).index(name)
    rng = np.random.default_rng([index, seed])
    x, y, task, rows = _make(rng, keys.pop("data"))
    if keys.get("body") in ("cnn",) and x.ndim == 2:
        x = x.reshape(-1, 8, 8, 1)
    x, y, val_x, val_y = _split(x, y, rng, rows=rows)
    if keys.get("body") == "embedding":
        x, val_x = x.astype("int32"), val_x.astype("int32")
    units = {"classes": int(np.max(y)) + 1, "multi_label": y.shape[-1]}.get(task, 1)
    return Setup(x, y, val_x, val_y, task, units=units, **keys)


# -- models ----------------------------------------------------------------------------

OUTPUT = {
    "binary": "sigmoid",
    "classes": "softmax",
    "multi_label": "sigmoid",
    "values": "linear",
}
LOSS = {
    "binary": "binary_crossentropy",
    "classes": "sparse_categorical_crossentropy",
    "multi_label": "binary_crossentropy",
    "values": "mse",
}


def build(setup: Setup) -> Any:
    """Build and compile the model of a setup."""
    s = setup
    given = {} if s.initializer is None else {"kernel_initializer": s.initializer}
    if s.l2:
        given["kernel_regularizer"] = keras.regularizers.L2(s.l2)
    inputs = keras.Input(s.x.shape[1:], dtype=str(s.x.dtype))
    h = inputs
    act = None if s.normalize else s.activation

    def after(h):
        if s.normalize:
            h = L.Activation(s.activation)(L.BatchNormalization()(h))
        return L.Dropout(s.dropout)(h) if s.dropout else h

    if s.body == "cnn":
        h = after(L.Conv2D(s.width, 3, padding="same", activation=act, **given)(h))
        h = L.MaxPooling2D()(h)
        for _ in range(max(1, s.depth - 1)):
            h = after(
                L.Conv2D(2 * s.width, 3, padding="same", activation=act, **given)(h)
            )
        h = L.Flatten()(h)
    elif s.body in ("lstm", "gru"):
        h = (L.LSTM if s.body == "lstm" else L.GRU)(s.width)(h)
        for _ in range(s.depth - 2):
            h = after(L.Dense(s.width, act, **given)(h))
    elif s.body in ("attention", "embedding"):
        h = (
            L.Embedding(20, s.width)(h)
            if s.body == "embedding"
            else L.Dense(s.width)(h)
        )
        a = L.MultiHeadAttention(2, s.width // 2)(h, h)
        h = L.LayerNormalization()(L.Add()([h, a]))
        h = L.GlobalAveragePooling1D()(L.Dense(s.width, act, **given)(h))
        for _ in range(s.depth - 2):
            h = after(L.Dense(s.width, act, **given)(h))
    elif s.body == "residual":
        h = L.Dense(s.width)(h)
        for _ in range(s.depth):
            h = L.Add()([h, L.Dense(s.width, s.activation, **given)(h)])
    else:
        for _ in range(s.depth):
            h = L.Dense(
                s.width,
                act,
                bias_initializer=keras.initializers.Constant(s.bias),
                **given,
            )(h)
            h = after(h)
    output = OUTPUT[s.task] if s.output is None else s.output
    h = L.Dense(s.units, output, **given)(h)
    model = keras.Model(inputs, h)
    compile_model(model, s)
    return model


def compile_model(model: Any, s: Setup) -> None:
    """Compile a model as a setup says."""
    rate = s.learning_rate
    if s.schedule == "cosine":
        steps = s.epochs * (-(-len(s.x) // s.batch_size))
        rate = keras.optimizers.schedules.CosineDecay(
            0.1 * rate, steps, warmup_target=rate, warmup_steps=steps // 10
        )
    optimizer = {
        "adam": lambda: keras.optimizers.Adam(rate),
        "rmsprop": lambda: keras.optimizers.RMSprop(rate),
        "sgd": lambda: keras.optimizers.SGD(rate, momentum=s.momentum),
    }[s.optimizer]()
    loss = LOSS[s.task] if s.loss is None else s.loss
    metrics = (
        ["accuracy"] if s.task in ("binary", "classes") and not callable(loss) else []
    )
    model.compile(optimizer=optimizer, loss=loss, metrics=metrics, jit_compile=False)


def train(setup: Setup, seed: int, doctor: Any) -> Any:
    """Train the model of a setup, watched by a callback; returns the model."""
    s = setup
    keras.utils.set_random_seed(seed)
    model = build(s)
    if s.pretrain:
        model.fit(s.x, s.y, batch_size=s.batch_size, epochs=s.pretrain, verbose=0)
    if s.freeze:
        for layer in model.layers[:-1]:
            layer.trainable = False
        compile_model(model, s)
    callbacks = [doctor]
    if s.stop_early:
        callbacks.append(
            keras.callbacks.EarlyStopping(patience=10, restore_best_weights=True)
        )
    validation = (s.val_x, s.val_y) if len(s.val_x) else None
    model.fit(
        s.x,
        s.y,
        validation_data=validation,
        batch_size=s.batch_size,
        epochs=s.epochs,
        verbose=0,
        callbacks=callbacks,
    )
    return model


# -- faults ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Fault:
    """A fault: how to inject it, and what a diagnosis should call it.

    Attributes:
        inject: Given a setup and a generator, the faulty setup, or None if it does not
            apply to the family.
        causes: Names, any of which is the root.
        symptoms: Names, any of which tells what can be seen.
    """

    inject: Any
    causes: tuple[str, ...]
    symptoms: tuple[str, ...]


STUCK = ("plateau", "constant_predictions", "underfitting", "slow_convergence")
BLOWN = (
    "non_finite_values",
    "exploding_gradients",
    "diverging_loss",
    "dead_units",
    "saturated_units",
    "oscillating_loss",
    *STUCK,
)


def _dense(s):
    return s.body in ("mlp", "cnn") and s.depth > 0 and not s.pretrain


def _rate_high(s, rng):
    if s.pretrain or s.schedule:
        return None
    factor = 10 ** rng.uniform(1.5, 2.5)
    return replace(s, learning_rate=s.learning_rate * factor)


def _rate_low(s, rng):
    if s.pretrain:
        return None
    return replace(
        s, learning_rate=s.learning_rate * 10 ** rng.uniform(-4.5, -3), schedule=None
    )


def _softmax_one(s, rng):
    if s.task != "binary":
        return None
    return replace(
        s, output="softmax", loss=str(rng.choice(["binary_crossentropy", "mse"]))
    )


def _wrong_range(s, rng):
    if s.task != "values":
        return None
    if rng.random() < 0.5:
        return replace(s, output="sigmoid", y=5 * s.y + 20, val_y=5 * s.val_y + 20)
    return replace(s, output="relu", y=s.y - 2, val_y=s.val_y - 2)


def _logits(s, rng):
    if s.task not in ("binary", "classes"):
        return None
    return replace(s, output="linear", loss=LOSS[s.task])


def _twice(s, rng):
    if s.task == "classes":
        return replace(
            s, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        )
    return None


def _raw_inputs(s, rng):
    if (
        s.x.dtype.kind != "f"
        or s.normalize
        or s.pretrain
        or s.body not in ("mlp", "cnn")
    ):
        return None
    factor = 10 ** rng.uniform(2, 3.5)
    shift = rng.uniform(2, 10)
    return replace(s, x=(s.x + shift) * factor, val_x=(s.val_x + shift) * factor)


def _raw_targets(s, rng):
    if s.task != "values":
        return None
    factor, shift = 10 ** rng.uniform(2.5, 4), rng.uniform(0, 5)
    return replace(s, y=(s.y + shift) * factor, val_y=(s.val_y + shift) * factor)


def _zeros(s, rng):
    return replace(s, initializer="zeros") if _dense(s) else None


def _huge(s, rng):
    if not _dense(s) or s.normalize:
        return None
    law = keras.initializers.RandomNormal(stddev=rng.uniform(3, 8), seed=1)
    return replace(s, initializer=law, activation="tanh")


def _tiny(s, rng):
    if not _dense(s) or s.normalize or s.body != "mlp":
        return None
    law = keras.initializers.RandomNormal(stddev=1e-3, seed=1)
    return replace(
        s,
        initializer=law,
        depth=max(6, s.depth),
        activation="tanh",
        optimizer="sgd",
        learning_rate=0.01,
    )


def _deep_sigmoid(s, rng):
    if not _dense(s) or s.body != "mlp" or s.normalize:
        return None
    return replace(s, depth=int(rng.integers(8, 13)), activation="sigmoid")


def _dead(s, rng):
    if not _dense(s) or s.body != "mlp" or s.normalize:
        return None
    return replace(s, activation="relu", bias=-float(rng.uniform(6, 12)))


def _overfit(s, rng):
    if s.pretrain or s.body not in ("mlp", "cnn") or s.depth == 0:
        return None
    n = 40
    y = s.y
    if s.task in ("binary", "classes"):
        wrong = rng.random(n) < 0.2
        y = y.copy()
        y[:n][wrong] = rng.permutation(y[:n][wrong])
    return replace(
        s,
        x=s.x[:n],
        y=y[:n],
        width=128 if s.body == "mlp" else 32,
        depth=3,
        dropout=0,
        l2=0,
        epochs=150,
        batch_size=16,
        optimizer="adam",
        learning_rate=2e-3,
        schedule=None,
        stop_early=False,
    )


def _no_bend(s, rng):
    if s.depth == 0 or s.body != "mlp" or s.pretrain:
        return None
    return replace(s, activation="linear", notes={"only": ("circles",)})


def _few_updates(s, rng):
    if s.pretrain or s.normalize:
        return None
    return replace(
        s,
        batch_size=len(s.x),
        epochs=int(rng.integers(2, 4)),
        learning_rate=min(s.learning_rate, 1e-3),
        stop_early=False,
    )


def _large_batch(s, rng):
    if s.pretrain or s.normalize or len(s.x) < 200:
        return None
    return replace(
        s, batch_size=len(s.x), optimizer="sgd", learning_rate=0.003, schedule=None
    )


def _one_sample(s, rng):
    if s.pretrain or s.body not in ("mlp",) or s.normalize or s.depth == 0:
        return None
    return replace(
        s,
        batch_size=1,
        optimizer="sgd",
        momentum=0.9,
        learning_rate=0.03,
        schedule=None,
        epochs=12,
        x=s.x[:120],
        y=s.y[:120],
    )


def _norm_small(s, rng):
    if s.body not in ("mlp", "cnn") or s.pretrain:
        return None
    return replace(
        s,
        normalize=True,
        batch_size=int(rng.integers(1, 3)),
        x=s.x[:200],
        y=s.y[:200],
        epochs=10,
    )


def _strong_l2(s, rng):
    if s.pretrain or s.depth == 0 or s.body not in ("mlp", "cnn"):
        return None
    return replace(s, l2=10 ** rng.uniform(0, 1))


def _strong_dropout(s, rng):
    if s.pretrain or s.depth == 0 or s.body not in ("mlp", "cnn") or s.normalize:
        return None
    return replace(s, dropout=rng.uniform(0.9, 0.97))


def _constant_y(s, rng):
    return replace(s, y=np.broadcast_to(s.y[:1], s.y.shape).copy())


def _nan_x(s, rng):
    if s.x.dtype.kind != "f":
        return None
    x = s.x.copy()
    x.reshape(-1)[rng.integers(0, x.size, 3)] = np.nan
    return replace(s, x=x)


def _overlap(s, rng):
    if len(s.x) < 150:
        return None
    n = len(s.val_x) // 2
    return replace(
        s,
        val_x=np.concatenate([s.val_x[:n], s.x[:n]]),
        val_y=np.concatenate([s.val_y[:n], s.y[:n]]),
    )


def _sorted(s, rng):
    if s.task != "classes":
        return None
    x, y = np.concatenate([s.x, s.val_x]), np.concatenate([s.y, s.val_y])
    order = np.argsort(y, kind="stable")
    n = int(0.7 * len(x))
    x, y = x[order], y[order]
    return replace(s, x=x[:n], y=y[:n], val_x=x[n:], val_y=y[n:])


def _constant_x(s, rng):
    if s.x.dtype.kind != "f":
        return None
    return replace(s, x=np.zeros_like(s.x) + 1)


def _shift_val(s, rng):
    if s.x.dtype.kind != "f" or s.pretrain:
        return None
    return replace(s, val_x=s.val_x * 50 + 100)


FAULTS: dict[str, Fault] = {
    "rate_high": Fault(_rate_high, ("learning_rate_too_high",), BLOWN),
    "rate_low": Fault(_rate_low, ("learning_rate_too_low",), STUCK),
    "softmax_one": Fault(_softmax_one, ("output_activation_mismatch",), STUCK),
    "wrong_range": Fault(_wrong_range, ("output_activation_mismatch",), STUCK),
    "logits": Fault(
        _logits,
        ("output_activation_mismatch", "loss_target_mismatch"),
        (*BLOWN, "vanishing_gradients"),
    ),
    "twice": Fault(
        _twice, ("output_activation_mismatch", "loss_target_mismatch"), STUCK
    ),
    "raw_inputs": Fault(_raw_inputs, ("unscaled_inputs",), BLOWN),
    "raw_targets": Fault(_raw_targets, ("unscaled_targets",), BLOWN),
    "zeros": Fault(
        _zeros, ("poor_initialization",), (*STUCK, "dead_units", "vanishing_gradients")
    ),
    "huge": Fault(
        _huge,
        ("poor_initialization",),
        (*STUCK, "saturated_units", "vanishing_gradients", "overfitting"),
    ),
    "tiny": Fault(_tiny, ("poor_initialization",), (*STUCK, "vanishing_gradients")),
    "deep_sigmoid": Fault(
        _deep_sigmoid,
        ("saturating_activations", "vanishing_gradients"),
        ("vanishing_gradients",),
    ),
    "dead": Fault(_dead, ("poor_initialization", "dead_units"), ("dead_units",)),
    "overfit": Fault(_overfit, ("model_too_large", "overfitting"), ("overfitting",)),
    "no_bend": Fault(_no_bend, ("missing_nonlinearity",), STUCK),
    "few_updates": Fault(
        _few_updates,
        ("too_few_updates", "batch_size_too_large", "learning_rate_too_low"),
        STUCK,
    ),
    "large_batch": Fault(
        _large_batch,
        ("batch_size_too_large", "too_few_updates", "learning_rate_too_low"),
        STUCK,
    ),
    "one_sample": Fault(
        _one_sample, ("batch_size_too_small", "learning_rate_too_high"), BLOWN
    ),
    "norm_small": Fault(
        _norm_small, ("normalization_small_batch",), (*BLOWN, "overfitting")
    ),
    "strong_l2": Fault(_strong_l2, ("regularization_too_strong",), STUCK),
    "strong_dropout": Fault(_strong_dropout, ("regularization_too_strong",), STUCK),
    "constant_y": Fault(_constant_y, ("constant_targets",), ("constant_predictions",)),
    "nan_x": Fault(_nan_x, ("non_finite_data",), ("non_finite_values",)),
    "overlap": Fault(_overlap, ("train_validation_overlap",), ()),
    "sorted": Fault(_sorted, ("unrepresentative_validation",), ("overfitting",)),
    "constant_x": Fault(_constant_x, ("constant_inputs",), STUCK),
    "shift_val": Fault(_shift_val, ("unrepresentative_validation",), ("overfitting",)),
}
