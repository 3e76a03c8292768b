"""Whatever file a run was saved to, one function reads it."""

import numpy as np
import pytest

from keras_dlbasic.records import TrainingRecord
from keras_dlbasic.records.saved_run import read_saved_run


@pytest.mark.parametrize("name", ["run.npz", "RUN.NPZ"])
def test_a_record(name, tmp_path):
    TrainingRecord.from_history({"loss": [0.9, 0.5]}).save(tmp_path / name)
    for path in (tmp_path / name, str(tmp_path / name)):
        np.testing.assert_array_equal(read_saved_run(path).epochs["loss"], [0.9, 0.5])


@pytest.mark.parametrize("name", ["log.csv", "log.tsv", "log"])
def test_a_table(name, tmp_path):
    (tmp_path / name).write_text("epoch,cost\n0,0.9\n1,0.5\n")
    with pytest.raises(ValueError, match="no column `loss`"):
        read_saved_run(tmp_path / name)
    found = read_saved_run(tmp_path / name, columns={"loss": "cost"})
    np.testing.assert_array_equal(found.epochs["loss"], [0.9, 0.5])


def test_neither(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder. Give a file in it"):
        read_saved_run(tmp_path)
    for name in ("none.npz", "none.csv"):
        with pytest.raises(FileNotFoundError):
            read_saved_run(tmp_path / name)
