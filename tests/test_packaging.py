"""What is built and released: metadata, archives, workflows. No test builds anything."""

import configparser
import importlib.util
import pkgutil
import re
import tarfile
import zipfile
from pathlib import Path

import pytest

import keras_dlbasic as kd

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ADDRESS = "https://forge.example/someone/keras_dlbasic"

pytestmark = pytest.mark.once


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def check():
    if not (ROOT / ".ci").is_dir():
        pytest.skip("could not import: an sdist has no .ci")
    return load(ROOT / ".ci" / "release_check.py")


def test_one_version_everywhere(check):
    assert check.versions() == []
    assert check.text("keras_dlbasic/_version.py").split('"')[1] in check.text(
        "CHANGELOG.md"
    )


def test_missing_addresses_are_named(check):
    lines = [f"{label} = {ADDRESS}/{label}" for label in check.LABELS[1:]]
    assert check.addresses({"project_urls": "\n".join(lines)}) == [
        "setup.cfg, project_urls: Documentation is missing"
    ]
    lines.append("Documentation = https://docs.example")
    assert check.addresses({"project_urls": "\n".join(lines)}) == []
    assert len(check.addresses({})) == 4


@pytest.mark.parametrize(
    ("heading", "is_dated"),
    [("## [0.2.0] - 2027-01-31", True), ("## [0.2.0] - unreleased", False)],
)
def test_a_release_needs_a_day(check, monkeypatch, heading, is_dated):
    monkeypatch.setattr(check, "text", lambda name: f"# Changelog\n\n{heading}\n")
    assert (check.release_date() == []) == is_dated


def test_files_missing_from_archives_are_named(check, tmp_path, monkeypatch):
    sdist = tmp_path / "a.tar.gz"
    with tarfile.open(sdist, "w:gz") as archive:
        archive.add(ROOT / "setup.cfg", "a/setup.cfg")
    listed = "setup.cfg\nREADME.md\n.ci/run\n"
    monkeypatch.setattr(
        check.subprocess, "run", lambda *a, **k: type("Done", (), {"stdout": listed})
    )
    assert check.missing_from(sdist) == ["README.md is missing"]

    wheel = tmp_path / "a.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tests/test_a.py", "")
        archive.write(
            ROOT / "keras_dlbasic" / "__init__.py", "keras_dlbasic/__init__.py"
        )
    problems = check.wheel_files(wheel)
    assert "tests/test_a.py does not belong there" in problems
    assert "py.typed is missing" in problems
    assert "__init__.py is missing" not in problems


def test_links_of_the_readme_become_absolute():
    setup = load(ROOT / "setup.py")
    text = "![a](docs/a.png) [b](docs/b.md#c) [d](https://d.example) [e](#e)"
    assert setup.absolute(text, ADDRESS, "v1") == (
        f"![a]({ADDRESS}/raw/v1/docs/a.png) [b]({ADDRESS}/blob/v1/docs/b.md#c) "
        "[d](https://d.example) [e](#e)"
    )
    readme = setup.absolute((ROOT / "README.md").read_text("utf-8"), ADDRESS, "v1")
    assert ADDRESS in readme
    assert not re.findall(r"\]\((?!https://|#)", readme)


def test_every_pattern_of_package_data_finds_a_file():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    for package, patterns in config["options.package_data"].items():
        folder = ROOT / package.replace(".", "/")
        for pattern in patterns.split():
            assert list(folder.glob(pattern)), (package, pattern)
    assert config["metadata"]["version"].endswith("_version.__version__")
    assert kd.__version__


def test_every_room_but_one_is_kept_from_backends():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    kept = config["importlinter:contract:backends"]["source_modules"].split()
    rooms = [f"{kd.__name__}.{room.name}" for room in pkgutil.iter_modules(kd.__path__)]
    assert sorted([*kept, "keras_dlbasic._backends"]) == sorted(rooms)


@pytest.mark.skipif(not WORKFLOWS, reason="could not import: an sdist has no .github")
def test_workflows_run_on_every_python_that_is_promised():
    config = (ROOT / "setup.cfg").read_text()
    promised = re.findall(r"Python :: (3\.\d+)$", config, re.MULTILINE)
    listed = [
        re.findall(r'"(3\.\d+)"', line)
        for path in WORKFLOWS
        for line in path.read_text().splitlines()
        if line.strip().startswith("python: [")
    ]
    assert listed
    assert all(found == promised for found in listed)


@pytest.mark.parametrize(
    "path",
    [*WORKFLOWS, ROOT / "RELEASE.md", ROOT / "CONTRIBUTING.md", ROOT / "README.md"],
    ids=lambda path: path.name,
)
def test_commands_that_are_named_exist(path):
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"(?:run: |`|^)make ([a-z-]+)", path.read_text(), re.MULTILINE)
    assert set(named) <= set(targets)
