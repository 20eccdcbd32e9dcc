"""Measure the peak memory of fits on large tables, each in a new process.

It prints the peak memory of the process, the part above its memory after the data were
generated, both in MB, and the processor time.
"""

import argparse
import json
import subprocess
import sys
import time
import warnings
from pathlib import Path

import _harness  # noqa: F401 - one thread
import numpy as np
from scipy import sparse
from sklearn.linear_model import Ridge

import skmtl.linear_model as models
from skmtl.compose import PooledTasks

QUICK = "--quick" in sys.argv


def sparse_table(n_rows=100_000, n_features=100_000, n_numbers=1_000_000, n_tasks=20):
    """Generate sparse rows of 20 tasks."""
    if QUICK:
        n_rows, n_features, n_numbers = 200, 70, 800
    rng = np.random.default_rng(0)
    places = rng.integers(0, n_rows, n_numbers), rng.integers(0, n_features, n_numbers)
    X = sparse.csr_array((rng.normal(size=n_numbers), places), (n_rows, n_features))
    coef = rng.normal(size=n_features) * (rng.random(n_features) < 0.1)
    y = X @ coef + rng.normal(size=n_rows)
    return X, y, rng.integers(0, n_tasks, n_rows)


def wide_table(n_tasks=20, n_rows=50, n_features=5000):
    """Generate few rows with many features."""
    n_features = 60 if QUICK else n_features
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_tasks * n_rows, n_features))
    y = X @ rng.normal(size=n_features) / np.sqrt(n_features)
    return X, y + rng.normal(size=len(X)), np.repeat(np.arange(n_tasks), n_rows)


def many_classes(n_tasks=50, n_rows=250, n_features=10, n_classes=200):
    """Generate tasks with many classes."""
    n_classes = 5 if QUICK else n_classes
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(n_tasks * n_rows, n_features)), np.arange(n_tasks)
    scores = X @ rng.normal(size=(n_features, n_classes))
    y = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
    return X, y, np.repeat(task, n_rows)


def many_tasks(n_tasks=10_000):
    """Generate many tasks with four rows each."""
    n_tasks = 100 if QUICK else n_tasks
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(n_tasks), 4)
    X = rng.normal(size=(len(task), 3))
    return X, X[:, 0] + rng.normal(size=n_tasks)[task], task


# Model, parameters, data, and the largest memory allowed above the data.
CASES = {
    "sparse MeanRegularizedRegressor": ({"alpha_shared": 1.0}, sparse_table, 1000),
    "sparse MeanRegularizedRegressorCV": ({"method": "cv"}, sparse_table, 1000),
    "sparse JointFeatureRegressor": ({"alpha": 2e-3}, sparse_table, 1000),
    "sparse MeanRegularizedClassifier": ({}, sparse_table, 1000),
    "sparse GraphRegularizedRegressor": ({"alpha_ridge": 1.0}, sparse_table, 1000),
    "wide GraphRegularizedRegressor": ({"alpha_ridge": 1.0}, wide_table, 400),
    "wide MeanRegularizedRegressorCV": ({}, wide_table, 400),
    "wide MeanRegularizedClassifier": ({}, wide_table, 400),
    "wide GraphRegularizedClassifier": ({}, wide_table, 400),
    "classes MeanRegularizedClassifier": ({}, many_classes, 500),
    "classes GraphRegularizedClassifier": ({}, many_classes, 500),
    "tasks PooledTasks": ({"task_encoding": "onehot"}, many_tasks, 500),
}


def peak():
    """Return the peak memory of the process since the last reset, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    found = next(line for line in lines if line.startswith("VmHWM"))
    return int(found.split()[1]) / 1024


def measure(case):
    """Print the memory and time of one case as JSON."""
    parameters, make, _ = CASES[case]
    name = case.split()[1]
    X, y, task = make()
    if name.endswith("Classifier") and make is not many_classes:
        y = (y > np.median(y)).astype(int)
    if name == "PooledTasks":
        model = PooledTasks(Ridge(), **parameters)
    else:
        model = getattr(models, name)(**parameters)
    Path("/proc/self/clear_refs").write_text("5")
    before, start = peak(), time.process_time()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y, task=task)
    seconds = time.process_time() - start
    said = [str(each.message)[:60] for each in caught]
    print(json.dumps([before, peak(), seconds, said]))


def main():
    """Measure every case in a new process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--case", choices=CASES)
    parser.add_argument("--quick", action="store_true")
    case = parser.parse_args().case
    if case:
        measure(case)
        return
    failed = False
    print(f"{'':38}{'data':>8}{'peak':>8}{'above':>8}{'allowed':>9}{'CPU s':>8}")
    for case, (*_, allowed) in CASES.items():
        command = [sys.executable, __file__, "--case", case, *["--quick"] * QUICK]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        before, after, seconds, said = json.loads(run.stdout.splitlines()[-1])
        numbers = f"{before:8.0f}{after:8.0f}{after - before:8.0f}{allowed:9.0f}"
        print(f"{case:38}{numbers}{seconds:8.1f}", *said)
        failed |= after - before > allowed
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
