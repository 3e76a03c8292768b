"""What a watched step adds to a compiled one cannot fail: it is looked up in the graph."""

import os
from collections import Counter

import keras
import models
import pytest

from keras_dlbasic.gradients.backend_tap import backend_tap
from keras_dlbasic.gradients.tapped_step import KEY, TappedStep

BACKEND = keras.backend.backend()
if BACKEND == "torch":
    pytest.skip("nothing is compiled on PyTorch", allow_module_level=True)

SGD = keras.optimizers.SGD
OPTIMIZERS = {
    "none": lambda: SGD(0.1),
    "clipvalue": lambda: SGD(0.1, clipvalue=0.5),
    "clipnorm": lambda: SGD(0.1, clipnorm=0.5, gradient_accumulation_steps=2),
    "global_clipnorm": lambda: keras.optimizers.LossScaleOptimizer(
        SGD(0.1, global_clipnorm=0.5)
    ),
}


def operations(function, *args):
    """Return the operations of a traced function that could fail or wait, counted."""
    return {"tensorflow": _tensorflow, "jax": _jax}[BACKEND](function, *args)


def _tensorflow(function, *args):
    import tensorflow as tf

    graph = tf.function(function).get_concrete_function(*args).graph
    definition = graph.as_graph_def()
    found = Counter()
    for nodes in (definition.node, *(f.node_def for f in definition.library.function)):
        constants = {node.name for node in nodes if node.op == "Const"}
        for node in nodes:
            inputs = [name.split(":")[0] for name in node.input]
            if node.op == "Reshape" and inputs[1] not in constants:
                found["Reshape to a length known at run time"] += 1
            words = ("Assert", "PyFunc", "Print", "CheckNumerics", "Ensure", "Random")
            if any(word in node.op for word in words):
                found[node.op] += 1
    return found


def _jax(function, *args):
    import jax

    found = Counter()

    def walk(jaxpr):
        for equation in jaxpr.eqns:
            name = equation.primitive.name
            if any(word in name for word in ("callback", "check", "assert", "random")):
                found[name] += 1
            for value in jax.tree.leaves(list(equation.params.values())):
                inner = getattr(value, "jaxpr", value)
                if hasattr(inner, "eqns"):
                    walk(inner)

    walk(jax.make_jaxpr(function)(*args).jaxpr)
    return found


def traced(name, optimizer):
    """Return what the plain and the watched step of a model hold, and the keys of its logs."""
    model, x, y, loss = models.make(name)
    model.compile(optimizer=OPTIMIZERS[optimizer](), loss=loss)
    x, y = (keras.ops.convert_to_tensor(rows[:8]) for rows in (x, y))
    model._symbolic_build(data_batch=(x, y))  # all that the first step would build
    tap = backend_tap()
    watched = tap.wrap_step(TappedStep(model, tap, True)._measured)
    args = (_state(model), (x, y)) if BACKEND == "jax" else ((x, y),)
    keys = []

    def step(*args):
        outputs = watched(*args)
        keys.append(sorted(outputs[0] if BACKEND == "jax" else outputs))
        return outputs

    return operations(model.train_step, *args), operations(step, *args), keys[-1]


def _state(model):
    groups = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )
    return tuple([variable.value for variable in group] for group in groups)


MODELS = ["mlp", "embedding", "cnn"]
CASES = [(name, optimizer) for name in MODELS for optimizer in OPTIMIZERS]
if not os.environ.get("EVERYWHERE"):
    # The way of clipping matters, and whether gradients are sparse. A convolution adds
    # nothing that a product of matrices does not.
    CASES = [case for case in CASES if case[0] != "cnn"] + [("cnn", "global_clipnorm")]


@pytest.mark.parametrize(("name", "optimizer"), CASES)
def test_no_operation_that_could_fail_is_added(name, optimizer):
    plain, watched, keys = traced(name, optimizer)
    assert KEY in keys  # it was watched
    assert watched == plain


@pytest.mark.parametrize("guilty", ["callback", "reshape"])
def test_such_operations_would_be_found(guilty):
    def step(x):
        if BACKEND == "jax":
            import jax

            jax.debug.callback(lambda value: None, x)
        elif guilty == "callback":
            import tensorflow as tf

            tf.debugging.assert_positive(x)
        else:
            import tensorflow as tf

            x = tf.reshape(x, tf.shape(x)[:1])
        return x

    assert operations(step, keras.ops.ones((3,)))
