"""Check what would be released: metadata, sdist, wheel, and the wheel in use.

    python .ci/release_check.py                  everything (`make release-check`)
    python .ci/release_check.py --no-address     all that can be checked before the
                                                 project has an address (`make
                                                 package-check`)

It builds into `dist/`, reports each check on one line, and ends with the number of
checks that failed as its exit code. It needs git, build, twine, check-wheel-contents
and trove-classifiers; the backends are taken from the environment it runs in.
"""

import argparse
import configparser
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LABELS = ("Documentation", "Source", "Changelog", "Issues")
"""Addresses that an index shows beside the project."""

NOT_SHIPPED = (".ci/", ".github/", ".gitignore")
"""What is tracked and stays out of the sdist: it only serves the repository."""

DATA = ("py.typed", "plots/styles/", "reports/templates/")
"""Files of the package that are not Python."""

BACKENDS = ("tensorflow", "jax", "torch")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-address", action="store_true")
    arguments = parser.parse_args()
    failed = 0
    for name, problems in checks(is_final=not arguments.no_address):
        failed += bool(problems)
        print(f"{'FAILED' if problems else 'ok':>6}  {name}")
        for problem in problems:
            print(f"        - {problem}")
    print(f"{failed} checks failed" if failed else "all checks passed")
    return failed


def checks(is_final):
    """Yield the name of each check with its problems, the quick ones first."""
    config = setup_cfg()
    if is_final:
        yield "the project's addresses", addresses(config)
        yield "date of the release", release_date()
    yield "one version everywhere", versions()
    yield "classifiers", classifiers(config)
    sdist, wheel = build()
    yield "sdist has every tracked file", missing_from(sdist)
    yield "wheel has the package and nothing else", wheel_files(wheel)
    yield "metadata of the wheel", metadata(wheel, is_final)
    yield "twine check", run("-m", "twine", "check", "--strict", sdist, wheel)
    yield "check-wheel-contents", run("-m", "check_wheel_contents", wheel)
    yield from uses(wheel)


def setup_cfg():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config["metadata"]


def addresses(config):
    """Return which addresses are missing from `project_urls` in `setup.cfg`."""
    given = dict(
        [part.strip() for part in line.split("=", 1)]
        for line in config.get("project_urls", "").splitlines()
        if "=" in line
    )
    return [
        f"setup.cfg, project_urls: {label} is missing"
        for label in LABELS
        if not given.get(label, "").startswith("https://")
    ]


def release_date():
    first = next(
        line for line in text("CHANGELOG.md").splitlines() if line.startswith("## [")
    )
    if re.fullmatch(r"## \[[\w.]+\] - \d{4}-\d\d-\d\d", first):
        return []
    return [f"CHANGELOG.md begins with {first!r}: give the day of the release"]


def versions():
    """Compare the version of the package with changelog and citation."""
    version = re.search(r'"(.+)"', text("keras_dlbasic/_version.py"))[1]
    found = {
        "CHANGELOG.md": re.search(r"^## \[([^\]]+)\]", text("CHANGELOG.md"), re.M)[1],
        "CITATION.cff": re.search(r"^version: (.+)$", text("CITATION.cff"), re.M)[1],
    }
    return [
        f"{file} says {other}, the package is {version}"
        for file, other in found.items()
        if other != version
    ]


def classifiers(config):
    from trove_classifiers import classifiers as known

    given = [line for line in config["classifiers"].splitlines() if line]
    return [f"unknown: {line}" for line in given if line not in known]


def build():
    """Build both archives; return their paths."""
    folder = ROOT / "dist"
    for old in folder.glob("*"):
        old.unlink()
    # the tools are those of the environment: the check asks no index
    problems = run("-m", "build", "--no-isolation", "--outdir", folder, ROOT)
    if problems:
        sys.exit("\n".join(problems))
    return next(folder.glob("*.tar.gz")), next(folder.glob("*.whl"))


def missing_from(sdist):
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    return [
        f"{name} is missing"
        for name in listed
        if name and not name.startswith(NOT_SHIPPED) and name not in held
    ]


def wheel_files(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    problems = [
        f"{name} does not belong there"
        for name in names
        if not name.startswith(("keras_dlbasic/", "keras_dlbasic-"))
    ]
    shipped = {name.removeprefix("keras_dlbasic/") for name in names}
    here = ROOT / "keras_dlbasic"
    for path in here.rglob("*"):
        name = path.relative_to(here).as_posix()
        wanted = path.suffix == ".py" or name.startswith(DATA)
        if path.is_file() and wanted and name not in shipped:
            problems.append(f"{name} is missing")
    return problems


def metadata(wheel, is_final):
    """Check what an index would show."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        found = HeaderParser().parsestr(archive.read(name).decode())
    problems = []
    if found["License-Expression"] != "Apache-2.0":
        problems.append("License-Expression is not Apache-2.0")
    if is_final:
        links = re.findall(r"\]\((?!https://|#)([^)]+)\)", found.get_payload())
        problems += [f"the README links to {link}, which is relative" for link in links]
    return problems


def uses(wheel):
    """Use the wheel on each backend, far from the sources."""
    example = re.search(r"```python\n(.*?)```", text("README.md"), re.DOTALL)[1]
    with tempfile.TemporaryDirectory() as folder:
        python = environment(Path(folder), wheel)
        place = Path(folder) / "empty"
        place.mkdir()
        where = f"import keras_dlbasic; assert {folder!r} in keras_dlbasic.__file__\n"
        for backend in BACKENDS:
            yield (
                f"the README's example from the wheel on {backend}",
                run("-c", where + example, python=python, cwd=place, backend=backend),
            )


def environment(folder, wheel):
    """Make an environment with the wheel; what it needs is found in ours."""
    import venv

    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    own = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        text=True,
    ).strip()
    # behind its own folder, so that the package is that of the wheel
    ours = [path for path in sys.path if Path(path).name == "site-packages"]
    Path(own, "shared.pth").write_text("\n".join(ours))
    command = [python, "-m", "pip", "-q", "install", "--no-deps", "--no-index", wheel]
    subprocess.run([*command, "--force-reinstall"], check=True)
    return python


def run(*arguments, python=sys.executable, cwd=ROOT, backend="tensorflow"):
    """Return the last lines of a program that failed, and nothing otherwise."""
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [python, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=clean | {"KERAS_BACKEND": backend, "MPLBACKEND": "Agg"},
    )
    if done.returncode == 0:
        return []
    return (done.stdout + done.stderr).strip().splitlines()[-12:] or ["no output"]


def text(name):
    return (ROOT / name).read_text("utf-8")


if __name__ == "__main__":
    sys.exit(main())
