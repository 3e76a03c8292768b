"""Members trained on the studies' trial runner."""

import importlib
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_dlbasic as kd

sys.path.insert(0, str(Path(__file__).parent.parent / "studies"))
study_models = importlib.import_module("study_models")

X, Y = study_models.data()


def fit(n=2, build_model=study_models.build_model, **options):
    options = {"epochs": 2, "batch_size": 16, "verbose": 0, **options}
    return kd.ensembles.fit_ensemble(build_model, n, X, Y, **options)


@pytest.mark.once
def test_members_are_what_a_plain_fit_gives():
    ensemble = fit(callbacks=[kd.ensembles.WeightAverage(1)])
    keras.utils.set_random_seed(1)
    model = study_models.build_model()
    keras.utils.set_random_seed(1)
    averaging = kd.ensembles.WeightAverage(1)
    model.fit(X, Y, epochs=2, batch_size=16, verbose=0, callbacks=[averaging])
    expected = model.predict(X, verbose=0)
    found = ensemble.members[1].predict(X, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert ensemble.evaluate(X, Y, verbose=0, return_dict=True)["mae"] > 0
    assert np.abs(found - ensemble.members[0].predict(X, verbose=0)).max() > 0


@pytest.mark.once
def test_what_was_trained_is_not_trained_again(tmp_path):
    built = []

    def build_model():
        built.append(1)
        return study_models.build_model()

    first = fit(2, build_model, directory=tmp_path)
    built.clear()
    again = fit(3, build_model, directory=tmp_path)
    assert len(built) == 1 + 1 + 3  # to describe it, one new member, three to load
    for one, other in zip(first.members, again.members, strict=False):
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="another study"):
        fit(2, directory=tmp_path, epochs=3)
    next(tmp_path.glob("members/*0.npz")).unlink()
    with pytest.raises(ValueError, match="seed 0 are missing"):
        fit(2, directory=tmp_path)


@pytest.mark.once
def test_members_that_fail_are_left_out_and_said():
    def build_model():
        model = study_models.build_model()
        if len(seen) == 1:
            model.optimizer.learning_rate = 1e30
        seen.append(1)
        return model

    seen = []
    with pytest.warns(UserWarning, match=r"1 of 2 members.*seed 0 diverged"):
        ensemble = fit(build_model=build_model)
    assert len(ensemble.members) == 1
    with pytest.raises(RuntimeError, match="No member"):
        fit(1, study_models.build_wild_model)


@pytest.mark.once
@pytest.mark.parametrize("n", [0, True, [1, 1], None, 1.5])
def test_bad_numbers(n):
    with pytest.raises(ValueError, match="`n` must be"):
        fit(n)
    with pytest.raises(ValueError, match=r"at least one seed. Received: n=\[\]"):
        fit([])
