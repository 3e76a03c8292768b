"""Losses of a model's own, weights below zero, and targets that are not answers."""

import keras
import numpy as np
import pytest
from keras import layers as L
from keras import ops

import keras_dlbasic as kd
from keras_dlbasic.diagnosis.loss_sense import loss_sense
from keras_dlbasic.inspection.copy_of import copy_of
from keras_dlbasic.inspection.own_loss import truth_of_own_loss
from keras_dlbasic.inspection.target_facts import target_facts

RNG = np.random.default_rng(8)
X = RNG.normal(size=(256, 5)).astype("float32")
Y = np.tanh(X @ RNG.normal(size=(5, 2))).astype("float32")
WORDS = RNG.integers(1, 9, (192, 10))


def diagnosed(model, x, y=None, epochs=12, **options):
    doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)
    model.fit(x, y, epochs=epochs, verbose=0, callbacks=[doctor], **options)
    return doctor.diagnosis


def finding(diagnosis, name):
    return next(
        (one for one in diagnosis.at_least("warning") if one.name == name), None
    )


class Own(keras.Model):
    """A regression with a loss of its own."""

    def __init__(self, sign):
        super().__init__()
        self.sign = sign
        self.hidden, self.out = L.Dense(16, "relu"), L.Dense(2)

    def call(self, x):
        return self.out(self.hidden(x))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **_):
        return self.sign * ops.mean((y - y_pred) ** 2)


def own(sign):
    keras.utils.set_random_seed(0)
    model = Own(sign)
    model.compile(keras.optimizers.Adam(0.01))
    return model


@pytest.mark.parametrize(("sign", "sense"), [(1.0, "right"), (-1.0, "wrong")])
def test_what_compute_loss_rewards(sign, sense):
    model = own(sign)
    model(X[:1])
    facts = truth_of_own_loss(model, X, Y, Y.shape, None)
    assert loss_sense(facts) == sense
    model.compile("sgd", "mse")  # of two losses it is not known which counts
    assert truth_of_own_loss(model, X, Y, Y.shape, None) is None


class Counting(Own):
    """Keeps what it was asked, in lists and dictionaries of its own and a layer's."""

    def __init__(self, sign):
        super().__init__(sign)
        self.asked, self.schedule, self.calls = [], {"step": 0}, 0
        self.hidden.seen = []

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **_):
        self.asked.append(1)
        self.schedule["step"] += 1
        self.hidden.seen.append(1)
        self.calls += 1
        return self.sign * ops.mean((y - y_pred) ** 2)


def counted(watched):
    model = Counting(1.0)
    model.compile("adam", run_eagerly=True)
    doctor = kd.callbacks.TrainingDoctor(X, Y, verbose=0)
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[doctor] if watched else [])
    seen = len(model.asked), model.schedule["step"], len(model.hidden.seen)
    return (*seen, model.calls)


@pytest.mark.once
def test_what_a_loss_keeps_stays_as_it_is():
    assert counted(watched=True) == counted(watched=False)


@pytest.mark.once
def test_a_fit_of_the_wrong_sign():
    assert finding(diagnosed(own(-1.0), X, Y), "disagreeing_loss")
    assert not finding(diagnosed(own(1.0), X, Y), "disagreeing_loss")


class Spread(L.Layer):
    """Adds the size of its inputs to the loss."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, inputs):
        self.add_loss(self.factor * ops.mean(inputs**2))
        return inputs


@pytest.mark.once
@pytest.mark.parametrize("factor", [-1.0, 0.001])
def test_an_added_term_without_an_end(factor):
    keras.utils.set_random_seed(0)
    layers = [L.Dense(16, "relu"), Spread(factor), L.Dense(2)]
    model = keras.Sequential([keras.Input((5,)), *layers])
    model.compile(keras.optimizers.Adam(0.05), "mse")
    found = finding(diagnosed(model, X, Y, epochs=20), "disagreeing_loss")
    assert bool(found) == (factor < 0)
    assert not found or "add_loss" in found.message


def weighted(weights, *, epochs=20, rate=0.05):
    keras.utils.set_random_seed(0)
    labels = np.random.default_rng(1).integers(0, 2, len(X))
    model = keras.Sequential([keras.Input((5,)), L.Dense(32, "relu")])
    model.add(L.Dense(2, "softmax"))
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    given = {"sample_weight": weights.astype("float32"), "epochs": epochs}
    found = diagnosed(model, X, labels, **given)
    return [one.severity for one in found if one.name == "disagreeing_loss"]


ADVANTAGES = np.random.default_rng(2).normal(size=len(X))


@pytest.mark.once
def test_negative_weights():
    assert weighted(np.abs(ADVANTAGES)) == []
    few = np.where(np.arange(len(X)) % 5, 1.0, -1.0)
    assert weighted(few, epochs=40) == ["warning"]


@pytest.mark.once
def test_advantages_are_a_note_until_predictions_collapse():
    assert set(weighted(ADVANTAGES, epochs=8, rate=0.02)) <= {"info"}
    assert weighted(ADVANTAGES, epochs=12) == ["info"]
    assert weighted(ADVANTAGES, epochs=60) == ["critical"]


def test_targets_that_are_the_steps_of_the_input():
    assert copy_of(WORDS, [("words", WORDS)]) == "words"
    assert copy_of(WORDS[..., None], [("words", WORDS)]) == "words"
    assert copy_of(WORDS[:, 1:], [("words", WORDS[:, :-1])]) is None
    assert copy_of(WORDS, [("words", WORDS), ("other", WORDS)]) is None
    hidden = np.where(RNG.random(WORDS.shape) < 0.15, 0, WORDS)
    assert copy_of(WORDS, [("words", hidden)]) is None
    assert copy_of(0 * WORDS, [("words", 0 * WORDS)]) is None


class Blanks(L.Layer):
    """Leaves out some symbols while it is trained."""

    def call(self, inputs, training=False):
        if not training:
            return inputs
        kept = ops.cast(keras.random.uniform(ops.shape(inputs)) > 0.1, inputs.dtype)
        return inputs * kept


LAYERS = {
    "of one direction": lambda x: L.GRU(16, return_sequences=True)(x),
    "of both": lambda x: L.Bidirectional(L.GRU(16, return_sequences=True))(x),
    "of symbols": lambda x: L.Dense(16, "relu")(x),
    "that restores": lambda x: L.GRU(16, return_sequences=True)(L.Dropout(0.1)(x)),
}
COUNTED = (RNG.integers(0, 8, (96, 1)) + np.arange(10)) % 8 + 1


def same_step(kind, x, epochs):
    """Return what is said of a model that gets its input as its target."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((10,), dtype="int32")
    words = inputs
    if kind == "that shifts":
        words = ops.pad(words[:, :-1], ((0, 0), (1, 0)))
    if kind == "that fills blanks":
        words = Blanks()(words)
    layers = LAYERS.get(kind, LAYERS["of one direction"])
    hidden = layers(L.Embedding(9, 16)(words))
    model = keras.Model(inputs, L.Dense(9, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.03), "sparse_categorical_crossentropy")
    return diagnosed(model, x, x, epochs=epochs)


def leak(diagnosis):
    """Return the severity of a leak, None for none."""
    found = (one.severity for one in diagnosis if one.name == "target_leakage")
    return next(found, None)


@pytest.mark.once
@pytest.mark.parametrize(
    ("kind", "severity"),
    [
        ("of one direction", "warning"),
        ("that shifts", None),  # it cannot see the step that it predicts
        ("that fills blanks", "info"),
        ("of both", None),  # an autoencoder sees all steps
    ],
)
def test_a_language_model_of_the_same_step(kind, severity):
    said = same_step(kind, COUNTED, 15)
    assert said.record.tables["probe"]["skill"][-1, 0] > 0.9
    assert leak(said) == severity


@pytest.mark.once
@pytest.mark.parametrize("kind", ["of symbols", "that restores"])
def test_codes_of_symbols_are_no_language_models(kind):
    assert leak(same_step(kind, WORDS, 25)) == "info"


def actions(*, chosen):
    """Rows with one number each, in a column that inputs tell or do not tell."""
    column = X[:, :3].argmax(axis=1) if chosen else RNG.integers(0, 3, len(X))
    y = np.zeros((len(X), 3), "float32")
    y[np.arange(len(X)), column] = 2 + 0.1 * X[:, 3]
    return y


def test_rows_with_one_number():
    assert target_facts(actions(chosen=False)).one_entry
    assert not target_facts(Y).one_entry
    assert not target_facts(actions(chosen=False)[:, :2]).one_entry
    assert not target_facts(np.eye(3)[[0, 1, 2] * 20]).one_entry  # classes
    first = actions(chosen=False) * np.array([1, 0, 0])
    assert not target_facts(first + np.array([0, 0, 1e-9])).one_entry


@pytest.mark.once
@pytest.mark.parametrize("chosen", [False, True])
def test_zeros_for_what_is_not_known(chosen):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((5,)), L.Dense(32, "relu"), L.Dense(3)])
    model.compile(keras.optimizers.Adam(0.02), "mse")
    diagnosis = diagnosed(model, X, actions(chosen=chosen))
    found = [one for one in diagnosis if one.name == "loss_target_mismatch"]
    # claims by peril look the same, of which zeros are amounts: it is a note only
    assert [one.severity for one in found] == ([] if chosen else ["info"])
    assert chosen or "was not predicted" in found[0].message


def test_a_fault_of_the_loss_comes_before_zeros():
    model = keras.Sequential([keras.Input((5,)), L.Dense(3)])
    model.compile("adam", "mape")
    diagnosis = diagnosed(model, X, actions(chosen=False), epochs=3)
    found = finding(diagnosis, "loss_target_mismatch")
    assert "divides by the target" in found.message
