"""Blind programs whose output, loss, metric or terms of the loss do not suit."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


def documents(n, seed):
    """Return counts of 40 words in documents, and which of six tags they have."""
    rng = np.random.default_rng(seed)
    tags = rng.random((n, 6)) < 0.35
    rate = 0.25 * np.ones((n, 40))
    for tag in range(6):
        rate[:, 5 * tag : 5 * tag + 5] += 1.2 * tags[:, tag, None]
    counts = rng.poisson(rate)
    return np.log1p(counts).astype("float32"), tags.astype("float32")


@program(
    kind="softmax for several labels",
    family="tags of documents",
    half="blind",
    address="https://stackoverflow.com/questions/44164749/how-does-keras-handle-multilabel-classification",
    symptom="no error is raised, and documents with several tags get one at best",
    cause="softmax and categorical cross-entropy let the tags compete",
    truth=("output_activation_mismatch", "loss_target_mismatch"),
    also=(*STUCK, *BLOWN_UP, "metric_mismatch"),
)
def tags_that_compete(repaired):
    x, y = documents(720, seed=1221)
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential()
    model.add(keras.Input((40,)))
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dropout(0.1))
    model.add(L.Dense(6, activation="sigmoid" if repaired else "softmax"))
    loss = "binary_crossentropy" if repaired else "categorical_crossentropy"
    model.compile(loss=loss, optimizer=keras.optimizers.Adam(0.004))

    def score(model, history):
        found = scores.predicted(model, new) > 0.5
        hits = (found & (new_y > 0.5)).sum()
        return float(2 * hits / (found.sum() + new_y.sum()))

    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


@program(
    kind="metric of another task",
    family="text classifier",
    half="blind",
    address="https://intellipaat.com/community/17161/keras-model-evaluate-vs-model-predict-accuracy-difference-in-multi-class-nlp-task",
    symptom="evaluate gives an accuracy of 98 %, 83 % of the classes are right",
    cause="the accuracy is counted by column, and nearly all columns are zero",
    truth=("metric_mismatch",),
    also=("output_activation_mismatch", "loss_target_mismatch"),
)
def accuracy_of_columns(repaired):
    rng = np.random.default_rng(1222)
    topic = rng.integers(0, 12, 760)
    x = rng.integers(37, 80, (760, 12))
    own = rng.random(x.shape) < 0.1
    x[own] = (3 * topic[:, None] + rng.integers(1, 4, x.shape))[own]
    x, y, new, new_y = data.split(x.astype("int32"), topic)
    inputs = keras.Input((12,), dtype="int32")
    h = L.Embedding(80, 24)(inputs)
    h = L.GlobalAveragePooling1D()(h)
    h = L.Dropout(0.2)(h)
    model = keras.Model(inputs, L.Dense(12, activation="softmax")(h))
    metric = "categorical_accuracy" if repaired else "binary_accuracy"
    model.compile(
        keras.optimizers.Adam(0.02), "categorical_crossentropy", metrics=[metric]
    )
    held_out = (new, data.groups(new_y, 12))
    score = scores.honesty(f"val_{metric}", scores.right(new, new_y))
    options = {"epochs": 12, "batch_size": 32, "validation_data": held_out}
    return Fit(model, x, data.groups(y, 12), score, options)


class Distance(L.Layer):
    """The distance between two codes."""

    def call(self, left, right):
        square = ops.sum((left - right) ** 2, axis=-1, keepdims=True)
        return ops.sqrt(ops.maximum(square, 1e-6))


@program(
    kind="labels of pairs the other way round",
    family="siamese",
    half="blind",
    address="https://github.com/keras-team/keras/issues/13584",
    symptom="several hours went by until the contrastive loss worked",
    cause="the labels mean the opposite of what they mean in the paper's loss",
    truth=("disagreeing_loss", "loss_target_mismatch"),
    also=(*STUCK, "collapsed_embeddings"),
)
def alike_pushed_apart(repaired):
    x, y, new, new_y = data.digits(640)

    def pairs(x, y, n, seed):
        rng = np.random.default_rng(seed)
        first = rng.integers(0, len(x), n)
        alike = np.arange(n) % 2 == 0
        second = [
            rng.choice(np.flatnonzero((y == y[i]) == same))
            for i, same in zip(first, alike, strict=True)
        ]
        return [x[first], x[second]], alike.astype("float32")[:, None]

    train, train_y = pairs(x, y, 480, 1223)
    check, check_y = pairs(new, new_y, 300, 1224)
    encoder = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, activation="relu"),
            L.Flatten(),
            L.Dense(48, activation="relu"),
            L.Dense(12),
        ]
    )
    left, right_one = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    distance = Distance()(encoder(left), encoder(right_one))
    model = keras.Model([left, right_one], distance)

    def contrastive(y_true, y_pred):
        near = y_pred**2
        far = ops.maximum(1.0 - y_pred, 0.0) ** 2
        if repaired:
            return ops.mean(y_true * near + (1 - y_true) * far, -1)
        return ops.mean((1 - y_true) * near + y_true * far, -1)

    model.compile(keras.optimizers.Adam(0.003), contrastive)

    def score(model, history):
        out = scores.predicted(model, check)[:, 0]
        same = check_y[:, 0] > 0.5
        return float(2 * (out[same][:, None] < out[~same]).mean() - 1)

    options = {"epochs": 10, "batch_size": 32, "validation_data": (check, check_y)}
    return Fit(model, train, train_y, score, options)


class BoxAndKind(keras.Model):
    """A network that says where a shape is and which it is."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.body = [
            L.Conv2D(12, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Conv2D(16, 3, activation="relu"),
            L.Flatten(),
            L.Dense(32, activation="relu"),
        ]
        self.box = L.Dense(4)
        self.kind = L.Dense(1, activation="sigmoid")

    def call(self, x):
        for layer in self.body:
            x = layer(x)
        return {"box": self.box(x), "kind": self.kind(x)}


@program(
    kind="targets not scaled",
    family="boxes and kinds",
    half="blind",
    address="https://github.com/SeokjuLee/VPGNet/issues/53",
    symptom="the classes are learned, the loss of the boxes is high and constant",
    cause="the coordinates are pixels from 0 to 640 and are not normalized",
    truth=("unscaled_targets", "unbalanced_outputs"),
    also=(*STUCK, *BLOWN_UP, "learning_rate_too_low", "too_few_updates"),
)
def boxes_in_pixels(repaired):
    x, kind, masks = data.shapes(560, size=14, seed=1225)
    boxes = []
    for mask in masks[..., 0]:
        row, column = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        boxes.append([column[0], row[0], column[-1], row[-1]])
    box = np.array(boxes, "float32") / 14
    if not repaired:
        box = box * np.array([640, 480, 640, 480], "float32")
    y = {"box": box, "kind": kind.astype("float32")[:, None]}
    train, new = (
        {k: v[part] for k, v in y.items()} for part in (range(400), range(400, 560))
    )
    model = BoxAndKind()
    model.compile(
        keras.optimizers.Adam(0.003),
        loss={"box": "mae", "kind": "binary_crossentropy"},
        metrics={"kind": ["accuracy"]},
    )

    def score(model, history):
        return scores.explained(model.predict(x[400:], verbose=0)["box"], new["box"])

    options = {"epochs": 20, "batch_size": 32, "validation_data": (x[400:], new)}
    return Fit(model, x[:400], train, score, options)


class Variational(keras.Model):
    """A variational autoencoder with the loss of its author."""

    def __init__(self, weight, **kwargs):
        super().__init__(**kwargs)
        self.weight = weight
        self.encoder = L.Dense(48, activation="relu")
        self.mean, self.log_var = L.Dense(6), L.Dense(6)
        self.decoder = L.Dense(48, activation="relu")
        self.pixels = L.Dense(64, activation="sigmoid")
        self.seeds = keras.random.SeedGenerator(1226)

    def call(self, x, training=False):
        h = self.encoder(x)
        mean, log_var = self.mean(h), self.log_var(h)
        code = mean
        if training:
            noise = keras.random.normal(ops.shape(mean), seed=self.seeds)
            code = mean + ops.exp(0.5 * log_var) * noise
        divergence = -0.5 * ops.sum(1 + log_var - mean**2 - ops.exp(log_var), -1)
        self.add_loss(ops.mean(divergence) * self.weight)
        return self.pixels(self.decoder(code))


@program(
    kind="terms of the loss out of balance",
    family="another variational autoencoder",
    half="blind",
    address="https://github.com/podgorskiy/VAE/issues/1",
    symptom="with the divergence summed, all pictures are the same blurry one",
    cause="the error is a mean over the pixels, which the divergence outweighs",
    truth=("loss_terms_out_of_balance",),
    also=(*STUCK, "vanishing_gradients", "zero_gradients", "regularization_too_strong"),
)
def error_averaged_over_pixels(repaired):
    x, _, new, _ = data.digits(800)
    x, new = x.reshape(-1, 64), new.reshape(-1, 64)
    model = Variational(weight=1 / 640 if repaired else 1.0)
    model.compile(keras.optimizers.Adam(0.005), "mse")
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


@program(
    kind="only positive examples",
    family="recommender",
    half="blind",
    address="https://nanx.me/blog/post/recsys-binary-implicit-feedback-r-keras/",
    symptom="the data only say who has used what, and not who has not",
    cause="all targets are one as long as no negative examples are drawn",
    truth=("constant_targets",),
    also=(*STUCK, "imbalanced_classes", "overfitting", "saturated_units"),
)
def nobody_dislikes_anything(repaired):
    rng = np.random.default_rng(1227)
    taste, style = rng.normal(size=(120, 3)), rng.normal(size=(60, 3))
    liked = taste @ style.T + 0.3 * rng.normal(size=(120, 60)) > 0.9
    users, films = np.nonzero(liked)
    seen = rng.random(len(users)) < 0.75
    user, film = users[seen], films[seen]
    label = np.ones(len(user))
    nobody = rng.permutation(np.argwhere(~liked))
    nobody, fresh = nobody[: len(nobody) // 2], nobody[len(nobody) // 2 :]
    if repaired:
        user = np.concatenate([user, nobody[:, 0]])
        film = np.concatenate([film, nobody[:, 1]])
        label = np.concatenate([label, np.zeros(len(nobody))])
    order = rng.permutation(len(user))
    train, check = order[: int(0.85 * len(user))], order[int(0.85 * len(user)) :]
    x = np.stack([user, film], -1).astype("int32")
    y = label.astype("float32")[:, None]
    inputs = [keras.Input((1,), dtype="int32") for _ in range(2)]
    l2 = keras.regularizers.L2(1e-3)
    p, q = (
        L.Flatten()(L.Embedding(n, 4, embeddings_regularizer=l2)(one))
        for n, one in zip((120, 60), inputs, strict=True)
    )
    dot = L.Dot(axes=1)([p, q])
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(dot))
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy")
    mine = np.stack([users[~seen], films[~seen]], -1)

    def score(model, history):
        good, bad = (
            model.predict([pairs[:, :1], pairs[:, 1:]], verbose=0)[:, 0]
            for pairs in (mine, fresh)
        )
        return float(2 * (good[:, None] > bad).mean() - 1)

    def of(rows):
        return [x[rows, :1], x[rows, 1:]]

    options = {
        "epochs": 7,
        "batch_size": 64,
        "validation_data": (of(check), y[check]),
    }
    return Fit(model, of(train), y[train], score, options)


class LogOfSoftmax(L.Layer):
    """The logarithm of probabilities, with something added that they be not zero."""

    def call(self, x):
        return ops.log(ops.softmax(x) + 1e-8)


def likelihood(y_true, y_pred):
    """Return minus the logarithm of the probability of the true class."""
    return -ops.sum(y_true * y_pred, axis=-1)


@program(
    kind="epsilon becomes zero",
    family="mixed precision",
    half="blind",
    address="https://github.com/lisa-lab/DeepLearningTutorials/pull/86",
    symptom="in float16 the loss is not a number, in float32 it is fine",
    cause="1e-8 is zero in half precision, so that log(0) is taken",
    truth=("non_finite_operation", "epsilon_too_small"),
    also=(
        "non_finite_values",
        "non_finite_weights",
        "non_finite_start",
        "constant_predictions",
        "output_activation_mismatch",
        "saturated_units",
        "dead_units",
    ),
)
def epsilon_lost_in_half(repaired):
    x, y, new, new_y = data.two_classes(700, seed=1228, apart=2.2)
    x, new, y = x * 2, new * 2, data.groups(y, 2)
    half = "mixed_float16"
    inputs = keras.Input((12,))
    h = L.Dense(32, activation="relu", dtype=half)(inputs)
    h = L.Dense(16, activation="relu", dtype=half)(h)
    h = L.Dense(2, dtype=half)(h)
    outputs = LogOfSoftmax(dtype="float32" if repaired else half)(h)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.005), likelihood)
    held_out = (new, data.groups(new_y, 2))
    options = {"epochs": 14, "batch_size": 32, "validation_data": held_out}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="discriminator not frozen",
    family="generator of a GAN",
    half="blind",
    address="https://github.com/roatienza/Deep-Learning-Experiments/issues/10",
    symptom="training the generator also trains the discriminator, on fakes only",
    cause="the discriminator learns to call everything real, and nothing is left to do",
    truth=("discriminator_not_frozen", "constant_targets"),
    also=(*STUCK, "vanishing_gradients", "saturated_units", "collapsed_embeddings"),
)
def judge_that_gives_in(repaired):
    x, _, _, _ = data.digits(800)
    x = x.reshape(-1, 64)
    rng = np.random.default_rng(1229)

    def judge():
        return keras.Sequential(
            [
                keras.Input((64,)),
                L.Dense(48),
                L.LeakyReLU(0.2),
                L.Dense(1, activation="sigmoid"),
            ]
        )

    generator = keras.Sequential(
        [
            keras.Input((8,)),
            L.Dense(48, activation="relu"),
            L.Dense(64, activation="sigmoid"),
        ]
    )
    noise = rng.normal(size=(800, 8)).astype("float32")
    fake = generator.predict(noise, verbose=0)
    mixed = rng.permuted(x, axis=1)
    both = np.concatenate([x, fake, mixed])
    label = np.repeat([1.0, 0.0], [800, 1600]).astype("float32")[:, None]
    critics = judge(), judge()
    for critic in critics:
        critic.compile(keras.optimizers.Adam(0.002), "binary_crossentropy")
        critic.fit(both, label, epochs=4, batch_size=64, verbose=0)
    critics[0].trainable = not repaired
    gan = keras.Sequential([keras.Input((8,)), generator, critics[0]])
    gan.compile(keras.optimizers.Adam(0.002), "binary_crossentropy")

    def score(model, history):
        made = generator.predict(noise[600:], verbose=0)
        return float((critics[1].predict(made, verbose=0) > 0.5).mean())

    ones = np.ones((800, 1), "float32")
    options = {
        "epochs": 10,
        "batch_size": 32,
        "validation_data": (noise[600:], ones[600:]),
    }
    return Fit(gan, noise[:600], ones[:600], score, options)
