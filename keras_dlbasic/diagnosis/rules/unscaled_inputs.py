"""Inputs whose size or offset first layers are not made for."""

from __future__ import annotations

import math

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING, UNSTABLE
from keras_dlbasic.records import InputFacts

FEW = 3.0
"""Root mean square over the size of nine in ten entries that a few entries make up."""

TINY = 0.1
"""Largest entry of inputs that are too small; sparse ones have larger entries."""

EXPLAINS = (
    *NOT_LEARNING,
    *UNSTABLE,
    "dead_units",
    "saturated_units",
    "vanishing_gradients",
)


@rule(kind="cause", explains=EXPLAINS, needs=("inputs",))
def unscaled_inputs(
    run: Run,
    *,
    size: float = 10.0,
    offset: float = 10.0,
    ratio: float = 100.0,
    constant: float = 1e6,
    small: float = 0.01,
) -> Verdict:
    """Look for inputs that are far from zero mean and unit variance.

    Xavier and He initialization assume inputs with a mean square of one. The curvature
    of the loss grows with the mean square, and with the square of mean / standard
    deviation of a feature (LeCun et al. 1998, Efficient BackProp). A placeholder for
    missing values, such as -999, dominates the scale of all other values. So do a few
    rows that were not scaled as the others.

    Args:
        run: The run.
        size: Minimum root mean square. The default means a hundred times the curvature.
        offset: Minimum ratio of the mean of a feature to its standard deviation.
        ratio: Minimum ratio of the largest feature to the median feature.
        constant: Offset from which on a feature counts as constant, which does no harm.
        small: Maximum root mean square of inputs, or of what a rescaling layer makes of
            them, that are too small: activations are then nearly constant.
    """
    inputs = [facts for facts in run.inputs if facts.has_numbers and not facts.is_ids]
    if not inputs and any(facts.is_ids for facts in run.inputs):
        return Fine("the inputs are ids for an embedding")
    inputs.sort(key=lambda facts: facts.is_integer)  # codes last
    if again := _rescaled_again(run, small):
        return again
    if run.facts.model and run.facts.model.normalizes_inputs:
        return Fine("the model scales its inputs")
    if not inputs:
        return Skipped("the inputs are not numbers")
    for facts in inputs:
        if facts.placeholder is not None:
            return _stand_in(facts)
        if facts.odd_rows_share > 0:
            return _odd_rows(facts)
        signs = {
            "rms": (facts.rms, size),
            "offset": (facts.offset if facts.offset < constant else 0.0, offset),
            "scale_ratio": (facts.scale_ratio, ratio),
        }
        # The sign that is furthest above its own limit is reported.
        name = max(signs, key=lambda n: signs[n][0] / signs[n][1])
        value, threshold = signs[name]
        if value > threshold:
            return Finding(
                severity="info",
                message=(
                    f"The inputs are not scaled: {_said(facts, signs)}. Initial "
                    "weights and learning rates suit inputs with mean 0 and variance "
                    f"1.{_few(facts)}{_passed_on(run)}"
                ),
                risk="critical",
                value=value,
                threshold=threshold,
                confidence=0.8 + 0.1 * (value > 10 * threshold),
                evidence={n: v for n, (v, _) in signs.items()},
                remedies=(
                    *_adapting(run),
                    suggest.scaled_inputs(
                        "gives all features mean 0 and variance 1, inside the model"
                    ),
                    suggest.normalization("scales the outputs of the first layer"),
                ),
            )
        if _is_tiny(facts, small):
            return _too_small(
                f"The inputs are too small: their root mean square is {facts.rms:.2g}.",
                facts.rms,
                small,
            )
    return Fine(f"root mean square {inputs[0].rms:.3g}")


def _is_tiny(facts: InputFacts, small: float) -> bool:
    return 0 < facts.rms < small and max(abs(facts.min), abs(facts.max)) < TINY


def _were_scaled(run: Run) -> bool:
    """Return whether the inputs are no raw pixels or counts."""
    known = [facts for facts in run.inputs if facts.has_numbers]
    return bool(known) and all(facts.max <= 1.0 for facts in known)


def _rescaled_again(run: Run, small: float) -> Finding | None:
    """Look for a rescaling layer that gives next to nothing."""
    table = run.record.tables.get("activations")
    if table is None or not len(table) or not _were_scaled(run):
        return None
    for layer in run.layers:
        if not layer.scales or layer.label not in table.labels:
            continue
        place = table.labels.index(layer.label)
        mean, variance = (float(table[m][0, place]) for m in ("mean", "variance"))
        size = math.sqrt(mean**2 + variance)
        if 0 < size < small:
            text = (
                f"Layer '{layer.label}' scales its inputs to a root mean square of "
                f"{size:.2g}. They were probably scaled before."
            )
            return _too_small(text, size, small, layer.label)
    return None


def _too_small(
    text: str, value: float, threshold: float, layer: str | None = None
) -> Finding:
    return Finding(
        severity="info",
        message=(
            f"{text} Initial weights and learning rates suit inputs with mean 0 and "
            "variance 1. With such small inputs, activations are nearly the same for "
            "all rows."
        ),
        risk="critical",
        layer=layer,
        value=value,
        threshold=threshold,
        unit="root mean square",
        confidence=0.85,
        remedies=(
            suggest.by_hand(
                "scale the inputs once: in the data, or in the model",
                "values of about 1 then reach the first weights",
            ),
        ),
    )


def _said(facts: InputFacts, signs: dict[str, tuple[float, float]]) -> str:
    """Say what is out of size, and only that."""
    texts = {
        "rms": f"their root mean square is {facts.rms:.4g}",
        "offset": (
            f"the median feature mean is {facts.offset:.3g} standard deviations from 0"
        ),
        "scale_ratio": (
            f"the largest feature is {facts.scale_ratio:.3g} times as large as the "
            "median feature"
        ),
    }
    over = [name for name, (value, limit) in signs.items() if value > limit]
    return ", and ".join(texts[name] for name in over)


def _few(facts: InputFacts) -> str:
    """Say where a few entries make up the size of all."""
    if not facts.rms > FEW * facts.typical:
        return ""
    return (
        f" A few outliers cause this: 90% of the entries are below {facts.typical:.3g}."
    )


def _not_adapted(run: Run) -> str | None:
    """Return the label of a layer that should scale the only input and does not."""
    if len(run.inputs) != 1:
        return None
    return next((layer.label for layer in run.layers if layer.not_adapted), None)


def _passed_on(run: Run) -> str:
    label = _not_adapted(run)
    if label is None:
        return ""
    return (
        f" Layer '{label}' should scale them. It was not adapted to data, so it gives "
        "them as they are."
    )


def _adapting(run: Run) -> tuple[RemedySuggestion, ...]:
    label = _not_adapted(run)
    if label is None:
        return ()
    code = f"model.get_layer('{label}').adapt(x), before the model is compiled"
    return (suggest.by_hand(code, "it then knows the mean and variance of the data"),)


def _odd_rows(facts: InputFacts) -> Finding:
    ratio, share = facts.odd_rows, facts.odd_rows_share
    size = f"{ratio:.3g}" if ratio > 1 else f"1 / {1 / ratio:.3g}"
    return Finding(
        severity="info",
        message=(
            f"{share:.1%} of the rows are {size} times the size of the others, and no "
            "row lies in between. They were probably scaled in another way. They "
            "dominate gradients and batch statistics, or have no effect."
        ),
        risk="critical",
        value=ratio,
        threshold=1.0,
        unit="times the size of the other rows",
        confidence=0.96,
        evidence={"share": share},
        remedies=(
            suggest.by_hand(
                "size = np.sqrt((x.reshape(len(x), -1) ** 2).mean(axis=1)); "
                f"rows = np.flatnonzero(size {'>' if ratio > 1 else '<'} "
                f"{ratio**0.5:.3g} * np.median(size))",
                "shows which rows to scale like the others, or to leave out",
            ),
        ),
    )


def _stand_in(facts: InputFacts) -> Finding:
    value, share = facts.placeholder, facts.placeholder_share
    return Finding(
        severity="info",
        message=(
            f"{share:.1%} of the input entries are {value:g}, far from all others. "
            "This value seems to mark missing data, but the model treats it as a "
            "measurement."
        ),
        risk="critical",
        value=share,
        threshold=0.0,
        unit="share of the entries",
        confidence=0.85,
        evidence={"placeholder": value, "root_mean_square": facts.rms},
        remedies=(
            suggest.by_hand(
                f"sklearn.impute.SimpleImputer(missing_values={value:g}, "
                "strategy='median', add_indicator=True)",
                "replaces the values and marks where they were; scale afterwards",
            ),
        ),
    )
