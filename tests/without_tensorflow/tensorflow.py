"""Found before TensorFlow by child processes of PyTorch's tests; see `conftest.py`."""

raise ImportError("hidden, as where it is not installed: importing it takes seconds")
