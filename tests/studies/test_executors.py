"""Trials come to the same on every engine, and a worker that dies costs its trial."""

import os
import threading
from concurrent.futures import BrokenExecutor, Executor, Future

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic._trials import process_pool as pools
from keras_dlbasic._trials import worker
from keras_dlbasic._trials.slot_executor import SlotExecutor
from keras_dlbasic.studies import TrialRunner

pytestmark = pytest.mark.once


class Here:
    """A slot whose worker is this process; it dies where a call says so."""

    def __init__(self):
        self.closed = []

    def run(self, function, args):
        return function(*args)

    def close(self, *, kill):
        self.closed.append(kill)


def die():
    raise BrokenExecutor("the worker died")


def test_a_worker_that_dies_does_not_break_the_others():
    slots = [Here(), Here()]
    with SlotExecutor(slots) as executor:
        dead, fine = executor.submit(die), executor.submit(int, "3")
        assert fine.result() == 3
        with pytest.raises(BrokenExecutor):
            dead.result()
        assert executor.submit(int, "4").result() == 4
    assert [slot.closed for slot in slots] == [[False], [False]]
    with pytest.raises(RuntimeError, match="shutdown"):
        executor.submit(int)


def test_an_interrupt_ends_the_workers_and_what_waits():
    slots, is_running, go = [Here()], threading.Event(), threading.Event()

    def busy():
        is_running.set()
        go.wait(10)

    executor = SlotExecutor(slots)
    executor.submit(busy)
    assert is_running.wait(10)
    waiting = executor.submit(int)
    executor.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert waiting.cancelled()
    assert slots[0].closed == [True]
    go.set()


class Failing(Executor):
    """Fails the first `times` calls, as if workers died."""

    def __init__(self, times):
        self.times = times

    def submit(self, fn, /, *args):
        future, self.times = Future(), self.times - 1
        if self.times >= 0:
            future.set_exception(BrokenExecutor("the worker died"))
        else:
            future.set_result(fn(*args))
        return future


def seeds(settings, shared):
    return {"y": settings["seed"] + shared}


@pytest.mark.parametrize(
    ("times", "statuses"),
    [
        (1, {"done"}),
        (3, {"done"}),
        (6, {"lost"}),
    ],
)
def test_a_lost_trial_is_tried_once_more(times, statuses, monkeypatch):
    # beside threads of other tests a trial would get a process
    monkeypatch.setattr(worker._lone_worker, "is_needed", lambda: False)
    trials = [{"seed": n} for n in range(3)]
    runner = TrialRunner(seeds, 10, verbose=0)
    results = runner.run(trials, Failing(times))
    assert {result.status for result in results} == statuses
    assert [result.settings["seed"] for result in results] == [0, 1, 2]
    if statuses == {"lost"}:
        assert "twice" in results[0].error
        assert "the worker died" in results[0].error
        # nothing is kept of them: the next run tries them again
        assert [r.values["y"] for r in runner.run(trials)] == [10, 11, 12]


def test_a_device_for_each_process(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert pools._pinned(3)["CUDA_VISIBLE_DEVICES"] == "3"
    assert pools._pinned("cpu")["CUDA_VISIBLE_DEVICES"] == "-1"
    assert pools._pinned("GPU-8f1c")["CUDA_VISIBLE_DEVICES"] == "GPU-8f1c"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")  # as a scheduler sets it
    assert pools._pinned(1)["CUDA_VISIBLE_DEVICES"] == "6"
    assert pools._devices(2) == [0, 1]
    for wrong in (0, [], [-1], ["gpu"], [True]):
        with pytest.raises(ValueError, match="devices"):
            kd.studies.process_pool(devices=wrong)
    with pytest.raises(ValueError, match="a device of its own"):
        kd.studies.process_pool(3, devices=[0, 1])
    with pytest.raises(ValueError, match="max_workers"):
        kd.studies.process_pool(0)


def test_ray_is_asked_for_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(ImportError, match=r"keras_dlbasic\[ray\]"):
        kd.studies.ray_executor(2)


# -- with real processes ---------------------------------------------------------------


def trained(settings, shared):
    """Train, and die at the first try where the settings say so."""
    marker = settings["marker"]
    if marker and not os.path.exists(marker):
        open(marker, "w").close()
        os._exit(1)
    x = np.random.default_rng(settings["seed"]).normal(size=(32, 4))
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(shared)])
    model.compile("adam", "mse")
    model.fit(x, x[:, :shared], batch_size=8, epochs=2, verbose=0)
    return {"weights": np.concatenate([w.ravel() for w in model.get_weights()])}


def joblib_executor():
    return pytest.importorskip("joblib").externals.loky.get_reusable_executor(2)


def dask_executor():
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        resources={"GPU": 1},
        dashboard_address=None,
    )
    client = distributed.Client(cluster)
    return client.get_executor(resources={"GPU": 1})  # to be run in its cluster


def ray_executor():
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    return kd.studies.ray_executor(2)


ENGINES = {
    "pool": lambda: kd.studies.process_pool(2),
    "devices": lambda: kd.studies.process_pool(devices=["cpu", "cpu"]),
    "joblib": joblib_executor,
    "dask": dask_executor,
    "ray": ray_executor,
}


@pytest.mark.everywhere
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_gives_the_same_table(engine, tmp_path):
    """And a worker that is killed once loses nothing."""
    # a broken executor of joblib is broken for good: there the next run goes on
    is_killed = engine != "joblib"
    markers = ["", str(tmp_path / "killed") if is_killed else "", ""]
    trials = [{"seed": n, "marker": marker} for n, marker in enumerate(markers)]
    with ENGINES[engine]() as executor:
        found = TrialRunner(trained, 2, verbose=0).run(trials, executor)
    assert [result.status for result in found] == ["done"] * 3
    assert os.path.exists(markers[1]) == is_killed
    expected = TrialRunner(trained, 2, verbose=0).run(trials)
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one.values["weights"], other.values["weights"])
