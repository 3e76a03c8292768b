"""Ways to train, and what watching each of them gives: the compatibility matrix.

Each file has the functions of one kind, each with its row of the matrix beside it.
`docs/guide/compatibility.md` is written from `ALL` by `benchmarks/compatibility.py`;
`gradients/test_ways_to_train.py` checks that each row says what is the case.
"""

# in the order of the guide
from ways_to_train import compiling, own_steps, data, callbacks, devices  # noqa: I001
from ways_to_train.way import ALL, BACKEND, outcome, says

__all__ = [
    "ALL",
    "BACKEND",
    "callbacks",
    "compiling",
    "data",
    "devices",
    "outcome",
    "own_steps",
    "says",
]
