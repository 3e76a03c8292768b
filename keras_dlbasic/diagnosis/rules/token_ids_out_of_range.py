"""Ids that an embedding has no row for, and numbers that are no ids."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_FINITE, NOT_LEARNING
from keras_dlbasic.records import InputFacts

EXPLAINS = tuple(dict.fromkeys((*NOT_FINITE, *NOT_LEARNING)))


@rule(kind="cause", explains=EXPLAINS, needs=("inputs",))
def token_ids_out_of_range(run: Run, *, cut: float = 0.05) -> Verdict:
    """Compare token ids with the number of rows of their embedding.

    The effect of an invalid id depends on the backend: an error, NaN, or the vector of
    another word. Numbers that are not whole, such as scaled ids, are cut.

    Args:
        run: The run.
        cut: Minimum share of such numbers for a finding.
    """
    known = [facts for facts in run.inputs if facts.vocabulary is not None]
    if not known:
        layers = run.facts.layers
        if layers and all(layer.kind != "embedding" for layer in layers):
            return Fine("the model has no embedding")
        return Skipped("no embedding takes the inputs as they are")
    for facts in known:
        if facts.not_whole >= cut:
            return _not_ids(facts, cut)
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


def _not_ids(facts: InputFacts, limit: float) -> Finding:
    return Finding(
        severity="critical",
        message=(
            f"{facts.not_whole:.0%} of the numbers in input {facts.name!r} are not "
            f"whole (they are from {facts.min:.3g} to {facts.max:.3g}), but an "
            "embedding takes them as ids and cuts them to whole numbers. What lies "
            "behind the decimal point is lost."
        ),
        value=facts.not_whole,
        threshold=limit,
        unit="share of the numbers",
        confidence=0.97,
        evidence={"min": facts.min, "max": facts.max},
        remedies=(
            suggest.by_hand(
                "pass the ids as they are, not scaled",
                "an embedding looks up one row for each whole number from 0",
            ),
            suggest.by_hand(
                "keras.layers.Dense(units) in place of the embedding",
                "numbers that are no ids can be weighted, and not looked up",
            ),
        ),
    )
