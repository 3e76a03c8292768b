"""A model that two processes train is watched as one that is trained alone.

Public reports that this is built after: keras-team/keras#20585 (TensorFlow's several
workers), Lightning-AI/pytorch-lightning#379 (one process stops, the others wait),
google/tunix#2041 (arrays that no process can read whole), tensorflow/tensorflow#38635
(each worker says and writes the same), ecmwf/WeatherGenerator#2718 (a NaN in the rows
of one process, decided on process 0).
"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import keras
import pytest
import ways_to_train

HERE = Path(__file__).parent.parent
BACKEND = keras.backend.backend()
HAS_DDP = hasattr(keras.Model(), "ddp_model")

needs_ddp = pytest.mark.skipif(
    BACKEND == "tensorflow" or (BACKEND == "torch" and not HAS_DDP),
    reason="Keras trains in several processes on JAX, and on PyTorch from 3.16 on",
)


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def run_two(script, seconds=560):
    """Run a script as two processes; return status, output and errors of each."""
    port = str(free_port())
    started = [
        subprocess.Popen(
            [sys.executable, HERE / script, str(rank), port],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "XLA_FLAGS": ""},
        )
        for rank in (0, 1)
    ]
    try:
        return [(p.communicate(timeout=seconds), p.returncode) for p in started]
    finally:
        for process in started:
            process.kill()


@pytest.fixture(scope="module")
def outcomes():
    runs = run_two("two_processes.py")
    for (_, errors), status in runs:
        assert status == 0, errors[-3000:]
    return [json.loads(out.splitlines()[-1]) for (out, _), _ in runs]


@needs_ddp
@pytest.mark.everywhere
def test_watching_changes_nothing(outcomes):
    for found in outcomes:
        neutral = {name: is_so for name, is_so in found.items() if "neutral" in name}
        assert len(neutral) >= 4
        assert all(neutral.values()), neutral


@needs_ddp
@pytest.mark.everywhere
def test_numbers_are_those_of_one_process(outcomes):
    for found in outcomes:
        assert found["apart"] < 1e-4
        assert found["losses apart"] < 1e-5
        assert found["batch size"] == 16
        assert found.get("apart, in parts", 0.0) < 1e-4
    assert outcomes[0]["norms"] == outcomes[1]["norms"]
    assert outcomes[0]["batch losses"] == outcomes[1]["batch losses"]


@pytest.mark.everywhere
@pytest.mark.skipif(BACKEND != "jax", reason="Keras shards data sets on JAX")
def test_data_sets_that_keras_shards(outcomes):
    first, second = outcomes
    for found in outcomes:
        assert found["neutral, sharded data"]
        assert found["steps of sharded data"] == 2 * 4
        assert found["own warnings, sharded data"] == []
    assert first["norms of sharded data"] == second["norms of sharded data"]


@needs_ddp
@pytest.mark.everywhere
def test_process_0_speaks(outcomes):
    first, second = outcomes
    assert first["has spoken"]
    assert not second["has spoken"]
    assert first["was judged"]
    for name in ("warnings, every=1", "warnings, every=3", "warnings, batches read"):
        assert first[name] == second[name] == []
    if BACKEND == "jax":
        (warning,) = first["warnings, in parts"]
        assert "PenaltyMonitor measures nothing in this fit" in warning
        assert second["warnings, in parts"] == []


@needs_ddp
@pytest.mark.everywhere
def test_there_is_one_decision_to_stop(outcomes):
    for found in outcomes:
        assert found["stopped at"] == 3
        assert found["epochs until then"] == 1
        assert found["epochs of one decision"] == 1


@needs_ddp
@pytest.mark.everywhere
def test_what_one_process_watches_is_refused(outcomes):
    (warning,) = outcomes[0]["refused"]
    assert "Pass the same callbacks in every process" in warning
    assert outcomes[1]["refused"] == []


@pytest.mark.everywhere
@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow only")
def test_keras_cannot_train_with_workers_of_tensorflow():
    """If this fails, Keras has learned to: then watch it."""
    for (out, errors), status in run_two("two_workers.py"):
        assert status == 0, errors[-3000:]
        found = json.loads(out.splitlines()[-1])
        plain, watched = (error[:80] for error in found["errors"])
        assert plain == watched
        assert "Attempt to convert a value (PerReplica" in plain
        assert "Keras" in found["reason"]
        assert "itself cannot train this way" in found["reason"]


@needs_ddp
@pytest.mark.everywhere
def test_the_matrix_says_so(outcomes):
    found = outcomes[0]["ways"]
    for way in ways_to_train.ALL:
        if way.title in found:
            expected = way.expected[BACKEND]
            assert ways_to_train.says(found[way.title], expected), found
