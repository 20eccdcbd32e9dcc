"""Rows that count, and means of them task by task."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d

from skmtl.data import read_array, read_sample_weight, refuse_missing


@dataclass(frozen=True)
class Rows:
    """Hold the task and the positive weight of each row."""

    codes: np.ndarray
    weight: np.ndarray
    n_tasks: int

    @cached_property
    def counts(self):
        """Number of rows of each task."""
        return np.bincount(self.codes, minlength=self.n_tasks)

    @cached_property
    def weights(self):
        """Total weight of each task."""
        return np.bincount(self.codes, self.weight, minlength=self.n_tasks)

    def join(self):
        """Give all rows to one task."""
        return replace(self, codes=np.zeros_like(self.codes), n_tasks=1)

    def split(self, parts, n_parts):
        """Make a task of each part of each task, the parts of one side by side."""
        codes = self.codes * n_parts + parts
        return replace(self, codes=codes, n_tasks=self.n_tasks * n_parts)

    def mean(self, values):
        """Average values of the rows over each task, NaN where it has none."""
        total = np.bincount(self.codes, self.weight * values, minlength=self.n_tasks)
        return divide(total, self.weights)

    def centre(self, values):
        """Take from each value the mean of its task."""
        # from the first value, so that equal values differ from their mean by exactly 0
        shifted = values - values[self._first][self.codes]
        return shifted - self.mean(shifted)[self.codes]

    @cached_property
    def _first(self):
        first = np.zeros(self.n_tasks, dtype=np.intp)
        first[self.codes[::-1]] = np.arange(len(self.codes))[::-1]  # the last one stays
        return first


def read_rows(codes, tasks, sample_weight, *values):
    """Check the rows; return those that count, and their values."""
    codes = _read_codes(codes)
    check_consistent_length(*values, codes)
    weight = read_sample_weight(sample_weight, len(codes))
    weight = np.ones(len(codes)) if weight is None else weight
    counts = (codes >= 0) & (weight > 0)
    if not counts.any():
        raise ValueError(
            "At least one row must belong to a task and have a positive weight. "
            f"Got {len(codes)} rows, none of which does."
        )
    codes, weight = codes[counts], weight[counts]
    if codes.max() >= len(tasks):
        raise ValueError(
            f"codes must be positions in tasks, of which there are {len(tasks)}. "
            f"Got the code {codes.max()}."
        )
    return Rows(codes, weight, len(tasks)), *(each[counts] for each in values)


def _read_codes(codes):
    codes = column_or_1d(read_array(codes))
    if codes.dtype.kind not in "iu":
        raise ValueError(
            "codes must be integers, the position of each row's task in tasks. Got "
            f"{codes[:3].tolist()}; for labels, tasks, codes = "
            "skmtl.data.encode_tasks(labels)."
        )
    return codes.astype(np.intp, copy=False)


def read_vector(values, name):
    """Check a finite number per row."""
    vector = column_or_1d(read_array(values))
    refuse_missing(vector, name)
    return vector.astype(np.float64, copy=False)


def divide(a, b):
    """Divide, to NaN where `b` is 0 or NaN."""
    return np.divide(a, b, out=np.full(len(b), np.nan), where=b > 0)
