"""Numbers that an embedding cuts to whole ones."""

import keras
import numpy as np
import pytest
from made_runs import edited_facts, found, made_run

from keras_dlbasic.inspection.collect import data_facts

L = keras.layers
X = np.random.default_rng(0).random((50, 4)).astype("float32")


class Between(L.Embedding):
    """Takes any number, and gives what lies between two rows."""

    def call(self, x):
        low = keras.ops.floor(x)
        rest = keras.ops.expand_dims(x - low, -1)
        return (1 - rest) * super().call(low) + rest * super().call(low + 1)


def of(layer, *, nested=False):
    inputs = keras.Input((4,))
    if nested:
        layer = keras.Sequential([keras.Input((4,)), layer])
    return keras.Model(inputs, L.Flatten()(layer(inputs)))


@pytest.mark.parametrize("nested", [False, True])
def test_the_share_of_numbers_that_are_cut(nested):
    model = of(L.Embedding(9, 2), nested=nested)
    assert data_facts(X, None, model=model).inputs[0].not_whole == 1.0
    assert data_facts(np.round(9 * X), None, model=model).inputs[0].not_whole == 0.0
    some = X.copy()
    some[:25] = np.nan  # another fault
    assert data_facts(some, None, model=model).inputs[0].not_whole == 0.5


def test_layers_that_take_other_numbers():
    assert data_facts(X, None, model=of(Between(9, 2))).inputs[0].not_whole == 0.0
    assert data_facts(X, None, model=of(L.Dense(2))).inputs[0].not_whole == 0.0


@pytest.mark.parametrize(("share", "named"), [(0.06, True), (0.04, False)])
def test_they_are_named(share, named):
    record = made_run()
    with edited_facts(record) as facts:
        facts["data"]["inputs"][0] |= {"vocabulary": 9, "not_whole": share}
    finding = found(record, "token_ids_out_of_range")
    assert (finding is not None) == named
    assert not named or "cuts them to whole numbers" in finding.message
