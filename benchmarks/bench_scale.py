"""Fit up to 100,000 tasks, and read 10 million rows once (row 9)."""

from _harness import QUICK, Report, related_tasks

# isort: split

import tempfile
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

import numpy as np

from skmtl.data import summarise
from skmtl.linear_model import MeanRegularizedRegressor

N_TASKS = (10, 30, 100) if QUICK else (1_000, 10_000, 100_000)
N_ROWS = 10_000 if QUICK else 10_000_000
BATCHES = [
    slice(start, start + N_ROWS // 10) for start in range(0, N_ROWS, N_ROWS // 10)
]


def grow(report):
    """Time fits of more and more tasks of 100 rows and 30 features."""
    total, own = {}, {}
    for n_tasks in N_TASKS:
        X, y = related_tasks(n_tasks, 100, 30)
        rows, target = X.reshape(-1, 30), y.ravel()
        task = np.repeat(np.arange(n_tasks), 100)
        times = [getrusage(RUSAGE_SELF)]
        for _ in range(8):
            MeanRegularizedRegressor(10.0).fit(rows, target, task=task)
            times.append(getrusage(RUSAGE_SELF))
        times = np.diff([(time.ru_utime, time.ru_stime) for time in times], axis=0)[3:]
        name = f"{n_tasks:,} tasks"
        total[name] = 1e6 * times.sum(axis=1) / n_tasks
        own[f"{name}, the kernel's aside"] = 1e6 * times[:, 0] / n_tasks
    report.table({**total, **own}, "CPU us per task")
    ratio, own_ratio = (
        max(medians[1:]) / medians[0]
        for medians in ([np.median(t) for t in some.values()] for some in (total, own))
    )
    report.at_most("row 9, time per task, most / fewest", ratio, 1.3)
    print(f"      the same, the kernel's time aside: {own_ratio:.3g}\n")


def draw(folder):
    """Write features and targets to files; return functions that read them."""
    rng = np.random.default_rng(0)
    coef = rng.normal(size=20)
    X, y = Path(folder) / "X.npy", Path(folder) / "y.npy"
    features = np.lib.format.open_memmap(X, "w+", shape=(N_ROWS, 20))
    target = np.lib.format.open_memmap(y, "w+", shape=(N_ROWS,))
    for part in BATCHES:
        features[part] = rng.normal(size=features[part].shape)
        target[part] = features[part] @ coef + rng.normal(size=target[part].shape)
    return lambda: (np.load(X, mmap_mode="r"), np.load(y, mmap_mode="r"))


def read(X, y):
    """Read every number once."""
    return sum(X[part].sum() + y[part].sum() for part in BATCHES)


def multiply(X):
    """Compute X'X in blocks of 1000 rows: a lower bound for a fit."""
    parts = X.reshape(-1, 1000, 20)
    steps = range(0, len(parts), 5)
    return sum((parts[k : k + 5].mT @ parts[k : k + 5]).sum(axis=0) for k in steps)


def add(X, y, task):
    """Add up the moments of batches."""
    total = None
    for part in BATCHES:
        moments = summarise(X[part], y[part], task[part])
        total = moments if total is None else total + moments
    return total


def learn(X, y, task):
    """Fit batch by batch."""
    model = MeanRegularizedRegressor(10.0)
    for part in BATCHES:
        model.partial_fit(X[part], y[part], task=task[part])
    return model.moments_


def read_in_batches(report, folder):
    """Compare fits from batches of 1000 tasks with a sum over the same numbers."""
    files = draw(folder)
    X, y = map(np.array, files())
    by_task = np.repeat(np.arange(1000), N_ROWS // 1000)
    any_order = np.random.default_rng(1).integers(1000, size=N_ROWS)
    seconds, results = report.time(
        {
            "read, from memory": lambda: read(X, y),
            "X'X, from memory": lambda: multiply(X),
            "moments, from memory": lambda: add(X, y, by_task),
            "partial_fit, from memory": lambda: learn(X, y, by_task),
            "partial_fit, from memory, any order": lambda: learn(X, y, any_order),
            "read, from a file": lambda: read(*files()),
            "moments, from a file": lambda: add(*files(), by_task),
            "partial_fit, from a file": lambda: learn(*files(), by_task),
        },
        repeats=5,
    )
    gap = X[by_task == 7] - X[by_task == 7].mean(axis=0)
    for name in [name for name in seconds if name.startswith(("moments", "partial"))]:
        if name.endswith("any order"):
            continue
        error = np.abs(results[name].xx[7] - gap.T @ gap).max() / len(gap)
        report.agree(f"scatter of a task, {name}", error, 1e-12)
        base = seconds["read, " + name.partition(", ")[2]]
        report.at_most(f"row 9, {name} / read", seconds[name] / base, 4)


def main():
    """Run both parts."""
    report = Report("Many tasks, many rows")
    grow(report)
    with tempfile.TemporaryDirectory() as folder:
        read_in_batches(report, folder)
    report.finish()


if __name__ == "__main__":
    main()
