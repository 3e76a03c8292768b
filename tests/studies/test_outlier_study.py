"""Wrong rows, planted and found again."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.studies.outliers import plant

RNG = np.random.default_rng(0)
# two clouds far from each other: a wrong label is learned last
LABELS = np.arange(60) % 2
X = (RNG.normal(size=(60, 4)) + 3 * LABELS[:, None]).astype("float32")


def build_model():
    layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(2, "softmax")]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    return model


@pytest.mark.once
def test_planted_rows_are_found_again():
    study = kd.studies.OutlierStudy(
        build_model,
        X,
        LABELS,
        shares=(0.1,),
        seeds=2,
        budget={"epochs": 6},
        batch_size=8,
        verbose=0,
    )
    result = study.run()
    assert result.intervals("labels", "average_precision")[0.1].mean > 0.8
    assert result.intervals("inputs", "average_precision")[0.1].mean > 0.8
    assert len(study.rows) == len(result.scores) == 42
    weights = {t.values["initial_weights"] for t in result.trials}
    assert len(weights) == 2


@pytest.mark.once
def test_what_is_planted():
    y = np.arange(40) % 4
    (x, wrong), planted = plant((X[:40], y), "labels", 0.25, 0)
    assert planted.sum() == 10
    assert x is not None
    np.testing.assert_array_equal(wrong != y, planted)
    (_, one_hot), planted = plant((X[:40], np.eye(4)[y]), "labels", 0.25, 0)
    assert one_hot.sum(axis=1).tolist() == [1] * 40
    numbers = RNG.normal(size=40)
    (_, far), planted = plant((X[:40], numbers), "labels", 0.25, 0)
    np.testing.assert_allclose(np.abs(far - numbers)[planted], 3 * numbers.std())
    (inputs, _), planted = plant((X[:40], y), "inputs", 0.5, 1)
    np.testing.assert_array_equal((inputs != X[:40]).any(axis=1), planted)
    tokens = RNG.integers(0, 9, size=(40, 5))
    (others, _), planted = plant((tokens, y), "inputs", 0.5, 1)
    assert (others[~planted] == tokens[~planted]).all()
    assert others.max() < 9
    same, planted = plant((X, LABELS), "labels", 0.0, 0)
    assert same[1] is LABELS
    assert not planted.any()


@pytest.mark.once
@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"shares": (1.0,)}, "`shares`"),
        ({"kinds": ("colours",)}, "`kinds`"),
        ({"kinds": "labels"}, "`kinds`"),
        ({"seeds": ()}, "one seed"),
    ],
)
def test_bad_arguments(options, text):
    with pytest.raises(ValueError, match=text):
        kd.studies.OutlierStudy(build_model, X, LABELS, verbose=0, **options)
