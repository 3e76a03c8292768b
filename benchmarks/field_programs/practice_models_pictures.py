"""Practice: pictures, transfer, critics and autoencoders."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, healthy, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="relu before the logits",
    family="segmentation, one class",
    half="practice",
    address="https://github.com/vanvalenlab/deepcell-tf/issues/624",
    symptom="the sigmoid of the output is never below 0.5",
    cause="the last layer applies ReLU",
    truth=("output_activation_mismatch",),
    also=(*STUCK, "dead_units", "zero_gradients"),
)
def semantic_head(repaired):
    x, _, masks = data.shapes(360, seed=1211)
    n = 260
    inputs = keras.Input((16, 16, 1))
    hidden = L.Conv2D(12, 3, padding="same", activation="relu")(inputs)
    hidden = L.Conv2D(12, 3, padding="same", activation="relu")(hidden)
    outputs = L.Conv2D(1, 1, activation=None if repaired else "relu")(hidden)
    model = keras.Model(inputs, outputs)
    cross = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.005), cross)

    def score(model, history):
        chance = 1 / (1 + np.exp(-scores.predicted(model, x[n:])))
        loss = -np.log(np.clip(np.where(masks[n:] > 0.5, chance, 1 - chance), 1e-7, 1))
        return float(1 - loss.mean())

    options = {
        "epochs": 8,
        "batch_size": 16,
        "validation_data": (x[n:], masks[n:]),
    }
    return Fit(model, x[:n], masks[:n], score, options)


@program(
    kind="masks of other pictures",
    family="segmentation, U-Net",
    half="practice",
    address="https://github.com/urakubo/UNI-EM/issues/35",
    symptom="images and masks do not match",
    cause="the two lists of files are in another order",
    truth=("unrelated_targets",),
    also=(*STUCK, "overfitting", "imbalanced_classes", "unrepresentative_validation"),
)
def files_in_other_order(repaired):
    x, _, masks = data.shapes(360, seed=1212)
    n = 260
    held_out = x[n:], masks[n:]
    y = masks[:n]
    if not repaired:
        y = y[np.argsort([str(i) for i in range(n)])]
    inputs = keras.Input((16, 16, 1))
    first = L.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    hidden = L.Conv2D(16, 3, padding="same", activation="relu")(L.MaxPooling2D()(first))
    hidden = L.Concatenate()([first, L.UpSampling2D()(hidden)])
    hidden = L.Conv2D(8, 3, padding="same", activation="relu")(hidden)
    model = keras.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(hidden))
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy")
    options = {"epochs": 8, "batch_size": 16}
    return Fit(model, x[:n], y, scores.overlap(*held_out), options)


class Pictures(keras.utils.PyDataset):
    """Batches of pictures of a folder, scaled on the way."""

    def __init__(self, x, y, scale):
        super().__init__()
        self.x, self.y, self.scale = x, y, scale

    def __len__(self):
        return len(self.x) // 32

    def __getitem__(self, i):
        rows = slice(32 * i, 32 * i + 32)
        return self.scale(self.x[rows]), self.y[rows]


@program(
    kind="validation scaled otherwise",
    family="clothes, generators",
    half="practice",
    address="https://github.com/keras-team/keras/issues/7187",
    symptom="the rescale of ImageDataGenerator is not applied in validation",
    cause="only the generator of training scales its pictures",
    truth=("unrepresentative_validation",),
    also=("overfitting", "normalization_lag", "model_too_large"),
)
def rescale_not_in_validation(repaired):
    x, y, new, new_y = data.digits(800)
    x, new = 255 * x, 255 * new
    unit = lambda pictures: pictures / 127.5 - 1  # noqa: E731
    raw = lambda pictures: pictures  # noqa: E731
    model = keras.Sequential([keras.Input((8, 8, 1))])
    model.add(L.Conv2D(16, 3, activation="relu"))
    model.add(L.Conv2D(24, 3, activation="relu"))
    model.add(L.Flatten())
    model.add(L.Dropout(0.3))
    model.add(L.Dense(48, activation="tanh"))
    model.add(L.Dense(10, activation="softmax"))
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    valid = Pictures(new[:200], new_y[:200], unit if repaired else raw)

    def truth(model, history):
        said = scores.predicted(model, unit(new[200:])).argmax(-1)
        return float((said == new_y[200:]).mean())

    options = {"epochs": 8, "validation_data": valid}
    score = scores.honesty("val_accuracy", truth)
    return Fit(model, Pictures(x, y, unit), None, score, options)


def pretrained(filters=24, normalized=True):
    """Return a base that knows the digits from many pictures."""
    x, y, _, _ = data.digits(1200)
    inputs = hidden = keras.Input((8, 8, 1))
    for width in (filters, 2 * filters, 2 * filters):
        hidden = L.Conv2D(width, 3, use_bias=not normalized)(hidden)
        if normalized:
            hidden = L.BatchNormalization(momentum=0.9)(hidden)
        hidden = L.ReLU()(hidden)
    base = keras.Model(inputs, L.GlobalAveragePooling2D()(hidden))
    outputs = L.Dense(10, activation="softmax")(base.output)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.003), CROSS)
    model.fit(x, y, epochs=8, batch_size=32, verbose=0)
    return base


@program(
    kind="scaled twice for a frozen base",
    family="transfer, frozen base",
    half="practice",
    address="https://github.com/keras-team/keras/issues/13517",
    symptom="evaluate and validation do not match",
    cause="preprocess_input and rescale are both applied",
    truth=("foreign_statistics", "unscaled_inputs"),
    also=(*STUCK, "frozen_layers", "overfitting", "learning_rate_too_low"),
)
def preprocessed_and_rescaled(repaired):
    base = pretrained()
    base.trainable = False
    x, y, new, new_y = data.digits(500)
    if not repaired:
        x, new = x / 255, new / 255
    inputs = keras.Input((8, 8, 1))
    hidden = base(inputs, training=False)
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(hidden))
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class Sampled(keras.Model):
    """A variational autoencoder whose divergence is an added loss."""

    def __init__(self, positive):
        super().__init__()
        self.encode = L.Dense(64, activation="relu")
        self.mean = L.Dense(6)
        self.log_variance = L.Dense(6, activation="relu" if positive else None)
        self.decode = L.Dense(64, activation="relu")
        self.out = L.Dense(64)
        self.seed = keras.random.SeedGenerator(0)

    def call(self, x, training=None):
        hidden = self.encode(x)
        mean, log = self.mean(hidden), self.log_variance(hidden)
        away = 1 + log - ops.square(mean) - ops.exp(log)
        self.add_loss(-0.002 * ops.mean(ops.sum(away, axis=-1)))
        if training:
            noise = keras.random.normal(ops.shape(mean), seed=self.seed)
            mean = mean + ops.exp(0.5 * log) * noise
        return self.out(self.decode(mean))


@program(
    kind="relu before a log variance",
    family="variational autoencoder",
    half="practice",
    address="https://github.com/alexlee-gk/video_prediction/issues/3",
    symptom="the log variance may be negative, but never is",
    cause="the layer of the log variance applies ReLU",
    truth=("output_activation_mismatch", "dead_units", "zero_gradients"),
    also=(*STUCK, "loss_terms_out_of_balance", "random_at_inference"),
    margin=0.05,
)
def variance_never_below_one(repaired):
    x, _, new, _ = data.digits(900)
    x, new = x.reshape(-1, 64), new.reshape(-1, 64)
    model = Sampled(not repaired)
    model.compile(keras.optimizers.Adam(0.003), "mse")
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new)}
    return Fit(model, x, x, scores.variance(new, new), options)


def critics(n, seed):
    """Return digits, and pictures that are not, with -1 and 1 as WGAN has them."""
    x, _, _, _ = data.digits(n)
    rng = np.random.default_rng(seed)
    fake = np.clip(x.mean(0) + 0.35 * rng.normal(size=x.shape), 0, 1)
    both = np.concatenate([x, fake.astype("float32")])
    y = np.concatenate([-np.ones((len(x), 1)), np.ones((len(x), 1))])
    order = rng.permutation(len(both))
    return both[order], y[order].astype("float32")


def wasserstein(y_true, y_pred):
    return ops.mean(y_true * y_pred)


def critic(limit):
    """Return a critic whose weights are clipped."""

    class Clip(keras.constraints.Constraint):
        def __call__(self, w):
            return ops.clip(w, -limit, limit)

    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(8, 3, strides=2, kernel_constraint=Clip()),
            L.LeakyReLU(0.2),
            L.Flatten(),
            L.Dense(16, kernel_constraint=Clip()),
            L.LeakyReLU(0.2),
            L.Dense(1, kernel_constraint=Clip()),
        ]
    )


def apart(x, y):
    """Return how well the critic tells the two kinds of pictures apart."""

    def score(model, history):
        out = scores.predicted(model, x)[:, 0]
        real, fake = out[y[:, 0] < 0], out[y[:, 0] > 0]
        return float(2 * (real[:, None] > fake[None]).mean() - 1)

    return score


@healthy(family="critic of a WGAN, clipped", half="practice")
def clipped_critic():
    x, y = critics(500, seed=1218)
    model = critic(0.1)
    model.compile(keras.optimizers.RMSprop(0.001), wasserstein)
    options = {"epochs": 6, "batch_size": 32}
    return Fit(model, x[:800], y[:800], apart(x[800:], y[800:]), options)


@healthy(family="critic of a WGAN, spectral norm", half="practice")
def critic_of_bounded_norm():
    x, y = critics(500, seed=1219)
    bounded = L.SpectralNormalization
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            bounded(L.Conv2D(8, 3, strides=2)),
            L.LeakyReLU(0.2),
            L.Flatten(),
            bounded(L.Dense(16)),
            L.LeakyReLU(0.2),
            bounded(L.Dense(1)),
        ]
    )
    model.compile(keras.optimizers.Adam(0.001), wasserstein)
    options = {"epochs": 6, "batch_size": 32}
    return Fit(model, x[:800], y[:800], apart(x[800:], y[800:]), options)


@program(
    kind="generator trained the wrong way",
    family="WGAN, generator against a critic",
    half="practice",
    address="https://github.com/Zeleni9/pytorch-wgan/issues/51",
    symptom="the generator gets worse",
    cause="the output of the critic is made lower instead of higher",
    truth=("disagreeing_loss",),
    also=(*STUCK, *BLOWN_UP, "constant_targets"),
)
def generator_downwards(repaired):
    x, y = critics(500, seed=1220)
    judge = critic(0.1)
    judge.compile(keras.optimizers.RMSprop(0.001), wasserstein)
    judge.fit(x, y, epochs=5, batch_size=32, verbose=0)
    judge.trainable = False
    noise = np.random.default_rng(1220).normal(size=(600, 8)).astype("float32")
    inputs = keras.Input((8,))
    made = L.Dense(48, activation="relu")(inputs)
    made = L.Reshape((8, 8, 1))(L.Dense(64, activation="sigmoid")(made))
    model = keras.Model(inputs, judge(made))
    model.compile(keras.optimizers.RMSprop(0.001), wasserstein)
    aim = -np.ones((600, 1), "float32") if repaired else np.ones((600, 1), "float32")

    def score(model, history):
        return float(scores.predicted(model, noise).mean())

    return Fit(model, noise, aim, score, {"epochs": 5, "batch_size": 32})


def contrastive(y_true, y_pred):
    """Return the loss of Hadsell et al., for distances."""
    near = y_true * ops.square(y_pred)
    far = (1 - y_true) * ops.square(ops.maximum(1 - y_pred, 0))
    return ops.mean(near + far)


@program(
    kind="a likeness where a distance is meant",
    family="Siamese network of titles",
    half="practice",
    address="https://datascience.stackexchange.com/questions/45629/contrastive-loss-problem-in-a-character-level-siamese-nn-model",
    symptom="the model always predicts zero",
    cause="the loss expects a distance, the output is a likeness",
    truth=("disagreeing_loss",),
    also=(*STUCK, "overfitting", "unrelated_targets", "collapsed_embeddings"),
)
def alike_or_apart(repaired):
    rng = np.random.default_rng(1221)
    centers = rng.normal(size=(12, 24))
    kind = rng.integers(0, 12, (1000, 2))
    kind[:500, 1] = kind[:500, 0]
    pairs = centers[kind] + 0.5 * rng.normal(size=(1000, 2, 24))
    same = (kind[:, 0] == kind[:, 1]).astype("float32")[:, None]
    order = rng.permutation(1000)
    pairs, same = pairs[order].astype("float32"), same[order]
    inputs = [keras.Input((24,)), keras.Input((24,))]
    tower = keras.Sequential([L.Dense(32, activation="relu"), L.Dense(8)])
    one, other = (tower(part) for part in inputs)
    gap = L.Lambda(lambda p: ops.mean(ops.abs(p[0] - p[1]), axis=-1, keepdims=True))
    outputs = gap([one, other])
    if not repaired:
        outputs = L.Lambda(lambda distance: ops.exp(-distance))(outputs)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(0.003), contrastive)
    train = [pairs[:700, 0], pairs[:700, 1]]
    new = [pairs[700:, 0], pairs[700:, 1]]

    def score(model, history):
        out = scores.predicted(model, new)[:, 0]
        likeness = -out if repaired else out
        alike = same[700:, 0] > 0.5
        return float(2 * (likeness[alike][:, None] > likeness[~alike]).mean() - 1)

    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, same[700:])}
    return Fit(model, train, same[:700], score, options)
