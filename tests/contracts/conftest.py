"""Exceptions to the contracts, each with its reason."""

import re

import pytest

# Patterns of the ids of tests, and why these cannot hold.
EXCEPTIONS = {
    r"test_ugly_rows_\w+\[a task without weight-MixedTaskModel": (
        "A task without observations has neither units nor classes: NaN or None"
    ),
}


def pytest_collection_modifyitems(items):
    for item in items:
        for pattern, reason in EXCEPTIONS.items():
            if re.search(pattern, item.nodeid):
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
