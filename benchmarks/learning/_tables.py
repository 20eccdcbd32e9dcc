"""Read real tables, split them, and score predictions.

Tables outside this project are read by their ``load.py`` from a folder, ``--data DIR``.
Without it, or with ``--quick``, small generated tables take their place.
"""

import sys
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from _harness import QUICK, option

# isort: split

import numpy as np
from sklearn.preprocessing import StandardScaler

from skmtl.datasets import make_related_tasks

LONG = [
    *("sleepstudy", "oxboys", "exam", "gapminder", "student", "bdf", "wage_panel"),
    *("computer_survey", "wine", "school", "diamonds", "ames"),
]
OUTPUTS = [
    *("mtr_oes97", "mtr_andro", "tecator", "mtr_enb", "mtr_jura", "mtr_slump"),
    *("mtr_edm", "mtr_wq"),
]
CLASSES = ["contraception", "usps"]
# Splits of the smallest tables differ most.
_N_SPLITS = {"sleepstudy": 5, "oxboys": 5}
_MOST_ROWS = 20_000


@dataclass(frozen=True)
class Table:
    """Rows of a table, with the task of each, or None if the columns of y are tasks."""

    name: str
    X: np.ndarray
    y: np.ndarray
    task: np.ndarray | None

    def take(self, rows):
        """Return some of the rows."""
        task = None if self.task is None else self.task[rows]
        return replace(self, X=self.X[rows], y=self.y[rows], task=task)

    @property
    def labels(self):
        """Keyword arguments of `fit` and `predict`."""
        return {} if self.task is None else {"task": self.task}

    def splits(self, n_splits=None):
        """Yield training and test rows, features standardised on the former."""
        groups = len(self.X) if self.task is None else self.task
        for seed in range(n_splits or _N_SPLITS.get(self.name, 1 if QUICK else 3)):
            yield self._standardise(*_split(groups, seed))

    def published_splits(self):
        """Yield the rows of the splits that were published with the table."""
        for rows in _loader().load(self.name).splits:
            yield self._standardise(*rows)

    def _standardise(self, *rows):
        train, test = map(self.take, rows)
        scaler = StandardScaler().fit(train.X)
        return [replace(each, X=scaler.transform(each.X)) for each in (train, test)]


def _split(groups, seed):
    if _loader() is not None:
        return _loader().protocol_split(groups, seed)
    groups = np.zeros(groups, int) if np.ndim(groups) == 0 else groups
    order = np.random.default_rng(seed).permutation(len(groups))
    held = order[np.argsort(groups[order], kind="stable")][::4]
    return np.setdiff1d(np.arange(len(groups)), held), np.sort(held)


@cache
def _loader():
    """Return the module that loads tables, or None."""
    folder = option("--data")
    if folder is None or QUICK:
        return None
    spec = spec_from_file_location("load", Path(folder) / "load.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def has_tables():
    """Return whether there are real tables."""
    return _loader() is not None


def read_table(name):
    """Return a table, its columns transformed as is usual for it."""
    if not has_tables():
        return _draw(name)
    found = _loader().load(name)
    X = found.X if hasattr(found.X, "tocsr") else np.asarray(found.X, dtype=float)
    table = Table(name, X, np.asarray(found.y), found.task)
    column = dict(zip(found.feature_names, range(X.shape[1]), strict=True))
    transform = _USUAL.get(name)
    return transform(table, column) if transform else table


def _draw(name):
    """Draw a table in the layout of the real one."""
    X, y = make_related_tasks(n_tasks=6, n_samples=20, spread=0.5, random_state=0)
    features, task = X[:, :-1].astype(float), X[:, -1].astype(int)
    if name in OUTPUTS:
        return Table(name, features[:40], np.column_stack([y[:40], y[40:80]]), None)
    if name in CLASSES:
        return Table(name, features, (y > np.median(y)).astype(int), task)
    return Table(name, features, y, task)


def _boys(table, column):
    return replace(table, X=np.column_stack([table.X, table.X**2]))


def _countries(table, column):
    year, people, income = (table.X[:, column[n]] for n in ("year", "pop", "gdpPercap"))
    return replace(table, X=np.column_stack([year, np.log(people), np.log(income)]))


def _diamonds(table, column):
    rows = np.random.default_rng(0).permutation(len(table.X))[:_MOST_ROWS]
    X = np.column_stack([table.X, np.log(table.X[:, column["carat"]])])
    return replace(table, X=X, y=np.log(table.y.astype(float))).take(np.sort(rows))


_USUAL = {"oxboys": _boys, "gapminder": _countries, "diamonds": _diamonds}


def rmse(found, y):
    """Return the root mean squared error over all targets that are observed."""
    return float(np.sqrt(np.nanmean((np.asarray(found) - y) ** 2)))


def rmse_per_task(found, test):
    """Return the mean over tasks of the root mean squared errors."""
    tasks = np.unique(test.task)
    rows = [test.task == each for each in tasks]
    return float(np.mean([rmse(found[each], test.y[each]) for each in rows]))


def relative_rmse(found, y):
    """Return the mean over outputs of the error relative to that of the mean."""
    error = np.sqrt(np.nanmean((np.asarray(found) - y) ** 2, axis=0))
    return float(np.mean(error / np.nanstd(y, axis=0)))
