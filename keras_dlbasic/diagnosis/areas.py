"""The questions that decide whether a run can be judged at all."""

from __future__ import annotations

from collections.abc import Mapping

AREAS: Mapping[str, str] = {
    "predictions": "the predictions",
    "loss": "the training loss",
    "updates": "gradients and updates",
    "match": "the match of loss, targets and output",
    "data": "the data",
}
"""What `@rule(decides=...)` takes, as text; the most decisive first."""
