"""Pictures whose bytes overflowed."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


@rule(kind="cause", explains=(*NOT_LEARNING, "overfitting"), needs=("inputs",))
def inputs_wrapped(run: Run) -> Verdict:
    """Look for pictures whose bytes begin again at 0 after 255.

    Arithmetic in `uint8` drops what exceeds 255 or falls below 0. Smooth parts of such
    pictures jump from nearly the largest to nearly the smallest value. Black beside
    white does not count, as these are the smallest and largest values themselves. It is
    a note if the trained model is good, or if the values may be an angle, as in the
    first channel of pictures of hue, saturation and value.

    Args:
        run: The run.
    """
    facts = next((one for one in run.inputs if one.wrapped > 0), None)
    if facts is None:
        return Fine("no picture jumps from the largest to the smallest values")
    is_info = facts.wrapped_angle or run.live or run.is_planned or run.outcome.is_good
    return Finding(
        severity="info" if is_info else "warning",
        message=(
            f"{facts.wrapped:.1%} of neighboring pixels of input {facts.name!r} jump "
            "from nearly the largest to nearly the smallest of 256 values, and the "
            "pictures are smooth if 0 follows 255. So whole numbers overflowed before "
            "they were scaled, unless it is an angle, such as hue or phase."
        ),
        risk="info" if facts.wrapped_angle else "warning",
        value=facts.wrapped,
        threshold=0.0,
        unit="share of neighboring pixels",
        confidence=0.7,
        remedies=(
            suggest.by_hand(
                'x = images.astype("float32") before any arithmetic',
                "`uint8` has no values below 0 and above 255",
            ),
        ),
    )
