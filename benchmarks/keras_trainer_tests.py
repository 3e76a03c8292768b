"""Run Keras' own trainer tests with a `GradientNormMonitor` in every `fit`.

    KERAS_BACKEND=jax python benchmarks/keras_trainer_tests.py

The tests come with the installed Keras. Each runs as it is, and then with a monitor
that measures every step. What fails only with the monitor is printed; exits with 1 if
there is any, `test_retracing` excepted: it counts how often a step is compiled.
"""

import os
import sys
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pytest

import keras_dlbasic as kd

EXCEPTED = ("test_retracing",)
TESTS = ("trainers/trainer_test.py", "callbacks/early_stopping_test.py")
MORE = (
    "callbacks/backup_and_restore_test.py",
    "callbacks/csv_logger_test.py",
    "callbacks/lambda_callback_test.py",
    "callbacks/model_checkpoint_test.py",
    "callbacks/reduce_lr_on_plateau_test.py",
    "callbacks/swap_ema_weights_test.py",
    "callbacks/terminate_on_nan_test.py",
    "optimizers/optimizer_test.py",
    "optimizers/loss_scale_optimizer_test.py",
)


class Monitored:
    """Notes which tests fail, and adds a monitor to every `fit` if asked to."""

    def __init__(self, *, watch):
        self.watch = watch
        self.failed, self.passed = {}, set()
        self.fits, self.rows, self.refused = 0, 0, 0

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed[report.nodeid] = str(report.longrepr)
        elif report.when == "call" and report.passed:
            self.passed.add(report.nodeid)

    def fit(self, original):
        def fit(model, *args, **kwargs):
            callbacks = kwargs.get("callbacks")
            if isinstance(callbacks, keras.callbacks.CallbackList) or len(args) > 5:
                return original(model, *args, **kwargs)
            monitor = kd.callbacks.GradientNormMonitor(every=1)
            given = callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]
            given = [callback for callback in given if callback is not None]
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Gradients are not watched")
                result = original(
                    model, *args, **{**kwargs, "callbacks": [*given, monitor]}
                )
            self.fits += 1
            self.rows += len(monitor.record.steps)
            self.refused += not len(monitor.record.steps)
            result.history.pop("global_gradient_norm", None)
            return result

        return fit


def run(tests, *, watch):
    plugin = Monitored(watch=watch)
    original = keras.Model.fit
    if watch:
        keras.Model.fit = plugin.fit(original)
    try:
        folder = Path(keras.__file__).parent / "src"
        files = [str(folder / test) for test in tests]
        options = ["-q", "-p", "no:cacheprovider", "--no-header", "--tb=short"]
        options += ["-W", "ignore", "-c", os.devnull, "--rootdir", str(folder)]
        pytest.main([*options, "--no-summary", *files], plugins=[plugin])
    finally:
        keras.Model.fit = original
    return plugin


def main():
    tests = TESTS + MORE
    plain = run(tests, watch=False)
    watched = run(tests, watch=True)
    wrong = {
        name: text
        for name, text in watched.failed.items()
        if name not in plain.failed and not any(part in name for part in EXCEPTED)
    }
    for name, text in wrong.items():
        print(f"FAILS WITH THE MONITOR: {name}\n{text[-1500:]}\n")
    print(
        f"{keras.backend.backend()}, Keras {keras.__version__}: {len(plain.passed)} "
        f"tests pass without, {len(watched.passed)} with the monitor "
        f"({len(plain.failed)} fail without it); {watched.fits} fits, {watched.rows} "
        f"rows, {watched.refused} fits without a row; {len(wrong)} fail because of it"
    )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
