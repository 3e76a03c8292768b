"""The package as installed and imported."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import keras_dlbasic as kd

ROOT = Path(__file__).parent.parent


def run(code, **env):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **env},
        cwd=ROOT.parent,
    )


@pytest.mark.skipif("PYTHONPATH" in os.environ, reason="a developer's shortcut")
def test_tests_run_against_the_installed_package():
    assert ROOT / "keras_dlbasic" not in Path(kd.__file__).parents


@pytest.mark.once
@pytest.mark.parametrize("name", kd._MODULES)
def test_help_of_a_subpackage_lists_what_is_in_it(name):
    package = getattr(kd, name)
    listed = re.findall(r"^- `(\w+)`: .", package.__doc__, flags=re.MULTILINE)
    assert sorted(listed) == sorted(package.__all__)


@pytest.mark.once
def test_import_is_light_and_imports_no_other_backend():
    backend = os.environ["KERAS_BACKEND"]
    others = {"tensorflow", "jax", "torch"} - {backend}
    code = (
        "import keras, sys; before = set(sys.modules)\n"
        "import keras_dlbasic as kd\n"
        "new = set(sys.modules) - before\n"
        "print([m for m in ('matplotlib', 'scipy.stats', 'rich') if m in new])\n"
        "kd.callbacks.GradientNormMonitor(); kd.plots; kd.analysis; kd.records\n"
        f"print(sorted(({others!r} & set(sys.modules)) - before))\n"
    )
    found = run(code)
    assert found.stdout.split() == ["[]", "[]"], found.stderr


@pytest.mark.once
def test_a_watched_fit_does_not_import_tensorflow():
    """Keras imports it to serialize a layer, which takes seconds and much memory."""
    code = (
        "import keras, sys, numpy as np, keras_dlbasic as kd\n"
        "dense = keras.layers.Dense(3, 'relu', kernel_regularizer='l2')\n"
        "layers = [keras.Input((4,)), dense, keras.layers.Dense(1)]\n"
        "model = keras.Sequential(layers); model.compile('adam', 'mse')\n"
        "x = np.random.default_rng(0).normal(size=(64, 4)); y = x[:, :1]\n"
        "kd.preflight(model, x, y)\n"
        "doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)\n"
        "model.fit(x, y, epochs=2, verbose=0, callbacks=[doctor])\n"
        "print('tensorflow' in sys.modules)\n"
    )
    found = run(code)
    assert found.stdout.split() == ["False"], found.stderr


@pytest.mark.once
def test_a_missing_backend_is_named_with_how_to_install_it():
    backends = ("tensorflow", "jax", "torch")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({backends}))\n"
        "try:\n    import keras_dlbasic\n"
        "except ImportError as error:\n    print(error)\n"
    )
    found = run(code, KERAS_BACKEND="tensorflow")
    for extra in backends:
        assert f"pip install {extra}" in found.stdout, found.stderr


@pytest.mark.once
@pytest.mark.parametrize("chosen", ["tensorflow", "pytorch"])
def test_the_backend_that_is_installed_is_named(chosen):
    code = (
        "import sys; sys.modules['tensorflow'] = sys.modules['jax'] = None\n"
        "try:\n    import keras_dlbasic\n"
        "except ImportError as error:\n    print(error)\n"
    )
    found = run(code, KERAS_BACKEND=chosen)
    assert "export KERAS_BACKEND=torch" in found.stdout, found.stderr
    assert 'os.environ["KERAS_BACKEND"] = "torch"' in found.stdout


@pytest.mark.once
def test_records_and_plots_need_no_keras():
    code = (
        "import importlib.util as u, sys; find = u.find_spec\n"
        "u.find_spec = lambda n, *a: None if n == 'keras' else find(n, *a)\n"
        "import keras_dlbasic as kd\n"
        "kd.plots.plot_gradient_norm(kd.records.TrainingRecord())\n"
        "kd.analysis.gradient_events(kd.records.TrainingRecord())\n"
        "print('keras' in sys.modules)\n"
    )
    found = run(code)
    assert found.stdout.strip() == "False", found.stderr
