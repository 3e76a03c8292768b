"""Each way to train works or is refused with a message, as the documents say."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import ways_to_train

TESTS = Path(__file__).parents[1]
RUNS_ALL = bool(os.environ.get("EVERYWHERE"))
ONE_DEVICE = [
    pytest.param(way, id=way.title, marks=[pytest.mark.once] * (way.runs == "once"))
    for way in ways_to_train.ALL
    if not (way.devices or way.processes) and (way.runs != "everywhere" or RUNS_ALL)
]


@pytest.mark.filterwarnings(
    "default",  # not an error: `outcome` looks at what is said
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning",
)
@pytest.mark.parametrize("way", ONE_DEVICE)
def test_on_one_device(way):
    expected = way.expected.get(ways_to_train.BACKEND)
    if expected is None:
        pytest.skip("not on this backend")
    found = ways_to_train.outcome(way)
    assert ways_to_train.says(found, expected), found


@pytest.mark.skipif(
    ways_to_train.BACKEND == "torch", reason="Keras has one device there"
)
def test_on_two_devices():
    """A process of its own, since devices are counted once."""
    found = subprocess.run(
        [sys.executable, TESTS / "two_devices.py", *(["all"] if RUNS_ALL else [])],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"},
    )
    assert found.returncode == 0, found.stderr[-3000:]
    outcomes = json.loads(found.stdout.splitlines()[-1])
    chosen = [way for way in ways_to_train.ALL if way.devices and way.title in outcomes]
    assert chosen
    for way in chosen:
        expected = way.expected[ways_to_train.BACKEND]
        found = outcomes[way.title]
        assert ways_to_train.says(found, expected), (way.title, found)


@pytest.mark.once
def test_the_guide_says_what_is_tested(monkeypatch):
    monkeypatch.syspath_prepend(str(TESTS.parent / "benchmarks"))
    import compatibility

    text = compatibility.PAGE.read_text("utf-8")
    assert compatibility.page(text) == text, (
        "run: python benchmarks/compatibility.py --write"
    )
