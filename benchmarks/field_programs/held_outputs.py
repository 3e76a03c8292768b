"""Held programs whose output, loss or metric does not suit."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="softmax of one unit",
    family="table classifier",
    half="held",
    address="https://github.com/keras-team/keras/issues/126",
    symptom="the loss does not improve, predict_proba gives all ones",
    cause="the softmax of a single unit is always one",
    truth=("output_activation_mismatch",),
    also=(
        *STUCK,
        "zero_gradients",
        "vanishing_gradients",
        "frozen_layers",
        "disagreeing_loss",
        "loss_target_mismatch",
    ),
)
def nothing_but_ones(repaired):
    x, new, y, new_y = data.table("breast_cancer")
    model = keras.Sequential()
    model.add(keras.Input((30,)))
    model.add(L.Dense(64, kernel_initializer="random_uniform", activation="tanh"))
    model.add(L.Dropout(0.5))
    model.add(L.Dense(64, kernel_initializer="random_uniform", activation="tanh"))
    model.add(L.Dropout(0.5))
    model.add(L.Dense(1, activation="sigmoid" if repaired else "softmax"))
    sgd = keras.optimizers.SGD(learning_rate=0.1, momentum=0.9, nesterov=True)
    model.compile(loss="mean_squared_error", optimizer=sgd, metrics=["accuracy"])
    options = {"epochs": 12, "batch_size": 32, "validation_split": 0.2}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="no softmax before the loss",
    family="sensor classifier",
    half="held",
    address="https://github.com/SciSharp/TensorFlow.NET/issues/985",
    symptom="the model converges with a softmax layer but does not without",
    cause="raw scores go into a cross-entropy that takes probabilities",
    truth=("output_activation_mismatch", "loss_target_mismatch"),
    also=(
        *STUCK,
        *BLOWN_UP,
        "disagreeing_loss",
        "zero_gradients",
        "missing_nonlinearity",
        "non_finite_operation",
    ),
)
def six_without_softmax(repaired):
    kind, x = data.gestures(520, length=16, classes=6, seed=921, noise=0.25)[::-1]
    x = x.reshape(len(x), 48)
    x, y, new, new_y = data.split(x, kind)
    model = keras.Sequential(
        [
            keras.Input((48,)),
            L.Dense(64, activation="relu"),
            L.Dense(6),
        ]
    )
    if repaired:
        model.add(L.Softmax(-1))
    model.compile(keras.optimizers.Adam(0.003), CROSS, metrics=["accuracy"])
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


@program(
    kind="softmax twice",
    family="image classifier",
    half="held",
    address="https://github.com/tensorflow/docs/pull/1034",
    symptom="training does not converge: the loss assumes logits",
    cause="from_logits is set, and the last layer has a softmax all the same",
    truth=("output_activation_mismatch",),
    also=(
        *STUCK,
        "vanishing_gradients",
        "learning_rate_too_low",
        "disagreeing_loss",
        "too_few_updates",
    ),
)
def softmax_taken_for_scores(repaired):
    x, y, new, new_y = data.digits(600)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(32, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(64, activation="relu"),
            L.Dense(10, activation=None if repaired else "softmax"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.SGD(learning_rate=0.05)
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class AttentiveForecast(keras.Model):
    """A recurrent network that weighs what it has seen."""

    def __init__(self, units, activation, **kwargs):
        super().__init__(**kwargs)
        self.recurrent = L.GRU(units, return_sequences=True)
        self.weigh = L.Dense(1)
        self.hidden = L.Dense(units, activation="tanh")
        self.out = L.Dense(1, activation=activation)

    def call(self, x):
        states = self.recurrent(x)
        weights = ops.softmax(self.weigh(states), axis=1)
        context = ops.sum(weights * states, axis=1)
        both = ops.concatenate([context, states[:, -1]], axis=-1)
        return self.out(self.hidden(both))


@program(
    kind="output cannot reach the targets",
    family="recurrent forecast with attention",
    half="held",
    address="https://github.com/jsyoon0823/Time-series-prediction/issues/3",
    symptom="regression only works for labels from 0 to 1",
    cause="the last activation is a sigmoid, the targets are standardized",
    truth=("output_activation_mismatch",),
    also=(*STUCK, "unscaled_targets", "saturated_units", "vanishing_gradients"),
)
def only_from_zero_to_one(repaired):
    curve = data.load_curve(460, seed=922)
    curve = (curve - curve.mean()) / curve.std()
    x, y = data.windows(curve, 12)
    x, y, new, new_y = x[:330], y[:330], x[330:], y[330:]
    model = AttentiveForecast(16, None if repaired else "sigmoid")
    model.compile(keras.optimizers.Adam(0.005), "mse", metrics=["mae"])
    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.variance(new, new_y), options)


@program(
    kind="metric of something else",
    family="fine-tuned classifier",
    half="held",
    address="https://github.com/tensorflow/tensorflow/issues/41413",
    symptom="positive numbers predict class 1, but accuracy counts from 0.5 on",
    cause="the output is a logit, and the metric takes a threshold for probabilities",
    truth=("metric_mismatch",),
    also=("underfitting", "slow_convergence", "plateau", "learning_rate_too_low"),
)
def accuracy_of_logits(repaired):
    rng = np.random.default_rng(923)
    x = rng.normal(size=(1200, 16)).astype("float32")
    x[:, 8:] = np.maximum(x[:, 8:], 0)
    logit = 1.5 * (x[:, 0] - x[:, 1] + x[:, 2] + x[:, 3]) - x[:, 9]
    y = (rng.random(1200) < 1 / (1 + np.exp(-logit))).astype("float32")[:, None]
    x, y, new, new_y = x[:600], y[:600], x[600:], y[600:]
    metric = keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0)
    features = keras.Input((16,), name="features_of_the_base")
    h = L.Dropout(0.2)(features)
    start = keras.initializers.RandomNormal(stddev=0.05)
    model = keras.Model(features, L.Dense(1, kernel_initializer=start)(h))
    model.compile(
        optimizer=keras.optimizers.RMSprop(0.001),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[metric if repaired else "accuracy"],
    )

    def above_zero(model, history):
        return float(((scores.predicted(model, new) > 0) == (new_y > 0.5)).mean())

    options = {"epochs": 12, "batch_size": 32, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.honesty("val_accuracy", above_zero), options)


@program(
    kind="operation without a gradient",
    family="siamese",
    half="held",
    address="https://github.com/keras-team/keras/issues/9097",
    symptom="nan loss with the Euclidean distance when two inputs are the same",
    cause="the square root has an infinite slope at zero",
    truth=("non_finite_operation",),
    also=("non_finite_values", "non_finite_weights", "diverging_loss"),
)
def twins_at_no_distance(repaired):
    x, y, new, new_y = data.digits(400)
    rng = np.random.default_rng(924)

    def pairs(images, labels, n):
        first = rng.integers(0, len(images), n)
        second = rng.integers(0, len(images), n)
        for i in range(0, n, 2):
            second[i] = rng.choice(np.flatnonzero(labels == labels[first[i]]))
        same = (labels[first] == labels[second]).astype("float32")
        return (images[first], images[second]), same[:, None]

    def euclidean_distance(vectors):
        a, b = vectors
        squares = ops.sum(ops.square(a - b), axis=1, keepdims=True)
        return ops.sqrt(ops.maximum(squares, 1e-7) if repaired else squares)

    def contrastive_loss(y_true, y_pred):
        far = ops.square(ops.maximum(1.0 - y_pred, 0.0))
        return ops.mean(y_true * ops.square(y_pred) + (1 - y_true) * far)

    base = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Flatten(),
            L.Dense(64, activation="relu"),
            L.Dense(32, activation="relu"),
        ]
    )
    left, right = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    distance = L.Lambda(euclidean_distance, output_shape=(1,))(
        [base(left), base(right)]
    )
    model = keras.Model([left, right], distance)
    model.compile(keras.optimizers.RMSprop(), contrastive_loss)
    x, same = pairs(x, y, 900)
    new, new_same = pairs(new, new_y, 500)

    def apart(model, history):
        far = np.asarray(model.predict(list(new), verbose=0))[:, 0] > 0.5
        truth = new_same[:, 0] < 0.5
        return float(far[truth].mean() - far[~truth].mean())

    options = {
        "epochs": 10,
        "batch_size": 64,
        "validation_data": (list(new), new_same),
    }
    return Fit(model, list(x), same, apart, options)


@program(
    kind="rare class",
    family="table classifier",
    half="held",
    address="https://github.com/keras-team/keras/issues/14141",
    symptom="4 % of the rows are of class 1, and few of them are found",
    cause="nothing makes up for the rarity of the class, and accuracy hides it",
    truth=("imbalanced_classes",),
    also=(*STUCK, "metric_mismatch"),
)
def one_in_twenty_five(repaired):
    x, y, new, new_y = data.two_classes(1800, columns=10, share=0.04, seed=925)
    model = keras.Sequential()
    model.add(keras.Input((10,)))
    model.add(L.Dense(24, activation="relu"))
    model.add(L.Dropout(0.3))
    model.add(L.Dense(12, activation="relu"))
    model.add(L.Dense(1, activation="sigmoid"))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    options = {"epochs": 12, "batch_size": 64, "validation_data": (new, new_y)}
    if repaired:
        share = y.mean()
        options["class_weight"] = {0: 0.5 / (1 - share), 1: 0.5 / share}
    return Fit(model, x, y, scores.balanced(new, new_y), options)


@program(
    kind="one output outweighs",
    family="landmark and class",
    half="held",
    address="https://github.com/yuanwei1989/landmark-detection/issues/2",
    symptom="the loss of the classification is below 1, that of the regression "
    "above 100",
    cause="positions are in voxels, and both losses are simply added",
    truth=("unbalanced_outputs", "loss_terms_out_of_balance", "unscaled_targets"),
    also=(*STUCK, "dead_units", "oscillating_loss"),
)
def landmarks_in_voxels(repaired):
    x, kind, masks = data.shapes(480, seed=926)
    weight = masks[..., 0] / masks.sum((1, 2, 3))[:, None, None]
    row, column = np.mgrid[:16, :16]
    middle = np.stack([(weight * row).sum((1, 2)), (weight * column).sum((1, 2))], -1)
    middle = (middle * 12.0).astype("float32")
    if repaired:
        middle = (middle - middle.mean(0)) / middle.std(0)
    inputs = keras.Input((16, 16, 1))
    h = L.Conv2D(8, 3, activation="relu", padding="same")(inputs)
    h = L.MaxPooling2D()(h)
    h = L.Conv2D(16, 3, activation="relu", padding="same")(h)
    h = L.MaxPooling2D()(h)
    h = L.Flatten()(h)
    h = L.Dense(32, activation="relu")(h)
    tissue = L.Dense(2, activation="softmax", name="tissue")(h)
    position = L.Dense(2, name="position")(h)
    model = keras.Model(inputs, [tissue, position])
    model.compile(
        keras.optimizers.Adam(0.002),
        loss=[CROSS, "mse"],
        metrics=[["accuracy"], ["mae"]],
    )
    held_out = (x[340:], [kind[340:], middle[340:]])
    options = {"epochs": 15, "batch_size": 32, "validation_data": held_out}
    score = scores.accuracy(x[340:], kind[340:])
    return Fit(model, x[:340], [kind[:340], middle[:340]], score, options)


class Code(L.Layer):
    """Draw a code around its mean; its divergence is added to the loss."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed = keras.random.SeedGenerator(927)

    def call(self, inputs, training=None):
        mean, log_var = inputs
        divergence = 1 + log_var - ops.square(mean) - ops.exp(log_var)
        self.add_loss(-0.5 * ops.mean(ops.sum(divergence, axis=-1)))
        if not training:
            return mean
        noise = keras.random.normal(ops.shape(mean), seed=self.seed)
        return mean + ops.exp(0.5 * log_var) * noise


@program(
    kind="one term outweighs",
    family="variational autoencoder",
    half="held",
    address="https://github.com/keras-team/keras/pull/3383",
    symptom="the example does not work properly: the reconstruction loss is "
    "extremely small",
    cause="the cross-entropy is a mean over the pixels, the divergence is a sum",
    truth=("loss_terms_out_of_balance",),
    also=(*STUCK, "regularization_too_strong", "collapsed_embeddings"),
)
def entropy_averaged(repaired):
    x, _, new, _ = data.digits(640)
    x, new = x.reshape(-1, 64), new.reshape(-1, 64)
    original_dim, latent_dim = 64, 4
    inputs = keras.Input((original_dim,))
    h = L.Dense(64, activation="relu")(inputs)
    z_mean = L.Dense(latent_dim, name="z_mean")(h)
    z_log_var = L.Dense(latent_dim, name="z_log_var")(h)
    z = Code()([z_mean, z_log_var])
    h = L.Dense(64, activation="relu")(z)
    outputs = L.Dense(original_dim, activation="sigmoid")(h)
    vae = keras.Model(inputs, outputs)

    def reconstruction(x_true, x_decoded):
        entropy = keras.losses.binary_crossentropy(x_true, x_decoded)
        return original_dim * entropy if repaired else entropy

    vae.compile(optimizer=keras.optimizers.RMSprop(0.003), loss=reconstruction)
    options = {"epochs": 20, "batch_size": 32, "validation_data": (new, new)}
    return Fit(vae, x, x, scores.variance(new, new), options)


class Round(L.Layer):
    """Whole numbers only."""

    def call(self, x):
        return ops.round(x)


@program(
    kind="operation without a gradient",
    family="whole-number regression",
    half="held",
    address="https://github.com/keras-team/keras/issues/2221",
    symptom="how can a network put out whole numbers? With a layer that rounds",
    cause="the gradient of rounding is zero",
    truth=("zero_gradients",),
    also=(*STUCK, "frozen_layers", "nothing_to_train", "vanishing_gradients"),
)
def whole_numbers_only(repaired):
    x, y, new, new_y = data.friedman(520, seed=928, noise=0.3)
    stars, new_stars = (np.clip(np.round(3 + 1.3 * a), 0, 6) for a in (y, new_y))
    m = keras.Sequential()
    m.add(keras.Input((8,)))
    m.add(L.Dense(20, activation="relu"))
    m.add(L.Dense(20, activation="relu"))
    m.add(L.Dense(1))
    if not repaired:
        m.add(Round())
    m.compile(loss="mean_absolute_error", optimizer=keras.optimizers.Adam(0.005))
    options = {"epochs": 15, "batch_size": 32, "validation_data": (new, new_stars)}
    return Fit(m, x, stars, scores.variance(new, new_stars), options)
