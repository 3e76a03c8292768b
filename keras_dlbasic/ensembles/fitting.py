"""Members of an ensemble, trained from different seeds."""

from __future__ import annotations

import copy
import os
import tempfile
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_dlbasic._arguments import check_whole, shown
from keras_dlbasic._data.built import built_from
from keras_dlbasic._data.read import read, read_validation
from keras_dlbasic._trials.builder import builder_of
from keras_dlbasic._trials.finite_weights import has_finite_weights
from keras_dlbasic._trials.runner import TrialRunner
from keras_dlbasic._trials.seeded import seeded
from keras_dlbasic._trials.seeded_model import (
    build_seeded,
    data_digest,
    model_digest,
    weights_digest,
)
from keras_dlbasic._trials.seeds import seeds_of
from keras_dlbasic._trials.worker import DivergedError
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.ensembles.ensemble import Ensemble, without_optimizers
from keras_dlbasic.records import TrialResult
from keras_dlbasic.records.atomic_file import atomic_file


@dataclass(frozen=True)
class MemberTask:
    """What all members share."""

    build_model: Callable[[], Any]
    data: tuple[Any, Any]
    validation_data: tuple[Any, Any] | None
    epochs: int
    batch_size: int | None
    callbacks: Sequence[Any]
    folder: str


@names_nearest
def fit_ensemble(
    build_model: Callable[[], Any],
    n: int | Iterable[int],
    x: Any,
    y: Any = None,
    *,
    validation_data: Any = None,
    epochs: int = 1,
    batch_size: int | None = None,
    callbacks: Sequence[Any] = (),
    executor: Executor | None = None,
    directory: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    verbose: int = 1,
) -> Ensemble:
    """Train several models from different seeds and return their ensemble.

    Seeds fix initial weights and the order of the samples; all members see all data
    (Lakshminarayanan et al. 2017). A member that fails or diverges is left out with a
    warning.

    Args:
        build_model: A function without arguments that returns a compiled model; or a
            compiled model, which is cloned with new weights.
        n: Number of members, or their seeds.
        x: Inputs: an array, tensor, data frame, list or a structure of these; or a data
            set.
        y: Targets, likewise; None with a data set.
        validation_data: `(x, y)`, as for `fit`. Defaults to None.
        epochs: As for `fit`. Defaults to 1.
        batch_size: As for `fit`. Defaults to None: 32.
        callbacks: Callbacks; each member gets copies of its own.
        executor: Any `concurrent.futures.Executor`, such as `studies.process_pool()`.
            Defaults to None: one member after the other, in this process.
        directory: Folder in which trained members are saved. An interrupted call then
            continues where it stopped, and a call with a larger `n` trains only the new
            members. Defaults to None: nothing is saved.
        overwrite: Whether to delete the members that are in `directory`. Defaults to
            `False`.
        verbose: 0 or 1: whether to show a progress bar.

    Returns:
        An `ensembles.Ensemble`, compiled like its members.

    Raises:
        ValueError: If `n` is no positive number, or `directory` holds something else.
        RuntimeError: If no member could be trained.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> def build_model():
    ...     model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    ...     model.compile(optimizer="sgd", loss="mse")
    ...     return model
    >>> x = np.ones((8, 2))
    >>> ensemble = kd.ensembles.fit_ensemble(build_model, 3, x, x[:, :1], verbose=0)
    >>> len(ensemble.members)
    3
    """
    seeds = _seeds(n)
    check_whole("epochs", epochs)
    check_whole("batch_size", batch_size, or_none=True)
    given = build_model
    builder_of(given)  # reports what is no model before data are read
    found = read(x, y, model=given, needs_y=True, takes_weights=False)
    x, y = found.x, found.y
    build_model = builder_of(given, x=x)
    validation_data = read_validation(validation_data, model=given)
    with seeded(seeds[0]):
        model = build_seeded(build_model, seeds[0])
    about = {
        "study": "fit_ensemble",
        "backend": keras.backend.backend(),
        "model": model_digest(model),
        "data": data_digest(x, y, validation_data),
        "epochs": int(epochs),
        "batch_size": batch_size,
        "callbacks": [type(callback).__name__ for callback in callbacks],
    }
    with tempfile.TemporaryDirectory(prefix="members-") as temporary:
        folder = Path(directory or temporary) / "members"
        folder.mkdir(parents=True, exist_ok=True)
        task = MemberTask(
            build_model,
            (x, y),
            validation_data,
            int(epochs),
            batch_size,
            tuple(callbacks),
            str(folder.resolve()),
        )
        runner = TrialRunner(
            train_member,
            task,
            about=about,
            directory=directory,
            overwrite=overwrite,
            verbose=verbose,
        )
        trials = runner.run([{"seed": seed} for seed in seeds], executor)
        return without_optimizers(Ensemble(_members(trials, task)))


def train_member(settings: Mapping[str, Any], task: MemberTask) -> dict[str, Any]:
    """Train one member and keep its weights in a file."""
    seed = int(settings["seed"])
    model = build_seeded(task.build_model, seed)
    values: dict[str, Any] = {"initial_weights": weights_digest(model)}
    # Building may have drawn any number of random numbers, so training starts from the
    # seed itself.
    keras.utils.set_random_seed(seed)
    history = model.fit(
        *task.data,
        validation_data=task.validation_data,
        epochs=task.epochs,
        batch_size=task.batch_size,
        callbacks=[copy.deepcopy(callback) for callback in task.callbacks],
        verbose=0,
    )
    values["epochs"] = len(history.epoch)
    for name, curve in history.history.items():
        if np.ndim(curve[-1]) == 0:
            values[name] = float(curve[-1])
    if not has_finite_weights(model):
        raise DivergedError("weights are not finite", values)
    _save(model, _path(task, seed))
    return values


def _members(trials: Sequence[TrialResult], task: MemberTask) -> list[Any]:
    members, lost = [], []
    for trial in trials:
        seed = int(trial.settings["seed"])
        if trial.status != "done":
            lost.append(f"seed {seed} {trial.status} ({trial.error})")
            continue
        path = _path(task, seed)
        if not path.exists():
            raise ValueError(
                f"The weights of the member with seed {seed} are missing in "
                f"{str(path)!r}. Set `overwrite=True` to train all members again."
            )
        # A member may come from another process, of which only the file of weights is
        # left. So it is built again and given these.
        with seeded(seed):
            model = built_from(build_seeded(task.build_model, seed), task.data[0])
        with np.load(path, allow_pickle=False) as file:
            model.set_weights([file[f"w{place}"] for place in range(len(file.files))])
        members.append(model)
    if not members:
        raise RuntimeError(f"No member could be trained: {'; '.join(lost)}")
    if lost:
        warnings.warn(
            f"The ensemble has {len(members)} of {len(trials)} members. Left out: "
            f"{'; '.join(lost)}",
            stacklevel=3,
        )
    return members


def _path(task: MemberTask, seed: int) -> Path:
    return Path(task.folder) / f"seed-{seed}.npz"


def _save(model: Any, path: Path) -> None:
    # weights alone: Keras' files have the optimizer as well
    weights = model.get_weights()
    with atomic_file(path) as file:
        np.savez(file, **{f"w{place}": w for place, w in enumerate(weights)})


def _seeds(n: Any) -> tuple[int, ...]:
    is_missing = n is None or isinstance(n, (str, bool))
    if is_missing or hasattr(n, "columns") or np.ndim(n) > 1:
        raise ValueError(
            "`n` must be a number of members, or their seeds, and comes before the "
            f"data: `fit_ensemble(build_model, 3, x, y)`. Received: n={shown(n)}"
        )
    seeds = seeds_of(n, name="n")
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"`n` must be different seeds. Received: n={shown(n)}")
    return seeds
