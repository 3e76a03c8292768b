"""Sealed programs whose layers do something else than they seem to."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


class PerDegree:
    """A dense layer for each number of neighbors, made when it is first needed."""

    def __init__(self, width):
        self.width, self.made = width, {}

    def __call__(self, degree):
        if degree not in self.made:
            self.made[degree] = L.Dense(self.width, activation="relu")
        return self.made[degree]


class GraphHidden(L.Layer):
    """Sum over an atom and its neighbors, then the layer of its degree."""

    def __init__(self, width, tracked, degrees=4, **kwargs):
        super().__init__(**kwargs)
        self.inner, self.degrees = PerDegree(width), degrees
        if tracked:
            self.layers = [self.inner(d) for d in range(degrees)]

    def build(self, atoms_shape, bonds_shape):
        for d in range(self.degrees):
            self.inner(d).build(atoms_shape)

    def call(self, atoms, bonds):
        around = atoms + ops.matmul(bonds, atoms)
        degree = ops.clip(ops.sum(bonds, axis=-1), 0, self.degrees - 1)
        out = 0.0
        for d in range(self.degrees):
            chosen = ops.cast(ops.equal(degree, d), atoms.dtype)
            out = out + chosen[..., None] * self.inner(d)(around)
        return out


def molecules(n, seed):
    """Return atoms, bonds of rings with a branch, and a property of the whole."""
    rng = np.random.default_rng(seed)
    atoms = rng.normal(size=(n, 7, 4)).astype("float32")
    bonds = np.zeros((n, 7, 7), "float32")
    for graph in bonds:
        order = rng.permutation(7)
        ring = order[: rng.integers(4, 7)]
        pairs = list(zip(ring, np.roll(ring, 1), strict=True))
        pairs += [(atom, rng.choice(ring)) for atom in order[len(ring) :]]
        for a, b in pairs:
            graph[a, b] = graph[b, a] = 1
    around = atoms + bonds @ atoms
    y = np.maximum(around[..., 0] - around[..., 1], 0) + np.abs(around[..., 2])
    y = y.sum(1, keepdims=True)
    return atoms, bonds, ((y - y.mean()) / y.std()).astype("float32")


@program(
    kind="layers that nobody tracks",
    family="graph fingerprints",
    half="sealed",
    address="https://github.com/keiserlab/keras-neural-graph-fingerprint/issues/2",
    symptom="the inner dense layers have weights, but they do not learn",
    cause="they are kept where the layer around them does not see them",
    truth=("frozen_layers",),
    also=(*STUCK, "model_too_small", "unknown_cause"),
)
def fingerprints_that_stay(repaired):
    atoms, bonds, y = molecules(640, seed=1021)
    inputs = keras.Input((7, 4)), keras.Input((7, 7))
    h = GraphHidden(12, repaired)(*inputs)
    h = GraphHidden(12, repaired)(h, inputs[1])
    h = L.Dense(16, activation="tanh")(ops.sum(h, axis=1) / 7)
    model = keras.Model(inputs, L.Dense(1)(h))
    model.compile(keras.optimizers.Adam(0.005), "mse")
    new = (atoms[450:], bonds[450:])
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, y[450:])}
    score = scores.variance(new, y[450:])
    return Fit(model, (atoms[:450], bonds[:450]), y[:450], score, options)


class BasicConv2d(L.Layer):
    """Convolution, normalization and, in between the lines, a ReLU."""

    def __init__(self, filters, complete, **kwargs):
        super().__init__(**kwargs)
        self.conv = L.Conv2D(filters, 3, padding="same", use_bias=False)
        self.bn = L.BatchNormalization(momentum=0.9)
        self.relu = L.ReLU()
        self.complete = complete

    def call(self, x, training=None):
        x = self.bn(self.conv(x), training=training)
        return self.relu(x) if self.complete else x


def textures(n, seed, size=16):
    """Return pictures in which a disc is rough, not brighter, and its mask."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:size, :size]
    center = rng.uniform(4, size - 4, (n, 2, 1, 1))
    radius = rng.uniform(2.5, 4.5, (n, 1, 1))
    masks = np.hypot(row - center[:, 0], column - center[:, 1]) < radius
    x = rng.normal(size=(n, size, size)) * np.where(masks, 1.0, 0.2)
    return x[..., None].astype("float32"), masks[..., None].astype("float32")


@program(
    kind="no activation",
    family="polyp segmentation",
    half="sealed",
    address="https://github.com/DengPingFan/PraNet/issues/16",
    symptom="the block makes a ReLU and never uses it in the forward pass",
    cause="all convolutions follow each other without an activation",
    truth=("missing_nonlinearity",),
    also=(*STUCK, "model_too_small"),
)
def relu_made_but_not_called(repaired):
    x, masks = textures(420, seed=1022)
    inputs = keras.Input((16, 16, 1))
    h = inputs
    for filters in (12, 12, 12):
        h = BasicConv2d(filters, repaired)(h)
    model = keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(h))
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    held_out = (x[300:], masks[300:])
    options = {"epochs": 14, "batch_size": 16, "validation_data": held_out}
    return Fit(model, x[:300], masks[:300], scores.overlap(*held_out), options)


@program(
    kind="softmax inside the network",
    family="stacked autoencoder",
    half="sealed",
    address="https://github.com/rajarsheem/libsdae-autoencoder-tensorflow/issues/3",
    symptom="with cross-entropy it does not converge, whatever the parameters",
    cause="the hidden layers are softmax layers, which hardly let anything through",
    truth=("saturating_activations",),
    also=(*STUCK, "vanishing_gradients", "dead_units", "model_too_small"),
)
def codes_that_sum_to_one(repaired):
    x, _, new, _ = data.digits(700)
    noisy = x + 0.2 * np.random.default_rng(1023).normal(size=x.shape)
    noisy = noisy.astype("float32").reshape(-1, 64)
    x, new = x.reshape(-1, 64), new.reshape(-1, 64)
    hidden = "relu" if repaired else "softmax"
    model = keras.Sequential([keras.Input((64,))])
    model.add(L.Dense(48, activation=hidden))
    model.add(L.Dense(24, activation=hidden))
    model.add(L.Dense(48, activation=hidden))
    model.add(L.Dense(64, activation="sigmoid"))
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["mse"])
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new)}
    return Fit(model, noisy, x, scores.variance(new, new), options)


@program(
    kind="moving averages stand still",
    family="convolutions over sensors",
    half="sealed",
    address="https://github.com/Cadene/pretrained-models.pytorch/issues/5",
    symptom="a large discrepancy between training and evaluation",
    cause="the momentum keeps the moving averages from ever being updated",
    truth=("normalization_lag",),
    also=("overfitting", "foreign_statistics", "oscillating_loss", "diverging_loss"),
)
def momentum_of_one(repaired):
    x, y = data.gestures(560, length=20, classes=5, seed=1024, noise=0.4)
    x = x * np.array([2.0, 0.5, 1.0], "float32") + np.array([1, 0, -1], "float32")
    x, y, new, new_y = data.split(x, y)
    inputs = keras.Input((20, 3))
    h = inputs
    for filters in (16, 24):
        h = L.Conv1D(filters, 3, use_bias=False)(h)
        h = L.BatchNormalization(epsilon=0.001, momentum=0.9 if repaired else 1.0)(h)
        h = L.Activation("relu")(h)
    h = L.GlobalAveragePooling1D()(h)
    h = L.Dropout(0.2)(h)
    model = keras.Model(inputs, L.Dense(5, activation="softmax")(h))
    model.compile(keras.optimizers.Adam(0.005), CROSS, metrics=["accuracy"])
    options = {"epochs": 18, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class PhysicsGuided(keras.Model):
    """A power curve that must not fall where the wind grows."""

    def __init__(self, right_way, **kwargs):
        super().__init__(**kwargs)
        self.hidden = [L.Dense(32, activation="relu") for _ in range(2)]
        self.dropout = [L.Dropout(0.25) for _ in range(2)]
        self.out = L.Dense(1)
        self.right_way = right_way

    def call(self, x, training=False):
        on = training if self.right_way else not training
        for dense, dropout in zip(self.hidden, self.dropout, strict=True):
            x = dropout(dense(x), training=on)
        return self.out(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **kwargs):
        loss = super().compute_loss(x, y, y_pred, sample_weight, **kwargs)
        wind = ops.convert_to_tensor([[0.2, 0.0, 0.0, 0.0]], "float32")
        more = self(x + wind, training=kwargs.get("training", True))
        return loss + 0.1 * ops.mean(ops.relu(y_pred - more))


@program(
    kind="dropout the wrong way round",
    family="physics-guided regression",
    half="sealed",
    address="https://github.com/NatLabRockies/phygnn/pull/18",
    symptom="nothing is dropped in training, only in validation and predictions",
    cause="the flag that tells training from prediction is negated",
    truth=("random_at_inference",),
    also=("overfitting", "misplaced_dropout", "oscillating_loss"),
)
def drops_only_when_predicting(repaired):
    rng = np.random.default_rng(1025)
    x = rng.normal(size=(720, 4)).astype("float32")
    y = 2 / (1 + np.exp(-2 * x[:, :1])) * (1 + 0.4 * np.tanh(x[:, 1:2]))
    y = y + 0.3 * np.sin(2 * x[:, 2:3]) + 0.15 * rng.normal(size=(720, 1))
    y = ((y - y.mean()) / y.std()).astype("float32")
    x, y, new, new_y = data.split(x, y)
    model = PhysicsGuided(repaired)
    model.compile(keras.optimizers.Adam(0.005), "mse", metrics=["mae"])
    options = {"epochs": 18, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


class FullyConvolutional(keras.Model):
    """Convolutions and normalizations that get `training` from outside."""

    def __init__(self, always_training, **kwargs):
        super().__init__(**kwargs)
        self.conv = [
            L.Conv2D(n, 3, padding="same", use_bias=False) for n in (12, 16, 16)
        ]
        self.norm = [L.BatchNormalization(momentum=0.9) for _ in self.conv]
        self.out = L.Conv2D(1, 1, activation="sigmoid")
        self.always_training = always_training

    def call(self, x, training=False):
        training = training or self.always_training
        for conv, norm in zip(self.conv, self.norm, strict=True):
            x = ops.relu(norm(conv(x), training=training))
        return self.out(x)


def frame_by_frame(frames, masks):
    """Return intersection over union where each frame is predicted on its own."""

    def score(model, history):
        found = model.predict(frames, batch_size=1, verbose=0) > 0.5
        true = masks > 0.5
        return float((found & true).sum() / max((found | true).sum(), 1))

    return score


@program(
    kind="statistics of the batch in prediction",
    family="road in camera frames",
    half="sealed",
    address="https://github.com/leonardoaraujosantos/LearnSegmentation/issues/2",
    symptom="the masks are good in training and bad in the notebook that predicts",
    cause="the normalization gets `training=True` in prediction too",
    truth=("rows_mixed",),
    also=("normalization_small_batch", "overfitting"),
    margin=0.05,
)
def always_training(repaired):
    x, kind, masks = data.shapes(480, seed=1026)
    empty = kind == 0  # only discs count
    masks[empty] = 0
    x, masks, new, new_masks = data.split(x, masks)
    model = FullyConvolutional(always_training=not repaired)
    model.compile(
        keras.optimizers.Adam(0.006), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 14, "batch_size": 16, "validation_data": (new, new_masks)}
    return Fit(model, x, masks, frame_by_frame(new[:100], new_masks[:100]), options)


class AttentionOverFacts(keras.Model):
    """Look up the value of the fact that the question asks for."""

    def __init__(self, keys, axis, width=12, **kwargs):
        super().__init__(**kwargs)
        self.asked = L.Embedding(keys, width)
        self.known = L.Embedding(keys, width)
        self.out = L.Dense(1)
        self.axis = axis

    def call(self, inputs):
        question, keys, values = inputs["question"], inputs["keys"], inputs["values"]
        match = ops.sum(self.asked(question) * self.known(keys), axis=-1)
        weight = ops.exp(ops.clip(match, -8.0, 8.0))
        weight = weight / (ops.sum(weight, axis=self.axis, keepdims=True) + 1e-6)
        return self.out(ops.sum(weight * values, axis=1, keepdims=True))


@program(
    kind="normalized over the batch",
    family="attention over facts",
    half="sealed",
    address="https://github.com/allenai/deep_qa/pull/152",
    symptom="the probabilities of an instance do not sum to one",
    cause="the sum of the normalization runs over the whole batch",
    truth=("rows_mixed", "wrong_axis"),
    also=(*STUCK, "overfitting"),
)
def normalized_over_all(repaired):
    rng = np.random.default_rng(1027)
    n, facts = 900, 6
    keys = np.argsort(rng.random((n, 10)), axis=1)[:, :facts].astype("int32")
    values = rng.normal(size=(n, facts)).astype("float32")
    place = rng.integers(0, facts, n)
    rows = np.arange(n)
    question = keys[rows, place][:, None]
    y = values[rows, place][:, None] + 0.2 * rng.normal(size=(n, 1))
    y = y.astype("float32")
    table = {"question": question, "keys": keys, "values": values}
    x, new = ({k: v[s] for k, v in table.items()} for s in (rows[:650], rows[650:]))
    model = AttentionOverFacts(10, 1 if repaired else None)
    model.compile(keras.optimizers.Adam(0.02), "mse", metrics=["mae"])
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, y[650:])}

    def one_at_a_time(model, history):
        out = model.predict(new, batch_size=1, verbose=0)
        return scores.explained(out, y[650:])

    return Fit(model, x, y[:650], one_at_a_time, options)


@program(
    kind="state of other rows",
    family="counts along a sequence",
    half="sealed",
    address="https://github.com/keras-team/keras/issues/1870",
    symptom="stateful: training gets better, the test gets very bad; without: good",
    cause="each batch goes on from the state of rows it has nothing to do with",
    truth=("state_carried_over",),
    also=(*STUCK, "random_at_inference", "rows_mixed", "overfitting", "unknown_cause"),
    backends=("tensorflow",),  # the others do not carry the state, or fail
)
def state_of_strangers(repaired):
    rng = np.random.default_rng(1028)
    used = np.arange(8)[None, :, None] < rng.integers(2, 9, (800, 1, 1))
    x = (rng.normal(size=(800, 8, 2)) * used).astype("float32")
    y = (x[..., 0] + 0.5 * np.abs(x[..., 1])).sum(1, keepdims=True)
    y = ((y - y.mean()) / y.std() + 0.1 * rng.normal(size=y.shape)).astype("float32")
    x, new, y, new_y = x[:640], x[640:], y[:640], y[640:]
    inputs = keras.Input(batch_shape=(16, 8, 2))
    h = L.GRU(16, stateful=not repaired)(L.Masking()(inputs))
    model = keras.Model(inputs, L.Dense(1)(h))
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    options = {"epochs": 14, "batch_size": 16, "validation_data": (new, new_y)}
    options["validation_batch_size"] = 16

    def score(model, history):
        return scores.explained(model.predict(new, batch_size=16, verbose=0), new_y)

    return Fit(model, x, y, score, options)


@program(
    kind="noise drowns the pictures",
    family="hardened classifier",
    half="sealed",
    address="https://github.com/Trusted-AI/adversarial-robustness-toolbox/issues/20",
    symptom="the accuracy is lower than with clean training data",
    cause="noise of a deviation of 1 is added to pictures from 0 to 1",
    truth=("regularization_too_strong",),
    also=(*STUCK, "unrepresentative_validation"),
)
def noise_of_one(repaired):
    x, kind, _ = data.shapes(620, seed=1029)
    x, kind, new, new_kind = data.split(x, kind)
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            L.GaussianNoise(0.05 if repaired else 1.0),
            L.Conv2D(12, 5, activation="relu"),
            L.MaxPooling2D(),
            L.Conv2D(16, 3, activation="relu"),
            L.GlobalMaxPooling2D(),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.006), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 16, "batch_size": 32, "validation_data": (new, new_kind)}
    return Fit(model, x, kind, scores.accuracy(new, new_kind), options)


def to_the_sphere(x):
    """Return vectors of length one, and zero for zero."""
    square = ops.sum(ops.square(x), axis=-1, keepdims=True)
    return x * ops.rsqrt(ops.maximum(square, 1e-6))


@program(
    kind="length of a vector of zeros",
    family="queries and pages",
    half="sealed",
    address="https://github.com/keras-team/keras/issues/23075",
    symptom="NaN gradients for zero vectors, in spite of the epsilon",
    cause="a query without known words is a vector of zeros, which is normalized",
    truth=("non_finite_operation", "non_finite_start"),
    also=(*STUCK, *BLOWN_UP, "non_finite_weights", "collapsed_embeddings"),
    backends=("torch", "jax"),  # TensorFlow's gradient is finite
)
def query_without_known_words(repaired):
    rng = np.random.default_rng(1030)
    n, topics = 1000, 8
    topic, other = rng.integers(0, topics, (2, n))
    same = rng.random(n) < 0.5
    about = np.where(same, topic, other)

    def counts(topic, used):
        own = rng.random((n, 40)) < 0.01
        own |= (np.arange(40) // 5 == topic[:, None]) & (rng.random((n, 40)) < used)
        return own.astype("float32")

    query, page = counts(topic, 0.6), counts(about, 0.7)
    query[5::80] = 0
    y = (topic == about).astype("float32")[:, None]
    inputs = keras.Input((40,), name="query"), keras.Input((40,), name="page")
    length = to_the_sphere if repaired else ops.normalize
    towers = [length(L.Dense(8, use_bias=False)(part)) for part in inputs]
    likeness = ops.sum(towers[0] * towers[1], axis=-1, keepdims=True)
    model = keras.Model(inputs, L.Dense(1)(likeness))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    hits = keras.metrics.BinaryAccuracy(threshold=0.0)
    model.compile(keras.optimizers.Adam(0.02), loss, metrics=[hits])
    new = (query[700:], page[700:])
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, y[700:])}
    score = scores.balanced(new, y[700:], threshold=0.0)
    return Fit(model, (query[:700], page[:700]), y[:700], score, options)
