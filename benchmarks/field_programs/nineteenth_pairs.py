"""Nineteenth half: programs on people and things, and on pairs."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


def listeners(n, seed):
    """Return listeners, songs they chose, and songs that they were not offered."""
    world = np.random.default_rng(1920)
    people, songs = world.normal(size=(80, 3)), world.normal(size=(100, 3))
    taste = np.exp(1.6 * people @ songs.T)
    taste /= taste.sum(1, keepdims=True)
    rng = np.random.default_rng(seed)
    who = rng.integers(0, 80, n)
    liked = np.array([rng.choice(100, p=taste[k]) for k in who])
    return who, liked, rng.integers(0, 100, n)


class Choices(keras.utils.PyDataset):
    """Batches of a listener, a song that was chosen, and one drawn anew."""

    def __init__(self, who, liked, seed, **kwargs):
        super().__init__(**kwargs)
        self.who, self.liked = who.astype("int32"), liked.astype("int32")
        self.rng = np.random.default_rng(seed)

    def __len__(self):
        return len(self.who) // 64

    def __getitem__(self, index):
        rows = self.rng.integers(0, len(self.who), 64)
        other = self.rng.integers(0, 100, 64).astype("int32")
        x = (self.who[rows], self.liked[rows], other)
        return x, np.ones((64, 1), "float32")


def by_logarithm(y_true, gap):
    return -ops.mean(ops.log(ops.sigmoid(gap)), axis=-1)


def by_softplus(y_true, gap):
    return ops.mean(ops.softplus(-gap), axis=-1)


@program(
    kind="logarithm of a sigmoid",
    family="songs for listeners, triples, PyDataset",
    half="nineteenth",
    address="https://github.com/xiangwang1223/neural_graph_collaborative_filtering/issues/17",
    symptom="the loss is nan, time and again",
    cause="the sigmoid of a large negative gap is zero, and has no logarithm",
    truth=("non_finite_operation", "non_finite_start"),
    also=(*STUCK, *BLOWN_UP, "non_finite_weights"),
)
def nineteenth_songs_in_triples(repaired):
    who, liked, _ = listeners(4000, 1921)
    new_who, new_liked, new_other = listeners(800, 1922)
    person, song, other = (keras.Input((), dtype="int32") for _ in range(3))
    people, songs = L.Embedding(80, 8), L.Embedding(100, 8)
    near = L.Dot(axes=1, normalize=True)
    gap = L.Subtract()(
        [near([people(person), songs(song)]), near([people(person), songs(other)])]
    )
    gap = L.Rescaling(100.0)(gap)
    model = keras.Model([person, song, other], gap)
    model.compile(
        keras.optimizers.Adam(0.005), by_softplus if repaired else by_logarithm
    )
    new = [a.astype("int32") for a in (new_who, new_liked, new_other)]

    def score(model, history):
        gaps = scores.predicted(model, new)
        return float(2 * (gaps > 0).mean() - 1) if np.isfinite(gaps).all() else -1.0

    return Fit(model, Choices(who, liked, 1923), None, score, {"epochs": 10})


def clicks(n, seed):
    """Return users and items, and whether a user clicked: by kinds, and by habit."""
    world = np.random.default_rng(1924)
    kind, genre = world.integers(0, 5, 60), world.integers(0, 5, 50)
    liking = world.normal(0, 2.2, (5, 5))
    habit, fame = world.normal(0, 0.7, 60), world.normal(0, 0.7, 50)
    rng = np.random.default_rng(seed)
    user, item = rng.integers(0, 60, n), rng.integers(0, 50, n)
    odds = liking[kind[user], genre[item]] + habit[user] + fame[item]
    y = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype("int32")
    return [user.astype("int32"), item.astype("int32")], y


class FactorsAndLayers(keras.Model):
    """Products of vectors of users and items, and dense layers over both."""

    def __init__(self, penalty, drop, **kwargs):
        super().__init__(**kwargs)
        rule = keras.regularizers.L2(penalty)
        self.users = L.Embedding(60, 8, embeddings_regularizer=rule)
        self.items = L.Embedding(50, 8, embeddings_regularizer=rule)
        self.user_bias = L.Embedding(60, 1, embeddings_regularizer=rule)
        self.item_bias = L.Embedding(50, 1, embeddings_regularizer=rule)
        self.dense = [
            L.Dense(16, activation="relu", kernel_regularizer=rule) for _ in range(3)
        ]
        self.drop = L.Dropout(drop)
        self.head = L.Dense(1, kernel_regularizer=rule)

    def call(self, inputs, training=None):
        user, item = inputs
        left, right = self.users(user), self.items(item)
        product = ops.sum(left * right, axis=-1, keepdims=True)
        hidden = ops.concatenate([left, right], axis=-1)
        for layer in self.dense:
            hidden = self.drop(layer(hidden), training=training)
        biases = self.user_bias(user) + self.item_bias(item)
        return ops.sigmoid(product + biases + self.head(hidden))


@program(
    kind="penalty above one",
    family="clicks of users, factorization machine, subclassed",
    half="nineteenth",
    address="https://stats.stackexchange.com/questions/627241/recsys-model-performance-stalling-at-47-auc-and-f1-score-is-the-problem-due-to",
    symptom="area under the curve and F1 stall near a half",
    cause="a penalty of 1.2 on squared weights of all layers, and much dropout",
    truth=("regularization_too_strong",),
    also=(*STUCK, "dead_units", "zero_gradients", "loss_terms_out_of_balance"),
)
def nineteenth_clicks_penalized(repaired):
    x, y = clicks(2400, 1925)
    new, new_y = clicks(700, 1926)
    model = FactorsAndLayers(1e-4 if repaired else 1.2, 0.1 if repaired else 0.4)
    model.compile(
        keras.optimizers.Adam(0.0075),
        "binary_crossentropy",
        metrics=[keras.metrics.AUC(name="auc")],
    )
    score = scores.balanced(new, new_y)
    y, new_y = (a[:, None].astype("float32") for a in (y, new_y))
    options = {"epochs": 8, "batch_size": 64, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


class Shelf(L.Layer):
    """How near a reader is to each of all books, which start with known vectors."""

    def __init__(self, vectors, **kwargs):
        super().__init__(**kwargs)
        self.vectors = vectors

    def build(self, shape):
        self.books = self.add_weight(shape=self.vectors.shape, name="books")
        self.books.assign(self.vectors)

    def call(self, reader):
        return ops.matmul(reader, ops.transpose(self.books))

    def compute_output_shape(self, shape):
        return (shape[0], len(self.vectors))


@program(
    kind="rate for vectors far too high",
    family="books for readers, tower of known vectors",
    half="nineteenth",
    address="https://github.com/tensorflow/recommenders/issues/652",
    symptom="top-k metrics look good at first, then there is a massive drop-off",
    cause="the learning rate is too high: scores and vectors grow without bounds",
    truth=("learning_rate_too_high",),
    also=(*STUCK, *BLOWN_UP, "dead_units", "overfitting", "exploding_activations"),
)
def nineteenth_books_for_readers(repaired):
    world = np.random.default_rng(1927)
    books, readers = world.normal(size=(60, 8)), world.normal(size=(70, 8))
    taste = np.exp(1.1 * readers @ books.T)
    taste /= taste.sum(1, keepdims=True)
    rng = np.random.default_rng(1928)
    who = rng.integers(0, 70, 2800)
    book = np.array([rng.choice(60, p=taste[k]) for k in who])
    known = (0.5 * books + 0.3 * world.normal(size=books.shape)).astype("float32")
    reader = keras.Input((), dtype="int32")
    hidden = L.Embedding(70, 16)(reader)
    hidden = L.Dense(24, activation="relu")(hidden)
    model = keras.Model(reader, Shelf(known)(L.Dense(8)(hidden)))
    model.compile(
        keras.optimizers.Adam(0.005 if repaired else 0.5),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseTopKCategoricalAccuracy(k=10, name="top10")],
    )
    x, y = who.astype("int32"), book.astype("int32")
    new, new_y = x[2200:], y[2200:]

    def score(model, history):
        ranks = scores.predicted(model, new).argsort(-1)[:, -10:]
        hits = (ranks == new_y[:, None]).any(1).mean()
        return float((hits - 1 / 6) / (5 / 6))

    options = {"epochs": 10, "batch_size": 64, "validation_data": (new, new_y)}
    return Fit(model, x[:2200], y[:2200], score, options)


def talks(n, seed):
    """Return vectors of what two people say, line by line, and whether they agree."""
    rng = np.random.default_rng(seed)
    topic, other = rng.normal(size=(2, n, 1, 10))
    same = rng.integers(0, 2, n)
    second = np.where(same[:, None, None] == 1, topic, other)
    lines = [
        np.tanh(0.45 * (side + 0.9 * rng.normal(size=(n, 8, 10))))
        for side in (topic, second)
    ]
    return [side.astype("float32") for side in lines], same


@program(
    kind="vectors as ids",
    family="talks of two people, shared tower of lines",
    half="nineteenth",
    address="https://www.e-learn.cn/topic/3419961",
    symptom="accuracy does not move from 60 percent",
    cause="vectors of Doc2Vec go into an embedding that cuts them to whole numbers",
    truth=("ids_cut_to_integers", "constant_inputs", "token_ids_out_of_range"),
    also=(*STUCK, "dead_units", "collapsed_embeddings", "zero_gradients"),
)
def nineteenth_talks_as_ids(repaired):
    x, y = talks(1000, 1929)
    new, new_y = talks(500, 1930)
    lines = keras.Input((8, 10))
    if repaired:
        hidden = L.Dense(16)(lines)
    else:
        hidden = L.Reshape((8, 160))(L.Embedding(4117, 16)(lines))
    hidden = L.GlobalAveragePooling1D()(L.GRU(16, return_sequences=True)(hidden))
    tower = keras.Model(lines, hidden)
    first, second = keras.Input((8, 10)), keras.Input((8, 10))
    left, right = tower(first), tower(second)
    gap = L.Subtract()([left, right])
    both = L.Concatenate()([L.Multiply()([gap, gap]), L.Multiply()([left, right])])
    hidden = L.Dense(12, activation="relu")(both)
    model = keras.Model([first, second], L.Dense(1, activation="sigmoid")(hidden))
    model.compile(
        keras.optimizers.RMSprop(0.003), "binary_crossentropy", metrics=["acc"]
    )
    score = scores.accuracy(new, new_y)
    y, new_y = (a[:, None].astype("float32") for a in (y, new_y))
    options = {"epochs": 9, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)
