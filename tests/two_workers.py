"""Train with TensorFlow's strategy for several workers; print what Keras makes of it.

    python two_workers.py RANK PORT

Started twice by `gradients/test_two_processes.py`.
"""

import json
import os
import sys
import warnings

RANK, PORT = int(sys.argv[1]), int(sys.argv[2])


def main():
    workers = [f"127.0.0.1:{PORT}", f"127.0.0.1:{PORT + 1}"]
    task = {"type": "worker", "index": RANK}
    os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": workers}, "task": task})
    import tensorflow as tf

    strategy = tf.distribute.MultiWorkerMirroredStrategy()  # before all else

    import keras
    import numpy as np

    import keras_dlbasic as kd
    from keras_dlbasic.gradients.limits import reason_not_to_watch

    rows = np.ones((16, 4), "float32"), np.ones((16, 1), "float32")
    found = {"errors": []}
    for watch in (False, True):
        with strategy.scope():
            model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
            model.compile("sgd", "mse")
        data = tf.data.Dataset.from_tensor_slices(rows).batch(8)
        options = tf.data.Options()
        policy = tf.data.experimental.AutoShardPolicy.DATA
        options.experimental_distribute.auto_shard_policy = policy
        callbacks = [kd.callbacks.GradientNormMonitor(every=1)] if watch else []
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                data = data.with_options(options)
                model.fit(data, verbose=0, callbacks=callbacks)
            found["errors"].append(None)
        except Exception as error:
            found["errors"].append(f"{type(error).__name__}: {error}")
    found["reason"] = reason_not_to_watch(model)
    sys.stdout.write("\n" + json.dumps(found) + "\n")
    sys.stdout.flush()
    os._exit(0)  # the cluster of a failed fit would wait for the other worker


if __name__ == "__main__":
    main()
