"""The record of one training run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from keras_dlbasic._display import Plotted, wrapped
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.records.csv_table import record_from_csv
from keras_dlbasic.records.epoch_sources import record_from_history
from keras_dlbasic.records.npz_file import read_npz, write_npz
from keras_dlbasic.records.pandas_table import to_pandas
from keras_dlbasic.records.record_data import RecordData
from keras_dlbasic.records.tensorboard_file import write_tensorboard


@names_nearest
class TrainingRecord(Plotted, RecordData):
    """The measurements of a training run.

    A record consists of NumPy arrays. It can be saved, loaded, diagnosed and plotted
    without Keras, the model or the data. All norms are L2 norms. Gradients are those of
    the minimized loss, before clipping and after loss unscaling. At most 1,024 sampled
    steps are kept, including the first and the last one. They are logarithmically
    spaced in the warm-up and evenly spaced afterwards.

    Args:
        variables: The trainable variables, one `VariableInfo` each. Defaults to none: a
            record with epochs only.
        facts: Facts about the run: a `RunFacts`, or a dictionary as in a file. Defaults
            to None: no facts.

    Attributes:
        facts: Facts about the run, a `RunFacts`.
        steps: Sampled steps, `[n]`, 0-based count of `train_step` calls.
        step_epochs: Epoch of each sampled step, `[n]`, 0-based.
        gradient_norm: Norm of the gradient, `[n, n_variables]`. NaN where no gradient
            reached the variable.
        weight_norm: Norm of the weights before the update, `[n, n_variables]`.
        update_norm: Norm of the change of the weights in the step (including weight
            decay, constraints and EMA), `[n, n_variables]`.
        max_abs_gradient: Largest absolute gradient entry, `[n, n_variables]`.
        non_finite: Number of gradient entries that are NaN or infinite,
            `[n, n_variables]`.
        zero_unit_fraction: Share of output units whose bias gradient is exactly zero,
            `[n, n_variables]`. NaN if not known.
        clip_factor: Norm after clipping divided by norm before, `[n, n_variables]`.
            1.0 where nothing was clipped.
        batch_loss: Loss of the batch, `[n]`. NaN if the step does not report it.
        learning_rate: Learning rate of the step, `[n]`. NaN if it is a plain callable.
            With several optimizers (`MultiOptimizer`), it is the rate of the one with
            the most weights, and `tables["learning_rates"]` has the rate of each
            variable.
        batch_size: Number of rows in the batch, `[n]`.
        skipped: Whether loss scaling skipped the update, `[n]`.
        replica_gradient_norm: Under `MirroredStrategy`: gradient norm of a replica's
            own samples (root mean square over the replicas), `[n]`. Otherwise NaN. Only
            valid for losses that are means.
        global_gradient_norm: Norm over all variables, `[n]`.
        trained_steps: Number of steps trained so far, sampled or not.
        epochs: Epoch logs: name to array, one entry per epoch, NaN where missing.
            `"epoch"` holds the 0-based number of the epoch.
        tables: Measurements of other monitors by name, a `LayerTable` each:
            `"activations"`, `"penalties"`, `"normalization"`.

    Example:
    >>> from keras_dlbasic.records import TrainingRecord
    >>> record = TrainingRecord.from_history({"loss": [0.9, 0.5]})
    >>> record.epochs["loss"]
    array([0.9, 0.5])
    """

    __repr__ = RecordData.__repr__

    def __str__(self) -> str:
        return wrapped(repr(self))

    def save(self, path: str | Path) -> None:
        """Write the record to one `.npz` file.

        Writing is atomic: an existing file stays intact until the new one is complete.

        Args:
            path: Path of the file; no suffix is added.
        """
        write_npz(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a record that `save` wrote. Needs no Keras.

        Args:
            path: The file.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the file is truncated, is not a record, or has a newer
                format.
        """
        return read_npz(Path(path), cls)

    @classmethod
    def from_history(cls, history: Any) -> Self:
        """Create a record, with epochs only, from the result of `model.fit`.

        Args:
            history: A `keras.callbacks.History` or its `history` dictionary.

        Raises:
            TypeError: If it is neither.
            ValueError: If its lists differ in length.
        """
        return record_from_history(history, cls)

    @classmethod
    def from_csv(
        cls, path: str | Path, *, columns: Mapping[str, str] | None = None
    ) -> Self:
        """Create a record, with epochs only, from a table of epochs.

        Names of losses and metrics from other tools are converted to those of Keras:
        `train_loss`, `eval_loss`, `val/acc` and the like. Rows of one epoch, as
        Lightning writes them, are joined.

        Args:
            path: A file of `keras.callbacks.CSVLogger`, or any table with a header, one
                row or several per epoch, and commas, semicolons or tabs between the
                columns.
            columns: Names of columns by Keras name, such as `{"loss": "my_loss"}`.
                Defaults to None: recognized by their names.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the file is not such a table, or has no column `loss`.
        """
        return record_from_csv(Path(path), cls, columns=columns)

    def to_tensorboard(self, log_dir: str | Path) -> Path:
        """Write the measurements to a TensorBoard event file.

        These are gradient, weight and update norms by layer (`"gradient_norm/dense"`),
        other measurements of each step (`"step/batch_loss"`), and epoch logs
        (`"epoch/val_loss"`). TensorFlow is not imported.

        Args:
            log_dir: The folder; created if it does not exist.

        Returns:
            The path of the event file.

        Raises:
            ImportError: If tensorboard is not installed.
        """
        return write_tensorboard(self, log_dir)

    def to_pandas(self) -> Any:
        """Return the sampled steps as a long table, one row per step and variable.

        Returns:
            A `pandas.DataFrame` with the columns `step`, `epoch`, `variable` (index in
            `variables`), `path`, `layer`, `role`, those of the measures and those of
            the scalars.

        Raises:
            ImportError: If pandas is not installed.
        """
        return to_pandas(self)
