import importlib
import random
import sys
import threading
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


def test_random_state_of_the_caller_is_put_back():
    random.seed(3)
    np.random.seed(3)
    expected = random.random(), np.random.random()
    random.seed(3)
    np.random.seed(3)
    TrialRunner(draw, verbose=0).run(trials(1))
    assert (random.random(), np.random.random()) == expected


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
    assert "2/2" in capsys.readouterr().out


@pytest.mark.once
def test_seed_is_required():
    with pytest.raises(ValueError, match="'seed'"):
        TrialRunner(draw, verbose=0).run([{"x": 1}])


def test_threads_that_are_there_already_do_not_disturb_a_trial():
    """As the event loop of a Dask worker does, which draws random numbers too."""
    expected = TrialRunner(draw, verbose=0).run(trials(1))
    names = "random", "randint", "sample"
    before = [getattr(random, name) for name in names]
    held, held_numpy = random.random, np.random.random
    go, drawn = threading.Barrier(2), []

    def disturb():
        for _ in range(2):
            go.wait(60)
            # as a thread does that was interrupted between looking up and calling
            drawn.extend([held(), held_numpy(), random.random(), np.random.random()])
            go.wait(60)

    def disturbed(settings, shared):
        for _ in range(2):
            go.wait(60)
            go.wait(60)
        return draw(settings, shared)

    stranger = threading.Thread(target=disturb)
    stranger.start()
    got = TrialRunner(disturbed, verbose=0).run(trials(1))
    stranger.join()
    assert len(drawn) == 8
    assert comparable(got) == comparable(expected)
    assert [getattr(random, name) for name in names] == before


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
    from keras_dlbasic._trials.serialization import pack
    from keras_dlbasic._trials.threads import backend_threads
    from keras_dlbasic._trials.worker import attempt_packed

    own, backend = backend_threads(), keras.backend.backend()
    (result,) = TrialRunner(draw, verbose=0).run(trials(1))
    assert result.threads == own >= 1
    packed = pack((backend, own + 1, draw, None))
    shipped = TrialResult.from_json(attempt_packed(packed, {"seed": 0}))
    assert shipped.threads == (own + 1 if backend == "torch" else own)
    assert backend_threads() == own
