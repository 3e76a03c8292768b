"""Padding that a recurrent layer reads as input."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


@rule(kind="cause", explains=NOT_LEARNING, needs=("inputs", "network"))
def unmasked_padding(run: Run, *, share: float = 0.3, steps: float = 8.0) -> Verdict:
    """Look for padding at the end of sequences that nothing masks.

    A recurrent layer that gives its last state alone has read the padding after the
    last word, and forgets a little at every step. It may learn not to, so this counts
    where a run gets nowhere.

    Args:
        run: The run.
        share: Mean share of padding at the end of sequences that counts.
        steps: Mean number of its steps that counts.
    """
    reader = run.model.padding_reader
    found = [facts for facts in run.inputs if facts.padding >= share]
    found = [facts for facts in found if facts.padding * facts.shape[1] >= steps]
    if reader is None:
        return Fine("no recurrent layer reads what is masked by nothing")
    if not found:
        return Fine("sequences do not end in long padding")
    facts = found[0]
    masked = (
        "keras.layers.Embedding(..., mask_zero=True)  # words from 1 on"
        if facts.is_ids
        else "keras.layers.Masking(mask_value=0.0)"
    )
    return Finding(
        severity="info",
        risk="critical",
        message=(
            f"{facts.padding:.0%} of the steps of a sequence are padding at its end, "
            f"{facts.padding * facts.shape[1]:.0f} steps, and layer {reader!r} reads "
            "them as input: it gives its state after the last of them."
        ),
        value=facts.padding,
        threshold=share,
        unit="share of the steps",
        # a layer may learn to keep its state: before training it is a remark
        confidence=0.75,
        note=False,
        remedies=(
            suggest.by_hand(masked, "padding then is skipped"),
            suggest.by_hand(
                'keras.utils.pad_sequences(sequences, padding="pre")',
                "the last step then is the last word",
            ),
        ),
    )
