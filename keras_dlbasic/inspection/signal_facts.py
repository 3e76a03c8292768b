"""How signals go through a model."""

from __future__ import annotations

import warnings
from typing import Any

from keras_dlbasic.analysis.activations.propagation import SignalTrend
from keras_dlbasic.propagation.report import propagation_report
from keras_dlbasic.records.facts import SignalFacts, TrendFacts


def signal_facts(model: Any, x: Any) -> SignalFacts | None:
    """Return what `propagation_report` says of a model; None if it cannot.

    Args:
        model: A built model.
        x: Some rows of inputs.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            report = propagation_report(model, x)
    except Exception:  # a user's layers may not run outside `fit`
        return None
    return SignalFacts(
        forward=_trend(report.forward),
        backward=_trend(report.backward),
        verdicts={s.layer: s.verdict for s in report.layers if s.verdict != "ok"},
    )


def _trend(trend: SignalTrend) -> TrendFacts:
    return TrendFacts(trend.kind, trend.factor, trend.change)
