"""Fit 500 logistic tasks with 200 rows and 30 features near a centre (row 7).

scikit-learn solves the same problem on an augmented design: every row, followed by a
copy in the columns of its task. All tasks have the same intercept, also in skmtl.
"""

from _harness import QUICK, Report, related_tasks

# isort: split

import numpy as np
from scipy import sparse
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from skmtl.linear_model import MeanRegularizedClassifier

SIZE = (4, 20, 3) if QUICK else (500, 200, 30)
GROWTH = (10, 20) if QUICK else (1_000, 20_000)
ROWS = 100
COMMON = {"alpha_intercept": np.inf}


def draw(n_tasks, n_rows, n_features):
    """Return rows, classes and labels of tasks near a centre."""
    X, score = related_tasks(n_tasks, n_rows, n_features)
    chance = expit(score.ravel() / np.sqrt(n_features))
    y = (np.random.default_rng(1).random(len(chance)) < chance).astype(int)
    return X.reshape(-1, n_features), y, np.repeat(np.arange(n_tasks), n_rows)


def augment(X, task):
    """Return each row, followed by a copy in the columns of its task."""
    n_rows, n_features = X.shape
    columns = (task[:, None] + 1) * n_features + np.arange(n_features)
    columns = np.hstack([np.broadcast_to(np.arange(n_features), X.shape), columns])
    starts = np.arange(0, columns.size + 1, 2 * n_features)
    values = np.hstack([X, X]).ravel()
    width = (task.max() + 2) * n_features
    return sparse.csr_matrix((values, columns.ravel(), starts), shape=(n_rows, width))


def objective(X, y, task, own, centre, intercept):
    """Return the objective, with both strengths equal to 1."""
    z = ((own + centre)[task] * X).sum(axis=1) + intercept
    return (
        np.logaddexp(0, np.where(y, -z, z)).sum()
        + (np.vdot(own, own) + centre @ centre) / 2
    )


def main():
    """Compare times at equal objective, and times per task for more and more tasks."""
    X, y, task = draw(*SIZE)
    design = augment(X, task)

    def fit():
        model = MeanRegularizedClassifier(**COMMON).fit(X, y, task=task)
        own = model.coef_ - model.coef_shared_
        return own, model.coef_shared_, model.intercept_[0]

    def fit_peer(solver, tol):
        model = LogisticRegression(solver=solver, tol=tol, max_iter=10_000)
        coef = model.fit(design, y).coef_[0].reshape(-1, X.shape[1])
        return coef[1:], coef[0], model.intercept_[0]

    peers = {
        "LogisticRegression, newton-cg": lambda: fit_peer("newton-cg", 1e-7),
        "LogisticRegression, lbfgs": lambda: fit_peer("lbfgs", 1e-6),
    }
    report = Report("Mean-regularised logistic regression")
    seconds, found = report.time({"skmtl": fit, **peers}, repeats=9, slow=peers)
    best = objective(X, y, task, *found["skmtl"])
    for name in peers:
        over = objective(X, y, task, *found[name]) / best - 1
        report.agree(f"objective of {name} above ours, relative", abs(over), 1e-7)
    ratio = seconds["LogisticRegression, newton-cg"] / seconds["skmtl"]
    report.at_least("row 7, newton-cg / skmtl", ratio, 7)
    grow(report)
    report.finish()


def grow(report):
    """Compare the time per task at 20,000 tasks with that at 1,000."""
    per_task = []
    for n_tasks in GROWTH:
        X, y, task = draw(n_tasks, ROWS, SIZE[2])

        def fit(X=X, y=y, task=task):
            return MeanRegularizedClassifier(**COMMON).fit(X, y, task=task).n_iter_

        name = f"{n_tasks} tasks x {ROWS} rows"
        seconds, found = report.time({name: fit}, repeats=5)
        per_task.append(seconds[name] / n_tasks)
        print(f"{1e6 * per_task[-1]:.0f} us a task, {found[name]} steps")
    report.at_most("time per task, many / few", per_task[1] / per_task[0], 1.3)


if __name__ == "__main__":
    main()
