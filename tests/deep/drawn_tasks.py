"""Rows of tasks, and networks that are quickly fitted to them."""

import numpy as np

N_TASKS, N_ROWS, N_FEATURES = 3, 60, 4
# A large tol stops after n_iter_no_change + 1 passes without a warning.
SHORT = {
    "hidden_layer_sizes": (6, 5),
    "activation": "tanh",
    "learning_rate_init": 0.05,
    "tol": 1e9,
    "n_iter_no_change": 5,
    "random_state": 0,
}


def draw(kind="numbers", seed=0):
    """Return X, y and the task of each row; tasks have unequally many rows."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N_ROWS, N_FEATURES))
    task = np.concatenate([np.arange(N_TASKS), rng.choice(3, 57, p=[0.2, 0.3, 0.5])])
    score = np.sin(2 * X[:, 0]) * (1 + task) + X[:, 1] * X[:, 2] + 5 * task
    y = {
        "numbers": score,
        "counts": np.floor(np.exp(score / 8)),
        "two": np.where(score > np.median(score), "yes", "no"),
        "three": np.digitize(score, np.quantile(score, [0.3, 0.6])),
    }
    return X, y[kind], task


def draw_outputs(seed=0):
    """Return X, and y with a column per task and missing values."""
    X, _, _ = draw(seed=seed)
    rng = np.random.default_rng(seed)
    Y = np.sin(X[:, :1] * [1, 2, 3]) + X[:, 1:2]
    Y[rng.random(Y.shape) < 0.3] = np.nan
    return X, Y


def batches_of(X, y, task, size=7):
    """Return a loader per task: a list of pairs."""
    loaders = {}
    for label in np.unique(task):
        rows = np.flatnonzero(task == label)
        parts = [rows[i : i + size] for i in range(0, len(rows), size)]
        loaders[label.item()] = [(X[part], y[part]) for part in parts]
    return loaders
