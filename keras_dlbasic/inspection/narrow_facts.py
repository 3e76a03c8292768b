"""What is lost of the targets in layers of few units."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from keras_dlbasic._backends.run_apart import run_apart
from keras_dlbasic._backends.without_gradients import without_gradients
from keras_dlbasic._keras.graph import walk_layers
from keras_dlbasic._keras.intercepted import all_intercepted
from keras_dlbasic._keras.layer_kinds import core_of, kind_of
from keras_dlbasic._keras.only_ways import only_ways
from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.inspection.reference_scores import reference_scores
from keras_dlbasic.records.probe_facts import NarrowFacts

FEW = 8
"""Layers with more units are not looked at."""

MOST_LAYERS = 4
LEAST_SIZE = 1e-4
"""What differs between units by a smaller share is a matter of rounding."""

WIDE = 256
"""Units of the layer with random weights."""

MOST_ENTRIES = 2**20


def narrow_facts(
    model: Any, x: Any, columns: np.ndarray, task: TaskKind | str
) -> NarrowFacts | None:
    """Compare what simple predictors find in front of and behind layers of few units.

    These are a linear predictor, nearest neighbors, and a linear predictor of what a
    wide layer of rectifiers with random weights gives. All of them are judged on rows
    that they were not fitted to (`reference_scores`). Of several such layers the one
    counts behind which least is found.

    Args:
        model: A trained model.
        x: Inputs of some rows.
        columns: Their targets as columns, `[n, k]`.
        task: What is predicted.

    Returns:
        None if the model has no dense layer of at most eight units that all signals
        have to pass, besides its output.
    """
    ways = only_ways(model)
    dense = [layer for layer in ways if kind_of(layer).kind == "dense"]
    # The last one is the output. Others than `Dense`, such as `EinsumDense`, have no
    # number of units.
    narrow = [layer for layer in dense[:-1] if _units(layer) <= FEW][:MOST_LAYERS]
    if not narrow:
        return None
    labels = {id(layer): label for layer, label, _, _ in walk_layers(model)}
    ran = _run(model, x, {labels[id(layer)]: layer for layer in narrow})
    if not ran:
        return None
    given = next(iter(ran.values()))[0]
    if given.size > MOST_ENTRIES:
        return None
    before = _found_in(given, columns, task)
    found: NarrowFacts | None = None
    for label, (_, passed) in ran.items():
        told = _found_in(passed, columns, task)
        if passed.ndim == 2 and told < (math.inf if found is None else found.passed):
            found = NarrowFacts(label, passed.shape[1], before, told)
    return found


def _units(layer: Any) -> float:
    return getattr(core_of(layer), "units", math.inf)


def _run(
    model: Any, x: Any, layers: dict[str, Any]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return what some layers are given and give, in the order in which they ran."""

    def run() -> dict[str, Any]:
        met: dict[str, Any] = {}

        def note(label: str, call: Any, /, inputs: Any, *args: Any, **more: Any) -> Any:
            outputs = call(inputs, *args, **more)
            met.setdefault(label, (inputs, outputs))
            return outputs

        with (
            without_gradients(),
            keras.StatelessScope(),
            all_intercepted(layers, note),
        ):
            model(x, training=False)
        return met

    found = run_apart(model, run)
    return {label: (_array(a), _array(b)) for label, (a, b) in found.items()}


def _array(tensor: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor), np.float64)


def _found_in(given: np.ndarray, columns: np.ndarray, task: TaskKind | str) -> float:
    """Return the best skill of the predictors; NaN if none can be fitted."""
    rows = given.reshape(len(given), -1)
    if not np.isfinite(rows).all():
        return math.nan
    if not rows.std(axis=0).any():
        return 0.0  # all rows alike
    plain = reference_scores(rows, columns, task)
    if rows.shape[1] <= FEW:  # units that are nearly alike may tell by what differs
        apart, sizes, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
        apart = apart[:, sizes > LEAST_SIZE * sizes[0]]
        again = reference_scores(apart, columns, task)
        plain = {name: max(plain[name], again[name]) for name in plain.keys() & again}
    wide = reference_scores(_through_rectifiers(rows), columns, task)
    scores = [*plain.values(), wide.get("linear", math.nan)]
    return max((score for score in scores if math.isfinite(score)), default=math.nan)


def _through_rectifiers(rows: np.ndarray) -> np.ndarray:
    spread = rows.std(axis=0)
    used = spread > 0
    scaled = (rows - rows.mean(axis=0))[:, used] / spread[used]
    generator = np.random.default_rng(0)  # no draw from a generator of the user's
    weights = generator.normal(size=(scaled.shape[1], WIDE)) / math.sqrt(used.sum())
    rectified: np.ndarray = np.maximum(
        scaled @ weights + generator.normal(size=WIDE), 0
    )
    return rectified
