import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dlbasic.gradients.sampling import check_every, epoch_plan, is_long_fit


def sampled(every, n_steps, n_epochs, *, known=True, is_long=False):
    """Return the sampled steps of a run, counted from its start."""
    steps = []
    for epoch in range(n_epochs):
        first = epoch * n_steps
        length = n_steps if known else None
        plan = epoch_plan(every, epoch, length, first, is_long=is_long)
        steps += [first + step for step in range(n_steps) if plan(step)]
    return steps


@given(st.integers(1, 3000), st.integers(1, 6), st.booleans())
def test_auto_measures_every_epoch_and_begins_densely(n_steps, n_epochs, known):
    steps = sampled("auto", n_steps, n_epochs, known=known)
    dense = set(range(min(16, n_steps * n_epochs)))
    assert dense - {1} <= set(steps)
    assert 1 not in steps or (known and n_steps == 1)
    assert {step // n_steps for step in steps} == set(range(n_epochs))


@given(st.integers(64, 5000), st.integers(2, 20))
def test_auto_measures_few_steps_after_the_warm_up(n_steps, epoch):
    plan = epoch_plan("auto", epoch, n_steps, 10_000)
    count = sum(plan(step) for step in range(n_steps))
    assert 1 <= count <= min(32, n_steps / 32)
    assert not plan(n_steps - 1)


@given(st.integers(2, 300))
def test_auto_leaves_out_a_last_step_once_the_run_has_begun(n_steps):
    """A shorter batch would be compiled in the middle of the run."""
    steps = sampled("auto", n_steps, 40)
    assert not [s for s in steps if s >= 16 and s % n_steps == n_steps - 1]


def test_auto_moves_through_the_data():
    plans = [epoch_plan("auto", epoch, 100, 10_000) for epoch in range(1, 40)]
    seen = {step for plan in plans for step in range(100) if plan(step)}
    assert len(seen) > 60


@given(st.integers(1, 50), st.integers(1, 40), st.integers(1, 4))
def test_an_integer_is_a_stride_over_the_run(every, n_steps, n_epochs):
    assert sampled(every, n_steps, n_epochs) == list(
        range(0, n_steps * n_epochs, every)
    )


@given(st.integers(1, 200), st.integers(1, 5))
def test_epoch_is_one_step_an_epoch(n_steps, n_epochs):
    steps = sampled("epoch", n_steps, n_epochs)
    assert [step // n_steps for step in steps] == list(range(n_epochs))


@pytest.mark.parametrize("every", [0, -1, 1.5, True, None, "always", [1]])
def test_anything_else_is_refused(every):
    with pytest.raises(ValueError, match=r'"auto", "epoch" or an integer >= 1'):
        check_every(every)


def test_a_long_fit_is_measured_at_about_one_step_in_32():
    for n_steps, epochs in ((64, 16), (96, 14), (1_000, 1), (400, 30)):
        assert is_long_fit(epochs, n_steps)
        steps = sampled("auto", n_steps, epochs, is_long=True)
        assert set(range(16)) - {1} <= set(steps)
        assert len(steps) <= n_steps * epochs / 26
        warm_up = [step for step in range(16, 256) if step in steps]
        assert {32, 64, 128} <= set(warm_up)
        assert not {24, 40, 48, 56, 80} & set(warm_up)
        assert {step // n_steps for step in steps} == set(range(epochs))
    assert not is_long_fit(15, 64)
    assert not is_long_fit(None, 64)
    assert not is_long_fit(100, None)
