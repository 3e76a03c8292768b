"""Hidden layers without activations."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest

KERNELS = ("dense", "convolution")
PRODUCTS = ("Multiply", "Dot")
AS_GOOD = 0.02
"""Skills that differ by less are the same."""

LINEAR, CLEAR, BEHIND = ("components", "linear"), 0.3, 0.5
"""Predictors that are linear, the skill that says something, and the share of it below
which a model is far behind."""

BENDING = ("recurrent", "attention", "custom", "foreign")
"""Kinds of layers that are not linear without an activation, or may not be."""


@rule(
    kind="cause",
    explains=("underfitting", "plateau", "constant_predictions"),
    needs=("network",),
)
def missing_nonlinearity(run: Run) -> Verdict:
    """Look for models in which all hidden layers are linear.

    It is a warning unless the model has a high skill, though simple predictors may do
    no better: they are linear as well, or know only near rows. If the best of them is
    linear and the model is far behind it, as an autoencoder may be behind a PCA, linear
    layers are not what keeps it back.

    Args:
        run: The run.
    """
    layers = run.layers
    if all(f.kind is None for f in layers):
        return Skipped("the record is of an earlier version, without kinds of layers")
    if run.model.may_act_between_layers:
        return Skipped(
            "the model computes more than its layers show (operations in `call` or "
            "between layers), so it may have activations there"
        )
    kernels = [f for f in layers if f.kind in KERNELS]
    bends = [f for f in layers if f.activation not in (None, "linear")]
    names = _output_names(run)
    heads = [f for f in kernels if _name(f.label) in names]
    heads = heads or kernels[-1:]  # in the order of their definition, if nothing else
    # by identity: to compare facts takes far longer
    last = set(map(id, heads))
    hidden = [f for f in kernels if id(f) not in last]
    others = [f for f in layers if f.kind in BENDING]
    # an activation may be a layer of its own behind the last one with weights
    inner = [f for f in bends if id(f) not in last and _name(f.label) not in names]
    # Taking a maximum is not linear, so max pooling does for an activation.
    pooled = [f for f in layers if f.takes_maximum]
    # neither is a product of what two layers give
    others += [f for f in layers if f.class_name in PRODUCTS]
    if hidden and not inner and not others and not pooled:
        if _is_behind_a_line(run):
            return Fine("a linear predictor does far better than the model")
        return Finding(
            severity="warning" if _is_poor(run) else "info",
            message=(
                f"None of the {len(hidden)} hidden layers has an activation, so the "
                "whole model is linear, like a single layer."
            ),
            risk="critical",
            layer=hidden[0].label,
            value=float(len(hidden)),
            unit="layers",
            confidence=0.9,
            remedies=(
                suggest.activations(
                    "makes the hidden layers nonlinear", linear_too=True
                ),
            ),
        )
    return Fine(f"{len(inner)} hidden layers have activations")


def _is_behind_a_line(run: Run) -> bool:
    """Return whether a linear predictor does far better than a finished run."""
    if run.live or run.is_planned or run.outcome.skill is None:
        return False
    probe = run.facts.probe
    known = (probe.references if probe is not None else None) or {}
    linear = max((known.get(name, 0.0) for name in LINEAR), default=0.0)
    is_best = linear >= max(known.values(), default=0.0) - AS_GOOD
    return is_best and linear >= CLEAR and run.outcome.skill < BEHIND * linear


def _is_poor(run: Run) -> bool:
    """Return whether a finished run is known to be less than good."""
    if run.live or run.is_planned or run.outcome.skill is None:
        return False
    probe = run.facts.probe
    known = (probe.references if probe is not None else None) or {}
    return not run.outcome.is_good and "components" not in known


def _output_names(run: Run) -> set[str]:
    return {_name(output.name or "") for output in run.model.outputs}


def _name(label: str) -> str:
    return label.rsplit("/", 1)[-1]
