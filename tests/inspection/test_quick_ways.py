"""What is left out for speed changes nothing of what is found."""

import keras
import numpy as np
import pytest

from keras_dlbasic._backends.compiled_loss import compiled_loss
from keras_dlbasic.inspection.baseline import best_constant, sample_losses
from keras_dlbasic.inspection.collect import data_facts, with_output_shapes
from keras_dlbasic.inspection.different_batches import different_batches
from keras_dlbasic.inspection.input_facts import input_facts
from keras_dlbasic.inspection.reference_scores import reference_scores
from keras_dlbasic.inspection.target_column import target_column
from keras_dlbasic.records import OutputFacts


def test_statistics_are_those_of_numpy(rng):
    x = rng.normal(3, [1, 5, 0.1], size=(500, 3))
    facts = input_facts(x)
    expected = {
        "mean": x.mean(),
        "std": x.std(),
        "rms": np.sqrt(np.mean(x**2)),
        "typical": np.quantile(np.abs(x), 0.9),
    }
    for name, value in expected.items():
        assert getattr(facts, name) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 11])
def test_quantile_of_few_numbers(n):
    x = np.arange(1.0, n + 1)
    assert input_facts(x).typical == pytest.approx(np.quantile(x, 0.9))


def test_few_wide_rows_are_scored_as_many_are(rng):
    """Their products are decomposed instead of the rows; padding changes the way only."""
    x = rng.normal(size=(60, 30))
    y = x[:, :1] + 0.5 * rng.normal(size=(60, 1))
    wide = np.column_stack([x, np.zeros((60, 40))])  # constant columns add nothing
    narrow = reference_scores(x, y, "values")
    assert reference_scores(wide, y, "values") == pytest.approx(narrow)


@pytest.mark.parametrize("dtype", [bool, "int8", "uint8", "float32"])
def test_a_renamed_target_among_columns_of_any_type(rng, dtype):
    y = rng.integers(0, 2, 300)
    x = rng.integers(0, 2, (300, 5)).astype(dtype)
    x[:, 3] = 1 - y
    assert target_column(x, y) == 3
    x[:, 3] = rng.integers(0, 2, 300)
    assert target_column(x, y) is None


def test_a_copy_that_is_constant_in_the_rows_looked_at_first(rng):
    x = rng.normal(size=(2000, 4))
    x[:, 1] = np.where(rng.random(2000) < 0.01, 1.0, 0.0)
    assert target_column(x, 3 * x[:, 1]) == 1


def test_batches_that_differ_in_a_late_row_only(rng):
    first = rng.normal(size=(20, 3))
    last = first.copy()
    last[-1, -1] += 1
    assert different_batches([(first, None), (last, None), (first, None)]) == 2


def test_targets_of_one_number_stay_described(rng):
    x, y = rng.normal(size=(50, 3)), rng.integers(0, 3, 50)
    data = data_facts(x, y)
    outputs = (OutputFacts(),)
    assert with_output_shapes(data, y, outputs, [(50, 3)]).targets == data.targets
    columns = np.eye(3)[y]
    data = data_facts(x, columns)
    again = with_output_shapes(data, columns, outputs, [(50, 3)])
    assert again.targets[0].kind == "one_hot"


@pytest.mark.parametrize(
    "loss",
    [
        "sparse_categorical_crossentropy",
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        keras.losses.sparse_categorical_crossentropy,
    ],
)
def test_losses_are_the_same_compiled(rng, loss):
    outputs = rng.dirichlet(np.ones(4), 12).astype("float32")
    targets = rng.integers(0, 4, 12)
    function = keras.losses.get(loss)
    function = getattr(function, "call", function)
    expected = keras.ops.convert_to_numpy(function(targets, outputs))
    for _ in "12":
        np.testing.assert_allclose(
            sample_losses(loss, targets, outputs), expected, rtol=1e-5
        )


def test_code_of_users_is_not_compiled(rng):
    calls = []

    def loss(y, p):
        calls.append(type(p))
        return keras.ops.mean(keras.ops.square(y - p), axis=-1)

    y = rng.normal(size=(6, 1))
    for _ in "123":
        sample_losses(loss, y, np.zeros((6, 1), "float32"))
    assert len(calls) == 3
    assert np.isfinite(best_constant(loss, y, (6, 1))).all()


def test_one_loss_is_compiled_once():
    loss = keras.losses.MeanSquaredError()
    is_jax = keras.backend.backend() == "jax"
    made = [compiled_loss(loss, lambda one: one.call) for _ in "12"]
    assert (made[0] is made[1]) is is_jax
