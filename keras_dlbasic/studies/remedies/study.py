"""Which remedy against overfitting helps, on the user's own model and data."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import keras

from keras_dlbasic._data.read import read_validation
from keras_dlbasic._trials.batch_sizes import count_rows
from keras_dlbasic.analysis.experiments.constant_error import constant_error
from keras_dlbasic.analysis.experiments.remedy_result import RemedyResult
from keras_dlbasic.records import TrialResult
from keras_dlbasic.studies.base import Study
from keras_dlbasic.studies.fitted_trial import Training
from keras_dlbasic.studies.remedies.arms import arms_of
from keras_dlbasic.studies.remedies.trial import RemedyTask, run_remedy_trial


class RemedyStudy(Study[RemedyResult]):
    """Measure which remedies against overfitting help, and what they cost.

    The model is trained without a remedy, and with each remedy: more data,
    augmentation, half the width, L1, L2, dropout, batch normalization, early stopping,
    an ensemble. For each seed, all arms make the same number of updates from the same
    initial weights (where shapes allow), on batches in the same order. Each member of
    an ensemble makes as many updates as the untreated model. Each arm is compared with
    the untreated model of the same seed on the same held-out rows. Early stopping
    chooses its epoch on a fifth of the training data and then trains on all training
    data; the held-out data are not used for any choice.

    Args:
        build_model: A function without arguments that returns a compiled model; or a
            compiled model, which is cloned with new weights for each seed.
        x: Inputs: an array, tensor, data frame, list or a structure of these; or a data
            set, which is read into memory.
        y: Targets, likewise; None with a data set.
        validation_data: `(x, y)`, on which the remedies are compared. Defaults to
            None: a stratified 30 % of `x` and `y` is held out.
        more_data: `(x, y)`: additional training data for the remedy `"more data"`.
            Defaults to None: that remedy is not tried.
        remedies: Names of remedies to try, or a dictionary from names to your own
            functions, which take a compiled model and return one. Defaults to None:
            all.
        strengths: Strengths by name of the remedy, one number or several: width factor
            for `"smaller"`, factor for `"L1"` and `"L2"` (as in `regularizers`), rate
            for `"dropout"`, number of members for `"ensemble"`, strength for
            `"augmentation"`. Other remedies use their defaults. The default for L1 and
            L2 follows from the number of samples and the scale of the initial weights.
        augmentation: A Keras layer for the inputs, or a function of a batch `(x, y) ->
            (x, y)`. Defaults to None: chosen by the kind of the inputs. That is
            `ImageAugmentation` for images, `TokenNoise` or `TextNoise` for texts,
            dropped entries for sparse inputs, and noise for other features.
        seeds: The number of seeds, or a list of seeds. Defaults to 5.
        budget: `{"epochs": n}`, `{"updates": n}` or `{"samples": n}`: how long the
            untreated model trains. Defaults to 1500 updates: with noise, dropout or a
            penalty a model needs longer, so a short budget would be unfair to these
            remedies.
        batch_size: Samples in an update. Defaults to 32.
        directory: Folder in which finished trials are saved. Defaults to None: they are
            kept in memory only.
        overwrite: Whether to delete trials in `directory`. Defaults to `False`.
        verbose: 0 or 1: whether to show a progress bar.

    Raises:
        ValueError: If an argument is not one of the above.
        TypeError: If `build_model()` is not a compiled model.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> def build_model():
    ...     layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(1)]
    ...     model = keras.Sequential([keras.Input((2,)), *layers])
    ...     model.compile(optimizer="adam", loss="mse")
    ...     return model
    >>> x = np.random.default_rng(0).normal(size=(40, 2)).astype("float32")
    >>> study = kd.studies.RemedyStudy(
    ...     build_model, x, x.sum(axis=1), remedies=["dropout"],
    ...     strengths={"dropout": 0.2}, seeds=2, budget={"epochs": 2}, verbose=0
    ... )
    >>> study.run().table()["remedy"].tolist()
    ['untreated', 'dropout 0.2']
    """

    def __init__(
        self,
        build_model: Any,
        x: Any,
        y: Any = None,
        *,
        validation_data: Any = None,
        more_data: tuple[Any, Any] | None = None,
        remedies: Iterable[str] | Mapping[str, Callable[[Any], Any]] | None = None,
        strengths: Mapping[str, Any] | None = None,
        augmentation: Any = None,
        seeds: int | Iterable[int] = 5,
        budget: Any = None,
        batch_size: str | int = 32,
        directory: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
        verbose: int = 1,
    ) -> None:
        super().__init__(
            build_model,
            x,
            y,
            validation_data,
            seeds=seeds,
            directory=directory,
            overwrite=overwrite,
            verbose=verbose,
        )
        data, more_data = self._data, _more(more_data)
        budget = {"updates": 1500} if budget is None else budget
        training = Training.of(budget, batch_size, len(data.rows))
        own = dict(remedies) if isinstance(remedies, Mapping) else {}
        model = self._first_model()
        self.arms = arms_of(
            () if own else remedies,
            dict(strengths or {}),
            model=model,
            x=data.train[0],
            has_more_data=more_data is not None,
            has_augmentation=augmentation is not None,
            own=own,
        )
        self._ask(
            run_remedy_trial,
            RemedyTask(
                self._build_model,
                data.train,
                data.held_out,
                more_data,
                training,
                augmentation,
                own,
            ),
            model,
            {
                **training.about(),
                "held_out_rows": count_rows(data.held_out),
                "augmentation": _description(augmentation),
            },
            more_data,
        )

    def _arms(self) -> list[dict[str, Any]]:
        return [{"remedy": a.family, "strength": a.strength} for a in self.arms]

    def _settings(self) -> list[dict[str, Any]]:
        # seed by seed, so that what has finished can be compared
        return [{**arm, "seed": seed} for seed in self.seeds for arm in self._arms()]

    def _result(self, trials: list[TrialResult]) -> RemedyResult:
        names = {(arm.family, arm.strength): arm.name for arm in self.arms}
        about = dict(self._about)
        kinds = [str(t.values["kind"]) for t in trials if "kind" in t.values]
        if kinds:
            about["constant_error"] = constant_error(self._data.train[1], kinds[0])
        return RemedyResult(trials, names=names, about=about)


def _more(data: Any) -> tuple[Any, Any] | None:
    """Read further rows of training data, which have no weights."""
    found = read_validation(data, takes_weights=False, name="more_data")
    return None if found is None else (found[0], found[1])


def _description(augmentation: Any) -> Any:
    if isinstance(augmentation, keras.layers.Layer):
        return {"layer": type(augmentation).__name__, **augmentation.get_config()}
    return getattr(augmentation, "__name__", type(augmentation).__name__)
