"""C1. With hidden layers, the loss is a non-convex surface in many dimensions
===========================================================================

Too simple in the texts: hills do not make training fail. Both ends of each line were
found from other weights, and both fit; and a line shows one of very many directions.
"""

import keras
import numpy as np
from gallery import digits, show, stack

import keras_dlbasic as kd

DEPTHS = (0, 1, 4)


def measure(seed):
    x, y, *_ = digits(200, seed)
    found = {}
    for depth in DEPTHS:
        ends = []
        for start in (2 * seed, 2 * seed + 1):
            keras.utils.set_random_seed(start)
            model = stack(depth, 32, "tanh", kd.initializers.XavierNormal)
            if not ends:
                options = {"max_products": 20}
                curvature = kd.landscape.hessian_extremes(model, x, y, **options)
                found[f"depth {depth}: smallest curvature"] = curvature.smallest
                found[f"depth {depth}: largest curvature"] = curvature.largest
            model.fit(x, y, epochs=25, verbose=0)
            ends.append(model)
        line = kd.landscape.loss_line(*ends, x, y, resolution=25)
        found[f"depth {depth}: weights"] = model.count_params()
        found[f"depth {depth}: barrier"] = line.barrier
        found[f"depth {depth}: highest loss of both ends"] = float(
            max(np.interp([0, 1], line.t, line.loss))
        )
        found[depth] = line
    return found


def holds(found):
    flat, *deep = (
        (
            found[f"depth {depth}: smallest curvature"],
            found[f"depth {depth}: largest curvature"],
            found[f"depth {depth}: barrier"],
            found[f"depth {depth}: highest loss of both ends"],
        )
        for depth in DEPTHS
    )
    one_valley = flat[0] > -1e-3 * flat[1] and flat[2] == 0
    return one_valley and all(
        low < -0.01 * high and barrier > 2 * ends for low, high, barrier, ends in deep
    )


def draw(found, ax):
    for depth in DEPTHS:
        name = f"{depth} hidden, {found[f'depth {depth}: weights']:,} weights"
        ax.plot(found[depth].t, found[depth].loss, label=name)
    ax.set(title="From one solution to another, in a straight line", ylabel="loss")
    ax.set_xticks([0, 1], ["one start", "another"])
    ax.legend()


if __name__ == "__main__":
    show(measure, holds, draw)
