"""Verdicts and eigenvalues at points whose kind is known.

    KERAS_BACKEND=jax python benchmarks/landscape_points.py [--seeds 5]

Points are found and judged in NumPy float64 by code of its own: gradients by hand,
dense Hessians by central differences of them, stationary points by SciPy. Prints each
point that is judged otherwise, and a table.
"""

import argparse
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import keras
import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.datasets import load_digits

import keras_dlbasic as kd

ACTIVATIONS = {
    "tanh": (np.tanh, lambda z, a: 1 - a**2),
    "relu": (lambda z: np.maximum(z, 0), lambda z, a: (z > 0).astype(float)),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z, a: a * (1 - a)),
}


class Net:
    """A dense net with its loss, gradient and Hessian in float64."""

    def __init__(self, widths, activation, x, y, penalty=0.0):
        self.widths, self.activation, self.x, self.y = widths, activation, x, y
        self.penalty, self.classes = penalty, y.dtype.kind == "i"
        self.shapes = [s for a, b in pairwise(widths) for s in ((a, b), (b,))]

    def parts(self, theta):
        ends = np.cumsum([np.prod(s) for s in self.shapes])[:-1]
        split = np.split(theta, ends)
        return [p.reshape(s) for p, s in zip(split, self.shapes, strict=True)]

    def value(self, theta):
        """Return loss and gradient."""
        function, slope = ACTIVATIONS[self.activation]
        parts, n = self.parts(theta), len(self.x)
        kernels, biases = parts[::2], parts[1::2]
        inputs, sums = [self.x], []
        for k, b in zip(kernels, biases, strict=True):
            sums.append(inputs[-1] @ k + b)
            inputs.append(function(sums[-1]))
        out = sums[-1]
        if self.classes:
            logs = out - logsumexp(out, axis=1, keepdims=True)
            loss = -logs[np.arange(n), self.y].mean()
            sent = np.exp(logs)
            sent[np.arange(n), self.y] -= 1
            sent /= n
        else:
            loss, sent = ((out - self.y) ** 2).mean(), 2 * (out - self.y) / out.size
        gradients = []
        for place in range(len(kernels) - 1, -1, -1):
            decay = 2 * self.penalty * kernels[place]
            gradients[:0] = [inputs[place].T @ sent + decay, sent.sum(axis=0)]
            if place:
                sent = sent @ kernels[place].T
                sent = sent * slope(sums[place - 1], inputs[place])
        loss += self.penalty * sum((k**2).sum() for k in kernels)
        return loss, np.concatenate([g.ravel() for g in gradients])

    def hessian(self, theta):
        step = 1e-5
        columns = []
        for unit in np.eye(len(theta)):
            ahead, behind = (self.value(theta + s * step * unit)[1] for s in (1, -1))
            columns.append((ahead - behind) / (2 * step))
        dense = np.array(columns)
        return (dense + dense.T) / 2

    def settle(self, theta, embed=None):
        """Return a stationary point near `theta`, within the span of `embed`."""
        embed = np.eye(len(theta)) if embed is None else embed

        def value(z):
            loss, gradient = self.value(embed @ z)
            return loss, embed.T @ gradient

        z = np.linalg.lstsq(embed, theta, rcond=None)[0]
        z = minimize(value, z, jac=True, method="L-BFGS-B", options=DEEP).x
        for _ in range(20):  # Newton's method to the last digits
            loss, gradient = value(z)
            if np.linalg.norm(gradient) < 1e-10:
                break
            curvature = embed.T @ self.hessian(embed @ z) @ embed
            step = -np.linalg.lstsq(curvature, gradient, rcond=1e-10)[0]
            if value(z + step)[0] > loss + 1e-14:
                break
            z = z + step
        return embed @ z

    def model(self, theta):
        regularizer = keras.regularizers.L2(self.penalty) if self.penalty else None
        layers = [
            keras.layers.Dense(w, self.activation, kernel_regularizer=regularizer)
            for w in self.widths[1:-1]
        ]
        layers.append(
            keras.layers.Dense(self.widths[-1], kernel_regularizer=regularizer)
        )
        model = keras.Sequential([keras.Input((self.widths[0],)), *layers])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("sgd", loss if self.classes else "mse")
        model.set_weights([p.astype("float32") for p in self.parts(theta)])
        return model

    def random(self, rng):
        return np.concatenate(
            [
                (
                    rng.normal(size=s) / np.sqrt(s[0]) if len(s) > 1 else np.zeros(s)
                ).ravel()
                for s in self.shapes
            ]
        )

    def twins(self, theta):
        """Return an embedding in which the first two hidden units are one."""
        marks = self.parts(np.arange(theta.size))
        embed = np.eye(theta.size)
        pairs = [*zip(marks[0][:, 0], marks[0][:, 1], strict=True)]
        pairs += [(marks[1][0], marks[1][1])]
        pairs += [*zip(marks[2][0], marks[2][1], strict=True)]
        for one, other in pairs:
            embed[other, one] = 1
        return np.delete(embed, [other for _, other in pairs], axis=1)


DEEP = {"maxiter": 20_000, "maxfun": 40_000, "ftol": 1e-15, "gtol": 1e-10}


def teacher(rng, units, scale=1.0, n=200):
    x = rng.normal(size=(n, 3))
    hidden = np.tanh(x @ rng.normal(size=(3, units)) * 1.5)
    y = hidden @ rng.normal(size=(units, 1)) + 0.05 * rng.normal(size=(n, 1))
    return x, scale * (y - y.mean())


def digits(n=300):
    found = load_digits()
    return found.data[:n] / 16, found.target[:n].astype("int64")


def small(rng, units):
    return Net((3, units, 1), "tanh", *teacher(rng, units))


def with_digits(rng):
    return Net((64, 8, 10), "tanh", *digits(), penalty=1e-3)


def settled(rng, net):
    return net, net.settle(net.random(rng)), None


def alike(rng, net):
    """Two units in the same place, the loss settled in all the rest."""
    embed = net.twins(net.random(rng))
    return net, net.settle(embed @ (embed.T @ net.random(rng)), embed), None


def at_zero(rng, net, kind):
    return net, np.zeros(net.random(rng).size), kind


def deep(rng, activation, depth):
    return Net((3, *[8] * depth, 1), activation, *teacher(rng, 3))


def dead(rng):
    net = Net((64, 16, 16, 10), "relu", *digits())
    parts = net.parts(net.random(rng))
    parts[3][:] = -50.0
    parts[5][:] = np.log(np.bincount(net.y, minlength=10) / len(net.y))
    return net, np.concatenate([p.ravel() for p in parts]), "plateau"


def saturated(rng):
    net = deep(rng, "sigmoid", 2)
    parts = net.parts(net.random(rng))
    parts[1][:], parts[3][:] = 40.0, -40.0
    parts[4][:], parts[5][:] = 0.1, net.y.mean()
    return net, np.concatenate([p.ravel() for p in parts]), "plateau"


def of_size(rng, scale):
    return Net((3, 8, 1), "tanh", *teacher(rng, 3, scale))


# name: what makes net, weights and what the point must be; None: the Hessian tells
POINTS = {
    **{f"{n} units, settled": lambda r, n=n: settled(r, small(r, n)) for n in (2, 4)},
    **{f"{n} units, 2 alike": lambda r, n=n: alike(r, small(r, n)) for n in (2, 4)},
    "4 units, not settled": lambda r: (
        small(r, 4),
        small(r, 4).random(r),
        "not_stationary",
    ),
    "digits, settled": lambda r: settled(r, with_digits(r)),
    "digits, 2 units alike": lambda r: alike(r, with_digits(r)),
    **{
        f"zero net, targets of {s:g}": lambda r, s=s: at_zero(
            r, of_size(r, s), "saddle"
        )
        for s in (1e-3, 0.1, 1.0, 10.0, 1e3)
    },
    **{
        f"zero net, {d} hidden {a}": lambda r, a=a, d=d: at_zero(
            r, deep(r, a, d), "degenerate"
        )
        for a, d in (("tanh", 2), ("tanh", 3), ("relu", 2))
    },
    "digits, dead layer": dead,
    "saturated sigmoid": saturated,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--points", default="", help="only names with this in them")
    rows = []
    options = parser.parse_args()
    for seed in range(options.seeds):
        for name, make in POINTS.items():
            if options.points not in name:
                continue
            net, theta, kind = make(np.random.default_rng(seed))
            theta = theta.astype("float32").astype(float)
            model = net.model(theta)
            y = net.y if net.classes else net.y.astype("float32")
            x = net.x.astype("float32")
            values = np.linalg.eigvalsh(net.hessian(theta))
            most = np.abs(values).max()
            if kind is None:
                kind = "saddle" if values[0] < -1e-4 * most else "minimum"
            point = kd.landscape.classify_point(model, x, y)
            found = kd.landscape.hessian_extremes(model, x, y)
            errors = [abs(found.smallest - values[0]), abs(found.largest - values[-1])]
            bounds = [found.smallest_residual, found.largest_residual]
            row = {
                "point": name,
                "seed": seed,
                "kind": kind,
                "verdict": point.verdict,
                "doubts": list(point.doubts),
                "gradient": float(np.linalg.norm(net.value(theta)[1])),
                "ends": [values[0], values[-1]],
                "found": [found.smallest, found.largest],
                "error": max(errors) / most if most else 0.0,
                "within": all(
                    e <= b + 1e-5 * most for e, b in zip(errors, bounds, strict=True)
                ),
            }
            rows.append(row)
            if point.verdict != kind:
                print(f"-- {name}, seed {seed}: {kind}\n{point}\n", flush=True)
    table = Table(
        "point", "kinds", "right", "with doubts", "largest error", "in bounds"
    )
    for name in dict.fromkeys(row["point"] for row in rows):
        own = [row for row in rows if row["point"] == name]
        table.add_row(
            name,
            ", ".join(f"{n} {k}" for k, n in Counter(r["kind"] for r in own).items()),
            f"{sum(r['kind'] == r['verdict'] for r in own)} of {len(own)}",
            str(sum(bool(r["doubts"]) for r in own)),
            f"{max(r['error'] for r in own):.1e}",
            f"{sum(r['within'] for r in own)} of {len(own)}",
        )
    Console(width=120).print(table)
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    path = folder / f"landscape_points_{keras.backend.backend()}.json"
    path.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
