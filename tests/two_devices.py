"""Train in the ways that need two devices; print what came out as JSON.

Started by `test_ways_to_train.py`: the quick ones, or with `all` each of them.
"""

import json
import os
import sys
from pathlib import Path

if os.environ["KERAS_BACKEND"] == "tensorflow":  # before anything touches the devices
    import tensorflow as tf

    processor = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(processor, two)

sys.path.insert(0, str(Path(__file__).parent))

import ways_to_train


def main():
    """Run those of the quick ones that are for this backend, or all of them."""
    found, quick = {}, ("always", ways_to_train.BACKEND)
    for way in ways_to_train.ALL:
        is_here = ways_to_train.BACKEND in way.expected
        if way.devices and is_here and (way.runs in quick or sys.argv[1:]):
            found[way.title] = ways_to_train.outcome(way)
    sys.stdout.write("\n" + json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
