"""Fit 1000 tasks of 200 rows and 50 features near their centre (rows 1 and 1b).

scikit-learn's Ridge minimises the same objective on an augmented sparse design: columns
``x sqrt(alpha / alpha_shared)`` for the centre, and a block of columns for each task.
It has no intercept per task, so it gets rows centred by task. Centring and building its
design are not timed; reading and checking rows is, for every contender.
"""

from _harness import QUICK, Report, related_tasks

# isort: split

import numpy as np
from scipy import sparse
from sklearn.linear_model import Ridge

from skmtl.linear_model import MeanRegularizedRegressor

ALPHA, ALPHA_SHARED = 4.0, 1.0  # match the variances of the data
SIZE = (20, 30, 5) if QUICK else (1000, 200, 50)
ROOT = np.sqrt(ALPHA / ALPHA_SHARED)


def augment(X):
    """Return the design with the centre as a further task."""
    n_tasks, n_rows, n_features = X.shape
    own = n_features * np.arange(1, n_tasks + 1)[:, None] + np.arange(n_features)
    columns = np.column_stack([np.tile(np.arange(n_features), (n_tasks, 1)), own])
    values = np.concatenate([ROOT * X, X], axis=2)
    ends = np.arange(n_tasks * n_rows + 1) * columns.shape[1]
    return sparse.csr_array(
        (values.ravel(), np.repeat(columns, n_rows, axis=0).ravel(), ends)
    )


def centred(values):
    """Return values minus their means by task."""
    return values - values.mean(axis=1, keepdims=True)


def objective(X, y, coef, shared):
    """Return the objective at the best intercepts, from its definition."""
    left = centred(y - np.matmul(X, coef[:, :, None])[:, :, 0])
    coupling = ALPHA * ((coef - shared) ** 2).sum() + ALPHA_SHARED * (shared**2).sum()
    return (left**2).sum() + coupling


def compare(report, X, y, design_name):
    """Compare times at equal objective."""
    rows, target = X.reshape(-1, X.shape[2]), y.ravel()
    task = np.repeat(np.arange(len(X)), X.shape[1])
    table, order = np.column_stack([rows, task]), np.random.default_rng(0)
    order = order.permutation(len(task))
    shuffled, shuffled_target = table[order], target[order]
    design, centred_target = augment(centred(X)), centred(y).ravel()
    product, back = np.empty((len(X), *2 * X.shape[2:])), np.argsort(order)
    unordered = np.ascontiguousarray(shuffled[:, :-1])

    def ours(**parameters):
        return MeanRegularizedRegressor(ALPHA, alpha_shared=ALPHA_SHARED, **parameters)

    def gram(values):
        return np.matmul(values.transpose(0, 2, 1), values, out=product)

    def peer(solver):
        ridge = Ridge(ALPHA, solver=solver, tol=1e-6, fit_intercept=False)
        return ridge.fit(design, centred_target)

    print(f"Features {design_name}\n")
    seconds, models = report.time(
        {
            "skmtl, labels beside X": lambda: ours().fit(rows, target, task=task),
            "skmtl, task column": lambda: ours(task_column=-1).fit(table, target),
            "skmtl, rows in any order": lambda: ours(task_column=-1).fit(
                shuffled, shuffled_target
            ),
            "X'X of all tasks": lambda: gram(X),
            "X'X, rows in any order": lambda: gram(
                unordered.take(back, axis=0).reshape(X.shape)
            ),
            "Ridge(sparse_cg, tol=1e-6)": lambda: peer("sparse_cg"),
            "Ridge(lsqr, tol=1e-6)": lambda: peer("lsqr"),
        },
        repeats=15,
        slow=("Ridge(sparse_cg, tol=1e-6)", "Ridge(lsqr, tol=1e-6)"),
    )
    first, column, any_order, product_of, product_any, *peers = seconds
    best = objective(X, y, models[first].coef_, models[first].coef_shared_)
    for name in (column, any_order):
        value = objective(X, y, models[name].coef_, models[name].coef_shared_)
        report.agree(f"objective, {name}", abs(value / best - 1), 1e-12)
    for name in peers:
        shared, *_ = parts = models[name].coef_.reshape(-1, X.shape[2])
        value = objective(X, y, parts[1:] + ROOT * shared, ROOT * shared)
        report.agree(f"objective, {name}", abs(value / best - 1), 1e-5)
    fastest = min(seconds[name] for name in peers)
    for name in (first, column, any_order):
        report.at_least(f"row 1, Ridge / {name}", fastest / seconds[name], 20)
    bounds = {first: product_of, column: product_of, any_order: product_any}
    for name, bound in bounds.items():
        report.at_most(f"row 1b, {name} / X'X", seconds[name] / seconds[bound], 4.5)
    print()


def main():
    """Compare on independent features, which suit iterative solvers, and on others."""
    report = Report("Mean-regularised fit")
    X, y = related_tasks(*SIZE)
    compare(report, X, y, "independent, the easiest there are for iterations")
    X, y = related_tasks(*SIZE, correlation=0.5)
    compare(report, X, y, "with correlations of one half")
    report.finish()


if __name__ == "__main__":
    main()
