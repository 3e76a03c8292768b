"""What a study of remedies recommends."""

from __future__ import annotations

from dataclasses import dataclass

from keras_dlbasic._display import Displayed, wrapped
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.experiments.paired_comparison import PairedDifference


@names_nearest
@dataclass(frozen=True, repr=False)
class RemedyAdvice(Displayed):
    """A recommendation.

    Attributes:
        remedy: The name of the recommended arm; None if no arm is better than the
            untreated model by more than chance.
        difference: Change of the held-out error; None without a remedy.
        reason: Why it is recommended.
        also: Other remedies that also lower the error, the lowest error first.
        confidence: `"clear"` if the error is significantly lower, corrected for the
            number of remedies tried; `"likely"` if it is less certain; None without a
            remedy.

    Example:
    >>> import keras_dlbasic as kd
    >>> print(kd.analysis.RemedyAdvice(None, None, "no remedy is clearly better"))
    No recommendation: no remedy is clearly better
    """

    remedy: str | None
    difference: PairedDifference | None
    reason: str
    also: tuple[str, ...] = ()
    confidence: str | None = None

    def __str__(self) -> str:
        if self.remedy is None:
            return wrapped(f"No recommendation: {self.reason}")
        doubt = " (likely, not certain)" if self.confidence == "likely" else ""
        return wrapped(f"Recommended: {self.remedy}{doubt}. {self.reason}")
