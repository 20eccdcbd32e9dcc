"""Fit tasks of log-normal sizes, beside equal tasks of as many rows (row 16)."""

from _harness import QUICK, Report, draw_sizes

# isort: split

import numpy as np

from skmtl.linear_model import MeanRegularizedClassifier, MeanRegularizedRegressor

# Numbers of tasks, of rows per task, and of features.
SIZES = [(12, 10, 3)]
if not QUICK:
    SIZES = [
        (139, 40, 8),
        (139, 100, 27),
        (500, 60, 10),
        (1000, 30, 8),
        (1000, 100, 40),
        (5000, 40, 10),
    ]
KINDS = {"equal": False, "ragged": True}


def draw(n_tasks, n_rows, n_features, is_ragged):
    """Return rows of correlated features with offsets, targets and labels."""
    rng = np.random.default_rng(0)
    sizes = draw_sizes(rng, n_tasks, n_rows, is_ragged)
    X = rng.normal(size=(sizes.sum(), n_features))
    X[:, 1:] += 0.7 * X[:, :-1]
    X += 3 * rng.normal(size=n_features)
    y = X @ rng.normal(size=n_features) + rng.normal(size=len(X))
    return X, y, np.repeat(np.arange(n_tasks), sizes)


def fit_numbers(X, y, task):
    """Fit the targets."""
    return MeanRegularizedRegressor().fit(X, y, task=task)


def fit_classes(X, y, task):
    """Fit whether targets are above their median."""
    return MeanRegularizedClassifier().fit(X, y > np.median(y), task=task)


def compare(report, size):
    """Compare both kinds of tasks; classes also by the Newton step."""
    data = {kind: draw(*size, is_ragged) for kind, is_ragged in KINDS.items()}
    for fit, of in ((fit_numbers, "numbers"), (fit_classes, "classes")):
        works = {kind: lambda of_kind=kind: fit(*data[of_kind]) for kind in KINDS}  # noqa: B023
        seconds, models = report.time(works, repeats=9)
        ratio = seconds["ragged"] / seconds["equal"]
        name = "row 16, {} x {} x {}, {}, ragged / equal".format(*size, of)
        if of == "numbers":
            report.at_most(name, ratio, 1.3)
            continue
        steps = [int(np.max(model.n_iter_)) for model in models.values()]
        print(f"      {name}: {ratio:.3g}, in {steps[1]} and {steps[0]} Newton steps")
        report.at_most(f"{name}, per step", ratio * steps[0] / steps[1], 1.3)


def main():
    """Compare at every size."""
    report = Report("Ragged tasks")
    for size in SIZES:
        compare(report, size)
    report.finish()


if __name__ == "__main__":
    main()
