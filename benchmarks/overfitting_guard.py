"""The 40 published curves of OverfitGuard, with the labels of its authors.

    python benchmarks/overfitting_guard.py [folder `data/testing/real_world_data`]

The curves are those of the replication package of Li et al., "Keeping deep learning
models in check: a history-based approach to mitigate overfitting" (arXiv 2401.10359),
29 that overfit and 11 that do not; they are not part of this repository. Judged at the
end and after each epoch, once at any severity and once from "warning".
"""

import json
import sys
from pathlib import Path

import numpy as np

from keras_dlbasic.analysis import detect_overfitting

FEWEST = 5


def load(folder):
    """Return name, training loss, validation loss and label of each curve."""
    curves = []
    for path in sorted(Path(folder).rglob("*.json")):
        log = json.loads(path.read_text())
        train, val = (
            np.array(log[log[name]], np.float64)
            for name in ("train_metric", "monitor_metric")
        )
        n = min(len(train), len(val))
        is_bad = "non_overfit" not in path.parts
        curves.append((path.stem, train[:n], val[:n], is_bad))
    return curves


def main(folder, every=5):
    """Print precision, recall, F1 and each curve that is judged otherwise."""
    curves = load(folder)
    for level in ("info", "warning"):
        found = [
            detect_overfitting(train, val, min_severity=level).detected
            for _, train, val, _ in curves
        ]
        truth = [is_bad for *_, is_bad in curves]
        hits = sum(f and t for f, t in zip(found, truth, strict=True))
        f1 = 2 * hits / max(sum(found) + sum(truth), 1)
        print(
            f"{level}: {len(curves)} curves, precision {hits / max(sum(found), 1):.3f} "
            f"recall {hits / sum(truth):.3f} F1 {f1:.3f}"
        )
        for (name, _, _, is_bad), is_found in zip(curves, found, strict=True):
            if is_bad != is_found:
                print("  ", name, "missed" if is_bad else "flagged")
    live = [
        any(
            detect_overfitting(train[:n], val[:n], min_severity="warning").detected
            for n in range(FEWEST, len(val) + 1, int(every))
        )
        for _, train, val, is_bad in curves
        if not is_bad
    ]
    print(f"healthy curves flagged on the way, from warning: {np.mean(live):.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
