"""A small problem on which other people's software was run, drawn anew."""

from dataclasses import dataclass

import numpy as np

N_FEATURES, N_TASKS = 8, 5
SIZES = np.array([20, 24, 28, 22, 26])


@dataclass(frozen=True)
class Problem:
    """Rows of five tasks, with a target and a class each, and rows that all share.

    Most tasks need the same four features; one uses all of them, and another one
    more, strongly.
    """

    X: np.ndarray
    y: np.ndarray
    label: np.ndarray
    task: np.ndarray
    X_shared: np.ndarray
    Y_shared: np.ndarray


def draw_problem():
    """Draw the problem: its numbers are those the references were computed for."""
    rng = np.random.default_rng(0)
    coef = _draw_coef(rng)
    task = np.repeat(np.arange(N_TASKS), SIZES)
    X = rng.standard_normal((len(task), N_FEATURES))
    y = (X * coef[task]).sum(axis=1) + 0.3 * rng.standard_normal(len(task))
    middle = np.array([np.median(y[task == t]) for t in range(N_TASKS)])
    score = y - middle[task] + 0.5 * rng.standard_normal(len(task))
    label = np.where(score > 0, 1, -1)
    X_shared = rng.standard_normal((40, N_FEATURES))
    Y_shared = X_shared @ coef.T + 0.3 * rng.standard_normal((40, N_TASKS))
    return Problem(X, y, label, task, X_shared, Y_shared)


def _draw_coef(rng):
    """Draw coefficients of shape (n_tasks, n_features)."""
    coef = np.zeros((N_TASKS, N_FEATURES))
    centre = rng.standard_normal(4)
    coef[:, :4] = centre + 0.3 * rng.standard_normal((4, N_TASKS)).T
    coef[4] += 0.8 * rng.standard_normal(N_FEATURES)
    coef[2, 5] = 2.0
    return coef
