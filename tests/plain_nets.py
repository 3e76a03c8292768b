"""Small nets in float64 NumPy, for derivatives that no backend took part in."""

import numpy as np

STEP = 1e-30  # complex steps: no difference is taken, so nothing cancels


class PlainNet:
    """Dense layers; weights are one vector, kernel and bias by layer as in Keras."""

    def __init__(self, x, y, widths, *, activation="tanh", l2=0.0, loss="mse"):
        self.x, self.y = np.asarray(x, float), np.asarray(y)
        self.shapes = []
        for n_in, n_out in zip([self.x.shape[1], *widths], widths, strict=False):
            self.shapes += [(n_in, n_out), (n_out,)]
        self.activation = {
            "tanh": np.tanh,
            "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        }[activation]
        self.l2, self.kind = l2, loss

    def loss(self, weights):
        parts, start = [], 0
        for shape in self.shapes:
            size = int(np.prod(shape))
            parts.append(weights[start : start + size].reshape(shape))
            start += size
        h = self.x
        for place in range(0, len(parts), 2):
            h = h @ parts[place] + parts[place + 1]
            if place + 2 < len(parts):
                h = self.activation(h)
        penalty = self.l2 * sum(np.sum(kernel**2) for kernel in parts[::2])
        if self.kind == "mse":
            return np.mean((h - self.y) ** 2) + penalty
        h = h - h.real.max(axis=1, keepdims=True)
        log_sums = np.log(np.exp(h).sum(axis=1))
        return np.mean(log_sums - h[np.arange(len(h)), self.y]) + penalty

    def gradient(self, weights):
        columns = np.eye(len(weights)) * 1j * STEP
        return np.array([self.loss(weights + c).imag for c in columns]) / STEP

    def hessian(self, weights, step=1e-5):
        rows = [
            (self.gradient(weights + step * e) - self.gradient(weights - step * e))
            / (2 * step)
            for e in np.eye(len(weights))
        ]
        return (np.array(rows) + np.array(rows).T) / 2
