"""Targets of several kinds keep each value as the user gave it."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from bare import Bare
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.preprocessing import LabelEncoder

from skmtl.targets import read_labels, read_mixed, read_numbers

X = np.arange(4.0)[:, None]
COLUMNS = {
    "price": [1.5, None, 3.0, 4.0],
    "shop": ["007", "7", None, "07"],
    "paid": [True, False, True, None],
}
KEPT = {name: [v for v in values if v is not None] for name, values in COLUMNS.items()}


def cells_of(rows, cells):
    """Return the targets of each task."""
    parts = np.split(cells[rows.y.astype(int)], rows.offsets[1:-1])
    labels = rows.tasks.tolist()
    return {k: part.tolist() for k, part in zip(labels, parts, strict=True)}


FRAMES = {
    "pandas": pd.DataFrame(COLUMNS),
    "nullable": pd.DataFrame(COLUMNS).convert_dtypes(),
    "polars": pl.DataFrame(COLUMNS),
    "pyarrow": pa.table(COLUMNS),
}


# -- read_mixed


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_columns_of_frames_keep_their_types_and_leave_out_what_is_missing(frame):
    rows, cells = read_mixed(Bare(), X, frame)
    assert cells_of(rows, cells) == KEPT
    assert rows.rows.tolist() == [0, 2, 3, 0, 1, 3, 0, 1, 2]


def test_a_list_of_rows_keeps_the_types_of_its_values():
    y = [list(row) for row in zip(*COLUMNS.values(), strict=True)]
    rows, cells = read_mixed(Bare(), X, y)
    assert list(cells_of(rows, cells).values()) == [*KEPT.values()]


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT, float("nan")])
def test_each_kind_of_missing_value_is_left_out(missing):
    y = np.array([["a", 1], [missing, 2], ["b", missing], ["a", 4]], dtype=object)
    rows, cells = read_mixed(Bare(), X, y)
    assert cells_of(rows, cells) == {0: ["a", "b", "a"], 1: [1, 2, 4]}


@pytest.mark.parametrize("dtype", [float, object])
def test_masked_values_are_left_out_and_the_array_is_kept(dtype):
    values = np.array([[1, 2], [3, 4], [5, 6], [7, 8]], dtype=dtype)
    y = np.ma.MaskedArray(values, mask=[[0, 1], [0, 0], [1, 0], [0, 0]])
    rows, cells = read_mixed(Bare(), X, y)
    assert cells_of(rows, cells) == {0: [1, 3, 7], 1: [4, 6, 8]}
    assert y.data[0, 1] == 2
    assert y.mask.sum() == 2


def test_rows_of_labelled_tasks_are_grouped():
    y = [1.5, "x", 2.5, "y"]
    rows, cells = read_mixed(Bare(), X, y, task=["n", "c", "n", "c"])
    assert cells_of(rows, cells) == {"c": ["x", "y"], "n": [1.5, 2.5]}


def test_rows_of_weight_zero_are_left_out():
    y, weight = [1.5, "x", 2.5, "y"], [0.0, 1.0, 2.0, 0.0]
    task = ["n", "c", "n", "c"]
    rows, cells = read_mixed(Bare(), X, y, task=task, sample_weight=weight)
    assert cells_of(rows, cells) == {"c": ["x"], "n": [2.5]}
    assert rows.weight.tolist() == [1, 2]


def test_balanced_tasks_have_equal_total_weights():
    task, weight = ["n", "c", "n", "n"], [1.0, 2.0, 3.0, 0.0]
    rows, _ = read_mixed(
        Bare(),
        X,
        [1, "x", 2, 3],
        task=task,
        sample_weight=weight,
        task_weight="balanced",
    )
    totals = np.add.reduceat(rows.weight, rows.offsets[:-1])
    assert np.ptp(rows.task_weight * totals) == pytest.approx(0)


def test_no_target_is_refused():
    with pytest.raises(ValueError, match="requires y to be passed"):
        read_mixed(Bare(), X, None)


# -- read_numbers


@given(st.lists(st.floats(-1e300, 1e300), max_size=5))
def test_numbers_are_read_as_numpy_reads_them(values):
    found = read_numbers(np.array(values, dtype=object), "a", "squared")
    assert found.dtype == float
    assert_array_equal(found, np.array(values, dtype=float))


def test_truths_are_numbers():
    assert read_numbers(
        np.array([True, False], dtype=object), "a", "squared"
    ).tolist() == [
        1,
        0,
    ]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1.0, "7"], "task 'a' must be numbers, as its loss is 'squared', got '7'"),
        ([1.0, np.inf], "contains infinity: the target of task 'a'"),
        ([1.0, -np.inf], "contains infinity: the target of task 'a'"),
    ],
)
def test_values_that_are_no_numbers_are_refused(values, words):
    with pytest.raises(ValueError, match=words):
        read_numbers(np.array(values, dtype=object), "a", "squared")


# -- read_labels


@pytest.mark.parametrize(
    "labels",
    [
        st.sampled_from(["007", "07", "7", " 7", "nan", ""]),
        st.integers(-(2**53), 2**53),
        st.booleans(),
        st.integers(-3, 3).map(float),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    ],
    ids=["leading zeros", "whole numbers", "truths", "whole floats", "words"],
)
@given(data=st.data())
def test_labels_are_told_apart_as_by_label_encoder(labels, data):
    values = data.draw(st.lists(labels, min_size=1, max_size=8))
    found = read_labels(np.array(values, dtype=object), "a")
    assert found.tolist() == values
    assert np.unique(found).tolist() == LabelEncoder().fit(values).classes_.tolist()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, "1"], "all strings or all numbers, got both: 1 and '1'"),
        ([True, "yes"], "all strings or all numbers, got both: True and 'yes'"),
        ([0.5, 1.0], "must be classes, got continuous numbers such as 0.5"),
    ],
)
def test_labels_of_two_kinds_and_numbers_on_a_scale_are_refused(values, words):
    with pytest.raises(ValueError, match=words):
        read_labels(np.array(values, dtype=object), "a")


def test_no_labels_are_read_as_none():
    assert len(read_labels(np.array([], dtype=object), "a")) == 0
