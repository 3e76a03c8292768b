"""Predictions that depend on the other rows of the batch."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.response import response_of
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING

BY_MOVING_STATISTICS = suggest.by_hand(
    "do not pass `training=True` to batch normalization in `call`",
    "`predict` then uses the moving statistics, whatever the batch",
)


@rule(
    kind="cause",
    explains=(*NOT_LEARNING, "overfitting"),
    needs=("network",),
    live=False,
)
def rows_mixed(run: Run, *, change: float = 0.01, strong: float = 0.1) -> Verdict:
    """Change the other rows of a batch, and compare the predictions of the rest.

    A softmax, a mean, a reshape or an attention over the first axis mixes unrelated
    samples. Keras' own layers do not do this in inference. Models whose batch is one
    graph, or one set, do it on purpose.

    It is a warning if predictions change much, since the answer for a row then depends
    on what is predicted along with it, and if batch normalization is called with
    `training=True`: it then uses the statistics of the batch in prediction too.

    Args:
        run: The run.
        change: Minimum change of the predictions, in units of their standard deviation
            over rows.
        strong: Minimum change for a warning.
    """
    found = response_of(run)
    if isinstance(found, Fine):
        return found
    if found.other_rows != found.other_rows:
        return Skipped("no output could be compared between batches")
    if found.other_rows < change:
        return Fine("a prediction does not depend on the other rows of the batch")
    size, rows = run.facts.batch_size, run.facts.data.n_rows if run.facts.data else None
    if size and rows and size >= rows:
        return Fine("all rows are in one batch, and may be parts of one graph")
    normalized = found.normalizing is not None
    is_strong = normalized or found.other_rows >= strong
    return Finding(
        severity="warning" if is_strong else "info",
        message=(
            "The prediction for a row depends on the other rows of its batch: it "
            f"changes with them by {found.other_rows:.2g} standard deviations. "
            + (
                f"Batch normalization '{found.normalizing}' is called with "
                "`training=True`, so it uses the statistics of the batch in prediction "
                "too."
                if normalized
                else "An operation of the model works along axis 0, the axis of the "
                "samples. That is correct only for graphs, or if rows are to be "
                "compared."
            )
        ),
        risk="critical" if is_strong else "warning",
        value=found.other_rows,
        threshold=change,
        unit="standard deviations of the predictions",
        confidence=0.9,
        note=False,
        remedies=(
            *((BY_MOVING_STATISTICS,) if normalized else ()),
            suggest.by_hand(
                "look for a softmax, mean, norm, reshape or attention over axis 0 in "
                "`call`; axis 0 holds the samples",
                "each sample is then predicted by itself",
            ),
        ),
    )
