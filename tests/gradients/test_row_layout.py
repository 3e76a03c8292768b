"""What follows from the reductions of a step: NumPy only, no fit."""

import numpy as np
import pytest

from keras_dlbasic._backends.row_layout import (
    UNKNOWN,
    RowLayout,
    RowLayouts,
    UpdateLayout,
)
from keras_dlbasic.records import MEASURES

pytestmark = pytest.mark.once  # knows no backend

NORMS = [3.0, 4.0, 10.0, 20.0]  # gradients, weights before
FIELDS = {
    "scale": [2.0],
    "is_update": [1.0],
    "norms": NORMS,
    "update_norms": [0.1, 0.2],
    "max_abs": [2.0, 3.0],
    "non_finite": [0.0, 0.0],
    "zeros": [1.0],
}
SHAPES = [(3, 4), (4,)]


def layout_of(fields, shapes=SHAPES, places=(0, 1), units=(1,), **given):
    return UpdateLayout(
        fields={name: len(values) for name, values in fields.items()},
        shapes=list(shapes),
        **{"held": list(places), "present": list(places), "units": list(units)},
        **given,
    )


def read(*updates, variables=None):
    """Return step values and measures by name, of `(fields, layout)` pairs."""
    numbers = [0.5, 0.0, 0.01, 32.0]
    for fields, _ in updates:
        for values in fields.values():
            numbers += values
    layouts = [layout for _, layout in updates]
    if variables is None:
        variables = [object() for layout in layouts for _ in layout.shapes]
    layout = RowLayout(variables, layouts)
    scalars, measures = layout.read(np.array(numbers, "float32"))
    assert measures.shape == (len(MEASURES), len(layout.variables))
    return scalars, dict(zip(MEASURES, measures.tolist(), strict=True))


def read_one(changed=None, **given):
    fields = {**FIELDS, **(changed or {})}
    return read((fields, layout_of(fields, **given)))


def test_norms_are_without_the_scale_of_the_loss():
    scalars, measures = read_one()
    assert np.isnan(scalars.pop("replica_gradient_norm"))
    assert scalars == pytest.approx(
        {"batch_loss": 0.5, "learning_rate": 0.01, "batch_size": 32.0, "skipped": 0.0}
    )
    assert measures["gradient_norm"] == [1.5, 2.0]
    assert measures["max_abs_gradient"] == [1.0, 1.5]
    assert measures["weight_norm"] == [10.0, 20.0]
    assert measures["update_norm"] == pytest.approx([0.1, 0.2])
    assert measures["non_finite"] == [0.0, 0.0]
    assert measures["clip_factor"] == [1.0, 1.0]
    assert np.isnan(measures["zero_unit_fraction"][0])
    assert measures["zero_unit_fraction"][1] == 0.25


def test_variables_without_entries_or_gradients():
    fields = {**FIELDS, "norms": [3.0, 10.0, 20.0]}
    fields |= {"max_abs": [2.0], "non_finite": [0.0]}
    del fields["zeros"]
    layout = UpdateLayout(
        fields={name: len(values) for name, values in fields.items()},
        shapes=[(0, 3), (3, 4), (4,)],
        held=[1, 2],
        present=[1],
        units=[],
    )
    _, measures = read((fields, layout))
    np.testing.assert_equal(measures["gradient_norm"], [np.nan, 1.5, np.nan])
    assert measures["weight_norm"] == [0.0, 10.0, 20.0]
    assert measures["non_finite"] == [0.0, 0.0, 0.0]


def test_what_a_device_marks_as_unknown_is_nan():
    scalars, measures = read_one({"norms": [UNKNOWN, *NORMS[1:]]})
    np.testing.assert_equal(measures["gradient_norm"], [np.nan, 2.0])
    assert scalars["batch_loss"] == 0.5


def test_gradients_that_are_not_finite():
    changed = {"norms": [UNKNOWN, *NORMS[1:]], "non_finite": [7.0, 0.0]}
    for skips in (False, True):
        scalars, measures = read_one(changed, skips_non_finite=skips)
        assert scalars["skipped"] == skips
        assert measures["non_finite"] == [7.0, 0.0]
        for name in ("max_abs_gradient", "clip_factor"):
            assert np.isnan(measures[name][0]), name
            assert np.isfinite(measures[name][1]), name


@pytest.mark.parametrize(
    ("kind", "field", "squares", "expected"),
    [
        ("clipnorm", "clip_squares", [9.0, 16.0], [1 / 1.5, 1 / 2.0]),
        ("global_clipnorm", "clip_squares", [9.0, 16.0], [1 / 2.5, 1 / 2.5]),
        ("clipvalue", "clipped_squares", [4.0, 16.0], [1 / 1.5, 1.0]),
        ("clipnorm", "unscaled_clipped_squares", [1.0, 4.0], [1 / 1.5, 1.0]),
    ],
)
def test_how_much_clipping_leaves(kind, field, squares, expected):
    limit = {"limit": [1.0]}
    _, measures = read_one({**limit, field: squares}, clip_kind=kind)
    assert measures["clip_factor"] == pytest.approx(expected)
    zero = {**limit, field: [0.0, 0.0], "norms": [0.0, 0.0, *NORMS[2:]]}
    _, measures = read_one(zero, clip_kind=kind)
    assert measures["clip_factor"] == [1.0, 1.0]


def test_accumulated_gradients_are_clipped_by_their_mean():
    sums = {"limit": [1.0], "mean_squares": [25.0, 0.25], "clip_squares": [25.0, 0.25]}
    given = {"clip_kind": "clipnorm", "is_accumulated": True}
    _, measures = read_one(sums, **given)
    assert measures["clip_factor"] == pytest.approx([0.2, 1.0])
    _, measures = read_one({**sums, "is_update": [0.0]}, **given)
    assert np.isnan(measures["clip_factor"]).all()
    assert np.isnan(measures["update_norm"]).all()
    assert measures["gradient_norm"] == [1.5, 2.0]


def test_of_a_variable_that_is_updated_twice_the_last_update_counts():
    first, second, third = object(), object(), object()
    again = {**FIELDS, "norms": [30.0, 40.0, *NORMS[2:]]}
    _, measures = read(
        (FIELDS, layout_of(FIELDS)),
        (again, layout_of(again)),
        variables=[first, second, second, third],
    )
    assert measures["gradient_norm"] == [1.5, 15.0, 20.0]


def test_norm_of_replicas_own_gradients():
    fields = {**FIELDS, "replica_square": [36.0]}
    scalars, _ = read((fields, layout_of(fields)))
    assert scalars["replica_gradient_norm"] == 3.0
    scalars, _ = read((fields, layout_of(fields)), (FIELDS, layout_of(FIELDS)))
    assert np.isnan(scalars["replica_gradient_norm"])


def test_what_clipping_leaves_of_gradients_whose_squares_are_zero():
    tiny = {"limit": [1.0], "norms": [1e-25, 0.0, *NORMS[2:]], "max_abs": [1e-25, 0]}
    by_value = {**tiny, "clipped_squares": [0.0, 0.0]}
    _, measures = read_one(by_value, clip_kind="clipvalue")
    assert measures["clip_factor"] == [1.0, 1.0]
    by_replica = {**tiny, "unscaled_clipped_squares": [0.0, 0.0]}
    _, measures = read_one(by_replica, clip_kind="clipnorm")
    np.testing.assert_equal(measures["clip_factor"], [np.nan, 1.0])


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ((0.1, 0.1), None),
        ((0.1, 0.2), [0.1, 0.2]),
        ((0.1, np.nan), [0.1, np.nan]),
        ((np.nan, np.nan), None),  # nothing is known of them
    ],
)
def test_rates_of_several_optimizers(rates, expected):
    layout = UpdateLayout(
        fields={"learning_rate": 1}, shapes=[(2,)], held=[0], present=[0], units=[]
    )
    row = RowLayout([object(), object()], [layout, layout])
    numbers = np.array([0.5, 0.0, 0.1, 32.0, *rates], "float32")
    found = row.learning_rates(numbers)
    if expected is None:
        assert found is None
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_each_row_is_read_by_the_layout_of_its_program():
    layouts, variables = RowLayouts(), [object(), object()]
    one = RowLayout(variables, [layout_of(FIELDS)])
    clipped = {**FIELDS, "limit": [1.0], "clip_squares": [9.0, 16.0]}
    two = RowLayout(variables, [layout_of(clipped, clip_kind="clipnorm")])
    like_one = RowLayout(variables, [layout_of(FIELDS)])
    of_others = RowLayout([object(), object()], [layout_of(FIELDS)])
    numbers = [layouts.number(layout) for layout in (one, two, like_one, of_others)]
    assert numbers == [0, 1, 0, 2]
    assert layouts.of(np.array([0.5, 1.0, 0.01], "float32")) is two
    assert layouts.of(np.array([0.5, 0.0, 0.01], "float32")) is one
