"""A training step that also measures."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import keras
import numpy as np

from keras_dlbasic._backends.guard import Guard
from keras_dlbasic._backends.intercept import wrapped_method
from keras_dlbasic._backends.kept_gradients import kept_gradients
from keras_dlbasic._backends.row_layout import UNKNOWN, RowLayouts
from keras_dlbasic._backends.row_pairs import row_pairs_seen
from keras_dlbasic._backends.update import Update, final_updates
from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._keras.loss_tracker import loss_tracker
from keras_dlbasic._keras.optimizer import optimizers_of
from keras_dlbasic.gradients.backend_tap import BackendTap
from keras_dlbasic.gradients.measures import measure_row, reduce_update

KEY = "keras_dlbasic/row"
"""Log key under which a row leaves the compiled step; Keras never sees it."""

KEPT_ROWS = 256
"""Number of rows of a batch that leave the step where they are asked for, at most."""

KEPT_ENTRIES = 2**20
"""Number of entries of them, at most."""

PATIENCE = 33
"""Number of measured steps without an update on PyTorch before a warning says so."""

FEWEST_SHARES = 3
"""Number of updates that must have taken earlier gradients, too."""


@dataclass
class _Seen:
    """What was seen of a step: its updates, losses and first rows."""

    updates: list[Update] = field(default_factory=list)
    losses: list[Any] = field(default_factory=list)
    inputs: Any = ()


class TappedStep:
    """A train function that measures, and how to read its rows."""

    def __init__(self, model: Any, backend: BackendTap, keeps_batch: bool) -> None:
        self.layouts = RowLayouts()
        self.keeps_batch = keeps_batch
        self.has_failed = False
        self.on_trace: Callable[[], None] = lambda: None
        self.noticed: dict[str, Any] = {}  # facts about a step of the user's
        self._looks_for_pairs = type(model).train_step is not keras.Model.train_step
        self._kept_gradients = kept_gradients(model)
        self.draws = False  # numbers of which the state is in the traced function
        self._has_warned = False
        self._without_update = 0
        self._patience = PATIENCE if keras.backend.backend() == "torch" else 1
        self._model = model
        self._backend = backend
        self._original = model.train_step
        # A model of several, such as a GAN, may keep an optimizer on each of them: on
        # parts that are models as well.
        self._parts = [
            part
            for part in all_layers(model)
            if part is model or isinstance(part, keras.Model)
        ]
        step = backend.wrap_step(self._measured)
        self.function = backend.tapped_function(model, step)
        self.release = backend.release
        self.step_ended = backend.step_ended

    @property
    def has_updated(self) -> bool:
        """Whether the step was traced, and updates variables."""
        return not self.layouts.is_empty

    @property
    def guard(self) -> Guard:
        """Of the fit that is watched; the step may serve several."""
        return self._backend.guard

    @guard.setter
    def guard(self, guard: Guard) -> None:
        self._backend.guard = guard

    def _measured(self, call: Callable[[Any], Any], data: Any) -> Any:
        """Run (or trace) the model's step and measure it.

        The user's step runs outside of the guard: its errors are the user's. All that
        is done around it may fail without changing what the step returns.
        """
        if self.guard.has_ended:
            self.has_failed = True  # traced without a row: to be made anew
            return call(self._original)
        seen = _Seen()
        stack = ExitStack()
        with self.guard.in_step():
            self.on_trace()
            if self.keeps_batch:
                seen.inputs = self._first_rows(data)
            self._listen_to(seen, stack)
            self._look_for_pairs(data, stack)
        try:
            outputs = call(self._original)
        except BaseException:
            with self.guard.in_step():
                self._let_go_of_gradients()
            raise
        finally:
            with self.guard.in_step():
                stack.close()
                self._note_kept_gradients()
        if not self.guard.has_ended:
            with self.guard.in_step():
                row = self._row(seen, data)
                outputs = self._backend.with_row(outputs, KEY, row)
        self.has_failed = self.guard.has_ended
        return outputs

    def _listen_to(self, seen: _Seen, stack: ExitStack) -> None:
        """Have optimizers and the loss tracker report to `seen`, in `stack`."""
        kernels = self._backend.kernels

        def take(optimizer: Any, update: Update) -> None:
            # Where weights change in place, a later update of the same step would
            # change what this one is compared with: it is reduced to numbers at once.
            # Traced values stay, and are reduced together at the end.
            start = sum(len(earlier.variables) for earlier in seen.updates)
            for part in update.parts(start):
                if self._backend.changes_in_place:
                    part.reduced = self._backend.without_gradients(
                        partial(reduce_update, kernels, part)
                    )
                seen.updates.append(part)
                if self._kept_gradients is not None:
                    self._kept_gradients.updated(part, optimizer, self.guard)

        for optimizer in optimizers_of(*self._parts):
            listening = self._backend.intercept(optimizer, partial(take, optimizer))
            stack.enter_context(listening)
        tracker = loss_tracker(self._model)
        if tracker is not None:
            listen = self._listen(seen.losses)
            stack.enter_context(wrapped_method(tracker, "update_state", listen))

    def _look_for_pairs(self, data: Any, stack: ExitStack) -> None:
        """In a step of the user's, see whether targets meet the outputs of all rows."""
        if not self._looks_for_pairs:
            return
        if keras.backend.backend() == "torch":
            self._looks_for_pairs = False  # which runs Python each time: once is enough
            if self._model.jit_compile:
                return

        def note(side: str) -> None:
            self.noticed = {**self.noticed, "short_side": side}

        stack.enter_context(row_pairs_seen(data, note, self.guard))

    def _note_kept_gradients(self) -> None:
        """Add what a step of the user's kept of earlier gradients."""
        shares = () if self._kept_gradients is None else self._kept_gradients.shares
        if len(shares) >= FEWEST_SHARES and "kept_gradient" not in self.noticed:
            kept = float(np.median([float(share) for share in shares]))
            self.noticed = {**self.noticed, "kept_gradient": kept}

    def _row(self, seen: _Seen, data: Any) -> Any:
        """Return the row of a step, with the batch where it is kept."""
        if seen.updates:
            row = self._backend.without_gradients(
                lambda: measure_row(
                    self._backend.kernels,
                    final_updates(seen.updates),
                    seen.losses[0] if seen.losses else UNKNOWN,
                    self._batch_size(data),
                    self.layouts,
                )
            )
            row = self._backend.of_all_processes(self._model, row)
        else:
            self._nothing_is_updated()
            row = keras.ops.zeros((0,), "float32")
        return (row, seen.inputs) if self.keeps_batch else row

    def _let_go_of_gradients(self) -> None:
        if self._kept_gradients is not None:
            self._kept_gradients.release()

    def _nothing_is_updated(self) -> None:
        # On PyTorch a step may collect gradients, and leave the update to a later one.
        self._without_update += 1
        if self._without_update >= self._patience:
            self._say_nothing_is_updated()

    def end(self) -> None:
        """At the end of a fit, free memory and say what has not been said."""
        self.release()
        self._let_go_of_gradients()
        self._say_nothing_is_updated()

    def _say_nothing_is_updated(self) -> None:
        # no error: on JAX an exception in a step costs the model its weights
        if self._has_warned or not self._without_update or self.has_updated:
            return
        self._has_warned = True
        self.guard.say(
            "Gradients are not watched: the training step of "
            f"{type(self._model).__name__} updated no variable through an optimizer of "
            "the model. Expected a `train_step` that calls `self.optimizer.apply` (on "
            "JAX `stateless_apply`), and trainable variables."
        )

    def _listen(self, losses: list[Any]) -> Callable[..., Any]:
        place = self._backend.place()

        def make(original: Callable[..., Any]) -> Callable[..., Any]:
            def update_state(values: Any, *args: Any, **kwargs: Any) -> Any:
                with self.guard.in_step():
                    # the tracker of the loss is given the batch's loss as a scalar;
                    # what is traced within a function of the user's cannot leave it
                    if self._backend.place() == place and keras.ops.ndim(values) == 0:
                        losses.append(values)
                return original(values, *args, **kwargs)

            return update_state

        return make

    def _batch_size(self, data: Any) -> Any:
        # The first part of the batch that has rows tells their number: `data` may hold
        # None, numbers, or tensors of unknown rank before it.
        for leaf in keras.tree.flatten(data):
            try:
                if len(leaf.shape):
                    return self._backend.batch_size(leaf)
            except (AttributeError, TypeError, ValueError):
                continue  # None, a number, or of unknown rank
        return UNKNOWN

    def _first_rows(self, data: Any) -> Any:
        """Return copies of the first rows, or () if there are none.

        They are `(x, y, sample_weight)`; class weights are in the latter, too.
        """
        x, y, weights = keras.utils.unpack_x_y_sample_weight(data)
        try:
            n = _kept_rows((x, y, weights))
        except (TypeError, ValueError):
            return ()  # of unknown rank
        rows = self._copied((x, y), n)
        if not rows:
            return ()
        copied = None if weights is None else self._copied(weights, n)
        return (*rows, None if isinstance(copied, tuple) and not copied else copied)

    def _copied(self, part: Any, n: int) -> Any:
        try:
            return keras.tree.map_structure(
                lambda leaf: (
                    None
                    if leaf is None
                    else keras.ops.copy(
                        self._backend.gathered(keras.ops.convert_to_tensor(leaf)[:n])[
                            :n
                        ]
                    )
                ),
                part,
            )
        except (TypeError, ValueError, IndexError, NotImplementedError):
            return ()  # sparse, ragged or without rows


def _kept_rows(data: Any) -> int:
    """Return how many rows are kept of all parts of a batch, which stay in step."""
    most = KEPT_ROWS
    for leaf in keras.tree.flatten(data):
        shape = getattr(leaf, "shape", ())
        entries = [n for n in shape[1:] if n is not None]
        most = min(most, max(1, KEPT_ENTRIES // max(1, int(np.prod(entries)))))
    return most
