"""Whether what predictors find in training rows holds for validation rows."""

import numpy as np
import pytest

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.inspection.transfer_scores import transfer_scores

CLASSES = 5


def pictures(rng, n=700):
    """Return noisy pictures of five kinds, and their kinds."""
    kinds = np.random.default_rng(1).normal(size=(CLASSES, 6, 6))
    y = rng.integers(0, CLASSES, n)
    return kinds[y] + 1.5 * rng.normal(size=(n, 6, 6)), y


def scores(x, y, val_x, val_y, task=TaskKind.CLASSES, **more):
    return transfer_scores(x, y, val_x, val_y, task, **more)


@pytest.fixture
def parts(rng):
    x, y = pictures(rng)
    return x[:400], y[:400], x[400:], y[400:]


def test_rows_of_one_kind(parts):
    found = scores(*parts)
    assert found["reference_skill"] > 0.8
    difference = abs(found["reference_skill"] - found["transfer_skill"])
    assert difference < 4 * found["transfer_error"]
    assert "restored_by" not in found


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda x, y: (x.transpose(0, 2, 1), y), "transposition"),
        (lambda x, y: (x[:, ::-1], y), "turning over"),
        (lambda x, y: (x[:, :, ::-1], y), "mirroring"),
        (lambda x, y: (-x, y), "inversion"),
        (lambda x, y: (x, (y + 2) % CLASSES), "class numbers"),
        (lambda x, y: (x, np.roll(y, 1)), "one row on"),
        (lambda x, y: (x, np.roll(y, -1)), "one row on"),
        (lambda x, y: (x[:, [3, 0, 5, 1, 4, 2]][:, :, [2, 4, 0, 5, 3, 1]], y), None),
    ],
)
def test_rows_of_another_kind(parts, change, kind):
    x, y, val_x, val_y = parts
    found = scores(x, y, *change(val_x, val_y))
    assert found["transfer_skill"] < found["reference_skill"] / 2
    assert found["restored_by"] == kind


def test_another_scaling_of_values(rng):
    x = rng.normal(5, [1, 4, 0.2], size=(600, 3))
    y = x @ [1.0, 0.3, 2.0] + 0.1 * rng.normal(size=600)
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    parts = scaled[:400], y[:400], x[400:], y[400:]
    found = scores(*parts, TaskKind.VALUES)
    assert found["transfer_skill"] < 0 < 0.8 < found["reference_skill"]
    assert found["restored_by"] == "scaling"
    alike = scores(scaled[:400], y[:400], scaled[400:], y[400:], TaskKind.VALUES)
    assert alike["transfer_skill"] > 0.8


def test_copies_within_training_are_no_skill(rng):
    x, y = rng.normal(size=(150, 8)), rng.integers(0, 2, 150)
    more = rng.integers(0, 150, 450)
    noise = 1e-3 * rng.normal(size=(450, 8))
    new, new_y = rng.normal(size=(200, 8)), rng.integers(0, 2, 200)
    found = scores(x[more] + noise, y[more], new, new_y, TaskKind.LABELS)
    assert found["reference_skill"] < 0.3


def test_pieces_of_one_recording_are_judged_by_blocks(rng):
    walk = np.cumsum(rng.normal(size=(900, 4)), axis=0)
    target = np.cumsum(rng.normal(size=900))
    parts = walk[:700], target[:700], walk[700:], target[700:]
    found = scores(*parts, TaskKind.VALUES)
    order = rng.permutation(700)
    mixed = scores(walk[order], target[order], *parts[2:], TaskKind.VALUES)
    assert found["reference_skill"] < 0.5  # neighbors in time are of no help then
    assert mixed["reference_skill"] > 0.8


def test_words_are_compared_by_which_of_them_occur(rng):
    y = rng.integers(0, 2, 600)
    x = np.where(rng.random((600, 12)) < 0.3, 2 + y[:, None], 5)
    x = np.where(x == 5, rng.integers(5, 90, x.shape), x)
    parts = x[:400], y[:400], x[400:]
    alike = scores(*parts, y[400:], TaskKind.LABELS, is_ids=True)
    assert min(alike["reference_skill"], alike["transfer_skill"]) > 0.5
    found = scores(*parts, 1 - y[400:], TaskKind.LABELS, is_ids=True)
    assert found["transfer_skill"] < -0.4


def test_what_cannot_be_compared(rng):
    x, y = pictures(rng, 200)
    assert scores(x[:40], y[:40], x, y) == {}  # few rows
    assert scores(x, y, x[:, :4], y) == {}  # of another shape
    assert scores(x, y, x, y, TaskKind.UNKNOWN) == {}
    assert scores(x, np.tile(y[:, None], 3), x, np.tile(y[:, None], 3)) == {}
    assert scores(x.astype(str), y, x, y) == {}
    assert scores(np.where(x > 2, np.nan, x), y, x, y) == {}
