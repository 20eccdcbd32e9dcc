"""Score networks that share, networks of their own, and linear models on new rows.

Each method chooses its strengths on the same held-out training rows. Tables outside
this project are read by their ``load.py`` from a folder: ``--data DIR``.
"""

from _harness import QUICK, Report, option

# isort: split

import importlib.util
import warnings
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler

from skmtl.linear_model import MeanRegularizedRegressorCV
from skmtl.neural_network import MultiTaskMLP, MultiTaskMLPRegressor

SEEDS = range(1 if QUICK else 3)
ALPHAS = [1.0] if QUICK else [0.3, 1.0, 3.0, 10.0, 30.0]
HEADS = [0.0] if QUICK else [0.0, 1000.0]
TASKS, UNRELATED = (4, 2) if QUICK else (20, 8)
SMALL, DEEP = (8, (8, 4)) if QUICK else (32, (32, 16))
OF_IMAGES = [SMALL] if QUICK else [100, (100, 30)]
DIGITS = np.arange(10)


@dataclass(frozen=True)
class Rows:
    """Rows with their targets, and a task for each row or one per column of y."""

    X: np.ndarray
    y: np.ndarray
    task: np.ndarray | None = None

    def take(self, rows):
        """Return some of the rows."""
        task = None if self.task is None else self.task[rows]
        return Rows(self.X[rows], self.y[rows], task)

    @property
    def labels(self):
        """Keyword arguments of `fit` and `predict`."""
        return {} if self.task is None else {"task": self.task}

    def split(self, rng):
        """Hold out a quarter of the rows, and of those of each task."""
        order = rng.permutation(len(self.X))
        if self.task is not None:
            order = order[np.argsort(self.task[order], kind="stable")]
        held = np.arange(len(order)) % 4 == 0
        return self.take(order[~held]), self.take(order[held])


def fit(model, rows):
    """Fit a clone to rows."""
    return clone(model).fit(rows.X, rows.y, **rows.labels)


def choose(candidates, rows, splits, score):
    """Fit the candidate with the best mean score on held-out rows to all rows."""
    scores = [
        np.mean([score(fit(each, train), held) for train, held in splits])
        for each in candidates
    ]
    return fit(candidates[int(np.argmax(scores))], rows)


def score_tasks(model, rows):
    """Return the R2 of each task that has at least five rows."""
    found = model.predict(rows.X, **rows.labels)
    if rows.task is None:
        return r2_score(rows.y, found, multioutput="raw_values")
    parts = [rows.task == label for label in np.unique(rows.task)]
    return np.array([r2_score(rows.y[p], found[p]) for p in parts if p.sum() > 4])


def mean_score(model, rows):
    """Return the mean R2 of the tasks."""
    return score_tasks(model, rows).mean()


def networks(sharing, **settings):
    """Return networks of all strengths."""
    return [
        MultiTaskMLPRegressor(
            sharing=sharing, alpha=alpha, head_penalty=head, solver="lbfgs", **settings
        )
        for alpha in ALPHAS
        for head in (HEADS if sharing == "hard" else [0.0])
    ]


def linear_models(y):
    """Return the linear model, which chooses its strengths itself.

    Outputs, which are in units of their own, are standardised.
    """
    model, scaler = MeanRegularizedRegressorCV(), StandardScaler()
    if y.ndim > 1:
        model = TransformedTargetRegressor(model, transformer=scaler)
    return [model]


def compare_numbers(rows, new, seed, layers=SMALL, activation="relu"):
    """Return the scores of each task, with sharing, without, and of linear models."""
    settings = {
        "hidden_layer_sizes": layers,
        "activation": activation,
        "random_state": seed,
    }
    scaler = StandardScaler().fit(rows.X)
    rows, new = (replace(each, X=scaler.transform(each.X)) for each in (rows, new))
    splits = [rows.split(np.random.default_rng(seed))]
    candidates = [networks(name, **settings) for name in ("hard", "independent")]
    candidates.append(linear_models(rows.y))
    models = [choose(each, rows, splits, mean_score) for each in candidates]
    return np.array([score_tasks(model, new) for model in models])


def draw_tasks(seed, n_unrelated):
    """Draw rows of tasks on shared features, after some on features of their own.

    A feature is a bounded product of two directions. Returns 100 training rows per
    task, and 200 new ones without noise.
    """
    rng = np.random.default_rng(seed)
    own = rng.normal(size=(TASKS, 6, 3)) / np.sqrt(6)
    own[n_unrelated:] = own[-1]
    heads, parts = rng.normal(size=(TASKS, 3, 1)), []
    for n_rows, noise in ((100, 0.1), (200, 0.0)):
        X = rng.normal(size=(TASKS, n_rows, 6))
        Z = X @ own
        y = (np.tanh(2 * Z * np.roll(Z, 1, axis=-1)) @ heads).ravel()
        y += noise * rng.normal(size=len(y))
        parts.append(Rows(X.reshape(-1, 6), y, np.repeat(np.arange(TASKS), n_rows)))
    return parts


def compare_related(seed):
    """Return the scores of tasks that share features."""
    scores = compare_numbers(*draw_tasks(seed, 0), seed, DEEP, "tanh")
    return {"20 related tasks, 100 rows each": scores.mean(axis=1)}


def compare_unrelated(seed):
    """Return the scores of tasks if some of them are unrelated."""
    rows, new = draw_tasks(seed, UNRELATED)
    scores = compare_numbers(rows, new, seed, DEEP, "tanh")
    return {
        "8 of the 20 tasks unrelated": scores.mean(axis=1),
        "- the 8 unrelated tasks": scores[:, :UNRELATED].mean(axis=1),
        "- the 12 related tasks": scores[:, UNRELATED:].mean(axis=1),
    }


def draw_digits(seed):
    """Label 20 images by their digit, and 900 others by five groupings of digits."""
    rng = np.random.default_rng(seed)
    X, y = load_digits(return_X_y=True)
    order = rng.permutation(len(y))
    X, y = X[order] / 16, y[order]
    few = np.concatenate([np.flatnonzero(y == digit)[:2] for digit in DIGITS])
    many, new = np.split(np.setdiff1d(np.arange(len(y)), few), [900])
    rows = np.concatenate([few, many])
    Y = np.full((len(rows), 6), None, dtype=object)
    Y[: len(few), 0] = y[few]
    for column in range(1, 6):
        Y[len(few) :, column] = (rng.permutation(10) % 3)[y[many]]
    return Rows(X[rows], Y), Rows(X[new], y[new])


def split_digits(rows):
    """Return four splits of images; each has all digits in training."""
    fold = np.arange(len(rows.X)) % 4
    return [(rows.take(fold != k), rows.take(fold == k)) for k in range(4)]


def explained(model, rows):
    """Return the mean fraction of deviance explained of the tasks."""
    return model.score(rows.X, rows.y, **rows.labels)


def of_strengths(network, sizes):
    """Return networks of all sizes and strengths; without layers, they are linear."""
    return [
        clone(network).set_params(hidden_layer_sizes=layers, alpha=alpha)
        for layers in sizes
        for alpha in ALPHAS
    ]


def compare_digits(seed):
    """Return the accuracies of the digit."""
    rows, new = draw_digits(seed)
    few = Rows(rows.X[:20], rows.y[:20, 0].astype(int), np.zeros(20, dtype=int))
    network = MultiTaskMLP(dict.fromkeys(range(6), "multinomial"), random_state=seed)
    shared, own, linear = (
        choose(of_strengths(network, sizes), each, split_digits(each), explained)
        for each, sizes in ((rows, OF_IMAGES), (few, OF_IMAGES), (few, [()]))
    )
    zeros = np.zeros(len(new.X), dtype=int)
    found = [
        np.asarray(shared.predict(new.X), dtype=object)[:, 0],
        own.predict(new.X, task=zeros),
        linear.predict(new.X, task=zeros),
    ]
    return {"digits, 20 labels: accuracy": [np.mean(each == new.y) for each in found]}


def compare_table(load, name, seed):
    """Return the scores on a quarter of the rows of a table."""
    rows = Rows(*load(name, return_X_y_task=True))
    rows, new = rows.split(np.random.default_rng(seed))
    return {name: compare_numbers(rows, new, seed).mean(axis=1)}


def find_loader():
    """Return the function that loads tables, or None without ``--data``."""
    folder = option("--data")
    if folder is None:
        return None
    spec = importlib.util.spec_from_file_location("load", Path(folder) / "load.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load


def studies():
    """Yield functions from a seed to scores by name."""
    yield from (compare_digits, compare_related, compare_unrelated)
    load = find_loader()
    for name in ("school", "mtr_oes97", "mtr_jura", "mtr_wq") if load else ():
        yield lambda seed, name=name: compare_table(load, name, seed)


def main():
    """Print a table of scores: the mean over seeds, and its standard error."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    Report("Networks that share, own networks and linear models")
    print(f"{date.today()}\n{'':32}  shared          own             linear")
    for study in studies():
        found = [study(seed) for seed in SEEDS]
        for title in found[0]:
            scores = np.array([each[title] for each in found])
            errors = scores.std(axis=0, ddof=len(scores) > 1) / np.sqrt(len(scores))
            pairs = zip(scores.mean(axis=0), errors, strict=True)
            cells = [f"{mean:6.3f} ± {error:.3f}" for mean, error in pairs]
            print(f"{title:32}  " + "  ".join(cells), flush=True)


if __name__ == "__main__":
    main()
