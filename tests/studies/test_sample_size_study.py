"""Training sets of several sizes, on a small model."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

import keras_dlbasic as kd

sys.path.insert(0, str(Path(__file__).parent))
study_models = importlib.import_module("study_models")


def study(**options):
    x, y = study_models.data(40)
    options = {"sizes": (8, 0.5, 1.0), "seeds": 2, "verbose": 0, **options}
    build_model = options.pop("build_model", study_models.build_model)
    return kd.studies.SampleSizeStudy(
        build_model, x, y, **{"budget": {"updates": 4}, **options}
    )


@pytest.mark.once
def test_sizes_and_scores(tmp_path):
    result = study(directory=tmp_path).run()
    assert result.sizes == (8, 14, 28)
    table = result.table()
    assert table["updates"].tolist() == [4] * 6
    assert np.isfinite(table["val_error"]).all()
    for seed in (0, 1):
        assert len(set(table["initial_weights"][table["seed"] == seed])) == 1
    again = study(directory=tmp_path).run()
    np.testing.assert_array_equal(again.table()["val_error"], table["val_error"])


@pytest.mark.once
def test_a_diverged_trial_is_a_row():
    result = study(build_model=study_models.build_wild_model, sizes=(8,), seeds=1).run()
    assert set(result.table()["status"]) == {"diverged"}
    assert "not finite" in str(result)


@pytest.mark.once
@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"sizes": (0,)}, "`sizes`"),
        ({"sizes": (1.5,)}, "`sizes`"),
        ({"sizes": (99,)}, "at most 28"),
        ({"sizes": ()}, "at least one"),
        ({"seeds": 0}, "at least 1"),
        ({"budget": {"seconds": 1}}, "train alike"),
    ],
)
def test_bad_arguments(options, text):
    with pytest.raises(ValueError, match=text):
        study(**options)
