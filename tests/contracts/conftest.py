"""Contracts that do not hold yet. Empty this list, then delete the file."""

import re

import pytest

# Patterns of the ids of tests that fail today, and what must be mended.
FAILING = {
    r"test_a_number_is_the_weight_of_all_rows\[(?!Mixed|MeanRegularizedPoisson)": (
        "score takes no number as sample_weight"
    ),
    r"test_columns_of_targets_in_any_container\[(Int64|Float64|boolean|arrow|arrow "
    r"float)-(\w*Classifier(CV)?|MeanRegularizedPoissonRegressor)\]": (
        "score of classes and counts reads no nullable columns"
    ),
    r"test_columns_of_targets_in_any_container\[NA-(?!Mixed)": (
        "objects with pd.NA are refused by fit"
    ),
    r"test_weights_of_columns_in_any_container\[\w+-\w*Classifier(CV)?\]": (
        "score of classes in columns takes no weights but arrays"
    ),
    r"test_weights_\w*in_any_container\[polars-MeanRegularizedPoissonRegressor\]": (
        "score of counts takes no weights of polars"
    ),
}


def pytest_collection_modifyitems(items):
    for item in items:
        for pattern, reason in FAILING.items():
            if re.search(pattern, item.nodeid):
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
