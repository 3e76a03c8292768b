"""How predictions answer to changes, held against models that are known to."""

import keras
import numpy as np
import pytest
from keras import layers as L
from keras import ops
from made_runs import made_run

import keras_dlbasic as kd
from keras_dlbasic._keras.padding_masks import makes_masks
from keras_dlbasic._keras.softmax_over_one import softmax_over_one
from keras_dlbasic.inspection.network_facts import network_facts
from keras_dlbasic.inspection.reordered_steps import reordered_steps
from keras_dlbasic.inspection.respond import respond
from keras_dlbasic.inspection.response_facts import NextStep, response_facts

IDS = np.random.default_rng(0).integers(0, 20, (40, 6))


def of_words(head):
    inputs = keras.Input((6,), dtype="int32")
    return keras.Model(inputs, head(L.Embedding(20, 8)(inputs)))


def asked(model, x=IDS, **options):
    return response_facts(model, x, sequences=(0,), **options)


def attention(**options):
    return lambda h: L.Dense(5)(L.MultiHeadAttention(2, 4)(h, h, **options))


@pytest.mark.parametrize(
    ("head", "knows_order"),
    [
        (attention(), False),
        (lambda h: L.Dense(1)(L.GlobalMaxPooling1D()(h)), False),
        (lambda h: L.Dense(1)(L.GRU(4)(h)), True),
        (lambda h: L.Dense(1)(L.GlobalMaxPooling1D()(L.Conv1D(8, 2)(h))), True),
        (lambda h: L.Dense(1)(L.Flatten()(h)), True),
    ],
)
def test_whether_a_model_knows_the_order_of_steps(head, knows_order):
    assert (asked(of_words(head)).order > 1e-3) == knows_order


@pytest.mark.parametrize(
    ("head", "looks_ahead"),
    [
        (attention(), True),
        (attention(use_causal_mask=True), False),
        (lambda h: L.Conv1D(5, 3, padding="same")(h), True),
        (lambda h: L.Conv1D(5, 3, padding="causal")(h), False),
        (lambda h: L.Bidirectional(L.GRU(4, return_sequences=True))(h), True),
        (lambda h: L.GRU(4, return_sequences=True)(h), False),
    ],
)
def test_whether_a_step_sees_later_ones(head, looks_ahead):
    found = asked(of_words(head), ahead=NextStep(source=0, output=0, steps=6))
    assert (found.later_steps > 1e-3) == looks_ahead


@pytest.mark.parametrize(
    ("head", "mixes"),
    [
        (lambda h: L.Dense(2)(L.Softmax(axis=0)(L.Flatten()(h))), True),
        (lambda h: L.Dense(2)(L.BatchNormalization()(L.Flatten()(h))), False),
        (lambda h: L.Dense(2)(L.LayerNormalization()(L.Flatten()(h))), False),
    ],
)
def test_whether_rows_of_a_batch_are_mixed(head, mixes):
    assert (asked(of_words(head)).other_rows > 1e-3) == mixes


class Dropping(keras.Model):
    """A model that drops units in training, or always."""

    def __init__(self, dropout, always=True):
        super().__init__()
        self.hidden, self.out = L.Dense(32, "relu"), L.Dense(2)
        self.dropout, self.always = dropout, always

    def call(self, inputs, training=False):
        hidden = self.hidden(inputs)
        drops = True if self.always else training
        return self.out(self.dropout(hidden, training=drops))


def built(model):
    model(np.zeros((2, 4), "float32"))
    return model


def test_dropout_that_drops_in_prediction(rng):
    x = rng.normal(size=(40, 4)).astype("float32")
    found = response_facts(built(Dropping(L.Dropout(0.5, name="drop"))), x)
    assert found.noise > 0.05
    assert found.dropping == "drop"
    assert np.isnan(found.other_rows)  # hidden by what is drawn
    still = response_facts(built(Dropping(L.Dropout(0.5), always=False)), x)
    assert (still.noise, still.dropping) == (0.0, None)


def test_dropout_on_purpose_is_not_held_against_a_model(rng):
    x = rng.normal(size=(40, 4)).astype("float32")
    own = kd.layers.Dropout(0.5, monte_carlo=True)
    assert response_facts(built(Dropping(own)), x).dropping is None


def test_the_state_of_the_model_stays(rng):
    model = built(Dropping(L.Dropout(0.5)))
    before = [ops.convert_to_numpy(v.value) for v in model.variables]
    response_facts(model, rng.normal(size=(40, 4)).astype("float32"))
    after = [ops.convert_to_numpy(v.value) for v in model.variables]
    assert all((a == b).all() for a, b in zip(before, after, strict=True))


def test_outputs_that_are_all_alike_and_too_few_rows(rng):
    model = built(Dropping(L.Dropout(0.0), always=False))
    alike = response_facts(model, np.ones((40, 4), "float32"))
    assert np.isnan(alike.other_rows)
    assert np.isnan(alike.spread)
    assert np.isnan(response_facts(model, np.ones((3, 4), "float32")).noise)


def test_what_numbers_the_steps_keeps_its_place(rng):
    """Positions and times tell the order, whatever is done to the words."""
    places = np.tile(np.arange(6), (40, 1))
    found = reordered_steps([IDS, places], (0, 1))
    assert (found.leaves[0] != IDS).any()
    assert (found.leaves[1] == places).all()
    pairs = np.stack([rng.normal(size=(40, 6)), rng.random((40, 6)).cumsum(1)], -1)
    assert (reordered_steps([pairs], (0,)).leaves[0][..., 1] == pairs[..., 1]).all()


def test_what_has_no_order_is_not_asked_about(rng):
    fields = rng.integers(0, 5, (40, 4)) + 10 * np.arange(4)  # ids of several tables
    assert reordered_steps([fields], (0,)) is None
    assert reordered_steps([np.ones((40, 6))], (0,)) is None
    assert reordered_steps([IDS, rng.normal(size=(40, 3))], (0,)) is None
    assert reordered_steps([IDS], (0,), steps=2) is None  # the rest is padding


def test_padding_stays_at_the_end():
    x = np.where(np.arange(6) < 4, IDS + 1, 0)
    found = reordered_steps([x], (0,), steps=4)
    assert (found.leaves[0][:, 4:] == 0).all()
    assert (found.leaves[0] != x).any()


def trained_on(model, x, y, loss, epochs=1):
    keras.utils.set_random_seed(0)
    model.compile("sgd", loss)
    doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)
    model.fit(x, y, epochs=epochs, verbose=0, callbacks=[doctor])
    return doctor


def answer(doctor):
    return doctor.record.facts.probe.response


def test_inputs_by_name_in_any_order(rng):
    """A translator reads all of the source, and of its own words only those before."""
    source = keras.Input((6,), name="source", dtype="int32")
    own = keras.Input((5,), name="own", dtype="int32")
    read = L.GRU(4)(L.Embedding(20, 4)(source))
    hidden = L.GRU(4, return_sequences=True)(
        L.Embedding(20, 4)(own), initial_state=read
    )
    model = keras.Model([source, own], L.Dense(20, "softmax")(hidden))
    x = {"source": IDS, "own": IDS[:, :-1]}  # in the order of names it is the other
    doctor = trained_on(model, x, IDS[:, 1:], "sparse_categorical_crossentropy")
    assert answer(doctor).later_steps == pytest.approx(0.0, abs=1e-4)
    assert answer(doctor).order > 1e-3
    assert "target_leakage" not in doctor.diagnosis.names


def test_a_second_output_without_steps(rng):
    """Beside its words, a model gives a vector of the whole text."""
    inputs = keras.Input((5,), dtype="int32")
    hidden = L.GRU(8, return_sequences=True)(L.Embedding(20, 4)(inputs))
    whole = L.Dense(16, name="whole")(L.GlobalAveragePooling1D()(hidden))
    words = L.Dense(20, "softmax", name="words")(hidden)
    model = keras.Model(inputs, {"whole": whole, "words": words})
    y = {"whole": rng.normal(size=(40, 16)), "words": IDS[:, 1:]}
    losses = {"whole": "mse", "words": "sparse_categorical_crossentropy"}
    doctor = trained_on(model, IDS[:, :-1], y, losses)
    assert answer(doctor).later_steps == pytest.approx(0.0, abs=1e-4)


class Compares(keras.Model):
    """Two towers whose output is how alike each row is to each other row."""

    def __init__(self):
        super().__init__()
        self.tower = L.Dense(3)

    def call(self, inputs):
        one = self.tower(inputs)
        return {"alike": ops.matmul(one, ops.transpose(one)), "size": ops.mean(one**2)}


class AlwaysDrops(L.Dropout):
    """Monte-Carlo dropout as textbooks write it."""

    def call(self, inputs, training=None):
        return super().call(inputs, training=True)


def test_models_that_are_meant_so(rng):
    x = rng.normal(size=(40, 4)).astype("float32")
    alike = response_facts(built(Compares()), x)
    assert np.isnan(alike.other_rows)
    assert response_facts(built(Dropping(AlwaysDrops(0.5))), x).dropping is None


class DroppingCell(L.SimpleRNNCell):
    """A cell with a dropout layer inside, which runs in a loop of the backend."""

    def __init__(self, units):
        super().__init__(units)
        self.drop = L.Dropout(0.5)

    def call(self, inputs, states, training=False):
        return super().call(self.drop(inputs, training=True), states, training=training)


def test_dropout_in_a_loop_does_no_harm():
    model = of_words(lambda h: L.Dense(1)(L.RNN(DroppingCell(4))(h)))
    found = respond(model, IDS, kd.records.TrainingRecord())
    if keras.backend.backend() == "jax" and found is None:
        return  # there the seed of Keras' own dropout does not come out of the loop
    assert found is not None
    assert found.noise > 0.05


def test_a_model_that_cannot_be_asked_is_left_out(rng):
    x = rng.normal(size=(40, 4)).astype("float32")
    record = kd.records.TrainingRecord()
    assert respond(built(Dropping(L.Dropout(0.5))), x[:, :2], record) is None


@pytest.mark.parametrize(
    ("layer", "spreads"),
    [
        (L.Dense(8, kernel_initializer="zeros", bias_initializer="ones"), False),
        (L.Dense(8), True),
    ],
)
def test_how_far_outputs_differ_from_row_to_row(rng, layer, spreads):
    model = keras.Sequential([keras.Input((4,)), layer])
    found = response_facts(model, rng.normal(size=(24, 4)).astype("float32")).spread
    assert found > 0.5 if spreads else found < 1e-6


def test_the_spread_is_a_share_of_the_size(rng):
    far = keras.initializers.Constant(1000.0)
    model = keras.Sequential([keras.Input((4,)), L.Dense(8, bias_initializer=far)])
    x = rng.normal(size=(24, 4)).astype("float32")
    assert response_facts(model, x).spread < 0.01


def test_single_numbers_have_no_spread(rng):
    model = keras.Sequential([keras.Input((4,)), L.Dense(1)])
    x = rng.normal(size=(24, 4)).astype("float32")
    assert np.isnan(response_facts(model, x).spread)


@pytest.mark.once
@pytest.mark.parametrize(
    ("layer", "shape", "is_one"),
    [
        (L.Dense(1, activation="softmax"), (6, 3), True),
        (L.Dense(2, activation="softmax"), (6, 3), False),
        (L.Dense(1, activation="sigmoid"), (6, 3), False),
        (L.Softmax(), (6, 1), True),
        (L.Softmax(axis=1), (6, 1), False),
        (L.Softmax(), (1,), False),  # a single score a row: no steps to choose from
    ],
)
def test_a_softmax_over_a_single_entry(layer, shape, is_one):
    inputs = keras.Input(shape)
    keras.Model(inputs, layer(inputs))
    assert softmax_over_one(layer) == is_one


@pytest.mark.once
def test_whether_padding_is_masked():
    def masked(is_masked):
        layers = [L.Embedding(9, 4, mask_zero=is_masked), L.GRU(3)]
        return keras.Sequential([keras.Input((5,), dtype="int32"), *layers])

    assert makes_masks(masked(True)) is True
    assert makes_masks(masked(False)) is False
    assert makes_masks(built(Dropping(L.Dropout(0.1)))) is None


class OverRows(keras.Model):
    """Takes rows for steps, as a model that wants time first."""

    def __init__(self):
        super().__init__()
        self.run = L.GRU(4, return_sequences=True)

    def call(self, x):
        return self.run(keras.ops.transpose(x, (1, 0, 2)))[-1]


def test_a_recurrence_over_the_rows_depends_on_those_before():
    x = np.random.default_rng(0).normal(size=(8, 3, 2)).astype("float32")
    model = OverRows()
    model(x)
    assert response_facts(model, x).other_rows > 0.01


@pytest.mark.parametrize(("axis", "named"), [(0, True), (1, False)])
def test_a_good_model_is_asked_for_other_rows_if_it_has_layers_of_its_own(axis, named):
    class Attend(L.Layer):
        def call(self, x):
            return keras.ops.sum(keras.ops.softmax(x, axis=axis) * x, axis=1)

    rng = np.random.default_rng(1)
    x = rng.normal(size=(160, 6, 2)).astype("float32")
    inputs = keras.Input((6, 2))
    model = keras.Model(inputs, L.Dense(1)(Attend()(inputs)))
    model.compile("adam", "mse")
    record = made_run(skill=0.99)
    record.note(model=network_facts(model))
    found = respond(model, x, record)
    assert not found.not_needed
    assert (found.other_rows > 0.01) is named
    plain = keras.Sequential([keras.Input((6, 2)), L.Flatten(), L.Dense(1)])
    record.note(model=network_facts(plain))
    assert respond(plain, x, record).not_needed


class Summed(keras.Model):
    def __init__(self, rate):
        super().__init__()
        self.drop = L.Dropout(rate, name="drop")
        self.total = L.Dense(1, kernel_initializer="ones", use_bias=False)

    def call(self, inputs):
        return self.total(self.drop(inputs, training=True))


def test_what_dropout_costs_in_prediction(rng):
    """The counterfactual: the same weights on the same rows, with dropout off."""
    x = rng.normal(size=(256, 4)).astype("float32")
    model = Summed(0.5)
    model.compile(keras.optimizers.SGD(0.0), "mse")
    doctor = kd.callbacks.TrainingDoctor(x, x.sum(axis=1), verbose=0)
    model.fit(x, x.sum(axis=1), epochs=2, verbose=0, callbacks=[doctor])
    np.testing.assert_array_equal(model.get_weights()[0], np.ones((4, 1)))
    found = doctor.record.facts.probe.response
    assert found.skill_without == pytest.approx(1.0)
    # half of the entries twice as large: the error has the variance of the targets
    assert found.loss - found.loss_without == pytest.approx(4.0, rel=0.6)
    assert found.skill < 0.5
    (finding,) = [f for f in doctor.diagnosis if f.name == "random_at_inference"]
    assert finding.severity == "warning"
    assert "With dropout off, the skill on training samples is 1.00" in finding.message
