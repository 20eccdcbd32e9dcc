"""Rows that belong to a task and have a positive weight."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_consistent_length, column_or_1d

from skmtl.data import read_array, read_sample_weight, refuse_missing


@dataclass(frozen=True)
class Rows:
    """Task and positive weight of each row.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,), dtype intp
        Task of each row, from 0 to ``n_tasks - 1``.
    weight : ndarray of shape (n_rows,)
        Weights.
    n_tasks : int
        Number of tasks.
    """

    codes: NDArray[np.intp]
    weight: NDArray[Any]
    n_tasks: int

    @cached_property
    def counts(self) -> NDArray[np.intp]:
        """Number of rows of each task."""
        return np.bincount(self.codes, minlength=self.n_tasks)

    @cached_property
    def weights(self) -> NDArray[Any]:
        """Total weight of each task."""
        return np.bincount(self.codes, self.weight, minlength=self.n_tasks)

    def join(self) -> "Rows":
        """Return the same rows as one task."""
        return replace(self, codes=np.zeros_like(self.codes), n_tasks=1)

    def split(self, parts: NDArray[np.intp], n_parts: int) -> "Rows":
        """Split each task into parts, which become tasks ``t * n_parts + part``."""
        codes = self.codes * n_parts + parts
        return replace(self, codes=codes, n_tasks=self.n_tasks * n_parts)

    def mean(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the weighted mean of values in each task, NaN if it has no rows."""
        total = np.bincount(self.codes, self.weight * values, minlength=self.n_tasks)
        return divide(total, self.weights)

    def centre(self, values: NDArray[Any]) -> NDArray[Any]:
        """Subtract from each value the mean of its task."""
        # Subtract a value first: equal values then give exactly 0.
        shifted = values - values[self._first][self.codes]
        return shifted - self.mean(shifted)[self.codes]

    @cached_property
    def _first(self):
        """First row of each task, 0 if it has no rows."""
        first = np.zeros(self.n_tasks, dtype=np.intp)
        rows = np.arange(len(self.codes))[::-1]
        first[self.codes[rows]] = rows  # the last assignment of a task remains
        return first


def read_rows(
    codes: Any, tasks: Any, sample_weight: ArrayLike | None, *values: NDArray[Any]
) -> tuple[Any, ...]:
    """Return the rows with a task and a positive weight, and their values."""
    codes = _read_codes(codes)
    check_consistent_length(*values, codes)
    weight = read_sample_weight(sample_weight, len(codes))
    weight = np.ones(len(codes)) if weight is None else weight
    used = (codes >= 0) & (weight > 0)
    if not used.any():
        raise ValueError(
            "At least one row must belong to a task and have a positive weight. "
            f"Got none among {len(codes)} rows; check codes and sample_weight."
        )
    codes, weight = codes[used], weight[used]
    if codes.max() >= len(tasks):
        raise ValueError(
            f"codes must be positions in tasks, below {len(tasks)}. Got "
            f"{codes.max()}; pass the labels of all tasks in tasks."
        )
    return Rows(codes, weight, len(tasks)), *(each[used] for each in values)


def _read_codes(codes):
    codes = column_or_1d(read_array(codes))
    if codes.dtype.kind not in "iu":
        raise ValueError(
            "codes must be integers, the position of each row's task in tasks. Got "
            f"{codes[:3].tolist()}; for labels, use tasks, codes = "
            "skmtl.data.encode_tasks(labels)."
        )
    return codes.astype(np.intp, copy=False)


def read_vector(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return one finite number per row; `name` is for errors."""
    vector = column_or_1d(read_array(values))
    refuse_missing(vector, name)
    return vector.astype(np.float64, copy=False)


def divide(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Return ``a / b``, NaN where `b` is not positive."""
    return np.divide(a, b, out=np.full(len(b), np.nan), where=b > 0)
