"""Nineteenth half: programs on words, tags and notes."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops
from sklearn.preprocessing import normalize

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


def posts(n, seed):
    """Return words of posts, the vectors of all words, and one of five moods."""
    words = np.random.default_rng(1900)
    valence = words.normal(size=120)
    vectors = words.normal(size=(120, 12))
    vectors[:, :3] += valence[:, None] * words.normal(size=3)
    vectors[0] = 0
    rng = np.random.default_rng(seed)
    x, mood = np.zeros((n, 40), "int32"), np.zeros(n)
    for i in range(n):
        used = 3 + int(37 * rng.beta(0.8, 2.0))
        chance = np.exp(0.8 * rng.normal() * valence[1:])
        x[i, :used] = 1 + rng.choice(119, used, p=chance / chance.sum())
        mood[i] = valence[x[i, :used]].mean()
    return x, vectors.astype("float32"), np.digitize(mood, [-0.8, -0.3, 0.2, 0.7])


@program(
    kind="average over the padding",
    family="moods of posts, mean of frozen vectors",
    half="nineteenth",
    address="https://github.com/hanxiao/clip-as-service/issues/76",
    symptom="the loss descends, accuracy on validation stays poor and constant",
    cause="the mean of a post is taken over the padding too",
    truth=("unmasked_padding",),
    also=(*STUCK, "frozen_layers", "model_too_small"),
)
def nineteenth_moods_of_posts(repaired):
    x, vectors, y = posts(1300, 1901)
    new, _, new_y = posts(500, 1902)
    words = L.Embedding(120, 12, mask_zero=repaired, trainable=False)
    inputs = keras.Input((40,), dtype="int32")
    hidden = L.GlobalAveragePooling1D()(words(inputs))
    hidden = L.Dense(24, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(5, activation="softmax")(hidden))
    words.set_weights([vectors])
    model.compile(
        keras.optimizers.Adam(0.004),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    options = {"epochs": 15, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


def melody(n, seed):
    """Return notes of which each depends on the two before it, mostly."""
    table = np.random.default_rng(1903)
    jump, fall = table.permutation(12), table.permutation(12)
    loud = table.permutation(12) < 6
    rng = np.random.default_rng(seed)
    notes = [0, 5]
    while len(notes) < n:
        follow = jump if loud[notes[-2]] else fall
        free = rng.random() < 0.12
        notes.append(int(rng.integers(12) if free else follow[notes[-1]]))
    return np.array(notes)


@program(
    kind="notes as normalized numbers",
    family="melody note by note, recurrent",
    half="nineteenth",
    address="https://github.com/keras-team/keras/issues/14690",
    symptom="the network plays the same note every time",
    cause="codes of notes are divided by the length of their row: they are names",
    truth=("codes_as_numbers",),
    also=(*STUCK, "learning_rate_too_low", "too_few_updates"),
)
def nineteenth_melody_of_codes(repaired):
    notes = melody(2010, 1904)
    x = np.stack([notes[i : i + 10] for i in range(2000)])
    y = data.groups(notes[10:], 12)
    model = keras.Sequential()
    if repaired:
        x = x.astype("int32")
        model.add(keras.Input((10,), dtype="int32"))
        model.add(L.Embedding(12, 12))
    else:
        x = normalize(x)[..., None].astype("float32")
        model.add(keras.Input((10, 1)))
    model.add(L.LSTM(48))
    model.add(L.Dense(12, activation="softmax"))
    model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
    model.optimizer.learning_rate = 0.005
    score = scores.accuracy(x[1600:], notes[10:][1600:])
    options = {"epochs": 12, "batch_size": 32, "validation_split": 0.1}
    return Fit(model, x[:1600], y[:1600], score, options)


class ChainTagger(keras.Model):
    """Scores of tags, and of tags that follow one another; `sign` times likelihood."""

    def __init__(self, sign, **kwargs):
        super().__init__(**kwargs)
        self.sign = sign
        self.words = L.Embedding(50, 12)
        self.near = L.Conv1D(24, 3, padding="same", activation="relu")
        self.head = L.Dense(3)
        self.follow = self.add_weight(shape=(3, 3), initializer="zeros", name="follow")

    def call(self, words):
        return self.head(self.near(self.words(words)))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **kwargs):
        tags = ops.one_hot(ops.cast(y, "int32"), 3)
        path = ops.sum(tags * y_pred, axis=(1, 2))
        pairs = ops.matmul(tags[:, :-1], self.follow) * tags[:, 1:]
        path = path + ops.sum(pairs, axis=(1, 2))
        total = y_pred[:, 0]
        for t in range(1, y_pred.shape[1]):
            steps = ops.expand_dims(total, 2) + self.follow
            total = ops.logsumexp(steps, axis=1) + y_pred[:, t]
        likelihood = path - ops.logsumexp(total, axis=1)
        return self.sign * ops.mean(likelihood)


def sentences(n, seed):
    """Return words of sentences, and for each whether a name begins or goes on."""
    rng = np.random.default_rng(seed)
    chances = np.array([[0.75, 0.25, 0], [0.25, 0.05, 0.7], [0.55, 0.1, 0.35]])
    tags = np.zeros((n, 9), "int32")
    for t in range(1, 9):
        tags[:, t] = [rng.choice(3, p=chances[tag]) for tag in tags[:, t - 1]]
    first = np.array([2, 17, 27])[tags]
    words = first + rng.integers(0, np.array([20, 15, 20])[tags])
    return words.astype("int32"), tags


def best_path(values, follow):
    """Return the tags with the highest sum of scores."""
    best, back = values[0], []
    for row in values[1:]:
        steps = best[:, None] + follow
        back.append(steps.argmax(0))
        best = steps.max(0) + row
    path = [int(best.argmax())]
    for previous in reversed(back):
        path.append(int(previous[path[-1]]))
    return path[::-1]


@program(
    kind="likelihood is minimized",
    family="names in sentences, chain of tags, compute_loss",
    half="nineteenth",
    address="https://github.com/kmkurn/pytorch-crf/issues/81",
    symptom="a big negative loss, and the same tag for all words",
    cause="the logarithm of the likelihood is the loss, without a minus",
    truth=("disagreeing_loss",),
    also=(*STUCK, *BLOWN_UP, "loss_target_mismatch", "exploding_activations"),
)
def nineteenth_tags_in_a_chain(repaired):
    x, y = sentences(900, 1905)
    new, new_y = sentences(250, 1906)
    model = ChainTagger(sign=-1.0 if repaired else 1.0)
    model.compile(keras.optimizers.Adam(0.004))

    def score(model, history):
        values = scores.predicted(model, new)
        follow = ops.convert_to_numpy(model.follow)
        found = np.array([best_path(row, follow) for row in values])
        common = (new_y == 0).mean()
        return float(((found == new_y).mean() - common) / (1 - common))

    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


def abstracts(n, seed):
    """Return words of abstracts, as strings, and which of four topics they touch."""
    rng = np.random.default_rng(seed)
    labels = rng.random((n, 4)) < 0.4
    texts = []
    for row in labels:
        words = [f"any{k}" for k in rng.integers(0, 40, 10)]
        for topic in np.flatnonzero(row):
            words += [f"topic{topic}-{k}" for k in rng.integers(0, 12, 3)]
        texts.append([words[i] for i in rng.permutation(len(words))])
    return texts, labels.astype("float32")


def vocabulary(texts):
    """Return numbers of words, in the order in which they first appear."""
    numbers = {}
    for text in texts:
        for word in text:
            numbers.setdefault(word, len(numbers) + 1)
    return numbers


def numbered(texts, numbers):
    """Return rows of 22 numbers, filled up with zeros."""
    rows = np.zeros((len(texts), 22), "int32")
    for row, text in zip(rows, texts, strict=True):
        row[: len(text)] = [numbers.get(word, 0) for word in text]
    return rows


@program(
    kind="two vocabularies",
    family="topics of abstracts, convolutions of several widths",
    half="nineteenth",
    address="https://github.com/minqukanq/hierarchical-multi-label-text-classification/issues/6",
    symptom="performance on the test set is far too low",
    cause="words of the test set are numbered anew",
    truth=("unrepresentative_validation",),
    also=("overfitting", "misaligned_embedding", "model_too_large", "diverging_loss"),
)
def nineteenth_topics_numbered_anew(repaired):
    texts, y = abstracts(1200, 1907)
    new_texts, new_y = abstracts(400, 1908)
    numbers = vocabulary(texts)
    x = numbered(texts, numbers)
    new = numbered(new_texts, numbers if repaired else vocabulary(new_texts))
    inputs = keras.Input((22,), dtype="int32")
    hidden = L.Embedding(len(numbers) + 1, 16)(inputs)
    parts = [
        L.GlobalMaxPooling1D()(L.Conv1D(20, width, activation="relu")(hidden))
        for width in (1, 2, 3)
    ]
    hidden = L.Dropout(0.3)(L.Concatenate()(parts))
    model = keras.Model(inputs, L.Dense(4, activation="sigmoid")(hidden))
    model.compile(
        keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["binary_accuracy"]
    )
    options = {"epochs": 10, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)
