import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_dlbasic.analysis import gradient_noise_scale, replica_noise_scale
from keras_dlbasic.analysis.gradients.noise_scale import noise_scale_of
from keras_dlbasic.records import MEASURES, TrainingRecord, VariableInfo

TRUE = np.array([1.0, -2.0, 0.5, 1.5])
SPREAD = np.array([1.0, 2.0, 0.5, 3.0])  # square roots of the inputs' variances
NOISE = 1.5


def exact():
    """Return the trace and squared norm at zero weights, in closed form.

    y = x.w + e with x ~ N(0, H), e ~ N(0, s^2). At w = 0 the gradient of (x.w - y)^2/2
    is -x y; its mean is -H w*, and by Isserlis' theorem its covariance is
    (w*.H w* + s^2) H + H w* w*.H.
    """
    h = SPREAD**2
    quadratic = float(TRUE @ (h * TRUE))
    squared = float(np.sum((h * TRUE) ** 2))
    return (quadratic + NOISE**2) * h.sum() + squared, squared


def gradients(rng, n):
    x = rng.normal(size=(n, 4)) * SPREAD
    y = x @ TRUE + NOISE * rng.normal(size=n)
    return -x * y[:, None]


def norms_of(rng, small, big, n):
    each = gradients(rng, n * big).reshape(n, big, 4)
    parts = each.reshape(n, big // small, small, 4).mean(axis=2)
    return np.linalg.norm(parts, axis=2), np.linalg.norm(each.mean(axis=1), axis=1)


def test_linear_regression_over_20_seeds():
    """Stay within 15 % of the closed form, for every seed."""
    trace, squared = exact()
    covered = 0
    for seed in range(20):
        small, big = norms_of(np.random.default_rng(seed), 2, 64, 400)
        scale = gradient_noise_scale(small, big, small_batch=2, big_batch=64)
        assert scale.value == pytest.approx(trace / squared, rel=0.15)
        covered += scale.low <= trace / squared <= scale.high
    assert covered >= 16  # P(fewer | 95 %) < 0.001


def test_both_terms_are_unbiased():
    trace, squared = exact()
    small, big = norms_of(np.random.default_rng(0), 1, 8, 40_000)
    scale = gradient_noise_scale(small, big, small_batch=1, big_batch=8)
    assert scale.noise == pytest.approx(trace, rel=0.03)
    assert scale.signal == pytest.approx(squared, rel=0.03)


def test_the_estimand_is_the_data_set_where_its_size_is_given():
    """Every way to draw 2 of 5, and the whole: exact, not estimated."""
    from itertools import combinations

    each = gradients(np.random.default_rng(1), 5)
    mean = each.mean(axis=0)
    trace = np.sum((each - mean) ** 2) / 4
    norms = [np.linalg.norm(each[list(p)].mean(0)) for p in combinations(range(5), 2)]
    scale = gradient_noise_scale(
        [norms], [np.linalg.norm(mean)], small_batch=2, big_batch=5, data_size=5
    )
    assert scale.estimand == "data"
    assert scale.noise == pytest.approx(trace)
    assert scale.signal == pytest.approx(mean @ mean)
    population = gradient_noise_scale(
        [norms], [np.linalg.norm(mean)], small_batch=2, big_batch=5
    )
    assert population.signal == pytest.approx(mean @ mean - trace / 5)


def test_pure_noise_has_no_upper_bound():
    """Say so in about 97.5 % of the cases."""
    unbounded = low = 0
    for seed in range(40):
        each = np.random.default_rng(seed).normal(size=(50, 16, 4))
        small = np.linalg.norm(each, axis=2)
        big = np.linalg.norm(each.mean(axis=1), axis=1)
        scale = gradient_noise_scale(small, big, small_batch=1, big_batch=16)
        unbounded += scale.high == np.inf
        low += scale.low > 5
    assert min(unbounded, low) >= 36


def test_no_noise():
    scale = gradient_noise_scale([2.0, 2.0], [2.0, 2.0], small_batch=1, big_batch=4)
    assert (scale.value, scale.low, scale.high) == (0.0, 0.0, 0.0)
    assert scale.steps_factor(8) == 1.0


def test_costs():
    scale = noise_scale_of([64.0], [1.0])
    assert scale.critical_batch_size == 64
    assert scale.steps_factor(64) == scale.samples_factor(64) == 2.0
    assert scale.low == 0
    assert scale.high == np.inf


@settings(max_examples=30, deadline=None)
@given(
    factor=st.floats(1e-6, 1e6),
    norms=st.lists(
        st.tuples(st.floats(1.0, 5.0), st.floats(0.5, 0.9)), min_size=2, max_size=9
    ),
)
def test_scale_of_the_loss_does_not_matter(factor, norms):
    small, big = np.array(norms).T
    one = gradient_noise_scale(small, big, small_batch=1, big_batch=64)
    other = gradient_noise_scale(
        small * factor, big * factor, small_batch=1, big_batch=64
    )
    for name in ("value", "low", "high"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-4)
    assert one.low <= one.value <= one.high


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"small_batch": 8}, "below `big_batch`"),
        ({"big_norms": [1.0]}, "one row per entry"),
        ({"data_size": 4}, "`data_size`"),
    ],
)
def test_errors(change, text):
    given_values = {
        "small_norms": [1.0, 2.0],
        "big_norms": [1.0, 2.0],
        "small_batch": 2,
        "big_batch": 8,
    }
    with pytest.raises(ValueError, match=text):
        gradient_noise_scale(**{**given_values, **change})


def record_of_replicas(small, big, sizes, replicas=4):
    variable = VariableInfo("dense/kernel", "dense", "kernel", (4, 1), 0)
    record = TrainingRecord([variable], {"replicas": replicas})
    for step, (own, norm, size) in enumerate(zip(small, big, sizes, strict=True)):
        measures = np.zeros((len(MEASURES), 1))
        measures[MEASURES.index("gradient_norm")] = norm
        scalars = {"batch_size": size, "replica_gradient_norm": own, "skipped": 0.0}
        record.append_step(step, scalars, measures)
    return record


def test_replicas_are_small_batches():
    trace, squared = exact()
    small, big = norms_of(np.random.default_rng(0), 8, 32, 900)
    own = np.sqrt(np.mean(small**2, axis=1))
    sizes = np.full(900, 32)
    sizes[99::100] = 30  # the last batch of an epoch does not split evenly
    record = record_of_replicas(own, big, sizes)
    curve = replica_noise_scale(record)
    assert curve.steps.tolist() == np.flatnonzero(sizes == 32).tolist()
    assert (curve.batch_size, curve.source) == (32, "replicas")
    scale = curve.overall()
    assert scale.value == pytest.approx(trace / squared, rel=0.15)
    kept = sizes == 32
    same = gradient_noise_scale(small[kept], big[kept], small_batch=8, big_batch=32)
    assert scale.value == pytest.approx(same.value, rel=1e-5)
    assert (scale.low, scale.high) == pytest.approx((same.low, same.high), rel=1e-4)


@pytest.mark.parametrize(
    ("norm", "replicas"), [(np.nan, 4), (1.0, 1)], ids=["not measured", "one replica"]
)
def test_a_run_on_one_device_tells_nothing(norm, replicas):
    record = record_of_replicas([norm] * 3, [1.0] * 3, [32] * 3, replicas)
    with pytest.raises(ValueError, match=f"3 steps with replicas={replicas}"):
        replica_noise_scale(record)
