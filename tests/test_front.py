"""What users see of the package: names that complete, type-check and are suggested."""

import os
import re
import subprocess
import sys
from pathlib import Path

import jedi
import pytest

import keras_dlbasic as kd

ROOMS = [getattr(kd, name) for name in kd._MODULES]


def run(*command, cwd=None, **env):
    env = {**os.environ, **env}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env=env
    )


# -- names -----------------------------------------------------------------------------


@pytest.mark.parametrize("room", [kd, *ROOMS], ids=lambda room: room.__name__)
def test_dir_shows_all_public_names_and_nothing_else(room):
    assert dir(room) == sorted(room.__all__)
    assert len(set(room.__all__)) == len(room.__all__)


@pytest.mark.parametrize(
    ("room", "wrong", "right"),
    [
        (kd, "TrainingDoctor", "kd.callbacks.TrainingDoctor"),
        (kd, "TrainingDocter", "kd.callbacks.TrainingDoctor"),
        (kd, "training_doctor", "kd.callbacks.TrainingDoctor"),
        (kd, "plot_history", "kd.plots.plot_history"),
        (kd, "callback", "kd.callbacks"),
        (kd, "diagnos", "kd.diagnose"),
        (kd.callbacks, "TrainingDocter", "kd.callbacks.TrainingDoctor"),
        (kd.callbacks, "treat", "kd.treat"),
        (kd.ensembles, "fit_ensembles", "kd.ensembles.fit_ensemble"),
        (kd.studies, "ImageAugmentation", "kd.augmentation.ImageAugmentation"),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest_one_and_its_home(room, wrong, right):
    with pytest.raises(AttributeError) as found:
        getattr(room, wrong)
    said = f"module '{room.__name__}' has no attribute '{wrong}'"
    assert str(found.value) == f"{said}; did you mean {right}?"


def test_a_name_like_no_other_is_answered_without_a_suggestion():
    with pytest.raises(AttributeError, match=r"has no attribute 'xyzzy'$"):
        kd.xyzzy
    with pytest.raises(AttributeError, match=r"has no attribute '__wrapped__'$"):
        kd.plots.__wrapped__


@pytest.fixture(scope="module")
def fresh():
    """Return what a process of its own says: to import Keras takes seconds."""
    code = """
import inspect, pkgutil, sys
from importlib import import_module
import_module("keras_dlbasic.remedies.initialize")
import keras_dlbasic as kd
before = set(sys.modules)
hasattr(kd, "plot_histori")
print([m for m in set(sys.modules) - before if m.startswith("keras")])
for found in pkgutil.walk_packages(kd.__path__, "keras_dlbasic."):
    backend = found.name.split("_backends.")[-1].split(".")[0]
    if backend not in {"jax", "tensorflow"} and not found.name.endswith("__main__"):
        import_module(found.name)
for module in (kd, *(getattr(kd, room) for room in kd._MODULES)):
    for public in module.__all__:
        is_room = public in (*kd._MODULES, "rebuild")
        if inspect.ismodule(getattr(module, public)) != is_room:
            print("not what it says:", module.__name__, public)
print("all looked at")
kd.callback
"""
    return run(sys.executable, "-c", code, KERAS_BACKEND="torch")


@pytest.mark.once
def test_a_wrong_name_imports_nothing_and_is_answered_once(fresh):
    assert fresh.stdout.splitlines()[0] == "[]", fresh.stderr
    assert fresh.stderr.lower().count("did you mean") == 1


@pytest.mark.once
def test_public_names_are_what_they_say_once_all_submodules_are_imported(fresh):
    # a submodule of the same name as a function must never take its place
    assert fresh.stdout.splitlines()[1:] == ["all looked at"], fresh.stderr


# -- types -----------------------------------------------------------------------------


PUBLIC = [f"kd.{name}" for name in kd.__all__] + [
    f"kd.{room.__name__.split('.')[1]}.{name}"
    for room in ROOMS
    for name in room.__all__
]
WRONG = {
    "kd.callbacks.TrainingDocter(1, 2, 3)": "has no attribute",
    "kd.callbacks.TrainingDoctor(1, 2, 3)": "Too many positional arguments",
    "kd.TrainingDoctor()": "has no attribute",
    "kd.ensembles.Snapshot()": "has no attribute",
    "kd.treat()": "Missing positional argument",
    "kd.ensembles.fit_ensemble()": "Missing positional argument",
    "kd.diagnose(kd.records.TrainingRecord(), thresholds=3)": "incompatible type",
}


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """Return what `mypy --strict` says of each line of a user's script."""
    lines = [
        "import keras_dlbasic as kd",
        *WRONG,
        *(f"reveal_type({n})" for n in PUBLIC),
    ]
    folder = tmp_path_factory.mktemp("user")
    (folder / "script.py").write_text("\n".join(lines))
    options = ["--strict", "--no-error-summary", "--config-file=", "--cache-dir=cache"]
    options.append("--follow-imports=silent")  # what is wrong elsewhere is not theirs
    found = run(
        *(sys.executable, "-m", "mypy", *options, "script.py"),
        cwd=folder,
        MYPYPATH=os.environ.get("PYTHONPATH", ""),
    )
    told = dict.fromkeys(lines, "")
    for at, words in re.findall(r"^script\.py:(\d+): (.*)", found.stdout, re.MULTILINE):
        told[lines[int(at) - 1]] += words
    assert any(told.values()), found.stdout + found.stderr
    return told


@pytest.mark.once
def test_mypy_refuses_wrong_names_and_arguments(said):
    assert not said["import keras_dlbasic as kd"]
    missed = {line: said[line] for line, why in WRONG.items() if why not in said[line]}
    assert missed == {}


@pytest.mark.once
def test_mypy_knows_what_each_public_name_is(said):
    types = {name: said[f"reveal_type({name})"] for name in PUBLIC}
    modules = [name for name in types if "Module" in types[name]]
    assert modules == [*(f"kd.{name}" for name in kd._MODULES), "kd.remedies.rebuild"]
    unknown = {
        n: t for n, t in types.items() if "note: Revealed" not in t or '"Any"' in t
    }
    assert unknown == {}
    assert "-> keras_dlbasic.treatment.treatment.Treatment" in types["kd.treat"]


# -- completion ------------------------------------------------------------------------


def in_editor(last):
    """Return jedi's view of a user's script that ends in a line, cursor at its end."""
    here = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    project = jedi.Project(Path(__file__).parent, added_sys_path=[p for p in here if p])
    return jedi.Script(f"import keras_dlbasic as kd\n{last}", project=project)


def completed(last):
    return {found.name for found in in_editor(last).complete()}


@pytest.mark.once
def test_an_editor_completes_names():
    assert {"treat", "treatment"} <= completed("kd.tr")
    assert set(kd.callbacks.__all__) <= completed("kd.callbacks.")
    assert {"fit_ensemble", "Ensemble"} <= completed("kd.ensembles.")
    assert set(kd.plots.__all__) <= completed("kd.plots.")


@pytest.mark.once
@pytest.mark.parametrize(
    ("call", "first"),
    [
        ("kd.treat(", "model"),
        ("kd.callbacks.TrainingDoctor(", "x"),
        ("kd.plots.plot_history(", "record"),
        ("kd.ensembles.fit_ensemble(", "build_model"),
    ],
)
def test_an_editor_shows_signatures(call, first):
    (signature,) = in_editor(call).get_signatures()
    assert signature.params[0].name == first


@pytest.mark.once
def test_a_notebook_completes_public_names_only():
    completed = jedi.Interpreter("kd.callbacks.", [{"kd": kd}]).complete()
    assert sorted(found.name for found in completed) == sorted(kd.callbacks.__all__)
