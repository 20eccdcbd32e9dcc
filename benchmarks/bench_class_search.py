"""Choose the strengths of classes and counts in the time of a few fits (row 14).

Tasks have equally many rows, or log-normal numbers of them; features are correlated,
offset and in different units. A plain fit has given strengths. The scores are compared
with the best of a grid of 6 x 3 x 3 strengths.
"""

from _harness import QUICK, Report, draw_sizes

# isort: split

import warnings

import numpy as np
from scipy.special import expit

from skmtl.linear_model import (
    MeanRegularizedClassifier,
    MeanRegularizedClassifierCV,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedPoissonRegressorCV,
)

# Tasks, rows per task and features.
SIZES = [(20, 12, 3)] if QUICK else [(250, 40, 8), (200, 60, 20), (1000, 30, 5)]
MODELS = {
    "classes": (MeanRegularizedClassifier, MeanRegularizedClassifierCV),
    "counts": (MeanRegularizedPoissonRegressor, MeanRegularizedPoissonRegressorCV),
}
# Plain fits that a search may cost.
BUDGET = 12
# Held-out scores may be this much worse than those of the grid, relatively.
TOLERANCE = 0.1 if QUICK else 1e-3


def draw(kind, size, is_ragged):
    """Draw rows, targets and tasks with coefficients near a centre."""
    n_tasks, n_rows, n_features = size
    rng = np.random.default_rng(n_tasks + n_features)
    sizes = draw_sizes(rng, n_tasks, n_rows, is_ragged)
    task = np.repeat(np.arange(n_tasks), sizes)
    noise = rng.normal(size=(len(task), n_features + 1))
    Z = noise[:, 1:] + noise[:, :-1]  # neighbouring features are correlated
    own = rng.normal(size=n_features) + 0.5 * rng.normal(size=(n_tasks, n_features))
    raw = (Z * own[task]).sum(axis=1) / np.sqrt(2 * n_features)
    raw += 0.5 * rng.normal(size=n_tasks)[task]
    scale = np.geomspace(0.3, 3, n_features)
    X = Z * scale + rng.normal(size=n_features)
    if kind == "classes":
        return X, (rng.random(len(raw)) < expit(raw)).astype(int), task
    return X, rng.poisson(np.exp(raw / 2)), task


def search_grid(model, X, y, task):
    """Return the best score of a grid of strengths, without values between them."""
    alphas = np.geomspace(1, 1e3, 6)
    lists = {"alphas_shared": [1.0, 10.0, 100.0], "alphas_intercept": [1.0, 5.0, 25.0]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # errors that fall towards an end of a list
        return model(alphas, **lists).fit(X, y, task=task).best_score_


def compare(report, kind, size, is_ragged):
    """Time the searches on tasks of one size."""
    n_tasks, n_rows, n_features = size
    shape = "ragged" if is_ragged else "equal"
    title = f"{kind}, {n_tasks} {shape} tasks x {n_rows} rows x {n_features}"
    X, y, task = draw(kind, size, is_ragged)
    plain, search = MODELS[kind]
    print(f"{title}\n")

    def fit(**options):
        return lambda: search(**options).fit(X, y, task=task)

    contenders = {
        "plain fit": lambda: plain(5.0, alpha_intercept=5.0).fit(X, y, task=task),
        "cv, one strength": fit(alpha_structure="one"),
        "cv, auto": fit(),
        "laplace, one strength": fit(method="laplace", alpha_structure="one"),
        "laplace, auto": fit(method="laplace"),
    }
    seconds, models = report.time(contenders, repeats=3)
    if not is_ragged:
        best, found = search_grid(search, X, y, task), models["cv, one strength"]
        worse = max(0.0, (best - found.best_score_) / abs(best))
        report.agree("score below the grid's, relatively", worse, TOLERANCE)
    for name in list(contenders)[1:]:
        ratio = seconds[name] / seconds["plain fit"]
        report.at_most(f"row 14, {name} / plain fit, {title}", ratio, BUDGET)
    print()


def main():
    """Compare searches with plain fits."""
    report = Report("Searches of the strengths of classes and counts in plain fits")
    for kind in MODELS:
        for size in SIZES:
            for is_ragged in (False, True):
                compare(report, kind, size, is_ragged)
    report.finish()


if __name__ == "__main__":
    main()
