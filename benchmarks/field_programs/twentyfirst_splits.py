"""Twenty-first half: programs whose rows are ordered, numbered or copied wrongly."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers


def cells(n, seed):
    """Return cells of a matrix, by row and column, and what stands there."""
    sides = np.random.default_rng(2130)
    rows, columns = sides.normal(size=(80, 3)), sides.normal(size=(60, 3))
    shift = sides.normal(size=60)
    rng = np.random.default_rng(seed)
    r, c = rng.integers(0, 80, n), rng.integers(0, 60, n)
    value = (rows[r] * columns[c]).sum(1) + shift[c] + 0.3 * rng.normal(size=n)
    return np.stack([r, c], -1).astype("int32"), (value / 2).astype("float32")[:, None]


class Cells(keras.utils.PyDataset):
    """Batches of cells, shuffled before they are cut into batches, or after."""

    def __init__(self, x, y, whole, **kwargs):
        super().__init__(**kwargs)
        order = np.lexsort((x[:, 0], x[:, 1]))
        self.x, self.y, self.whole = x[order], y[order], whole
        self.rng = np.random.default_rng(2131)
        self.on_epoch_end()

    def __len__(self):
        return len(self.x) // 50

    def on_epoch_end(self):
        self.order = np.arange(len(self.x))
        if self.whole:
            self.order = self.rng.permutation(len(self.x))

    def __getitem__(self, i):
        rows = self.rng.permutation(self.order[50 * i : 50 * i + 50])
        return self.x[rows], self.y[rows]


@program(
    kind="shuffled within batches only",
    family="cells of a matrix, factors, batches cut by column",
    half="twentyfirst",
    address="https://newbedev.com/gradientape-convergence-much-slower-than-keras-model-fit",
    symptom="a loop of one's own converges much slower than fit",
    cause="rows are sorted, and shuffled only within each batch",
    truth=("rows_in_order",),
    also=("overfitting", "learning_rate_too_high", *BLOWN_UP, *STUCK),
)
def twentyfirst_cells_by_column(repaired):
    x, y = cells(3000, 2132)
    new, new_y = cells(900, 2133)
    inputs = keras.Input((2,), dtype="int32")
    row = L.Embedding(80, 6)(inputs[:, 0])
    column = L.Embedding(60, 6)(inputs[:, 1])
    hidden = L.Concatenate()([row, column, L.Multiply()([row, column])])
    hidden = L.Dense(32, activation="relu")(hidden)
    model = keras.Model(inputs, L.Dense(1)(hidden))
    model.compile(keras.optimizers.Adam(0.04), "mse")
    options = {"epochs": 10, "validation_data": (new, new_y)}
    cut = Cells(x, y, whole=repaired)
    return Fit(model, cut, None, scores.variance(new, new_y), options)


def utterances(n, seed):
    """Return syllables of utterances, as text, and which of five wishes they say."""
    rng = np.random.default_rng(seed)
    syllables = np.array([a + b for a in "bdfghklmnpst" for b in "aeiou"])
    wish = rng.integers(0, 5, n)
    spoken = rng.integers(0, 60, (n, 12))
    own = wish[:, None] * 9 + rng.integers(0, 9, (n, 12))
    return syllables[np.where(rng.random((n, 12)) < 0.35, own, spoken)], wish


def dictionary_of(texts):
    """Return a number for each syllable, in the order in which they are met."""
    found = {}
    for syllable in texts.ravel():
        found.setdefault(syllable, len(found) + 1)
    return found


@program(
    kind="dictionary of its own",
    family="wishes by syllable, gated recurrent, numbered as met",
    half="twentyfirst",
    address="https://github.com/audier/DeepSpeechRecognition/issues/95",
    symptom="the training loss falls, the validation loss does not or rises",
    cause="the validation texts are numbered by a dictionary of their own",
    truth=("unrepresentative_validation",),
    also=("overfitting",),
)
def twentyfirst_wishes_by_syllable(repaired):
    texts, y = utterances(1300, 2134)
    held, held_y = utterances(400, 2135)
    others, other_y = utterances(500, 2136)
    known = dictionary_of(texts)
    own = known if repaired else dictionary_of(held)

    def numbered(given, words):
        return np.array([[words[s] for s in text] for text in given], "int32")

    x, new = numbered(texts, known), numbered(others, known)
    model = keras.Sequential()
    model.add(keras.Input((12,), dtype="int32"))
    model.add(L.Embedding(61, 12))
    model.add(L.SpatialDropout1D(0.2))
    model.add(L.GRU(24))
    model.add(L.Dropout(0.3))
    model.add(L.Dense(5, activation="softmax"))
    model.compile(
        keras.optimizers.Adam(0.004),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    score = scores.honesty("val_accuracy", scores.right(new, other_y))
    pair = (numbered(held, own), held_y)
    options = {"epochs": 10, "batch_size": 32, "validation_data": pair}
    return Fit(model, x, y, score, options)


def moods(n, seed):
    """Return features of recordings by frame, and which of four moods was heard."""
    rng = np.random.default_rng(seed)
    kinds = np.random.default_rng(2137).normal(size=(4, 10))
    mood = rng.integers(0, 4, n)
    voice = rng.normal(size=(n, 1, 10))
    rise = np.linspace(-1, 1, 14)[:, None] * rng.normal(size=(n, 1, 10))
    x = 0.6 * kinds[mood][:, None] + 0.5 * voice + 0.5 * rise
    x = x + 0.5 * rng.normal(size=x.shape)
    heard = np.where(rng.random(n) < 0.3, rng.integers(0, 4, n), mood)
    return x.astype("float32"), heard


def augmented(x, y, rng):
    """Return recordings with three copies of each: noisy, stretched and shifted."""
    noisy = x + 0.15 * rng.normal(size=x.shape)
    loud = x * rng.uniform(0.9, 1.1, (len(x), 1, 1))
    late = np.roll(x, 1, axis=1)
    return np.concatenate([x, noisy, loud, late]).astype("float32"), np.tile(y, 4)


@program(
    kind="copies on either side",
    family="moods of recordings, augmented fourfold",
    half="twentyfirst",
    address="https://github.com/mkosaka1/Speech_Emotion_Recognition/issues/1",
    symptom="the validation accuracy is far above that on other recordings",
    cause="recordings are augmented before they are split",
    truth=("train_validation_overlap",),
    also=("overfitting", "unrepresentative_validation", "model_too_large"),
)
def twentyfirst_moods_of_recordings(repaired):
    x, y = moods(640, 2138)
    new, new_y = moods(600, 2139)
    rng = np.random.default_rng(2140)
    if repaired:
        x, y, held, held_y = data.split(x, y, share=0.75)
        x, y = augmented(x, y, rng)
    else:
        x, y, held, held_y = data.split(*augmented(x, y, rng), share=0.75)
    model = keras.Sequential()
    model.add(keras.Input((14, 10)))
    model.add(L.Conv1D(48, 5, padding="same", activation="relu"))
    model.add(L.MaxPooling1D(2))
    model.add(L.Conv1D(48, 5, padding="same", activation="relu"))
    model.add(L.Flatten())
    model.add(L.Dense(64, activation="relu"))
    model.add(L.Dropout(0.2))
    model.add(L.Dense(4, activation="softmax"))
    model.compile(
        keras.optimizers.Adam(0.001),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    score = scores.honesty("val_accuracy", scores.right(new, new_y))
    stop = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    options = {
        "epochs": 14,
        "batch_size": 64,
        "validation_data": (held, held_y),
        "callbacks": [stop],
    }
    return Fit(model, x, y, score, options)
