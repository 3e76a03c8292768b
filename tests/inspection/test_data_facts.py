"""Facts of data and models against independent formulas."""

import json

import keras
import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsRegressor
from sklearn.preprocessing import StandardScaler

import keras_dlbasic as kd
import keras_dlbasic.inspection.validation_facts as validation_facts_module
from keras_dlbasic.analysis import TaskKind
from keras_dlbasic.diagnosis.loss_kind import LossKind
from keras_dlbasic.inspection.baseline import best_constant, sample_losses
from keras_dlbasic.inspection.collect import data_facts
from keras_dlbasic.inspection.input_facts import input_facts
from keras_dlbasic.inspection.network_facts import network_facts
from keras_dlbasic.inspection.output_probe import OutputProbe
from keras_dlbasic.inspection.probe import Probe
from keras_dlbasic.inspection.reference_scores import reference_scores
from keras_dlbasic.inspection.target_facts import target_facts
from keras_dlbasic.inspection.validation_facts import validation_facts
from keras_dlbasic.records import OutputFacts

L = keras.layers


def test_inputs(rng):
    x = rng.normal(5, 2, size=(300, 4))
    x[:, 3] = 7.0
    x[5, 0] = np.nan
    facts = input_facts(x)
    kept = np.delete(x, 5, axis=0)
    assert facts.rms == pytest.approx(np.sqrt(np.mean(kept**2)))
    offsets = np.abs(kept[:, :3].mean(axis=0)) / kept[:, :3].std(axis=0)
    assert facts.offset == pytest.approx(np.median(offsets))
    assert (facts.constant_features, facts.non_finite) == (1, 1)
    assert not facts.is_constant
    assert input_facts(np.ones((4, 2))).is_constant
    assert input_facts(np.array(["a", "b"])).n_rows == 2


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        ([0, 1, 1], "binary"),
        ([0, 1, 2], "whole_numbers"),
        ([0.5, 1.5, 2.0], "continuous"),
        ([[0, 1], [1, 0]], "one_hot"),
        ([[1, 1], [1, 0]], "multi_label"),
        ([[0.3, 0.7], [0.5, 0.5]], "probabilities"),
        ([[-1.0, 2.0], [0.5, 0.5]], "continuous"),
    ],
)
def test_kinds_of_targets(y, kind):
    facts = target_facts(np.array(y))
    assert facts.kind == kind
    json.dumps(facts.to_dict())


def test_targets_that_are_constant_or_nan():
    assert target_facts(np.full(9, 3.0)).is_constant
    facts = target_facts(np.array([1.0, np.nan, 2.0]))
    assert (facts.non_finite, facts.mean) == (1, 1.5)


def test_overlap_and_shift(rng):
    x, y = rng.normal(size=(100, 3)), rng.integers(0, 2, 100)
    new = rng.normal(size=(50, 3))
    val_x, val_y = np.concatenate([new, x[:50]]), np.concatenate([y[50:], y[:50]])
    facts = validation_facts(x, y, val_x, val_y)
    assert (facts.overlap, facts.repeats, facts.equal_rows) == (0.5, 0.0, 50)
    assert (facts.missing_classes, facts.new_classes) == ((), ())
    assert validation_facts(x, y, 9 * x, y).scale == pytest.approx(9)
    assert validation_facts(x, y, x, 1 - y).overlap == 0  # other targets


def test_overlap_of_more_rows_than_are_compared(rng, monkeypatch):
    monkeypatch.setattr(validation_facts_module, "MOST_ROWS", 1000)
    x, new = rng.normal(size=(5000, 2)), rng.normal(size=(1000, 2))
    facts = validation_facts(x, None, np.concatenate([x[:1000], new]), None)
    assert (facts.compared_rows, facts.compared_with) == (1000, 1000)
    assert facts.overlap == pytest.approx(0.5, abs=0.1)
    assert facts.equal_rows == pytest.approx(facts.overlap * 1000 / 5)
    assert (facts.n_rows, facts.repeats, facts.distinct_rows) == (2000, 0, None)
    # every row has a twin, far from it
    assert validation_facts(np.tile(x, (2, 1)), None, new, None).repeats > 0.8


def test_what_is_mapped_from_a_file_is_not_read_whole(tmp_path):
    """The file has 4 GB of zeros, which take no place on the disk."""
    resource = pytest.importorskip("resource")  # not on Windows
    x = np.memmap(tmp_path / "x", "float32", "w+", shape=(2**14, 2**16))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    facts = data_facts(x, np.zeros(2**14), (x[:256], np.zeros(256)))
    rows = Probe(x, None, "mse").n_rows
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 2**20, f"{grown} KB"
    assert (facts.inputs[0].n_rows, rows) == (2**14, 64)
    assert (facts.validation.overlap, facts.validation.compared_rows) == (1.0, 1024)


def test_large_targets_are_described_by_some_rows(rng):
    y = rng.integers(0, 3, (3000, 64, 64)).astype("uint8")
    facts = target_facts(y, has_columns=False)
    assert (facts.n_rows, facts.distinct) == (3000, (0, 1, 2))
    assert facts.mean == pytest.approx(1, abs=0.01)


def test_classes_that_validation_lacks():
    x = np.zeros((100, 1))
    y = np.repeat([0, 1], 50)
    facts = validation_facts(x, y, x[:30], np.full(30, 2))
    assert (facts.missing_classes, facts.new_classes) == ((0, 1), (2,))
    rare = np.r_[np.zeros(99), 1.0]  # may well miss by chance
    assert validation_facts(x, rare, x[:30], np.zeros(30)).missing_classes == ()


def test_baselines_by_their_formulas(rng):
    classes = rng.choice(4, 200, p=[0.5, 0.3, 0.15, 0.05])
    share = np.bincount(classes) / 200
    got = best_constant("sparse_categorical_crossentropy", classes, (200, 4)).mean()
    assert got == pytest.approx(entropy(share), rel=1e-4)
    logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    assert best_constant(logits, classes, (200, 4)).mean() == pytest.approx(
        entropy(share), rel=1e-4
    )
    one_hot = np.eye(4)[classes]
    assert best_constant("categorical_crossentropy", one_hot, (200, 4)).mean() == (
        pytest.approx(entropy(share), rel=1e-4)
    )
    columns = [entropy([p, 1 - p]) for p in share]
    assert best_constant("binary_crossentropy", one_hot, (200, 4)).mean() == (
        pytest.approx(np.mean(columns), rel=1e-4)
    )
    y = rng.normal(3, 2, 200)
    assert best_constant("mse", y, (200, 1)).mean() == pytest.approx(y.var(), rel=1e-4)
    deviation = np.abs(y - np.median(y)).mean()
    assert best_constant("mae", y, (200, 1)).mean() == pytest.approx(
        deviation, rel=1e-4
    )


def test_large_outputs_and_inputs_get_fewer_rows():
    x = np.zeros((300, 4), "float32")
    assert Probe(x, None, "mse").n_rows == 256
    wide = Probe(x, None, "mse", shapes=[(None, 1000, 500)])
    assert wide.n_rows == 33
    # words of a text, each with a share for every word that there is
    texts = np.zeros((300, 512), "int32")
    for known in (
        {"shapes": [(None, None, 50_000)]},
        {"outputs": [OutputFacts(units=50_000, rank=3)]},
    ):
        assert Probe(texts, None, "mse", **known).n_rows == 16
    images = np.broadcast_to(np.zeros((1, 1), "float32"), (300, 10**6))
    assert Probe(images, None, "mse").n_rows == 16


def test_losses_of_rows(rng):
    y, p = rng.normal(size=30), rng.normal(size=(30, 1)).astype("float32")
    for loss in ("mse", keras.losses.MeanSquaredError()):
        assert np.allclose(sample_losses(loss, y, p), (y - p[:, 0]) ** 2, atol=1e-4)


def own_mae(y, p):
    return keras.ops.mean(keras.ops.abs(y - p), axis=-1)


def own_logits(y, p):
    return keras.losses.sparse_categorical_crossentropy(y, p, from_logits=True)


def between_rows(y, p):
    gaps = keras.ops.mean((p[:, None] - p[None]) ** 2, axis=-1)
    return keras.ops.mean(keras.ops.relu(1 - gaps), axis=-1)


def far_from_others(y, p):
    """Is flat, and so the same for each row, where other classes are far away."""
    same = keras.ops.cast(keras.ops.equal(y, keras.ops.transpose(y)), "float32")
    gaps = keras.ops.sum((p[:, None] - p[None]) ** 2, axis=-1)
    return keras.ops.relu(1 + keras.ops.sum((2 * same - 1) * gaps, axis=-1))


def norms(y, p):
    return keras.ops.sum(p**2, axis=-1) + 1.0


@pytest.mark.parametrize(
    ("loss", "width", "is_known"),
    [
        (own_mae, 1, True),
        (own_logits, 3, True),
        (between_rows, 3, False),
        (far_from_others, 3, False),
        (norms, 3, False),
    ],
)
def test_only_a_loss_that_compares_rows_with_targets_has_a_baseline(
    rng, loss, width, is_known
):
    x, y = rng.normal(size=(40, 2)), rng.integers(0, 3, 40).astype("float32")
    kind = LossKind.of({"own": True, "class_name": "any"})
    probe = OutputProbe(y[:, None], loss, kind, TaskKind.UNKNOWN)
    facts = probe.facts([x], (40, width))
    assert (facts.baseline_loss is not None) == is_known
    assert facts.scored_as == "unknown"


def test_references_leave_one_out_as_scikit_learn_does(rng):
    x = rng.normal(size=(60, 3)) * [1, 10, 100]
    y = (x[:, 0] + np.sin(x[:, 1] / 5))[:, None]
    found = reference_scores(x, y, "values")
    scaled = StandardScaler().fit_transform(x)
    neighbours = cross_val_predict(
        KNeighborsRegressor(5), scaled, y[:, 0], cv=LeaveOneOut()
    )
    assert found["neighbours"] == pytest.approx(r2_score(y[:, 0], neighbours))
    # with a free intercept instead of a penalized one: nearly the same
    linear = cross_val_predict(Ridge(3.0), scaled, y[:, 0], cv=LeaveOneOut())
    assert found["linear"] == pytest.approx(r2_score(y[:, 0], linear), abs=0.05)
    assert reference_scores(x[:10], y[:10], "values") == {}


def test_references_of_ids_count_which_occur(rng):
    """The size of an id says nothing: another numbering gives the same score."""
    ids = rng.integers(0, 3000, (400, 12))
    ids[:, 3] = np.where(rng.random(400) < 0.5, 7, 2500)
    y = (ids == 7).any(axis=1).astype(float)[:, None]
    found = reference_scores(ids, y, "labels", is_ids=True)
    assert set(found) == {"counts"}
    assert found["counts"] > 0.8
    renamed = rng.permutation(3000)[ids]
    other = reference_scores(renamed, y, "labels", is_ids=True)
    assert other["counts"] == pytest.approx(found["counts"], abs=0.02)
    at_random = rng.integers(0, 2, (400, 1)).astype(float)
    assert reference_scores(ids, at_random, "labels", is_ids=True)["counts"] < 0.2
    # each row has ids of its own
    lone = np.arange(400 * 3).reshape(400, 3)
    assert reference_scores(lone, y, "labels", is_ids=True) == {}


def test_the_probe_of_ids_has_no_predictor_of_their_size(rng):
    ids = rng.integers(1, 500, (200, 10))
    y = (ids < 30).any(axis=1).astype("float32")
    layers = [keras.layers.Embedding(500, 4), keras.layers.GlobalAveragePooling1D()]
    model = keras.Sequential(
        [keras.Input((10,)), *layers, keras.layers.Dense(1, "sigmoid")]
    )
    model.compile("adam", "binary_crossentropy")
    found = kd.preflight(model, ids, y).record.facts.probe.references
    assert set(found) == {"counts"}


def test_references_of_many_rows_and_features(rng):
    x = rng.normal(size=(2500, 5)).astype("float32")
    y = x @ rng.normal(size=(5, 1)).astype("float32")
    found = reference_scores(x, y, "values")
    assert found["linear"] > 0.99
    chosen = np.linspace(0, 2499, 2000).round().astype(int)
    assert reference_scores(x[chosen], y[chosen], "values") == found
    # the same numbers in each of many columns, as in images of few colors
    state = np.random.get_state()[1].copy()
    wide = np.repeat(x[:400], 1000, axis=1)
    wide += 0.1 * rng.normal(size=wide.shape).astype("float32")
    projected = reference_scores(wide, y[:400], "values")
    plain = reference_scores(x[:400], y[:400], "values")
    for name, value in plain.items():
        assert projected[name] == pytest.approx(value, abs=0.05)
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_networks():
    model = keras.Sequential(
        [
            keras.Input((6,)),
            L.Dense(8, "relu", kernel_initializer="zeros", name="hidden"),
            L.Dropout(0.4),
            L.Dense(8, use_bias=False, name="plain"),
            L.BatchNormalization(),
            L.Activation("tanh"),
            L.Dense(1, "sigmoid", name="out", kernel_regularizer="l2"),
        ]
    )
    facts = network_facts(model)
    by_label = {layer.label: layer for layer in facts.layers}
    assert facts.outputs[0].activation == "sigmoid"
    assert facts.outputs[0].units == 1
    assert by_label["hidden"].units_alike
    assert not by_label["plain"].units_alike
    assert by_label["plain"].next_activation == "tanh"
    assert by_label["out"].penalty == "L2"
    assert [f.dropout for f in facts.layers if f.dropout is not None] == [0.4]
    assert not facts.normalizes_inputs
    json.dumps(facts.to_dict())


def test_networks_of_all_kinds():
    inputs = keras.Input((5, 3))
    h = L.LSTM(4, return_sequences=True)(
        L.Normalization(mean=0.5, variance=2.0)(inputs)
    )
    h = L.Add()([h, L.MultiHeadAttention(1, 4)(h, h)])
    inner = keras.Sequential([keras.Input((4,)), L.Dense(2, "softmax")])
    model = keras.Model(inputs, inner(L.GlobalAveragePooling1D()(h)))
    facts = network_facts(model)
    assert facts.normalizes_inputs
    assert facts.outputs[0].activation == "softmax"
    json.dumps(facts.to_dict())


def test_structures_of_data(rng):
    x = {"a": rng.normal(size=(8, 2)), "b": rng.integers(0, 5, (8, 3))}
    facts = data_facts(x, rng.normal(size=8))
    assert [i.name for i in facts.inputs] == ["a", "b"]
    assert facts.n_rows == 8
    assert facts.validation is None
    json.dumps(facts.to_dict())


def test_a_loss_for_limited_outputs_has_no_constant_beyond_them(rng):
    """Of numbers without a limit, the mean of -y * p is lower and lower."""
    classes = rng.integers(0, 4, 200)

    def picked(y_true, y_pred):
        chosen = keras.ops.one_hot(keras.ops.cast(y_true, "int32"), 4)
        return -keras.ops.sum(chosen * y_pred, axis=-1)

    shares = np.bincount(classes) / 200
    expected = -np.sum(shares * np.log(shares))
    assert best_constant(picked, classes, (200, 4)).mean() == pytest.approx(expected)
