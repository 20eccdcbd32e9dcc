"""Score the search for a model on held-out rows of real tables, beside the default.

    python benchmarks/learning/search.py --data DIR

Prints the loss over test rows, the mean of several splits: the root mean squared error,
or the log loss for classes. ``--only NAMES`` selects tables, separated by commas, and
``--splits N`` the number of splits. Seconds are those of the processor for one search
and one fit of the default.
"""

from _tables import CLASSES, LONG, read_table, rmse

# isort: split

import time
import warnings
from datetime import date

import numpy as np
from _harness import QUICK, Report, option
from sklearn.metrics import log_loss

from skmtl.linear_model import MeanRegularizedClassifierCV, MeanRegularizedRegressorCV
from skmtl.model_selection import TaskModelSearch

DEFAULTS = {
    "regression": MeanRegularizedRegressorCV,
    "classification": MeanRegularizedClassifierCV,
}
QUICK_CANDIDATES = ["mean-regularised", "independent"]


def search(kind):
    """Return the search for a kind of target."""
    candidates = QUICK_CANDIDATES if QUICK else None
    return TaskModelSearch(candidates, task_type=kind, random_state=0)


def score_table(name):
    """Print the losses of the default and of the search, and what it chose."""
    table, losses, chosen, seconds = read_table(name), [], [], 0.0
    is_classes = name in CLASSES
    kind = "classification" if is_classes else "regression"
    for train, test in table.splits(int(option("--splits") or 0)):
        start = time.process_time()
        models = [search(kind), DEFAULTS[kind]()]
        found = [model.fit(train.X, train.y, **train.labels) for model in models]
        seconds += time.process_time() - start
        losses.append([measure(model, test, is_classes) for model in found])
        chosen.append(found[0].best_name_)
    best, default = np.mean(losses, axis=0)
    gain = np.mean(np.log(losses), axis=0) @ [1, -1]
    print(
        f"{name:16}{default:10.4f}{best:10.4f}{100 * np.expm1(gain):8.1f} %"
        f"{seconds / len(losses):9.1f}  {', '.join(chosen)}",
        flush=True,
    )
    return gain


def measure(model, test, is_classes):
    """Return the loss of a fitted model on test rows."""
    if is_classes:
        found = model.predict_proba(test.X, **test.labels)
        if test.y.ndim == 1:
            return log_loss(test.y, found, labels=model.classes_)
        outputs = zip(test.y.T, found, strict=True)
        return np.mean([log_loss(*each, labels=[0, 1]) for each in outputs])
    return rmse(model.predict(test.X, **test.labels), test.y)


def main():
    """Print the table, and the mean of the gains in per cent."""
    warnings.simplefilter("ignore")
    Report("TaskModelSearch on real tables")
    print(f"{date.today()}\n{'':19}default    search  against  seconds  chosen")
    chosen = option("--only") and option("--only").split(",")
    gains = [score_table(name) for name in chosen or (LONG[:1] if QUICK else LONG)]
    print(f"{'geometric mean':36}{100 * np.expm1(np.mean(gains)):8.1f} %")
    for name in () if chosen else CLASSES[:1] if QUICK else CLASSES:
        score_table(name)


if __name__ == "__main__":
    main()
