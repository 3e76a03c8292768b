"""C2. At a saddle point the gradient is zero; noisy steps leave it
================================================================
"""

import keras
import numpy as np
from gallery import show

import keras_dlbasic as kd


def measure(seed):
    found = {}
    for name, batch_size, epochs in (("full batch", 256, 40), ("16 samples", 16, 3)):
        keras.utils.set_random_seed(seed)
        model, x, y = kd.landscape.teaching_surface("saddle")
        model.fit(x, y, batch_size=256, epochs=40, verbose=0)
        model.fit(x, y, batch_size=batch_size, epochs=epochs, verbose=0)
        found[name] = abs(float(model.get_weights()[0][1]))
        if name == "full batch":
            found["saddle"] = _point(model, x, y)
    model, x, y = kd.landscape.teaching_surface("two_minima")
    model.fit(x, y, batch_size=256, epochs=400, verbose=0)
    found["minimum"] = _point(model, x, y)
    return found


def _point(model, x, y, reach=1.0):
    """Classify where a model is, and move each of its two weights from there."""
    evidence = kd.landscape.classify_point(model, x, y)
    (here,) = model.get_weights()
    places = np.linspace(-reach, reach, 15)
    slices = []
    for direction in np.eye(2):
        losses = []
        for place in places:
            model.set_weights([here + place * direction])
            losses.append(model.evaluate(x, y, batch_size=256, verbose=0))
        slices.append(np.array(losses) - losses[len(places) // 2])
    model.set_weights([here])
    return {
        "verdict": evidence.verdict,
        "smallest": evidence.evidence.smallest,
        "largest": evidence.evidence.largest,
        "places": places,
        "slices": slices,
    }


def holds(found):
    saddle, minimum = found["saddle"], found["minimum"]
    return (
        found["full batch"] < 1e-6
        and found["16 samples"] > 0.1
        and (saddle["verdict"], minimum["verdict"]) == ("saddle", "minimum")
        and saddle["smallest"] < 0 < saddle["largest"]
        and minimum["smallest"] > 0
    )


def draw(found, ax):
    figure = ax.figure
    ax.remove()
    axes = figure.subplots(1, 2, sharex=True, sharey=True)
    for panel, name in zip(axes, ("saddle", "minimum"), strict=True):
        point = found[name]
        for number, line in enumerate(point["slices"], start=1):
            panel.plot(point["places"], line, label=f"weight {number}")
        panel.plot(0, 0, "o", color="black", ms=8, label="the gradient is zero")
        title = f"{name.capitalize()}: curvature {point['smallest']:.2f} to "
        panel.set_title(f"{title}{point['largest']:.2f}")
        panel.set_xlabel("weight, moved from that point")
    axes[0].set_ylabel("change of the loss")
    axes[0].legend(loc="upper center")


if __name__ == "__main__":
    show(measure, holds, draw)
