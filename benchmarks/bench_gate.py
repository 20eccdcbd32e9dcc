"""Declare the tasks of a million rows by a column of a dataframe (row gate).

The cost of a task column is the time of a fit with it minus the time of a fit without
it, as one task.
"""

from _harness import QUICK, Report

# isort: split

import numpy as np
import pandas as pd

from skmtl.linear_model import MeanRegularizedRegressor

N_ROWS, N_TASKS = (1000, 10) if QUICK else (1_000_000, 1000)
BUDGETS = {"string": 1.2, "category": 0.4, "integer": 0.25}


def main():
    """Compare fits with and without a task column."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(N_ROWS, 20))).add_prefix("x")
    y = X.to_numpy() @ rng.normal(size=20) + rng.normal(size=N_ROWS)
    code = rng.integers(N_TASKS, size=N_ROWS)
    name = pd.Series(code).map("task {:04d}".format)
    columns = {"string": name, "category": name.astype("category"), "integer": code}
    frames = {kind: X.assign(task=column) for kind, column in columns.items()}

    def fit(kind):
        model = MeanRegularizedRegressor(task_column="task").fit(frames[kind], y)
        return model.coef_

    names = name.to_numpy(dtype=str)  # pandas does not speed up the hashing

    contenders = {"no task column": lambda: MeanRegularizedRegressor().fit(X, y)}
    for kind in BUDGETS:
        contenders[kind] = lambda kind=kind: fit(kind)
    values = X.to_numpy()
    contenders["strings as task="] = lambda: (
        MeanRegularizedRegressor().fit(values, y, task=names).coef_
    )
    report = Report("What a task column adds to a fit of a million rows", "pandas")
    seconds, coef = report.time(contenders, repeats=7)
    for kind, budget in {**BUDGETS, "strings as task=": 1.2}.items():
        gap = np.abs(coef[kind] - coef["integer"]).max()
        report.agree(f"coefficients, {kind} and integer", gap, 1e-12)
        added = seconds[kind] - seconds["no task column"]
        report.at_most(f"gate, {kind}, CPU s added", added, budget)
    report.finish()


if __name__ == "__main__":
    main()
