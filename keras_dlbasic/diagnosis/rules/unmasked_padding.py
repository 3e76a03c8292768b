"""Padding that a recurrent layer reads, or that the loss counts."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING
from keras_dlbasic.records import InputFacts

MOST = 0.5

MASKED_IDS = "keras.layers.Embedding(..., mask_zero=True)  # token ids from 1"

PAD_BEFORE = suggest.by_hand(
    'keras.utils.pad_sequences(sequences, padding="pre")',
    "the last step is then the last token",
)


@rule(kind="cause", explains=NOT_LEARNING, needs=("inputs", "network"))
def unmasked_padding(
    run: Run, *, share: float = 0.3, steps: float = 8.0, counts: float = 0.3
) -> Verdict:
    """Look for padding at the end of sequences without a mask.

    A recurrent layer that returns only its last state processes the padding after the
    last word, and forgets a little at every step. It can learn to ignore padding, so
    this only counts if the run learns nothing. If a custom layer does not pass the mask
    of the padding on, it is a warning unless the model has a high skill.

    Args:
        run: The run.
        share: Minimum mean share of padding at the end of sequences.
        steps: Minimum mean number of padding steps.
        counts: Minimum share of targets that are padding with one value.
    """
    if counted := _counted(run, counts):
        return counted
    reader = run.model.padding_reader
    found = [facts for facts in run.inputs if facts.padding >= share]
    found = [facts for facts in found if facts.padding * facts.shape[1] >= steps]
    if reader is None:
        return Fine("no recurrent layer reads unmasked inputs")
    if not found:
        return Fine("sequences do not end in long padding")
    facts = found[0]
    if run.model.mask_lost is not None:
        return _lost(run, facts, reader, run.model.mask_lost)
    masked = MASKED_IDS if facts.is_ids else "keras.layers.Masking(mask_value=0.0)"
    return Finding(
        severity="info",
        risk="critical",
        message=(
            f"On average the last {facts.padding * facts.shape[1]:.0f} steps of a "
            f"sequence ({facts.padding:.0%}) are padding that is not masked. Layer "
            f"{reader!r} reads them as input, and its final state forgets what came "
            "before."
        ),
        value=facts.padding,
        threshold=share,
        unit="share of the steps",
        # a layer may learn to keep its state: before training it is a remark
        confidence=0.75,
        note=False,
        remedies=(
            suggest.by_hand(masked, "the layer then skips the padding"),
            PAD_BEFORE,
        ),
    )


def _lost(run: Run, facts: InputFacts, reader: str, lost: str) -> Finding:
    """Report a mask that a layer on the way does not pass on."""
    steps = facts.padding * facts.shape[1]
    kinds = {layer.label.split("/")[-1]: layer.kind for layer in run.layers}
    # a custom layer drops it by mistake, Keras' own layers by what they compute
    is_custom = kinds.get(lost) == "custom"
    return Finding(
        severity="warning" if is_custom and not run.outcome.is_good else "info",
        risk="critical",
        message=(
            f"The mask of the padding is lost at {lost!r}, so layer {reader!r} reads "
            f"padding as input: on average the last {steps:.0f} steps of a sequence "
            f"({facts.padding:.0%})."
        ),
        layer=lost if lost in kinds else None,
        value=facts.padding,
        threshold=0.0,
        unit="share of the steps",
        confidence=0.85,
        note=False,
        remedies=(
            suggest.by_hand(
                f"set `self.supports_masking = True` in `__init__` of {lost!r}, or "
                "define `compute_mask` if it changes the number of steps",
                "Keras then passes the mask on",
            )
            if is_custom
            else suggest.by_hand(
                f"pass the mask to {reader!r} yourself: `layer(h, mask=mask)`, with as "
                "many steps as `h` has",
                f"{lost!r} does not pass it on",
            ),
            PAD_BEFORE,
        ),
    )


def _counted(run: Run, counts: float) -> Finding | None:
    """Find targets at padding that nothing leaves out of the loss."""
    data = run.facts.data
    padded = [t for t in run.data.targets if t.padded >= counts]
    is_weighted = any(w.leaves_out for w in (data.weights if data else ()))
    masks = run.model.makes_masks
    has_steps = any((output.rank or 0) > 2 for output in run.model.outputs)
    if not has_steps:  # as many labels of a row as its input has steps
        return None
    if not padded or is_weighted or masks is not False or _ignores_a_class(run):
        return None
    value = padded[0].padded
    return Finding(
        # where most of the targets are padding, what is logged is mostly about padding
        severity="warning" if value > MOST else "info",
        message=(
            f"{value:.0%} of the targets are padding (all the same value) that is not "
            "masked. The loss and the metrics include it, so they look better than "
            "they are."
        ),
        risk="critical",
        value=value,
        threshold=counts,
        unit="share of the targets",
        confidence=0.8,
        remedies=(
            suggest.by_hand(
                MASKED_IDS,
                "Keras then excludes padding from the loss and the metrics",
            ),
            suggest.by_hand(
                "model.fit(x, y, sample_weight=(x != 0).astype('float32'))",
                "positions of weight 0 do not count",
            ),
        ),
    )


def _ignores_a_class(run: Run) -> bool:
    """Return whether a loss leaves out a class, or may do so by code of the user's."""
    apart = run.outputs_apart or (run,)
    kinds = [one.loss_kind for one in apart]
    return any(
        kind.family == "unknown" or kind.ignore_class is not None for kind in kinds
    )
