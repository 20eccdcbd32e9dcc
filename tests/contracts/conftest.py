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
    r"test_ugly_targets_\w+\[targets times 1e\+300-MeanRegularizedHuber": (
        "Huber's scale overflows for targets of 1e300"
    ),
    r"test_ugly_rows_\w+\[a task without weight-MixedTaskModel": (
        "None is predicted for a task of classes without weight"
    ),
    r"test_ugly_rows_\w+\[uneven tasks-MixedTaskModel\]": (
        "the intercept of a task whose counts are all zero is minus infinity"
    ),
    r"test_ugly_rows_\w+\[(all|a column) times 1e\+300-MixedTaskModel-1\]": (
        "features of 1e300 overflow where tasks share features"
    ),
}
# The same, of tests that fail by rounding: on some processors, not on all.
FAILING_SOMEWHERE = {
    r"test_ugly_rows_\w+\[(very )?far from zero-MeanRegularizedPoissonRegressor\]": (
        "the shared part of counts predicts infinity for features far from zero"
    ),
}


def pytest_collection_modifyitems(items):
    for item in items:
        for patterns, strict in ((FAILING, True), (FAILING_SOMEWHERE, False)):
            for pattern, reason in patterns.items():
                if re.search(pattern, item.nodeid):
                    item.add_marker(pytest.mark.xfail(reason=reason, strict=strict))
