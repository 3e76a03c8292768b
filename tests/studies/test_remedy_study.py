"""The remedies of a study, tried on small models."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic._trials.stratified import split, stratified_order
from keras_dlbasic.studies.batch_size.trial import warm_up
from keras_dlbasic.studies.remedies.arms import FAMILIES, input_kind

L = keras.layers
RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(40, 4, 4, 1)).astype("float32")
LABELS = np.arange(40) % 2


def build_model():
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            L.Flatten(),
            L.Dense(4, "relu"),
            L.Dense(2, "softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def build_text_model():
    layers = [L.Embedding(9, 3), L.GlobalAveragePooling1D(), L.Dense(2)]
    model = keras.Sequential([keras.Input((5,), dtype="int32"), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    return model


def study(**options):
    options = {"seeds": 1, "budget": {"updates": 2}, "verbose": 0, **options}
    build = options.pop("build_model", build_model)
    x = options.pop("x", IMAGES)
    return kd.studies.RemedyStudy(build, x, LABELS, **options)


@pytest.mark.once
def test_all_remedies():
    made = study(
        more_data=(IMAGES, LABELS), strengths={"ensemble": 2, "L1": 0.1, "L2": 0.1}
    )
    result = made.run()
    assert result.arms == (
        "untreated",
        "more data",
        "augmentation 0.05",
        "augmentation 0.1",
        "0.5 x the width",
        "L1 0.1",
        "L2 0.1",
        "dropout 0.2",
        "dropout 0.5",
        "batch normalization",
        "early stopping",
        "ensemble of 2",
    )
    statuses = {t.settings["remedy"]: (t.status, t.error) for t in result.trials}
    assert set(statuses.values()) == {("done", "")}
    assert set(FAMILIES) <= set(statuses)
    # the same initial weights in every arm, and none is sure with one seed
    assert len(set(result.trial_table()["initial_weights"])) == 1
    assert result.recommendation.remedy is None
    assert "held-out error" in str(result)
    sizes = result.values("parameters")
    assert sizes["0.5 x the width"] < sizes["untreated"] < sizes["ensemble of 2"]
    assert all(t.values["training_seconds"] > 0 for t in result.trials)
    assert len(result.trials[0].values["row_errors"]) == 12  # a share of 0.3


@pytest.mark.once("jax")
@pytest.mark.skipif(
    keras.backend.backend() == "torch",
    reason="each DataLoader draws from the generator that shuffles",
)
def test_untreated_is_what_a_plain_fit_gives():
    rows, held_out = slice(0, 30), (IMAGES[30:], LABELS[30:])
    result = kd.studies.RemedyStudy(
        build_model,
        IMAGES[rows],
        LABELS[rows],
        validation_data=held_out,
        remedies={"none": lambda model: None},  # fails before it is trained
        seeds=(3,),
        budget={"epochs": 2},
        batch_size=10,
        verbose=0,
    ).run()
    keras.utils.set_random_seed(3)
    model = build_model()
    warm_up(model, (IMAGES[rows], LABELS[rows]), 10, 30)  # as a first fit draws more
    keras.utils.set_random_seed(3)
    model.fit(IMAGES[rows], LABELS[rows], batch_size=10, epochs=2, verbose=0)
    expected = model.evaluate(*held_out, verbose=0)
    untreated, _ = result.trials
    assert untreated.values["val_loss"] == pytest.approx(expected, rel=1e-3)


@pytest.mark.once
def test_remedies_of_your_own_and_what_cannot_be_applied():
    def wider(model):
        return kd.remedies.resize(model, 2.0)

    def broken(model):
        raise ValueError("not this one")

    result = study(remedies={"wider": wider, "broken": broken}, seeds=2).run()
    assert result.arms == ("untreated", "wider", "broken")
    assert "2 of 2 trials failed: ValueError: not this one" in str(result)
    linear = study(
        build_model=build_text_model,
        x=RNG.integers(2, 9, size=(40, 5)),
        remedies=["dropout", "augmentation"],
        strengths={"dropout": 0.3},
        seeds=1,
    ).run()
    notes = linear.table()["note"]
    assert "would change nothing" in notes[1]
    assert linear.arms[2] == "augmentation 0.1"
    assert notes[2] == ""


@pytest.mark.once
def test_augmentations_by_input():
    model, text = build_model(), build_text_model()
    words = np.array(["a b", "c"], dtype=object)
    counts = np.eye(6, 9)
    assert input_kind(model, IMAGES) == "images"
    assert input_kind(text, np.ones((4, 5), int)) == "tokens"
    assert input_kind(model, words) == "texts"
    assert input_kind(model, counts) == "counts"
    assert input_kind(model, np.ones((3, 2))) == "features"
    with pytest.raises(ValueError, match="2 inputs"):
        input_kind(model, [counts, counts])

    def flat():
        layers = [keras.Input((16,)), L.Dense(3, "relu"), L.Dense(2, "softmax")]
        made = keras.Sequential(layers)
        made.compile("adam", "sparse_categorical_crossentropy")
        return made

    for x in (IMAGES.reshape(40, 16), np.maximum(IMAGES.reshape(40, 16) - 1, 0)):
        result = study(build_model=flat, x=x, remedies=["augmentation"]).run()
        assert [t.status for t in result.trials] == ["done"] * 2
    layer = kd.augmentation.ImageNoise(0.1, seed=7)
    for own in (layer, lambda x, y: (x + 1, y)):
        result = study(remedies=["augmentation"], augmentation=own).run()
        assert result.arms == ("untreated", "augmentation")
        assert [t.status for t in result.trials] == ["done"] * 2


@pytest.mark.once
def test_kept_and_not_run_again(tmp_path):
    options = {"remedies": ["L2"], "strengths": {"L2": (0.1, 0.2)}}
    first = study(directory=tmp_path, **options).run()
    files = {p: p.read_bytes() for p in tmp_path.glob("trials/*.json")}
    assert len(files) == 3
    again = study(directory=tmp_path, **options).run()
    assert str(first) == str(again)
    assert files == {p: p.read_bytes() for p in tmp_path.glob("trials/*.json")}
    with pytest.raises(ValueError, match="updates"):
        study(directory=tmp_path, budget={"updates": 3}, **options)


@pytest.mark.once
@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"remedies": ["prayer"]}, "prayer"),
        ({"remedies": ["more data"]}, "more_data"),
        ({"strengths": {"hope": 1}}, "hope"),
        ({"seeds": ()}, "one seed"),
        ({"budget": {"seconds": 3}}, "train alike"),
    ],
)
def test_bad_arguments(options, text):
    with pytest.raises(ValueError, match=text):
        study(**options)


@pytest.mark.once
def test_every_beginning_is_stratified():
    y = np.repeat([0, 1, 2], [60, 30, 10])
    order = stratified_order(y, 0)
    assert sorted(order) == list(range(100))
    for n in (10, 20, 37, 50, 99):
        shares = np.bincount(y[order[:n]], minlength=3) / n
        assert np.abs(shares - [0.6, 0.3, 0.1]).max() <= 1 / n
    assert (stratified_order(y, 1) != order).any()
    one_hot = stratified_order(np.eye(3)[y], 0)
    assert np.abs(np.bincount(y[one_hot[:50]]) - [30, 15, 5]).max() <= 1
    numbers = stratified_order(RNG.normal(size=100), 0)
    assert sorted(numbers) == list(range(100))
    rest, share = split(y, 0.2, 0)
    assert len(share) == 20
    assert sorted([*rest, *share]) == list(range(100))
    assert np.bincount(y[share]).tolist() == [12, 6, 2]
