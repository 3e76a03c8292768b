"""What watching costs once: importing, compiling a second step, keeping a record.

    KERAS_BACKEND=tensorflow python benchmarks/startup.py

Each figure is the median of three fresh processes.
"""

import json
import os
import statistics
import subprocess
import sys

IMPORT = """
import time, keras
begin = time.perf_counter()
import keras_dlbasic
print(time.perf_counter() - begin)
"""

FIRST_STEPS = """
import time, keras, numpy as np, keras_dlbasic as kd
every = {every!r}
callbacks = [] if every is None else [kd.callbacks.GradientNormMonitor(every)]
layers = [keras.layers.Dense(256, "relu") for _ in range(6)]
model = keras.Sequential([keras.Input((128,)), *layers, keras.layers.Dense(10)])
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
x, y = np.ones((32 * 40, 128), "float32"), np.zeros(32 * 40, "int32")
begin = time.perf_counter()
model.fit(x, y, batch_size=32, verbose=0, callbacks=callbacks)
print(time.perf_counter() - begin)
"""

RECORD = """
import tracemalloc, numpy as np
from keras_dlbasic.records import TrainingRecord, VariableInfo
variables = [VariableInfo(f"v{i}", f"l{i}", "kernel", (4, 4), i) for i in range(300)]
row = np.zeros((7, 300), np.float32)
tracemalloc.start()
record = TrainingRecord(variables)
for step in range(0, 1_000_000, 10):
    record.append_step(step, {"epoch": 0}, row)
print(tracemalloc.get_traced_memory()[0] / 1e6)
"""


def run(code):
    """Return the median of what `code` prints in three fresh processes."""
    found = []
    for _ in range(3):
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(float(done.stdout.split()[-1]))
    return round(statistics.median(found), 2)


if __name__ == "__main__":
    report = {
        "backend": os.environ.get("KERAS_BACKEND", "tensorflow"),
        "import keras_dlbasic after keras [s]": run(IMPORT),
        "first 40 steps, plain [s]": run(FIRST_STEPS.format(every=None)),
        "first 40 steps, auto [s]": run(FIRST_STEPS.format(every="auto")),
        "first 40 steps, every=1 [s]": run(FIRST_STEPS.format(every=1)),
        "record of a million steps, 300 variables [MB]": run(RECORD),
    }
    print(json.dumps(report, indent=1))
