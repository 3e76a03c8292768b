"""Found before TensorFlow by child processes of other backends; see `conftest.py`."""

raise ImportError("hidden, as where it is not installed: importing it takes seconds")
