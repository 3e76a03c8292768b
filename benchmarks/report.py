"""How large the report of a long, deep run is, and how fast a browser opens it.

    python benchmarks/report.py [--layers 200] [--steps 100000] [--pairs 7]

The record is made: random walks, with about as many sampled steps as a record keeps.
Chromium without a window takes a picture of the report and of an empty page, in turns;
what the first takes longer is the time that the report needs to be read, laid out and
painted.
"""

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

import keras_dlbasic as kd
from keras_dlbasic.analysis.activations.statistics import MEASURES as ACTIVATIONS
from keras_dlbasic.records import MEASURES, LayerTable, TrainingRecord, VariableInfo

SAMPLED, EPOCHS = 1000, 100
SIZES = {"desktop": "1280,2400", "phone": "390,2400"}


def made_record(layers, steps, rng):
    labels = [f"block_{number}/dense" for number in range(layers)]
    variables = [
        VariableInfo(f"{label}/{role}", label, role, shape, depth)
        for depth, label in enumerate(labels)
        for role, shape in (("kernel", (64, 64)), ("bias", (64,)))
    ]
    record = TrainingRecord(variables, {"backend": "made", "model": "made"})
    record.tables["activations"] = table = LayerTable(labels, ACTIVATIONS)
    walk = rng.normal(size=(len(MEASURES), len(variables)))
    places = np.unique(np.linspace(0, steps - 1, SAMPLED).astype(int))
    for step in places:
        walk += 0.1 * rng.normal(size=walk.shape)
        values = np.exp(walk)
        values[MEASURES.index("non_finite")] = 0
        values[MEASURES.index("clip_factor")] = np.minimum(1, values[-1])
        epoch = int(step * EPOCHS / steps)
        record.append_step(int(step), {"epoch": epoch, "batch_loss": 1.0}, values)
    for epoch in range(EPOCHS):
        loss = 1 / (epoch + 1)
        record.append_epoch(epoch, {"loss": loss, "val_loss": loss + 0.002 * epoch})
        shares = rng.uniform(size=(len(ACTIVATIONS), layers))
        named = dict(zip(ACTIVATIONS, shares, strict=True))
        table.append((epoch + 1) * steps // EPOCHS, epoch, named)
    return record


def seconds_to_open(chromium, page, size, folder):
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu"]
    command += [f"--window-size={size}", f"--screenshot={folder / 'page.png'}"]
    command += [f"--user-data-dir={folder / 'profile'}", page.as_uri()]
    begin = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True, timeout=120)
    return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=200)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--pairs", type=int, default=7)
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        page, empty = folder / "report.html", folder / "empty.html"
        empty.write_text("<!doctype html><title>empty</title>")
        record = made_record(options.layers, options.steps, np.random.default_rng(0))
        begin = time.perf_counter()
        kd.diagnose(record).to_html(page)
        print(f"written in {time.perf_counter() - begin:.1f} s")
        print(f"size: {page.stat().st_size / 1e6:.2f} MB")
        if chromium is None:
            print("chromium is not installed")
            return
        for kind, size in SIZES.items():
            measured = [
                [seconds_to_open(chromium, p, size, folder) for p in (page, empty)]
                for _ in range(options.pairs + 1)
            ][1:]  # the first makes the profile
            report, plain = map(statistics.median, zip(*measured, strict=True))
            longer = [a - b for a, b in measured]
            print(
                f"{kind}: {report:.2f} s with the start of the browser, "
                f"{statistics.median(longer):.2f} s more than an empty page "
                f"(largest {max(longer):.2f}; empty {plain:.2f})"
            )


if __name__ == "__main__":
    main()
