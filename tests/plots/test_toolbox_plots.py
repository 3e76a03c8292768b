"""Pictures of the overfitting toolbox: what is drawn, from scripted results."""

import numpy as np
import pytest

import keras_dlbasic as kd


class Brighter:
    """A layer, as a plot sees it."""

    def get_config(self):
        return {}

    def __call__(self, images, training):
        assert training
        return images + 0.5


def test_augmented_images_beside_originals():
    images = np.random.default_rng(0).uniform(size=(5, 4, 4, 1))
    axes = kd.plots.plot_augmentation(Brighter(), images, rows=2, copies=3)
    assert axes.shape == (2, 4)
    drawn = [np.asarray(ax.images[0].get_array()) for ax in axes[1]]
    low, high = images[:2].min(), images[:2].max()
    np.testing.assert_allclose(drawn[0], (images[1, ..., 0] - low) / (high - low))
    assert drawn[3].mean() > drawn[0].mean()
    grey = kd.plots.plot_augmentation(lambda x: x, images[..., 0], rows=1, copies=1)
    assert grey.shape == (1, 2)
    rgb = kd.plots.plot_augmentation(
        lambda x: x, np.zeros((1, 4, 4, 3)), rows=1, copies=1
    )
    assert rgb[0, 0].images[0].get_array().shape == (4, 4, 3)
    with pytest.raises(ValueError, match="2 x 4 axes"):
        kd.plots.plot_augmentation(Brighter(), images, rows=2, copies=3, ax=axes[0])
    with pytest.raises(ValueError, match="something to draw"):
        kd.plots.plot_augmentation(Brighter(), images[:0])


def test_augmented_texts_beside_originals():
    texts = ["a good film", "bad"]
    ax = kd.plots.plot_augmentation(lambda t: ["a fine film", "bad"], texts)
    words = [text.get_text() for text in ax.texts]
    assert "a fine film" in words
    assert "(as it was)" in words
