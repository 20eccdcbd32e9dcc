"""Task encodings: columns appended to the features."""

import warnings
from abc import ABC, abstractmethod

import numpy as np
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.preprocessing import TargetEncoder
from sklearn.utils import get_tags

from skmtl._memory import in_words, is_large
from skmtl.data import (
    append_block,
    append_columns,
    append_indicators,
    column_names,
    library_of,
)

_N_FOLDS = 5  # as in scikit-learn's TargetEncoder
# HistGradientBoosting stores a category, or a missing value, in one byte.
_MAX_CATEGORIES = 255
# Boosted trees do not split off tasks with few rows in a node: at least 10 in
# HistGradientBoosting, 100 in LightGBM.
_ROWS_PER_CATEGORY = 100
# Characters of JSON that LightGBM does not accept in names of columns.
_REFUSED = frozenset('",:[]{}')
# Bounds the memory of predict: numbers of dense indicators per chunk, 32 MiB.
_CHUNK = 2**22


class TaskEncoding(ABC):
    """Encode the task of each row, given as a code, in columns; -1 is an unseen task.

    Parameters
    ----------
    tasks : ndarray of shape (n_tasks,)
        Labels.
    prefix : str
        Prefix of the names of the columns.
    estimator : estimator
        Unfitted estimator for the encoded rows.
    """

    # Whether predictions may depend on the task.
    uses_task = True
    # Number of rows to encode at a time in predict; None means all.
    chunk = None

    def __init__(self, tasks, prefix, estimator):
        self.tasks = tasks
        self.prefix = prefix

    def prepare(self, estimator, X):
        """Return the estimator for the encoded X, and keyword arguments for its fit."""
        return estimator, {}

    @abstractmethod
    def fit_encode(self, X, codes, y, weight):
        """Return the training rows with their task columns."""

    @abstractmethod
    def encode(self, X, codes):
        """Return new rows with their task columns."""

    def _append(self, X, block, names):
        """Append the columns of an array, with names if X has column names."""
        if has_names(X):
            return append_columns(X, dict(zip(names, block.T, strict=True)))
        return append_block(X, block)


class NoEncoding(TaskEncoding):
    """Do not encode the task."""

    uses_task = False

    def fit_encode(self, X, codes, y, weight):
        return X

    def encode(self, X, codes):
        return X


class OneHot(TaskEncoding):
    """Append one indicator per task; all are 0 for an unseen task.

    With many tasks, X becomes a sparse matrix, which the estimator must accept.
    """

    def __init__(self, tasks, prefix, estimator):
        super().__init__(tasks, prefix, estimator)
        self.accepts_sparse = get_tags(estimator).input_tags.sparse
        self.name = type(estimator).__name__
        self.is_sparse = False
        self.chunk = max(1, _CHUNK // len(tasks))

    def fit_encode(self, X, codes, y, weight):
        n_numbers = len(codes) * len(self.tasks)
        if sparse.issparse(X) or not is_large(n_numbers, X.shape[0] * X.shape[1]):
            return self.encode(X, codes)
        if not self.accepts_sparse:
            raise ValueError(
                "task_encoding='onehot' needs an estimator that accepts a sparse X for "
                f"{len(self.tasks):,} tasks (dense indicators would take about "
                f"{in_words(8 * n_numbers)}), and {self.name} does not. Use "
                "task_encoding='target' or 'category', or another estimator."
            )
        self.is_sparse, self.chunk = True, None
        return self.encode(X, codes)

    def encode(self, X, codes):
        if self.is_sparse:
            X = sparse.csr_matrix(_as_numbers(X))
        return append_indicators(X, codes, self.prefix, self.tasks)


class Target(TaskEncoding):
    """Append the task's mean target (per class), shrunk towards the overall mean.

    Training rows are encoded by cross-fitting: with the mean over the other folds.
    """

    def __init__(self, tasks, prefix, estimator):
        super().__init__(tasks, prefix, estimator)
        self.has_classes = is_classifier(estimator)

    def fit_encode(self, X, codes, y, weight):
        used = np.ones(len(y), dtype=bool) if weight is None else weight > 0
        targets, names = self._targets(y)
        self.names = names
        self.encoders = [_fit_encoder(codes[used], target[used]) for target in targets]
        block = np.empty((len(y), len(targets)))
        folds = deal_folds(codes, min(_N_FOLDS, len(y)))
        for fold in range(folds.max() + 1):
            test = folds == fold
            train = ~test & used
            for column, target in enumerate(targets):
                encoder = self.encoders[column]
                if train.any():
                    encoder = _fit_encoder(codes[train], target[train])
                block[test, column] = encoder.transform(codes[test, None])[:, 0]
        return self._append(X, block, names)

    def encode(self, X, codes):
        columns = [encoder.transform(codes[:, None]) for encoder in self.encoders]
        return self._append(X, np.hstack(columns), self.names)

    def _targets(self, y):
        """Return the targets to average, one per column, and the names of columns."""
        name = f"{self.prefix}_target"
        if not self.has_classes:
            return [np.asarray(y, dtype=float)], [name]
        classes = np.unique(y)
        encoded = classes[1:] if len(classes) == 2 else classes
        indicators = [(y == label).astype(float) for label in encoded]
        return indicators, [f"{name}_{label}" for label in encoded]


class Category(TaskEncoding):
    """Append the task as a categorical column, missing for an unseen task."""

    def prepare(self, estimator, X):
        path, inner = _find_booster(estimator)
        if inner is None:
            raise ValueError(
                "task_encoding='category' needs an estimator that supports categories: "
                "HistGradientBoostingRegressor, HistGradientBoostingClassifier or one "
                f"of LightGBM. Got {type(estimator).__name__}; use 'onehot' or "
                "'target'."
            )
        position = X.shape[1]
        if _is_lightgbm(inner):
            options = {"categorical_feature": [position]}
            return estimator, {} if self._is_pandas(X) else options
        if len(self.tasks) > _MAX_CATEGORIES:
            raise ValueError(
                f"task_encoding='category' allows at most {_MAX_CATEGORIES} tasks "
                f"with {type(inner).__name__}, got {len(self.tasks):,}. Use 'target', "
                "or LightGBM."
            )
        columns = self._add_task_column(inner.categorical_features, X, position)
        name = f"{path}categorical_features"
        return clone(estimator).set_params(**{name: columns}), {}

    def _add_task_column(self, columns, X, position):
        """Add the task column to `categorical_features` of the estimator."""
        if self._is_pandas(X) and isinstance(columns, str):
            return columns  # "from_dtype" includes the task column
        if columns is None or isinstance(columns, str):
            return [self.prefix] if has_names(X) else [position]
        columns = np.asarray(columns)
        if columns.dtype.kind == "b":
            columns = np.flatnonzero(columns)
        if columns.dtype.kind in "iu":
            return [*columns.tolist(), position]
        return [*columns.tolist(), self.prefix]

    def fit_encode(self, X, codes, y, weight):
        return self.encode(X, codes)

    def encode(self, X, codes):
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


_ENCODINGS = {
    None: NoEncoding,
    "onehot": OneHot,
    "target": Target,
    "category": Category,
}


def make_encoding(kind, estimator, tasks, prefix, n_rows):
    """Make the task encoding by its name; None appends no columns."""
    if kind == "auto":
        kind = _choose_kind(estimator, len(tasks), n_rows)
    return _ENCODINGS[kind](tasks, prefix, estimator)


def _choose_kind(estimator, n_tasks, n_rows):
    """Return "category" if an estimator can split so many tasks, else "target"."""
    _, booster = _find_booster(estimator)
    if booster is None or n_rows < _ROWS_PER_CATEGORY * n_tasks:
        return "target"
    limit = min(_MAX_CATEGORIES, getattr(booster, "max_bins", _MAX_CATEGORIES))
    return "category" if _is_lightgbm(booster) or n_tasks <= limit else "target"


def _find_booster(estimator):
    """Find the estimator that supports categories: this one, or the one in a search.

    Returns the prefix of its parameters in `estimator`, and the estimator or None.
    """
    if _is_lightgbm(estimator) or hasattr(estimator, "categorical_features"):
        return "", estimator
    if isinstance(estimator, (GridSearchCV, RandomizedSearchCV)):
        path, inner = _find_booster(estimator.estimator)
        return f"estimator__{path}", inner
    return "", None


def _is_lightgbm(estimator):
    return type(estimator).__module__.partition(".")[0] == "lightgbm"


def name_columns(X, estimator):
    """Replace names of columns that LightGBM refuses by their numbers."""
    _, booster = _find_booster(estimator)
    names = column_names(X)
    if not _is_lightgbm(booster) or names is None or library_of(X) != "pandas":
        return X
    if not any(_REFUSED.intersection(str(name)) for name in names):
        return X
    return X.set_axis([f"column{k}" for k in range(len(names))], axis=1)


def _as_numbers(X):
    """Convert a table to an array of floats."""
    try:
        return np.asarray(X, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "task_encoding='onehot' makes X sparse if there are many tasks, so all "
            "columns of X must be numeric. Encode the others first, or use 'target'."
        ) from error


def _fit_encoder(codes, target):
    encoder = TargetEncoder(target_type="continuous")
    with warnings.catch_warnings():
        # The variance of a single row is NaN; its encoding does not depend on it.
        warnings.simplefilter("ignore", RuntimeWarning)
        return encoder.fit(codes[:, None], target)


def deal_folds(codes, n_folds, strata=None):
    """Deal the rows of each task to folds in turn, in a random order, seed 0.

    With strata, the rows of a class in a task come one after the other.
    """
    shuffled = np.random.default_rng(0).permutation(len(codes))
    keys = [codes[shuffled]] if strata is None else [strata[shuffled], codes[shuffled]]
    order = shuffled[np.lexsort(keys)]
    fold = np.empty(len(codes), dtype=np.intp)
    fold[order] = np.arange(len(codes)) % n_folds
    return fold
