"""Hidden layers without activations."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest

KERNELS = ("Dense", "Conv1D", "Conv2D", "Conv3D")


@rule(
    kind="cause",
    explains=("underfitting", "plateau", "constant_predictions"),
    needs=("network",),
)
def missing_nonlinearity(run: Run) -> Verdict:
    """Look for models all of whose hidden layers are linear."""
    layers = run.layers
    kernels = [f for f in layers if f.class_name in KERNELS]
    bends = [f for f in layers if f.activation not in (None, "linear")]
    hidden = kernels[:-1]
    others = [f for f in layers if f.is_recurrent or "Attention" in f.class_name]
    inner = [f for f in bends if not kernels or f is not kernels[-1]]
    pooled = [f for f in layers if "Max" in f.class_name]
    if hidden and not inner and not others and not pooled:
        return Finding(
            severity="info",
            message=(
                f"None of the {len(hidden)} hidden layers has an activation: together "
                "they are one linear layer."
            ),
            risk="critical",
            layer=hidden[0].label,
            value=float(len(hidden)),
            unit="layers",
            confidence=0.9,
            remedies=(suggest.activations("lets the layers bend", linear_too=True),),
        )
    return Fine(f"{len(inner)} hidden layers have activations")
