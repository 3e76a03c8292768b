import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keras_dlbasic.records.row_buffer import RowBuffer
from keras_dlbasic.records.thinning import WARMUP_STEPS, is_warmup_step


def filled(steps, capacity=1024):
    buffer = RowBuffer(1, 2, 3, capacity)
    for step in steps:
        buffer.append(step, np.array([step]), np.full((2, 3), step))
    return buffer


@given(
    st.integers(0, 300),
    st.integers(1, 20_000),
    st.integers(1, 40),
    st.integers(128, 300),
)
@example(first=17, n_steps=20_000, every=20, capacity=128)  # no step of the warm-up
def test_first_and_last_are_kept_and_rows_are_bounded(first, n_steps, every, capacity):
    steps = range(first, first + n_steps, every)
    buffer = filled(steps, capacity)
    assert len(buffer) <= capacity
    assert buffer.steps[0] == steps[0]
    assert buffer.steps[-1] == steps[-1]
    assert (np.diff(buffer.steps) > 0).all()
    assert (buffer.scalars[:, 0] == buffer.steps).all()
    assert (buffer.measures == buffer.steps[:, None, None]).all()
    if len(steps) < capacity:
        assert buffer.steps.tolist() == list(steps)


def test_a_long_run_is_dense_at_first_and_even_afterwards():
    kept = filled(range(100_000)).steps
    warm_up = [step for step in range(WARMUP_STEPS) if is_warmup_step(step)]
    assert kept[: len(warm_up)].tolist() == warm_up
    strides = np.diff(kept[len(warm_up) : -1])
    assert len(set(strides.tolist())) == 1
    assert 400 < len(kept) <= 1024


def test_memory_is_bounded():
    buffer = RowBuffer(5, 7, 300)
    row = np.zeros((7, 300), np.float32)
    for step in range(3000):
        buffer.append(step, np.zeros(5), row)
    held = sum(
        getattr(buffer, name).nbytes
        for name in ("_steps", "_ordinals", "_scalars", "_measures")
    )
    assert held < 10e6


def test_steps_must_ascend():
    with pytest.raises(ValueError, match="must ascend"):
        filled([3, 3])


def test_a_capacity_too_small_is_refused():
    with pytest.raises(ValueError, match="at least 128"):
        RowBuffer(1, 1, 1, 64)
