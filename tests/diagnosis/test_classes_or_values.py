"""Only the loss and the output say whether numbers are classes.

Each kind of healthy program that used to be blamed stands beside a faulty one that
looks alike and must still be found.
"""

import keras
import numpy as np
import pytest
from made_runs import STUCK, data, edited_facts, made_run

import keras_dlbasic as kd
from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.inspection.collect import data_facts
from keras_dlbasic.studies.fitted_trial import score

L = keras.layers
RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 6)).astype("float32")
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
TRAIN, VALIDATION = slice(0, 300), slice(300, 400)
SPARSE = "sparse_categorical_crossentropy"
OUT = {"name": "out", "activation": None, "units": 1, "rank": 2}


def plan(model, x, y, loss):
    """Return what `preflight` says of a model under a loss."""
    model.compile(optimizer="adam", loss=loss)
    held_out = (x[VALIDATION], y[VALIDATION])
    return kd.preflight(model, x[TRAIN], y[TRAIN], validation_data=held_out, epochs=50)


def dense(units, activation):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [keras.Input((6,)), L.Dense(16, "relu"), L.Dense(units, activation)]
    )


def serious(diagnosis):
    return [finding.name for finding in diagnosis.at_least("warning")]


# -- whole numbers that are values ---------------------------------------------------

COUNTS = RNG.poisson(np.exp(1 + 0.4 * X[:, 0])).astype("float32")
AGES = np.round(4 * X[:, 0] + RNG.normal(size=400)).astype("float32")
AGES[350] = AGES.max() + 3  # a value that occurs in validation only


def pinball(y_true, y_pred):
    error = y_true - y_pred
    return keras.ops.mean(keras.ops.maximum(0.9 * error, -0.1 * error), axis=-1)


@pytest.mark.parametrize(
    ("loss", "activation", "y"),
    [
        ("poisson", "exponential", COUNTS),
        ("mse", None, AGES),
        ("mae", None, AGES),
        (keras.losses.Huber(), None, AGES),
        (pinball, None, AGES),
    ],
    ids=["poisson", "mse", "mae", "huber", "quantile"],
)
def test_whole_numbers_under_a_loss_of_values_are_no_classes(loss, activation, y):
    diagnosis = plan(dense(1, activation), X, y, loss)
    assert serious(diagnosis) == []
    assert "classes" not in str(diagnosis.at_least("info"))


def test_classes_missing_from_sorted_data_are_found():
    order = np.argsort(LABELS, kind="stable")
    for y, loss in (
        (LABELS, SPARSE),
        (np.eye(3)[LABELS], "categorical_crossentropy"),
    ):
        diagnosis = plan(dense(3, "softmax"), X[order], y[order], loss)
        assert "unrepresentative_validation" in serious(diagnosis)
    binary = (LABELS > 1)[order]
    diagnosis = plan(dense(1, "sigmoid"), X[order], binary, "binary_crossentropy")
    assert "unrepresentative_validation" in serious(diagnosis)


def test_a_rare_count_is_no_rare_class():
    shares = {"frequencies": [0.97, 0.03], "max": 1.0, "kind": "whole_numbers"}
    facts = {"loss": "poisson"}
    values = made_run(targets=shares, facts=facts, **STUCK)
    with edited_facts(values) as known:
        known["network"]["outputs"] = [{**OUT, "activation": "exponential"}]
    assert "imbalanced_classes" not in kd.diagnose(values).names
    classes = made_run(targets=shares, **STUCK)
    assert "imbalanced_classes" in kd.diagnose(classes).names


def test_class_numbers_under_squared_error_on_a_softmax():
    diagnosis = plan(dense(3, "softmax"), X, LABELS.astype("float32"), "mse")
    found = next(f for f in diagnosis if f.name == "loss_target_mismatch")
    assert found.severity == "critical"
    assert found.remedies[0].kwargs["loss"] == SPARSE


def test_values_under_a_sigmoid_are_out_of_its_reach():
    assert "output_activation_mismatch" in serious(
        plan(dense(1, "sigmoid"), X, COUNTS, "mse")
    )


# -- targets with axes ---------------------------------------------------------------


def segmentation(classes=3):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            L.Conv2D(8, 3, padding="same", activation="relu"),
            L.Conv2D(classes, 1, activation="softmax"),
        ]
    )


IMAGES = RNG.normal(size=(400, 6, 6, 1)).astype("float32")
MASKS = np.digitize(IMAGES[..., 0], [-0.5, 0.5])


@pytest.mark.parametrize("masks", [MASKS, MASKS[..., None]], ids=["hw", "hw1"])
def test_segmentation_of_class_numbers(masks):
    diagnosis = plan(segmentation(), IMAGES, masks, SPARSE)
    assert serious(diagnosis) == []
    assert "suits" in diagnosis.checked_fine["loss_target_mismatch"]


def test_segmentation_with_labels_that_have_no_output():
    too_high = plan(segmentation(2), IMAGES, MASKS, SPARSE)
    assert "loss_target_mismatch" in serious(too_high)
    broken = plan(segmentation(), IMAGES, IMAGES[..., 0], SPARSE)
    assert "loss_target_mismatch" in serious(broken)


def tagger(classes=5):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [keras.Input((5, 4)), L.LSTM(8, return_sequences=True), L.Dense(classes)]
    )


def test_tagging_as_many_positions_as_classes_with_padding():
    """Padded positions, whose sample weight is zero, hold a number of no class."""
    x = RNG.normal(size=(400, 5, 4)).astype("float32")
    tags = RNG.integers(0, 5, (400, 5))
    from_logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    assert serious(plan(tagger(), x, tags, from_logits)) == []
    tags[:, 3:] = -1
    ignoring = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, ignore_class=-1
    )
    assert serious(plan(tagger(), x, tags, ignoring)) == []
    weighted = plan(tagger(), x, tags, from_logits)
    assert serious(weighted) == []
    found = next(f for f in weighted if f.name == "loss_target_mismatch")
    assert "padding" in found.message
    tags[0, 0], tags[1, 0] = 7, 9
    assert "loss_target_mismatch" in serious(plan(tagger(), x, tags, ignoring))


def test_class_numbers_for_one_hot_rows_are_the_loss_s_fault_not_the_softmax_s():
    diagnosis = plan(dense(3, "softmax"), X, LABELS, "categorical_crossentropy")
    assert serious(diagnosis)[0] == "loss_target_mismatch"
    assert "output_activation_mismatch" not in diagnosis.names
    columns = RNG.integers(0, 2, (400, 3)).astype("float32")  # not exclusive
    several = plan(dense(3, "softmax"), X, columns, "categorical_crossentropy")
    assert "output_activation_mismatch" in serious(several)


def test_one_hot_rows_for_class_numbers_are_found():
    diagnosis = plan(dense(3, "softmax"), X, np.eye(3)[LABELS], SPARSE)
    assert "loss_target_mismatch" in serious(diagnosis)
    # of a model that does not say the shape of its output
    targets = {"kind": "one_hot", "n_columns": 3, "max": 1.0, "shape": [300, 3]}
    record = made_run(targets=targets)
    with edited_facts(record) as facts:
        facts["network"]["outputs"][0]["rank"] = None
    assert "loss_target_mismatch" in serious(kd.diagnose(record))


def test_facts_of_targets_with_axes():
    outputs = [(None, 6, 6, 3)]
    facts = data_facts(IMAGES, MASKS, output_shapes=outputs).targets[0]
    assert (facts.kind, facts.n_columns) == ("whole_numbers", 1)
    shares = np.bincount(MASKS.ravel()) / MASKS.size
    np.testing.assert_allclose(facts.frequencies, shares)
    assert facts.distinct == (0, 1, 2)
    assert facts.n_rows == 400


def test_records_made_before_the_axes_were_known_are_judged_alike():
    """There the last axis of every target was taken for columns."""
    targets = {"kind": "continuous", "frequencies": None, "max": 2.0}
    record = made_run(targets={**targets, "n_columns": 6, "shape": [400, 6, 6]})
    with edited_facts(record) as facts:
        facts["network"]["outputs"][0]["rank"] = 4
    assert serious(kd.diagnose(record)) == []
    assert "distinct" not in data()["targets"][0]


# -- losses of your own -------------------------------------------------------------


def masked(y_true, y_pred):
    keep = keras.ops.cast(y_true >= 0, "float32")
    labels = keras.ops.maximum(y_true, 0)
    losses = keras.losses.sparse_categorical_crossentropy(
        labels, y_pred, from_logits=True
    )
    return losses * keep


def binary_crossentropy(y_true, y_pred):
    """Has the name of Keras' loss, but takes logits."""
    return keras.ops.mean(keras.ops.softplus(-(2 * y_true - 1) * y_pred), axis=-1)


class CategoricalCrossentropy(keras.losses.Loss):
    """Has the name of Keras' loss, but takes logits."""

    def call(self, y_true, y_pred):
        return keras.losses.categorical_crossentropy(y_true, y_pred, from_logits=True)


@pytest.mark.parametrize(
    ("loss", "units", "y"),
    [
        (masked, 3, np.where(X[:, 2] > 1, -1, LABELS)),
        (binary_crossentropy, 1, (LABELS > 0).astype("float32")),
        (CategoricalCrossentropy(), 3, np.eye(3)[LABELS]),
    ],
    ids=["masked", "function", "class"],
)
def test_a_cross_entropy_of_ones_own_over_logits_is_not_judged(loss, units, y):
    diagnosis = plan(dense(units, None), X, y, loss)
    assert serious(diagnosis) == []
    assert "not known" in diagnosis.skipped["loss_target_mismatch"]
    assert diagnosis.record.facts.probe.scored_as == "unknown"


@pytest.mark.parametrize(
    ("loss", "units", "y"),
    [
        (keras.losses.binary_crossentropy, 1, (LABELS > 0).astype("float32")),
        ("binary_crossentropy", 1, (LABELS > 0).astype("float32")),
        (keras.losses.CategoricalCrossentropy(), 3, np.eye(3)[LABELS]),
    ],
)
def test_keras_own_cross_entropies_take_no_logits(loss, units, y):
    diagnosis = plan(dense(units, None), X, y, loss)
    assert "output_activation_mismatch" in serious(diagnosis)


def distances(y_true, y_pred):
    """A triplet-like loss: each row against the rows of its and of other classes."""
    same = keras.ops.cast(keras.ops.equal(y_true, keras.ops.transpose(y_true)), "bool")
    gaps = keras.ops.sum((y_pred[:, None] - y_pred[None]) ** 2, axis=-1)
    near = keras.ops.mean(keras.ops.where(same, gaps, 0.0), axis=-1)
    far = keras.ops.mean(keras.ops.where(same, 0.0, gaps), axis=-1)
    return keras.ops.softplus(near - far)


def test_embeddings_have_no_score_and_the_report_says_why():
    model = dense(8, None)
    y = LABELS[:, None].astype("float32")
    model.compile(keras.optimizers.Adam(0.002), distances)
    doctor = kd.callbacks.TrainingDoctor(X, y, verbose=0)
    model.fit(X, y, epochs=8, batch_size=100, verbose=0, callbacks=[doctor])
    assert serious(doctor.diagnosis) == []
    assert "score" not in doctor.diagnosis.outcome
    assert "loss" in doctor.diagnosis.skipped["underfitting"]
    assert "x=" not in doctor.diagnosis.skipped["underfitting"]


# -- layers and notes ----------------------------------------------------------------


@pytest.mark.parametrize(
    "hidden",
    [
        L.LSTM(4),
        L.GRU(4),
        L.SimpleRNN(4),
        L.Bidirectional(L.LSTM(4)),
        L.RNN(L.GRUCell(4)),
    ],
    ids=lambda layer: layer.name,
)
def test_recurrent_layers_are_hidden_layers(hidden):
    model = keras.Sequential([keras.Input((3, 2)), hidden, L.Dense(1)])
    diagnosis = plan(model, X.reshape(-1, 3, 2), X[:, 0], "mse")
    assert "model_too_small" not in diagnosis.names


def test_models_without_a_hidden_layer_are_still_small():
    for layers in ([], [L.BatchNormalization()], [L.Dropout(0.1)]):
        model = keras.Sequential([keras.Input((6,)), *layers, L.Dense(1)])
        fine = plan(model, X, X[:, 0], "mse").checked_fine  # known to who made it
        assert "no hidden layer" in fine["model_too_small"]


def test_many_weights_are_no_note_in_a_healthy_run():
    large = {"n_trainable_weights": 10**6}
    record = made_run()
    with edited_facts(record) as facts:
        facts["network"].update(large)
    diagnosis = kd.diagnose(record)
    assert diagnosis.names == ()
    assert "1000000" in diagnosis.checked_fine["model_too_large"]
    t = np.arange(40)
    val = 0.4 + np.exp(-t / 3) + 0.03 * np.maximum(0, t - 15)
    record = made_run(loss=np.exp(-t / 8), val_loss=val)
    with edited_facts(record) as facts:
        facts["network"].update(large)
    assert "model_too_large" in serious(kd.diagnose(record))


# -- one number everywhere -----------------------------------------------------------


@pytest.mark.parametrize(
    ("units", "activation", "loss", "y", "task"),
    [
        (3, "softmax", SPARSE, LABELS, "classes"),
        (1, None, keras.losses.BinaryCrossentropy(from_logits=True), LABELS > 1, None),
        (1, None, "mse", AGES, "values"),
    ],
    ids=["classes", "logits", "values"],
)
def test_the_doctor_and_the_studies_say_what_skill_says(
    units, activation, loss, y, task
):
    model = dense(units, activation)
    model.compile(keras.optimizers.Adam(0.01), loss)
    y = y.astype("float32")
    doctor = kd.callbacks.TrainingDoctor(X, y, rows=400, verbose=0)
    model.fit(X, y, epochs=3, verbose=0, callbacks=[doctor])
    predictions = model.predict(X, verbose=0)
    logits = task is None
    task = kd.analysis.TaskKind(task or "labels")
    expected = kd.analysis.skill(y, predictions, task, from_logits=logits).value
    looked = evenly(len(X), doctor.record.facts.probe.looked)
    of_doctor = kd.analysis.skill(
        y[looked], predictions[looked], task, from_logits=logits
    ).value
    told = kd.diagnosis.outcome.outcome_of(doctor.record).skill
    assert told == pytest.approx(of_doctor, abs=1e-6)
    assert score(model, (X, y), "val")["val_skill"] == pytest.approx(expected, abs=1e-6)
    assert f"Skill: {of_doctor:.2f}" in doctor.diagnosis.outcome


@pytest.mark.parametrize(
    ("activation", "loss", "severity"),
    [
        ("relu", -0.7, "critical"),
        ("sigmoid", -0.2, "critical"),
        (None, 0.3, "info"),  # it may come near a distribution all the same
        ("softmax", 0.3, None),
        ("softmax", -0.7, None),
    ],
)
def test_a_divergence_of_what_is_no_distribution(activation, loss, severity):
    record = made_run(
        end_loss=loss, targets={"kind": "probabilities", "n_columns": 4, "max": 1.0}
    )
    with edited_facts(record) as facts:
        facts["loss"] = "kl_divergence"
        facts["network"]["outputs"][0]["activation"] = activation
    found = [f for f in kd.diagnose(record) if f.name == "output_activation_mismatch"]
    assert [f.severity for f in found] == ([severity] if severity else [])
