"""Layers that a model has and never calls."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


@rule(kind="cause", explains=NOT_LEARNING, needs=("network",))
def unused_layers(run: Run) -> Verdict:
    """Look for layers that a subclassed model creates and never calls.

    Only activations, normalization and layers whose weights were never made count,
    which have no effect unless they are called. It is a warning if the model learns
    nothing, or if no other activation is known in a model that is not good: leftovers
    do no harm.

    Args:
        run: The run.
    """
    names = run.model.unused
    if not names:
        return Fine("no layer is known that the model does not call")
    n = len(names)
    listed = ", ".join(f"`{name}`" for name in names[:3])
    more = f" and {n - 3} more" if n > 3 else ""
    is_one = n == 1
    return Finding(
        severity="warning" if _may_matter(run, n) else "info",
        message=(
            f"{'A layer is' if is_one else f'{n} layers are'} created and never used: "
            f"{listed}{more}. {'It has' if is_one else 'They have'} no "
            f"effect on the predictions."
        ),
        risk="warning",
        layer=names[0],
        value=float(n),
        threshold=0.0,
        unit="layers",
        confidence=0.75,
        evidence={"layers": list(names)},
        remedies=(
            suggest.by_hand(
                f"x = self.{names[0].rsplit('.', 1)[-1]}(x) in `call`, "
                "or delete the layer",
                "a layer has an effect only where it is called",
            ),
        ),
    )


def _may_matter(run: Run, n: int) -> bool:
    """Return whether a finished run may lack what these layers do."""
    if run.live or run.is_planned:
        return False
    acting = [
        layer
        for layer in run.layers
        if layer.activation not in (None, "linear")
        or layer.kind in ("recurrent", "attention", "foreign")
    ]
    is_linear = len(acting) <= n and not run.outcome.is_good
    return run.outcome.learned is False or is_linear
