"""Each way to train works or is refused in words, as the documents say."""

import json
import os
import subprocess
import sys
from pathlib import Path

import combinations
import pytest

TESTS = Path(__file__).parents[1]
ONE_DEVICE = [
    pytest.param(c, id=c.title, marks=[pytest.mark.once] * (c.when == "once"))
    for c in combinations.ALL
    if c.when != "by hand" and not c.devices
]


@pytest.mark.filterwarnings(
    "default",  # not an error: `outcome` looks at what is said
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning",
)
@pytest.mark.parametrize("combination", ONE_DEVICE)
def test_on_one_device(combination):
    expected = combination.expected.get(combinations.BACKEND)
    if expected is None:
        pytest.skip("not on this backend")
    found = combinations.outcome(combination)
    assert combinations.says(found, expected), found


@pytest.mark.skipif(
    combinations.BACKEND == "torch", reason="Keras has one device there"
)
def test_on_two_devices():
    """A process of its own, since devices are counted once."""
    found = subprocess.run(
        [sys.executable, TESTS / "two_devices.py"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"},
    )
    assert found.returncode == 0, found.stderr[-3000:]
    outcomes = json.loads(found.stdout.splitlines()[-1])
    chosen = [c for c in combinations.ALL if c.devices and c.title in outcomes]
    assert chosen
    for combination in chosen:
        expected = combination.expected[combinations.BACKEND]
        found = outcomes[combination.title]
        assert combinations.says(found, expected), (combination.title, found)


@pytest.mark.once
def test_the_guide_says_what_is_tested(monkeypatch):
    monkeypatch.syspath_prepend(str(TESTS.parent / "benchmarks"))
    import compatibility

    text = compatibility.PAGE.read_text("utf-8")
    assert compatibility.page(text) == text, (
        "run: python benchmarks/compatibility.py --write"
    )
