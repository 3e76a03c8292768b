"""Skill where the task is not named: what is guessed of it. See also test_scoring."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, r2_score

from keras_dlbasic.analysis import prediction_skill

RNG = np.random.default_rng(0)


def test_numbers_are_scored_by_explained_variance():
    y = RNG.normal(size=(50, 1)) * 40 + 7
    p = y + RNG.normal(size=(50, 1)) * 10
    assert prediction_skill(y, p) == pytest.approx(r2_score(y, p), abs=1e-6)
    assert prediction_skill(y.ravel(), p) == prediction_skill(y, p)


def test_labels_are_scored_by_balanced_accuracy():
    y = (RNG.random(60) < 0.3) * 1
    p = np.clip(y * 0.6 + 0.2 + 0.3 * RNG.normal(size=60), 0, 1)
    expected = balanced_accuracy_score(y, p > 0.5, adjusted=True)
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
    expected = balanced_accuracy_score(labels, p.argmax(axis=1), adjusted=True)
    assert found == pytest.approx(expected, abs=1e-6)


def test_what_does_not_fit_or_is_not_finite():
    assert np.isnan(prediction_skill([0, 1, 2], [[np.nan], [0.0], [1.0]]))
    assert np.isnan(prediction_skill(np.eye(3), [[0.0], [0.0], [1.0]]))
    assert prediction_skill([0, 1, 7], np.eye(3)) < 1  # a class without an output
    assert prediction_skill([-1, 1, 1, -1], [[-0.9], [0.9], [1], [-1]]) > 0.9
    with pytest.raises(ValueError, match="predictions"):
        prediction_skill([0, 1], [[0.0], [0.0], [1.0]])
