"""How much is compiled to look at a model before its first step, on JAX."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic._backends.as_tensor import as_tensor
from keras_dlbasic._backends.run_once import run_once

L = keras.layers


@pytest.mark.once("jax")
def test_arrays_become_tensors_as_ever(rng):
    for array in (
        rng.normal(size=(2, 3)),
        rng.normal(size=3).astype("float32"),
        np.arange(4),
        np.array([True, False]),
        np.zeros((0, 2), "float32"),
    ):
        tensor, known = as_tensor(array), keras.ops.convert_to_tensor(array)
        assert type(tensor) is type(known)
        assert tensor.dtype == known.dtype
        one, other = map(keras.ops.convert_to_numpy, (tensor, known))
        assert (one == other).all()


@pytest.fixture
def compiled_functions():
    """Return a list that functions compiled from now on are noted in."""
    jax = pytest.importorskip("jax")
    found, is_on = [], True

    def ends(event, seconds, **kwargs):
        if is_on and "backend_compile" in event:
            found.append(kwargs.get("fun_name"))

    jax.monitoring.register_event_duration_secs_listener(ends)
    yield found
    is_on = False


@pytest.mark.once("jax")
def test_nothing_is_compiled_for_copies(compiled_functions, rng):
    model = keras.Sequential([keras.Input((6,)), L.Dense(7, "tanh"), L.Dense(3)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = rng.normal(size=(40, 6)).astype("float32"), rng.integers(0, 3, 40)
    compiled_functions.clear()
    kd.preflight(model, x, y)
    # the look, the loss of constants, signals, the gradient, what options there are
    assert len(compiled_functions) <= 5


@pytest.mark.once("jax")
def test_options_change_no_numbers(monkeypatch, rng):
    from keras_dlbasic._backends.jax import compiled as module

    def function(x, y):
        import jax.numpy as jnp

        return jnp.tanh(x @ y).sum(0), jnp.exp(-jnp.abs(x)).mean()

    x, y = (rng.normal(size=(9, 9)).astype("float32") for _ in "xy")
    found = []
    for options in (module.QUICK, module.LEAST, {}):
        monkeypatch.setattr(module, "_known_options", lambda options=options: options)
        with run_once():
            found.append(module.compiled(function)(x, y))
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            assert np.allclose(one, two, rtol=1e-5, atol=1e-6)


@pytest.mark.once("jax")
def test_options_that_are_not_known_are_left_out(monkeypatch):
    from keras_dlbasic._backends.jax import compiled as module

    module._known_options.cache_clear()
    assert module._known_options() in (module.QUICK, module.LEAST)
    monkeypatch.setattr(module, "QUICK", {**module.LEAST, "xla_of_another_year": 1})
    module._known_options.cache_clear()
    assert module._known_options() == module.LEAST
    monkeypatch.setattr(module, "LEAST", {"xla_of_another_year": 1})
    module._known_options.cache_clear()
    assert module._known_options() == {}
    with run_once():
        assert float(module.compiled(lambda x: x + 1)(np.float32(1))) == 2
    module._known_options.cache_clear()
