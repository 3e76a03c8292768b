"""What a monitor writes into `logs` reaches MLflow, here in a folder on this machine.

    pip install mlflow-skinny scikit-learn
    python examples/mlflow_logs.py mlflow-output

The callback that logs stands behind the monitor, so that it sees what that has added.
W&B's `WandbMetricsLogger` and Keras' `CSVLogger` take its place just so.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # MLflow 3 asks for it

import keras
import mlflow
from sklearn.datasets import load_digits

import keras_dlbasic as kd


class LogsToMlflow(keras.callbacks.Callback):
    """Log what `fit` has logged of each epoch."""

    def on_epoch_end(self, epoch, logs=None):
        """Send the numbers of the epoch."""
        numbers = {name: float(value) for name, value in (logs or {}).items()}
        mlflow.log_metrics(numbers, step=epoch)


def main(folder):
    """Train with a monitor, log, and return the metrics that MLflow has read back."""
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri((folder / "mlruns").as_uri())
    x, y = load_digits(return_X_y=True)
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(32, "relu"), keras.layers.Dense(10, "softmax")]
    model = keras.Sequential([keras.Input((64,)), *layers])
    model.compile("adam", "sparse_categorical_crossentropy")
    monitor = kd.callbacks.GradientNormMonitor()
    with mlflow.start_run() as run:
        watch = [monitor, LogsToMlflow()]
        model.fit(x[:300] / 16, y[:300], epochs=3, verbose=0, callbacks=watch)
        monitor.record.save(folder / "run.npz")  # what is measured by layer
        mlflow.log_artifact(str(folder / "run.npz"))
    client = mlflow.MlflowClient()
    names = client.get_run(run.info.run_id).data.metrics
    return {
        name: [m.value for m in client.get_metric_history(run.info.run_id, name)]
        for name in names
    }


if __name__ == "__main__":
    found = main(sys.argv[1] if len(sys.argv) > 1 else "mlflow-output")
    for name, values in found.items():
        print(name, [round(value, 4) for value in values])
