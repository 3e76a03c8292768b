"""Blind programs whose layers, masks, starts or states do not suit."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


class Residual(L.Layer):
    """Two normalized convolutions that are added to what goes in."""

    def __init__(self, filters, always, **kwargs):
        super().__init__(**kwargs)
        self.always = always
        self.convolutions = [L.Conv2D(filters, 3, padding="same") for _ in range(2)]
        self.norms = [L.BatchNormalization(momentum=0.9) for _ in range(2)]

    def call(self, x, training=False):
        training = True if self.always else training
        h = ops.relu(self.norms[0](self.convolutions[0](x), training=training))
        h = self.norms[1](self.convolutions[1](h), training=training)
        return ops.relu(x + h)


@program(
    kind="statistics of the batch in prediction",
    family="residual network of one's own layers",
    half="blind",
    address="https://community.deeplearning.ai/t/keras-predict-giving-different-results-depending-on-how-used/87440",
    symptom="predict gives other results for a single picture than for many",
    cause="training=True is written into the calls of batch normalization",
    truth=("rows_mixed",),
    also=("normalization_lag", "normalization_small_batch", "random_at_inference"),
)
def predicts_by_its_batch(repaired):
    x, y, new, new_y = data.digits(520)
    inputs = keras.Input((8, 8, 1))
    h = L.Conv2D(10, 3, padding="same")(inputs)
    h = Residual(10, always=not repaired)(h)
    h = Residual(10, always=not repaired)(h)
    h = L.GlobalAveragePooling2D()(h)
    h = L.Dense(32)(h)
    h = L.BatchNormalization(momentum=0.9)(h, training=None if repaired else True)
    h = L.Activation("relu")(h)
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(h))
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])

    def score(model, history):
        out = model.predict(new[:80], batch_size=1, verbose=0)
        return float((out.argmax(-1) == new_y[:80]).mean())

    options = {"epochs": 10, "batch_size": 26, "validation_data": (new, new_y)}
    return Fit(model, x, y, score, options)


class Mish(L.Layer):
    """An activation of one's own."""

    def __init__(self, passes_masks, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = passes_masks

    def call(self, x):
        return x * ops.tanh(ops.softplus(x))


@program(
    kind="mask gets lost",
    family="text classifier of one's own layers",
    half="blind",
    address="https://github.com/abr/keras-lmu/issues/36",
    symptom="a layer of one's own destroys the mask if it does not opt in to masking",
    cause="the LSTM behind it reads all the padding at the end of the texts",
    truth=("unmasked_padding",),
    also=(*STUCK, "overfitting", "vanishing_gradients"),
)
def activation_drops_the_mask(repaired):
    short, y, _ = data.reviews(640, length=10, seed=1242)
    x = np.zeros((640, 26), "int32")
    x[:, :10] = short
    x, y, new, new_y = data.split(x, y)
    inputs = keras.Input((26,), dtype="int32")
    h = L.Embedding(60, 12, mask_zero=True)(inputs)
    h = Mish(passes_masks=repaired)(h)
    h = L.LSTM(12)(h)
    h = L.Dropout(0.3)(h)
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(h))
    model.compile(
        keras.optimizers.Adam(0.008), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 6, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class Blocks:
    """Layers in an object that Keras does not look into."""

    def __init__(self, widths, first):
        self.layers = [L.Dense(width, activation="relu") for width in widths]
        for layer, width in zip(self.layers, (first, *widths), strict=False):
            layer.build((None, width))

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class Network(keras.Model):
    """A head on blocks that are attributes, or on a list of layers."""

    def __init__(self, tracked, **kwargs):
        super().__init__(**kwargs)
        blocks = Blocks((24, 16, 16), first=64)
        self.parts = blocks.layers if tracked else [blocks]
        self.drop = L.Dropout(0.1)
        self.head = L.Dense(10, activation="softmax")

    def call(self, x, training=False):
        for part in self.parts:
            x = part(x)
        return self.head(self.drop(x, training=training))


@program(
    kind="layers are not tracked",
    family="subclassed classifier",
    half="blind",
    address="https://github.com/tensorflow/tensorflow/issues/28748",
    symptom="trainable_variables only has the weights of the first layer",
    cause="layers in nested objects are not found, and so are not trained",
    truth=("frozen_layers",),
    also=(*STUCK, "model_too_small", "too_few_updates", "learning_rate_too_low"),
)
def blocks_not_found(repaired):
    x, new, y, new_y = data.table("digits")
    model = Network(tracked=repaired)
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


def first_digits(normalized, prepared):
    """Return a base that has learned 0 to 4, and pictures of 5 to 9."""
    x, y, new, new_y = data.digits(1200)
    base = keras.Sequential([keras.Input((8, 8, 1))])
    if not normalized:
        base.add(L.Rescaling(1 / 255))
    for filters in (16, 24):
        base.add(L.Conv2D(filters, 3, use_bias=not normalized))
        if normalized:
            base.add(L.BatchNormalization(momentum=0.9))
        base.add(L.Activation("relu"))
    base.add(L.GlobalMaxPooling2D())
    training = keras.Sequential([base, L.Dense(5, activation="softmax")])
    training.compile(keras.optimizers.Adam(0.005), CROSS)
    training.fit(prepared(x[y < 5]), y[y < 5], epochs=8, batch_size=32, verbose=0)
    base.trainable = False
    return base, x[y > 4], y[y > 4] - 5, new[new_y > 4], new_y[new_y > 4] - 5


def with_head(base):
    """Return a classifier of five on a frozen base."""
    inputs = keras.Input((8, 8, 1))
    h = base(inputs, training=False)
    h = L.Dense(24, activation="relu")(h)
    model = keras.Model(inputs, L.Dense(5, activation="softmax")(h))
    model.compile(keras.optimizers.Adam(0.005), CROSS, metrics=["accuracy"])
    return model


@program(
    kind="prepared for another base",
    family="fine-tuned classifier",
    half="blind",
    address="https://9to5answer.com/keras-rescale-1-255-vs-preprocessing_function-preprocess_input-which-one-to-use",
    symptom="with rescale=1/255 the frozen ResNet gives one class, all the time",
    cause="the base has learned centered pixels up to 255, and gets numbers up to 1",
    truth=("foreign_statistics", "unscaled_inputs"),
    also=(*STUCK, "frozen_layers", "dead_units"),
)
def rescaled_for_a_resnet(repaired):
    def as_the_base_has_it(x):
        return 255 * x - 100

    base, x, y, new, new_y = first_digits(True, as_the_base_has_it)
    if repaired:
        x, new = as_the_base_has_it(x), as_the_base_has_it(new)
    model = with_head(base)
    options = {"epochs": 14, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="scaled twice",
    family="fine-tuned classifier",
    half="blind",
    address="https://taourl.com/read-2649552.html",
    symptom="transfer learning with EfficientNet is stuck at an accuracy of 50 %",
    cause="pixels are divided by 255 before a base that divides by 255 itself",
    truth=("unscaled_inputs",),
    also=(*STUCK, "frozen_layers", "dead_units", "constant_inputs"),
)
def divided_by_255_again(repaired):
    def bytes_of(x):
        return np.round(255 * x).astype("float32")

    base, x, y, new, new_y = first_digits(False, bytes_of)
    if repaired:
        x, new = bytes_of(x), bytes_of(new)
    model = with_head(base)
    options = {"epochs": 14, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="batch too small for normalization",
    family="image segmentation",
    half="blind",
    address="https://github.com/jakeret/tf_unet/issues/131",
    symptom="the U-Net is trained with batches of one; normalized, it gets really bad",
    cause="batch normalization cannot work on a single picture",
    truth=("normalization_small_batch", "normalization_lag"),
    also=(
        "overfitting",
        "oscillating_loss",
        "batch_size_too_small",
        "imbalanced_classes",
    ),
)
def one_large_picture(repaired):
    x, _, masks = data.shapes(280, size=16, seed=1246)
    rng = np.random.default_rng(1246)
    gain = np.exp(rng.normal(0, 0.8, (280, 1, 1, 1)))
    x = (x * gain).astype("float32")
    inputs = keras.Input((16, 16, 1))

    def block(h, filters):
        h = L.Conv2D(filters, 3, padding="same", use_bias=False)(h)
        h = L.BatchNormalization(momentum=0.9)(h)
        return L.Activation("relu")(h)

    left = block(inputs, 8)
    h = block(L.MaxPooling2D()(left), 16)
    h = block(L.Concatenate()([left, L.UpSampling2D()(h)]), 8)
    model = keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(h))
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy")
    new, new_y = x[130:], masks[130:]
    options = {
        "epochs": 22 if repaired else 3,
        "batch_size": 16 if repaired else 1,
        "validation_data": (new, new_y),
    }
    return Fit(model, x[:130], masks[:130], scores.overlap(new, new_y), options)


@program(
    kind="units die at the start",
    family="deep and narrow network",
    half="blind",
    address="https://www.researchtrend.ai/papers/1808.04947",
    symptom="deep and narrow networks end at the mean of the targets",
    cause="ten layers of two ReLU units are dead with high probability",
    truth=("dead_units", "poor_initialization", "model_too_small"),
    also=(*STUCK, "zero_gradients", "vanishing_gradients"),
)
def ten_layers_of_two(repaired):
    rng = np.random.default_rng(1247)
    x = rng.uniform(-1.7, 1.7, (600, 1)).astype("float32")
    y = (abs(x) - 0.85) * 2 + 0.05 * rng.normal(size=x.shape).astype("float32")
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential([keras.Input((1,))])
    for width in (24, 24) if repaired else (2,) * 10:
        model.add(L.Dense(width, activation="relu", kernel_initializer="he_normal"))
    model.add(L.Dense(1))
    model.compile(keras.optimizers.Adam(0.005), "mse")
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="network too small",
    family="exclusive or",
    half="blind",
    address="https://stats.stackexchange.com/questions/320672/clarification-on-simple-perceptron-neural-network",
    symptom="the loss stops at 0.34 with up to four ReLU units, with five it is solved",
    cause="two units are too few",
    truth=("model_too_small",),
    also=("plateau", "underfitting", "slow_convergence", "dead_units"),
)
def exclusive_or_of_three(repaired):
    rng = np.random.default_rng(1248)
    bits = rng.integers(0, 2, (800, 3))
    x = (2 * bits - 1 + 0.15 * rng.normal(size=bits.shape)).astype("float32")
    x, y, new, new_y = data.split(x, bits.sum(1) % 2)
    model = keras.Sequential()
    model.add(keras.Input((3,)))
    model.add(L.Dense(24 if repaired else 2, activation="relu"))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile(
        loss="binary_crossentropy",
        optimizer=keras.optimizers.RMSprop(0.01),
        metrics=["binary_accuracy"],
    )
    options = {"epochs": 20, "batch_size": 16, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="mask hides the data",
    family="events in time",
    half="blind",
    address="https://datascience.stackexchange.com/questions/67599/use-lstm-to-predict-the-proportion-of-steps-with-nonzero-feature-values",
    symptom="the LSTM predicts almost the same share of steps for every sequence",
    cause="zeros are data, and Masking with the value zero leaves these steps out",
    truth=("masked_data",),
    also=(*STUCK, "unknown_cause"),
)
def zeros_that_mean_something(repaired):
    rng = np.random.default_rng(1249)
    last = rng.integers(4, 16, 440)
    x = np.zeros((440, 16, 1), "float32")
    for row, end in zip(x, last, strict=True):
        times = rng.integers(0, end, 3)
        row[times, 0] = rng.uniform(0.5, 1.5, 3)
        row[end - 1, 0] = rng.uniform(0.5, 1.5)
    y = ((16 - last) / 16).astype("float32")[:, None]
    x, y, new, new_y = data.split(x, y)
    model = keras.Sequential()
    model.add(keras.Input((16, 1)))
    model.add(L.Masking(mask_value=-1.0 if repaired else 0.0))
    model.add(L.LSTM(16))
    model.add(L.Dense(1))
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="decoder is given the answer",
    family="sequence to sequence",
    half="blind",
    address="https://github.com/keras-team/keras/issues/10525",
    symptom="why should the decoder's targets be one step ahead of its inputs?",
    cause="without the step the decoder copies what it is given",
    truth=("target_leakage",),
    also=("metric_mismatch", "train_validation_overlap"),
)
def targets_not_one_ahead(repaired):
    rng = np.random.default_rng(1250)
    source = rng.integers(1, 7, (900, 4)).astype("int32")
    target = source[:, ::-1].copy()

    def given(target):
        if not repaired:
            return target
        return np.concatenate([np.zeros_like(target[:, :1]), target[:, :-1]], 1)

    read = keras.Input((4,), dtype="int32", name="source")
    before = keras.Input((4,), dtype="int32", name="before")
    _, state = L.GRU(64, return_state=True)(L.Embedding(7, 16)(read))
    h = L.GRU(64, return_sequences=True)(
        L.Embedding(7, 16)(before), initial_state=state
    )
    model = keras.Model([read, before], L.Dense(7, activation="softmax")(h))
    model.compile(keras.optimizers.Adam(0.008), CROSS, metrics=["accuracy"])
    new, new_y = source[680:], target[680:]

    def score(model, history):
        words = np.zeros((len(new), 5), "int32")
        for step in range(4):
            out = model.predict([new, words[:, :4]], verbose=0)
            words[:, step + 1] = out[:, step].argmax(-1)
        return float((words[:, 1:] == new_y).mean())

    options = {
        "epochs": 20,
        "batch_size": 32,
        "validation_data": ([new, given(new_y)], new_y),
    }
    train = [source[:680], given(target[:680])]
    return Fit(model, train, target[:680], score, options)


@program(
    kind="embeddings of zero",
    family="matrix factorization",
    half="blind",
    address="https://github.com/tensorflow/tensorflow/issues/28487",
    symptom="Adam does not update embeddings that start at zero",
    cause="the gradient of each factor is the other one, and both are zero",
    truth=("poor_initialization", "zero_gradients"),
    also=(*STUCK, "vanishing_gradients", "collapsed_embeddings"),
)
def factors_of_zero(repaired):
    rng = np.random.default_rng(1251)
    taste, style = rng.normal(size=(50, 2)), rng.normal(size=(40, 2))
    pairs = np.argwhere(np.ones((50, 40)))[rng.permutation(2000)]
    stars = (taste[pairs[:, 0]] * style[pairs[:, 1]]).sum(-1)
    y = (stars / stars.std() + 0.2 * rng.normal(size=2000)).astype("float32")[:, None]
    user, film = pairs[:, :1].astype("int32"), pairs[:, 1:].astype("int32")
    start = "uniform" if repaired else "zeros"
    inputs = [keras.Input((1,), dtype="int32") for _ in range(2)]
    factors = [
        L.Flatten()(L.Embedding(n, 4, embeddings_initializer=start)(one))
        for n, one in zip((50, 40), inputs, strict=True)
    ]
    model = keras.Model(inputs, L.Dot(axes=1)(factors))
    model.compile(keras.optimizers.Adam(0.02), "mse")
    new, new_y = [user[1500:], film[1500:]], y[1500:]
    options = {"epochs": 14, "batch_size": 32, "validation_data": (new, new_y)}
    score = scores.variance(new, new_y)
    return Fit(model, [user[:1500], film[:1500]], y[:1500], score, options)


@program(
    kind="code too narrow",
    family="autoencoder",
    half="blind",
    address="https://github.com/mattragoza/LiGAN/issues/18",
    symptom="with a smaller latent space the loss cannot be reduced further",
    cause="the code has fewer dimensions than the data",
    truth=("model_too_small",),
    also=("plateau", "underfitting", "slow_convergence", *BLOWN_UP[3:]),
)
def code_of_one_number(repaired):
    x, _, new, _ = data.digits(900)
    x, new = x.reshape(-1, 64), new.reshape(-1, 64)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            L.Dense(48, activation="relu"),
            L.Dense(16 if repaired else 1),
            L.Dense(48, activation="relu"),
            L.Dense(64, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "mse")
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)
