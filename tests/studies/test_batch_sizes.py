import keras
import numpy as np
import pytest

from keras_dlbasic.studies import resolve_batch_size

X = np.zeros((20, 3))


@pytest.mark.parametrize(
    ("choice", "expected"),
    [("full", 20), ("single", 1), ("mini", 20), (7, 7)],
)
def test_numbers(choice, expected):
    assert resolve_batch_size(choice, X) == expected


def test_structures():
    assert resolve_batch_size("full", {"a": X, "b": [X, X]}) == 20
    with pytest.raises(ValueError, match="same number of samples"):
        resolve_batch_size("full", [X, X[:5]])


@pytest.mark.parametrize("choice", ["batch", 0, -1, 2.5, True, None])
def test_other_choices_are_refused(choice):
    with pytest.raises((ValueError, TypeError)):
        resolve_batch_size(choice, X)


def test_what_makes_its_own_batches_is_refused():
    class Own(keras.utils.PyDataset):
        def __len__(self):
            return 1

        def __getitem__(self, index):
            return X, X

    with pytest.raises(TypeError, match="ignores `batch_size`"):
        resolve_batch_size("full", Own())
    with pytest.raises(TypeError, match="ignores `batch_size`"):
        resolve_batch_size("full", iter(()))


def test_numbers_are_no_arrays():
    with pytest.raises(TypeError, match="numpy.asarray"):
        resolve_batch_size("full", [1.0, 2.0])
