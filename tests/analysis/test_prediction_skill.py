"""The skill of predictions, against scikit-learn and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, brier_score_loss, r2_score

from keras_dlbasic.analysis import prediction_skill

RNG = np.random.default_rng(0)


def test_numbers_are_scored_by_explained_variance():
    y = RNG.normal(size=(50, 1)) * 40 + 7
    p = y + RNG.normal(size=(50, 1)) * 10
    assert prediction_skill(y, p) == pytest.approx(r2_score(y, p), abs=1e-6)
    assert prediction_skill(y.ravel(), p) == prediction_skill(y, p)


def test_labels_are_scored_by_accuracy_and_brier_score():
    y = (RNG.random(60) < 0.3) * 1
    p = np.clip(y * 0.6 + 0.2 + 0.3 * RNG.normal(size=60), 0, 1)
    chance = max(y.mean(), 1 - y.mean())
    right = (accuracy_score(y, p > 0.5) - chance) / (1 - chance)
    brier = 1 - brier_score_loss(y, p) / brier_score_loss(y, np.full(60, y.mean()))
    expected = 0.5 * (right + brier)
    assert prediction_skill(y, p[:, None]) == pytest.approx(expected, abs=1e-6)
    with np.errstate(divide="ignore"):
        logits = np.log(p) - np.log1p(-p)
    found = prediction_skill(y, np.clip(logits, -50, 50)[:, None], from_logits=True)
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("form", ["labels", "column", "one-hot"])
def test_classes_in_every_form(form):
    labels = RNG.integers(0, 4, 80)
    logits = 2 * np.eye(4)[labels] + RNG.normal(size=(80, 4))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    y = {"labels": labels, "column": labels[:, None], "one-hot": np.eye(4)[labels]}
    found = prediction_skill(y[form], p)
    assert found == prediction_skill(y[form], logits, from_logits=True)
    chance = np.bincount(labels).max() / 80
    right = (accuracy_score(labels, p.argmax(axis=1)) - chance) / (1 - chance)
    frequency = np.bincount(labels) / 80
    one_hot = np.eye(4)[labels]
    brier = 1 - ((p - one_hot) ** 2).sum() / ((frequency - one_hot) ** 2).sum()
    assert found == pytest.approx(0.5 * (right + brier), abs=1e-6)


@settings(max_examples=30)
@given(st.integers(2, 40), st.integers(1, 5), st.integers(0, 2**31))
def test_constants_have_no_skill_and_the_truth_has_all(n, columns, seed):
    rng = np.random.default_rng(seed)
    for y in (rng.normal(size=(n, columns)), rng.integers(0, 2, (n, columns))):
        constant = np.broadcast_to(y.mean(axis=0), y.shape)
        assert prediction_skill(y, constant) <= 1e-6
        varies = (y != y[0]).any()
        assert prediction_skill(y, y) == (1 if varies else 0) or columns > 1


def test_what_does_not_fit_or_is_not_finite():
    assert prediction_skill([0, 1, 2], [[np.nan], [0.0], [1.0]]) == -1
    assert prediction_skill(np.eye(3), [[0.0], [0.0], [1.0]]) == -1
    assert prediction_skill([0, 1, 7], np.eye(3)) < 1  # a class without an output
    assert prediction_skill([-1, 1, 1, -1], [[-0.9], [0.9], [1], [-1]]) > 0.9
    with pytest.raises(ValueError, match="3 predictions, 2 targets"):
        prediction_skill([0, 1], [[0.0], [0.0], [1.0]])
