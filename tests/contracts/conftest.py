"""Exceptions to the contracts, each with its reason."""

import re

import pytest

# Patterns of the ids of tests, and why these cannot hold.
EXCEPTIONS = {
    r"test_ugly_rows_\w+\[a task without weight-MixedTaskModel": (
        "A task without observations has neither units nor classes: NaN or None"
    ),
}


# The grids of these small searches may end anywhere.
ENDS = pytest.mark.filterwarnings("ignore:The error still falls")


def pytest_collection_modifyitems(items):
    for item in items:
        if "contracts" in item.path.parts:
            item.add_marker(ENDS)
        for pattern, reason in EXCEPTIONS.items():
            if re.search(pattern, item.nodeid):
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
