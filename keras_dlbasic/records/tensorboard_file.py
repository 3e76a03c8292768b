"""A record as series that TensorBoard shows."""

from __future__ import annotations

import itertools
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from keras_dlbasic.records.record_data import RecordData

BY_LAYER = ("gradient_norm", "weight_norm", "update_norm")
OF_THE_STEP = ("global_gradient_norm", "batch_loss", "learning_rate")

_numbers = itertools.count()

Point = tuple[str, int, float]


def write_tensorboard(record: RecordData, log_dir: str | os.PathLike[str]) -> Path:
    """Write an event file and return where it is.

    Raises:
        ImportError: If TensorBoard is not installed.
    """
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter
    except ImportError as error:
        raise ImportError(
            "`to_tensorboard` needs the package tensorboard: pip install tensorboard"
        ) from error
    folder = Path(log_dir)
    folder.mkdir(parents=True, exist_ok=True)
    now, host = time.time(), socket.gethostname()
    name = f"events.out.tfevents.{int(now)}.{host}.{os.getpid()}.{next(_numbers)}"
    with open(folder / name, "xb") as file:
        writer = RecordWriter(file)
        header = Event(wall_time=now, file_version="brain.Event:2")
        writer.write(header.SerializeToString())
        for tag, step, value in points(record):
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
            event = Event(wall_time=now, step=step, summary=summary)
            writer.write(event.SerializeToString())
    return folder / name


def points(record: RecordData) -> Iterator[Point]:
    """Yield tag, step or epoch, and value of all that was measured.

    Series by layer are called `"gradient_norm/dense"`, those of a step `"step/..."`,
    logs of the epochs `"epoch/..."`; NaN, for what was not measured, is left out.
    """
    steps = record.steps
    for measure in BY_LAYER if len(steps) else ():
        values = record.by_layer(measure)
        for place, layer in enumerate(record.layers):
            yield from _series(f"{measure}/{layer}", steps, values[:, place])
    for name in OF_THE_STEP:
        yield from _series(f"step/{name}", steps, getattr(record, name))
    epochs = record.epochs
    for name in epochs:
        if name != "epoch":
            yield from _series(f"epoch/{name}", epochs["epoch"], epochs[name])


def _series(tag: str, steps: np.ndarray, values: np.ndarray) -> Iterator[Point]:
    for step, value in zip(steps, values, strict=True):
        if not np.isnan(value):
            yield tag, int(step), float(value)
