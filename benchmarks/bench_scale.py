"""Grow the number of tasks at fixed rows, and read 10 million rows once (row 9)."""

from _harness import QUICK, Report, cpu_seconds, related_tasks

# isort: split

import numpy as np

from skmtl.data import summarise
from skmtl.linear_model import MeanRegularizedRegressor

N_TASKS = (10, 30, 100) if QUICK else (1_000, 10_000, 100_000)
N_ROWS = 10_000 if QUICK else 10_000_000
N_BATCHES = 10


def grow(report):
    """Time fits of more and more tasks of 100 rows and 30 features."""
    per_task = {}
    for n_tasks in N_TASKS:
        X, y = related_tasks(n_tasks, 100, 30)
        rows, target = X.reshape(-1, 30), y.ravel()
        task = np.repeat(np.arange(n_tasks), 100)
        model = MeanRegularizedRegressor(10.0)

        def fit(model=model, rows=rows, target=target, task=task):
            return model.fit(rows, target, task=task)

        taken = [cpu_seconds(fit)[0] for _ in range(2 if QUICK else 6)][1:]
        per_task[f"{n_tasks:,} tasks"] = [1e6 * seconds / n_tasks for seconds in taken]
    report.table(per_task, "CPU us per task")
    first, *_, last = (np.median(taken) for taken in per_task.values())
    report.at_most("row 9, time per task, most / fewest tasks", last / first, 1.3)


def read_in_batches(report):
    """Time batches of rows of 1000 tasks against a sum over the same numbers."""
    rng = np.random.default_rng(0)
    X, coef = rng.normal(size=(N_ROWS, 20)), rng.normal(size=20)
    y = X @ coef + rng.normal(size=N_ROWS)
    size = N_ROWS // N_BATCHES
    in_order = np.repeat(np.arange(1000), N_ROWS // 1000)
    any_order = rng.integers(1000, size=N_ROWS)
    batches = [slice(k * size, (k + 1) * size) for k in range(N_BATCHES)]

    def read():
        return [X[part].sum() + y[part].sum() for part in batches]

    def add(task=in_order):
        total = summarise(X[batches[0]], y[batches[0]], task[batches[0]])
        for part in batches[1:]:
            total = total + summarise(X[part], y[part], task[part])
        return total

    def learn(task=in_order):
        model = MeanRegularizedRegressor(10.0)
        for part in batches:
            model.partial_fit(X[part], y[part], task=task[part])
        return model

    seconds, results = report.time(
        {
            "read the rows": read,
            "moments, rows by task": add,
            "partial_fit, rows by task": learn,
            "moments, rows in any order": lambda: add(any_order),
            "partial_fit, rows in any order": lambda: learn(any_order),
        },
        repeats=5,
    )
    once, moments, *others = seconds
    scatter = np.cov(X.T, bias=True) * N_ROWS
    mean = X.mean(axis=0)
    found = results[moments]
    gap = found.x_mean - mean
    outer = gap[:, :, None] * gap[:, None, :]
    total = (found.xx + found.weight[:, None, None] * outer).sum(axis=0)
    report.agree("scatter of all rows", np.abs(total / scatter - 1).max(), 1e-6)
    report.at_most(f"row 9, {moments} / read", seconds[moments] / seconds[once], 4)
    for name in others:
        print(f"      {name} / read: {seconds[name] / seconds[once]:.3g}")


def main():
    """Run both parts."""
    report = Report("Many tasks, many rows")
    grow(report)
    print()
    read_in_batches(report)
    report.finish()


if __name__ == "__main__":
    main()
