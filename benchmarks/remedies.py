"""Does the remedy that `RemedyStudy` recommends help on data it has not seen?

Each set is split into training rows, held-out rows for the study, and fresh rows. The
study recommends a remedy on the first two; it is then trained anew, from other seeds,
against the untreated model, and both are scored on the fresh rows.

    python benchmarks/remedies.py digits-200 wine text --splits 2 --out remedies.jsonl
"""

import argparse
import importlib
import inspect
import json
import re
from pathlib import Path

import keras
import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

import keras_dlbasic as kd

SEEDS = 5
FRESH = range(100, 100 + SEEDS)


def compiled(*layers):
    model = keras.Sequential(layers)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def dense(shape, classes, width=64):
    def build_model():
        L = keras.layers
        return compiled(
            keras.Input(shape),
            L.Flatten(),
            L.Dense(width, "relu"),
            L.Dense(width, "relu"),
            L.Dense(classes, "softmax"),
        )

    return build_model


def digits(n, held_out=500):
    found = load_digits()
    x = (found.images[..., None] / 16).astype("float32")
    return x, found.target, n, held_out, dense((8, 8, 1), 10)


def table(load, n, held_out):
    found = load()
    x = found.data
    x = ((x - x.mean(axis=0)) / x.std(axis=0)).astype("float32")
    return x, found.target, n, held_out, dense(x.shape[1:], len(found.target_names))


def text(n=200, held_out=300, length=40, words=1000):
    """Tell from a sentence of its documentation which package a function is of."""
    rows, labels = [], []
    for label, name in enumerate(("numpy", "scipy.stats", "sklearn.metrics")):
        module = importlib.import_module(name)
        for _, value in sorted(vars(module).items()):
            doc = inspect.getdoc(value) if callable(value) else None
            # sentences of prose, without the words that give the package away
            for line in re.findall(r"[A-Z][a-z][^.]{30,}\.", doc or "")[:6]:
                line = re.sub(r"numpy|scipy|sklearn|scikit|np\b", " ", line.lower())
                rows.append(re.findall(r"[a-z]{2,}", line)[:length])
                labels.append(label)
    counts = {}
    for row in rows:
        for word in row:
            counts[word] = counts.get(word, 0) + 1
    known = sorted(counts, key=lambda w: (-counts[w], w))[: words - 2]
    ids = {word: place + 2 for place, word in enumerate(known)}
    x = np.zeros((len(rows), length), "int32")
    for place, row in enumerate(rows):
        x[place, : len(row)] = [ids.get(word, 1) for word in row]

    def build_model():
        L = keras.layers
        return compiled(
            keras.Input((length,), dtype="int32"),
            L.Embedding(words, 32),
            L.GlobalAveragePooling1D(),
            L.Dense(64, "relu"),
            L.Dense(3, "softmax"),
        )

    return x, np.array(labels), n, held_out, build_model


SETS = {
    **{f"digits-{n}": (lambda n=n: digits(n)) for n in (100, 200, 300)},
    "wine": lambda: table(load_wine, 60, 60),
    "breast-cancer": lambda: table(load_breast_cancer, 100, 200),
    "text": text,
}


def run(name, split, updates):
    x, y, n, held_out, build_model = SETS[name]()
    order = np.random.default_rng(split).permutation(len(y))
    parts = np.split(order, [n, n + held_out])
    train, known, fresh = ((x[rows], y[rows]) for rows in parts)
    options = {"budget": {"updates": updates}, "verbose": 0}
    result = kd.studies.RemedyStudy(
        build_model, *train, validation_data=known, seeds=SEEDS, **options
    ).run()
    print(
        f"\n== {name}, split {split}, {len(fresh[1])} fresh rows\n{result}", flush=True
    )
    row = {
        "set": name,
        "split": split,
        "rows": [len(part) for part in parts],
        "recommended": result.recommendation.remedy,
        "untreated": float(result.values("val_error")["untreated"].mean()),
        "table": {k: v.tolist() for k, v in result.table().items()},
    }
    best = result.recommendation.remedy
    if best is not None:
        trial = next(t for t in result.trials if result._name(t) == best)
        family, strength = trial.settings["remedy"], trial.settings["strength"]
        again = kd.studies.RemedyStudy(
            build_model,
            *train,
            validation_data=fresh,
            remedies=[family],
            strengths={} if strength is None else {family: strength},
            seeds=FRESH,
            **options,
        ).run()
        untreated, treated = (again.values("val_error")[arm] for arm in again.arms)
        row["fresh"] = [float(untreated.mean()), float(treated.mean())]
        row["seeds_better"] = int((treated < untreated).sum())
        print(
            f"fresh rows and seeds: {untreated.mean():.4f} -> {treated.mean():.4f}, "
            f"lower in {row['seeds_better']} of {SEEDS} seeds; "
            f"{again.differences[best]}",
            flush=True,
        )
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--splits", type=int, default=1)
    parser.add_argument("--updates", type=int, default=1500)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    for name in arguments.sets:
        for split in range(arguments.splits):
            row = run(name, split, arguments.updates)
            if arguments.out:
                with arguments.out.open("a") as file:
                    file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
