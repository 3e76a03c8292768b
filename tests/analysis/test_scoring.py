"""Skill: its laws by random search, its values against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import balanced_accuracy_score, r2_score

from keras_dlbasic.analysis import TaskKind, prediction_skill, skill
from keras_dlbasic.analysis.row_scores import row_scores

SEEDS = st.integers(0, 2**31)
ROWS = st.integers(2, 40)
VALUES = st.floats(-1e3, 1e3, allow_nan=False)


def classes_of(rng, n, k):
    """Return class numbers of which at least two differ."""
    y = rng.integers(0, k, n)
    y[:2] = [0, 1]
    return y


# -- the task ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "activation", "units", "task"),
    [
        ("class_numbers", None, 5, "classes"),
        ("one_hot", "sigmoid", 5, "classes"),
        ("zero_one", "sigmoid", 5, "labels"),
        ("zero_one", "softmax", 5, "classes"),
        ("zero_one", "softmax", 1, "labels"),
        ("plus_minus", "tanh", 1, "labels"),
        ("values", "linear", 1, "values"),
        ("values", "softmax", 5, "classes"),
        ("values", "sigmoid", 1, "values"),
        ("probabilities", None, 3, "values"),
        ("unknown", "linear", 8, "unknown"),
        ("unknown", "sigmoid", 1, "unknown"),
        ("unknown", "softmax", 4, "classes"),
    ],
)
def test_the_loss_and_the_output_say_what_the_task_is(family, activation, units, task):
    assert TaskKind.of(family, activation, units) == task


# -- laws ----------------------------------------------------------------------------


@settings(max_examples=50)
@given(ROWS, st.integers(1, 5), SEEDS)
def test_a_constant_has_no_skill_and_the_truth_has_all(n, k, seed):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(n, k))
    assert skill(y, y, "values").value == 1
    constant = np.broadcast_to(y.mean(axis=0), y.shape)
    assert skill(y, constant, "values").value == pytest.approx(0, abs=1e-9)
    assert skill(y, constant + rng.normal(size=k), "values").value < 1e-9
    labels = rng.integers(0, 2, (n, k))
    labels[:2, 0] = [0, 1]
    assert skill(labels, labels, "labels").value == 1
    constant = np.broadcast_to(rng.random(k), labels.shape)
    assert skill(labels, constant, "labels").value == 0
    numbers = classes_of(rng, n, k + 1)
    for targets in (numbers, numbers[:, None], np.eye(k + 1)[numbers]):
        assert skill(targets, np.eye(k + 1)[numbers], "classes").value == 1
        best = np.tile(np.eye(k + 1)[numbers[-1]], (n, 1))
        assert skill(targets, best, "classes").value == pytest.approx(0, abs=1e-12)
        constant = np.broadcast_to(rng.normal(size=k + 1), (n, k + 1))
        assert skill(targets, constant, "classes").value < 1e-12


@settings(max_examples=50)
@given(
    arrays(np.float64, (6, 2), elements=VALUES),
    arrays(np.float64, (6, 2), elements=VALUES),
    st.floats(-100, 100),
    st.floats(0.01, 100),
)
def test_values_may_be_shifted_and_scaled(y, p, shift, scale):
    y[0] = y[1] + 1
    found = skill(y, p, "values").value
    moved = skill(scale * y + shift, scale * p + shift, "values").value
    assert moved == pytest.approx(found, rel=1e-6, abs=1e-6)
    assert found <= 1


@settings(max_examples=50)
@given(ROWS, st.integers(2, 6), SEEDS)
def test_classes_and_labels_may_be_permuted(n, k, seed):
    rng = np.random.default_rng(seed)
    y, p = classes_of(rng, n, k), rng.normal(size=(n, k))
    order = rng.permutation(k)
    renamed = np.argsort(order)[y]
    found = skill(y, p, "classes").value
    assert skill(renamed, p[:, order], "classes").value == pytest.approx(found)
    rows = rng.permutation(n)
    assert skill(y[rows], p[rows], "classes").value == pytest.approx(found)
    labels = np.eye(k)[y]
    found = skill(labels, p, "labels").value
    permuted = skill(labels[:, order], p[:, order], "labels").value
    assert permuted == pytest.approx(found)
    # yes and no are alike, too
    assert skill(1 - labels, 1 - p, "labels").value == pytest.approx(found)


@settings(max_examples=50)
@given(st.integers(4, 40), st.integers(2, 4), SEEDS)
def test_values_of_scikit_learn(n, k, seed):
    rng = np.random.default_rng(seed)
    weights = rng.random(n) + 0.1
    y, p = rng.normal(size=(n, k)), rng.normal(size=(n, k))
    for w in (None, weights):
        expected = r2_score(y, p, sample_weight=w, multioutput="variance_weighted")
        found = skill(y, p, "values", sample_weight=w).value
        assert found == pytest.approx(expected)
        numbers, guess = rng.permutation(np.arange(n) % k), rng.integers(0, k, n)
        expected = balanced_accuracy_score(
            numbers, guess, sample_weight=w, adjusted=True
        )
        found = skill(numbers, np.eye(k)[guess], "classes", sample_weight=w).value
        assert found == pytest.approx(expected)


def test_the_adjusted_balanced_accuracy_itself():
    rng = np.random.default_rng(0)
    y, guess = classes_of(rng, 90, 3), rng.integers(0, 3, 90)
    expected = balanced_accuracy_score(y, guess, adjusted=True)
    assert skill(y, np.eye(3)[guess], "classes").value == pytest.approx(expected)
    column = balanced_accuracy_score(y > 0, guess > 0, adjusted=True)
    found = skill(y > 0, (guess > 0)[:, None], "labels").value
    assert found == pytest.approx(column)


# -- forms ---------------------------------------------------------------------------


def test_imbalance_does_not_pay():
    y = np.r_[np.zeros(99), 1]
    assert skill(y, np.tile([1.0, 0.0], (100, 1)), "classes").value == 0
    assert skill(y, np.zeros(100), "labels").value == 0


def test_positions_count_as_rows_even_as_many_as_classes():
    rng = np.random.default_rng(0)
    tags, p = rng.integers(0, 4, (9, 4)), rng.normal(size=(9, 4, 4))
    flat = skill(tags.ravel(), p.reshape(-1, 4), "classes").value
    for targets in (tags, tags[..., None], np.eye(4)[tags]):
        assert skill(targets, p, "classes").value == pytest.approx(flat)
    masks, p = rng.integers(0, 2, (5, 3, 3)), rng.normal(size=(5, 3, 3, 1))
    flat = skill(masks.ravel(), p.ravel(), "labels", from_logits=True).value
    assert skill(masks, p, "labels", from_logits=True).value == pytest.approx(flat)


def test_what_has_no_weight_is_not_looked_at():
    rng = np.random.default_rng(0)
    tags, p = rng.integers(0, 3, (8, 5)), rng.normal(size=(8, 5, 3))
    short = skill(tags[:, :3], p[:, :3], "classes").value
    tags[:, 3:], p[:, 3:] = -1, np.nan
    weights = np.ones((8, 5))
    weights[:, 3:] = 0
    found = skill(tags, p, "classes", sample_weight=weights)
    assert found.value == pytest.approx(short)
    y, guess = rng.normal(size=6), rng.normal(size=6)
    by_sample = skill(y, guess, "values", sample_weight=[1, 1, 1, 1, 0, 0]).value
    assert by_sample == pytest.approx(skill(y[:4], guess[:4], "values").value)
    with pytest.raises(ValueError, match="sample_weight"):
        skill(y, guess, "values", sample_weight=np.ones(5))


def test_targets_that_a_task_cannot_have_are_scored_as_what_they_are():
    rng = np.random.default_rng(0)
    pixels, logits = rng.random((30, 4)), rng.normal(size=(30, 4))
    found = skill(pixels, logits, "labels", from_logits=True)
    assert found.task is TaskKind.VALUES
    assert found == skill(pixels, 1 / (1 + np.exp(-logits)), "labels")
    several = rng.integers(0, 2, (30, 4))
    assert skill(several, logits, "classes").task is TaskKind.LABELS
    signs = np.where(pixels > 0.5, 1, -1)
    found = skill(signs, logits, "labels", from_logits=True)
    assert found == skill(signs > 0, logits, "labels", from_logits=True)
    smooth = 0.9 * np.eye(4)[rng.integers(0, 4, 30)] + 0.025
    assert skill(smooth, smooth, "classes").value == 1


@pytest.mark.parametrize(
    ("y", "p", "task", "reason"),
    [
        ([1, 1], np.eye(2), "classes", "one class"),
        ([1, 1], [0.1, 0.9], "labels", "the same"),
        ([3.0, 3.0], [1.0, 2.0], "values", "the same"),
        ([1, 0], np.eye(2), "unknown", "neither the loss"),
        ([0, 1], [[np.nan, 0], [0, 1]], "classes", "not finite"),
        ([np.inf, 1], [0, 1], "values", "not finite"),
        ([-1, 1], np.eye(2), "classes", "no class numbers"),
        ([0.5, 1], np.eye(2), "classes", "no class numbers"),
        (np.ones((2, 3)), np.eye(2), "values", "do not fit"),
        ([1.0, 2.0], np.eye(2), "values", "single values"),
        (["a", "b"], np.eye(2), "classes", "do not fit"),
    ],
)
def test_where_there_is_no_skill_the_reason_is_given(y, p, task, reason):
    found = skill(y, p, task)
    assert np.isnan(found.value)
    assert np.isnan(float(found))
    assert reason in found.reason


def test_slips_raise():
    with pytest.raises(ValueError, match="predictions"):
        skill([0, 1], [0.0], "values")
    with pytest.raises(ValueError, match="numbers"):
        skill([0, 1], [0.0, 1.0], "numbers")


@settings(max_examples=30)
@given(st.sampled_from(["classes", "labels", "values"]), SEEDS)
def test_the_same_predictions_have_the_same_skill_everywhere(task, seed):
    rng = np.random.default_rng(seed)
    y = {
        "classes": classes_of(rng, 30, 3),
        "labels": np.r_[[[0] * 3, [1] * 3], rng.integers(0, 2, (28, 3))],
        "values": rng.normal(size=(30, 3)),
    }[task]
    p = rng.random((30, 3))
    found = skill(y, p, task).value
    assert prediction_skill(y, p, task=task) == found
    scores = row_scores(y, p, task=task)
    assert scores.skill == found
    if task == "values":
        assert 1 - scores.errors.mean() == pytest.approx(found)
