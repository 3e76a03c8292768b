"""Penalties or dropout that leave no room for the data."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.dropout_cost import dropout_cost
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


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
) -> Verdict:
    """Look for weights that a penalty has made vanish, and for extreme dropout.

    Args:
        run: The run.
        shrunk: Size of a penalized kernel, relative to its largest so far, below which
            the penalty has won.
        share: Share of the loss from which the penalty matters more than the data.
        dropout: Rate from which a layer passes on next to nothing in training.
        high: Rate from which it counts too where so much is lost.
        lost: Share of what was learned that is lost with dropout on.
    """
    layers = run.layers
    rates = [(f.dropout, f.label) for f in layers if f.dropout is not None]
    highest = max(rates, default=(0.0, ""))
    cost = None if run.is_planned else dropout_cost(run)
    hurts = cost is not None and cost > lost
    if highest[0] >= dropout or (highest[0] >= high and hurts):
        return _dropout(*highest, dropout if highest[0] >= dropout else high, cost)
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
