"""Labels of tasks: reading them from a table, and numbering them."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from skmtl.data import encode_tasks, find_tasks, take_task_column

integers = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=30)
few_integers = st.lists(st.integers(-5, 5), max_size=30)
texts = st.lists(st.text(max_size=4), max_size=30)
labels = integers | few_integers | texts

LABELS = ["b", "a", "b", "c"]
VALUES = np.arange(4.0)
FRAME = pd.DataFrame({"x": VALUES, "school": LABELS, "z": VALUES + 1})


def strings(*values):
    return np.array(values, dtype=object)


STORED_STRINGS = {
    "list": LABELS,
    "tuple": tuple(LABELS),
    "numpy": np.array(LABELS),
    "numpy objects": strings(*LABELS),
    "numpy strings": np.array(LABELS, dtype=np.dtypes.StringDType()),
    "pandas": pd.Series(LABELS),
    "pandas objects": pd.Series(LABELS, dtype=object),
    "pandas index": pd.Index(LABELS),
    "pandas categories": pd.Series(LABELS).astype("category"),
    "pandas unused category": pd.Categorical(LABELS, categories=["z", *"cab"]),
    "pandas category index": pd.CategoricalIndex(LABELS),
    "pandas arrow": pd.Series(LABELS).astype(pd.ArrowDtype(pa.string())),
    "polars": pl.Series(LABELS),
    "polars categories": pl.Series(LABELS, dtype=pl.Categorical),
    "polars enum": pl.Series(LABELS, dtype=pl.Enum(["z", "c", "a", "b"])),
    "arrow": pa.array(LABELS),
    "arrow chunks": pa.chunked_array([LABELS[:1], LABELS[1:]]),
    "arrow dictionary": pa.array(LABELS).dictionary_encode(),
}
STORED_INTEGERS = {
    "list": [7, -1, 7, 300],
    "int16": np.array([7, -1, 7, 300], dtype=np.int16),
    "far apart": np.array([7, -(2**62), 7, 2**62]),
    "floats": [7.0, -1.0, 7.0, 300.0],
    "float32": np.array([7, -1, 7, 300], dtype=np.float32),
    "objects": np.array([7, -1, 7, np.int8(100)], dtype=object),
    "pandas": pd.Series([7, -1, 7, 300]),
    "pandas nullable": pd.Series([7, -1, 7, 300], dtype="Int64"),
    "pandas categories": pd.Series([7.0, -1.0, 7.0, 300.0], dtype="category"),
    "polars": pl.Series([7, -1, 7, 300]),
    "polars unsigned": pl.Series([7, 1, 7, 300], dtype=pl.UInt64),
    "arrow": pa.array([7, -1, 7, 300]),
}


@given(labels)
def test_tasks_are_sorted_and_codes_give_the_labels_back(labels):
    tasks, codes = encode_tasks(labels)
    assert tasks.tolist() == sorted(set(labels))
    assert tasks[codes].tolist() == labels
    assert codes.dtype == np.intp


@given(labels, st.randoms())
def test_the_order_of_the_rows_does_not_matter_to_the_tasks(labels, random):
    shuffled = random.sample(labels, len(labels))
    np.testing.assert_array_equal(encode_tasks(shuffled)[0], encode_tasks(labels)[0])


@given(few_integers)
def test_floats_that_hold_integers_are_integers(labels):
    tasks, codes = encode_tasks(np.array(labels, dtype=float))
    assert tasks.dtype == np.int64
    assert tasks[codes].tolist() == labels


@given(texts)
def test_every_container_gives_the_same_tasks(labels):
    _, expected = encode_tasks(labels)
    stored = strings(*labels)
    for container in (
        pd.Series(stored, dtype=object),
        pd.Series(stored, dtype="category"),
        pl.Series(labels, dtype=pl.String),
        pa.array(labels, type=pa.string()),
    ):
        np.testing.assert_array_equal(encode_tasks(container)[1], expected)


@given(labels, labels)
def test_a_found_code_points_to_the_label_and_only_unknown_labels_have_none(known, new):
    tasks, _ = encode_tasks(known)
    same_kind = [label for label in new if isinstance(label, type((known or new)[0]))]
    codes = find_tasks(same_kind, tasks)
    assert codes.dtype == np.intp
    expected = [label if label in known else None for label in same_kind]
    assert [*np.append(tasks.astype(object), None)[codes]] == expected


@pytest.mark.parametrize("stored", STORED_STRINGS.values(), ids=STORED_STRINGS)
def test_strings_are_read_from_any_container(stored):
    tasks, codes = encode_tasks(stored)
    assert tasks.tolist() == ["a", "b", "c"]
    assert codes.tolist() == [1, 0, 1, 2]
    assert find_tasks(stored, np.array(["b", "c"])).tolist() == [0, -1, 0, 1]


@pytest.mark.parametrize("stored", STORED_INTEGERS.values(), ids=STORED_INTEGERS)
def test_integers_are_read_from_any_container(stored):
    tasks, codes = encode_tasks(stored)
    assert tasks.dtype == np.int64
    assert [*map(int, tasks[codes])] == [*map(int, np.asarray(stored))]
    assert tasks.tolist() == sorted(set(tasks.tolist()))


def test_a_label_with_a_trailing_nul_is_kept_apart():
    tasks, _ = encode_tasks(["a\0", "a"])
    assert tasks.tolist() == ["a", "a\0"]
    assert find_tasks(["a\0", "a", "a\0\0"], tasks).tolist() == [1, 0, -1]


def test_no_rows_have_no_tasks():
    tasks, codes = encode_tasks([])
    assert tasks.size == codes.size == 0
    assert find_tasks([], np.array(["a"])).size == 0


MISSING = {
    "list": ["a", None],
    "numbers": [1, None],
    "nan": [1.0, np.nan],
    "objects": strings("a", np.nan),
    "pandas": pd.Series(["a", None]),
    "pandas nullable": pd.Series([1, None], dtype="Int64"),
    "pandas categories": pd.Series(["a", None], dtype="category"),
    "pandas value": strings("a", pd.NA),
    "no time": strings("a", pd.NaT),
    "masked": np.ma.array([1, 2], mask=[True, False]),
    "polars": pl.Series(["a", None]),
    "polars nan": pl.Series([1.0, float("nan")]),
    "arrow": pa.array(["a", None]),
    "arrow numbers": pa.array([1, None]),
}


@pytest.mark.parametrize("stored", MISSING.values(), ids=MISSING)
def test_a_missing_label_is_refused(stored):
    with pytest.raises(ValueError, match="task contains NaN: every row must belong"):
        encode_tasks(stored)


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (["a", 1], "all integers or all strings, got both: 'a' and 1. Convert"),
        (strings(1, "a"), "all integers or all strings, got both: 1 and 'a'. Convert"),
        ([0.5, 1.0], "non-integer float 0.5. .* probably scaled .*TaskAware"),
        (strings(0.5), "non-integer float 0.5. .* probably scaled"),
        (pd.Series([0.5], dtype="category"), "non-integer float 0.5"),
        ([1.0, np.inf], "contains infinity"),
        ([2**70, 1], "fit 64 bits, got 1180591620717411303424. Use strings"),
        (np.array([2**63], dtype=np.uint64), "fit 64 bits, got 9223372036854775808"),
        ([1e300], r"fit 64 bits, got 1e\+300"),
        ([b"a"], "got b'a' of type bytes. Convert the labels with astype"),
        ([1j], "got 1j of type complex"),
        (np.array(["2020"], dtype="M8[ns]"), r"got datetime64\[ns\]. Convert"),
        (pd.to_datetime(["2020"]), "of type Timestamp. Convert the labels"),
        ([["a", "b"]], r"1-d, one label per row, got shape \(1, 2\)"),
        ("a", r"1-d, one label per row, got shape \(\)"),
    ],
)
def test_labels_of_another_kind_are_refused(stored, message):
    with pytest.raises(ValueError, match=message):
        encode_tasks(stored)


@pytest.mark.parametrize(("known", "new"), [(["a"], [1]), ([1], ["a"])])
def test_labels_of_another_kind_than_in_fit_are_refused(known, new):
    with pytest.raises(ValueError, match="the same in fit and predict; the model has"):
        find_tasks(new, np.array(known))


CONTAINERS = {
    "pandas": FRAME,
    "pandas categories": FRAME.astype({"school": "category"}),
    "polars": pl.from_pandas(FRAME),
    "arrow": pa.Table.from_pandas(FRAME),
}


@pytest.mark.parametrize("table", CONTAINERS.values(), ids=CONTAINERS)
@pytest.mark.parametrize("task_column", ["school", 1, -2, np.int64(1)])
def test_a_column_is_taken_by_name_and_by_position(table, task_column):
    features, labels = take_task_column(table, task_column)
    assert type(features) is type(table)
    np.testing.assert_array_equal(np.asarray(features), np.c_[VALUES, VALUES + 1])
    assert np.asarray(labels).tolist() == LABELS


@pytest.mark.parametrize("position", [0, 1, 2, -1, -2, -3])
@pytest.mark.parametrize(
    "container",
    [
        np.asarray,
        np.ndarray.tolist,
        pd.DataFrame,
        sparse.csr_array,
        sparse.csc_array,
        sparse.csr_matrix,
        sparse.coo_array,
    ],
)
def test_a_column_without_a_name_is_taken_by_position(container, position):
    numbers = np.arange(12.0).reshape(4, 3) % 5
    features, labels = take_task_column(container(numbers), position)
    features = getattr(features, "toarray", lambda: np.asarray(features))()
    np.testing.assert_array_equal(features, np.delete(numbers, position, axis=1))
    np.testing.assert_array_equal(labels, numbers[:, position])


def test_numbers_beside_string_labels_stay_numbers():
    features, labels = take_task_column([["a", 1.5, 2], ["b", 0.1, 3]], 0)
    assert features.tolist() == [[1.5, 2], [0.1, 3]]
    assert labels.tolist() == ["a", "b"]


@pytest.mark.parametrize("position", [0, -1])
def test_a_column_at_an_end_of_an_array_is_dropped_without_a_copy(position):
    X = np.arange(12.0).reshape(4, 3)
    features, labels = take_task_column(X, position)
    assert np.shares_memory(features, X)
    assert np.shares_memory(labels, X)


def test_a_level_of_the_index_holds_the_labels():
    X = FRAME.set_index(["school", pd.Index(range(4), name="row")])
    features, labels = take_task_column(X, "school")
    assert features is X
    assert labels.tolist() == LABELS


def test_a_column_is_preferred_to_a_level_of_the_same_name():
    X = FRAME.set_index(pd.Index([*"wxyz"], name="school"))
    assert take_task_column(X, "school")[1].tolist() == LABELS


def test_other_columns_may_share_a_name():
    X = pd.DataFrame(np.c_[VALUES, VALUES, VALUES + 1], columns=["x", "x", "school"])
    features, labels = take_task_column(X, "school")
    assert features.columns.tolist() == ["x", "x"]
    assert labels.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("table", "task_column", "message"),
    [
        (FRAME, "shcool", "must be a column of X, .* Did you mean 'school'. Keep"),
        (FRAME, "q", r"X has 3 columns: x, school, z, index levels \[None\]. Keep"),
        (CONTAINERS["polars"], "q", "X has 3 columns: x, school, z. Keep"),
        (
            FRAME.add_prefix("remainder__"),
            "school",
            "Did you mean 'remainder__school'. Use verbose_feature_names_out=False",
        ),
        (
            FRAME.rename(columns={"x": "school"}),
            "school",
            "must name one column, got 2 columns of that name. Rename",
        ),
        (VALUES.reshape(2, 2), "q", "X is a ndarray without column names. .*set_outp"),
        (sparse.eye_array(2).tocsr(), "q", "X is a csr_array without column names"),
        (FRAME, 3, "a position between -3 and 2, got 3: X has 3 columns"),
        (FRAME, -4, "a position between -3 and 2, got -4"),
        (FRAME[["school"]], "school", r"1 feature\(s\) .*only the task column. Add"),
        (VALUES, 0, "Reshape your data"),
        (np.empty((3, 0)), 0, r"0 feature\(s\) \(shape=\(3, 0\)\) while a minimum of"),
        (np.empty((0, 3)), 0, r"0 sample\(s\)"),
        (np.ones((2, 2)) * 1j, 0, "Complex data not supported"),
    ],
)
def test_a_table_without_the_column_is_refused(table, task_column, message):
    with pytest.raises(ValueError, match=message):
        take_task_column(table, task_column)


@pytest.mark.parametrize("task_column", [1.0, True, ("school",)])
def test_a_task_column_of_another_type_is_refused(task_column):
    with pytest.raises(TypeError, match=r"name of a column \(str\) or its position"):
        take_task_column(FRAME, task_column)


def test_frames_not_collected_are_refused():
    with pytest.raises(TypeError, match=r"held in memory, .* first: X.collect\(\)"):
        take_task_column(pl.LazyFrame({"a": [1]}), "a")
    with pytest.raises(TypeError, match=r"held in memory, .* first: task.compute\(\)"):
        encode_tasks(type("Series", (), {"__module__": "dask.dataframe"})())


@pytest.mark.parametrize("order", ["sorted", "any"])
@pytest.mark.parametrize("kind", ["str", "int"])
def test_a_few_labels_are_found_among_many(order, kind):
    tasks = np.arange(3, 300, 3)
    if order == "any":
        tasks = np.random.default_rng(0).permutation(tasks)
    known, unknown = [3, 150, 297], [0, 4, 1000]
    expected = [tasks.tolist().index(label) for label in known] + [-1] * 3
    if kind == "str":
        tasks = tasks.astype(str)
        known, unknown = list(map(str, known)), ["0", "4", "1500 and longer"]
    assert find_tasks(known + unknown, tasks).tolist() == expected
