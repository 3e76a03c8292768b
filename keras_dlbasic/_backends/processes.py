"""The processes that train one model together."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Protocol

import keras

from keras_dlbasic._backends.loading import backend_module
from keras_dlbasic._backends.required import BACKENDS

SECONDS = 30.0
"""So long a process waits for the others to say what they are about to do."""


class Board(Protocol):
    """Where the processes of a fit leave words for each other."""

    def put(self, key: str, text: str) -> None:
        """Leave a text, in the place of an earlier one."""

    def put_first(self, key: str, text: str) -> str:
        """Leave a text unless there is one, in one go; return the one that stands."""

    def get(self, key: str, seconds: float) -> str | None:
        """Return a text, None if there is none for so long."""


_asked: Counter[str] = Counter()


@dataclass(frozen=True)
class Processes:
    """The processes that train a model together; one, for most models.

    Attributes:
        number: Which of them this is. The one with number 0 speaks for all.
        count: How many there are.
        board: Where they leave words for each other; None if there is no such place.
        fit: Which fit this is about, the same in all of them.
    """

    number: int = 0
    count: int = 1
    board: Board | None = None
    fit: str = ""

    @property
    def is_silent(self) -> bool:
        """Whether another process says what there is to say."""
        return self.number > 0

    def together(
        self, topic: str, text: str, seconds: float | None = None
    ) -> list[str] | None:
        """Return what each process says, the same in all; each must ask for it.

        Nothing of the devices takes part: a process that does not ask keeps the others
        waiting, but not for ever.

        Args:
            topic: What it is about.
            text: What this process says.
            seconds: How long to wait for the others. Defaults to None: `SECONDS`.

        Returns:
            The texts by number of process; None if one did not speak in time.
        """
        if self.count == 1:
            return [text]
        seconds = SECONDS if seconds is None else seconds
        if self.board is None:
            return None
        name = f"keras_dlbasic/{self.fit}/{topic}"
        _asked[name] += 1
        name = f"{name}/{_asked[name]}"
        read = self._followed if self.number else self._gathered
        found = read(self.board, name, text, seconds)
        # Process 0 may have read what this one said when this one gives up, or the
        # other way round. So whoever decides first decides for all: who trained on
        # alone would wait for ever.
        decided = self.board.put_first(f"{name}/all", found)
        texts: list[str] | None = json.loads(decided)
        return texts

    def _gathered(self, board: Board, name: str, text: str, seconds: float) -> str:
        """Return what all have said as process 0 finds it, as JSON."""
        end = time.monotonic() + seconds
        texts = [text]
        for number in range(1, self.count):
            said = board.get(f"{name}/{number}", max(0.1, end - time.monotonic()))
            if said is None:
                return "null"
            texts.append(said)
        return json.dumps(texts)

    def _followed(self, board: Board, name: str, text: str, seconds: float) -> str:
        """Say something, and return what was decided: nothing if none did in time."""
        board.put(f"{name}/{self.number}", text)
        # process 0 may begin to wait later than this one
        return board.get(f"{name}/all", 2 * seconds) or "null"

    def any(self, topic: str, is_so: bool) -> bool:
        """Return whether something is so in any process; each must ask.

        What one does not answer counts as no, in all of them.
        """
        texts = self.together(topic, json.dumps(bool(is_so)))
        return bool(is_so) if self.count == 1 else "true" in (texts or [])


def processes_of(model: Any) -> Processes:
    """Return the processes that train a model together.

    Processes that train a model each, such as those of a study, are not among them.
    """
    if keras.backend.backend() not in BACKENDS:
        return Processes()
    module = backend_module("processes", "Models are trained")
    found: Processes = module.processes_of(model)
    if found.count == 1:
        return found
    # Fits that only one process watches must not put the others out of step: so fits
    # are distinguished by what is the same in all processes, and not by counting them.
    steps = getattr(getattr(model, "optimizer", None), "iterations", 0)
    return replace(found, fit=f"{model.name}/{keras.ops.convert_to_numpy(steps)}")


def is_in_parts(model: Any) -> bool:
    """Return whether no process has all weights of a model at hand."""
    if processes_of(model).count == 1:
        return False
    return bool(backend_module("processes", "Models are trained").is_in_parts(model))
