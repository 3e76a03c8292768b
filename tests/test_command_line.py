"""The command `keras-dlbasic`."""

import json
import runpy
import subprocess
import sys

import numpy as np
import pytest
from made_runs import STUCK, made_run

import keras_dlbasic as kd
from keras_dlbasic.command_line import main


@pytest.fixture
def run(tmp_path):
    def save(**given):
        path = tmp_path / "run.npz"
        made_run(**given).save(path)
        return str(path)

    return save


def test_exit_codes(run, tmp_path, capsys):
    assert main(["diagnose", run()]) == 0
    assert "Nothing wrong" in capsys.readouterr().out
    assert main(["diagnose", run(dead=1.0, ratio=0.5, **STUCK)]) == 1
    assert "CRITICAL learning_rate_too_high" in capsys.readouterr().out
    assert main(["diagnose", str(tmp_path / "none.npz")]) == 2
    (tmp_path / "bad.csv").write_text("no numbers here")
    assert main(["diagnose", str(tmp_path / "bad.csv")]) == 2
    (tmp_path / "bad.npz").write_bytes(b"PK")
    assert main(["diagnose", str(tmp_path / "bad.npz")]) == 2
    assert "keras-dlbasic:" in capsys.readouterr().err
    assert main(["unknown"]) == 2
    assert main(["--version"]) == 0


def test_json_is_the_diagnosis(run, capsys):
    path = run(**STUCK)
    main(["diagnose", path, "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told == kd.diagnose(kd.records.TrainingRecord.load(path)).to_dict()


@pytest.mark.once
def test_report(run, tmp_path, capsys):
    path = run(dead=1.0, ratio=0.5, **STUCK)
    assert main(["report", path]) == 1
    assert "Wrote" in capsys.readouterr().out
    text = (tmp_path / "run.html").read_text()
    assert "Report on run.npz" in text
    assert "learning_rate_too_high" in text
    table = tmp_path / "log.csv"
    table.write_text("epoch,loss\n0,0.7\n1,nan\n")
    other = tmp_path / "other.html"
    assert main(["report", str(table), "-o", str(other)]) == 1
    assert "Report on log.csv" in other.read_text()
    assert main(["report", str(tmp_path / "none.npz")]) == 2
    assert main(["report", path, "-o", str(tmp_path / "no" / "folder.html")]) == 2
    assert "keras-dlbasic:" in capsys.readouterr().err


def test_tables(tmp_path, capsys):
    path = tmp_path / "log.csv"
    rows = [f"{i};{v}" for i, v in enumerate([0.7, np.nan, np.nan])]
    path.write_text("epoch;loss\n" + "\n".join(rows))
    assert main(["diagnose", str(path)]) == 1
    assert "non_finite_values" in capsys.readouterr().out


@pytest.mark.once
def test_it_runs_without_keras(run):
    code = (
        "import importlib.util as u, sys; find = u.find_spec\n"
        "u.find_spec = lambda n, *a: None if n == 'keras' else find(n, *a)\n"
        "from keras_dlbasic.command_line import main\n"
        f"print(main(['diagnose', {run()!r}]), 'keras' in sys.modules)\n"
    )
    got = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert got.stdout.splitlines()[-1] == "0 False", got.stderr


@pytest.mark.once
def test_the_command_itself_does_not_wait_for_keras(tmp_path):
    script = tmp_path / "keras-dlbasic"
    script.write_text(
        "import sys; import keras_dlbasic.command_line as c\n"
        "print('keras' in sys.modules)"
    )
    got = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False
    )
    assert got.stdout.strip() == "False", got.stderr


def test_as_a_module(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["keras-dlbasic", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("keras_dlbasic", run_name="__main__")
    assert ended.value.code == 0
    assert kd.__version__ in capsys.readouterr().out


def test_a_saved_model_is_no_record(tmp_path, capsys):
    path = tmp_path / "model.keras"
    path.write_bytes(b"PK")
    assert main(["diagnose", str(path)]) == 2
    assert "is a saved model" in capsys.readouterr().err
