"""Whether inputs fit the targets of other rows."""

import numpy as np
import pytest

from keras_dlbasic.inspection.out_of_step import out_of_step

N = 500
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 6))
VALUES = X @ np.array([1.0, -1.0, 1.2, 0.8, 0.0, 1.0])
CLASSES = (X[:, 0] > 0.3).astype(int) + (X[:, 1] > 0)
TEXT = np.array(sorted(range(N), key=str))
ORDERS = {
    "the next row": np.roll(np.arange(N), 1),
    "the row before": np.roll(np.arange(N), -1),
    "the last row first": np.arange(N)[::-1],
    "file names sorted as text": TEXT,
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("y", [VALUES, CLASSES, np.eye(3)[CLASSES]], ids=range(3))
def test_the_order_is_named(order, y):
    found = out_of_step(X, y[ORDERS[order]])
    assert found.order == order
    assert found.found < 0.1
    assert found.restored > 0.5
    assert out_of_step(X, y) is None


def test_inputs_that_were_sorted_as_text():
    assert out_of_step(X[TEXT], VALUES).order == "file names sorted as text"
    from_one = np.array(sorted(range(N), key=lambda place: str(place + 1)))
    assert out_of_step(X[from_one], VALUES).order == "file names sorted as text"


def windows(steps=10, is_3d=False):
    """Windows of white noise, each with the value after it."""
    noise = RNG.normal(size=N + steps)
    x = np.stack([noise[i : i + steps] for i in range(N)])
    return (x[..., None] if is_3d else x), noise[steps:]


def rising():
    """Whether the value after a window is above 0: the window before says it."""
    x, y = windows()
    return x, (y > 0).astype(int)


def letters():
    """One-hot windows of letters, and the next letter."""
    drawn = RNG.integers(0, 4, N + 8)
    x = np.stack([np.eye(4)[drawn[i : i + 8]] for i in range(N)])
    return x, drawn[8:]


def squares():
    """Windows of two steps: that before has the square of the last step as target."""
    x, y = windows(steps=2)
    return x, y**2


def pairs_of_steps():
    """Inputs with steps, whose earlier targets they may tell of."""
    x = RNG.normal(size=(N, 2, 1))
    return x, np.roll(x[:, 1, 0] ** 2, -1)


def column_of_before():
    """A table with the last target among its columns."""
    y = RNG.normal(size=N)
    return np.column_stack([X[:, 0], np.roll(y, 1), X[:, 1]]), y


def lagged():
    """Rows of a series: the inputs tell of targets that were, and not of the next."""
    y = RNG.normal(size=N + 8)
    x = np.stack([y[i : i + 8] for i in range(N)])
    return np.cumsum(x, axis=1), y[8:]


@pytest.mark.parametrize(
    ("x", "y"),
    [
        lagged(),
        windows(),
        windows(is_3d=True),
        rising(),
        letters(),
        column_of_before(),
        squares(),
        pairs_of_steps(),
        (X, RNG.permutation(VALUES)),
        (X[:150], np.roll(VALUES[:150], 1)),  # few rows
        (np.where(X > 3, np.nan, X), np.roll(VALUES, 1)),
        (X, np.full(N, 1.0)),
        (X.astype(str), np.roll(VALUES, 1)),
        (np.float64(1), np.float64(1)),
    ],
    ids=[
        "series",
        "windows",
        "3d",
        "rising",
        "letters",
        "column",
        "squares",
        "steps",
        "unrelated",
        "few",
        "missing",
        "constant",
        "text",
        "none",
    ],
)
def test_where_no_order_is_better(x, y):
    assert out_of_step(np.asarray(x), np.asarray(y)) is None


def test_wide_inputs_are_read_in_part():
    x = RNG.integers(0, 255, (220, 64, 64, 3)).astype("uint8")
    x[:, 20:40] = x[:, :1, :1, :1]  # something that shows in many pixels
    y = x[:, 0, 0, 0].astype(float)
    assert out_of_step(x, np.roll(y, 1)).order == "the next row"
    assert out_of_step(x, y) is None
