"""Score kernel models on held-out rows of real tables, beside the linear default.

    python benchmarks/learning/kernels.py --data DIR

Prints the root mean squared error over test rows, the mean of several splits, for the
tables with a task column; and for those with several outputs, the mean over outputs of
the error relative to that of predicting the mean. Tables have at most 2,500 rows.
"""

from _tables import OUTPUTS, read_table, relative_rmse, rmse

# isort: split

import time
from datetime import date

import numpy as np
from _harness import QUICK, Report, option
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.preprocessing import StandardScaler

from skmtl.kernel import MeanRegularizedKernelRegressorCV
from skmtl.linear_model import MeanRegularizedRegressorCV

ROUGH = "linear", "laplacian"
MODELS = {
    "linear": MeanRegularizedRegressorCV(),
    "kernel": MeanRegularizedKernelRegressorCV(),
    "loo": MeanRegularizedKernelRegressorCV(method="loo"),
    "laplacian": MeanRegularizedKernelRegressorCV(kernel=ROUGH),
}
OF_TASKS = ["sleepstudy", "oxboys", "gapminder", "student", "bdf"]


def score_table(name, score):
    """Print the mean score of each model on a table, and the time of the second."""
    table, found, seconds = read_table(name), [], 0.0
    for train, test in table.splits():
        row = []
        for label, model in MODELS.items():
            start = time.process_time()
            fitted = _prepare(model, table).fit(train.X, train.y, **train.labels)
            row.append(score(fitted.predict(test.X, **test.labels), test.y))
            seconds += (time.process_time() - start) * (label == "kernel")
        found.append(row)
    text = "".join(f"{cell:13.4f}" for cell in np.mean(found, axis=0))
    print(f"{name:16}{text}{seconds / len(found):9.2f}", flush=True)


def _prepare(model, table):
    """Return the model, with outputs in one unit if there are several."""
    if table.task is not None:
        return clone(model)
    return TransformedTargetRegressor(clone(model), transformer=StandardScaler())


def main():
    """Print both tables."""
    Report("Kernel models on real tables")
    chosen = option("--only") and option("--only").split(",")
    heads = "".join(f"{name:>13}" for name in MODELS)
    print(f"{date.today()}\n{'':16}{heads}  seconds")
    names = [OF_TASKS[0], OUTPUTS[0]] if QUICK else OF_TASKS + OUTPUTS
    for name in chosen or names:
        score_table(name, relative_rmse if name in OUTPUTS else rmse)


if __name__ == "__main__":
    main()
