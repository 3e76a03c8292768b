"""Which metrics are better when they are higher."""

import pytest

from keras_dlbasic.analysis.is_gain import is_gain

GAINS = (
    "accuracy",
    "val_acc",
    "val_binary_accuracy_1",
    "sparse_top_k_categorical_accuracy",
    "auc_2",
    "val_mean_io_u",
    "MeanIoU",
    "f1_score",
    "F1Score",
    "r2_score",
    "precision_at_recall",
    "acc1",
)
OTHERS = (
    "loss",
    "val_loss",
    "loss_of_accuracy",
    "accident_rate",
    "accident_loss",
    "score_mae",
    "accuracy_error",
    "brier_score",
    "space_mae",
    "accumulated",
    "mean_squared_error",
)


@pytest.mark.parametrize("name", GAINS)
def test_gains(name):
    assert is_gain(name)


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_gain(name):
    assert not is_gain(name)
