"""Curves that people asked about in public, with what is right to answer.

The values are those of the reports, or drawn after what they describe where a report
has a picture only.
"""

import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.analysis import detect_overfitting
from keras_dlbasic.records import TrainingRecord

pytestmark = pytest.mark.once


def described(seed=0, n=30):
    """A rise from 0.038 in epoch 2 to 0.092, the training loss from 0.048 to 0.001."""
    t, rng = np.arange(n), np.random.default_rng(seed)
    val = 0.0378 + (0.0916 - 0.0378) * np.sqrt(t / (n - 1))
    loss = 0.048 * np.exp(-t / 6) + 0.001
    return loss, val * (1 + 0.03 * rng.standard_normal(n))


def restarted(n=110, first=14, seed=1):
    """Cosine cycles of 14, 28 and 56 epochs; the loss jumps at each restart."""
    rng = np.random.default_rng(seed)
    lengths = [first, 2 * first, n - 3 * first]
    phase = np.concatenate([np.arange(m) / m for m in lengths])
    rate = (1 + np.cos(np.pi * phase)) / 2
    fall = 0.4 + 0.8 * np.exp(-np.arange(n) / 20)
    loss, val = fall * (1 + 0.3 * rate), 1.1 * fall * (1 + 0.35 * rate)
    noise = 1 + 0.01 * rng.standard_normal((2, n))
    return loss * noise[0], val * noise[1], rate


WHAT_WAS_ASKED = {
    # github.com/keras-team/keras/issues/3056: an LSTM on 48,000 sequences
    "rises from the third epoch": (
        [0.6807, 0.6693, 0.6678, 0.6485, 0.6175, 0.5860, 0.5521],
        [0.6770, 0.6765, 0.6789, 0.6913, 0.7101, 0.7268, 0.7586],
        "overfitting",
    ),
    # github.com/munikarmanish/bert-sentiment/issues/1: BERT, 30 epochs
    "fine-tuning of a language model": (*described(), "overfitting"),
    # github.com/keras-team/keras/issues/605: 100,000 validation rows
    "a slow fall": (
        [0.8586, 0.8168, 0.8095, 0.8032, 0.8001, 0.7941, 0.7898, 0.7872],
        [0.8122, 0.8112, 0.8107, 0.8102, 0.8069, 0.8022, 0.7992, 0.8005],
        "improving",
    ),
    # github.com/keras-team/keras/issues/1762: a small validation set
    "a small validation set": (
        [0.7279, 0.5672, 0.5391, 0.5137, 0.4909, 0.4703, 0.4508],
        [0.0430, 0.0424, 0.0424, 0.0434, 0.0440, 0.0444, 0.0421],
        "plateau",
    ),
    # github.com/udacity/deep-learning-v2-pytorch/issues/341: MNIST
    "a validation loss that does not fall": (
        [
            0.1733,
            0.1807,
            0.1705,
            0.1692,
            0.1648,
            0.1641,
            0.1556,
            0.1420,
            0.1505,
            0.1536,
        ],
        [
            0.0722,
            0.0732,
            0.0715,
            0.0714,
            0.0740,
            0.0725,
            0.0730,
            0.0740,
            0.0733,
            0.0720,
        ],
        "plateau",
    ),
    # github.com/keras-team/keras/issues/8680: dropout, epochs 39 to 48
    "validation below training": (
        [
            0.7744,
            0.7758,
            0.7737,
            0.7729,
            0.7743,
            0.7655,
            0.7670,
            0.7712,
            0.7676,
            0.7610,
        ],
        [
            0.6673,
            0.6600,
            0.6830,
            0.6429,
            0.6869,
            0.6340,
            0.6367,
            0.6579,
            0.6780,
            0.6450,
        ],
        "plateau",
    ),
    # stats.stackexchange.com/questions/478017: 3,000 images
    "jumps up and down": (
        [2.27, 1.55, 1.07, 0.87, 0.59, 0.52, 0.38, 0.35, 0.21, 0.34],
        [3.29, 0.92, 1.43, 1.85, 0.58, 2.30, 0.17, 1.52, 0.14, 2.81],
        "oscillating_loss",
    ),
    # github.com/keras-team/keras/issues/13942: an LSTM, five epochs
    "five epochs": (
        [0.3193, 0.1787, 0.1148, 0.0805, 0.0599],
        [0.2314, 0.2039, 0.2569, 0.3409, 0.3661],
        "plateau",
    ),
}


@pytest.mark.parametrize("case", WHAT_WAS_ASKED)
def test_what_was_asked_in_public(case):
    loss, val_loss, pattern = WHAT_WAS_ASKED[case]
    assert detect_overfitting(loss, val_loss).pattern == pattern


def shown(case):
    """Return the findings by name, as of a `History`."""
    loss, val_loss, _ = WHAT_WAS_ASKED[case]
    record = TrainingRecord.from_history({"loss": loss, "val_loss": val_loss})
    return {finding.name: finding for finding in kd.diagnose(record)}


@pytest.mark.parametrize(
    "case",
    [
        case
        for case, (*_, pattern) in WHAT_WAS_ASKED.items()
        if pattern != "overfitting"
    ],
)
def test_the_diagnosis_blames_no_healthy_curve(case):
    assert {f.severity for f in shown(case).values()} <= {"info"}


@pytest.mark.parametrize(
    "case", ["rises from the third epoch", "fine-tuning of a language model"]
)
def test_the_diagnosis_names_what_overfits(case):
    assert shown(case)["overfitting"].severity == "critical"


def test_a_rise_that_is_too_young_is_said_and_not_called_noise():
    finding = shown("five epochs")["overfitting"]
    assert finding.severity == "info"
    assert "80% above its lowest value" in finding.message
    assert "too few epochs" in finding.message


def test_no_note_without_a_training_loss():
    record = TrainingRecord()
    for epoch, value in enumerate([0.2, 0.1, 0.3, 0.4, 0.5]):
        record.append_epoch(epoch, {"val_loss": value})
    diagnosis = kd.diagnose(record)
    assert "overfitting" not in diagnosis.names
    assert "Error" not in diagnosis.skipped.get("overfitting", "")


def test_the_verdict_says_how_much_a_rise_lacks():
    verdict = detect_overfitting(*WHAT_WAS_ASKED["five epochs"][:2])
    assert "ends 80% above its lowest level, 2.0 standard errors" in verdict.reason
    assert f"(threshold {verdict.turn.threshold:.1f})." in verdict.reason
    calm = detect_overfitting(*WHAT_WAS_ASKED["a small validation set"][:2])
    assert "changes only within its noise" in calm.reason


def test_a_validation_loss_that_jumps_is_said():
    finding = shown("jumps up and down")["oscillating_loss"]
    assert finding.severity == "info"
    assert "validation loss" in finding.message


@pytest.mark.parametrize("knows_the_rate", [True, False])
def test_restarts_of_growing_cycles_are_not_overfitting(knows_the_rate):
    # github.com/wandb/senpai/pull/130: SGDR with cycles that double
    loss, val_loss, rate = restarted()
    for n in range(5, len(loss) + 1, 3):
        verdict = detect_overfitting(
            loss[:n], val_loss[:n], learning_rate=rate[:n] if knows_the_rate else None
        )
        assert not verdict.detected
