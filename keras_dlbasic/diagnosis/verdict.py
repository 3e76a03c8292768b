"""What a rule returns."""

from __future__ import annotations

from typing import TypeAlias

from keras_dlbasic.diagnosis.finding import Finding
from keras_dlbasic.diagnosis.fine import Fine
from keras_dlbasic.diagnosis.skipped import Skipped

Verdict: TypeAlias = Finding | Fine | Skipped
"""What a rule returns: a problem, that there is none, or that it cannot tell."""
