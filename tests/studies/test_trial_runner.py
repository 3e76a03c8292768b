import importlib
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_dlbasic.records import TrialResult
from keras_dlbasic.studies import TrialRunner

# on the path, so that spawned processes find it too
sys.path.insert(0, str(Path(__file__).parent))
draw, troubled, total = (
    getattr(importlib.import_module("trial_functions"), name)
    for name in ("draw", "troubled", "total")
)


def trials(n):
    return [{"seed": seed} for seed in range(n)]


def comparable(results):
    return [
        (dict(r.settings), r.status, str({k: str(v) for k, v in r.values.items()}))
        for r in results
    ]


def test_a_trial_depends_on_its_seed_alone():
    first = TrialRunner(draw, verbose=0).run(trials(3))
    second = TrialRunner(draw, verbose=0).run(reversed(trials(3)))
    assert comparable(first) == comparable(second[::-1])
    assert len({r.values["python"] for r in first}) == 3


def backend_draw():
    """Return a number of the generator that the backend itself has."""
    backend = keras.backend.backend()
    if backend == "jax":
        return None
    module = importlib.import_module(backend)
    draw = module.rand if backend == "torch" else module.random.uniform
    return float(draw((1,))[0])


def test_random_state_of_the_caller_is_put_back():
    def drawn():
        return random.random(), np.random.random(), backend_draw()

    keras.utils.set_random_seed(3)
    drawn()
    expected = drawn()
    keras.utils.set_random_seed(3)
    drawn()
    TrialRunner(draw, verbose=0).run(trials(1))
    assert drawn() == expected


def test_nothing_is_replaced_while_a_trial_runs():
    def functions(settings=None, shared=None):
        return {
            f"{module.__name__}.{name}": id(value)
            for module in (random, np.random)
            for name, value in vars(module).items()
            if callable(value)
        }

    (got,) = TrialRunner(functions, verbose=0).run(trials(1))
    assert got.values == functions()


@pytest.mark.once
def test_executors_give_the_same(pool):
    expected = comparable(TrialRunner(draw, verbose=0).run(trials(4)))
    assert comparable(TrialRunner(draw, verbose=0).run(trials(4), pool)) == expected
    with ThreadPoolExecutor(3) as threads:
        got = TrialRunner(draw, verbose=0).run(trials(4), threads)
    assert comparable(got) == expected
    assert all(result.parallel for result in got)


@pytest.mark.once
def test_troubles_are_rows():
    settings = [{"how": how, "seed": 0} for how in ("fine", "raise", "diverge")]
    fine, failed, diverged = TrialRunner(troubled, verbose=0).run(settings)
    assert fine.status == "done"
    assert (failed.status, failed.error) == ("failed", "RuntimeError: out of luck")
    assert (diverged.status, diverged.values) == ("diverged", {"updates": 7})


@pytest.mark.once
def test_a_killed_process_loses_its_trials_only(tmp_path, start_pool):
    settings = [{"how": how, "seed": 0} for how in ("fine", "die")]
    runner = TrialRunner(troubled, directory=tmp_path, verbose=0)
    with start_pool() as executor:
        fine, dead = runner.run(settings, executor)
    assert (fine.status, dead.status) == ("done", "lost")
    assert len(list((tmp_path / "trials").glob("*.json"))) == 1


@pytest.mark.once
@pytest.mark.parametrize("on_disk", [True, False])
def test_interrupt_and_resume(tmp_path, on_disk):
    """Run nothing twice that had finished, and lose nothing."""
    flag = tmp_path / "go-on"
    settings = [{"how": how, "seed": 0} for how in ("a", "raise", "interrupt", "b")]
    directory = tmp_path / "study" if on_disk else None
    ran = []

    def recorded(one, shared):
        ran.append(one["how"])
        return troubled(one, shared)

    runner = TrialRunner(recorded, flag, directory=directory, verbose=0)
    with pytest.raises(KeyboardInterrupt):
        runner.run(settings)
    flag.touch()
    if on_disk:
        runner = TrialRunner(recorded, flag, directory=directory, verbose=0)
    results = runner.run(settings)
    assert ran == ["a", "raise", "interrupt", "interrupt", "b"]
    assert [r.status for r in results] == ["done", "failed", "done", "done"]
    assert np.isnan(results[0].values["nan"])


@pytest.mark.once
def test_resuming_on_an_executor(tmp_path, pool):
    log = tmp_path / "log"
    make = lambda: TrialRunner(draw, str(log), directory=tmp_path / "s", verbose=0)  # noqa: E731
    make().run(trials(2))
    assert len(make().run(trials(4), pool)) == 4
    assert sorted(log.read_text().split()) == ["0", "1", "2", "3"]


@pytest.mark.once
def test_directories(tmp_path):
    make = lambda about, **more: TrialRunner(  # noqa: E731
        draw, about=about, directory=tmp_path, verbose=0, **more
    )
    make({"data": "a"}).run(trials(2))
    with pytest.raises(ValueError, match=r"data: there 'a', here 'b'.*overwrite=True"):
        make({"data": "b"})
    make({"data": "b"}, overwrite=True)
    assert not list((tmp_path / "trials").glob("*.json"))


@pytest.mark.once
def test_damaged_files_are_named(tmp_path):
    runner = TrialRunner(draw, directory=tmp_path, verbose=0)
    runner.run(trials(1))
    (path,) = (tmp_path / "trials").glob("*.json")
    path.write_text(path.read_text()[:20])
    with pytest.raises(ValueError, match="Delete it to run the trial again"):
        runner.run(trials(1))


@pytest.mark.once
def test_arrays_on_disk_travel_by_name(tmp_path, pool):
    array = np.memmap(tmp_path / "x.dat", np.float32, "w+", shape=(10, 3))
    array[:] = 2
    array.flush()
    for data, mapped in ((array, True), (array[5:], False)):
        (result,) = TrialRunner(total, data, verbose=0).run(trials(1), pool)
        assert result.values == {"sum": 2.0 * data.size, "mapped": mapped}


@pytest.mark.once
def test_forks_are_refused():
    if sys.platform == "win32":
        pytest.skip("no fork")
    with (
        ProcessPoolExecutor(1, mp_context=get_context("fork")) as executor,
        pytest.raises(ValueError, match="process_pool"),
    ):
        TrialRunner(draw, verbose=0).run(trials(1), executor)


@pytest.mark.once
def test_what_cannot_travel_is_said():
    import threading

    with (
        ThreadPoolExecutor(1) as executor,
        pytest.raises(TypeError, match="cloudpickle"),
    ):
        TrialRunner(draw, threading.Lock(), verbose=0).run(trials(1), executor)


@pytest.mark.once
def test_progress(capsys):
    TrialRunner(draw).run(trials(2))
    assert "trial 2 of 2: " in capsys.readouterr().out


@pytest.mark.once
def test_seed_is_required():
    with pytest.raises(ValueError, match="'seed'"):
        TrialRunner(draw, verbose=0).run([{"x": 1}])


@pytest.mark.once
def test_threads_that_are_there_already_do_not_disturb_a_trial():
    """As the event loop of a Dask worker does, which draws random numbers too."""
    expected = TrialRunner(draw, verbose=0).run(trials(2))
    done = threading.Event()

    def disturb():
        while not done.wait(1e-4):
            random.random(), np.random.random()

    stranger = threading.Thread(target=disturb)
    stranger.start()
    try:
        with ThreadPoolExecutor(1) as threads:
            got = TrialRunner(draw, verbose=0).run(trials(2), threads)
    finally:
        done.set()
        stranger.join()
    assert comparable(got) == comparable(expected)


def test_generators_held_by_another_name_start_from_the_seed():
    held, held_numpy = random.random, np.random.random

    def function(settings, shared):
        return {"python": held(), "numpy": held_numpy()}

    (got,) = TrialRunner(function, verbose=0).run(trials(1))
    own = random.Random(0).random(), np.random.RandomState(0).random()
    assert (got.values["python"], got.values["numpy"]) == own


def test_threads_of_a_trial_share_its_generators():
    def threaded(settings, shared):
        with ThreadPoolExecutor(1) as pool:
            return {"python": pool.submit(random.random).result()}

    (got,) = TrialRunner(threaded, verbose=0).run(trials(1))
    assert got.values["python"] == random.Random(0).random()


@pytest.mark.once
def test_trials_say_with_how_many_threads_they_ran():
    from keras_dlbasic._trials.threads import backend_threads, with_threads
    from keras_dlbasic._trials.worker import attempt_here, pack_trial

    own, backend = backend_threads(), keras.backend.backend()
    (result,) = TrialRunner(draw, verbose=0).run(trials(1))
    assert result.threads == own >= 1
    with with_threads(own + 1):
        packed = pack_trial(draw, None)
    shipped = TrialResult.from_json(attempt_here(packed, {"seed": 0}))
    assert shipped.threads == (own + 1 if backend == "torch" else own)
    assert backend_threads() == own


@pytest.mark.once
def test_settings_of_keras_travel(pool):
    def settings_there(settings, shared):
        variable = keras.layers.Dense(1).dtype_policy
        return {"policy": variable.name, "format": keras.config.image_data_format()}

    before = keras.config.dtype_policy(), keras.config.image_data_format()
    keras.config.set_dtype_policy("mixed_bfloat16")
    keras.config.set_image_data_format("channels_first")
    try:
        (got,) = TrialRunner(settings_there, verbose=0).run(trials(1), pool)
    finally:
        keras.config.set_dtype_policy(before[0])
        keras.config.set_image_data_format(before[1])
    expected = {"policy": "mixed_bfloat16", "format": "channels_first"}
    assert got.values == expected
    (after,) = TrialRunner(settings_there, verbose=0).run(trials(1), pool)
    assert after.values == {"policy": before[0].name, "format": before[1]}


@pytest.mark.once
def test_functions_of_a_notebook_travel(pool):
    """With the names that they use."""
    notebook = {"__name__": "__main__", "os": os, "factor": 3}
    code = """
def scaled(settings, shared):
    return {"y": factor * settings["seed"] + shared(), "process": os.getpid()}
"""
    exec(code, notebook)
    ran = TrialRunner(notebook["scaled"], lambda: 1, verbose=0).run(trials(2), pool)
    assert [result.values["y"] for result in ran] == [1, 4]
    assert os.getpid() not in {result.values["process"] for result in ran}


@pytest.mark.once
@pytest.mark.everywhere
def test_functions_of_a_script_travel(tmp_path, child_path):
    """Without `if __name__ == "__main__":`, and as in a notebook, into one process."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
        import os
        import keras_dlbasic as kd
        factor = 3
        def scaled(settings, shared):
            return {"y": factor * settings["seed"] + shared(), "process": os.getpid()}
        with kd.studies.process_pool(1) as executor:
            for _ in range(2):
                runner = kd.studies.TrialRunner(scaled, lambda: 1, verbose=0)
                for result in runner.run([{"seed": 0}, {"seed": 1}], executor):
                    print(result.values["y"], result.values["process"] != os.getpid())
                    print("process", result.values["process"])
        """)
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(child_path)}
    lines = subprocess.run(
        [sys.executable, str(script)], env=env, check=True, capture_output=True
    ).stdout.decode()
    values = [line for line in lines.splitlines() if not line.startswith("process")]
    processes = {line for line in lines.splitlines() if line.startswith("process")}
    assert values == ["1 True", "4 True"] * 2
    assert len(processes) == 1


@pytest.mark.once
def test_an_interrupt_ends_a_pool_at_once(tmp_path, start_pool):
    settings = [{"how": how, "seed": 0} for how in ("fine", "sleep")]
    runner = TrialRunner(troubled, directory=tmp_path, verbose=0)

    def interrupt():
        while not list((tmp_path / "trials").glob("*.json")):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    def run():
        with start_pool() as executor:
            threading.Thread(target=interrupt).start()
            runner.run(settings, executor)

    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run()
    assert time.monotonic() - begin < 300
    (path,) = (tmp_path / "trials").glob("*.json")
    assert TrialResult.from_json(path.read_text()).status == "done"
