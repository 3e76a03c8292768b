"""Outputs with a limit, class numbers as sizes, and layers that get no gradient."""

import warnings

import keras
import numpy as np
import pytest
from keras import ops
from made_runs import STUCK, edited_facts, made_run

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import Finding, Run
from keras_dlbasic.diagnosis.classes_as_sizes import treats_classes_as_sizes
from keras_dlbasic.diagnosis.rules.constant_predictions import constant_predictions
from keras_dlbasic.diagnosis.rules.frozen_layers import frozen_layers
from keras_dlbasic.diagnosis.rules.poor_initialization import poor_initialization
from keras_dlbasic.diagnosis.rules.rows_mixed import rows_mixed
from keras_dlbasic.diagnosis.rules.slow_convergence import _told
from keras_dlbasic.diagnosis.rules.vanishing_gradients import vanishing_gradients
from keras_dlbasic.records import MEASURES

L = keras.layers
RNG = np.random.default_rng(0)


def watched(model, x, y, **fit):
    doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)
    model.fit(x, y, verbose=0, callbacks=[doctor], **fit)
    return doctor.diagnosis


def towers(scale):
    """Return a fit of a product of normalized vectors, which is at most 1."""
    keras.utils.set_random_seed(0)
    a, b = (RNG.normal(size=(640, 4)).astype("float32") for _ in range(2))
    cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    inputs = [keras.Input((4,)), keras.Input((4,))]
    units = [L.UnitNormalization()(L.Dense(8)(one)) for one in inputs]
    model = keras.Model(inputs, L.Dot(axes=1)(units))
    model.compile(keras.optimizers.Adam(0.02), "mse")
    y = (cosine if scale else 3 + 2 * cosine).astype("float32")[:, None]
    return watched(model, [a, b], y, epochs=15)


@pytest.mark.once
def test_values_beyond_what_a_cosine_gives():
    found = towers(scale=False)
    assert found[0].name == "output_activation_mismatch"
    assert "limits the output" in found[0].message
    assert "Dense(1)" in str(found[0].remedies[0])
    assert not towers(scale=True).at_least("warning")


@pytest.mark.once
def test_a_bias_on_its_way_to_the_targets_has_no_limit():
    """At a low rate, predictions are alike and far away, too."""
    x = RNG.normal(size=(320, 4)).astype("float32")
    y = (30 + x[:, :1]).astype("float32")
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), L.Dense(8, "relu"), L.Dense(1)])
    model.compile(keras.optimizers.Adam(0.001), "mse")
    names = watched(model, x, y, epochs=15).names
    assert "output_activation_mismatch" not in names


def as_numbers(**changes):
    """Return a run that predicts class numbers by mse and compiles an accuracy."""
    known = {
        "kind": "whole_numbers",
        "distinct": [0, 1, 2, 3],
        "frequencies": [0.25] * 4,
        "n_columns": 1,
        "min": 0.0,
        "max": 3.0,
    }
    metrics = changes.pop("metrics", ["accuracy"])
    units = changes.pop("units", 1)
    loss = changes.pop("loss", "mse")
    facts = {"loss": loss, "metrics": metrics}
    record = made_run(targets={**known, **changes}, facts=facts)
    with edited_facts(record) as told:
        told["network"]["outputs"][0].update(activation=None, units=units)
    return record


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, True),
        ({"metrics": ["mae"]}, False),
        ({"metrics": None}, False),
        ({"metrics": ["accuracy", "mae"]}, False),  # grades
        ({"distinct": [0, 2, 4, 6]}, False),
        ({"distinct": [1, 2, 3, 4]}, False),
        ({"distinct": [0, 1], "frequencies": [0.5, 0.5]}, False),
        ({"frequencies": [0.9, 0.06, 0.02, 0.02]}, False),
        ({"kind": "continuous"}, False),
        ({"units": 4}, False),
        ({"loss": "sparse_categorical_crossentropy"}, False),
    ],
)
def test_class_numbers_are_sizes_only_where_an_accuracy_is_asked_for(changes, said):
    record = as_numbers(**changes)
    assert treats_classes_as_sizes(Run(record)) is said
    if said:
        assert kd.diagnose(record)[0].name == "loss_target_mismatch"
        assert "units=4" in str(kd.diagnose(record)[0].remedies[0])


class Picks(L.Layer):
    """Picks the step with the highest score, or weighs all steps by it."""

    def __init__(self, hard):
        super().__init__()
        self.hard, self.score = hard, L.Dense(1)

    def call(self, x):
        scores = self.score(x)[..., 0]
        weights = ops.softmax(4 * scores, axis=-1)
        if self.hard:
            weights = ops.one_hot(ops.argmax(scores, axis=-1), x.shape[1])
        return ops.sum(x * weights[..., None], axis=1)


@pytest.mark.once
@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@pytest.mark.parametrize("hard", [False, True])
def test_a_layer_amid_others_that_gets_no_gradient(hard):
    keras.utils.set_random_seed(0)
    x = RNG.normal(size=(640, 8, 4)).astype("float32")
    place = RNG.integers(8, size=640)
    x[..., 0] = 0
    x[np.arange(640), place, 0] = 3
    y = x[np.arange(640), place, 1:2]
    layers = [L.Dense(16, "tanh"), Picks(hard), L.Dense(16, "relu"), L.Dense(1)]
    model = keras.Sequential([keras.Input((8, 4)), *layers])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    found = {f.name: f for f in watched(model, x, y, epochs=15)}
    assert ("zero_gradients" in found) is hard
    if hard:
        assert found["zero_gradients"].severity != "info"
        assert "No gradient reaches layer 'picks" in found["zero_gradients"].message


def test_mixed_rows_are_worth_what_comes_of_them():
    """They come before the size of a model where validation fails."""
    for change, risk in ((0.5, "critical"), (0.05, "warning")):
        record = made_run()
        with edited_facts(record) as facts:
            facts["probe"]["response"] = {"other_rows": change}
        found = rows_mixed(Run(record))
        assert isinstance(found, Finding)
        assert found.risk == risk


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_other_activations_are_advised_where_slopes_are_small(activation):
    change = {"first": {"activation": activation}, "second": {"activation": "relu"}}
    found = vanishing_gradients(Run(made_run(gradients=(1e-5, 1e-2, 1.0), **change)))
    texts = " ".join(map(str, found.remedies))
    assert ("sigmoid and tanh" in texts) is (activation == "sigmoid")


def test_what_rows_tell_is_asked_first_where_predictors_find_nothing():
    for reference, first in ((0.0, "look at ten rows"), (0.8, "learning rate")):
        found = kd.diagnose(made_run(reference=reference, **STUCK))
        (one,) = [f for f in found if f.name == "plateau"]
        assert first in str(one.remedies[0])


def test_falls_are_told_in_words_that_fit():
    assert _told(0.1) == "10.00% of"
    assert _told(21.3989) == "21.4 times"


def test_weights_of_a_frozen_base_are_looked_at_first():
    changes = {"first": {"trainable": False, "n_weights": 9000}}
    found = frozen_layers(Run(made_run(**changes)))
    assert isinstance(found, Finding)
    assert "pretrained" in str(found.remedies[0])
    assert "trainable = True" in str(found.remedies[1])


@pytest.mark.once
def test_the_median_is_no_limit():
    """Of a loss of absolute errors, zero is right where most targets are zero."""
    keras.utils.set_random_seed(0)
    x = RNG.normal(size=(640, 5)).astype("float32")
    y = np.where(RNG.random((640, 1)) < 0.62, 0, RNG.gamma(2, 5, (640, 1)))
    model = keras.Sequential([keras.Input((5,)), L.Dense(16, "relu"), L.Dense(1)])
    model.compile(keras.optimizers.Adam(0.003), "mae")
    found = watched(model, x, y.astype("float32"), epochs=15)
    assert "output_activation_mismatch" not in found.names


def test_layers_beside_an_output_without_a_loss_are_not_blocked():
    """They may belong to it; so where there are two outputs nothing is said."""
    keras.utils.set_random_seed(0)
    x = RNG.normal(size=(320, 6)).astype("float32")
    y = RNG.integers(0, 2, 320)
    inputs = keras.Input((6,))
    hidden = L.Dense(16, "relu")(inputs)
    beside = L.Dense(4, name="embedding")(L.Dense(8, name="projected")(hidden))
    outputs = {"e": beside, "c": L.Dense(1, "sigmoid")(L.Dense(8, "relu")(hidden))}
    model = keras.Model(inputs, outputs)
    model.compile("adam", {"c": "binary_crossentropy"})
    doctor = kd.callbacks.TrainingDoctor(x, {"c": y}, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Keras: no gradient for some
        model.fit(x, {"c": y}, epochs=5, verbose=0, callbacks=[doctor])
    assert "zero_gradients" not in doctor.diagnosis.names


def kept_away(**changes):
    """Return a run whose predictions end nearly alike, far from the targets."""
    falling = 5.4 + 8 * np.exp(-np.arange(20.0))
    known = {"loss": falling, "end_loss": 5.4, "skill": -3.0, "spread": 1e-4}
    known["ratio"] = 0.01
    targets = {"kind": "continuous", "std": 1.2, "mean": 3.0, "n_columns": 1}
    facts = {"loss": "mse"}
    record = made_run(targets=targets, facts=facts, **{**known, **changes})
    with edited_facts(record) as told:
        told["network"]["outputs"][0].update(activation=None, units=1)
    found = [f for f in kd.diagnose(record) if f.name == "output_activation_mismatch"]
    return bool(found)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, True),
        ({"skill": -0.2}, False),
        ({"spread": 0.5}, False),
        ({"ratio": 1e-6}, False),  # weights that stay where they are
        ({"loss": 1.5 + 8 * np.exp(-np.arange(20.0)), "end_loss": 1.5}, False),
        ({"loss": np.linspace(5.45, 5.4, 20)}, False),  # still on a long way
        ({"loss": np.geomspace(13, 5.4, 20)}, False),  # still falling
    ],
)
def test_a_limit_needs_all_of_its_evidence(changes, said):
    assert kept_away(**changes) is said


def test_no_gradient_in_a_run_that_learns_in_part_is_a_warning():
    record = made_run(end_loss=0.9, skill=0.3, reference=0.35)
    for measure in ("gradient_norm", "max_abs_gradient"):
        record._rows.measures[:, MEASURES.index(measure), 1] = 0.0
    (found,) = [f for f in kd.diagnose(record) if f.name == "zero_gradients"]
    assert found.severity == "warning"


@pytest.mark.parametrize("activation", ["relu", "custom"])
def test_weights_for_an_activation_of_the_user_may_be_small(activation):
    first = {"activation": activation, "gain": 1e-3, "kernel_rms": 1e-4}
    verdict = poor_initialization(Run(made_run(first=first)))
    assert isinstance(verdict, Finding) is (activation == "relu")


def test_constant_predictions_ask_for_pairs_where_predictors_find_nothing():
    for reference, first in ((0.0, "look at ten rows"), (0.8, "learning rate")):
        record = made_run(reference=reference, spread=1e-5, **STUCK)
        verdict = constant_predictions(Run(record))
        assert isinstance(verdict, Finding)
        assert first in str(verdict.remedies[0])
