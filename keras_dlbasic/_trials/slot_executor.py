"""An executor of several workers, of which each may die without the others."""

from __future__ import annotations

import functools
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import Any, Protocol


class Slot(Protocol):
    """The place of one worker; when that dies, another one takes it."""

    def run(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Run a call there and return what it returns.

        A worker that died raises, and the next call starts another one.
        """

    def close(self, *, kill: bool) -> None:
        """Let go of the worker, at once if it is to be killed."""


_END = None


class SlotExecutor(Executor):
    """Runs calls in the slots that are free, one at a time in each.

    A pool of processes in one is broken for all if one of them dies. Here a worker that
    dies costs the call that it was at.

    Args:
        slots: The places of the workers.
    """

    def __init__(self, slots: Sequence[Slot]) -> None:
        self._slots = list(slots)
        self._calls: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._is_closed = False
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._serve, args=(slot,), daemon=True)
            for slot in self._slots
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return the future of a call."""
        fn = functools.partial(fn, **kwargs) if kwargs else fn
        future: Future[Any] = Future()
        with self._lock:
            if self._is_closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self._calls.put((future, fn, args))
        return future

    def _serve(self, slot: Slot) -> None:
        while (call := self._calls.get()) is not _END:
            future, function, args = call
            if not future.set_running_or_notify_cancel():
                continue
            try:
                value = slot.run(function, args)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(value)
            del call, future, function, args  # they hold the data of a study

    def shutdown(
        self, wait: bool = True, *, cancel_futures: bool = False, kill: bool = False
    ) -> None:
        """Take no more calls, and let go of the workers.

        Args:
            wait: Whether to wait for the calls that were made. Defaults to `True`.
            cancel_futures: Whether to cancel those that have not begun.
            kill: Whether to end the workers at once.
        """
        with self._lock:
            is_first, self._is_closed = not self._is_closed, True
        if not is_first:
            return
        if kill or cancel_futures:
            self._cancel()
        for _ in self._threads:
            self._calls.put(_END)
        if kill:
            self._close(kill=True)
        elif wait:
            self._finish()
        else:
            threading.Thread(target=self._finish, daemon=True).start()

    def _cancel(self) -> None:
        while True:
            try:
                call = self._calls.get_nowait()
            except queue.Empty:
                return
            if call is not _END:
                call[0].cancel()

    def _finish(self) -> None:
        for thread in self._threads:
            thread.join()
        self._close(kill=False)

    def _close(self, *, kill: bool) -> None:
        for slot in self._slots:
            slot.close(kill=kill)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        # after an interrupt nobody waits for the trials that still run
        self.shutdown(wait=True, kill=kind is not None)
