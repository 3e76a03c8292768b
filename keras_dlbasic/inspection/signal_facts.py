"""How signals go through a model, in terms JSON knows."""

from __future__ import annotations

import warnings
from typing import Any

from keras_dlbasic.propagation.report import propagation_report


def signal_facts(model: Any, x: Any) -> dict[str, Any] | None:
    """Return what `propagation_report` says of a model; None if it cannot.

    Args:
        model: A built model.
        x: Some rows of inputs.

    Returns:
        `"forward"` and `"backward"`: the kind of the law, the factor per layer and the
        change over all; `"verdicts"`: those layers whose verdict is not `"ok"`.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            report = propagation_report(model, x)
    except Exception:  # a user's layers may not run outside `fit`
        return None
    trends = {
        name: {"kind": trend.kind, "factor": trend.factor, "change": trend.change}
        for name, trend in (("forward", report.forward), ("backward", report.backward))
    }
    wrong = {s.layer: s.verdict for s in report.layers if s.verdict != "ok"}
    return {**trends, "verdicts": wrong}
