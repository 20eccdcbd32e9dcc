"""Choose the strengths of mean regularisation in the time of a few fits (rows 11, 12).

Tasks have equally many rows, or log-normal numbers of them; features are correlated,
offset and in different units. A plain fit has given strengths.
"""

from _harness import QUICK, Report, draw_sizes, option

# isort: split

import numpy as np

from skmtl.linear_model import MeanRegularizedRegressor, MeanRegularizedRegressorCV

# Tasks, rows per task and features.
SIZES = [(20, 12, 3)] if QUICK else [(250, 30, 8), (4000, 30, 8), (500, 30, 40)]
# Plain fits that each search may cost.
BUDGETS = {"loo": 15, "gcv": 8, "cv": 20, "reml": 8}


def draw(n_tasks, n_rows, n_features, is_ragged):
    """Draw rows, targets and tasks with coefficients near a centre."""
    rng = np.random.default_rng(n_tasks + n_features)
    sizes = draw_sizes(rng, n_tasks, n_rows, is_ragged)
    task = np.repeat(np.arange(n_tasks), sizes)
    noise = rng.normal(size=(len(task), n_features + 1))
    Z = noise[:, 1:] + noise[:, :-1]  # neighbouring features are correlated
    coef = rng.normal(size=n_features) + 0.5 * rng.normal(size=(n_tasks, n_features))
    intercept = rng.normal(size=n_tasks)
    y = (Z * coef[task]).sum(axis=1) + intercept[task] + 2 * rng.normal(size=len(task))
    scale = np.geomspace(0.3, 3, n_features)
    return Z * scale + rng.normal(size=n_features), y, task


def contenders(X, y, task):
    """Return a plain fit and the searches, as functions."""

    def search(**options):
        return lambda: MeanRegularizedRegressorCV(**options).fit(X, y, task=task)

    plain = MeanRegularizedRegressor(3.0, alpha_shared=1.0)
    found = {"plain fit": lambda: plain.fit(X, y, task=task)}
    found |= {method: search(method=method) for method in BUDGETS}
    return found | {"loo, one strength": search(alpha_structure="one")}


def compare(report, size, is_ragged):
    """Time the searches on tasks of one size; return their seconds."""
    n_tasks, n_rows, n_features = size
    kind = "ragged" if is_ragged else "equal"
    title = f"{n_tasks} {kind} tasks x {n_rows} rows x {n_features}"
    X, y, task = draw(*size, is_ragged)
    print(f"{title}\n")
    seconds, _ = report.time(contenders(X, y, task), repeats=3)
    for method, budget in BUDGETS.items():
        ratio = seconds[method] / seconds["plain fit"]
        report.at_most(f"{method} / plain fit, {title}", ratio, budget)
    print()
    return seconds


def main():
    """Compare searches with plain fits, and ragged tasks with equal ones (row 16)."""
    report = Report("Searches of strengths in plain fits")
    wanted = option("--tasks")
    for size in SIZES:
        if wanted is not None and size[0] != int(wanted):
            continue
        equal, ragged = (compare(report, size, kind) for kind in (False, True))
        for method in BUDGETS:
            ratio = ragged[method] / equal[method]
            report.at_most(f"row 16, {method}, ragged / equal", ratio, 1.3)
        print()
    report.finish()


if __name__ == "__main__":
    main()
