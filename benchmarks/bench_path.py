"""Compute a path of 30 strengths in the time of a few fits (row 1c).

The tasks are those of row 1, without and with columns that are zero in every task.
"""

from _harness import QUICK, Report, related_tasks

# isort: split

import numpy as np

from skmtl.linear_model import MeanRegularizedRegressor, mean_regularized_path

SIZE = (20, 30, 5) if QUICK else (1000, 200, 50)
ALPHAS = np.geomspace(0.1, 1e5, 30)
N_ZERO = 5


def main():
    """Compare a path with one fit, without and with zero columns."""
    X, y = related_tasks(*SIZE)
    task = np.repeat(np.arange(len(X)), X.shape[1])
    full, target = X.reshape(-1, X.shape[2]), y.ravel()
    empty = full.copy()
    empty[:, :N_ZERO] = 0

    def path(rows):
        return mean_regularized_path(rows, target, task=task, alphas=ALPHAS)

    def fit(rows, alpha=ALPHAS[15]):
        return MeanRegularizedRegressor(alpha).fit(rows, target, task=task)

    report = Report("A path of 30 strengths")
    seconds, results = report.time(
        {
            "one fit": lambda: fit(full),
            "path": lambda: path(full),
            "one fit, empty columns": lambda: fit(empty),
            "path, empty columns": lambda: path(empty),
        },
        repeats=9,
    )
    for name, rows in (("path", full), ("path, empty columns", empty)):
        found = results[name]
        gaps = [
            np.abs(found.coef[k] - fit(rows, ALPHAS[k]).coef_).max()
            for k in (0, 15, 29)
        ]
        report.agree(f"coefficients, {name} and fits", max(gaps), 1e-9)
        report.at_most(f"row 1c, {name} / fit", seconds[name] / seconds["one fit"], 9)
    report.finish()


if __name__ == "__main__":
    main()
