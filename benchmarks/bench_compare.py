"""Compare the default models on tables like School and nycflights, and by the command.

The command also draws a report. Its time is that of the whole process.
"""

from _harness import QUICK, Report, draw_sizes

# isort: split

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from skmtl.inspection import compare_tasks

# Tasks, rows, numbers and columns of zeros and ones.
SCHOOL = (5, 150, 3, 4) if QUICK else (139, 15_362, 3, 24)
FLIGHTS = (5, 400, 4, 6) if QUICK else (104, 327_346, 8, 18)
SECONDS = {"School-like": 1.5, "flights-like": 6.0, "command with a report": 6.0}


def draw(n_tasks, n_rows, n_numbers, n_binary):
    """Return a frame of ragged, related tasks in any order, and the targets."""
    rng = np.random.default_rng(0)
    sizes = draw_sizes(rng, n_tasks, n_rows / n_tasks, True)
    sizes[np.argmax(sizes)] += n_rows - sizes.sum()
    task = rng.permutation(np.repeat(np.arange(n_tasks), sizes))
    numbers = rng.normal(size=(n_rows, n_numbers)) * 10.0 ** np.arange(n_numbers)
    binary = rng.random((n_rows, n_binary)) < rng.uniform(0.05, 0.5, n_binary)
    X = np.column_stack([numbers + 5, binary])
    coef = rng.normal(size=X.shape[1]) / X.std(axis=0)
    own = coef * (1 + 0.4 * rng.normal(size=(n_tasks, X.shape[1])))
    y = (X * own[task]).sum(axis=1) + 4 * rng.normal(size=n_tasks)[task]
    y += 3 * y.std() * rng.normal(size=n_rows)
    frame = pd.DataFrame(X).rename(columns="x{}".format)
    return frame.assign(task=[f"task {each}" for each in task]), y


def compare(frame, y):
    """Compare the default models."""
    return compare_tasks(None, frame, y, task_column="task", random_state=0)


def command_seconds(frame, y):
    """Return the processor time of the command on a file, with a report."""
    with tempfile.TemporaryDirectory() as folder:
        table, page = Path(folder, "table.csv"), Path(folder, "report.html")
        frame.assign(score=y).to_csv(table, index=False)
        call = ["compare", table, "--target", "score", "--task", "task"]
        call = [sys.executable, "-m", "skmtl", *call, "--report", page]
        before = _children_seconds()
        subprocess.run(call, check=True, stdout=subprocess.DEVNULL)
        return _children_seconds() - before


def _children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    """Print the times, and whether each budget is met."""
    report = Report("Comparing the default models", "pandas")
    school, flights = draw(*SCHOOL), draw(*FLIGHTS)
    contenders = {
        "School-like": lambda: compare(*school),
        "flights-like": lambda: compare(*flights),
    }
    times, found = report.time(contenders, 3)
    for name, comparison in found.items():
        print(f"{name}: {dict(zip(comparison.models, comparison.errors, strict=True))}")
    runs = [command_seconds(*school) for _ in range(1 if QUICK else 3)]
    report.table({"command with a report": runs})
    times["command with a report"] = np.median(runs)
    for name, budget in SECONDS.items():
        report.at_most(f"seconds, {name}", times[name], budget)
    report.finish()


if __name__ == "__main__":
    main()
