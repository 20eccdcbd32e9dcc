"""Encodings of the task as columns appended to the features."""

import warnings
from abc import ABC, abstractmethod

import numpy as np
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.preprocessing import TargetEncoder
from sklearn.utils import get_tags

from skmtl._memory import in_words, is_large
from skmtl.data import column_names

from ._columns import append_block, append_columns, append_indicators, library_of

_N_FOLDS = 5
# HistGradientBoosting stores categories in one byte, one value of it for missing.
_MOST_CATEGORIES = 255
# Most numbers of dense indicators at a time.
_CHUNK = 2**22


class TaskEncoding(ABC):
    """Encode task codes as columns; -1 stands for an unseen task.

    Parameters
    ----------
    tasks : ndarray of shape (n_tasks,)
        Labels.
    prefix : str
        Prefix of the columns' names.
    """

    # Whether different tasks always get different columns.
    tells_tasks = True
    # Rows encoded at a time in predict; None for all.
    chunk = None

    def __init__(self, tasks, prefix):
        self.tasks = tasks
        self.prefix = prefix

    def prepare(self, estimator, X):
        """Return the estimator for the encoded X, and options of its fit."""
        return estimator, {}

    @abstractmethod
    def learn(self, X, codes, y, weight):
        """Return the training rows with their task columns."""

    @abstractmethod
    def add(self, X, codes):
        """Return new rows with their task columns."""

    def _append(self, X, block, names):
        """Append the columns of an array, with names if X has names."""
        if has_names(X):
            return append_columns(X, dict(zip(names, block.T, strict=True)))
        return append_block(X, block)


class NoEncoding(TaskEncoding):
    """Do not encode the task."""

    tells_tasks = False

    def learn(self, X, codes, y, weight):
        return X

    def add(self, X, codes):
        return X


class OneHot(TaskEncoding):
    """Append one indicator per task; all are 0 for an unseen task.

    With many tasks, X becomes a sparse matrix if the estimator accepts one.
    """

    def __init__(self, tasks, prefix, estimator):
        super().__init__(tasks, prefix)
        self.takes_sparse = get_tags(estimator).input_tags.sparse
        self.name = type(estimator).__name__
        self.is_sparse = False
        self.chunk = max(1, _CHUNK // len(tasks))

    def learn(self, X, codes, y, weight):
        n_numbers = len(codes) * len(self.tasks)
        if sparse.issparse(X) or not is_large(n_numbers, X.shape[0] * X.shape[1]):
            return self.add(X, codes)
        if not self.takes_sparse:
            raise ValueError(
                "task_encoding='onehot' needs an estimator that accepts a sparse X for "
                f"{len(self.tasks):,} tasks (dense indicators would take about "
                f"{in_words(8 * n_numbers)}), and {self.name} does not. Use "
                "task_encoding='target' or 'category', or another estimator."
            )
        self.is_sparse, self.chunk = True, None
        return self.add(X, codes)

    def add(self, X, codes):
        if self.is_sparse:
            X = sparse.csr_matrix(_as_numbers(X))
        return append_indicators(X, codes, self.prefix, self.tasks)


class Target(TaskEncoding):
    """Append the task's mean target (per class), shrunk to the mean of all tasks.

    Training rows are encoded by cross-fitting.
    """

    def __init__(self, tasks, prefix, classifies):
        super().__init__(tasks, prefix)
        self.classifies = classifies

    def learn(self, X, codes, y, weight):
        used = np.ones(len(y), dtype=bool) if weight is None else weight > 0
        targets, names = self._targets(y)
        self.names = names
        self.encoders = [_fit(codes[used], target[used]) for target in targets]
        block = np.empty((len(y), len(targets)))
        fold = _deal(codes, min(_N_FOLDS, len(y)))
        for number in range(fold.max() + 1):
            test = fold == number
            train = ~test & used
            for column, target in enumerate(targets):
                encoder = self.encoders[column]
                if train.any():
                    encoder = _fit(codes[train], target[train])
                block[test, column] = encoder.transform(codes[test, None])[:, 0]
        return self._append(X, block, names)

    def add(self, X, codes):
        columns = [encoder.transform(codes[:, None]) for encoder in self.encoders]
        return self._append(X, np.hstack(columns), self.names)

    def _targets(self, y):
        """Return the values to average, and the names of the columns."""
        name = f"{self.prefix}_target"
        if not self.classifies:
            return [np.asarray(y, dtype=float)], [name]
        classes = np.unique(y)
        some = classes[1:] if len(classes) == 2 else classes
        return [(y == label).astype(float) for label in some], [
            f"{name}_{label}" for label in some
        ]


class Category(TaskEncoding):
    """Append the task as one category, for estimators that split categories.

    An unseen task is a missing value.
    """

    def prepare(self, estimator, X):
        path, inner = _find_booster(estimator)
        if inner is None:
            raise ValueError(
                "task_encoding='category' needs an estimator that supports categories, "
                "HistGradientBoostingRegressor, HistGradientBoostingClassifier or one "
                f"of LightGBM, got {type(estimator).__name__}. Use 'onehot' or "
                "'target'."
            )
        place = X.shape[1]
        if _is_lightgbm(inner):
            name = "categorical_feature"
            return estimator, {} if self._is_pandas(X) else {name: [place]}
        if len(self.tasks) > _MOST_CATEGORIES:
            raise ValueError(
                f"task_encoding='category' allows at most {_MOST_CATEGORIES} tasks "
                f"with {type(inner).__name__}, got {len(self.tasks):,}. Use 'target', "
                "or LightGBM."
            )
        given = self._with_task(inner.categorical_features, X, place)
        return clone(estimator).set_params(**{f"{path}categorical_features": given}), {}

    def _with_task(self, given, X, place):
        """Return which columns are categories, including the task column."""
        if self._is_pandas(X) and isinstance(given, str):
            return given  # by their dtypes
        if given is None or isinstance(given, str):
            return [self.prefix] if has_names(X) else [place]
        given = np.asarray(given)
        if given.dtype.kind == "b":
            given = np.flatnonzero(given)
        if given.dtype.kind in "iu":
            return [*given.tolist(), place]
        return [*given.tolist(), self.prefix]

    def learn(self, X, codes, y, weight):
        return self.add(X, codes)

    def add(self, X, codes):
        if self._is_pandas(X):
            import pandas as pd

            labels = pd.Categorical.from_codes(codes, np.arange(len(self.tasks)))
            return append_columns(X, {self.prefix: labels})
        column = np.where(codes >= 0, codes, np.nan)[:, None]
        return self._append(X, column, [self.prefix])

    def _is_pandas(self, X):
        return library_of(X) == "pandas" and has_names(X)


def has_names(X):
    """Return whether the columns of a table have names."""
    names = column_names(X)
    return names is not None and all(isinstance(name, str) for name in names)


def make_encoding(kind, estimator, tasks, prefix):
    """Return the class of a task encoding."""
    if kind is None:
        return NoEncoding(tasks, prefix)
    if kind == "onehot":
        return OneHot(tasks, prefix, estimator)
    if kind == "target":
        return Target(tasks, prefix, is_classifier(estimator))
    return Category(tasks, prefix)


def _find_booster(estimator):
    """Return the path and the estimator that supports categories, or None."""
    if _is_lightgbm(estimator) or hasattr(estimator, "categorical_features"):
        return "", estimator
    if isinstance(estimator, (GridSearchCV, RandomizedSearchCV)):
        path, inner = _find_booster(estimator.estimator)
        return f"estimator__{path}", inner
    return "", None


def _is_lightgbm(estimator):
    return type(estimator).__module__.partition(".")[0] == "lightgbm"


def _as_numbers(X):
    """Return a table as floats, for conversion to sparse."""
    try:
        return np.asarray(X, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "task_encoding='onehot' makes X sparse for so many tasks, so all columns "
            "of X must be numeric. Encode the others first, or use 'target'."
        ) from error


def _fit(codes, target):
    encoder = TargetEncoder(target_type="continuous")
    with warnings.catch_warnings():
        # A single row has no variance; only its weight counts.
        warnings.simplefilter("ignore", RuntimeWarning)
        return encoder.fit(codes[:, None], target)


def _deal(codes, n_folds):
    """Assign the rows of each task to folds in a fixed random order."""
    shuffled = np.random.default_rng(0).permutation(len(codes))
    order = shuffled[np.argsort(codes[shuffled], kind="stable")]
    fold = np.empty(len(codes), dtype=np.intp)
    fold[order] = np.arange(len(codes)) % n_folds
    return fold
