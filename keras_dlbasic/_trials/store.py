"""Finished trials, kept in memory or on disk."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from keras_dlbasic.records import TrialResult
from keras_dlbasic.records.atomic_file import atomic_file
from keras_dlbasic.records.json_text import json_text, plain

FORMAT = "keras_dlbasic.study"


class TrialStore(Protocol):
    """Where finished trials are kept."""

    def get(self, settings: Mapping[str, Any]) -> TrialResult | None:
        """Return the result of the trial with these settings, if it has finished."""

    def add(self, result: TrialResult) -> None:
        """Keep a result."""


class MemoryStore:
    """Keeps trials as long as the study object lives."""

    def __init__(self) -> None:
        self._results: dict[str, TrialResult] = {}

    def get(self, settings: Mapping[str, Any]) -> TrialResult | None:
        return self._results.get(settings_key(settings))

    def add(self, result: TrialResult) -> None:
        self._results[settings_key(result.settings)] = result


class DirectoryStore:
    """Keeps each trial as a file, written whole or not at all.

    `study.json` says what the study is about; `trials/` has one JSON file a trial.

    Args:
        directory: A folder; made if there is none.
        about: What all trials share: the kind of study, data, model, budget. A folder
            with trials about something else is refused.
        overwrite: Whether to delete the trials that lie there.

    Raises:
        ValueError: If the folder holds another study and `overwrite` is `False`.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        about: Mapping[str, Any],
        *,
        overwrite: bool = False,
    ) -> None:
        self._trials = Path(directory) / "trials"
        self._study = Path(directory) / "study.json"
        if Path(directory).is_file():
            raise NotADirectoryError(
                f"`directory` must be a folder, which is made if there is none. "
                f"Received the file {str(directory)!r}."
            )
        self._trials.mkdir(parents=True, exist_ok=True)
        if overwrite:
            for path in (*self._trials.glob("*.json"), self._study):
                path.unlink(missing_ok=True)
        # as JSON has it, so that what is compared is what can be read back
        own = plain({"format": FORMAT, **about})
        if self._study.exists():
            self._check(own)
        else:
            write_whole(self._study, json_text(own, indent=1))

    def get(self, settings: Mapping[str, Any]) -> TrialResult | None:
        path = self._path(settings)
        if not path.exists():
            return None
        try:
            return TrialResult.from_json(path.read_text())
        except ValueError as error:
            raise ValueError(
                f"{str(path)!r} is no trial of this study. Delete it to run the trial "
                f"again. {error}"
            ) from error

    def add(self, result: TrialResult) -> None:
        write_whole(self._path(result.settings), result.to_json())

    def _path(self, settings: Mapping[str, Any]) -> Path:
        words = [f"{name}={value}" for name, value in settings.items()]
        name = "-".join(words)[:60].replace(" ", "")
        name = re.sub(r"[^A-Za-z0-9_.=+-]", "_", name)
        return self._trials / f"{name}-{settings_key(settings)}.json"

    def _check(self, own: dict[str, Any]) -> None:
        there = json.loads(self._study.read_text())
        differ = [
            f"{name}: there {there.get(name)!r}, here {own.get(name)!r}"
            for name in dict.fromkeys((*there, *own))
            if there.get(name) != own.get(name)
        ]
        if differ:
            raise ValueError(
                f"{str(self._study.parent)!r} holds trials of another study, which "
                f"differs in {'; '.join(differ)}. Choose another `directory`, or set "
                "`overwrite=True` to delete those trials."
            )


def settings_key(settings: Mapping[str, Any]) -> str:
    """Return a short name for settings, the same in every process."""
    text = json_text(settings, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def write_whole(path: Path, text: str) -> None:
    """Write a file such that it is there whole or not at all, whatever happens."""
    with atomic_file(path) as file:
        file.write(text.encode())
