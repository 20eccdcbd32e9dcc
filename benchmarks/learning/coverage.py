"""Count the targets of held-out rows within intervals that should contain 90 % of them.

    python benchmarks/learning/coverage.py --data DIR

Prints the share of targets within their interval, over all held-out rows, and the mean
half width: for tasks seen in `fit`, and for tasks that are left out. ``--conformal``
adds the intervals of `ConformalTasks` around the same model, which refits it 15 times.
"""

import sys

from _tables import LONG, read_table

# isort: split

import time
import warnings
from dataclasses import replace
from datetime import date

import numpy as np
from _harness import QUICK, Report, option
from scipy.linalg import LinAlgWarning
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from skmtl.compose import ConformalTasks
from skmtl.linear_model import MeanRegularizedRegressorCV

COVERAGE = 0.9
DEFAULT = MeanRegularizedRegressorCV()
MODELS = {"default": DEFAULT}
if "--conformal" in sys.argv:
    MODELS["conformal"] = ConformalTasks(DEFAULT)
# Hold out at least 20 tasks; half of fewer than 40, a quarter of fewer than 16. Small
# tables are split more often.
_FEWEST, _FEW, _N_HELD = 4, 40, 20
_VERY_FEW, _FEW_ROWS = 16, 500
_N_SPLITS, _N_MORE = (1, 1) if QUICK else (3, 20)


def n_splits(table):
    """Return how often rows are held out."""
    return _N_SPLITS if len(table.y) >= _FEW_ROWS else _N_MORE


def hold_out_tasks(table):
    """Yield rows of some tasks and those of the others, features standardised."""
    labels = np.unique(table.task)
    n_tasks = len(labels)
    n_held = max(_N_HELD, n_tasks // 4)
    if n_tasks < _FEW:
        n_held = n_tasks // (4 if n_tasks < _VERY_FEW else 2)
    for seed in range(_N_MORE if n_tasks < _FEW else _N_SPLITS):
        held = np.random.default_rng(seed).permutation(labels)[:n_held]
        out = np.isin(table.task, held)
        parts = table.take(~out), table.take(out)
        scaler = StandardScaler().fit(parts[0].X)
        yield [replace(each, X=scaler.transform(each.X)) for each in parts]


def measure(model, splits):
    """Return the share of targets within intervals, mean half width, and seconds."""
    n_inside = n_rows = width = 0.0
    start = time.process_time()
    for train, test in splits:
        fitted = clone(model).fit(train.X, train.y, **train.labels)
        low, high = fitted.predict_interval(test.X, COVERAGE, **test.labels).T
        n_inside += np.sum((low <= test.y) & (test.y <= high))
        width += np.sum(high - low) / 2
        n_rows += len(test.y)
    return n_inside / n_rows, width / n_rows, time.process_time() - start


def main():
    """Print a line per table and model."""
    for category in (ConvergenceWarning, LinAlgWarning):
        warnings.simplefilter("ignore", category)
    Report("Coverage of 90 % intervals")
    print(f"{date.today()}\n{'':28}   seen     half  unseen     half  seconds")
    chosen = option("--only") and option("--only").split(",")
    for name in chosen or (LONG[:1] if QUICK else LONG):
        table = read_table(name)
        for label, model in MODELS.items():
            cells = [measure(model, table.splits(n_splits(table)))]
            if len(np.unique(table.task)) >= _FEWEST:
                cells.append(measure(model, hold_out_tasks(table)))
            text = "".join(f"{share:8.3f}{half:9.3g}" for share, half, _ in cells)
            text += " " * 17 * (2 - len(cells))
            seconds = sum(cell[2] for cell in cells)
            print(f"{name:16}{label:12}{text}{seconds:9.1f}", flush=True)


if __name__ == "__main__":
    main()
