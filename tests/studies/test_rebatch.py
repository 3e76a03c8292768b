import keras
import numpy as np
import pytest

from keras_dlbasic.studies import rebatch, resolve_batch_size

X = np.arange(20, dtype="float32").reshape(10, 2)
BACKEND = keras.backend.backend()


def tensorflow_data():
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices((X, X[:, 0])).batch(4)


def torch_data(**options):
    torch = pytest.importorskip("torch")
    pairs = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(X[:, 0]))
    return torch.utils.data.DataLoader(pairs, batch_size=4, **options)


# importing another backend than the one that runs takes long
MAKE = {"tensorflow": [tensorflow_data], "torch": [torch_data]}.get(BACKEND, [])
SIZES = [("full", [10]), ("mini", [10]), ("single", [1] * 10), (3, [3, 3, 3, 1])]


@pytest.mark.parametrize("make", MAKE)
@pytest.mark.parametrize(("choice", "expected"), SIZES)
def test_same_samples_in_other_batches(make, choice, expected, capsys):
    made = rebatch(make(), choice)
    batches = [np.asarray(x) for x, _ in made]
    assert [len(batch) for batch in batches] == expected
    np.testing.assert_array_equal(np.concatenate(batches), X)
    size = max(expected) if choice != "mini" or BACKEND == "torch" else 32
    assert f"rebatched: {size} sample" in capsys.readouterr().out


@pytest.mark.parametrize("make", MAKE)
def test_keras_takes_it(make):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    data = rebatch(make(), "full", verbose=0)
    model.fit(data, epochs=2, shuffle=False, verbose=0)
    assert int(model.optimizer.iterations) == 2


@pytest.mark.skipif(BACKEND != "torch", reason="a DataLoader")
def test_order_of_a_data_loader():
    """Draw from the loader's own generator, as the loader would."""
    import torch

    def orders(change):
        generator = torch.Generator().manual_seed(3)
        loader = change(torch_data(shuffle=True, generator=generator, drop_last=True))
        assert loader.generator is generator
        return [torch.cat([x[:, 0] for x, _ in loader]).tolist() for _ in range(2)]

    first, second = orders(lambda loader: rebatch(loader, "full", verbose=0))
    assert first != second
    assert sorted(first) == X[:, 0].tolist()
    assert [o[:8] for o in (first, second)] == orders(lambda loader: loader)


@pytest.mark.skipif(BACKEND != "torch", reason="a DataLoader")
def test_data_loaders_that_are_refused():
    import torch

    class Own(torch.utils.data.DataLoader):
        pass

    pairs = torch_data().dataset
    sampler = torch.utils.data.BatchSampler(range(10), 2, False)
    with pytest.raises(TypeError, match="custom DataLoader"):
        rebatch(Own(pairs), 2)
    with pytest.raises(TypeError, match="batch_sampler"):
        rebatch(torch.utils.data.DataLoader(pairs, batch_sampler=sampler), 2)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="a tf.data.Dataset")
def test_without_an_end():
    data = tensorflow_data().repeat()
    with pytest.raises(ValueError, match="repeats forever"):
        rebatch(data, "full")
    assert len(next(iter(rebatch(data, 5, verbose=0)))[0]) == 5


@pytest.mark.parametrize("make", MAKE)
def test_the_number_is_refused_with_the_way_out(make):
    with pytest.raises(TypeError, match=r"studies\.rebatch"):
        resolve_batch_size("full", make())
    with pytest.raises(ValueError, match="`batch_size`"):
        rebatch(make(), "all")


def test_what_cannot_be_rebatched():
    with pytest.raises(TypeError, match="resolve_batch_size"):
        rebatch(X, 2)
    with pytest.raises(TypeError, match="where it is made"):
        rebatch(iter(()), 2)
