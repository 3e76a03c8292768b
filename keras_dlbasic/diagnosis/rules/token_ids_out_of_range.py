"""Ids that an embedding has no row for."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_FINITE, NOT_LEARNING

EXPLAINS = tuple(dict.fromkeys((*NOT_FINITE, *NOT_LEARNING)))


@rule(kind="cause", explains=EXPLAINS, needs=("inputs",))
def token_ids_out_of_range(run: Run) -> Verdict:
    """Compare token ids with the number of rows of their embedding.

    The effect of an invalid id depends on the backend: an error, NaN, or the vector of
    another word.
    """
    known = [facts for facts in run.inputs if facts.vocabulary is not None]
    if not known:
        layers = run.facts.layers
        if layers and all(layer.kind != "embedding" for layer in layers):
            return Fine("the model has no embedding")
        return Skipped("no embedding takes the inputs as they are")
    for facts in known:
        if not facts.beyond_vocabulary:
            continue
        size = facts.vocabulary or 0
        return Finding(
            severity="critical",
            message=(
                f"{facts.beyond_vocabulary} rows of input {facts.name!r} contain token "
                f"ids outside of 0 to {size - 1}, the range of the embedding (ids are "
                f"from {facts.min:.0f} to {facts.max:.0f}). Depending on the backend, "
                "they give an error, NaN or the vector of another token."
            ),
            value=float(facts.beyond_vocabulary),
            threshold=0.0,
            unit="rows",
            confidence=0.99,
            evidence={"vocabulary": size, "max": facts.max, "min": facts.min},
            remedies=(
                suggest.by_hand(
                    f"keras.layers.Embedding({int(max(facts.max, size - 1)) + 1}, ...)"
                    if facts.min >= 0
                    else "number the tokens from 0",
                    "`input_dim` must be the largest token id plus 1",
                ),
                suggest.by_hand(
                    f"np.where(x < {size}, x, 1)  # 1: the id of unknown words",
                    "maps rare tokens to the id of unknown tokens",
                ),
            ),
        )
    return Fine("the embedding has a row for every id")
