"""The processes that train one model together, on PyTorch."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import torch
from torch import distributed

from keras_dlbasic._backends.processes import Processes


class _Board:
    """The key-value store of a process group."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def put(self, key: str, text: str) -> None:
        self._store.set(key, text)

    def put_first(self, key: str, text: str) -> str:
        stands: str = self._store.compare_set(key, "", text).decode()
        return stands

    def get(self, key: str, seconds: float) -> str | None:
        try:
            self._store.wait([key], timedelta(seconds=seconds))
        except (RuntimeError, TimeoutError):  # the time is over
            return None
        found: str = self._store.get(key).decode()
        return found


def processes_of(model: Any) -> Processes:
    """Return them; a model is of several where Keras trains it by DDP, from 3.16 on."""
    # before its first fit such a model is not wrapped yet
    knows_ddp = "ddp_model" in vars(model) and distributed.is_available()
    if not (knows_ddp and distributed.is_initialized()):
        return Processes()
    wrapped = ddp_of(model)
    group = None if wrapped is None else wrapped.process_group
    number, count = distributed.get_rank(group), distributed.get_world_size(group)
    name = "_get_default_store"
    store = getattr(distributed.distributed_c10d, name, lambda: None)()
    return Processes(number, count, None if store is None else _Board(store))


def ddp_of(model: Any) -> Any:
    """Return the DDP wrapper that Keras trains a model by, None if there is none."""
    return vars(model).get("ddp_model") if distributed.is_available() else None


def row_of_all(model: Any, row: torch.Tensor) -> torch.Tensor:
    """Return the row of a step of all processes, the same in each.

    Args:
        model: The model.
        row: The row of this process, the batch loss first and the batch size fourth.
    """
    # The gradients in it are those of all processes already: DDP has averaged them.
    # Loss and batch size are of this one's rows. The rest is equal but where a step of
    # the user's goes past DDP; the larger number counts then, which is what is not
    # finite wherever that is in one process. So what is decided by a row is decided
    # alike.
    wrapped = ddp_of(model)
    if wrapped is None or not row.shape[0]:
        return row
    group = wrapped.process_group
    rows = torch.clamp(row[3], min=0.0)
    sums = torch.stack([row[0].double() * rows.double(), rows.double()])
    distributed.all_reduce(sums, group=group)
    row = row.clone()
    loss = row[0].clone()
    distributed.all_reduce(row, distributed.ReduceOp.MAX, group=group)
    is_known = sums[1] > 0
    row[0] = torch.where(is_known, (sums[0] / sums[1]).float(), loss)
    row[3] = torch.where(is_known, sums[1].float(), row[3])
    return row


def is_in_parts(model: Any) -> bool:
    """Return whether no process has all weights of a model at hand: none is so."""
    return False
