"""Back-translation and word noise: nothing is lost, whatever a translator does."""

import copy
from collections import Counter

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import keras_dlbasic as kd

A = kd.augmentation
WORDS = {"good": "fine", "film": "movie"}


def there(texts):
    return [f"<{text}>" for text in texts]


def back(texts):
    found = []
    for text in texts:
        text = text.removeprefix("<").removesuffix(">")
        for word, other in WORDS.items():
            text = text.replace(word, other)
        found.append(text)
    return found


def translated(texts, to_pivot=there, from_pivot=back, **options):
    augment = A.BackTranslation(to_pivot, from_pivot, verbose=0, **options)
    return augment, augment(texts)


@pytest.mark.once
def test_other_words():
    augment, found = translated(["good film", "bad", ""])
    assert found == ["fine movie", "bad", ""]
    assert augment.counts == {"changed": 1, "same": 2}
    rows = augment.extend(["good", "bad"], np.array([[1], [0]]), ["a", "b"])
    assert rows[0] == ["good", "bad", "fine"]
    assert rows[1].tolist() == [[1], [0], [1]]
    assert rows[2] == ["a", "b", "a"]


@pytest.mark.once
def test_batches_and_progress(capsys):
    sizes = []

    def counted(texts):
        sizes.append(len(texts))
        return there(texts)

    augment = A.BackTranslation(counted, back, batch_size=4)
    assert augment(["good"] * 10) == ["fine"] * 10
    assert sizes == [4, 4, 2]
    assert "10/10" in capsys.readouterr().out


@pytest.mark.once
@pytest.mark.parametrize("leg", ["to_pivot", "from_pivot"])
def test_a_translator_that_fails(leg):
    def failing(texts):
        if any("film" in text for text in texts):
            raise RuntimeError("out of memory\nand more")
        return there(texts) if leg == "to_pivot" else back(texts)

    message = (
        r"1 of 3 texts were kept unchanged: 1 failed .*RuntimeError: out of memory\)"
    )
    with pytest.warns(UserWarning, match=message):
        augment, found = translated(["good", "a film", "good one"], **{leg: failing})
    assert found == ["fine", "a film", "fine one"]
    assert augment.counts == {"changed": 2, "failed": 1}
    assert augment.first_error == "RuntimeError: out of memory"


@pytest.mark.once
@pytest.mark.parametrize("leg", ["to_pivot", "from_pivot"])
@pytest.mark.parametrize("given_back", ["fewer", "more", "none", "a text"])
def test_another_number_of_texts(leg, given_back):
    """A translator that leaves out a sentence, which shifts all that follow."""

    def odd(texts):
        found = (there if leg == "to_pivot" else back)(texts)
        wrong = [text for text in found if "film" in text or "movie" in text]
        if not wrong:
            return found
        kept = [text for text in found if text not in wrong]
        return {
            "fewer": kept,
            "more": found + wrong,
            "none": None,
            "a text": "".join(found),
        }[given_back]

    with pytest.warns(
        UserWarning, match="1 of 3 texts were kept.*1 got no translation"
    ):
        augment, found = translated(["a film", "good", "good one"], **{leg: odd})
    assert found == ["a film", "fine", "fine one"]
    assert augment.counts == {"changed": 2, "missing": 1}


@pytest.mark.once
def test_empty_translations():
    def emptying(texts):
        return [" " if "film" in t else None if "x" in t else t for t in texts]

    message = (
        "2 of 3 texts were kept unchanged: 1 got no translation, 1 came back empty"
    )
    with pytest.warns(UserWarning, match=message):
        augment, found = translated(["a film", "good", "x"], emptying)
    assert found == ["a film", "fine", "x"]
    assert augment.counts == {"changed": 1, "empty": 1, "missing": 1}


@pytest.mark.once
@given(
    st.lists(st.text(alphabet="ab <", max_size=5), max_size=12),
    st.lists(st.sampled_from(["ok", "raise", "drop", "blank", "none"]), min_size=12),
    st.integers(1, 5),
)
@pytest.mark.filterwarnings("ignore:.*were kept unchanged")
def test_nothing_is_lost(texts, fates, batch_size):
    fate = dict(zip(texts, fates, strict=False))

    def troubled(given_texts):
        if any(fate[t] == "raise" for t in given_texts):
            raise ValueError
        made = {"ok": "T", "blank": "", "none": None}
        return [made[fate[t]] for t in given_texts if fate[t] != "drop"]

    augment, found = translated(texts, troubled, lambda t: t, batch_size=batch_size)
    expected = ["T" if text.strip() and fate[text] == "ok" else text for text in texts]
    assert found == expected
    assert sum(augment.counts.values()) == len(texts)
    names = {"raise": "failed", "drop": "missing", "blank": "empty", "none": "missing"}
    counted = Counter(names[fate[t]] for t in texts if t.strip() and fate[t] != "ok")
    assert {n: augment.counts[n] for n in counted} == counted


@pytest.mark.once
def test_forms():
    augment = A.BackTranslation(there, back, verbose=0)
    found = augment(np.array([["good"], ["bad"]]))
    assert found.tolist() == [["fine"], ["bad"]]
    assert augment(np.array([b"good"], dtype=object)).tolist() == ["fine"]
    assert augment([]) == []
    assert copy.deepcopy(augment)(["good"]) == ["fine"]
    for wrong in ("a text", [1], np.arange(3), None):
        with pytest.raises(TypeError, match="Expected"):
            augment(wrong)
    with pytest.raises(TypeError, match="to_pivot"):
        A.BackTranslation("de", back)
    with pytest.raises(ValueError, match="batch_size"):
        A.BackTranslation(there, back, batch_size=0)


@pytest.mark.once
def test_interrupts_pass():
    def interrupted(texts):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        translated(["good"], interrupted)


@pytest.mark.once
@given(st.text(alphabet="abc ", max_size=40), st.floats(0, 1), st.integers(0, 99))
def test_noise_keeps_words(text, strength, seed):
    (found,) = A.TextNoise(strength, seed=seed)([text])
    assert Counter(found.split()) <= Counter(text.split())
    assert bool(found.split()) == bool(text.split())
    assert A.TextNoise(strength, seed=seed)([text]) == [found]


@pytest.mark.once
def test_noise_is_as_strong_as_it_says():
    text = " ".join(f"w{place}" for place in range(4000))
    (found,) = A.TextNoise(0.2, seed=0)([text])
    words = [int(word[1:]) for word in found.split()]
    assert len(words) == pytest.approx(3200, rel=0.03)
    swapped = (np.diff(words) < 0).mean()
    assert swapped == pytest.approx(0.2 / 1.2, rel=0.15)
    assert A.TextNoise(0.0)([text]) == [text]
    assert copy.deepcopy(A.TextNoise(0.5, seed=1))([text]) == (
        A.TextNoise(0.5, seed=1)([text])
    )
    with pytest.raises(ValueError, match="strength=-1"):
        A.TextNoise(-1)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="its own")
def test_in_tf_data():
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices((["good film", "bad", "ça"], [1, 0, 1]))
    augment = A.BackTranslation(there, back)
    for batched in (data.batch(2), data):
        step = batched.map(lambda t, y: (augment(t), y), num_parallel_calls=2)
        found = (
            [t.numpy() for t, _ in step.unbatch()]
            if batched is not data
            else [t.numpy() for t, _ in step]
        )
        assert found == [b"fine movie", b"bad", "ça".encode()]
    assert augment.counts["changed"] == 2
    assert augment(tf.constant(["good"])).numpy().tolist() == [b"fine"]
    noise = A.TextNoise(0.5, seed=0)
    assert next(iter(data.map(lambda t, y: noise(t)))).shape == ()
