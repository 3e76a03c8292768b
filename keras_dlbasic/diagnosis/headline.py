"""What is said of a diagnosis first, wherever it is shown."""

from __future__ import annotations

from collections.abc import Sequence

from keras_dlbasic.diagnosis.coverage import Coverage
from keras_dlbasic.diagnosis.finding import Finding


def headline(serious: Sequence[Finding], coverage: Coverage) -> str:
    """Return in a sentence or two what was found, and how much could be judged.

    That nothing is wrong is said only where the decisive checks ran. What was found is
    given with what could not be judged.

    Args:
        serious: The findings that stand by themselves, at severity warning or above.
        coverage: How much could be judged.
    """
    if serious:
        more = f" And {len(serious) - 1} more." if len(serious) > 1 else ""
        limits = "" if coverage.is_complete else f" {coverage.text}"
        return f"{serious[0].message}{more}{limits}"
    if coverage.curves_only:
        return f"Nothing wrong shows in the curves. {coverage.text}"
    if coverage.is_judged:
        so_far = "so far" if coverage.n_pending else "was found"
        return f"Nothing wrong {so_far}. {coverage.text}"
    return coverage.text
