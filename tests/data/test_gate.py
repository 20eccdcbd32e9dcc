"""The gate: what the user gives becomes rows of tasks, or a message."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin, clone
from sklearn.exceptions import DataConversionWarning
from sklearn.inspection import permutation_importance
from sklearn.linear_model import Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.fixes import parse_version
from sklearn.utils.validation import check_is_fitted

from skmtl.compose import IndependentTasks
from skmtl.data import (
    SharedRows,
    TaskRows,
    encode_tasks,
    read_queries,
    read_rows,
    read_task_weight,
)
from skmtl.linear_model import (
    MeanRegularizedClassifier,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedRegressor,
    MixedTaskModel,
)
from skmtl.targets import read_counts


class TinyRidge(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """One ridge per task, and one on all rows for tasks not seen."""

    def __init__(self, task_column=None, handle_unknown="shared", task_weight=None):
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        labelled = self.task_column is not None
        tags.input_tags.categorical = tags.input_tags.string = labelled
        tags.target_tags.multi_output = not labelled
        return tags

    def fit(self, X, y, sample_weight=None, task=None):
        weights = {"sample_weight": sample_weight, "task_weight": self.task_weight}
        rows = read_rows(self, X, y, task=task, **weights)
        moments = np.array([scatter(*part) for part in parts(rows)])
        moments = np.concatenate([moments, moments.sum(axis=0, keepdims=True)])
        gram, moment = moments[:, :-1, :-1], moments[:, :-1, -1:]
        ridge = np.eye(gram.shape[1])
        self.parts_ = np.linalg.solve(gram + ridge, moment)[:, :, 0]
        self.tasks_, self._layout = rows.tasks, rows.layout
        return self

    def predict(self, X, task=None):
        check_is_fitted(self)
        features, codes = read_queries(self, X, task)
        Z = with_ones(features)
        every = Z @ self.parts_.T
        return {
            "outputs": lambda: every[:, :-1],
            "single": lambda: every[:, 0],
        }.get(self._layout, lambda: every[np.arange(len(Z)), codes])()


def with_ones(X):
    dense = X.toarray() if sparse.issparse(X) else X
    return np.column_stack([dense, np.ones(len(dense))]).astype(np.float64)


def parts(rows):
    """Give each task's features, targets and weights."""
    n_tasks, Z = len(rows.tasks), with_ones(rows.X)
    factors = np.ones(n_tasks) if rows.task_weight is None else rows.task_weight
    if isinstance(rows, SharedRows):
        weight = np.ones(len(Z)) if rows.weight is None else rows.weight
        return [(Z, rows.Y[:, t], weight * factors[t]) for t in range(n_tasks)]
    Z = Z if rows.rows is None else Z[rows.rows]
    weight = np.ones(len(Z)) if rows.weight is None else rows.weight
    spans = [slice(*span) for span in zip(rows.offsets, rows.offsets[1:], strict=False)]
    return [(Z[s], rows.y[s], weight[s] * factors[t]) for t, s in enumerate(spans)]


def scatter(Z, y, weight):
    A = np.column_stack([Z, y])
    return (A.T * weight) @ A


RNG = np.random.default_rng(0)
N_ROWS = 30
F = RNG.standard_normal((N_ROWS, 3))
CODES = np.append([0, 1, 2], RNG.integers(0, 3, N_ROWS - 3))
NAMES = np.array(["ash", "beech", "cedar"])[CODES]
Y = F @ RNG.standard_normal((3, 3)) + RNG.standard_normal((N_ROWS, 3))
y = Y[np.arange(N_ROWS), CODES]
WEIGHT = RNG.uniform(0.5, 2, N_ROWS)
FRAME = pd.DataFrame(F, columns=["p", "q", "r"]).assign(school=NAMES)
COLUMN = {
    "pandas": (FRAME, "school"),
    "pandas categories": (FRAME.astype({"school": "category"}), "school"),
    "pandas first": (FRAME[["school", "p", "q", "r"]], "school"),
    "pandas middle": (FRAME[["p", "school", "q", "r"]], 1),
    "pandas index": (FRAME.set_index(["school", FRAME.index]), "school"),
    "polars": (pl.from_pandas(FRAME), "school"),
    "polars enum": (
        pl.from_pandas(FRAME).cast({"school": pl.Enum(["z", *np.unique(NAMES)])}),
        "school",
    ),
    "arrow": (pa.Table.from_pandas(FRAME), "school"),
    "numpy objects": (FRAME.to_numpy(), -1),
    "numpy": (np.column_stack([F, CODES]), -1),
    "list": (FRAME.to_numpy().tolist(), 3),
    "csr": (sparse.csr_array(np.column_stack([CODES, F])), 0),
    "csc": (sparse.csc_matrix(np.column_stack([F, CODES])), -1),
}
each_column = pytest.mark.parametrize(("X", "column"), COLUMN.values(), ids=COLUMN)


def expected_failures(estimator):
    """Name the checks whose X has no column that could hold labels."""
    reason = "the first column of this check's X is continuous, it holds no labels"
    old = "scikit-learn 1.7.0 subtracts in place from integers, gone in 1.7.2"
    labelled = {
        "check_sample_weight_equivalence_on_dense_data": reason,
        "check_sample_weight_equivalence_on_sparse_data": reason,
    }
    early = parse_version(sklearn.__version__) < parse_version("1.7.2")
    bugs = {True: {"check_positive_only_tag_during_fit": old}, False: {}}[early]
    return {True: {}, False: labelled | bugs}[estimator.task_column is None]


@pytest.mark.full
@parametrize_with_checks(
    [TinyRidge(), TinyRidge(task_column=0), TinyRidge(task_column=-1)],
    expected_failed_checks=expected_failures,
)
def test_the_gate_lets_an_estimator_pass_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


@each_column
def test_a_column_in_any_container_is_the_same_as_the_keyword(X, column):
    expected = TinyRidge().fit(F, y, task=NAMES)
    model = TinyRidge(task_column=column).fit(X, y)
    np.testing.assert_allclose(model.parts_, expected.parts_, rtol=1e-12)
    np.testing.assert_allclose(model.predict(X), expected.predict(F, task=NAMES))


@pytest.mark.parametrize("stack", [np.asarray, pd.DataFrame, pl.DataFrame])
def test_outputs_not_observed_are_the_same_as_rows_of_tasks(stack):
    observed = CODES[:, None] == np.arange(3)
    wide = TinyRidge().fit(F, stack(np.where(observed, Y, np.nan)), WEIGHT)
    long = TinyRidge().fit(F, y, WEIGHT, task=CODES)
    np.testing.assert_allclose(wide.parts_, long.parts_, rtol=1e-12)
    assert wide._layout == "outputs"


def test_complete_outputs_are_the_same_as_rows_repeated_for_each_task():
    wide = TinyRidge(task_weight="balanced").fit(F, Y, WEIGHT)
    X, tasks = np.tile(F, (3, 1)), np.repeat([0, 1, 2], N_ROWS)
    long = TinyRidge().fit(X, Y.T.ravel(), np.tile(WEIGHT, 3), task=tasks)
    np.testing.assert_allclose(wide.parts_, long.parts_, rtol=1e-12)


def test_one_task_is_the_same_as_no_labels():
    single = TinyRidge().fit(F, y)
    assert single.tasks_.tolist() == [0]
    one = TinyRidge().fit(F, y, task=np.zeros(N_ROWS))
    np.testing.assert_array_equal(single.parts_, one.parts_)
    np.testing.assert_array_equal(single.parts_[0], single.parts_[1])


@given(arrays(np.int64, st.integers(1, 40), elements=st.integers(-3, 3)), st.booleans())
def test_rows_are_grouped_by_task_in_their_order(labels, ordered):
    labels = {True: np.sort(labels), False: labels}[ordered]
    n_rows = len(labels)
    X, target = np.arange(n_rows, dtype=float)[:, None], np.arange(n_rows) * 2.0
    rows = read_rows(TinyRidge(), X, target, task=labels, sample_weight=target + 1)
    order = np.argsort(labels, kind="stable")
    np.testing.assert_array_equal(np.arange(n_rows)[rows.rows].ravel(), order)
    np.testing.assert_array_equal(rows.y, target[order])
    np.testing.assert_array_equal(rows.weight, target[order] + 1)
    sizes = np.diff(rows.offsets)
    np.testing.assert_array_equal(np.repeat(rows.tasks, sizes), labels[order])
    assert rows.offsets.dtype == np.intp


def test_more_tasks_than_fit_sixteen_bits_are_grouped():
    labels = np.random.default_rng(1).integers(0, 200_000, 100_000)
    rows = read_rows(TinyRidge(), np.ones((100_000, 1)), labels * 1.0, task=labels)
    np.testing.assert_array_equal(rows.rows, np.argsort(labels, kind="stable"))
    np.testing.assert_array_equal(rows.y, np.sort(labels))


def test_rows_already_grouped_are_left_in_place():
    target = np.arange(4.0)
    rows = read_rows(TinyRidge(), F[:4], target, task=["a", "a", "b", "c"])
    assert rows.rows is None
    assert np.shares_memory(rows.X, F)
    assert rows.y is target


def test_the_value_says_how_the_tasks_were_declared():
    def layout(*data, task_column=None, **options):
        return read_rows(TinyRidge(task_column), *data, **options).layout

    assert layout(F, y) == "single"
    assert layout(F, y, task=CODES) == "keyword"
    assert layout(FRAME, y, task_column="school") == "column"
    assert layout(F, Y) == layout(F, np.where(Y > 1, np.nan, Y)) == "outputs"


def test_columns_of_y_are_labelled_by_their_names_in_their_order():
    frame = pd.DataFrame(Y, columns=["z", "a", "m"])
    assert read_rows(TinyRidge(), F, frame).tasks.tolist() == ["z", "a", "m"]
    holes = frame.mask(frame > 1)
    assert holes.isna().any(axis=None)
    assert read_rows(TinyRidge(), F, holes).tasks.tolist() == ["z", "a", "m"]
    assert read_rows(TinyRidge(), F, Y).tasks.tolist() == [0, 1, 2]


HOLES = [[1, None], [2, 3], [None, 4]]
STORED_HOLES = {
    "numpy": np.array(HOLES, dtype=float),
    "list": [[1.0, np.nan], [2, 3], [np.nan, 4]],
    "masked": np.ma.array([[1, 9], [2, 3], [9, 4]], mask=[[0, 1], [0, 0], [1, 0]]),
    "pandas": pd.DataFrame(HOLES, dtype=float),
    "pandas nullable": pd.DataFrame(HOLES, dtype="Int64"),
    "pandas objects": pd.DataFrame(HOLES, dtype=object),
    "polars": pl.DataFrame(HOLES, schema=["a", "b"], orient="row"),
    "arrow": pa.table({"a": [1, 2, None], "b": [None, 3, 4]}),
}


@pytest.mark.parametrize("target", STORED_HOLES.values(), ids=STORED_HOLES)
def test_missing_cells_of_y_are_left_out_in_any_container(target):
    rows = read_rows(TinyRidge(), F[:3], target, sample_weight=[1, 2, 3])
    assert isinstance(rows, TaskRows)
    assert rows.y.tolist() == [1, 2, 3, 4]
    assert rows.rows.tolist() == [0, 1, 1, 2]
    assert rows.weight.tolist() == [1, 2, 2, 3]
    assert rows.offsets.tolist() == [0, 2, 4]


def test_a_column_of_y_never_observed_stays_a_task():
    rows = read_rows(TinyRidge(), F, np.column_stack([y, np.full(N_ROWS, np.nan)]))
    assert rows.tasks.tolist() == [0, 1]
    assert rows.offsets.tolist() == [0, N_ROWS, N_ROWS]


def test_a_single_column_of_y_becomes_one_dimensional_with_a_warning():
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        rows = read_rows(TinyRidge("school"), FRAME, y[:, None])
    assert rows.y.ndim == 1


@pytest.mark.parametrize(
    ("given_as", "kept_as"),
    [("f2", "f8"), ("f4", "f4"), ("f8", "f8"), ("i4", "f8"), ("?", "f8"), ("O", "f8")],
)
def test_float32_stays_and_other_numbers_become_float64(given_as, kept_as):
    X = np.column_stack([CODES, CODES % 2, F > 0]).astype(given_as)
    for model in (TinyRidge(), TinyRidge(task_column=0)):
        assert read_rows(model, X, y).X.dtype == kept_as
        assert read_queries(model.fit(X, y), X)[0].dtype == kept_as


def test_sparse_features_become_rows_that_are_sparse():
    rows = read_rows(TinyRidge(), sparse.csc_array(F), y, task=NAMES)
    assert rows.X.format == "csr"
    model = TinyRidge().fit(sparse.csc_array(F), y, task=NAMES)
    features, codes = read_queries(model, sparse.csc_array(F), NAMES)
    assert features.format == "csr"
    np.testing.assert_array_equal(codes, CODES)


def test_weights_of_rows_are_as_good_as_repeating_them():
    counts = RNG.integers(0, 3, N_ROWS) + (np.arange(N_ROWS) < 3)
    weighted = TinyRidge("school").fit(FRAME, y, sample_weight=pd.Series(counts))
    rows = np.repeat(np.arange(N_ROWS), counts)
    repeated = TinyRidge("school").fit(FRAME.iloc[rows], y[rows])
    np.testing.assert_allclose(weighted.parts_, repeated.parts_, rtol=1e-9)


def test_a_number_as_sample_weight_counts_for_every_row():
    assert read_rows(TinyRidge(), F, y, sample_weight=2).weight.tolist() == [2] * 30
    assert read_rows(TinyRidge(), F, y).weight is None


def test_balanced_tasks_have_equal_totals_and_keep_their_sum():
    weight = np.where(CODES == 2, 0, WEIGHT)
    options = {"sample_weight": weight, "task_weight": "balanced"}
    rows = read_rows(TinyRidge(), F, y, task=NAMES, **options)
    totals = np.bincount(CODES, weight)
    balanced = totals * rows.task_weight
    np.testing.assert_allclose(balanced, np.array([0.5, 0.5, 0]) * totals.sum())
    assert np.isfinite(rows.task_weight).all()


def test_tasks_whose_outputs_are_missing_are_balanced_by_what_is_observed():
    target = np.where(np.arange(N_ROWS)[:, None] < [30, 10, 20], Y, np.nan)
    rows = read_rows(TinyRidge(), F, target, task_weight="balanced")
    np.testing.assert_allclose(rows.task_weight, [20 / 30, 20 / 10, 20 / 20])


def test_a_mapping_gives_each_task_its_weight():
    mapping = {"cedar": 3, "ash": 0.0, "beech": np.float32(2)}
    rows = read_rows(TinyRidge("school"), FRAME, y, task_weight=mapping)
    assert rows.task_weight.tolist() == [0, 2, 3]
    tasks, _ = encode_tasks([7, 5])
    assert read_task_weight({7: 1, 5: 2}, tasks, np.ones(2)).tolist() == [2, 1]


def test_a_task_without_weight_stays_a_task():
    weight = (CODES > 0).astype(float)
    model = TinyRidge("school").fit(FRAME, y, sample_weight=weight)
    assert model.tasks_.tolist() == ["ash", "beech", "cedar"]
    present = TinyRidge("school").fit(FRAME[CODES > 0], y[CODES > 0])
    np.testing.assert_allclose(model.parts_[1:], present.parts_, rtol=1e-12)


NO_WEIGHT = "eights must contain at least one non-zero number"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sample_weight": np.ones(7)}, r"of shape \(30,\), got shape \(7,\)"),
        ({"sample_weight": np.ones((30, 2))}, r"shape \(30, 2\). To weight the cells"),
        ({"sample_weight": np.ones((30, 1))}, r"of shape \(30,\), got shape \(30, 1\)"),
        (
            {"sample_weight": WEIGHT - 1e9},
            r"Negative values .*row \d+. Leave out such rows",
        ),
        ({"sample_weight": -1.0}, r"Negative values .* got -1.0 in row 0"),
        ({"sample_weight": WEIGHT * np.nan}, "sample_weight contains NaN"),
        ({"sample_weight": WEIGHT * np.inf}, "sample_weight contains infinity"),
        ({"sample_weight": np.zeros(30)}, NO_WEIGHT),
        ({"task_weight": dict.fromkeys([*NAMES], 0)}, NO_WEIGHT),
        (
            {"task_weight": {"ash": 1, "beech": 1, "oak": 1}},
            r"for each of the 3 tasks, missing: \['cedar'\]. Add these labels",
        ),
        (
            {"task_weight": {"ash": 1, "beech": -1, "cedar": np.inf}},
            "finite number of 0 or more, got {'beech': -1, 'cedar': inf}",
        ),
        ({"task_weight": dict.fromkeys([*NAMES], "a")}, "finite number of 0 or more"),
    ],
)
def test_weights_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        read_rows(TinyRidge("school"), FRAME, y, **options)


def test_a_task_weight_may_name_tasks_that_a_fold_lacks():
    some = read_rows(
        TinyRidge(),
        F[NAMES != "ash"],
        y[NAMES != "ash"],
        task=NAMES[NAMES != "ash"],
        task_weight={"ash": 1, "beech": 2, "cedar": 3},
    )
    assert some.task_weight.tolist() == [2.0, 3.0]


@pytest.mark.parametrize("task_weight", ["equal", [1, 2, 3]])
def test_a_task_weight_of_another_type_is_refused(task_weight):
    with pytest.raises(TypeError, match="None, 'balanced' or a mapping from labels to"):
        read_rows(TinyRidge(), F, y, task=NAMES, task_weight=task_weight)


def test_weights_only_on_cells_not_observed_are_refused():
    target = np.where(CODES[:, None] == 0, [[np.nan, np.nan]], [[1.0, 2.0]])
    with pytest.raises(ValueError, match=NO_WEIGHT):
        read_rows(TinyRidge(), F, target, sample_weight=(CODES == 0).astype(float))


# -- weights of cells

CELL_WEIGHT = np.random.default_rng(1).integers(0, 4, Y.shape)
WITH_WEIGHT = CELL_WEIGHT > 0
CLASSES = (Y > 0) * 1.0
SHARES = MeanRegularizedRegressor(alpha=2.0)
KINDS = {0: "squared", 1: "poisson", 2: "logistic"}
# Newton steps stop at `tol`, below the tolerances of the comparisons.
MODELS_OF_CELLS = {
    "moments": (SHARES, Y),
    "classes": (MeanRegularizedClassifier(tol=1e-12), CLASSES),
    "counts": (MeanRegularizedPoissonRegressor(tol=1e-12), np.abs(Y).round()),
    "kinds": (
        MixedTaskModel(KINDS, tol=1e-12),
        np.column_stack([Y[:, 0], np.abs(Y[:, 1]).round(), CLASSES[:, 2]]),
    ),
    "independent": (IndependentTasks(Ridge()), Y),
}
each_model_of_cells = pytest.mark.parametrize(
    ("model", "target"), MODELS_OF_CELLS.values(), ids=MODELS_OF_CELLS
)


def predictions(model, *args, **given):
    return clone(model).fit(*args, **given).predict(F)


def predictions_of_labels(model, *args, task):
    """Predict all cells by a model of labelled rows."""
    model = clone(model).fit(*args, task=task)
    columns = [model.predict(F, task=np.full(N_ROWS, t)) for t in range(3)]
    return np.column_stack(columns)


@each_model_of_cells
def test_a_cell_of_weight_zero_counts_as_not_observed(model, target):
    weighted = predictions(model, F, target, sample_weight=1.0 * WITH_WEIGHT)
    without = predictions(model, F, np.where(WITH_WEIGHT, target, np.nan))
    np.testing.assert_allclose(weighted, without, rtol=1e-10, atol=1e-10)


@each_model_of_cells
def test_weights_of_cells_are_as_good_as_repeating_them(model, target):
    weighted = predictions(model, F, target, sample_weight=CELL_WEIGHT)
    rows, task = (
        np.repeat(index.ravel(), CELL_WEIGHT.ravel()) for index in np.indices(Y.shape)
    )
    repeated = predictions_of_labels(model, F[rows], target[rows, task], task=task)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-8, atol=1e-8)


@each_model_of_cells
def test_equal_columns_of_weights_are_the_weights_of_rows(model, target):
    columns = np.tile(WEIGHT[:, None], 3)
    by_cell = predictions(model, F, target, sample_weight=columns)
    by_row = predictions(model, F, target, sample_weight=WEIGHT)
    np.testing.assert_allclose(by_cell, by_row, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("convert", [pd.DataFrame, pl.DataFrame, np.ndarray.tolist])
def test_weights_of_cells_may_come_in_any_container(convert):
    rows = read_rows(TinyRidge(), F, Y, sample_weight=convert(CELL_WEIGHT))
    assert rows.weight.tolist() == CELL_WEIGHT.T.ravel().tolist()


def test_tasks_are_balanced_by_the_weights_of_their_cells():
    given = {"sample_weight": CELL_WEIGHT, "task_weight": "balanced"}
    rows = read_rows(TinyRidge(), F, Y, **given)
    totals = CELL_WEIGHT.sum(axis=0)
    np.testing.assert_allclose(rows.task_weight, totals.mean() / totals)


def test_weights_of_cells_and_exposures_multiply():
    exposure = WEIGHT
    sample = read_counts(
        TinyRidge(), F, Y**2, sample_weight=CELL_WEIGHT, exposure=exposure
    )
    expected = (CELL_WEIGHT * exposure[:, None]).T.ravel()
    np.testing.assert_allclose(sample.rows.weight, expected)


def test_batches_may_have_weights_of_cells():
    batches = clone(SHARES).partial_fit(F[:10], Y[:10])
    batches.partial_fit(F[10:], Y[10:], sample_weight=CELL_WEIGHT[10:])
    weight = np.concatenate([np.ones((10, 3)), CELL_WEIGHT[10:]])
    whole = clone(SHARES).fit(F, Y, sample_weight=weight)
    np.testing.assert_allclose(batches.coef_, whole.coef_, rtol=1e-10)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (
            np.ones((30, 2)),
            r"per row, of shape \(30,\), or one per cell of y, of shape \(30, 3\), got "
            r"shape \(30, 2\). Pass weights for the rows and columns of y",
        ),
        (np.ones((3, 30)), r"got shape \(3, 30\)"),
        (np.ones((30, 3, 1)), "Found array with dim 3"),
        (
            CELL_WEIGHT - np.eye(30, 3, -7) * 9,
            r"Negative values .*-[6-9].0 in row [789]",
        ),
        (np.where(WITH_WEIGHT, 1.0, np.nan), "sample_weight contains NaN"),
        (0 * CELL_WEIGHT, NO_WEIGHT),
    ],
)
def test_weights_of_cells_that_cannot_be_are_refused(weight, message):
    with pytest.raises(ValueError, match=message):
        read_rows(TinyRidge(), F, Y, sample_weight=weight)


def test_weights_of_cells_not_observed_are_ignored():
    target = np.where(WITH_WEIGHT, Y, np.nan)
    rows = read_rows(TinyRidge(), F, target, sample_weight=CELL_WEIGHT + 1.0)
    assert rows.weight.tolist() == (CELL_WEIGHT + 1).T[WITH_WEIGHT.T].tolist()
    with pytest.raises(ValueError, match=NO_WEIGHT):
        read_rows(TinyRidge(), F, target, sample_weight=1.0 * ~WITH_WEIGHT)


def with_value(array, value):
    changed = array.copy()
    changed.flat[0] = value
    return changed


NAMED_TWICE = pd.DataFrame(Y, columns=["a", "b", "a"])
NAMED_BY_PAIRS = pd.DataFrame(Y, columns=pd.MultiIndex.from_product([["a"], [*"bcd"]]))
BAD_FIT = {
    "y none": (F, None, {}, "TinyRidge estimator requires y to be passed, but the tar"),
    "y nan": (F, with_value(y, np.nan), {}, "Input y contains NaN"),
    "y inf": (F, with_value(y, np.inf), {}, "Input y contains infinity"),
    "outputs inf": (F, with_value(Y, np.inf), {}, "Input y contains infinity"),
    "outputs unseen": (F, Y * np.nan, {}, "must have an observed value, got NaN in a"),
    "y masked": (F, np.ma.array(y, mask=CODES == 1), {}, "Input y contains NaN"),
    "y text": (F, NAMES, {}, "could not convert string to float"),
    "y three axes": (F, Y[:, :, None], {}, "Found array with dim 3"),
    "names twice": (F, NAMED_TWICE, {}, r"different names, got twice: \['a'\]. Rena"),
    "names by pairs": (F, NAMED_BY_PAIRS, {}, r"got \('a', 'b'\) of type tuple"),
    "short y": (F, y[:5], {}, r"inconsistent numbers of samples: \[30, 5\]"),
    "short task": (F, y, {"task": NAMES[:5]}, r"numbers of samples: \[30, 30, 5\]"),
    "task missing": (F, y, {"task": [None] * 30}, "task contains NaN: every row must"),
    "task and outputs": (F, Y, {"task": NAMES}, r"1-d when .* got shape \(30, 3\). Gi"),
    "weights": (F, y, {"sample_weight": -WEIGHT}, "Negative values"),
    "X nan": (with_value(F, np.nan), y, {}, "Input X contains NaN"),
    "X inf": (with_value(F, np.inf), y, {}, "Input X contains infinity"),
    "X text": (FRAME, y, {}, "could not convert string to float"),
    "X one axis": (y, y, {}, "Reshape your data"),
    "X complex": (F * 1j, y, {}, "Complex data not supported"),
    "X empty": (F[:0], y[:0], {}, r"0 sample\(s\)"),
    "X narrow": (
        F[:, :0],
        y,
        {},
        r"0 feature\(s\) \(shape=\(30, 0\)\) while a min",
    ),
}


@pytest.mark.parametrize(
    ("X", "target", "options", "why"), BAD_FIT.values(), ids=BAD_FIT
)
def test_bad_input_is_refused_and_leaves_a_fitted_model_as_it_was(
    X, target, options, why
):
    frame = FRAME[["p", "q"]]
    model = TinyRidge().fit(frame, y, task=NAMES)
    before, predictions = vars(model).copy(), model.predict(frame, task=NAMES)
    with pytest.raises(ValueError, match=why):
        model.fit(X, target, **options)
    assert list(vars(model)) == list(before)
    assert all(vars(model)[name] is before[name] for name in before)
    np.testing.assert_array_equal(model.predict(frame, task=NAMES), predictions)


def test_names_that_scikit_learn_refuses_leave_a_fitted_model_as_it_was():
    model = TinyRidge().fit(F[:, :2], y)
    before = vars(model).copy()
    with pytest.raises(TypeError, match="Feature names are only supported if all"):
        model.fit(pd.DataFrame(F, columns=["a", 1, 2]), y)
    assert vars(model) == before


def test_the_columns_of_X_are_counted_and_named_with_the_task_column():
    model = TinyRidge("school").fit(FRAME, y)
    assert model.n_features_in_ == 4
    assert model.feature_names_in_.tolist() == ["p", "q", "r", "school"]
    model.set_params(task_column=-1).fit(np.column_stack([F[:, 1:], CODES]), y)
    assert model.n_features_in_ == 3
    assert not hasattr(model, "feature_names_in_")


def test_the_tasks_are_declared_in_one_way():
    with pytest.raises(ValueError, match="one way, got both task= and task_column='sc"):
        TinyRidge("school").fit(FRAME, y, task=NAMES)
    with pytest.raises(ValueError, match="Give the labels or a 2-d y"):
        TinyRidge("school").fit(FRAME, Y)


@pytest.mark.parametrize("where", ["X", "y", "task", "sample_weight"])
def test_collections_not_computed_are_refused(where):
    lazy = type("Array", (), {"__module__": "dask.array.core"})()
    given = {"X": F, "y": y, "task": None, "sample_weight": None} | {where: lazy}
    with pytest.raises(
        TypeError, match=rf"{where} must .*core.Array .*{where}.compute"
    ):
        TinyRidge().fit(**given)


@pytest.mark.parametrize("handle_unknown", ["shared", "error"])
@each_column
def test_queries_find_the_codes_of_fit(X, column, handle_unknown):
    model = TinyRidge(column, handle_unknown).fit(X, y)
    features, codes = read_queries(model, X)
    np.testing.assert_array_equal(with_ones(features)[:, :-1], F)
    np.testing.assert_array_equal(codes, CODES)


def test_a_task_not_seen_has_no_code_or_is_refused():
    model = TinyRidge("school").fit(FRAME, y)
    new = FRAME.assign(school=np.where(CODES == 1, "oak", NAMES))
    _, codes = read_queries(model, new)
    np.testing.assert_array_equal(codes, np.where(CODES == 1, -1, CODES))
    shared = with_ones(F) @ model.parts_[-1]
    np.testing.assert_allclose(model.predict(new)[CODES == 1], shared[CODES == 1])
    message = r"not seen in fit: \['oak'\]. This model has 3 tasks: \['ash', .*shared"
    with pytest.raises(ValueError, match=message):
        model.set_params(handle_unknown="error").predict(new)


def test_queries_without_labels_have_no_codes():
    assert read_queries(TinyRidge().fit(F, y), F)[1] is None
    assert read_queries(TinyRidge().fit(F, Y), F)[1] is None
    assert TinyRidge().fit(F, Y).predict(F).shape == (N_ROWS, 3)


def test_labels_of_queries_must_be_of_the_kind_of_fit():
    model = TinyRidge().fit(F, y, task=CODES)
    np.testing.assert_array_equal(read_queries(model, F, CODES * 1.0)[1], CODES)
    with pytest.raises(ValueError, match=r"the model has \[0, 1, 2\], got \['ash'"):
        model.predict(F, task=NAMES)
    with pytest.raises(ValueError, match=r"non-integer float"):
        model.predict(F, task=CODES + 0.5)


def test_a_model_fitted_with_the_keyword_needs_it_to_predict():
    model = TinyRidge().fit(F, y, task=NAMES)
    message = "fitted with task=, .* got None. GridSearchCV, .* set task_column"
    with pytest.raises(ValueError, match=message):
        model.predict(F)
    with pytest.raises(ValueError, match=r"numbers of samples: \[30, 5\]"):
        model.predict(F, task=NAMES[:5])


@pytest.mark.parametrize(
    ("model", "X", "target", "had"),
    [
        (TinyRidge(), F, y, "a 1-d y and no labels"),
        (TinyRidge(), F, Y, "the columns of a 2-d y"),
        (TinyRidge("school"), FRAME, y, "a task column in X"),
    ],
)
def test_a_model_fitted_without_the_keyword_refuses_it(model, X, target, had):
    with pytest.raises(
        ValueError, match=f"only if it was .* had {had}. Leave task= ou"
    ):
        model.fit(X, target).predict(X, task=NAMES)


@pytest.mark.parametrize("container", [np.ndarray.tolist, np.asarray])
def test_an_array_stands_for_the_frame_of_fit(container):
    model = TinyRidge("school").fit(FRAME[["p", "school", "q", "r"]], y)
    nameless = container(FRAME[["p", "school", "q", "r"]].to_numpy())
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        _, codes = read_queries(model, nameless)
    np.testing.assert_array_equal(codes, CODES)


def test_a_refit_on_an_array_does_not_remember_the_names():
    model = TinyRidge("school").fit(FRAME, y)
    with pytest.raises(ValueError, match="X is a ndarray without column names"):
        model.fit(FRAME.to_numpy(), y)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (FRAME.drop(columns="school"), "seen at fit time, yet now missing:\n- school"),
        (FRAME[["q", "p", "r", "school"]], "same order as they were in fit"),
        (FRAME.assign(s=1.0), "unseen at fit time:\n- s"),
    ],
)
def test_other_columns_than_in_fit_are_refused(X, message):
    model = TinyRidge("school").fit(FRAME, y)
    with pytest.raises(ValueError, match=message):
        model.predict(X)


def test_another_width_than_in_fit_is_refused():
    X = np.column_stack([CODES, F])
    model = TinyRidge(task_column=0).fit(X, y)
    with pytest.raises(
        ValueError, match="X has 1 features, but TinyRidge is expecting"
    ):
        model.predict(X[:, :1])
    with pytest.raises(ValueError, match="Reshape your data"):
        model.predict(X[0])


def test_bad_queries_are_refused_in_the_words_of_scikit_learn():
    model = TinyRidge("school").fit(FRAME, y)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        model.predict(FRAME.assign(p=np.nan))
    with pytest.raises(ValueError, match="task contains NaN"):
        model.predict(FRAME.assign(school=None))
    with pytest.raises(TypeError, match=r"X must be held in memory, .*X.collect\(\)"):
        model.predict(pl.from_pandas(FRAME).lazy())


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_permutation_importance_finds_the_task_column(name):
    X, column = COLUMN[name]
    model = TinyRidge(column).fit(X, y)
    found = permutation_importance(model, X, y, n_repeats=3, random_state=0)
    assert found.importances_mean[-1] > 0


def test_a_later_batch_must_look_like_the_first():
    model = TinyRidge("school").fit(FRAME, y)
    before = vars(model).copy()
    rows = read_rows(model, FRAME[:5], y[:5], reset=False)
    assert rows.tasks.tolist() == np.unique(NAMES[:5]).tolist()
    with pytest.raises(ValueError, match="yet now missing:\n- school"):
        read_rows(model, FRAME[["p", "q", "r"]], y, reset=False)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        nameless = read_rows(model, FRAME[:5].to_numpy(), y[:5], reset=False)
    assert nameless.tasks.tolist() == rows.tasks.tolist()
    assert vars(model) == before


def test_a_later_batch_declares_the_tasks_in_the_same_way():
    model = TinyRidge().fit(F, y, task=NAMES)
    message = (
        "got labels as task= in the first batch and the columns of a 2-d y in this"
    )
    with pytest.raises(ValueError, match=message):
        read_rows(model, F, Y, reset=False)
