"""Penalties or dropout that leave no room for the data."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.dropout_cost import dropout_cost
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING

CONSIDERABLE = 0.3
"""Rates below are drawn for each of many layers, and do little in each."""


@rule(
    kind="cause",
    explains=(*NOT_LEARNING, "dead_units", "vanishing_gradients"),
    needs=("network",),
)
def regularization_too_strong(
    run: Run,
    *,
    shrunk: float = 0.1,
    share: float = 0.5,
    dropout: float = 0.8,
    high: float = 0.6,
    lost: float = 0.4,
    kept: float = 0.02,
    decay: float = 0.02,
    saved: float = 0.5,
    drowned: float = 1.5,
    vanished: float = 0.1,
    learnable: float = 0.15,
) -> Verdict:
    """Look for weights that a penalty has shrunk to zero, and for extreme dropout.

    Penalties of activations (`activity_regularizer`) count if they were large before
    training, are gone after it, and nothing was learned. Noise that is added to the
    inputs counts if it is larger than these.

    Args:
        run: The run.
        shrunk: Maximum norm of a penalized kernel, relative to its maximum so far, for
            a finding.
        share: Minimum share of the penalty in the loss for a finding.
        dropout: Minimum rate of one dropout layer for a finding.
        high: Minimum rate for a finding if `lost` is exceeded.
        lost: Minimum share of the improvement that is lost with dropout on.
        kept: Maximum share of the signal that passes all dropout layers in sequence in
            training.
        decay: Minimum share of the weights that weight decay removes at each step
            (learning rate times decay). At 0.02 half of a weight is gone after 35
            steps.
        saved: If the model's loss is lower than a constant prediction's by this share,
            such a decay does no harm.
        drowned: Minimum standard deviation of noise that is added to inputs, in units
            of theirs.
        vanished: Maximum penalty of activations at the end, relative to that before
            training, for a finding.
        learnable: Minimum skill of a simple predictor for such a finding, if it is
            known.
    """
    layers = run.layers
    rates = [(f.dropout, f.label) for f in layers if f.dropout is not None]
    highest = max(rates, default=(0.0, ""))
    cost = None if run.is_planned else dropout_cost(run)
    hurts = cost is not None and cost > lost
    if highest[0] >= dropout or (highest[0] >= high and hurts):
        return _dropout(*highest, dropout if highest[0] >= dropout else high, cost)
    noise, noisy = _noise(run)
    if noise >= drowned:
        return _noised(noise, noisy, drowned)
    if found := _quiet(run, vanished, learnable):
        return found
    taken = _decay(run)
    if taken >= decay:
        return _decayed(run, taken, decay, saved)
    penalised = {f.label for f in layers if f.penalty}
    part = _share(run)
    least, layer = _shrunk(run, penalised)
    if penalised and (least < shrunk or part > share):
        return Finding(
            severity="info",
            message=(
                f"Regularization is too strong: weight penalties make up {part:.0%} of "
                f"the loss, and the weight norm of layer '{layer}' has shrunk to "
                f"{least:.1%} of its maximum."
            ),
            risk="critical",
            layer=layer,
            value=max(part, 1 - least),
            threshold=share,
            unit="share of the loss",
            confidence=0.88,
            remedies=(suggest.no_penalty("the loss on the data then counts most"),),
        )
    chain = _chain(run)
    through = float(np.prod([1 - rate for rate in chain])) if chain else 1.0
    if through <= kept:
        return _of_all(chain, through, kept)
    return Fine(f"penalties make up {part:.0%} of the loss")


def _dropout(rate: float, layer: str, limit: float, cost: float | None) -> Finding:
    observed = (
        ""
        if cost is None
        else f" With dropout on, {max(0.0, cost):.0%} of what was learned is lost."
    )
    return Finding(
        severity="info",
        message=(
            f"Dropout layer '{layer}' drops {rate:.0%} of the units, which leaves "
            f"little to learn from.{observed}"
        ),
        risk="critical",
        layer=layer,
        value=rate,
        threshold=limit,
        unit="share of the units",
        confidence=0.9,
        evidence={} if cost is None else {"lost_with_dropout": cost},
        remedies=(suggest.less_dropout("a moderate rate keeps more of the signal"),),
    )


def _noise(run: Run) -> tuple[float, str]:
    """Return the noise added to inputs, relative to them, and the layer that adds it.

    Where other layers come first, or there are several inputs, it is not known.
    """
    if len(run.inputs) != 1 or not run.inputs[0].std > 0 or run.inputs[0].is_ids:
        return 0.0, ""
    for facts in run.layers:
        if facts.noise is not None:
            return facts.noise / run.inputs[0].std, facts.label
        if facts.kind not in ("input", "reshaping"):
            break
    return 0.0, ""


def _noised(noise: float, layer: str, limit: float) -> Finding:
    return Finding(
        severity="info",
        message=(
            f"Layer '{layer}' adds noise to the inputs whose standard deviation is "
            f"{noise:.3g} times that of the inputs, which leaves little to learn from."
        ),
        risk="critical",
        layer=layer,
        value=noise,
        threshold=limit,
        unit="standard deviations of the inputs",
        confidence=0.85,
        remedies=(
            suggest.by_hand(
                "keras.layers.GaussianNoise(stddev), with a tenth of the standard "
                "deviation of the inputs",
                "the inputs then stand out from the noise",
            ),
        ),
    )


def _quiet(run: Run, vanished: float, learnable: float) -> Finding | None:
    """Look for activations that their penalty has made zero, and nothing else learned.

    It must have been as large before training as `CONSIDERABLE` of the loss of a
    constant prediction: a small one often falls while the model fails for other
    reasons.
    """
    probe, outcome = run.facts.probe, run.outcome
    start = None if probe is None else probe.activity_at_start
    end = None if probe is None else probe.activity_at_end
    if start is None or end is None or run.live or outcome.learned is not False:
        return None
    baseline, reference = outcome.baseline, outcome.reference
    if baseline is None or (reference is not None and reference < learnable):
        return None
    if not start > CONSIDERABLE * abs(baseline) or not end <= vanished * start:
        return None
    return Finding(
        severity="critical",
        risk="critical",
        message=(
            "Penalties of activations (`activity_regularizer`) added "
            f"{start:.3g} to the loss before training and add {end:.3g} now, while "
            "the loss on the data is not better than that of a constant prediction "
            f"({baseline:.3g}). Activations that are zero for all inputs satisfy the "
            "penalty, and carry nothing to later layers."
        ),
        value=end / start,
        threshold=vanished,
        unit="of the penalty at the start",
        confidence=0.85,
        evidence={"start": start, "end": end},
        remedies=(
            suggest.by_hand(
                "multiply the weight of `activity_regularizer` by 0.01",
                "the loss on the data then counts most: the penalty is a sum over all "
                "units of a layer",
            ),
        ),
    )


def _chain(run: Run) -> list[float]:
    """Return considerable rates of layers that are certainly one behind another."""
    # What goes around a layer of dropout is kept, and no fact tells of all such ways:
    # `x + h` is no layer. So only the layers of a Sequential model itself count, not
    # those of other models, nested ones included (their labels contain a slash).
    model = run.facts.model
    if model is None or not model.is_sequential:
        return []
    if any(f.kind == "custom" for f in model.layers):
        return []
    own = [f.dropout or 0.0 for f in model.layers if "/" not in f.label]
    return [rate for rate in own if rate >= CONSIDERABLE]


def _of_all(rates: list[float], through: float, limit: float) -> Finding:
    return Finding(
        severity="info",
        message=(
            f"{len(rates)} layers of dropout, with rates up to {max(rates):g}, let "
            f"through only {through:.1%} of the signal in training, so there is little "
            "to learn from."
        ),
        risk="warning",
        value=through,
        threshold=limit,
        unit="share of the signal",
        confidence=0.75,
        remedies=(suggest.less_dropout("a moderate rate keeps more of the signal"),),
    )


def _decay(run: Run) -> float:
    """Return the share of the weights that decoupled decay takes away at each step."""
    value = run.facts.inner_optimizer.get("weight_decay")
    rates = run.record.learning_rate
    rates = rates[np.isfinite(rates)]
    if not isinstance(value, (int, float)) or not len(rates):
        return 0.0
    return float(value * np.median(rates))


def _decayed(run: Run, taken: float, limit: float, saved: float) -> Finding:
    outcome = run.outcome
    is_poor = outcome.loss_saved is not None and outcome.loss_saved < saved
    return Finding(
        severity="warning" if is_poor and not run.live else "info",
        message=(
            f"Weight decay takes away {taken:.1%} of a weight at each step (the "
            "learning rate times `weight_decay`), so that only what the last "
            f"{1 / taken:.0f} steps learned is kept."
        ),
        risk="critical",
        value=taken,
        threshold=limit,
        unit="share of the weights per step",
        confidence=0.9,
        evidence={"loss_saved": outcome.loss_saved},
        remedies=(suggest.no_penalty("weights then keep what they learn"),),
    )


def _share(run: Run) -> float:
    table = run.record.tables.get("probe")
    if table is None or not len(table):
        return 0.0
    penalty, loss = run.penalty, float(table["loss"][-1, 0])
    known = np.isfinite(loss) and penalty + loss > 0
    return penalty / (penalty + loss) if known else 0.0


def _shrunk(run: Run, penalised: set[str]) -> tuple[float, str | None]:
    """Return the smallest size of a penalized kernel relative to its largest."""
    best, layer = 1.0, None
    for column, info in enumerate(run.record.variables):
        if info.layer not in penalised or len(info.shape) < 2:
            continue
        norms = run.record.weight_norm[:, column].astype(np.float64)
        norms = norms[np.isfinite(norms)]
        if len(norms) and norms.max() > 0 and norms[-1] / norms.max() < best:
            best, layer = float(norms[-1] / norms.max()), info.layer
    return best, layer
