"""Fit 50 tasks of 5000 rows and 200 features, beside a loop of Ridge (row 17).

The loop fits tasks apart. The objective of the model is checked from its definition.
"""

from _harness import QUICK, Report, in_fresh_process, peak_megabytes

# isort: split

import numpy as np
from sklearn.linear_model import Ridge

from skmtl.linear_model import MeanRegularizedRegressor

ALPHA, ALPHA_SHARED = 3.0, 1.0
N_TASKS, N_ROWS, N_FEATURES = (4, 60, 5) if QUICK else (50, 5000, 200)


def draw():
    """Return rows of correlated features with offsets, targets and labels."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_TASKS * N_ROWS, N_FEATURES))
    X[:, 1:] += 0.7 * X[:, :-1]
    X += 3 * rng.normal(size=N_FEATURES)
    y = X @ rng.normal(size=N_FEATURES) + rng.normal(size=len(X))
    return X, y, np.repeat(np.arange(N_TASKS), N_ROWS)


def fit(X, y, task):
    """Fit the model."""
    model = MeanRegularizedRegressor(ALPHA, alpha_shared=ALPHA_SHARED)
    return model.fit(X, y, task=task)


def fit_apart(X, y):
    """Fit every task by Ridge."""
    parts = [slice(t * N_ROWS, (t + 1) * N_ROWS) for t in range(N_TASKS)]
    return [Ridge(ALPHA).fit(X[part], y[part]) for part in parts]


def slopes(model, X, y):
    """Return the gradient of the objective in the coefficients of the tasks."""
    rows, targets = X.reshape(N_TASKS, N_ROWS, -1), y.reshape(N_TASKS, N_ROWS)
    fitted = np.matmul(rows, model.coef_[:, :, None])[:, :, 0]
    left = targets - fitted - model.intercept_[:, None]
    own = ALPHA * (model.coef_ - model.coef_shared_)
    return own - np.matmul(left[:, None], rows)[:, 0]


def peak():
    """Return the peak memory of a fit, relative to the rows."""
    X, y, task = draw()
    return peak_megabytes(lambda: fit(X, y, task)) * 2**20 / X.nbytes


def main():
    """Compare times and memory with their budgets."""
    report = Report("Tall tasks")
    X, y, task = draw()
    seconds, models = report.time(
        {"skmtl": lambda: fit(X, y, task), "loop of Ridge": lambda: fit_apart(X, y)},
        repeats=7,
    )
    gradient = np.abs(slopes(models["skmtl"], X, y)).max() / np.abs(X.T @ y).max()
    report.agree("gradient at the solution, relative", gradient, 1e-10)
    ratio = seconds["loop of Ridge"] / seconds["skmtl"]
    report.at_least("row 17, loop of Ridge / skmtl", ratio, 1.1)
    report.at_most("row 17, peak memory / rows", in_fresh_process(peak), 0.2)
    report.finish()


if __name__ == "__main__":
    main()
