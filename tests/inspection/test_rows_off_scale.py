"""A few rows that were not scaled as the others."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_runs import STUCK, made_run

import keras_dlbasic as kd
from keras_dlbasic.inspection.input_facts import input_facts
from keras_dlbasic.inspection.rows_off_scale import rows_off_scale

L = keras.layers


@given(
    ratio=st.sampled_from([0.01, 0.05, 20.0, 255.0]),
    every=st.integers(6, 60),
    seed=st.integers(0, 10**6),
)
def test_rows_of_another_scale(ratio, every, seed):
    x = np.random.default_rng(seed).normal(size=(400, 20))
    x[::every] *= ratio
    found, share = rows_off_scale(x)
    assert found == pytest.approx(ratio, rel=0.3)
    assert share == pytest.approx(len(x[::every]) / 400)


@pytest.mark.parametrize(
    "make",
    [
        lambda rng: rng.normal(size=(400, 20)),
        lambda rng: rng.lognormal(sigma=2, size=(400, 1)) * rng.normal(size=(400, 20)),
        lambda rng: rng.standard_cauchy(size=(400, 5)),
        lambda rng: rng.poisson(0.3, size=(400, 30)),  # sparse, some rows are empty
        lambda rng: (np.arange(400) != 7)[:, None] * rng.normal(size=(400, 20)),
        lambda rng: np.where(np.arange(400) == 7, 99, 1)[:, None] + np.zeros((400, 9)),
        lambda rng: np.where(np.arange(400) < 130, 99, 1)[:, None] + np.zeros((400, 9)),
        lambda rng: np.zeros((400, 20)),
        lambda rng: (
            rng.normal(size=(400, 1)) * 99.0 ** (np.arange(400) % 20 == 0)[:, None]
        ),
        lambda rng: np.zeros((0, 20)),
    ],
)
def test_sizes_that_vary_are_no_other_scale(make):
    assert rows_off_scale(make(np.random.default_rng(0)).astype(float)) == (1.0, 0.0)


def test_it_is_a_fact_of_inputs():
    x = np.random.default_rng(0).normal(size=(300, 4, 4, 1))
    assert input_facts(x).odd_rows_share == 0
    x[::30] *= 255
    facts = input_facts(x)
    assert facts.odd_rows == pytest.approx(255, rel=0.4)
    assert facts.odd_rows_share == pytest.approx(10 / 300)


@pytest.mark.once
@pytest.mark.parametrize("raw", [False, True])
def test_the_doctor_names_them_where_the_model_is_not_good(raw):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(512, 8)).astype("float32")
    y = (x[:, 0] + x[:, 1] > 0).astype("float32")
    if raw:
        x[::32] *= 100
    keras.utils.set_random_seed(0)
    layers = [L.Dense(16, use_bias=False), L.BatchNormalization(momentum=0.9), L.ReLU()]
    model = keras.Sequential([keras.Input((8,)), *layers, L.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)
    model.fit(x, y, epochs=10, shuffle=False, verbose=0, callbacks=[doctor])
    found = [f for f in doctor.diagnosis if f.name == "unscaled_inputs"]
    assert len(found) == raw
    if raw:
        assert "3.1% of the rows" in found[0].message
        assert "np.median(size)" in str(found[0].remedies[0])


def test_rows_of_many_other_scales_are_not_one_group():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 20))
    x[::40] *= 10.0 ** rng.permutation(np.linspace(2, 7, 10))[:, None]
    assert rows_off_scale(x) == (1.0, 0.0)


@pytest.mark.parametrize(("ratio", "sign"), [(100.0, ">"), (0.01, "<")])
def test_the_advice_finds_these_rows(ratio, sign):
    x = np.random.default_rng(0).normal(size=(200, 8))
    x[::20] *= ratio
    record = made_run(inputs={"odd_rows": ratio, "odd_rows_share": 0.05}, **STUCK)
    (found,) = [f for f in kd.diagnose(record) if f.name == "unscaled_inputs"]
    scope = {"np": np, "x": x}
    exec(found.remedies[0].code, scope)
    assert scope["rows"].tolist() == list(range(0, 200, 20))
    assert f"size {sign} " in found.remedies[0].code
