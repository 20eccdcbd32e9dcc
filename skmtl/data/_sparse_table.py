"""Sparse features with columns of task labels."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skmtl._contracts import Array


@dataclass(frozen=True, eq=False)
class SparseTable:
    """Sparse features with task labels as last columns.

    Transformers that return sparse matrices, which hold only numbers, pass it on to the
    next step of a pipeline. All functions and estimators with a `task_column` accept
    it; indexing selects rows.

    Parameters
    ----------
    features : CSR matrix of shape (n_rows, n_features)
        Features.
    labels : tuple of array-like of shape (n_rows,)
        Columns of labels.
    columns : list of str or None, default=None
        Names of all columns, the labels last; None if unnamed.
    library : {"pandas", "polars"} or None, default=None
        Library of the original frame, for dense results.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import eye_array
    >>> from skmtl.data import SparseTable, take_task_column
    >>> table = SparseTable(
    ...     eye_array(3, format="csr"), (np.array(["v", "u", "v"]),), [*"abc", "shop"]
    ... )
    >>> features, labels = take_task_column(table[[0, 1]], "shop")
    >>> features.shape, labels.tolist()
    ((2, 3), ['v', 'u'])
    """

    features: Any
    labels: tuple
    columns: list | None = None
    library: str | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns, including the labels."""
        n_rows, n_features = self.features.shape
        return n_rows, n_features + len(self.labels)

    def __len__(self) -> int:
        return self.features.shape[0]

    def __getitem__(self, rows: Any) -> "SparseTable":
        rows = rows[0] if isinstance(rows, tuple) else rows  # also table[rows, ...]
        labels = tuple(np.asarray(each)[rows] for each in self.labels)
        return replace(self, features=self.features[rows], labels=labels)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        raise TypeError(
            "X must be a numeric array here, got a SparseTable (sparse features with "
            "task labels) from a TaskAware transformer. Wrap the estimator in "
            "skmtl.compose.PooledTasks or IndependentTasks with a task_column, or make "
            "the transformer return a dense array."
        )

    def column(self, position: int) -> Array:
        """Return one column as a dense array."""
        n_features = self.features.shape[1]
        if position >= n_features:
            return self.labels[position - n_features]
        return self.features[:, [position]].toarray().ravel()

    def drop(self, positions: Iterable[int]) -> Any:
        """Drop columns; return a sparse matrix if no labels are left."""
        n_features = self.features.shape[1]
        gone = set(positions)
        kept = np.array([j for j in range(n_features) if j not in gone], dtype=np.intp)
        whole = len(kept) == n_features
        features = self.features if whole else self.features[:, kept]
        labels = tuple(
            each for j, each in enumerate(self.labels, n_features) if j not in gone
        )
        if not labels:
            return features
        columns = self.columns and [
            name for j, name in enumerate(self.columns) if j not in gone
        ]
        return replace(self, features=features, labels=labels, columns=columns)
