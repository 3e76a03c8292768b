import importlib
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic._trials.budget import Budget
from keras_dlbasic.analysis import BatchSizeResult
from keras_dlbasic.analysis.experiments.batch_size_result import TIMES
from keras_dlbasic.studies.batch_size.trial import (
    samples_seen,
    scale_learning_rate,
    warm_up,
    window_starts,
)

HERE = str(Path(__file__).parent)
sys.path.insert(0, HERE)
study_models = importlib.import_module("study_models")

SMALL = {"batch_sizes": ("full", 10), "seeds": 2, "verbose": 0}


def study(build_model=None, **options):
    x, y = study_models.data()
    return kd.studies.BatchSizeStudy(
        build_model or study_models.build_model, x, y, **{**SMALL, **options}
    )


@pytest.fixture(scope="module")
def result():
    x, y = study_models.data()
    return study(validation_data=(x[:20], y[:20]), budget={"epochs": 4}).run()


def without_times(result):
    """Return the rows of batch size 10 and seed 1, as text: NaN equals no NaN."""
    dropped = {*TIMES, "times_from"}
    one = {"batch_size": 10, "seed": 1}
    kept = [t for t in result.trials if t.settings == one]
    target = result.target_loss
    table = BatchSizeResult(kept, rows=48, target_loss=target).table()
    assert len(table["seed"]) == 1
    return {k: repr(v.tolist()) for k, v in table.items() if k not in dropped}


@pytest.mark.once
def test_table(result):
    table = result.table()
    assert table["batch_size"].tolist() == [48, 48, 10, 10]
    assert table["regime"].tolist() == ["full", "full", "mini", "mini"]
    assert table["updates"].tolist() == [4, 4, 20, 20]
    assert table["epochs"].tolist() == [4, 4, 4, 4]
    assert set(table["times_from"]) == {"sequential run"}
    for name in ("train_loss", "val_mae", "update_noise", "gradient_cosine"):
        assert np.isfinite(table[name]).all(), name
    assert (table["seconds_per_update"] > 0).all()
    rates = table["updates_per_second"] * table["seconds_per_update"]
    np.testing.assert_allclose(rates, 1)


@pytest.mark.once
def test_every_arm_starts_from_the_same_weights(result):
    table = result.table()
    weights = table["initial_weights"]
    for seed in (0, 1):
        assert len(set(weights[table["seed"] == seed])) == 1
    assert len(set(weights)) == 2
    starts = [t.values["curve_loss"][0] for t in result.trials]
    assert starts[0] == pytest.approx(starts[2])


def test_warming_up_changes_no_weight():
    x, y = study_models.data()
    model = study_models.build_model()
    before = [keras.ops.convert_to_numpy(v.value) for v in model.variables]
    warm_up(model, (x, y), 10, 48)
    for variable, value in zip(model.variables, before, strict=True):
        now = keras.ops.convert_to_numpy(variable.value)
        np.testing.assert_array_equal(now, value)


@pytest.mark.once("tensorflow")
@pytest.mark.skipif(
    keras.backend.backend() == "torch",
    reason="each DataLoader of `evaluate` draws from the shuffling generator",
)
def test_measuring_does_not_change_the_training():
    """Give what a plain fit gives that is not paused."""
    x, y = study_models.data()
    keras.utils.set_random_seed(1)
    model = study_models.build_model()
    warm_up(model, (x, y), 10, 48)
    keras.utils.set_random_seed(1)
    model.fit(x, y, batch_size=10, epochs=4, verbose=0)
    plain = model.evaluate(x, y, batch_size=512, verbose=0)[0]
    budget = {"epochs": 4}
    result = study(
        validation_data=(x[:20], y[:20]), budget=budget, batch_sizes=(10,), seeds=(1,)
    ).run()
    assert result.trials[0].values["train_loss"] == pytest.approx(plain, rel=1e-6)


@pytest.mark.once
def test_full_batch_is_steadier(result):
    noise = result.values("update_noise")
    assert noise[48].max() < noise[10].min()
    assert result.ranking("update_noise").order == (48, 10)


@pytest.mark.once
def test_printing_and_recommendation(result):
    advice = result.recommendation
    assert advice.batch_size in (48, 10)
    assert "Recommended" in str(result)
    assert "gradient noise scale" in str(result)


@pytest.mark.once
def test_budget_in_updates():
    result = study(budget={"updates": 7}, seeds=1, batch_sizes=(10,)).run()
    assert result.table()["updates"].tolist() == [7]
    assert result.table()["samples"].tolist() == [68]


@pytest.mark.once
def test_budget_in_seconds():
    result = study(budget={"seconds": 0.05}, seeds=1, batch_sizes=(10,)).run()
    (trial,) = result.trials
    assert trial.status == "done"
    assert 0.05 <= trial.values["seconds"] < 5


@pytest.mark.once
def test_a_diverged_trial_is_a_row():
    result = study(study_models.build_wild_model, seeds=1, budget={"epochs": 3}).run()
    assert set(result.table()["status"]) == {"diverged"}
    assert "nan" in result.trials[0].error or "inf" in result.trials[0].error
    assert result.recommendation.batch_size is None
    assert "diverged" in str(result)


def test_learning_rate_scaling():
    for rule, expected in (("none", 0.05), ("linear", 0.2), ("sqrt", 0.1)):
        optimizer = keras.optimizers.Adam(0.05)
        assert scale_learning_rate(optimizer, rule, 128) == pytest.approx(expected)
        assert float(optimizer.learning_rate) == pytest.approx(expected)
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    with pytest.raises(ValueError, match="schedule"):
        scale_learning_rate(keras.optimizers.SGD(schedule), "sqrt", 128)


@pytest.mark.once
def test_processes_give_the_same(result, pool):
    """Run the same study on a process pool."""
    x, y = study_models.data()
    made = study(
        validation_data=(x[:20], y[:20]),
        budget={"epochs": 4},
        batch_sizes=(10,),
        seeds=(1,),
        target_loss=result.target_loss,
    )
    pooled = made.run(pool)
    assert without_times(pooled) == without_times(result)
    assert not pooled.times_comparable
    assert "not compared" in str(pooled.ranking("seconds_per_update"))
    assert "not compared" in str(pooled)


@pytest.mark.everywhere
@pytest.mark.filterwarnings("ignore")
@pytest.mark.once
def test_dask_gives_the_same(result):
    distributed = pytest.importorskip("distributed")
    x, y = study_models.data()
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        made = study(
            validation_data=(x[:20], y[:20]),
            budget={"epochs": 4},
            batch_sizes=(10,),
            seeds=(1,),
            target_loss=result.target_loss,
        )
        found = made.run(client.get_executor())
    assert without_times(found) == without_times(result)


@pytest.mark.once
@pytest.mark.everywhere  # of a runner of trials: tests/studies/test_trial_runner.py
def test_killed_in_mid_study_and_started_again(tmp_path, child_path):
    """Kill the process with the second trial to come; repeat and lose nothing."""
    script = tmp_path / "script.py"
    log, folder = tmp_path / "log", tmp_path / "study"
    script.write_text(
        textwrap.dedent(f"""
        import sys, time
        sys.path.insert(0, {HERE!r})
        import keras_dlbasic as kd, study_models
        def build_model():
            with open({str(log)!r}, "a") as file:
                file.write("built\\n")
            return study_models.build_model()
        x, y = study_models.data()
        kd.studies.BatchSizeStudy(
            build_model, x, y, batch_sizes=(10,), seeds=2, verbose=0,
            budget={{"epochs": 4}}, directory={str(folder)!r},
        ).run()
        """)
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(child_path)}
    process = subprocess.Popen([sys.executable, str(script)], env=env)
    deadline = time.monotonic() + 120
    while not list(folder.glob("trials/*.json")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    process.wait()
    finished = {p: p.read_bytes() for p in folder.glob("trials/*.json")}
    assert 1 <= len(finished) < 2
    log.unlink()
    x, y = study_models.data()

    def build_model():
        with log.open("a") as file:
            file.write("built\n")
        return study_models.build_model()

    again = kd.studies.BatchSizeStudy(
        build_model,
        x,
        y,
        batch_sizes=(10,),
        seeds=2,
        verbose=0,
        budget={"epochs": 4},
        directory=folder,
    ).run()
    assert [t.status for t in again.trials] == ["done"] * 2
    # one to describe the study, two for each trial: the model and its probe
    assert log.read_text().count("built") == 1 + 2 * (2 - len(finished))
    assert all(path.read_bytes() == content for path, content in finished.items())


@pytest.mark.once
def test_another_study_in_the_directory_is_refused(tmp_path):
    study(seeds=1, batch_sizes=(10,), directory=tmp_path)
    with pytest.raises(ValueError, match="budget"):
        study(seeds=1, batch_sizes=(10,), directory=tmp_path, budget={"epochs": 1})


@pytest.mark.once
@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"budget": {"hours": 1}}, "`budget`"),
        ({"budget": {"epochs": 0}}, "`budget`"),
        ({"learning_rate_scaling": "cubic"}, "`learning_rate_scaling`"),
        ({"seeds": 0}, "at least 1"),
        ({"batch_sizes": ("all",)}, "`batch_size`"),
    ],
)
def test_arguments(options, text):
    with pytest.raises(ValueError, match=text):
        study(**options)


def test_the_model_must_be_compiled():
    with pytest.raises(TypeError, match="not compiled"):
        study(lambda: keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]))


def test_counting():
    assert samples_seen(6, 10, 48) == 58
    assert Budget.of(("updates", 9)).updates(10, 48) == 9
    assert Budget.of(2.5).updates(10, 48) == 13
    assert Budget.of({"seconds": 3}).updates(10, 48) is None
    for most in (1, 2, 16, 17, 40, 5000):
        starts = window_starts(most)
        assert starts[0] == 0
        assert all(b - a >= min(16, most) for a, b in zip(starts, starts[1:]))  # noqa: B905, RUF007
