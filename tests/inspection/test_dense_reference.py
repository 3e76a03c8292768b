"""What the surroundings of a place tell of its target, on rows not seen."""

import keras
import numpy as np
import pytest

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis.loss_kind import LossKind
from keras_dlbasic.inspection import dense_reference
from keras_dlbasic.inspection.dense_reference import beyond_places, dense_scores
from keras_dlbasic.inspection.output_probe import OutputProbe

RNG = np.random.default_rng(0)
USUAL = np.linspace(-1, 1, 64).reshape(1, 8, 8, 1)
NOISE = RNG.normal(size=(120, 8, 8, 1))


def scores(x, y, task="labels"):
    shape = (len(x), *y.shape[1:])
    return dense_scores(x, y.reshape(-1, y.shape[-1]), shape, task)


def found(x, y, task="labels"):
    return scores(x, y, task).facts.found


@pytest.mark.parametrize("space", [(64,), (8, 8), (4, 4, 4)])
def test_values_that_are_told(space):
    x = NOISE.reshape(120, *space, 1)
    known = scores(x, x > 0.3)
    assert known.facts.found > 0.6
    assert (known.facts.rows, known.facts.axes) == (120, len(space))
    # steps may tell the next one to those who see it, which models may not
    assert (max(known.references.values(), default=0) > 0.6) is (len(space) > 1)


def test_what_the_place_tells_is_nothing():
    masks = USUAL + 0.5 * RNG.normal(size=NOISE.shape) > 0
    known = scores(NOISE, masks)
    assert abs(known.facts.found) < 0.1
    assert known.facts.error < 0.05
    assert found(NOISE, USUAL + RNG.normal(size=NOISE.shape), "values") < 0.1


def test_classes_and_depths():
    classes = np.digitize(NOISE[..., 0], [-0.5, 0.5])
    assert found(NOISE, np.eye(3)[classes], "classes") > 0.6
    around = NOISE + np.roll(NOISE, 1, axis=1) + np.roll(NOISE, 1, axis=2)
    assert found(NOISE, around, "values") > 0.6


def test_targets_of_fewer_places():
    x = np.kron(NOISE[..., 0], np.ones((2, 2)))[..., None]
    assert found(x, NOISE > 0) > 0.7
    assert found(x[..., 0], NOISE > 0) > 0.7  # without an axis of channels
    wide = np.repeat(NOISE, 2, axis=2)
    assert found(wide, NOISE > 0) > 0.7


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("mirroring", lambda y: y[:, :, ::-1]),
        ("turning over", lambda y: y[:, ::-1]),
        ("half a turn", lambda y: y[:, ::-1, ::-1]),
        ("transposition", lambda y: y.swapaxes(1, 2)),
        ("the next row", lambda y: np.roll(y, -1, axis=0)),
        ("the row before", lambda y: np.roll(y, 1, axis=0)),
        (None, RNG.permutation),
        (None, lambda y: y),
    ],
)
def test_other_pairings(kind, change):
    known = scores(NOISE, change(NOISE > 0)).facts
    assert known.restored_by == kind
    assert (known.restored > 0.5) is (kind is not None)


def test_a_pairing_by_which_no_more_is_found():
    """What is the same from left to right is told as well by the mirror image."""
    x = NOISE + NOISE[:, :, ::-1]
    known = scores(x, x + 3 * RNG.normal(size=x.shape) > 0).facts
    assert 0.1 < known.found < 0.5
    assert known.restored_by is None


def test_copies_are_no_reference():
    known = scores(NOISE, 0.5 * NOISE + 1, "values")
    assert known.references == {}
    assert known.facts.found > 0.9


def test_a_class_that_is_told_and_never_decided_for():
    masks = (NOISE > 1.5) & (RNG.random(NOISE.shape) < 0.4)
    known = scores(NOISE, masks)
    assert known.facts.found > 0.3
    assert known.references == {}


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (NOISE[:19], NOISE[:19] > 0),
        (NOISE, NOISE > 9),  # one class
        (NOISE, np.repeat(NOISE, 2, axis=1) > 0),
        (NOISE[:, :7], NOISE[:, :3] > 0),
        (np.full(NOISE.shape, np.nan), NOISE > 0),
        (np.ones(NOISE.shape), NOISE > 0),
        (NOISE, np.tile(USUAL > 0, (120, 1, 1, 1))),  # the same in all rows
        (NOISE, np.repeat(NOISE, 30, axis=-1) > 0),
    ],
)
def test_where_it_is_not_known(x, y):
    assert scores(x, y) is None


def test_large_pictures_are_averaged():
    x = RNG.normal(size=(24, 130, 130, 1)).astype("float32")
    assert found(x, x > 0) > 0.7


def test_answers_beyond_places():
    usual = np.broadcast_to(USUAL, NOISE.shape)
    columns = (usual + NOISE).reshape(-1, 1)
    assert np.isnan(beyond_places(usual, columns))
    assert beyond_places(usual + 2 * NOISE, columns) == pytest.approx(1)
    assert abs(beyond_places(usual + RNG.permutation(NOISE), columns)) < 0.1


def test_the_probe_has_both():
    masks = (NOISE > 0.3).astype("float32")
    kind = LossKind.of("binary_crossentropy")
    probe = OutputProbe(masks, "binary_crossentropy", kind, TaskKind.LABELS)
    facts = probe.facts([NOISE], masks.shape)
    assert facts.dense.found > 0.6
    assert set(facts.references) == {"around", "near_places"}
    said = probe.judge(keras.ops.sigmoid(NOISE[:60]), np.arange(60))
    assert said["beyond_places"] > 0.6
    assert probe.facts([NOISE], masks.shape, is_ids=True).dense is None


def test_the_next_row_is_the_target_of_a_forecast():
    """It says nothing of a wrong pairing where rows are in the order of time."""
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(121, 8, 8, 1))
    x, y = maps[:-1], maps[1:]  # without a relation
    facts = dense_scores(x, y.reshape(-1, 1), y.shape, "values").facts
    assert facts.restored_by is None
    slow = np.zeros_like(maps)
    for row in range(1, 121):
        slow[row] = 0.35 * slow[row - 1] + maps[row]
    kinds = (slow[1:] > 0).astype(float)
    facts = dense_scores(slow[:-1], kinds.reshape(-1, 1), kinds.shape, "labels").facts
    assert facts.restored_by is None
    moved = (maps[1:] > 0).astype(float)  # masks of the next row's picture
    facts = dense_scores(x, moved.reshape(-1, 1), moved.shape, "labels").facts
    assert facts.restored_by == "the next row"


def test_targets_of_many_entries_are_left_out(monkeypatch):
    x = np.random.default_rng(0).normal(size=(40, 8, 8, 1))
    given = x, (x > 0).reshape(-1, 1), x.shape, "labels"
    assert dense_scores(*given) is not None
    monkeypatch.setattr(dense_reference, "MOST_ENTRIES", x.size - 1)
    assert dense_scores(*given) is None
