"""What all studies are: trials of several arms, each from several seeds."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, ClassVar, Generic, TypeVar

from keras_dlbasic._data.fits import check_fits
from keras_dlbasic._display import plot_of
from keras_dlbasic._trials.builder import builder_of
from keras_dlbasic._trials.runner import TrialRunner
from keras_dlbasic._trials.seeded import seeded
from keras_dlbasic._trials.seeded_model import build_seeded, study_facts
from keras_dlbasic._trials.seeds import seeds_of
from keras_dlbasic._trials.worker import TrialFunction
from keras_dlbasic._wrong_arguments import name_nearest_in
from keras_dlbasic.records import TrialResult
from keras_dlbasic.studies.study_data import StudyData

Result = TypeVar("Result")


class Study(ABC, Generic[Result]):
    """Trains a user's model in several arms from the same seeds, and compares them.

    A study adds its question: in `__init__` it reads its own arguments and ends with
    `_ask`; `_arms` lists what is compared, and `_result` makes of the trials what
    `run` returns.

    Args:
        build_model: Returns a compiled model; or such a model, which is cloned with new
            weights for each seed.
        x: Inputs: an array, tensor, data frame, list or a structure of these; or a data
            set, which is read into memory.
        y: Targets, likewise; None with a data set.
        validation_data: `(x, y)`, a data set, or None.
        seeds: A number of seeds, or the seeds.
        directory: Where finished trials are kept, or None: in memory.
        overwrite: Whether to delete trials in `directory`.
        verbose: 0 or 1: whether to show a progress bar.

    Attributes:
        seeds: The seeds.

    Raises:
        TypeError: If `build_model` is neither a function nor a model.
        ValueError: If the data do not fit each other or the model, or there are no
            seeds.
    """

    _HOLDS_OUT: ClassVar[bool] = True
    """Whether a share of the data is held out where there are no validation data."""

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        name_nearest_in(cls)

    def __init__(
        self,
        build_model: Any,
        x: Any,
        y: Any,
        validation_data: Any,
        *,
        seeds: int | Iterable[int],
        directory: str | os.PathLike[str] | None,
        overwrite: bool,
        verbose: int,
    ) -> None:
        self.seeds = seeds_of(seeds)
        self._last: Result | None = None
        self._builder(build_model, None)  # reports what is neither before data are read
        self._data = StudyData.of(
            x, y, validation_data, model=build_model, hold_out=self._HOLDS_OUT
        )
        self._build_model = self._builder(build_model, self._data.train[0])
        self._keep: dict[str, Any] = {
            "directory": directory,
            "overwrite": overwrite,
            "verbose": verbose,
        }

    def run(self, executor: Executor | None = None) -> Result:
        """Run the trials that have not finished yet.

        An interrupt loses the trial that is under way and no other: run again to go on.

        Args:
            executor: Any `concurrent.futures.Executor`, such as
                `studies.process_pool()` or the executor of a Dask cluster. The results
                are the same but for the times. Defaults to None: one after the other
                in this process, which is what times are compared from. All random
                generators are put back as they were.

        Returns:
            The result, with a table of all trials.

        Raises:
            ValueError: If `executor` starts its processes by forking.
            TypeError: If something cannot travel to the executor's processes.
        """
        self._last = self._result(self._runner.run(self._settings(), executor))
        return self._last

    def plot(self, **options: Any) -> Any:
        """Draw the result of the last `run`.

        Args:
            **options: What the plot of the result in `plots` takes, such as `ax`.

        Returns:
            The matplotlib axes that `plots` returns.

        Raises:
            RuntimeError: If there was no `run` yet.
        """
        if self._last is None:
            name = type(self).__name__
            raise RuntimeError(f"This {name} has not been run. Call `study.run()`.")
        return plot_of(self._last, **options)

    def __repr__(self) -> str:
        said = "not run yet" if self._last is None else f"run; {self._last!r}"
        return f"<{type(self).__name__}: {len(self._settings())} trials, {said}>"

    def _builder(self, model: Any, x: Any) -> Callable[..., Any]:
        """Return what makes the models of the trials; `x` are inputs or None."""
        return builder_of(model, x=x)

    def _first_model(self, *args: Any) -> Any:
        """Return the model of the first seed, to look at; args are `build_model`'s.

        Raises:
            ValueError: If the data do not fit it.
        """
        # The first trial builds the same model from the same seed. A model or data that
        # do not fit are reported here, before any trial has run.
        with seeded(self.seeds[0]):
            model = build_seeded(self._build_model, self.seeds[0], *args)
        check_fits(model, self._data.train[0])
        if self._data.held_out is not None:
            check_fits(model, self._data.held_out[0], "validation_data[0]")
        return model

    def _ask(
        self,
        trial: TrialFunction,
        task: Any,
        model: Any,
        about: Mapping[str, Any],
        *more_data: Any,
    ) -> None:
        """Say what a trial does, with what, and what tells the study from another.

        Args:
            trial: Runs one trial: `trial(settings, task)`.
            task: What all trials share.
            model: A model of the study.
            about: What else tells it from another, as text and numbers.
            more_data: Data besides those that all studies have.
        """
        data = self._data
        self._about = {
            **study_facts(self, model, data.train, data.held_out, *more_data),
            "rows": len(data.rows),
            **about,
        }
        self._runner = TrialRunner(trial, task, about=self._about, **self._keep)

    def _settings(self) -> list[dict[str, Any]]:
        """Return the settings of all trials, in the order in which they run."""
        return [{**arm, "seed": seed} for arm in self._arms() for seed in self.seeds]

    @abstractmethod
    def _arms(self) -> Sequence[Mapping[str, Any]]:
        """Return the settings of each arm, but for the seed."""

    @abstractmethod
    def _result(self, trials: list[TrialResult]) -> Result:
        """Return what the trials show."""
