"""The one-call pictures of the textbook's topics show what the formulas say."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import keras_dlbasic as kd


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.mark.parametrize(("kind", "axis"), [("batch", 0), ("layer", 1)])
def test_normalization_gives_mean_0_and_variance_1_along_its_axis(kind, axis):
    x = np.random.default_rng(1).normal(3, 5, size=(9, 7))
    before, after = kd.plots.plot_normalization(x, kind=kind)
    np.testing.assert_array_equal(before.images[0].get_array(), x)
    shown = np.asarray(after.images[0].get_array())
    np.testing.assert_allclose(shown.mean(axis), 0, atol=1e-12)
    np.testing.assert_allclose(shown.var(axis), 1, rtol=1e-2)
    assert not np.allclose(shown.mean(1 - axis), 0, atol=0.05)
    (frame,) = after.patches
    assert (frame.get_height(), frame.get_width()) == ((9, 1), (1, 7))[axis]


def test_dropout_keeps_the_mean_and_drops_nothing_at_inference():
    ax = kd.plots.plot_dropout(0.25, units=4000, steps=3)
    factors = np.asarray(ax.images[0].get_array())
    assert set(np.unique(factors[:3])) == {0.0, 1 / 0.75}
    np.testing.assert_allclose(factors.mean(axis=1), 1.0, atol=0.03)
    assert (factors[-1] == 1).all()


def test_weights_are_counted_biases_are_not():
    small = np.full((5, 4), 1e-5)
    ax = kd.plots.plot_weights({"a": [np.ones((5, 4)), np.ones(9)], "b": small})
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["a: 0 % below 0.001", "b: 100 % below 0.001"]
    counted = [patch.get_xy()[:, 1].max() for patch in ax.patches]
    assert counted == [20, 20]


class Scripted:
    def __init__(self, output, members=(), logits=None):
        self.output, self.members, self.logits = np.array(output), members, logits

    def predict(self, x, **given):
        return self.output


@pytest.mark.parametrize(
    ("outputs", "y", "errors"),
    [
        # classes by number, by one-hot rows, by a probability, by a logit; values
        ([[[1, 0], [1, 0]], [[0, 1], [1, 0]]], [1, 0], [0.5, 0.0]),
        ([[[1, 0], [1, 0]], [[0, 1], [1, 0]]], [[0, 1], [1, 0]], [0.5, 0.0]),
        ([[[0.2], [0.2]], [[0.8], [0.2]]], [1, 0], [0.5, 0.0]),
        ([[[2.0], [2.0]], [[1.5], [2.5]]], [1.5, 2.5], [0.25, 0.0]),
    ],
)
def test_errors_of_members_and_ensemble(outputs, y, errors):
    members = [Scripted(outputs[0]), Scripted(outputs[1])]
    ax = kd.plots.plot_ensemble(Scripted(outputs[1], members), np.zeros(2), y)
    heights = [patch.get_height() for patch in ax.patches]
    np.testing.assert_allclose(heights, [*errors, errors[1]])
    assert ax.lines[0].get_ydata()[0] == pytest.approx(np.mean(errors))


def test_logits_are_cut_at_zero():
    member = Scripted([[0.2], [-0.2]])
    ensemble = Scripted([[0.2], [-0.2]], [member], logits="sigmoid")
    ax = kd.plots.plot_ensemble(ensemble, np.zeros(2), [1, 0])
    assert [patch.get_height() for patch in ax.patches] == [0, 0]


def test_xavier_halves_relu_signals_and_he_keeps_them():
    ax = kd.plots.plot_initializers("relu", depth=10, width=256)
    xavier, he = (np.array(line.get_ydata()) for line in ax.lines)
    # the same draws, scaled: exactly a half a layer
    np.testing.assert_allclose(xavier / he, 0.5 ** np.arange(11), rtol=1e-9)
    assert 0.5 < he[10] < 2
    xavier, _ = (line.get_ydata() for line in kd.plots.plot_initializers("tanh").lines)
    assert 0.01 < xavier[30] < 0.2  # falls as about 1 / depth


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("plot_normalization", {"kind": "row"}, "batch"),
        ("plot_normalization", {"x": [1, 2]}, "samples, features"),
        ("plot_dropout", {"rate": 1.0}, "below 1"),
        ("plot_weights", {"models": np.ones(3)}, "built model"),
        ("plot_initializers", {"activation": "softmax"}, "sigmoid"),
    ],
)
def test_errors_say_what_is_expected(name, arguments, words):
    with pytest.raises(ValueError, match=words):
        getattr(kd.plots, name)(**arguments)
