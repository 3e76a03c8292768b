"""Models of several sizes; how much a model can hold."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd

L = keras.layers
X = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")


def build_model(depth):
    hidden = [L.Dense(3, "tanh") for _ in range(depth)]
    model = keras.Sequential([keras.Input((3,)), *hidden, L.Dense(2, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


@pytest.mark.once
def test_by_depth():
    made = kd.studies.CapacityStudy(
        build_model,
        X,
        (X[:, 0] > 0).astype(int),
        sizes=(0, 2),
        by="depth",
        seeds=2,
        budget={"updates": 3},
        verbose=0,
    )
    result = made.run()
    table = result.table()
    assert table["depth"].tolist() == [1, 1, 3, 3]
    assert result.parameters == {0: 8, 2: 32}
    assert result.threshold == 28 * 2
    assert np.isfinite(table["val_error"]).all()
    assert "depth 2" in str(result)


@pytest.mark.once
@pytest.mark.parametrize("sizes", [(), ("a",), (True,)])
def test_bad_sizes(sizes):
    with pytest.raises(ValueError, match=r"sizes|size"):
        kd.studies.CapacityStudy(build_model, X, X[:, 0], sizes=sizes, verbose=0)


@pytest.mark.once
def test_report_of_a_branched_model_with_frozen_and_shared_layers():
    inputs = keras.Input((4,))
    shared = L.Dense(4, name="shared")
    long = L.Dense(4, name="long")(L.BatchNormalization(name="norm")(shared(inputs)))
    outputs = L.Dense(1, name="out")(L.Add()([shared(long), inputs]))
    model = keras.Model(inputs, outputs)
    report = kd.capacity_report(model, X)
    assert report.depth == 4  # shared, long, shared once more, out
    assert report.samples == 40
    assert report.parameters == model.count_params() - 8
    assert report.frozen == 8  # moving mean and variance
    table = report.table()
    assert sorted(table["layer"]) == ["long", "norm", "out", "shared"]
    assert table["share"].sum() == pytest.approx(1)
    assert report.parameters_per_sample == report.parameters / 40
    assert "parameters per training sample" in str(report)
    model.get_layer("long").trainable = False
    assert kd.capacity_report(model).frozen == 8 + 20
    assert kd.capacity_report(model).parameters_per_sample is None


@pytest.mark.once
def test_report_of_other_models():
    nested = keras.Sequential([keras.Input((3,)), build_model(2), L.Dense(1)])
    assert kd.capacity_report(nested).depth == 4

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = L.Dense(2)

        def call(self, x):
            return self.dense(x)

    model = Own()
    with pytest.raises(ValueError, match="not built"):
        kd.capacity_report(model)
    model(X)
    assert kd.capacity_report(model).depth is None
    assert kd.capacity_report(model).parameters == 8
