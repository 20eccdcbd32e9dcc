"""Parametrize tests by cases; some run in the short suite, all in the full one."""

import pytest


def each(argument, cases, short, ids=str):
    """Parametrize by all cases, and mark those that are not in ``short`` as full.

    ``cases`` maps ids to values, or lists values; ``short`` lists some of the values.
    """
    named = cases if isinstance(cases, dict) else {ids(case): case for case in cases}
    chosen = {id(case) for case in short}
    return pytest.mark.parametrize(
        argument,
        [
            pytest.param(
                case, id=name, marks=[] if id(case) in chosen else pytest.mark.full
            )
            for name, case in named.items()
        ],
    )
