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


def several_optimizers():
    kernels = keras.optimizers.Adam(0.01, clipnorm=0.05)
    others = SGD(0.1)

    def chosen(variable):
        return kernels if variable.name == "kernel" else others

    return keras.optimizers.MultiOptimizer(chosen)


FROM_315 = dict.fromkeys(
    EVERYWHERE, "Keras refuses: no attribute 'MultiOptimizer'; from Keras 3.15: works"
)


@way("`MultiOptimizer`", FROM_315, runs="once")
def optimizers_by_variable(monitor):
    return fitted(monitor, optimizer=several_optimizers)


@way("`MultiOptimizer` in a `LossScaleOptimizer`", FROM_315)
def scaled_optimizers_by_variable(monitor):
    def optimizer():
        inner = several_optimizers()
        return keras.optimizers.LossScaleOptimizer(inner, initial_scale=64.0)

    return fitted(monitor, optimizer=optimizer)


@way("`Muon`", EVERYWHERE)
def orthogonalized(monitor):
    return fitted(monitor, optimizer=lambda: keras.optimizers.Muon(0.01))


@way("`ScheduleFreeAdamW`", EVERYWHERE)
def schedule_free(monitor):
    return fitted(
        monitor, optimizer=lambda: keras.optimizers.ScheduleFreeAdamW(0.01, clipnorm=1)
    )


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
