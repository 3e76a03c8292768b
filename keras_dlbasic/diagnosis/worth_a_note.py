"""Whether a trait that has done no harm is worth a line."""

from __future__ import annotations

from keras_dlbasic.diagnosis.run import Run


def worth_a_note(run: Run) -> bool:
    """Return whether a reader would do anything else for a trait that did no harm.

    Not where the run has learned with it, and not before it begins: a batch size or a
    number of updates that may turn out to be wrong is known to who chose it.
    """
    return not run.is_planned and run.outcome.learned is not True
