"""What is measured on PyTorch stays on the devices that the model is on.

There need be no such devices: PyTorch's fake tensors know shape, type and device, and
refuse operations on tensors of several devices as the real ones do.
"""

from contextlib import contextmanager
from dataclasses import dataclass

import keras
import pytest

from keras_dlbasic._backends.row_layout import RowLayouts
from keras_dlbasic._backends.update import Clipping, Update
from keras_dlbasic.gradients.backend_tap import backend_tap
from keras_dlbasic.gradients.measures import measure_row, reduce_update

if keras.backend.backend() != "torch":
    pytest.skip("PyTorch only", allow_module_level=True)

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

KERNELS = backend_tap().kernels
SHAPES = ((3, 2), (2,), (90, 80), (0, 4))
CLIPPINGS = {
    "none": Clipping(),
    "clipvalue": Clipping("clipvalue", 0.5),
    "clipnorm": Clipping("clipnorm", 0.5),
    "global_clipnorm": Clipping("global_clipnorm", 0.5),
}
PLACES = {
    "cuda": ("cuda:0",) * 4,
    "two": ("cuda:0", "cuda:1", "cuda:1", "cuda:0"),
    "host and device": ("cpu", "cuda:0", "cuda:1", "cpu"),
}


class OneDevice(TorchDispatchMode):
    """Refuses operations on several devices, but for copies.

    Fake tensors let scalars of the host meet any tensor, which PyTorch allows in
    arithmetic but not in `clip`.
    """

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        together = [(args, kwargs)]
        if func.__name__.startswith("_foreach"):  # takes lists of tensors of any device
            lists = [arg for arg in args if isinstance(arg, (list, tuple))]
            together = zip(*lists, strict=True)
        for values in together:
            leaves = tree_leaves(values)
            devices = {str(x.device) for x in leaves if isinstance(x, torch.Tensor)}
            if len(devices) > 1 and "copy" not in func.__name__:
                raise RuntimeError(f"{func}: tensors on several devices: {devices}")
        return func(*args, **(kwargs or {}))


@contextmanager
def devices_without_hardware(default):
    with FakeTensorMode(), OneDevice(), keras.device(default):
        yield


class Sparse:
    """What the kernels ask of a sparse gradient, which there are no fake ones of."""

    is_sparse = True

    def __init__(self, dense):
        self.device = dense.device
        self.detach = lambda: self
        self.to_dense = lambda: dense


@dataclass
class Variable:
    """What the kernels ask of a Keras variable."""

    value: object
    name: str

    @property
    def shape(self):
        return tuple(self.value.shape)


def update(devices, *, shapes=SHAPES, sparse=False, scale=1.0, **options):
    """Return an update of variables on `devices`, or on those of fake tensors."""
    pairs = list(zip(shapes, devices, strict=True))
    before = [torch.full(shape, 2.0, device=device) for shape, device in pairs]
    after = [x - 0.5 for x in before]
    gradients = [torch.ones_like(x) for x in before]
    if sparse:
        gradients[2] = Sparse(gradients[2])
    names = ("kernel", "bias", "embeddings", "nothing")
    return Update(
        variables=[Variable(x, name) for x, name in zip(after, names, strict=True)],
        gradients=gradients,
        before=before,
        after=after,
        scale=scale,
        **options,
    )


def row_of(*updates, loss=1.0):
    for each in updates:
        each.reduced = reduce_update(KERNELS, each)
    return measure_row(KERNELS, list(updates), loss, 8, RowLayouts())


@pytest.mark.parametrize("devices", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("clipping", CLIPPINGS.values(), ids=CLIPPINGS)
@pytest.mark.parametrize(
    ("default", "scaled", "accumulates"),
    [
        ("cpu", None, False),
        ("cuda:0", "cpu", True),
        ("cuda:1", "cuda:0", False),
        ("cpu", "cuda:0", True),
    ],
)
def test_every_option_on_all_devices(default, devices, clipping, scaled, accumulates):
    with devices_without_hardware(default):
        options = {"clipping": clipping}
        if scaled is not None:
            options["scale"] = torch.full((), 8.0, device=scaled)
        if accumulates:
            options["accumulated"] = [
                torch.zeros(shape, device=device)
                for shape, device in zip(SHAPES, devices, strict=True)
            ]
            options["accumulation_steps"] = 2
            options["is_update"] = torch.ones((), dtype=torch.bool, device=default)
        options["learning_rate"] = torch.full((), 0.1, device=default)
        row = row_of(update(devices, **options), loss=torch.ones((), device=default))
    assert row.device.type == "cuda"


@pytest.mark.parametrize("default", ["cpu", "cuda:0"])
@pytest.mark.parametrize("clipping", CLIPPINGS.values(), ids=CLIPPINGS)
def test_sparse_gradients(default, clipping):
    with devices_without_hardware(default):
        row = row_of(update(PLACES["cuda"], sparse=True, clipping=clipping))
    assert row.device.type == "cuda"


@pytest.mark.parametrize("default", ["cpu", "cuda:0", "cuda:1"])
@pytest.mark.parametrize("on_device", ["loss", "rate"])
def test_variables_without_entries(default, on_device):
    """There is no vector then whose device the numbers could follow."""
    shapes = ((0,), (0, 3), (2, 0), (0, 4))
    with devices_without_hardware(default):
        number = torch.ones((), device="cuda:0")
        empty = update(PLACES["cuda"], shapes=shapes)
        if on_device == "rate":
            empty.learning_rate = number
        row = row_of(empty, loss=number if on_device == "loss" else 1.0)
    assert str(row.device) == "cuda:0"


def test_updates_of_two_optimizers_on_two_devices():
    with devices_without_hardware("cuda:0"):
        row = row_of(update(PLACES["cuda"]), update(("cuda:1",) * 4))
    assert str(row.device) == "cuda:0"


class Optimizer:
    """As much of an optimizer as is intercepted; its numbers are on a device."""

    gradient_accumulation_steps = None
    built = True
    clipvalue = 0.5

    def __init__(self, variables):
        self._trainable_variables = variables
        self.learning_rate = torch.full((), 0.1, device="cuda:0")
        self.iterations = torch.zeros((), dtype=torch.int64, device="cuda:0")

    def apply(self, grads, trainable_variables=None):
        for variable, gradient in zip(trainable_variables, grads, strict=True):
            variable.value = variable.value - 0.1 * gradient
        self.iterations = self.iterations + 1


@pytest.mark.parametrize("devices", PLACES.values(), ids=PLACES)
def test_what_is_intercepted(devices):
    """Nothing asks for a value, either, which would wait for the device."""
    tap, updates = backend_tap(), []
    with devices_without_hardware("cuda:0"):
        given = update(devices)
        optimizer = Optimizer(given.variables)
        with tap.intercept(optimizer, updates.append):
            optimizer.apply(given.gradients, given.variables)
        row_of(*updates)
    assert updates[0].clipping.kind == "clipvalue"
