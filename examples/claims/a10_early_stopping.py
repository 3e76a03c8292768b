"""A10. Early stopping keeps the best weights, and saves training time
===================================================================

Too simple in the texts: it is the loss that early stopping saves, more than the share
of wrong answers. The rows that chose the epoch cannot judge it: others do here.
"""

import keras
from gallery import digits, mislabelled, show, stack

import keras_dlbasic as kd

EPOCHS = 60


def measure(seed):
    x, y, test_x, test_y = digits(150, seed)
    y = mislabelled(y, 20, seed)
    chooses, judges = (test_x[:200], test_y[:200]), (test_x[200:], test_y[200:])
    stopping = kd.callbacks.EarlyStoppingReport(patience=8, restore_best_weights=True)
    found = {}
    for name, callbacks in (("all epochs", []), ("stopped early", [stopping])):
        keras.utils.set_random_seed(seed)
        model = stack(2, 128, "relu", kd.initializers.HeNormal)
        options = {"epochs": EPOCHS, "verbose": 0, "callbacks": callbacks}
        history = model.fit(x, y, validation_data=chooses, **options)
        loss, accuracy = model.evaluate(*judges, verbose=0)
        found[f"{name}: loss on rows that chose nothing"] = loss
        found[f"{name}: errors on them"] = 1 - accuracy
        found[f"{name}: epochs trained"] = len(history.epoch)
        if not callbacks:
            found["history"] = history.history
    return {**found, "report": stopping.report}


def holds(found):
    loss = "loss on rows that chose nothing"
    return (
        found["report"].stopped
        and found["report"].restored
        and found["stopped early: epochs trained"] < EPOCHS / 2
        and found[f"stopped early: {loss}"] < found[f"all epochs: {loss}"]
    )


def draw(found, ax):
    report = found["report"]
    kd.plots.plot_history(found["history"], ax=[ax], metrics=["loss"], report=report)
    ax.set_title("150 digits: stopped early, and all epochs")


if __name__ == "__main__":
    show(measure, holds, draw)
