"""More weights than the data can determine."""

from __future__ import annotations

from keras_dlbasic.diagnosis.rule import Found, Judged, rule
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.suggestions import by_hand, regularize, shrink, stop_early


@rule("cause", explains=("overfitting",), live=False)
def model_too_large(run: Run, *, weights_per_row: float = 1.0) -> Judged:
    """Compare the number of weights with that of the training rows.

    Most networks of today have more weights than rows and do well, so this counts only
    where overfitting was found.

    Args:
        run: The run.
        weights_per_row: From one weight per row and output on, a model can go through
            all points; whether it does is for the curves to tell.
    """
    data = run.fact("data")
    n, rows = run.fact("network")["n_trainable_weights"], data.get("n_rows") or 0
    value = n / rows if rows else 0.0
    if rows and value > weights_per_row:
        return Found(
            "info",
            f"There are {n} trainable weights for {rows} training rows.",
            risk="critical",
            remedies=(
                stop_early("costs nothing"),
                regularize("small weights follow single points less"),
                shrink("fewer weights memorise less"),
                by_hand("more rows", "each noisy row then counts less"),
            ),
            details={"value": value, "threshold": weights_per_row, "confidence": 0.7},
            note=False,
        )
    return f"{value:.2g} weights per row"
