"""Held programs whose rows, labels, scales or batches are at fault."""

from __future__ import annotations

import keras
import numpy as np

from field_programs import data, scores
from field_programs.registry import Fit, program
from field_programs.symptoms import BLOWN_UP, STUCK

L = keras.layers
CROSS = "sparse_categorical_crossentropy"


@program(
    kind="inputs not scaled",
    family="linear regression",
    half="held",
    address="https://stats.stackexchange.com/questions/284189/simple-linear-regression-in-keras",
    symptom="the simplest regression gives a loss of nan on every epoch",
    cause="a column of raw counts goes up to hundreds; the default rate overshoots",
    truth=("unscaled_inputs",),
    also=(
        *BLOWN_UP,
        "unscaled_targets",
        "learning_rate_too_high",
        "non_finite_weights",
    ),
)
def televisions_per_head(repaired):
    rng = np.random.default_rng(901)
    people_per_tv = np.exp(rng.uniform(0.3, 6.3, 180))
    life = 76 - 0.04 * people_per_tv + 2 * rng.normal(size=180)
    x = people_per_tv.astype("float32")[:, None]
    y = life.astype("float32")[:, None]
    if repaired:
        x = (x - x.mean()) / x.std()
        y = (y - y.mean()) / y.std()
    inputs = keras.Input(shape=(1,))
    preds = L.Dense(1, activation="linear")(inputs)
    model = keras.Model(inputs=inputs, outputs=preds)
    model.compile(optimizer=keras.optimizers.SGD(), loss="mse", metrics=["mse"])
    options = {"batch_size": 4, "epochs": 12, "shuffle": False}
    return Fit(model, x[:130], y[:130], scores.variance(x[130:], y[130:]), options)


@program(
    kind="inputs not scaled",
    family="threshold of one number",
    half="held",
    address="https://geeksmental.com/question/why-does-accuracy-remain-the-same",
    symptom="the accuracy is always about 0.5 though the rule is a mere threshold",
    cause="numbers up to 100000 come in as they are, and the output is a ReLU",
    truth=("unscaled_inputs", "output_activation_mismatch"),
    also=(
        *STUCK,
        *BLOWN_UP,
        "dead_units",
        "zero_gradients",
        "exploding_activations",
        "disagreeing_loss",
        "non_finite_operation",
        "poor_initialization",
    ),
)
def above_fifty_thousand(repaired):
    threshold, samples = 50000, 260
    rng = np.random.default_rng(902)
    low = rng.integers(0, threshold, samples)
    high = rng.integers(threshold, 2 * threshold, samples)
    x = np.concatenate([low, high]).astype("float32")[:, None]
    y = np.repeat([0, 1], samples)
    if repaired:
        x = x / threshold - 1
    x, y, new, new_y = data.split(x, y, 0.75)
    model = keras.Sequential()
    model.add(keras.Input((1,)))
    model.add(L.Dense(6, activation="relu"))
    model.add(L.Dense(5, activation="relu"))
    model.add(L.Dense(1, activation="sigmoid" if repaired else "relu"))
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    options = {"epochs": 15, "batch_size": 5, "validation_data": (new, new_y)}
    return Fit(model, x, y, scores.accuracy(new, new_y), options)


class Brightened(keras.utils.PyDataset):
    """Batches of pictures of which the brightness is varied."""

    def __init__(self, x, y, batch_size, rescale, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.batch_size = x, y, batch_size
        self.rescale = rescale
        self.rng = np.random.default_rng(903)
        self.order = np.arange(len(x))

    def __len__(self):
        return len(self.x) // self.batch_size

    def __getitem__(self, index):
        chosen = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        batch = np.stack([self.brighten(self.x[i]) for i in chosen])
        return batch * self.rescale, self.y[chosen]

    def brighten(self, image):
        # by way of bytes, as the image library wants them
        low, high = image.min(), image.max()
        as_bytes = (255 * (image - low) / max(high - low, 1e-6)).astype("uint8")
        factor = self.rng.uniform(0.6, 1.4)
        return np.clip(as_bytes.astype("float32") * factor, 0, 255)

    def on_epoch_end(self):
        self.rng.shuffle(self.order)


@program(
    kind="scaled in one place only",
    family="augmented pictures",
    half="held",
    address="https://github.com/keras-team/keras-preprocessing/issues/114",
    symptom="pictures have a maximum of 1, with random brightness one of 255",
    cause="training pictures come back as bytes, validation pictures are from 0 to 1",
    truth=("unrepresentative_validation", "unscaled_inputs"),
    also=("overfitting", *STUCK, "dead_units", "oscillating_loss", "diverging_loss"),
)
def brightness_in_bytes(repaired):
    x, y, new, new_y = data.digits(560)
    train = Brightened(x, y, 32, rescale=1 / 255 if repaired else 1.0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, padding="same", activation="relu"),
            L.MaxPooling2D(),
            L.Conv2D(24, 3, padding="same", activation="relu"),
            L.Flatten(),
            L.Dropout(0.25),
            L.Dense(32, activation="relu"),
            L.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.002), CROSS, metrics=["accuracy"])
    options = {"epochs": 12, "validation_data": (new, new_y)}
    return Fit(model, train, None, scores.accuracy(new, new_y), options)


@program(
    kind="inputs not scaled",
    family="another recurrent regression",
    half="held",
    address="https://github.com/Shubble-LLC/shubble/pull/353",
    symptom="errors of the LSTM are large: latitude and longitude are not on the "
    "scale of the velocity",
    cause="degrees that differ in the third decimal are fed to the LSTM unscaled",
    truth=("unscaled_inputs",),
    also=(*STUCK, "constant_inputs", "saturated_units", "vanishing_gradients"),
)
def shuttle_on_its_loop(repaired):
    rng = np.random.default_rng(904)
    n, steps = 420, 10
    angle = rng.uniform(0, 6.283, n)
    pace = rng.uniform(0.03, 0.12, n)
    path = angle[:, None] + pace[:, None] * np.arange(steps)
    latitude = 42.73 + 0.008 * np.sin(path) + 0.0003 * rng.normal(size=path.shape)
    longitude = -73.68 + 0.012 * np.cos(path) + 0.0003 * rng.normal(size=path.shape)
    velocity = 90 * pace[:, None] + 0.6 * rng.normal(size=path.shape)
    x = np.stack([latitude, longitude, velocity], -1)
    ahead = path[:, -1] + 6 * pace
    y = np.stack([np.sin(ahead), np.cos(ahead)], -1).astype("float32")
    if repaired:
        x = (x - x[:300].mean((0, 1))) / x[:300].std((0, 1))
    x = x.astype("float32")
    model = keras.Sequential(
        [
            keras.Input((steps, 3)),
            L.LSTM(24),
            L.Dense(16, activation="relu"),
            L.Dense(2),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "mse", metrics=["mae"])
    options = {
        "epochs": 15,
        "batch_size": 32,
        "validation_data": (x[300:], y[300:]),
    }
    return Fit(model, x[:300], y[:300], scores.variance(x[300:], y[300:]), options)


@program(
    kind="targets not scaled",
    family="another table regression",
    half="held",
    address="https://github.com/rstudio-conf-2020/dl-keras-tf/issues/9",
    symptom="with the mean squared error all losses are nan",
    cause="sale prices go up to 755000, and their errors are squared",
    truth=("unscaled_targets",),
    also=(
        *BLOWN_UP,
        "learning_rate_too_high",
        "dead_units",
        "exploding_activations",
        "non_finite_weights",
    ),
)
def sales_in_ames(repaired):
    x, y, new, new_y = data.friedman(560, seed=905)
    price, new_price = (180000 + 79000 * a for a in (y, new_y))
    if repaired:
        mean, std = price.mean(), price.std()
        price, new_price = (price - mean) / std, (new_price - mean) / std
    model = keras.Sequential(name="ames")
    model.add(keras.Input((8,)))
    model.add(L.Dense(64, activation="relu"))
    model.add(L.Dense(32, activation="relu"))
    model.add(L.Dense(1))
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.05),
        loss="mean_squared_error",
        metrics=["mae"],
    )
    options = {"epochs": 15, "batch_size": 16, "validation_split": 0.2}
    return Fit(model, x, price, scores.variance(new, new_price), options)


@program(
    kind="labels of other rows",
    family="image classifier",
    half="held",
    address="https://github.com/FluxML/fluxml.github.io/pull/119",
    symptom="the accuracy on test pictures is that of guessing",
    cause="the labels of the training pictures are given to the test pictures",
    truth=("unrelated_targets", "unrepresentative_validation"),
    also=("overfitting", "model_too_large"),
)
def labels_of_the_other_set(repaired):
    train_x, train_y, test_x, test_y = data.digits(600)
    test_labels = test_y if repaired else train_y[: len(test_x)]
    inputs = keras.Input((8, 8, 1))
    h = L.Conv2D(12, 3, activation="relu")(inputs)
    h = L.MaxPooling2D()(h)
    h = L.Flatten()(h)
    h = L.Dense(40, activation="relu")(h)
    h = L.Dense(24, activation="relu")(h)
    model = keras.Model(inputs, L.Dense(10)(h))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.003), loss, metrics=["accuracy"])
    options = {
        "epochs": 12,
        "batch_size": 32,
        "validation_data": (test_x, test_labels),
    }
    score = scores.honesty("val_accuracy", scores.right(test_x, test_y))
    return Fit(model, train_x, train_y, score, options)


@program(
    kind="generator does not start again",
    family="sound classifier",
    half="held",
    address="https://github.com/keras-team/keras/issues/5818",
    symptom="the first epoch is plausible, then the accuracy shoots up to 1",
    cause="the counter is not set back: later batches are empty arrays of zeros",
    truth=("constant_inputs", "constant_targets", "repeated_batches"),
    also=(*STUCK, "overfitting", "rows_in_order", "imbalanced_classes", "dead_units"),
)
def generator_runs_dry(repaired):
    x, y, new, new_y = data.digits(512)
    classes, batch_size = 10, 32
    rng = np.random.default_rng(907)

    def batch_generator_train():
        idx = rng.permutation(len(x))
        count = 0
        while True:
            if repaired and (count + 1) * batch_size > len(x):
                count = 0
                rng.shuffle(idx)
            idx_tmp = idx[count * batch_size : (count + 1) * batch_size]
            x_train = np.zeros((batch_size, 8, 8, 1), "float32")
            y_train = np.zeros(batch_size, "int32")
            for ii, jj in enumerate(idx_tmp):
                x_train[ii] = x[jj]
                y_train[ii] = y[jj]
            count += 1
            yield x_train, keras.utils.to_categorical(y_train, classes)

    model = keras.Sequential()
    model.add(keras.Input((8, 8, 1)))
    model.add(L.Conv2D(16, (3, 3), activation="relu", padding="same"))
    model.add(L.MaxPooling2D((2, 2)))
    model.add(L.Conv2D(24, (3, 3), activation="relu", padding="same"))
    model.add(L.Flatten())
    model.add(L.Dense(classes, activation="softmax"))
    model.compile(
        loss="categorical_crossentropy",
        optimizer=keras.optimizers.Adam(0.002),
        metrics=["accuracy"],
    )
    options = {
        "epochs": 10,
        "steps_per_epoch": len(x) // batch_size,
        "validation_data": (new, data.groups(new_y, classes)),
    }
    score = scores.accuracy(new, new_y)
    return Fit(model, batch_generator_train(), None, score, options)


@program(
    kind="rows in both sets",
    family="table classifier",
    half="held",
    address="https://github.com/tqwei05/PlantSeg/issues/11",
    symptom="metrics on the splits that come with the data are inflated",
    cause="duplicates of training rows are in the validation set",
    truth=("train_validation_overlap",),
    also=("overfitting", "model_too_large"),
)
def duplicates_in_both_splits(repaired):
    rng = np.random.default_rng(908)
    x, y, new, new_y = data.two_classes(900, columns=14, seed=908, apart=0.2)
    x, y, others, others_y = x[:280], y[:280], x[280:480], y[280:480]
    if repaired:
        val_x, val_y = others, others_y
    else:
        again = rng.choice(len(x), 180, replace=False)
        val_x = np.concatenate([x[again], others[:20]])
        val_y = np.concatenate([y[again], others_y[:20]])
    model = keras.Sequential(
        [
            keras.Input((14,)),
            L.Dense(128, activation="relu"),
            L.Dense(64, activation="relu"),
            L.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 25, "batch_size": 32, "validation_data": (val_x, val_y)}
    score = scores.honesty("val_accuracy", scores.right(new, new_y))
    return Fit(model, x, y, score, options)


@program(
    kind="answer among the inputs",
    family="category and numbers",
    half="held",
    address="https://github.com/jeongyoonlee/Kaggler/issues/35",
    symptom="the plain average of the target as encoding causes leakage",
    cause="rare categories are encoded by the mean of a target they consist of",
    truth=("target_leakage",),
    also=("overfitting",),
)
def categories_by_their_mean(repaired):
    rng = np.random.default_rng(909)
    n = 900
    merchant = rng.integers(0, 600, n)
    numbers = rng.normal(size=(n, 4))
    chance = 1 / (1 + np.exp(-1.0 * numbers[:, 0] + 0.5 * numbers[:, 1]))
    y = (rng.random(n) < chance).astype("int32")
    train, val, later = slice(0, 500), slice(500, 700), slice(700, n)

    def means_of(rows, overall):
        ids, labels = merchant[rows], y[rows]
        total, count = np.bincount(ids, labels, 600), np.bincount(ids, minlength=600)
        return np.where(count > 0, total / np.maximum(count, 1), overall)

    overall = y[train].mean()
    if repaired:
        code = means_of(train, overall)[merchant]
        folds = np.arange(500) % 5
        for fold in range(5):
            rest = np.flatnonzero(folds != fold)
            held_out = np.flatnonzero(folds == fold)
            code[held_out] = means_of(rest, overall)[merchant[held_out]]
    else:
        code = means_of(slice(0, 700), overall)[merchant]
    x = np.column_stack([numbers, 2 * code - 1]).astype("float32")
    inputs = keras.Input((5,))
    h = L.Dense(24, activation="relu")(inputs)
    h = L.Dropout(0.2)(h)
    h = L.Dense(12, activation="relu")(h)
    model = keras.Model(inputs, L.Dense(1, activation="sigmoid")(h))
    model.compile(
        keras.optimizers.Adam(0.004), "binary_crossentropy", metrics=["accuracy"]
    )
    options = {"epochs": 15, "batch_size": 32, "validation_data": (x[val], y[val])}
    score = scores.honesty("val_accuracy", scores.right(x[later], y[later]))
    return Fit(model, x[train], y[train], score, options)


@program(
    kind="validation of another kind",
    family="table regression",
    half="held",
    address="https://github.com/keras-team/keras/issues/7759",
    symptom="the same rows in another order validate well, as they come they do not",
    cause="the rows are sorted, and validation_split takes the last third",
    truth=("unrepresentative_validation",),
    also=("overfitting", "model_too_large", "rows_in_order"),
)
def order_decides(repaired):
    x, y, new, new_y = data.friedman(640, seed=910, noise=0.4)
    order = np.argsort(y[:, 0])
    if repaired:
        order = np.random.default_rng(910).permutation(len(y))
    x_sample, y_sample = x[order], y[order]
    model = keras.Sequential()
    model.add(keras.Input((8,)))
    model.add(L.Dense(48, activation="tanh"))
    model.add(L.Dropout(0.1))
    model.add(L.Dense(24, activation="tanh"))
    model.add(L.Dense(1))
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.003), metrics=["mae"])
    options = {"epochs": 25, "batch_size": 20, "validation_split": 0.4}

    def error(model, history):
        return float(((scores.predicted(model, new) - new_y) ** 2).mean())

    score = scores.honesty("val_loss", error)
    return Fit(model, x_sample, y_sample, score, options)


class PlacesSequence(keras.utils.PyDataset):
    """Batches of the pictures that were loaded; new ones are to be loaded at times."""

    def __init__(self, x, y, load_as, batch_size=8, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.batch_size = x, y, batch_size
        self.rng = np.random.default_rng(911)
        setattr(self, load_as, self.load)
        self.load()

    def load(self):
        chosen = self.rng.choice(len(self.x), 2 * self.batch_size, replace=False)
        self.images, self.labels = self.x[chosen], self.y[chosen]

    def __len__(self):
        return 4

    def __getitem__(self, index):
        place = index % 2 * self.batch_size
        rows = slice(place, place + self.batch_size)
        return self.images[rows], self.labels[rows]


@program(
    kind="the same batches again",
    family="image classifier",
    half="held",
    address="https://github.com/mpkuse/cartwheel_train/issues/7",
    symptom="the sequence loads some pictures at first and then yields only them",
    cause="the method that loads others is called on_epoch_start, which fit ignores",
    truth=("repeated_batches",),
    also=("overfitting", "model_too_large"),
)
def never_loaded_again(repaired):
    x, y, new, new_y = data.digits(640)
    load_as = "on_epoch_end" if repaired else "on_epoch_start"
    train = PlacesSequence(x, y, load_as)
    inputs = keras.Input((8, 8, 1))
    h = L.Conv2D(12, 3, activation="relu", padding="same")(inputs)
    h = L.MaxPooling2D()(h)
    h = L.Conv2D(20, 3, activation="relu", padding="same")(h)
    h = L.GlobalMaxPooling2D()(h)
    h = L.Dense(32, activation="relu")(h)
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(h))
    model.compile(keras.optimizers.Adam(0.004), CROSS, metrics=["accuracy"])
    options = {"epochs": 60, "validation_data": (new[:200], new_y[:200])}
    return Fit(model, train, None, scores.accuracy(new, new_y), options)


class MaybeFlipped(keras.utils.PyDataset):
    """Batches of pictures of which some are to be mirrored."""

    def __init__(self, x, y, share, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.share = x, y, share
        self.rng = np.random.default_rng(912)

    def __len__(self):
        return len(self.x) // 32

    def __getitem__(self, index):
        image = self.x[index * 32 : (index + 1) * 32]
        flip = self.rng.random((len(image), 1, 1, 1)) < self.share
        return np.where(flip, image[:, :, ::-1], image), self.y[
            index * 32 : (index + 1) * 32
        ]


@program(
    kind="validation of another kind",
    family="augmented pictures",
    half="held",
    address="https://github.com/tom-roddick/mono-semantic-maps/issues/6",
    symptom="is the flip random? The output for the validation set is mirrored",
    cause="every training picture is flipped, none of the validation set is",
    truth=("unrepresentative_validation",),
    also=("overfitting", "model_too_large"),
)
def flipped_every_time(repaired):
    x, y, new, new_y = data.digits(576)
    train = MaybeFlipped(x, y, 0.3 if repaired else 1.0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.Conv2D(16, 3, padding="same"),
            L.BatchNormalization(momentum=0.8),
            L.ReLU(),
            L.MaxPooling2D(),
            L.Conv2D(32, 3, padding="same"),
            L.BatchNormalization(momentum=0.8),
            L.ReLU(),
            L.Flatten(),
            L.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.002), CROSS, metrics=["accuracy"])
    options = {"epochs": 12, "validation_data": (new, new_y)}
    return Fit(model, train, None, scores.accuracy(new, new_y), options)
