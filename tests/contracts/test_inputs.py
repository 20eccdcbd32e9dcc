"""No estimator writes on its inputs."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cases import parametrize
from discovered import CASES, Rows, each_of, fitted
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.utils import get_tags

CASES_OF_ROWS = [case for case in CASES if case.kind != "frames"]
each_case = each_of(CASES_OF_ROWS)
SPARSE = [
    case
    for case in CASES_OF_ROWS
    if not case.has_column and get_tags(case.model).input_tags.sparse
]
# Values of parameters that hold arrays and mappings, where a model has them.
GIVEN = {
    "task_weight": {4: 1.0, 5: 2.0, 6: 0.5, 0: 1.0, 1: 2.0, 2: 0.5},
    "class_weight": {"no": 1.0, "yes": 2.0},
    "graph": np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]),
    "alphas": np.array([1e6, 1e-6, 1.0]),
    "alphas_intercept": np.array([1.0, 0.1]),
}


def assert_answers(found, expected):
    """Compare numbers up to the solver's tolerance, and classes exactly."""
    if expected.dtype.kind == "f":
        assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    else:
        assert_array_equal(found, expected)


def mapped(values, path, order="C"):
    """Return a read-only memory-mapped array."""
    values = np.asarray(values, order=order)
    disk = np.memmap(path, values.dtype, "w+", shape=values.shape, order=order)
    disk[:] = values
    disk.flush()
    return np.memmap(path, values.dtype, "r", shape=values.shape, order=order)


def weighted(case, rows):
    """Give rows weights, if the estimator takes any."""
    weight = np.linspace(0.5, 2.0, len(rows.X))
    return replace(rows, weight=weight) if case.accepts("sample_weight") else rows


@pytest.mark.full
@each_case
@parametrize("order", ["C", "F"], short=["F"])
def test_arrays_on_disk_may_be_read_only(case, order, tmp_path):
    rows = weighted(case, case.rows())
    arrays = {
        name: None if value is None else mapped(value, tmp_path / name, order)
        for name, value in vars(rows).items()
    }
    found, expected = case.fit(Rows(**arrays)), case.fit(rows)
    for method, answer in case.answer(found, Rows(**arrays)).items():
        assert_answers(answer, case.answer(expected, rows)[method])


@pytest.mark.full
@each_case
def test_a_fitted_model_keeps_no_view_of_its_rows(case):
    rows, new = case.rows(), case.rows(seed=1)
    given = {name: None if v is None else v.copy() for name, v in vars(rows).items()}
    model = case.fit(Rows(**given))
    expected = case.answer(model, new)
    for values in given.values():
        if values is not None:
            values[:] = values[0]
    for method, answer in case.answer(model, new).items():
        assert_array_equal(answer, expected[method])


@each_of([case for case in CASES_OF_ROWS if case.takes_labels])
def test_the_name_of_a_column_is_no_label(case):
    rows = case.rows()
    frame = pd.DataFrame(rows.X, columns=list("pqr"))
    with pytest.raises(ValueError, match=r"got 'q', the name of a column of X\."):
        case.fit(replace(rows, X=frame, task="q"))


@each_case
def test_frames_and_series_are_not_written_on(case):
    rows = weighted(case, case.rows())
    table = np.column_stack([rows.X, rows.task]) if case.has_column else rows.X
    given = {
        "X": pd.DataFrame(table, columns=list("abcd")[: table.shape[1]]),
        "y": None if rows.y is None else pd.Series(rows.y),
        "sample_weight": None if rows.weight is None else pd.Series(rows.weight),
        "task": pd.Series(rows.task) if case.takes_labels else None,
    }
    given = {name: value for name, value in given.items() if value is not None}
    kept = {name: value.copy() for name, value in given.items()}
    model = clone(case.model).fit(**given)
    asked = {name: given[name] for name in given.keys() & {"X", "task"}}
    (model.predict if hasattr(model, "predict") else model.transform)(**asked)
    for name, value in given.items():
        assert value.equals(kept[name])


@each_of(SPARSE)
def test_a_sparse_matrix_keeps_its_order_and_its_doubles(case):
    rows = case.rows()
    # Columns from right to left, and the first one in two parts.
    data = np.column_stack([rows.X[:, :0:-1], rows.X[:, :1] / 2, rows.X[:, :1] / 2])
    thick = sparse.csr_array(
        (data.ravel(), np.tile([2, 1, 0, 0], 24), np.arange(0, 97, 4)), shape=(24, 3)
    )
    kept = [np.copy(part) for part in (thick.data, thick.indices, thick.indptr)]
    given, expected = replace(rows, X=thick), fitted(case)
    for method, answer in case.answer(case.fit(given), given).items():
        assert_answers(answer, case.answer(expected, rows)[method])
    for part, copy in zip((thick.data, thick.indices, thick.indptr), kept, strict=True):
        assert_array_equal(part, copy)


@each_case
def test_parameters_are_not_written_on(case):
    changed = case.with_params(**GIVEN)
    given = clone(changed.model)
    before = pickle.dumps(given.get_params())
    fitted = changed.call(given, "fit", changed.rows())
    changed.answer(fitted, changed.rows())
    assert pickle.dumps(clone(fitted).get_params()) == before
