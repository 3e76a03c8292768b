"""The logs reach MLflow's store of files."""

import importlib
from pathlib import Path

import pytest

pytest.importorskip("mlflow")

pytestmark = pytest.mark.filterwarnings("ignore")


def test_norms_are_read_back_from_the_store(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "examples"))
    found = importlib.import_module("mlflow_logs").main(tmp_path)
    assert len(found["global_gradient_norm"]) == len(found["loss"]) == 3
    assert min(found["global_gradient_norm"]) > 0
    assert list(tmp_path.rglob("artifacts/run.npz"))
