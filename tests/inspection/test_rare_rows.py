"""Rows of rare classes are tried apart where a look has too few of them."""

import keras
import numpy as np
import pytest
from keras import layers as L

import keras_dlbasic as kd
from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis.loss_kind import LossKind
from keras_dlbasic.inspection.output_probe import OutputProbe
from keras_dlbasic.inspection.rare_rows import rare_rows, rarest_label

CROSS = "sparse_categorical_crossentropy"


@pytest.mark.once
def test_which_rows_are_rare():
    y = np.repeat([0, 1, 2], [200, 14, 6])
    looked = np.arange(0, 220, 3)
    assert rare_rows(y, looked).tolist() == list(range(200, 214))
    assert rare_rows(np.eye(3)[y], looked).tolist() == list(range(200, 214))
    assert not len(rare_rows(y, range(220)))  # the look has seen them all
    assert not len(rare_rows(np.linspace(0, 1, 220), looked))  # values
    assert not len(rare_rows(np.arange(220), looked))  # as many classes as rows
    assert not len(rare_rows(np.ones((220, 4)), looked))  # all labels everywhere
    labels = np.stack([np.ones(220), y > 0, y > 1, y == 1], 1).astype("float32")
    assert rare_rows(labels, looked).tolist() == list(range(200, 214))


@pytest.mark.once
def test_the_rarest_of_several_labels():
    labels = np.zeros((100, 3))
    labels[:50, 0] = labels[:9, 1] = labels[4:16, 2] = 1
    assert rarest_label(labels).tolist() == labels[:, 2].tolist()
    assert rarest_label(labels[:, 1:2]) is None
    assert rarest_label(labels + 0.5) is None
    assert rarest_label(labels[:, 0]) is None


def trained(hides):
    """Return a doctor of a model that can, or cannot, see what is rare, and how rare."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(480, 4)).astype("float32")
    y = np.where(x[:, 0] > 1.4, 1.0, 0.0)
    if hides:
        x[:, 0] = 0.3 * x[:, 0] + rng.normal(size=480)
    keras.utils.set_random_seed(0)
    hidden = [L.Dense(16, "relu"), L.Dense(1, "sigmoid")]
    model = keras.Sequential([keras.Input((4,)), *hidden])
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy")
    doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)
    model.fit(x, y, epochs=8 if hides else 25, verbose=0, callbacks=[doctor])
    return doctor, float(1 / y.mean() - 1)


@pytest.mark.parametrize("hides", [True, False])
def test_a_rare_class_that_a_look_hardly_sees(hides):
    doctor, ratio = trained(hides)
    found = [f for f in doctor.diagnosis if f.name == "imbalanced_classes"]
    assert [f.severity for f in found] == (["warning"] if hides else [])
    rare = doctor.record.facts.probe.rare
    assert (rare is not None) == hides
    if hides:
        assert rare.label == 1
        assert rare.rows >= 10
        assert rare.ratio == pytest.approx(ratio, rel=0.5)


@pytest.mark.once
def test_the_class_that_is_judged_is_the_rare_one():
    """Of six classes, five others are in the rows by chance."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(np.arange(6), [49, 49, 49, 49, 48, 12]))
    own = rare_rows(y, np.arange(0, 256, 8))
    assert set(y[own]) >= {5}
    rows = np.sort(np.append(own, np.setdiff1d(np.arange(256), own)[::5]))
    said = np.where((y[rows] == 5) & (np.arange(len(rows)) % 4 > 0), 0, y[rows])
    probe = OutputProbe(y, None, LossKind.of(CROSS), TaskKind.CLASSES)
    rare = probe.rarest(np.eye(6)[said], rows, own)
    assert rare.label == 5
    assert rare.right < 0.5
    assert rare.ratio == pytest.approx(49 / 12)
    assert probe.rarest(np.eye(6)[y[rows]], rows, own) is None


@pytest.mark.once
@pytest.mark.parametrize("last", [(), (1,)])
def test_tags_of_steps_are_no_classes_of_rows(last):
    rng = np.random.default_rng(0)
    tags = (rng.random((200, 6)) < np.linspace(0.08, 0.6, 6)).astype("float32")
    own = rare_rows(tags, np.arange(0, 200, 20))
    probe = OutputProbe(tags, None, LossKind.of("binary_crossentropy"), TaskKind.LABELS)
    rows = np.sort(np.append(own, np.setdiff1d(np.arange(200), own)[::5]))
    assert len(own)
    said = probe.rarest(np.zeros((len(rows), 6, *last)), rows, own)
    assert (said is None) == bool(last)


@pytest.mark.once
def test_common_labels_and_labels_of_a_few_rows_are_not_judged():
    """Of four labels that are never predicted, the one that is rare and known counts."""
    n = 200
    labels = np.zeros((n, 4))
    labels[: n - 20, 0] = 1  # nearly always there
    labels[::9, 1] = labels[50:62, 2] = 1
    own = rare_rows(labels, np.arange(0, n, 7))
    assert own.tolist() == list(range(50, 62))
    rows = np.sort(np.append(own, np.setdiff1d(np.arange(n), own)[::5]))
    labels[rows[:3], 3] = 1
    loss = LossKind.of("binary_crossentropy")
    probe = OutputProbe(labels, None, loss, TaskKind.LABELS)
    rare = probe.rarest(np.zeros((len(rows), 4)), rows, own)
    assert rare.label == 2
    said = np.zeros((len(rows), 4))
    said[:, 2] = labels[rows, 2]
    assert probe.rarest(said, rows, own) is None
