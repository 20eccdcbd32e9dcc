"""Areas under the ROC curves of all tasks, from one sort of all rows."""

import numpy as np

from ._rows import divide


def measure_auc(rows, proba, places):
    """Average over the classes of each task the area of that class against the rest."""
    n_classes = proba.shape[1]
    chosen = range(n_classes) if n_classes > 2 else range(1, n_classes)
    areas = [measure_area(rows, proba[:, k], places == k) for k in chosen]
    areas = np.array(areas).reshape(len(chosen), rows.n_tasks)
    known = ~np.isnan(areas)
    return divide(areas.sum(axis=0, where=known), known.sum(axis=0))


def measure_area(rows, scores, positive):
    """Find how often a positive row of a task scores above a negative; ties are half.

    NaN for a task without rows of both kinds.
    """
    order = np.lexsort((scores, rows.codes))
    codes, scores = rows.codes[order], scores[order]
    up, n_up = _share(rows, positive, order)
    down, n_down = _share(rows, ~positive, order)
    ties = (codes[1:] == codes[:-1]) & (scores[1:] == scores[:-1])
    starts = np.flatnonzero(np.concatenate([[True], ~ties]))
    up, down = np.add.reduceat(up, starts), np.add.reduceat(down, starts)
    codes = codes[starts]
    lower = np.cumsum(down) - down
    lower -= lower[np.searchsorted(codes, codes)]  # what tasks before it have added
    areas = np.bincount(codes, up * (lower + down / 2), minlength=rows.n_tasks)
    return np.where((n_up > 0) & (n_down > 0), np.clip(areas, 0, 1), np.nan)


def _share(rows, chosen, order):
    """Return the weights of chosen rows as parts of their sum in the task, and the sum.

    As all tasks then sum to 1 or 0, one cumulative sum serves them without rounding.
    """
    weight = np.where(chosen, rows.weight, 0.0)
    total = np.bincount(rows.codes, weight, minlength=rows.n_tasks)
    parts = weight / np.where(total > 0, total, 1)[rows.codes]
    return parts[order], total
