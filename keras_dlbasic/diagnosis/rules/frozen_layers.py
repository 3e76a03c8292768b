"""Layers that are not trained, in a model that does not get far."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.frozen_zeros import frozen_zeros
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING
from keras_dlbasic.records import LayerFacts

ALIKE = 1e-6
"""Deviation of predictions up to which they differ by rounding only."""

MAX_LISTED = 20
"""Records list no more layers that Keras does not find."""

LEAST_REFERENCE = 0.15
"""Skill of simple predictors below which there is little to learn."""


EXPLAINS = (*NOT_LEARNING, "dead_units", "vanishing_gradients")


@rule(kind="cause", explains=EXPLAINS, needs=("network",), live=False)
def frozen_layers(run: Run, *, share: float = 0.5) -> Verdict:
    """Look for models that learn little and have mostly frozen weights.

    A frozen base is correct if it was trained on similar data, so it only counts if the
    run learns little. A frozen layer with zero weights of any size is reported if the
    predictions are the same for all inputs. Layers that Keras does not find are not
    trained either, so they are reported too, as are layers that `call` makes.
    A variable that `call` makes, in no layer, may be a constant and is a note.

    Args:
        run: The run.
        share: Minimum share of frozen weights (in layers with kernels) for a finding.
    """
    if run.model.made_in_call:
        return _of_made(run, list(run.model.made_in_call))
    verdict = _of_tracked(run, share)
    if run.model.variables_in_call and not isinstance(verdict, Finding):
        return _of_variables(list(run.model.variables_in_call))
    return verdict


def _of_tracked(run: Run, share: float) -> Verdict:
    """Judge layers that are created once."""
    if run.model.untracked:
        return _of_untracked(run)
    zeros = frozen_zeros(run)
    if zeros and _is_constant(run):
        return _of_zeros(zeros)
    known = [layer for layer in run.layers if layer.has_kernel and layer.n_weights]
    frozen = [layer for layer in known if not layer.trainable]
    total = sum(layer.n_weights for layer in known)
    if not total:
        return Skipped("no layer with a kernel is known")
    value = sum(layer.n_weights for layer in frozen) / total
    if run.n_trainable_weights == 0 or value < share:
        return Fine(f"{value:.0%} of the weights are frozen")
    # If simple predictors find nothing either, unfreezing the layers will not help.
    reference = run.outcome.reference
    if reference is not None and reference < LEAST_REFERENCE:
        return Fine("simple predictors learn nothing from the inputs either")
    names = ", ".join(f"'{layer.label}'" for layer in frozen[:3])
    more = f" and {len(frozen) - 3} more" if len(frozen) > 3 else ""
    return Finding(
        severity="info",
        message=(
            f"{value:.0%} of the weights are frozen ({names}{more}). Only the other "
            "layers are trained, on the features that the frozen ones give."
        ),
        risk="warning",
        layer=frozen[0].label,
        value=value,
        threshold=share,
        unit="share of the weights",
        confidence=0.75,
        evidence={"layers": [layer.label for layer in frozen[:10]]},
        remedies=(
            suggest.by_hand(
                "check that the frozen layers have pretrained weights, and that inputs "
                "are preprocessed as they were in pretraining",
                "a frozen layer with random weights stays random",
            ),
            suggest.by_hand(
                f"model{_path(frozen[-1].label)}.trainable = True, then compile again",
                "unfreezes the last frozen layer; use a tenth of the learning rate if "
                "its weights are pretrained",
            ),
        ),
    )


def _of_untracked(run: Run) -> Finding:
    places = run.model.untracked
    n = len(places)
    are, these = ("layer is", "its") if n == 1 else ("layers are", "their")
    more = f" and {n - 1} more" if n > 1 else ""
    count = f"At least {n}" if n >= MAX_LISTED else f"{n}"
    return Finding(
        severity="info" if run.outcome.is_good else "warning",
        message=(
            f"{count} {are} not part of the model (found at {places[0]}{more}), so "
            f"{these} weights are neither trained nor saved. Keras finds layers only "
            "in the attributes of a model or layer, and in lists and dictionaries "
            "there. (For layers that are to stay as they are, set `trainable` to "
            "False.)"
        ),
        risk="critical",
        value=float(n),
        threshold=0.0,
        unit="layers",
        confidence=0.8,
        evidence={"layers": list(places)},
        remedies=(
            suggest.by_hand(
                "make the object that holds the layers a keras.layers.Layer, or keep "
                "them in a list that is an attribute of the model; replace a Lambda "
                "that calls layers by a layer of your own",
                "Keras then trains and saves them",
            ),
        ),
    )


def _of_made(run: Run, places: list[str]) -> Finding:
    n = len(places)
    more = f", and {n - 1} more" if n > 1 else ""
    return Finding(
        severity="info" if run.outcome.is_good else "critical",
        message=(
            f"A layer is created at every call: {places[0]}{more}. Its weights are "
            "random numbers, new each time that this code runs, and no weights of the "
            "model: they are neither trained nor saved."
        ),
        risk="critical",
        value=float(n),
        threshold=0.0,
        unit="layers",
        confidence=0.95,
        evidence={"layers": list(places)},
        remedies=(
            suggest.by_hand(
                "create the layer once, in `__init__`, as an attribute of the model or "
                "layer (`self.hidden = ...`), and call it in `call`",
                "Keras then trains and saves its weights",
            ),
        ),
    )


def _of_variables(places: list[str]) -> Finding:
    n = len(places)
    more = f", and {n - 1} more" if n > 1 else ""
    return Finding(
        severity="info",
        message=(
            f"A variable is created at every call, in {places[0]}{more}. It is no "
            "weight of the model, so it is neither trained nor saved. A constant may "
            "stay so."
        ),
        value=float(n),
        threshold=0.0,
        unit="variables",
        confidence=0.95,
        evidence={"variables": places},
        remedies=(
            suggest.by_hand(
                "create what is to be trained in `__init__` or `build`, by "
                "`self.add_weight(...)`",
                "Keras then trains and saves it; a constant needs no variable",
            ),
        ),
    )


def _is_constant(run: Run) -> bool:
    """Return whether predictions are the same for all inputs, as far as is known.

    Where another path leads around a layer of zeros, they are not.
    """
    table = run.record.tables.get("probe")
    if table is None or not len(table):
        return False
    return bool(np.nanmax(table["spread"][-1], initial=0.0) <= ALIKE)


def _of_zeros(zeros: list[LayerFacts]) -> Finding:
    first = zeros[0]
    return Finding(
        severity="info",
        message=(
            f"The weights of layer '{first.label}' are all zero and frozen, so its "
            "output is the same for all inputs, and the layers after it get no "
            "information about the inputs."
        ),
        risk="critical",
        layer=first.label,
        value=first.kernel_rms,
        threshold=0.0,
        unit="root mean square of the weights",
        confidence=0.95,
        evidence={"layers": [layer.label for layer in zeros[:10]]},
        remedies=(
            suggest.by_hand(
                "check how the weights were loaded; layer names or words that are not "
                "found leave zeros",
                "pretrained weights are hardly ever all zero",
            ),
            suggest.by_hand(
                f"model{_path(first.label)}.trainable = True, with random initial "
                "weights, then compile again",
                "the layer is then trained with the others",
            ),
        ),
        note=False,
    )


def _path(label: str) -> str:
    """Return the code that leads to a layer, through nested models."""
    return "".join(f".get_layer('{name}')" for name in label.split("/"))
