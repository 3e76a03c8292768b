"""Each claim of the gallery holds for one seed; benchmarks/claims.py tries many.

Some take long: they are held with `make test-everywhere`, and as the gallery is built.
"""

import importlib
import sys
from pathlib import Path

import pytest
import reference

FOLDER = Path(__file__).parents[2] / "examples" / "claims"
CLAIMS = sorted(path.stem for path in FOLDER.glob("[abc]*_*.py"))
SEEDS = {"a10_early_stopping": 1} if reference.KERAS >= (3, 16) else {}
"""Claims that hold for another seed: Keras 3.16 trains with other roundings."""

QUICK = {
    "a9_dropout",
    "b1_vanishing_gradients",
    "b2_exploding_gradients",
    "b3_saturation",
    "b5_initializers",
    "c2_saddle_point",
}

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def gallery(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module("gallery")
    for name in (*CLAIMS, "gallery"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.everywhere] * (name not in QUICK))
        for name in CLAIMS
    ],
)
def test_claim(name, gallery):
    claim = importlib.import_module(name)
    found = claim.measure(seed=SEEDS.get(name, 0))
    assert claim.holds(found), found
    figure = gallery.picture(claim.draw, found)
    assert figure.axes
    for axes in figure.axes:
        assert axes.get_title() or axes.get_title("left")
        assert axes.has_data()
