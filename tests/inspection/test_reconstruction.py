"""An autoencoder is compared with what can go through as few units."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import r2_score

from keras_dlbasic.analysis import TaskKind
from keras_dlbasic.diagnosis.loss_kind import LossKind
from keras_dlbasic.inspection.output_probe import OutputProbe
from keras_dlbasic.inspection.reconstruction import component_skill, narrowest
from keras_dlbasic.records import LayerFacts

RNG = np.random.default_rng(1)
X = np.tanh(RNG.normal(size=(120, 4)) @ RNG.normal(size=(4, 12)))


def references(y, units):
    probe = OutputProbe(y, "mse", LossKind.of("mse"), TaskKind.VALUES, None)
    return probe.facts([X], y.shape, units).references


def test_what_an_autoencoder_is_compared_with():
    assert list(references(X, 2)) == ["components"]
    assert references(X, None) == {}
    assert references(X, 12) == {}
    assert references(X + 0.2 * RNG.normal(size=X.shape), 2) == {}  # to be cleaned
    assert set(references(X[:, ::-1], 2)) == {"linear", "neighbours"}


def test_components_are_those_of_scikit_learn():
    given = np.empty_like(X)
    for first in (0, 1):
        fitted = PCA(3).fit(X[1 - first :: 2])
        given[first::2] = fitted.inverse_transform(fitted.transform(X[first::2]))
    expected = r2_score(X, given, multioutput="variance_weighted")
    # skill is relative to the mean of all rows
    found = component_skill(X, 3, "values")["components"]
    assert found == pytest.approx(expected)
    assert 0.3 < found < 0.99


def test_the_narrowest_layer():
    def layer(kind, units):
        return LayerFacts(kind, kind=kind, units=units, gain=1.0)

    assert narrowest([layer("dense", 8), layer("dense", 3), layer("dense", 12)]) == 3
    assert narrowest([layer("convolution", 2), layer("dense", 12)]) is None
    assert narrowest([]) is None
