"""Predict one row, with few and with many known tasks, beside scikit-learn's Ridge."""

from _harness import QUICK, Report

# isort: split

import time

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge

from skmtl.linear_model import MeanRegularizedRegressor

N_TASKS = (50, 500) if QUICK else (1000, 100_000)
N_ROWS, N_FEATURES, N_CALLS = 3, 20, 20 if QUICK else 300
# Milliseconds for a data frame, per number of tasks, and the largest growth.
BUDGETS, GROWTH = (1.5, 2.0), 1.3


def draw(n_tasks):
    """Return a frame of features and text labels, and targets."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_tasks * N_ROWS, N_FEATURES))
    frame = pd.DataFrame(X).rename(columns="x{}".format)
    labels = [f"task {i:06d}" for i in range(n_tasks)]
    return frame.assign(task=np.repeat(labels, N_ROWS)), rng.normal(size=len(X))


def milliseconds(call):
    """Return the median processor time of a call."""
    call()
    found = []
    for _ in range(N_CALLS):
        start = time.process_time_ns()
        call()
        found.append(time.process_time_ns() - start)
    return np.median(found) / 1e6


def main():
    """Print the times, and whether each budget is met."""
    report = Report("One row of a data frame, or of an array")
    found = []
    for n_tasks, budget in zip(N_TASKS, BUDGETS, strict=True):
        frame, y = draw(n_tasks)
        model = MeanRegularizedRegressor(task_column="task").fit(frame, y)
        features = frame.drop(columns="task")
        ridge, one = Ridge().fit(features, y), frame.iloc[[7]]
        arrays = MeanRegularizedRegressor().fit(
            features.to_numpy(), y, task=frame["task"].to_numpy(str)
        )
        row, label = features.to_numpy()[[7]], np.array(frame["task"][7:8], dtype=str)
        found.append(milliseconds(lambda: model.predict(one)))  # noqa: B023
        array = milliseconds(lambda: arrays.predict(row, task=label))  # noqa: B023
        other = milliseconds(lambda: ridge.predict(features.iloc[[7]]))  # noqa: B023
        print(
            f"{n_tasks} tasks: frame {found[-1]:.2f} ms, array {array:.2f} ms, "
            f"Ridge of a frame {other:.2f} ms"
        )
        report.at_most(f"{n_tasks} tasks, milliseconds", found[-1], budget)
    report.at_most("growth with the tasks", found[1] / found[0], GROWTH)
    report.finish()


if __name__ == "__main__":
    main()
