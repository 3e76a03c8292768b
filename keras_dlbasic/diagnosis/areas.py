"""The questions that decide whether a run can be judged at all."""

from __future__ import annotations

from collections.abc import Mapping

AREAS: Mapping[str, str] = {
    "predictions": "what the model predicts, against a constant prediction",
    "loss": "what the training loss does",
    "updates": "gradients and updates",
    "match": "whether loss, targets and output go together",
    "data": "the data",
}
"""What `@rule(decides=...)` takes, as text; the most decisive first."""
