"""The same rows get the same score in every accepted container."""

from functools import cache

import numpy as np
import pandas as pd
import polars as pl
import pytest
from cases import parametrize
from discovered import CASES, each_of
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.base import clone

SCORED = [
    case for case in CASES if hasattr(case.model, "score") and not case.has_column
]
# One estimator per kind of target; others share its reader.
KINDS = (
    "MeanRegularizedClassifier",
    "MeanRegularizedPoissonRegressor",
    "MeanRegularizedRegressor",
    "MixedTaskModel",
)
ONE_PER_KIND = [case for case in SCORED if case.name in KINDS]
each_case = each_of(SCORED)
some_cases = parametrize("case", SCORED, ONE_PER_KIND, ids=lambda case: case.name)
RNG = np.random.default_rng(3)
X = RNG.normal(size=(36, 2)).round(3)
TASK = RNG.permutation(np.repeat([4, 5, 6], 12))
# Zeros and ones are numbers, counts and classes.
Y = (X[:, 0] + RNG.normal(size=36) > 0).astype(float)
WEIGHT = RNG.integers(1, 4, size=36).astype(float)
OUTPUTS = (X[:, :1] + RNG.normal(size=(36, 3)) > 0).astype(float)
OUTPUTS[::5, 1] = np.nan

VECTORS = {
    "list": lambda v: v.astype(int).tolist(),
    "tuple": lambda v: tuple(v.astype(int).tolist()),
    "int8": lambda v: v.astype(np.int8),
    "float32": lambda v: v.astype(np.float32),
    "Series": lambda v: pd.Series(v, index=np.arange(len(v))[::-1]),
    "Int64": lambda v: pd.Series(v).astype("Int64"),
    "Float64": lambda v: pd.Series(v).astype("Float64"),
    "arrow": lambda v: pd.Series(v).astype("int64[pyarrow]"),
    "arrow float": lambda v: pd.Series(v).astype("double[pyarrow]"),
    "polars": lambda v: pl.Series(v.astype(int)),
}
TARGETS = VECTORS | {
    "bool": lambda v: v.astype(bool),
    "boolean": lambda v: pd.Series(v).astype("boolean"),
    "arrow bool": lambda v: pd.Series(v.astype(bool)).astype("bool[pyarrow]"),
}
LABELS = {
    "list": lambda v: v.tolist(),
    "float": lambda v: v.astype(float),
    "uint8": lambda v: v.astype(np.uint8),
    "Series": lambda v: pd.Series(v, index=np.arange(len(v))[::-1]),
    "Int64": lambda v: pd.Series(v).astype("Int64"),
    "arrow": lambda v: pd.Series(v).astype("int64[pyarrow]"),
    "category": lambda v: pd.Series(v).astype("category"),
    "object": lambda v: v.astype(object),
    "polars": pl.Series,
}
MATRICES = {
    "list": lambda M: M.tolist(),
    "Fortran": np.asfortranarray,
    "strided": lambda M: np.repeat(np.repeat(M, 2, 0), 2, 1)[::2, ::2],
    "frame": pd.DataFrame,
}
TABLES = MATRICES | {
    "Float64": lambda M: pd.DataFrame(M).astype("Float64"),
    "arrow": lambda M: pd.DataFrame(M).astype("double[pyarrow]"),
    "polars": lambda M: pl.DataFrame(M, schema=["a", "b"]),
    "csr": sparse.csr_array,
    "csc": sparse.csc_matrix,
    "triplets": sparse.coo_array,
}
# Cells that are not observed are NaN, None or a missing value.
SEVERAL = MATRICES | {
    "Int64": lambda M: pd.DataFrame(M).astype("Int64"),
    "Float64": lambda M: pd.DataFrame(M).astype("Float64"),
    "boolean": lambda M: pd.DataFrame(M).astype("boolean"),
    "arrow": lambda M: pd.DataFrame(M).astype("Int64").astype("int64[pyarrow]"),
    "arrow float": lambda M: pd.DataFrame(M).astype("double[pyarrow]"),
    "NA": lambda M: pd.DataFrame(M).astype("Int64").astype(object),
    "None": lambda M: pd.DataFrame(M).astype(object).where(~np.isnan(M), None),
    "masked": lambda M: np.ma.masked_invalid(M),
    "polars": lambda M: pl.DataFrame(M, schema=["u", "v", "w"], nan_to_null=True),
}


def keyword_score(case, x=X, y=Y, task=TASK, weight=WEIGHT):
    """Return the score on the training rows, with labels."""
    model = clone(case.model)
    fits = {"sample_weight": weight} if case.accepts("sample_weight") else {}
    model.fit(x, y, task=task, **fits)
    scores = {"sample_weight": weight} if case.accepts("sample_weight", "score") else {}
    return model.score(x, y, task=task, **scores)


def outputs_score(case, y=OUTPUTS, weight=WEIGHT):
    """Return the score on the training rows, with tasks as columns."""
    labels = [0, 1, 2] if not hasattr(y, "get_columns") else ["u", "v", "w"]
    case = case.with_params(losses=dict.fromkeys(labels, "logistic"))
    model = clone(case.model).fit(X, y, sample_weight=weight)
    return model.score(X, y, sample_weight=weight)


@cache
def expected_score(case):
    return keyword_score(case)


@cache
def expected_outputs_score(case):
    return outputs_score(case)


def each_container(containers):
    """Parametrize by containers and cases.

    One case per kind of target takes all. Each of the others, which share its reader,
    takes every fourth, and every fourth of them takes the same.
    """
    pairs = [
        pytest.param(
            case,
            name,
            id=f"{name}-{case.name}",
            marks=[] if case in ONE_PER_KIND else pytest.mark.full,
        )
        for i, case in enumerate(SCORED)
        for j, name in enumerate(containers)
        if case in ONE_PER_KIND or (i + j) % 4 == 0
    ]
    return pytest.mark.parametrize(("case", "container"), pairs)


def assert_score(found, expected):
    assert np.isfinite(expected)
    assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@each_container(TARGETS)
def test_targets_in_any_container(case, container):
    found = keyword_score(case, y=TARGETS[container](Y))
    assert_score(found, expected_score(case))


@each_container(VECTORS)
def test_weights_in_any_container(case, container):
    weight = VECTORS[container](WEIGHT)
    assert_score(keyword_score(case, weight=weight), expected_score(case))


@some_cases
def test_containers_may_be_of_different_kinds(case):
    model, expected = clone(case.model), expected_score(case)
    x, y, task = TABLES["arrow"](X), TARGETS["Int64"](Y), LABELS["category"](TASK)
    fits = {"sample_weight": pd.Series(WEIGHT)}
    fits = fits if case.accepts("sample_weight") else {}
    model.fit(x, y, task=task, **fits)
    assert_score(model.score(x, y, sample_weight=WEIGHT, task=task), expected)


@some_cases
def test_a_number_is_the_weight_of_all_rows(case):
    expected = keyword_score(case, weight=np.full(36, 2.0))
    assert_score(keyword_score(case, weight=2.0), expected)
    expected = outputs_score(case, weight=np.full(36, 2.0))
    assert_score(outputs_score(case, weight=2), expected)


@each_container(LABELS)
def test_labels_in_any_container(case, container):
    task = LABELS[container](TASK)
    assert_score(keyword_score(case, task=task), expected_score(case))


@each_container(TABLES)
def test_features_in_any_container(case, container):
    found = keyword_score(case, x=TABLES[container](X))
    assert_score(found, expected_score(case))


@each_container(SEVERAL)
def test_columns_of_targets_in_any_container(case, container):
    found = outputs_score(case, y=SEVERAL[container](OUTPUTS))
    assert_score(found, expected_outputs_score(case))


@each_container(["list", "Series", "polars"])
def test_weights_of_columns_in_any_container(case, container):
    weight = VECTORS[container](WEIGHT)
    assert_score(outputs_score(case, weight=weight), expected_outputs_score(case))
