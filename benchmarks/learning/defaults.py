"""Score the default of skmtl on held-out rows of real tables, beside simpler models.

    python benchmarks/learning/defaults.py --data DIR

Prints the root mean squared error over test rows, the mean of several splits, for the
tables with a task column; for those with several outputs, the mean over outputs of the
error relative to that of predicting the mean; and for the ten published splits of
school, the mean over schools.
"""

from _tables import (
    LONG,
    OUTPUTS,
    has_tables,
    read_table,
    relative_rmse,
    rmse,
    rmse_per_task,
)

# isort: split

import time
import warnings
from datetime import date

import numpy as np
from _harness import QUICK, Report, option
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skmtl.compose import PooledTasks
from skmtl.linear_model import (
    JointFeatureRegressorCV,
    LowRankRegressorCV,
    MeanRegularizedRegressorCV,
    MultiTaskRidgeCV,
)

MODELS = {
    "default": MeanRegularizedRegressorCV(),
    "apart": MultiTaskRidgeCV(),
    "pooled": PooledTasks(task_intercepts=True),
    "joint": JointFeatureRegressorCV(),
    "low rank": LowRankRegressorCV(),
}
# Structured models take minutes on the others.
STRUCTURED = {"bdf", "school"}


def score_table(name, score, models):
    """Print the mean score of each model on a table."""
    table, found, seconds = read_table(name), [], 0.0
    for train, test in table.splits():
        row = []
        for model in models:
            start = time.process_time()
            fitted = clone(MODELS[model]).fit(train.X, train.y, **train.labels)
            row.append(score(fitted.predict(test.X, **test.labels), test.y))
            seconds += (time.process_time() - start) * (model == "default")
        found.append(row)
    cells = dict(zip(models, np.mean(found, axis=0), strict=True))
    text = "".join(f"{cells[m]:13.4f}" if m in cells else f"{'':13}" for m in MODELS)
    print(f"{name:16}{text}{seconds / len(found):9.2f}", flush=True)


def score_schools():
    """Print the error of the default per school, over the published splits."""
    errors = []
    for train, test in read_table("school").published_splits():
        model = clone(MODELS["default"]).fit(train.X, train.y, **train.labels)
        errors.append(rmse_per_task(model.predict(test.X, **test.labels), test))
    print(f"school, ten published splits, per school: {np.mean(errors):.4f}")


def main():
    """Print both tables."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    Report("The default of skmtl on real tables")
    chosen = option("--only") and option("--only").split(",")
    heads = "".join(f"{name:>13}" for name in MODELS)
    print(f"{date.today()}\n{'':16}{heads}  seconds")
    simple = list(MODELS)[:3]
    for name in chosen or (LONG[:1] if QUICK else LONG):
        score_table(name, rmse, list(MODELS) if name in STRUCTURED else simple)
    outputs = [m for m in simple if m != "pooled"]
    for name in () if chosen else OUTPUTS[:1] if QUICK else OUTPUTS:
        score_table(name, relative_rmse, outputs)
    if has_tables() and (not chosen or "school" in chosen):
        score_schools()


if __name__ == "__main__":
    main()
