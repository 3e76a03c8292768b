"""The tap into the compiled training step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import keras

from keras_dlbasic._backends.code_of_users import code_of_users
from keras_dlbasic._backends.guard import Guard
from keras_dlbasic._backends.may_draw import may_draw
from keras_dlbasic._backends.row_layout import RowLayouts
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.gradients.backend_tap import backend_tap
from keras_dlbasic.gradients.limits import draws_in_plain_step, watches_stale_step
from keras_dlbasic.gradients.tapped_step import KEY, TappedStep
from keras_dlbasic.gradients.traced_draws import TracedDraws


@names_nearest
class GradientTap:
    """Runs chosen steps of a fit through a training step that also measures.

    The step is Keras' own, traced a second time with the optimizer's `apply`
    intercepted. There is no second backward pass and no other batch. All other steps
    run Keras' plain function. Between steps the model is not modified.

    Args:
        model: The model in `fit`, after Keras made its train function.
        sink: Called with the number of the step, its measurements (a device array that
            may not be computed yet) and their layout. The layout is None if the step
            updated no variable.
        guard: Catches errors of the measurement, so that they do not stop the fit.
            Defaults to a new guard.

    Attributes:
        batch_sink: Called with the first rows of the batch of each measured step, at
            most 256, as `(x, y, sample_weight)`; with `()` if the batch cannot be
            sliced. Set it before the first step. Defaults to None.
        on_failure: Called when the step raises an error, also at the end of the data.
            Defaults to None.
        on_noticed: Called with facts about a `train_step` of the user's, by name (see
            `records.RunFacts`): `"short_side"` and `"kept_gradient"`. Defaults to None.
        on_built: Called once, before the next armed step of a model that has weights.
            On TensorFlow, a model that is built in its first step has weights as soon
            as that step is traced; they still have their initial values then. Defaults
            to None.
        must_tap_every_step: Whether all steps must be tapped to train exactly as Keras
            would. There are two reasons: layers were frozen without calling `compile`
            again, and only a tapped step was traced before; or, on TensorFlow, the step
            draws random numbers whose state is separate in each traced function. The
            latter is known after the first step.
        is_refused: Whether no step is tapped, because the plain step drew such random
            numbers in an earlier fit. There is a warning before the first step.

    Example:
    >>> import keras, numpy as np
    >>> from keras_dlbasic.gradients import GradientTap
    >>> steps = []
    >>> def sink(step, row, layouts):
    ...     steps.append(step)
    >>> class Tapping(keras.callbacks.Callback):
    ...     def on_train_batch_begin(self, batch, logs=None):
    ...         if batch == 0:
    ...             self.tap = GradientTap(self.model, sink)
    ...         self.tap.arm(batch)
    ...
    ...     def on_train_end(self, logs=None):
    ...         self.tap.disarm()
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> data = np.ones((8, 4)), np.ones((8, 1))
    >>> history = model.fit(*data, batch_size=4, verbose=0, callbacks=[Tapping()])
    >>> steps
    [0, 1]
    """

    def __init__(
        self,
        model: Any,
        sink: Callable[[int, Any, RowLayouts | None], None],
        guard: Guard | None = None,
    ) -> None:
        self.model = model
        self.guard = guard or Guard()
        self.batch_sink: Callable[[Any], None] | None = None
        self.on_failure: Callable[[], None] | None = None
        self.on_built: Callable[[], None] | None = None
        self.on_noticed: Callable[[dict[str, Any]], None] | None = None
        self._known_notices: dict[str, Any] = {}
        self._sink = sink
        self._backend = backend_tap()
        # only code of the user's draws from what no variable keeps
        self._is_examined = not code_of_users(model)
        self._draws = self._traced_draws()
        self._refusal: str | None = None
        self.is_refused = False
        self.must_tap_every_step = self._must_stand_in()

    def _traced_draws(self) -> TracedDraws | None:
        is_traced = keras.backend.backend() != "torch"  # which runs Python each time
        return TracedDraws() if is_traced and may_draw(self.model) else None

    @property
    def must_see_every_step(self) -> bool:
        """Whether `arm` must also be called for steps that are not measured."""
        may_have_to = self._draws is not None or not self._is_examined
        return self.must_tap_every_step or may_have_to

    def arm(self, step: int | None) -> None:
        """Measure the next call of `model.train_function`.

        Args:
            step: Number of the step, passed to the sink. None: run the plain step, and
                only observe errors and random numbers.
        """
        self._put_back()
        attributes = vars(self.model)
        plain = attributes.get("train_function")
        if plain is None:
            return  # recompiled within the fit; Keras itself will say so
        if step is not None and not (self.is_refused or self.guard.has_ended):
            # here and not within the call, where JAX has taken the weights away from
            # the variables: to make a step on several devices, Keras asks for them
            with self.guard.in_step():
                self._tapped(plain)
        make = self.model.make_train_function

        # Both replacements remove themselves as soon as one is called, so that a step
        # is watched at most once for each time that it is armed.
        def train_function(*args: Any) -> Any:
            self._put_back()
            return self._run(plain, step, args)

        def make_train_function(*args: Any, **kwargs: Any) -> Any:
            # asked for by whatever trains next: the step armed for was interrupted
            self._put_back()
            return make(*args, **kwargs)

        train_function.keras_dlbasic_plain = plain  # type: ignore[attr-defined]
        own = attributes.get("make_train_function")
        make_train_function.keras_dlbasic_plain = own  # type: ignore[attr-defined]
        attributes["train_function"] = train_function
        attributes["make_train_function"] = make_train_function

    def _run(self, plain: Any, step: int | None, args: Any) -> Any:
        """Run a step. Errors of the user's pass; those of ours end the measuring."""
        tapped = None
        try:
            with ExitStack() as stack:
                with self.guard.in_step():
                    self._examine(plain, args)
                    tapped, args = self._prepared(plain, step, args, stack)
                reason, self._refusal = self._refusal, None
                if reason is not None:
                    self.guard.say(f"Gradients are not watched: {reason}.")
                if tapped is None and self.must_tap_every_step:
                    # what was to be measured failed; the plain step would train
                    # otherwise than the steps before
                    tapped = self._tapped(plain)
                function = plain if tapped is None else tapped.function
                with self.guard.on_host(ValueError, TypeError):
                    self._announce_weights(function, args)
                outputs = function(*args)
        except BaseException:
            if self.on_failure is not None:
                with self.guard.on_host():
                    self.on_failure()
            raise
        # first of all, and by nothing that could fail: Keras never sees the row
        logs = outputs[0] if isinstance(outputs, tuple) else outputs
        row = logs.pop(KEY, None) if isinstance(logs, dict) else None
        if tapped is not None:
            with self.guard.on_host():
                tapped.step_ended(logs)
                if tapped.noticed is not self._known_notices:
                    self._known_notices = tapped.noticed
                    if tapped.noticed and self.on_noticed is not None:
                        self.on_noticed(tapped.noticed)
                if step is not None and row is not None:
                    self._take_row(step, row, tapped)
        self.guard.warn()
        return outputs

    def _announce_weights(self, function: Any, args: Any) -> None:
        """Have `on_built` called, after tracing the step if only that makes weights.

        The step is traced now instead of within its call, with the same arguments, so
        the weights are drawn as ever.
        """
        on_built, self.on_built = self.on_built, None
        if on_built is None:
            return
        with self.guard.in_step():
            if not self.model.built:
                self._backend.trace(function, args)
        # arguments of the user's that are wrong are told as at the start of the fit
        with self.guard.on_host(ValueError, TypeError):
            if self.model.built:
                on_built()

    def _prepared(
        self, plain: Any, step: int | None, args: Any, stack: ExitStack
    ) -> tuple[TappedStep | None, Any]:
        """Return the watched step if it is to run, and arguments to run with."""
        is_measured = step is not None and not (self.is_refused or self.guard.has_ended)
        is_tapped = is_measured or self.must_tap_every_step
        tapped = self._tapped(plain) if is_tapped else None
        if self._draws is None:
            return tapped, args
        if self._draws.is_new(is_tapped, None):
            function = plain if tapped is None else tapped.function
            self._drawing_operation(function, args, is_tapped=is_tapped)

        def tracing(batch: Any) -> Any:
            return self._tracing(is_tapped, batch)

        return tapped, self._backend.args_traced_in(self.model, args, tracing, stack)

    def _examine(self, plain: Any, args: Any) -> None:
        """Before the first step, see which function must run the steps.

        The state of TensorFlow's random operations is in the kernel: two traced
        functions draw from two streams. All steps go through the watched one then. That
        is neutral unless the plain one has run: it would go on where it is.
        """
        if self._is_examined:
            return
        self._is_examined = True
        # A plain step that was traced may have drawn already, and a watched one would
        # start again from the same numbers. So its graph is searched for operations
        # that draw. If none was traced yet, all steps can be watched ones from the
        # start.
        is_traced = self._backend.is_traced(plain)
        function = plain if is_traced else self._tapped(plain).function
        operation = self._drawing_operation(function, args, is_tapped=not is_traced)
        if operation is not None and is_traced:
            self.is_refused = True
            self._refusal = draws_in_plain_step(operation)
        elif operation is not None:
            self.must_tap_every_step = self._tapped(plain).draws = True
        elif self._draws is not None and not is_traced:
            # now, as soon other threads may read data, and draw from the generators
            # that the second trace sets back
            self._drawing_operation(plain, args, is_tapped=False)

    def _drawing_operation(
        self, function: Any, args: Any, *, is_tapped: bool
    ) -> str | None:
        with ExitStack() as stack:
            if self._draws is not None and self._draws.is_new(is_tapped, None):
                stack.enter_context(self._draws.tracing(is_tapped, None))
            return self._backend.drawing_operation(function, args)

    @contextmanager
    def _tracing(self, is_tapped: bool, batch: Any) -> Iterator[None]:
        """Return a context for a step that is traced now, or was before.

        It runs code of the user's, to which errors of ours must not come.
        """
        stack = ExitStack()
        with self.guard.in_step():
            spec = _spec(batch)
            if self._draws is not None and self._draws.is_new(is_tapped, spec):
                stack.enter_context(self._draws.tracing(is_tapped, spec))
        try:
            yield
        finally:
            with self.guard.in_step():
                stack.close()

    def _take_row(self, step: int, row: Any, tapped: TappedStep) -> None:
        if tapped.keeps_batch:
            row, inputs = row
            if self.batch_sink is not None:
                self.batch_sink(inputs)
        self._sink(step, row, tapped.layouts if row.shape[0] else None)

    def disarm(self) -> None:
        """Restore the plain train function and free memory."""
        self._put_back()
        plain = vars(self.model).get("train_function")
        tapped = getattr(plain, "keras_dlbasic_tapped", None)
        if tapped is not None:
            tapped.end()

    def _put_back(self) -> None:
        attributes = vars(self.model)
        armed = attributes.get("train_function")
        attributes["train_function"] = getattr(armed, "keras_dlbasic_plain", armed)
        make = attributes.get("make_train_function")
        if hasattr(make, "keras_dlbasic_plain"):
            if make.keras_dlbasic_plain is None:
                del attributes["make_train_function"]
            else:
                attributes["make_train_function"] = make.keras_dlbasic_plain

    def _must_stand_in(self) -> bool:
        """Return whether the plain step was never traced before layers were frozen.

        So it is if each step of the fits before was watched.
        """
        plain = vars(self.model).get("train_function")
        plain = getattr(plain, "keras_dlbasic_plain", plain)
        return self._is_stale() and not self._backend.is_traced(plain)

    def _is_stale(self) -> bool:
        return keras.backend.backend() == "tensorflow" and watches_stale_step(
            self.model
        )

    def _tapped(self, plain: Any) -> TappedStep:
        # kept with the plain function, so that both are traced from the same state of
        # the model and go when Keras drops it
        tapped = getattr(plain, "keras_dlbasic_tapped", None)
        # A watched step is made anew if it failed, or if the batch is asked for and it
        # does not return that. A step that has random state of its own, or trains what
        # is frozen by now, must be kept: a new one would train otherwise.
        keeps_batch = self.batch_sink is not None
        if tapped is None or (
            (keeps_batch > tapped.keeps_batch or tapped.has_failed)
            and not (tapped.draws or self._is_stale())
        ):
            tapped = TappedStep(self.model, self._backend, keeps_batch)
            plain.keras_dlbasic_tapped = tapped
        tapped.guard = self.guard
        if self._draws is not None:
            tapped.on_trace = self._draws.note_trace
        return tapped


def _spec(batch: Any) -> Any:
    """Return what makes a step be traced anew: the shapes and types of a batch."""
    return tuple(
        (str(getattr(leaf, "shape", None)), str(getattr(leaf, "dtype", None)))
        for leaf in keras.tree.flatten(batch)
    )
