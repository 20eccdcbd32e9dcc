"""The table of strengths that a search tried, and warnings of lists that are short."""

import numpy as np

from ._grids import warn_of_edge

STRENGTHS = "alpha", "alpha_shared", "alpha_intercept"
_LISTS = "alphas", "alphas_shared", "alphas_intercept"


def tabulate(strengths, scores):
    """Return the table of strengths and scores."""
    columns = [np.array(column) for column in strengths]
    return dict(zip((*STRENGTHS, "mean_test_score"), (*columns, scores), strict=True))


def warn_of_lists(table, best, candidates):
    """Warn of strengths chosen at an end of a list towards which errors still fall.

    Parameters
    ----------
    table : dict of ndarray
        Strengths and scores.
    best : int
        Position of what was chosen.
    candidates : Candidates
        The lists.
    """
    triples = np.column_stack([table[name] for name in STRENGTHS])
    for k, (name, free) in enumerate(zip(_LISTS, candidates.free, strict=True)):
        if not free:
            grid = getattr(candidates, name)
            others = [j for j in range(len(STRENGTHS)) if j != k]
            along = (triples[:, others] == triples[best, others]).all(axis=1)
            errors = np.full((1, len(grid)), np.inf)
            errors[0, np.searchsorted(grid, triples[along, k])] = np.nan_to_num(
                -table["mean_test_score"][along], nan=np.inf
            )
            place = np.searchsorted(grid, triples[[best], k])
            warn_of_edge(name, grid, errors, place)
