"""The tap on PyTorch."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cache
from math import inf
from typing import Any

import numpy as np
import torch

from keras_dlbasic._backends.guard import Guard
from keras_dlbasic._backends.intercept import replaced, update_of, wrapped_method
from keras_dlbasic._backends.row_layout import UNKNOWN
from keras_dlbasic._backends.step_function import remade_train_function
from keras_dlbasic._backends.torch.processes import row_of_all
from keras_dlbasic._backends.update import Update


class TorchKernels:
    """Reductions over lists of tensors; see `measures.Kernels`.

    Nothing here goes through `keras.ops`, which moves tensors to Keras' own device.
    """

    ops = torch

    def beside(self, value: Any, tensor: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value.to(tensor.device, torch.float32)
        return float(value)

    def dense(self, gradient: Any) -> Any:
        gradient = gradient.detach()
        if gradient.is_sparse:
            gradient = gradient.to_dense()
        return gradient.float()

    def differences(
        self, after: list[Any], before: list[Any]
    ) -> Callable[[], list[Any]]:
        # in the copies' own memory: fresh memory costs more than the arithmetic
        pairs = zip(before, after, strict=True)
        torch._foreach_sub_(before, [a.detach().to(b.dtype) for b, a in pairs])
        return lambda: [x.float() for x in before]

    def squares(self, tensors: list[Any]) -> Any:
        short = [_shortened(x) for x in tensors]
        return torch.square(_joined(torch._foreach_norm(short)))

    def norms(self, tensors: list[Any], scales: Any) -> Any:
        pairs = zip(tensors, scales, strict=True)
        scaled = [x * self.beside(scale, x) for x, scale in pairs]
        return torch.sqrt(self.squares(scaled))

    def max_abs(self, tensors: list[Any]) -> Any:
        extremes = [torch.aminmax(x) for x in tensors]  # far faster than a norm
        lowest = _joined([x.min for x in extremes])
        return torch.maximum(-lowest, _joined([x.max for x in extremes]))

    def non_finite(self, tensors: list[Any]) -> Any:
        wrong = [torch.logical_not(torch.isfinite(x)) for x in tensors]
        return _joined([torch.sum(x).float() for x in wrong])

    def zeros(self, tensors: list[Any]) -> Any:
        others = _joined([torch.count_nonzero(x) for x in tensors])
        return torch.tensor([x.numel() for x in tensors], device=others.device) - others

    def clip_squares(self, gradients: list[Any]) -> Any:
        return self.squares([self.dense(g) for g in gradients])

    def clipped_squares(self, gradients: list[Any], limit: Any) -> Any:
        # PyTorch takes limits on the device of what is clipped only
        pairs = [(self.dense(g), self.beside(limit, g)) for g in gradients]
        return self.squares([torch.clip(g, -own, own) for g, own in pairs])

    def cond(
        self,
        test: Callable[..., Any],
        operands: tuple[Any, ...],
        if_true: Callable[[], Any],
        if_false: Callable[[], Any],
    ) -> Any:
        if operands[0].device.type != "cpu":
            return if_false()  # asking would stall the accelerator
        at_hand = [operand.numpy() for operand in operands]
        return if_true() if test(np, *at_hand) else if_false()

    def row(self, loss: Any, parts: list[Any]) -> Any:
        tensors = [p for p in (loss, *parts) if isinstance(p, torch.Tensor)]
        home = _home(sorted(tensors, key=lambda part: -part.ndim))  # vectors first
        loss, *parts = [
            torch.as_tensor(part, dtype=torch.float32, device=home).reshape(-1)
            for part in (loss, *parts)
        ]
        known = torch.nan_to_num(torch.cat(parts), UNKNOWN, inf, -inf)
        return torch.cat([loss.detach(), known])


class Tap:
    """How PyTorch's training step is tapped; see `tap.BackendTap`."""

    kernels = TorchKernels()
    changes_in_place = True

    def __init__(self) -> None:
        self.guard = Guard()
        self._copies: dict[int, list[Any]] = {}
        self._keeper: Any = None
        self._updates = 0  # of this step

    def place(self) -> Any:
        """Return the function being traced: none here."""

    def without_gradients(self, function: Callable[[], Any]) -> Any:
        """Call a function whose operations are not differentiated."""
        with torch.no_grad():
            return function()

    def release(self) -> None:
        """Let go of memory kept between steps: a copy of the weights."""
        self._copies, self._keeper = {}, None

    def _copied(self, variables: list[Any]) -> list[Any]:
        """Return copies of the weights, in memory that is used again."""
        # An update changes weights in place, so that what they were must be copied.
        # Fresh memory for this at each step would cost more than the copying: the
        # copies of each update of a step are kept for the next step.
        values = [v.value.detach() for v in variables]
        # `release` may come at any time: garbage is collected when it likes
        place = self._updates
        copies = self._copies.get(place, [])
        known = [(c.shape, c.device, c.dtype) for c in copies]
        if known != [(v.shape, v.device, _at_least_float32(v)) for v in values]:
            copies = [torch.empty_like(v, dtype=_at_least_float32(v)) for v in values]
            self._copies[place] = copies
        torch._foreach_copy_(copies, values)
        return copies

    def intercept(self, optimizer: Any, sink: Callable[[Update], None]) -> Any:
        """Report each update that `optimizer` makes in the context to `sink`."""

        def make(original: Callable[..., Any]) -> Callable[..., Any]:
            def apply(grads: Any, trainable_variables: Any = None) -> Any:
                grads = list(grads)
                if trainable_variables is not None:
                    trainable_variables = list(trainable_variables)
                update = None
                with self.guard.in_step():
                    if grads and not self.guard.has_ended:
                        update = self._before(optimizer, trainable_variables, grads)
                result = original(grads, trainable_variables)
                with self.guard.in_step():
                    if update is not None:
                        self._after(optimizer, update)
                        sink(update)
                return result

            return apply

        return wrapped_method(optimizer, "apply", make)

    def _before(self, optimizer: Any, variables: Any, gradients: list[Any]) -> Update:
        """Return what is known of an update before it is made."""
        if variables is None:
            variables = list(optimizer._trainable_variables)
        with torch.no_grad():
            update = update_of(optimizer, variables, gradients)
            update.before = self._copied(variables)
            if update.accumulated is not None:
                update.accumulated = [a.detach().clone() for a in update.accumulated]
            # kept apart: loss scaling changes its scale in place
            update.scale = _kept(update.scale)
            update.is_update = _kept(optimizer.iterations)
        return update

    def _after(self, optimizer: Any, update: Update) -> None:
        """Add what is known after it."""
        update.after = [v.value for v in update.variables]
        # a tensor on the device: to ask for its value would wait for the step
        update.is_update = update.is_update != _plain(optimizer.iterations)
        self._updates += 1

    def wrap_step(self, measured: Callable[..., Any]) -> Any:
        """Return a `train_step` that runs `measured`; see `tap`."""

        def train_step(data: Any) -> Any:
            try:
                return measured(lambda original: original(data), data)
            finally:
                self._updates = 0

        return train_step

    def with_row(self, outputs: Any, key: str, row: Any) -> Any:
        """Return the logs of a step with a row added."""
        return {**outputs, key: row}

    def tapped_function(self, model: Any, train_step: Any) -> Any:
        """Return a train function that runs `train_step`."""
        made = remade_train_function(model, train_step)

        def train_function(data: Any) -> Any:
            # Keras 3.16 binds `train_step` when the train function is made. Keras 3.14
            # and 3.15 look it up at each call, so it is also replaced meanwhile.
            try:
                with ExitStack() as stack:
                    with self.guard.in_step():
                        step = replaced(model, "train_step", train_step)
                        stack.enter_context(step)
                    return made(data)
            except BaseException:
                self.release()
                raise

        return train_function

    def args_traced_in(
        self, model: Any, args: Any, tracing: Callable[[Any], Any], stack: ExitStack
    ) -> Any:
        """Return arguments as they are: nothing is traced."""
        return args

    def is_traced(self, function: Any) -> bool:
        """Return whether a train function has been traced: nobody asks."""
        return True

    def trace(self, function: Any, args: Any) -> None:
        """Do nothing: Keras gives models their weights before the first step."""

    def drawing_operation(self, function: Any, args: Any) -> str | None:
        """Name an operation whose random state is in a train function: none has."""
        return None

    def step_ended(self, logs: Any) -> None:
        """Release the copies when the step's logs go, which no fit outlives.

        Nothing calls back when a fit is interrupted. It holds the logs of a step until
        those of the next one are there, so that steps measured in a row share memory.
        """
        values = logs.values() if isinstance(logs, dict) else ()
        # A weak reference to one tensor of the logs tells when they are let go: then no
        # step follows, or it has its own logs already.
        tensors = [value for value in values if isinstance(value, torch.Tensor)]
        if not tensors or self.guard.has_ended:
            self.release()
            return

        def let_go(gone: Any) -> None:
            if gone is self._keeper:
                with self.guard.on_host():
                    self.release()

        self._keeper = weakref.ref(tensors[0], let_go)

    def batch_size(self, leaf: Any) -> Any:
        """Return the number of rows of a part of the batch."""
        return leaf.shape[0]

    def gathered(self, rows: Any) -> Any:
        """Return rows of all replicas: there is one."""
        return rows

    def of_all_processes(self, model: Any, row: Any) -> Any:
        """Return the row of a step of all processes, the same in each."""
        return row_of_all(model, row)


class Generators:
    """State of PyTorch's generators, of the processor and of accelerators."""

    def __init__(self) -> None:
        self._cpu = torch.get_rng_state()
        self._others = [(a, a.get_rng_state_all()) for a in _started_accelerators()]
        # Apple's has one generator, which exists from the start
        mps = torch.backends.mps.is_available()
        self._mps = torch.mps.get_rng_state() if mps else None

    def restore(self) -> None:
        """Put them back."""
        torch.set_rng_state(self._cpu)
        for accelerator, states in self._others:
            accelerator.set_rng_state_all(states)
        if self._mps is not None:
            torch.mps.set_rng_state(self._mps)


def _started_accelerators() -> list[Any]:
    """Return the modules of accelerators in use: to ask of others would start them."""
    known = [getattr(torch, name, None) for name in ("cuda", "xpu")]
    return [a for a in known if a is not None and a.is_initialized()]


def _at_least_float32(x: torch.Tensor) -> torch.dtype:
    return torch.float64 if x.dtype == torch.float64 else torch.float32


def _plain(value: Any) -> Any:
    return getattr(value, "value", value)


def _kept(value: Any) -> Any:
    """Return a number as it is, a tensor or variable as a copy."""
    value = _plain(value)
    return value.clone() if isinstance(value, torch.Tensor) else value


def _home(tensors: Sequence[torch.Tensor]) -> torch.device:
    """Return the device to gather on: the first accelerator, or the host."""
    host = torch.device("cpu")
    return next((x.device for x in tensors if x.device != host), host)


def _joined(numbers: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return a vector of scalar tensors, which may be on several devices."""
    if len({x.device for x in numbers}) > 1:
        home = _home(numbers)
        numbers = [x.to(home) for x in numbers]
    return torch.stack(list(numbers))


SHORT = 4_096
"""PyTorch's norm of more entries is inexact: it adds them up one after the other."""

MIN_ROW, MAX_ROW = 64, 1_024


def _shortened(x: torch.Tensor) -> torch.Tensor:
    """Return a tensor of few entries with the same norm: the norms of rows.

    Rows are spread over threads, too, which one long norm is not.
    """
    while x.numel() > SHORT:
        length = _row_length(x.numel())
        if length < MIN_ROW:  # a prime number of entries, say: filled up with zeros
            length = MAX_ROW
            x = torch.nn.functional.pad(x.reshape(-1), (0, -x.numel() % length))
        x = torch.linalg.vector_norm(x.reshape(-1, length), dim=1)
    return x


@cache
def _row_length(entries: int) -> int:
    """Return the greatest divisor of `entries` up to `MAX_ROW`."""
    return next(n for n in range(MAX_ROW, 0, -1) if entries % n == 0)
