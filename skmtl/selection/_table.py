"""Tables of the strengths that a search tried, and warnings of short lists."""

import numpy as np

from ._grids import warn_of_edge

STRENGTHS = "alpha", "alpha_shared", "alpha_intercept"
_LISTS = "alphas", "alphas_shared", "alphas_intercept"
# Columns of scores: held-out ones, and likelihoods, which need no held-out rows.
SCORE, LIKELIHOOD = "mean_test_score", "log_likelihood"


def tabulate(strengths, scores, name=SCORE):
    """Return the table of strengths and scores.

    Parameters
    ----------
    strengths : mapping of str to array-like of shape (n_tried,)
        Strengths by name.
    scores : ndarray of shape (n_tried, ...)
        Scores, larger is better.
    name : str, default="mean_test_score"
        Column of the scores.

    Returns
    -------
    dict of ndarray
        The columns.
    """
    return {key: np.array(column) for key, column in strengths.items()} | {name: scores}


def tabulate_folds(strengths, folds):
    """Return the table of strengths and of scores of folds.

    Parameters
    ----------
    strengths : mapping of str to array-like of shape (n_tried,)
        Strengths by name.
    folds : ndarray of shape (n_splits, n_tried)
        Scores, larger is better.

    Returns
    -------
    dict of ndarray
        The columns, named as in scikit-learn's searches.
    """
    splits = {f"split{k}_test_score": each for k, each in enumerate(folds)}
    spread = {"std_test_score": folds.std(axis=0)}
    return tabulate(strengths, folds.mean(axis=0)) | spread | splits


def name_strengths(triples):
    """Return columns of three strengths by name."""
    return dict(zip(STRENGTHS, np.transpose(triples), strict=True))


def warn_of_lists(table, best, candidates, name=SCORE):
    """Warn if the error still falls towards the end of a list of strengths.

    Parameters
    ----------
    table : dict of ndarray
        Strengths and scores.
    best : int
        Position of the chosen strengths.
    candidates : Candidates
        The lists.
    name : str, default="mean_test_score"
        Column of the scores.
    """
    triples = np.column_stack([table[name] for name in STRENGTHS])
    for k, (key, free) in enumerate(zip(_LISTS, candidates.free, strict=True)):
        if free:
            continue
        grid = getattr(candidates, key)
        others = [j for j in range(len(STRENGTHS)) if j != k]
        along = (triples[:, others] == triples[best, others]).all(axis=1)
        errors = np.full((1, len(grid)), np.inf)
        errors[0, np.searchsorted(grid, triples[along, k])] = np.nan_to_num(
            -table[name][along], nan=np.inf
        )
        warn_of_edge(key, grid, errors, np.searchsorted(grid, triples[[best], k]))
