"""Models that are sharded over eight devices are watched as those on one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

SCRIPT = Path(__file__).parent.parent / "eight_devices.py"
DEVICES = "--xla_force_host_platform_device_count=8"

pytestmark = [
    pytest.mark.everywhere,
    pytest.mark.skipif(keras.backend.backend() != "jax", reason="sharding is JAX's"),
]


def test_sharded_models_train_alike_and_have_the_norms_of_one_device():
    found = subprocess.run(
        [sys.executable, SCRIPT],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**os.environ, "XLA_FLAGS": DEVICES},
    )
    assert found.returncode == 0, found.stderr[-3000:]
    outcomes = json.loads(found.stdout.splitlines()[-1])
    assert len(outcomes) == 5
    for name, outcome in outcomes.items():
        assert outcome["is_neutral"], name
        assert outcome["apart"] < 1e-4, (name, outcome)
