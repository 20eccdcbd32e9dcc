"""Area under the ROC curve of every task, from one sort of all rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._rows import Rows, divide


def compute_auc(
    rows: Rows, proba: NDArray[Any], positions: NDArray[np.intp]
) -> NDArray[Any]:
    """Average the areas of each class against the rest, over the classes of each task.

    `positions` are the columns of `proba` of the true classes. With two classes, the
    area is that of the second class.
    """
    n_classes = proba.shape[1]
    used = range(n_classes) if n_classes > 2 else range(1, n_classes)
    areas = np.array(
        [compute_binary_auc(rows, proba[:, k], positions == k) for k in used]
    ).reshape(len(used), rows.n_tasks)
    known = ~np.isnan(areas)
    return divide(areas.sum(axis=0, where=known), known.sum(axis=0))


def compute_binary_auc(
    rows: Rows, scores: NDArray[Any], is_positive: NDArray[np.bool_]
) -> NDArray[Any]:
    """Compute the weighted share of (positive, negative) pairs in the correct order.

    A tie counts 1/2. A task without positive or without negative rows gets NaN.
    """
    order = np.lexsort((scores, rows.codes))
    codes, scores = rows.codes[order], scores[order]
    positive, n_positive = _normalise_weights(rows, is_positive, order)
    negative, n_negative = _normalise_weights(rows, ~is_positive, order)
    ties = (codes[1:] == codes[:-1]) & (scores[1:] == scores[:-1])
    starts = np.flatnonzero(np.concatenate([[True], ~ties]))
    positive = np.add.reduceat(positive, starts)
    negative = np.add.reduceat(negative, starts)
    codes = codes[starts]
    lower = np.cumsum(negative) - negative
    lower -= lower[np.searchsorted(codes, codes)]  # subtract the earlier tasks
    pairs = positive * (lower + negative / 2)
    areas = np.bincount(codes, pairs, minlength=rows.n_tasks)
    return np.where((n_positive > 0) & (n_negative > 0), np.clip(areas, 0, 1), np.nan)


def _normalise_weights(rows, chosen, order):
    """Divide the weights of the chosen rows by their sum in the task; return both.

    The weights of a task then sum to 1 or 0, so one cumulative sum over all tasks stays
    accurate.
    """
    weight = np.where(chosen, rows.weight, 0.0)
    total = np.bincount(rows.codes, weight, minlength=rows.n_tasks)
    share = weight / np.where(total > 0, total, 1)[rows.codes]
    return share[order], total
