"""Parametrize tests by cases: some run in the short suite, all in the full one."""

import numpy as np
import pytest


def parametrize(argument, cases, short, ids=str):
    """Parametrize by all cases, and mark those that are not in ``short`` as full.

    ``cases`` are values, of which ``short`` lists some, or a mapping of names to
    values, of which ``short`` lists some names.
    """
    is_named = isinstance(cases, dict)
    named = cases if is_named else {ids(case): case for case in cases}
    chosen = set(short) if is_named else {ids(case) for case in short}
    return pytest.mark.parametrize(
        argument,
        [
            pytest.param(
                case, id=name, marks=[] if name in chosen else pytest.mark.full
            )
            for name, case in named.items()
        ],
    )


def fold_errors(search):
    """Return the errors of a search by strength and fold, from its results."""
    table = search.cv_results_
    n_folds = sum(name.startswith("split") for name in table)
    return -np.stack([table[f"split{k}_test_score"] for k in range(n_folds)], axis=1)
