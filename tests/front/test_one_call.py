"""Helpers that need one call."""

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from front.inputs import X, Y

import keras_dlbasic as kd

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def make():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, "sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    return model


def test_lr_find_draws_and_returns_the_rate():
    rate = kd.lr_find(make(), X, Y, steps=40)
    # the loss falls up to the last rate, 10, of which a tenth is suggested
    assert 0.3 < rate < 3
    (axes,) = plt.gcf().axes
    assert "learning rate" in axes.get_xlabel()
    other = kd.lr_find(make, X, Y, steps=40, plot=False)
    assert rate / 2 < other < 2 * rate
    assert len(plt.get_fignums()) == 1


def test_explain_takes_whatever_a_run_leaves_behind(tmp_path, capsys):
    doctor = kd.callbacks.TrainingDoctor(X, Y, verbose=0)
    with pytest.raises(ValueError, match="not fitted yet"):
        kd.explain(doctor)
    history = make().fit(X, Y, epochs=2, verbose=0, callbacks=[doctor])
    record, table = tmp_path / "run.npz", tmp_path / "log.csv"
    doctor.record.save(record)
    table.write_text("epoch,loss\n0,0.7\n1,nan\n")
    loud = record.rename(record.with_suffix(".NPZ"))
    saved = (loud, str(table))
    for run in (history, history.model, history.history, doctor, doctor.record, *saved):
        found = kd.explain(run)
        said = capsys.readouterr().out
        assert said.startswith("Diagnosis")
        assert len(plt.get_fignums()) == 1
        plt.close("all")
        assert isinstance(found, kd.diagnosis.Diagnosis)
    assert "Diagnosis of log.csv" in said
    assert kd.explain(doctor, plot=False) == doctor.diagnosis
    with pytest.raises(TypeError, match="History"):
        kd.explain(3)
    with pytest.raises(IsADirectoryError, match="is a folder. Give a file in it"):
        kd.explain(tmp_path)


def test_a_study_draws_what_it_found():
    study = kd.studies.BatchSizeStudy(
        make(), X, Y, batch_sizes=("full",), budget={"epochs": 1}, verbose=0, seeds=2
    )
    assert repr(study) == "<BatchSizeStudy: 2 trials, not run yet>"
    for unfinished in (study, kd.studies.LearningRateRangeTest(make(), X, Y)):
        with pytest.raises(RuntimeError, match="has not been run"):
            unfinished.plot()
    study.run()
    assert np.ravel(study.plot())[0].figure is plt.gcf()
    with pytest.raises(TypeError, match=r"draws a `BatchSizeResult`.*`run\(\)` first"):
        kd.plots.plot_batch_size_study(study)
