"""Verdict and picture of a run in one call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.diagnosis import Diagnosis, diagnose
from keras_dlbasic.reports.terminal import print_diagnosis


@names_nearest
def explain(run: Any, *, plot: bool = True, verbose: bool = False) -> Diagnosis:
    """Print what is wrong with a run, plot its curves, and return the diagnosis.

    Args:
        run: What `model.fit` returned or its `history` dictionary; a callback of this
            package, such as a `TrainingDoctor`; a `TrainingRecord`; or the path of a
            record (`.npz`) or a table of epochs (`.csv`).
        plot: Whether to plot training and validation curves in a new figure. Defaults
            to `True`.
        verbose: Whether to list why checks were skipped. Defaults to `False`.

    Returns:
        The `Diagnosis`.

    Raises:
        TypeError: If `run` is none of these.
        ValueError: If the callback was not used in a fit yet, or the file is neither a
            record nor a table.
        OSError: If there is no such file, or it is a folder.

    Example:
    >>> import keras_dlbasic as kd
    >>> history = {"loss": [0.7, 0.5, 0.4], "val_loss": [0.8, 0.7, 0.6]}
    >>> found = kd.explain(history, plot=False)
    Diagnosis
    Nothing wrong shows in the curves. ...
    """
    from keras_dlbasic.plots.given import any_record_of

    record = any_record_of(run)
    diagnosis = diagnose(record)
    name = Path(run).name if isinstance(run, (str, Path)) else ""
    title = f"Diagnosis of {name}" if name else "Diagnosis"
    print_diagnosis(diagnosis, title=title, verbose=verbose)
    if plot and len(record.epochs.get("epoch", ())):
        record.plot()
    return diagnosis
