"""Score networks that share, networks of their own, and linear models on new rows.

The strength of each method is chosen on a quarter of its training rows. Tables outside
this project are read by their ``load.py`` from a folder: ``--data DIR``.
"""

from _harness import QUICK, Report, option

# isort: split

import importlib.util
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler

from skmtl.linear_model import (
    MeanRegularizedRegressor,
    MixedTaskModel,
    MultiTaskRidge,
)
from skmtl.neural_network import MultiTaskMLP, MultiTaskMLPRegressor

SEEDS = range(1 if QUICK else 3)
DIGIT_SEEDS = range(1 if QUICK else 10)
ALPHAS = [1.0] if QUICK else [0.1, 1.0, 10.0, 100.0]
HEADS = [0.0] if QUICK else [0.0, 1000.0]
WIDTH = 8 if QUICK else 64


@dataclass(frozen=True)
class Rows:
    """Rows with their targets, and a task for each row or one per column of y."""

    X: np.ndarray
    y: np.ndarray
    task: np.ndarray | None

    def take(self, rows):
        """Return some of the rows."""
        return Rows(
            self.X[rows], self.y[rows], None if self.task is None else self.task[rows]
        )


def split(rows, fraction, rng):
    """Split rows; each task keeps its share in both parts if rows have tasks."""
    order = rng.permutation(len(rows.X))
    if rows.task is not None:
        order = order[np.argsort(rows.task[order], kind="stable")]
    held = np.arange(len(order)) % round(1 / fraction) == 0
    return rows.take(order[~held]), rows.take(order[held])


def mean_r2(rows, found):
    """Return the mean R2 of the tasks with at least five rows."""
    if rows.task is None:
        return r2_score(rows.y, found)
    parts = [rows.task == label for label in np.unique(rows.task)]
    kept = [part for part in parts if part.sum() > 4]
    return np.mean([r2_score(rows.y[part], found[part]) for part in kept])


def accuracy(rows, found):
    """Return the accuracy of the first task, on its rows."""
    found = np.asarray(found, dtype=object).reshape(len(rows.y), -1)[:, 0]
    observed = np.array([label is not None for label in rows.y[:, 0]])
    return np.mean(found[observed] == rows.y[observed, 0])


def fit(model, rows):
    """Fit a clone to rows."""
    return clone(model).fit(rows.X, rows.y, **labels(rows))


def labels(rows):
    """Return the keyword argument with the task of each row, if rows have tasks."""
    return {} if rows.task is None else {"task": rows.task}


def choose(candidates, rows, score, rng):
    """Fit the candidate that scores best on a quarter of the rows to all of them."""
    train, held = split(rows, 0.25, rng)
    scores = [
        score(held, fit(each, train).predict(held.X, **labels(held)))
        for each in candidates
    ]
    return fit(candidates[int(np.argmax(scores))], rows)


def networks(sharing, seed, **settings):
    """Return networks of all strengths."""
    heads = HEADS if sharing == "hard" else [0.0]
    return [
        MultiTaskMLPRegressor(
            WIDTH,
            sharing=sharing,
            alpha=alpha,
            head_penalty=head,
            solver="lbfgs",
            random_state=seed,
            **settings,
        )
        for alpha in ALPHAS
        for head in heads
    ]


def linear_models(y):
    """Return mean-regularised and independent linear models of all strengths.

    Outputs in units of their own are standardised.
    """
    models = [
        make(alpha=alpha)
        for make in (MeanRegularizedRegressor, MultiTaskRidge)
        for alpha in ALPHAS
    ]
    if y.ndim == 1:
        return models
    scaler = StandardScaler()
    return [TransformedTargetRegressor(each, transformer=scaler) for each in models]


def synthetic(seed, n_unrelated):
    """Draw 20 tasks of 100 rows on shared features, and some on features of their own.

    Returns training rows and new rows.
    """
    rng = np.random.default_rng(100 + seed)
    n_tasks, n_features = (4, 5) if QUICK else (20, 20)
    own = [rng.normal(size=(n_features, 5)) for _ in range(n_tasks)]
    mixes = [own[0] if t >= n_unrelated else own[t] for t in range(n_tasks)]
    heads, parts = rng.normal(size=(n_tasks, 5)), []
    for n_rows, noise in ((100, 0.1), (200, 0.0)):
        X = rng.normal(size=(n_tasks, n_rows, n_features))
        pairs = zip(X, mixes, heads, strict=True)
        y = [np.tanh(x @ mix / 2) @ head for x, mix, head in pairs]
        y = np.concatenate(y) + noise * rng.normal(size=n_tasks * n_rows)
        task = np.repeat(np.arange(n_tasks), n_rows)
        parts.append(Rows(X.reshape(-1, n_features), y, task))
    return parts


def digits(seed):
    """Label 20 images by their digit, and 900 others by five groupings of digits."""
    rng = np.random.default_rng(seed)
    X, y = load_digits(return_X_y=True)
    order = rng.permutation(len(y))
    X, y = X[order] / 16, y[order]
    few = np.concatenate([np.flatnonzero(y == digit)[:2] for digit in range(10)])
    rest = np.setdiff1d(np.arange(len(y)), few)
    rows, new = np.concatenate([few, rest[:900]]), rest[900:]
    Y = np.full((len(rows), 6), None, dtype=object)
    Y[:20, 0] = y[few]
    for column in range(1, 6):
        groups = np.arange(10)[rng.permutation(10)] % 3
        Y[20:, column] = groups[y[rest[:900]]]
    return Rows(X[rows], Y, None), Rows(X[new], y[new, None].astype(object), None)


def score_digits(seed):
    """Return the accuracies of the digit; the strength is 1 for all methods."""
    rows, new = digits(seed)
    own = Rows(rows.X[:20], rows.y[:20, 0].astype(int), np.zeros(20, dtype=int))
    losses = dict.fromkeys(range(6), "multinomial")
    zeros = np.zeros(len(new.X), dtype=int)
    net = MultiTaskMLP(losses, solver="lbfgs", random_state=seed)
    shared = fit(net, rows).predict(new.X)
    alone = fit(net, own).predict(new.X, task=zeros)
    linear = MixedTaskModel({0: "multinomial"}, sharing="features", alpha=0.01)
    linear = fit(linear, own).predict(new.X, task=zeros)
    return [accuracy(new, found) for found in (shared, alone, linear)]


def score_numbers(rows, new, seed, **settings):
    """Return the mean R2 of a shared network, own networks and linear models."""
    scaler = StandardScaler().fit(rows.X)
    rows, new = (
        Rows(scaler.transform(each.X), each.y, each.task) for each in (rows, new)
    )
    candidates = [
        networks("hard", seed, **settings),
        networks("independent", seed, **settings),
        linear_models(rows.y),
    ]
    models = [
        choose(each, rows, mean_r2, np.random.default_rng(seed)) for each in candidates
    ]
    return [mean_r2(new, model.predict(new.X, **labels(new))) for model in models]


def score_table(load, name, seed):
    """Return the scores on a quarter of the rows of a table."""
    X, y, task = load(name, return_X_y_task=True)
    rng = np.random.default_rng(seed)
    rows, new = split(Rows(X, y, task), 0.25, rng)
    return score_numbers(rows, new, seed)


def find_loader():
    """Return the function that loads tables, or None without ``--data``."""
    folder = option("--data")
    if folder is None:
        return None
    spec = importlib.util.spec_from_file_location("load", Path(folder) / "load.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load


def main():
    """Print a table of scores."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    Report("Networks that share, own networks and linear models")
    load = find_loader()
    tables = {
        "digits, 20 labels: accuracy": score_digits,
        "20 related tasks x 100 rows: R2": lambda seed: score_numbers(
            *synthetic(seed, 0), seed, activation="tanh"
        ),
        "the same, 8 of them unrelated: R2": lambda seed: score_numbers(
            *synthetic(seed, 8), seed, activation="tanh"
        ),
    }
    if load is not None:
        tables["School, 139 schools: R2"] = lambda seed: score_table(
            load, "school", seed
        )
        for name in ("mtr_oes97", "mtr_jura", "mtr_wq"):
            tables[f"{name}: R2"] = lambda seed, name=name: score_table(
                load, name, seed
            )
    print(f"{'':36} shared           own              linear")
    for title, score in tables.items():
        seeds = DIGIT_SEEDS if score is score_digits else SEEDS
        found = np.array([score(seed) for seed in seeds])
        means, errors = found.mean(axis=0), found.std(axis=0) / np.sqrt(len(found))
        cells = [f"{m:.3f} +- {e:.3f}" for m, e in zip(means, errors, strict=True)]
        print(f"{title:36} " + "   ".join(cells), flush=True)


if __name__ == "__main__":
    main()
