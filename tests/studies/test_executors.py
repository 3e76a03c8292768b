"""Trials come to the same on every engine, and a worker that dies costs its trial."""

import importlib
import os
import sys
import threading
from concurrent.futures import BrokenExecutor, Executor, Future
from pathlib import Path

import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic._trials import lone_worker, worker
from keras_dlbasic._trials import process_pool as pools
from keras_dlbasic._trials.slot_executor import SlotExecutor
from keras_dlbasic.records import TrialResult
from keras_dlbasic.studies import TrialRunner

# on the path, so that workers find it too: what pytest imports goes by another name
sys.path.insert(0, str(Path(__file__).parent))
plus, trained = (
    getattr(importlib.import_module("trial_functions"), name)
    for name in ("plus", "trained")
)

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


def test_calls_take_keyword_arguments():
    with SlotExecutor([Here()]) as executor:
        assert executor.submit(int, "11", base=2).result() == 3


def test_a_lone_worker_that_dies_leaves_no_thread(monkeypatch):
    pool = SlotExecutor([Here()])
    made = iter([pool])
    monkeypatch.setattr(lone_worker, "process_pool", lambda *a, **k: next(made))
    lone = lone_worker.LoneWorker()
    with pool:
        with pytest.raises(BrokenExecutor):
            lone.run(die)
        assert lone.run(int, "3") == 3  # in the same pool


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


@pytest.mark.parametrize(
    ("times", "statuses"),
    [
        (1, {"done"}),
        (3, {"done"}),
        (6, {"lost"}),
    ],
)
def test_a_lost_trial_is_tried_once_more(times, statuses, monkeypatch):
    # beside threads of other tests a trial would get a process, which takes seconds
    monkeypatch.setattr(worker._lone_worker, "is_needed", lambda: False)
    trials = [{"seed": n} for n in range(3)]
    runner = TrialRunner(plus, 10, verbose=0)
    results = runner.run(trials, Failing(times))
    assert {result.status for result in results} == statuses
    assert [result.settings["seed"] for result in results] == [0, 1, 2]
    if statuses == {"lost"}:
        assert "twice" in results[0].error
        assert "the worker died" in results[0].error
        # nothing is kept of them: the next run tries them again
        assert [r.values["y"] for r in runner.run(trials)] == [10, 11, 12]


def gone(settings, shared):
    return {}


def test_what_a_worker_cannot_import_is_said(monkeypatch):
    monkeypatch.setattr(worker._lone_worker, "is_needed", lambda: False)
    monkeypatch.setitem(sys.modules, "of_the_caller", sys.modules[__name__])
    monkeypatch.setattr(gone, "__module__", "of_the_caller")
    packed = worker.pack_trial(gone, None)
    monkeypatch.delitem(sys.modules, "of_the_caller")
    result = TrialResult.from_json(worker.attempt_packed(packed, {"seed": 0}))
    assert result.status == "lost"
    assert "(ModuleNotFoundError: No module named 'of_the_caller')" in result.error
    for way in ("PYTHONPATH", "runtime_env", "upload_file"):
        assert way in result.error
    # it comes back as a row, which is not tried again
    failing = Failing(0)
    runner = TrialRunner(plus, 10, verbose=0)
    monkeypatch.setattr("keras_dlbasic._trials.runner.pack_trial", lambda *_: packed)
    (row,) = runner.run([{"seed": 0}], failing)
    assert (row.status, failing.times) == ("lost", -1)


def test_a_device_for_each_process(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert pools._pinned(3)["CUDA_VISIBLE_DEVICES"] == "3"
    assert pools._pinned("cpu")["CUDA_VISIBLE_DEVICES"] == "-1"
    assert pools._pinned("GPU-8f1c")["CUDA_VISIBLE_DEVICES"] == "GPU-8f1c"
    assert pools._devices(2) == pools._devices(np.int64(2)) == [0, 1]
    assert pools._devices("cpu") == ["cpu"]
    assert pools._workers(np.int64(2)) == 2
    (found,) = pools._devices(np.array([3]))
    assert type(found) is int
    for wrong in (0, [], [-1], ["gpu"], "gpu", [True], True, 1.5, [1.5], object()):
        with pytest.raises(ValueError, match="devices"):
            kd.studies.process_pool(devices=wrong)
    with pytest.raises(ValueError, match="a device of its own"):
        kd.studies.process_pool(3, devices=[0, 1])
    for wrong in (0, True, 1.5, "2"):
        with pytest.raises(ValueError, match="max_workers"):
            kd.studies.process_pool(wrong)


def test_numbers_of_devices_count_what_is_visible_here(monkeypatch):
    monkeypatch.delenv("HIP_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4, 6")  # as a scheduler sets it
    assert pools._pinned(1)["CUDA_VISIBLE_DEVICES"] == "6"
    with pytest.raises(ValueError, match="device 2.*CUDA_VISIBLE_DEVICES='4, 6'"):
        kd.studies.process_pool(devices=[0, 1, 2])
    for none in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", none)
        with pytest.raises(ValueError, match=f"CUDA_VISIBLE_DEVICES='{none}'"):
            kd.studies.process_pool(devices=1)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setenv("HIP_VISIBLE_DEVICES", "2,3")
    assert pools._pinned(1)["HIP_VISIBLE_DEVICES"] == "3"
    with pytest.raises(ValueError, match="device 2.*HIP_VISIBLE_DEVICES='2,3'"):
        pools._pinned(2)


def test_ray_is_asked_for_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(ImportError, match=r"keras_dlbasic\[ray\]"):
        kd.studies.ray_executor(2)


# -- with real processes ---------------------------------------------------------------


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
def test_a_lone_worker_that_dies_is_replaced():
    lone = lone_worker.LoneWorker()
    with pytest.raises(BrokenExecutor):
        lone.run(os._exit, 1)
    with lone._pool:
        assert lone.run(int, "3") == 3


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
