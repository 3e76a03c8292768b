"""Files that are there whole or not at all."""

import os
import stat

import pytest

from keras_dlbasic.records import TrainingRecord, TrialResult
from keras_dlbasic.records.atomic_file import atomic_file


def interrupted_writing(path):
    with atomic_file(path) as file:
        file.write(b"half of it")
        raise KeyboardInterrupt


def test_an_error_leaves_what_was_there(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt):
        interrupted_writing(path)
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_what_is_written_appears_at_the_end_only(tmp_path):
    path = tmp_path / "file.txt"
    with atomic_file(path) as file:
        file.write(b"all")
        assert not path.exists()
    assert path.read_bytes() == b"all"


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_records_and_study_files_get_the_mode_of_new_files(tmp_path, umask):
    from keras_dlbasic._trials.store import DirectoryStore

    before = os.umask(umask)
    try:
        (tmp_path / "plain").write_text("")
        TrainingRecord().save(tmp_path / "record.npz")
        store = DirectoryStore(tmp_path / "study", {"kind": "test"})
        store.add(TrialResult({"seed": 1}))
    finally:
        os.umask(before)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 4
    modes = {stat.S_IMODE(path.stat().st_mode) for path in files}
    assert modes == {0o666 & ~umask}
