"""Run combinations that need two devices; print what came out as JSON.

Started by `test_combinations.py`, with `all` by `benchmarks/compatibility.py`.
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

import combinations


def main():
    """Run those of the quick ones that are for this backend, or all of them."""
    found = {}
    for combination in combinations.ALL:
        is_here = combinations.BACKEND in combination.expected
        if (
            combination.devices
            and is_here
            and (combination.when == "always" or sys.argv[1:])
        ):
            found[combination.title] = combinations.outcome(combination)
    sys.stdout.write("\n" + json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
