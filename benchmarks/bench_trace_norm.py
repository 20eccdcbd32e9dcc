"""Fit 100 tasks with 100 rows of their own and 300 features by a trace norm (row 6).

MALSAR, the peer of the budget, needs Octave and is not run here. In its place stands
what a user would write in NumPy: accelerated steps of fixed length on the batched rows,
with a full singular value decomposition each, from the exact largest curvature, until
the same gap.
"""

from _harness import QUICK, Report

# isort: split

import numpy as np

from skmtl.linear_model import LowRankRegressor

SIZE = (4, 10, 20) if QUICK else (100, 100, 300)
RANK = 2 if QUICK else 5
GAP = 1e-6
# Strengths in units of the largest, and how many times faster skmtl must be than the
# stand-in, which the budget holds against MALSAR.
BUDGETS = {0.3: 3.5, 0.1: 3.5}


def draw():
    """Return centred rows (n_tasks, n_rows, n_features) and targets."""
    n_tasks, _, n_features = SIZE
    rng = np.random.default_rng(0)
    X = rng.normal(size=SIZE)
    X -= X.mean(axis=1, keepdims=True)
    coef = rng.normal(size=(n_tasks, RANK)) @ rng.normal(size=(RANK, n_features))
    y = np.einsum("tij,tj->ti", X, coef / np.sqrt(n_features))
    y += rng.normal(size=y.shape)
    return X, y - y.mean(axis=1, keepdims=True)


def slope(X, y, W):
    """Return the residuals and the gradient."""
    left = y - np.matmul(X, W[:, :, None])[:, :, 0]
    return left, -np.matmul(left[:, None], X)[:, 0] / X.shape[1]


def gap(X, y, W, alpha):
    """Return the duality gap relative to the objective at zero."""
    left, gradient = slope(X, y, W)
    along, square, start = np.vdot(left, y), np.vdot(left, left), np.vdot(y, y)
    limit = alpha / np.linalg.norm(gradient, 2)
    k = np.clip(along / square, -limit, limit)
    nuclear = np.linalg.svd(W, compute_uv=False).sum()
    primal = square / 2 + X.shape[1] * alpha * nuclear
    return (primal - k * along + k**2 / 2 * square) / (start / 2)


def by_fixed_steps(X, y, alpha):
    """Return coefficients by FISTA with the exact largest curvature."""
    step = X.shape[1] / max(np.linalg.norm(rows, 2) ** 2 for rows in X)
    W = V = np.zeros((X.shape[0], X.shape[2]))
    momentum = 1.0
    for n in range(1, 10_000):
        moved = V - step * slope(X, y, V)[1]
        left, sizes, right = np.linalg.svd(moved, full_matrices=False)
        W, before = (left * np.maximum(sizes - step * alpha, 0)) @ right, W
        ahead = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        V = W + (momentum - 1) / ahead * (W - before)
        momentum = ahead
        if n % 5 == 0 and gap(X, y, W, alpha) <= GAP:
            return W
    raise RuntimeError("The fixed steps did not arrive.")


def main():
    """Compare times at equal gap."""
    X, y = draw()
    rows, target = X.reshape(-1, X.shape[2]), y.ravel()
    task = np.repeat(np.arange(len(X)), X.shape[1])
    alpha_max = np.linalg.norm(slope(X, y, np.zeros((len(X), X.shape[2])))[1], 2)
    report = Report("Trace norm, rows of their own")
    for share, budget in BUDGETS.items():
        alpha = share * alpha_max

        def fit(alpha=alpha):
            return LowRankRegressor(alpha, tol=GAP).fit(rows, target, task=task).coef_

        def fit_peer(alpha=alpha):
            return by_fixed_steps(X, y, alpha)

        name, other = f"skmtl, {share} alpha_max", f"fixed steps, {share} alpha_max"
        seconds, found = report.time({name: fit, other: fit_peer}, repeats=7)
        report.agree(f"gap at {share} alpha_max", gap(X, y, found[name], alpha), GAP)
        ratio = seconds[other] / seconds[name]
        report.at_least(f"row 6, stand-in / skmtl at {share}", ratio, budget)
    report.finish()


if __name__ == "__main__":
    main()
