"""The command `keras-dlbasic`."""

import io
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_runs import STUCK, made_run

import keras_dlbasic as kd
from keras_dlbasic.command_line import main
from keras_dlbasic.command_line.parser import parser


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


CODES = {"diagnose": "0123", "report": "0123", "convert": "02"}
"""By command, the exit codes that it may return."""


def test_every_command_has_its_exit_codes_here():
    (commands,) = (a.choices for a in parser()._actions if a.dest == "command")
    assert set(commands) == set(CODES)


@pytest.mark.parametrize("command", CODES)
def test_help_says_every_exit_code(command, capsys):
    assert main([command, "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split()).partition("Exit code: ")[2]
    assert "".join(re.findall(r"(?:^|, )(\d) ", said)) == CODES[command]


@pytest.mark.parametrize(
    ("command", "kind", "code"),
    [
        *(
            ("diagnose", kind, code)
            for kind, code in zip("fbme", range(4), strict=True)
        ),
        *(("report", kind, code) for kind, code in zip("fbme", range(4), strict=True)),
        ("convert", "f", 0),
        ("convert", "m", 2),
    ],
)
@pytest.mark.once
def test_every_command_returns_its_exit_codes(command, kind, code, tmp_path, capsys):
    rows = {"f": "0,.7\n1,.5\n", "b": "0,.7\n1,nan\n"}
    path = tmp_path / ("empty.npz" if kind == "e" else "log.csv")
    if kind in rows:  # fine, bad
        path.write_text("epoch,loss\n" + rows[kind])
    elif kind == "e":  # empty; else missing
        kd.records.TrainingRecord().save(path)
    more = [str(tmp_path / "out.csv")] if command == "convert" else []
    assert main([command, str(path), *more]) == code
    assert bool(capsys.readouterr().err) == (code == 2)
    assert main([command, "--no-such-option"]) == 2


def test_a_folder_is_no_run(tmp_path, capsys):
    assert main(["diagnose", str(tmp_path)]) == 2
    assert (
        f"{str(tmp_path)!r} is a folder. Give a file in it" in capsys.readouterr().err
    )


@pytest.mark.parametrize("other", ["json", "sarif", "markdown"])
def test_quiet_lines_are_no_other_format(other, run, capsys):
    path = run(**STUCK)
    assert main(["diagnose", "-q", "--format", other, path]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert f"not {other}. Leave out --quiet" in told.err
    assert main(["diagnose", "-q", "--format", "text", path]) == 1
    assert capsys.readouterr().out.startswith(f"{path}: critical: ")


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
    monkeypatch.delitem(sys.modules, "keras_dlbasic.__main__", raising=False)
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


def checked(value, schema, root=None):
    """Assert that a value is as a JSON schema says; every key must be in the schema."""
    root = root or schema
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    if "const" in schema:
        assert value == schema["const"]
    if "enum" in schema:
        assert value in schema["enum"]
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    known = {
        "object": dict,
        "array": list,
        "string": str,
        "boolean": bool,
        "null": type(None),
        "integer": int,
        "number": float,
    }
    assert not kinds or isinstance(value, tuple(known[kind] for kind in kinds))
    if isinstance(value, list):
        for part in value:
            checked(part, schema["items"], root)
    if isinstance(value, dict) and "properties" in schema:
        assert set(schema["required"]) <= set(value) <= set(schema["properties"])
        for name, part in value.items():
            checked(part, schema["properties"][name], root)


@pytest.mark.once
def test_json_is_as_the_schema_in_the_guide_says(run, capsys):
    guide = Path(__file__).parents[1] / "docs" / "guide"
    schema = json.loads((guide / "diagnosis.schema.json").read_text())
    path = run(dead=1.0, ratio=0.5, **STUCK)
    main(["diagnose", path, "--format", "json"])
    checked(json.loads(capsys.readouterr().out), schema)
    main(["diagnose", path, path, "--json"])
    for entry in json.loads(capsys.readouterr().out)["runs"]:
        checked(entry, schema)
        assert entry["path"] == path


def test_several_runs_and_severities(run, tmp_path, capsys):
    fine, bad = tmp_path / "fine.npz", tmp_path / "bad.npz"
    made_run().save(fine)
    made_run(dead=1.0, ratio=0.5, **STUCK).save(bad)
    assert main(["diagnose", str(fine), str(bad)]) == 1
    said = capsys.readouterr().out
    assert "Diagnosis of fine.npz" in said
    assert "Diagnosis of bad.npz" in said
    assert main(["diagnose", str(bad), str(tmp_path / "none.npz")]) == 2
    capsys.readouterr()
    assert main(["diagnose", "-q", str(fine), str(bad)]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{bad}: critical: ")
    table = tmp_path / "log.csv"
    rows = [f"{i},{0.5 + 2 / (i + 1)},{0.6 + abs(i - 12) / 40}" for i in range(30)]
    table.write_text("epoch,loss,val_loss\n" + "\n".join(rows))
    assert main(["diagnose", str(table)]) == 0
    assert main(["diagnose", str(table), "--fail-on", "warning"]) == 1
    assert "WARNING overfitting" in capsys.readouterr().out


def test_what_could_not_be_judged_is_not_fine(tmp_path, capsys):
    path = tmp_path / "run.npz"
    kd.records.TrainingRecord().save(path)
    assert main(["diagnose", str(path)]) == 3
    assert main(["diagnose", "-q", str(path)]) == 3
    assert "not judged" in capsys.readouterr().out
    table = tmp_path / "log.csv"
    table.write_text("epoch,cost,acc\n0,.7,.5\n1,.5,.6\n")
    assert main(["diagnose", str(table)]) == 2
    assert "no column `loss`; found epoch, cost, acc" in capsys.readouterr().err
    assert main(["diagnose", str(table), "--column", "loss=cost"]) == 0
    assert main(["diagnose", str(table), "--column", "loss"]) == 2
    assert "loss=my_loss" in capsys.readouterr().err


def test_skipped_checks_are_a_line(tmp_path, capsys):
    table = tmp_path / "log.csv"
    table.write_text("epoch,loss\n0,.7\n1,.5\n")
    assert main(["diagnose", str(table)]) == 0
    lines = capsys.readouterr().out.splitlines()
    (line,) = [line for line in lines if "skipped" in line.lower()]
    assert line.endswith(" checks were skipped: --verbose says why.")
    # which option of the command that is, a report in Python does not say
    record = kd.records.TrainingRecord.from_csv(table)
    assert "skipped: `diagnosis.skipped` says why." in str(kd.diagnose(record))
    assert main(["diagnose", str(table), "--verbose"]) == 0
    assert "Skipped: " in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["record", "table", "neither"])
def test_standard_input(kind, run, monkeypatch, capsys):
    content = {
        "record": Path(run(**STUCK)).read_bytes(),
        "table": b"epoch,loss\n0,0.7\n1,nan\n",
        "neither": b"no numbers here",
    }[kind]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    code = main(["diagnose", "-"])
    told = capsys.readouterr()
    assert code == (2 if kind == "neither" else 1)
    if kind == "neither":
        assert "standard input is not a table of epochs" in told.err
        assert "/" not in told.err
    else:
        assert "Diagnosis of standard input" in told.out


def test_sarif(run, capsys):
    path = run(dead=1.0, ratio=0.5, **STUCK)
    assert main(["diagnose", path, "--format", "sarif"]) == 1
    (told,) = json.loads(capsys.readouterr().out)["runs"]
    results = told["results"]
    assert results[0]["level"] == "error"
    names = {rule["id"] for rule in told["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in results} == names
    (place,) = results[0]["locations"]
    place = place["physicalLocation"]
    assert place["artifactLocation"]["uri"] == path  # elsewhere
    assert place["region"] == {"startLine": 1}


def test_sarif_names_files_as_services_take_them(run, monkeypatch, capsys):
    """As what ossf/scorecard-action#1149 reports of a name that is no path."""
    path = Path(run(dead=1.0, ratio=0.5, **STUCK))
    content = path.read_bytes()
    monkeypatch.chdir(path.parent)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert main(["diagnose", str(path), "-", "--format", "sarif"]) == 1
    (told,) = json.loads(capsys.readouterr().out)["runs"]
    places = [r["locations"][0]["physicalLocation"] for r in told["results"]]
    names = {place["artifactLocation"]["uri"] for place in places}
    assert names == {"run.npz", "standard-input"}


def test_a_file_that_cannot_be_read_is_no_success(run, tmp_path, capsys):
    path, missing = run(dead=1.0), str(tmp_path / "none.npz")
    assert main(["diagnose", path, missing, "--format", "sarif"]) == 2
    (told,) = json.loads(capsys.readouterr().out)["runs"]
    (invocation,) = told["invocations"]
    assert invocation["executionSuccessful"] is False
    (error,) = (
        note
        for note in invocation["toolExecutionNotifications"]
        if note["level"] == "error"
    )
    assert missing in error["message"]["text"]


def test_no_report_is_written_over_another(run, tmp_path, capsys):
    first, second = Path(run(dead=1.0)), tmp_path / "other" / "run.npz"
    second.parent.mkdir()
    second.write_bytes(first.read_bytes())
    out = tmp_path / "out"
    out.mkdir()
    assert main(["report", str(first), str(second), "-o", str(out)]) == 2
    assert "several runs would be written" in capsys.readouterr().err
    assert not list(out.iterdir())


def test_letters_that_a_terminal_does_not_have(run, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), "cp1252")
    monkeypatch.setattr(sys, "stdout", stream)
    path = Path(run(dead=1.0))
    path = path.rename(path.with_name("\ud559\uc2b5.npz"))
    assert main(["diagnose", str(path), "--fail-on", "critical"]) in (0, 1, 3)
    stream.flush()
    assert b"\\ud559" in stream.buffer.getvalue()


def test_markdown(run, capsys):
    path = run(dead=1.0, ratio=0.5, **STUCK)
    assert main(["diagnose", path, "--format", "markdown"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "### run.npz"
    assert "| **critical** | `learning_rate_too_high` | " in "\n".join(lines)
    assert lines.count("```") == lines.count("```python") > 0
    number = next(line for line in lines if line.startswith("As code, "))[9:-1]
    begin = lines.index("```python")
    call = "\n".join(lines[begin : lines.index("```", begin)])
    remedy = next(line for line in lines if line.startswith(f"{number}. "))
    assert remedy.startswith("1. change learning rate")
    assert "change_learning_rate(" in call


def test_convert(run, tmp_path, capsys):
    path, out = run(dead=1.0), tmp_path / "out.csv"
    record = kd.records.TrainingRecord.load(path)
    assert main(["convert", path, str(out)]) == 0
    again = kd.records.TrainingRecord.from_csv(out)
    np.testing.assert_array_equal(again.epochs["loss"], record.epochs["loss"])
    assert main(["convert", path, str(out), "--table", "steps"]) == 0
    n_rows = len(record.steps) * len(record.variables)
    assert len(out.read_text().splitlines()) == n_rows + 1
    assert main(["convert", path, str(out), "--table", "activations"]) == 0
    assert out.read_text().startswith("step,epoch,layer,")
    assert main(["convert", path, str(out), "--table", "activation"]) == 2
    assert "Did you mean 'activations'?" in capsys.readouterr().err
    assert main(["convert", path, str(tmp_path / "out.xls")]) == 2
    assert "--to" in capsys.readouterr().err
    assert main(["convert", path, str(tmp_path / "no" / "out.csv")]) == 2
    told = capsys.readouterr().err
    assert "There is no such folder" in told
    assert ".out.csv." not in told


@pytest.mark.once
def test_convert_to_parquet_and_tensorboard(run, tmp_path):
    path = run()
    pytest.importorskip("tensorboard")
    assert main(["convert", path, str(tmp_path / "logs")]) == 0
    assert list((tmp_path / "logs").iterdir())
    parquet = pytest.importorskip("pyarrow.parquet")
    assert main(["convert", path, str(tmp_path / "out.parquet")]) == 0
    table = parquet.read_table(tmp_path / "out.parquet")
    assert "loss" in table.column_names


def test_errors_say_no_temporary_names_and_give_no_bad_advice(tmp_path):
    path = tmp_path / "objects.npz"
    np.savez(path, a=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="cannot be read as a record") as caught:
        kd.records.TrainingRecord.load(path)
    assert "pickle" not in str(caught.value)
    with pytest.raises(FileNotFoundError, match="no such folder") as caught:
        kd.records.TrainingRecord().save(tmp_path / "no" / "run.npz")
    assert str(caught.value).endswith(f"{str(tmp_path / 'no' / 'run.npz')!r}")


def test_standard_input_is_given_once(capsys):
    assert main(["diagnose", "-", "-"]) == 2
    assert "Give - once" in capsys.readouterr().err


@pytest.mark.everywhere
def test_what_reads_the_output_may_have_seen_enough(run):
    """As what Backblaze/B2_Command_Line_Tool#1071 reports of `| head`."""
    # unbuffered, as in CI, the pipe is closed before all is written
    command = f"{sys.executable} -u -m keras_dlbasic diagnose --json {run(**STUCK)}"
    shell = f"{command} | head -1; exit ${{PIPESTATUS[0]}}"
    found = subprocess.run(
        ["bash", "-c", shell], capture_output=True, text=True, check=False
    )
    assert found.stdout.strip() == "{"
    assert found.stderr == ""
    assert found.returncode in (1, 141)  # it may have been done


def test_no_line_ends_with_spaces(run, capsys):
    main(["diagnose", run(dead=1.0, ratio=0.5, **STUCK)])
    lines = capsys.readouterr().out.splitlines()
    assert lines == [line.rstrip() for line in lines]
    assert max(map(len, lines)) <= 80
