"""The checks that were skipped, in a line."""

from __future__ import annotations

from collections.abc import Mapping


def skipped_line(
    skipped: Mapping[str, str], reasons_in: str = "`diagnosis.skipped`"
) -> str:
    """Return how many checks were skipped and where the reasons are; empty if none.

    Args:
        skipped: The reasons by the names of the checks.
        reasons_in: What says the reasons. Defaults to the attribute of a diagnosis.
    """
    n = len(skipped)
    if not n:
        return ""
    checks = "1 check was" if n == 1 else f"{n} checks were"
    return f"{checks} skipped: {reasons_in} says why."
