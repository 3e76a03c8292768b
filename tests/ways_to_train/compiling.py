"""Ways to compile a model."""

from __future__ import annotations

import keras

from ways_to_train.way import (
    EVERYWHERE,
    JAX,
    SGD,
    fitted,
    way,
)


@way(
    "`steps_per_execution=2`",
    {
        **EVERYWHERE,
        "torch": "Keras refuses: `steps_per_execution` must be 1; "
        "from Keras 3.16: works",
    },
    runs="always",
)
def steps_per_execution(monitor):
    return fitted(monitor, steps=(1,), steps_per_execution=2)


@way("`gradient_accumulation_steps=2`", EVERYWHERE)
def accumulation(monitor):
    return fitted(
        monitor,
        optimizer=lambda: SGD(0.1, clipnorm=0.1, gradient_accumulation_steps=2),
        steps=(0, 1),
    )


@way("`LossScaleOptimizer`", EVERYWHERE)
def loss_scaling(monitor):
    def optimizer():
        inner = SGD(0.1, global_clipnorm=0.5)
        return keras.optimizers.LossScaleOptimizer(inner, initial_scale=64.0)

    return fitted(monitor, optimizer=optimizer)


@way("LoRA (`enable_lora`)", EVERYWHERE, runs="once")
def low_rank(monitor):
    def adapted(model):
        model.layers[0].enable_lora(2)
        model.layers[-1].enable_lora(3)

    return fitted(monitor, prepare=adapted, steps=(0, 1))


@way("float8 (`quantize`)", EVERYWHERE)
def float8(monitor):
    def quantized(model):
        model.quantize("float8")

    return fitted(monitor, prepare=quantized, steps=())


@way("int8 with LoRA", EVERYWHERE)
def quantized_adapters(monitor):
    def adapted(model):
        model.quantize("int8")
        for layer in model.layers:
            layer.enable_lora(2)

    return fitted(monitor, prepare=adapted)


way("`fit`, as it is", EVERYWHERE)(fitted)

way("`run_eagerly=True`", EVERYWHERE)(lambda monitor: fitted(monitor, run_eagerly=True))

way(
    "`jit_compile=True`", {**EVERYWHERE, "torch": "refused: `torch.compile` would fuse"}
)(lambda monitor: fitted(monitor, jit_compile=True))

way("`jit_compile=False` (JAX without compilation)", JAX)(
    lambda monitor: fitted(monitor, jit_compile=False)
)

way("a subclassed model, built by its first batch", EVERYWHERE)(
    lambda monitor: fitted(monitor, name="subclassed")
)
