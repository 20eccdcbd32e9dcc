"""Rows of tasks, drawn, and their losses."""

import numpy as np

from skmtl.data import TaskRows
from skmtl.problems.newton import Datafit
from skmtl.targets import target_classes


def rows_of(sizes, n_features=3, n_kinds=2, seed=0):
    """Draw rows of tasks, whose targets are codes of kinds or counts."""
    rng = np.random.default_rng(seed)
    n_rows = sum(sizes)
    X = rng.normal(size=(n_rows, n_features)) + 0.5
    y = rng.integers(n_kinds, size=n_rows).astype(float)
    weight = rng.uniform(0.2, 3.0, size=n_rows) * (rng.random(n_rows) > 0.2)
    weight[0] = 1.0
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    tasks = np.arange(len(sizes))
    order = rng.permutation(n_rows)
    return TaskRows(X, order, y, weight, offsets, tasks, 0.5 + tasks)


def n_targets(loss):
    """Return how many targets a row has: one, or one per class."""
    return loss.n_outputs + (loss.n_outputs > 1)


def datafit_of(rows, loss, fit_intercept=True, smooths=True):
    """Pose rows; codes of classes become one target per class."""
    if n_targets(loss) == 1:
        return Datafit(rows, loss, fit_intercept)
    targets = target_classes(rows, n_targets(loss), smooths=smooths)[1]
    return Datafit(rows, loss, fit_intercept, targets)
