"""Scores per task are those of scikit-learn on the rows of each task."""

import pickle
import warnings
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from cases import parametrize
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import (
    accuracy_score,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    root_mean_squared_error,
)
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skmtl import metrics
from skmtl.compose import IndependentTasks, TaskAware, make_task_pipeline
from skmtl.datasets import make_related_tasks
from skmtl.metrics import (
    find_task_column,
    make_task_scorer,
    score_predictions,
    task_scores,
)
from skmtl.model_selection import LeaveOneTaskOut, TaskKFold

NAMES = ["mse", "rmse", "mae", "r2", "correlation", "nmse"]
ORACLES = {
    "mse": mean_squared_error,
    "rmse": root_mean_squared_error,
    "mae": mean_absolute_error,
    "r2": r2_score,
}
NAN_METRICS = {
    "mse": metrics.nan_mean_squared_error,
    "rmse": metrics.nan_root_mean_squared_error,
    "mae": metrics.nan_mean_absolute_error,
    "r2": metrics.nan_r2_score,
}
NAN_SCORERS = {
    "mse": metrics.nan_mse_scorer,
    "rmse": metrics.nan_rmse_scorer,
    "mae": metrics.nan_mae_scorer,
    "r2": metrics.nan_r2_scorer,
}
each_metric = pytest.mark.parametrize("metric", sorted(ORACLES))
containers = {
    "pandas": lambda frame: frame,
    "polars": pl.from_pandas,
    "pyarrow": pa.Table.from_pandas,
    "index": lambda frame: frame.set_index("task"),
}
each_container = pytest.mark.parametrize(
    "convert", containers.values(), ids=containers.keys()
)


@pytest.fixture
def rows():
    """Targets, predictions, codes and weights of five tasks, mixed."""
    rng = np.random.default_rng(0)
    codes = rng.permutation(np.repeat(np.arange(5), [2, 5, 9, 30, 14]))
    y = rng.normal(size=60) + codes
    z = y + rng.normal(size=60)
    return y, z, codes, rng.integers(1, 4, size=60)


@pytest.fixture
def frame():
    names = ["east", "north", "south", "west"]
    return make_related_tasks(
        4, [12, 17, 9, 15], 3, task_names=names, as_frame=True, random_state=0
    )


@pytest.fixture
def outputs():
    """Features, targets of three outputs with missing values, and without."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    complete = X @ rng.normal(size=(2, 3)) + 0.2 * rng.normal(size=(40, 3))
    holes = np.where(rng.random(complete.shape) < 0.3, np.nan, complete)
    return X, holes, complete


def hot_ridge():
    """A baseline with task indicators and without a task_column."""
    encode = make_column_transformer(
        (OneHotEncoder(), ["task"]), remainder="passthrough"
    )
    return make_pipeline(encode, Ridge())


class FixedPredictions(BaseEstimator):
    """A model that accepts rows in one order only."""

    def __init__(self, values):
        self.values = values

    def predict(self, X):
        return self.values


@each_metric
@pytest.mark.parametrize("weighs", [False, True])
def test_scores_of_a_task_are_those_of_scikit_learn_on_its_rows(metric, weighs, rows):
    y, z, codes, v = rows
    weight = v if weighs else np.ones(60)
    scores = score_predictions(y, z, codes, np.arange(5), v if weighs else None)
    naive = [
        ORACLES[metric](y[codes == t], z[codes == t], sample_weight=weight[codes == t])
        for t in range(5)
    ]
    np.testing.assert_allclose(scores.columns[metric], naive, rtol=1e-12)
    assert scores.macro[metric] == pytest.approx(np.mean(naive), rel=1e-12)
    totals = np.bincount(codes, weight)
    assert scores.weighted[metric] == pytest.approx(np.average(naive, weights=totals))
    pooled = ORACLES[metric](y, z, sample_weight=weight)
    assert scores.pooled[metric] == pytest.approx(pooled, rel=1e-12)


def test_correlation_is_pearsons_and_nmse_is_one_minus_r2(rows):
    y, z, codes, _ = rows
    scores = score_predictions(y, z, codes, np.arange(5))
    naive = [np.corrcoef(y[codes == t], z[codes == t])[0, 1] for t in range(5)]
    np.testing.assert_allclose(scores.columns["correlation"], naive, rtol=1e-12)
    variance = [np.var(y[codes == t]) for t in range(5)]
    nmse = scores.columns["mse"] / variance
    np.testing.assert_allclose(scores.columns["nmse"], nmse, rtol=1e-12)
    np.testing.assert_allclose(scores.columns["r2"], 1 - nmse, rtol=1e-9)


def test_integer_weights_are_repetitions(rows):
    y, z, codes, v = rows
    weighted = score_predictions(y, z, codes, np.arange(5), v)
    repeated = score_predictions(
        *(np.repeat(a, v) for a in (y, z, codes)), np.arange(5)
    )
    for part in ("macro", "weighted", "worst"):
        assert getattr(weighted, part) == pytest.approx(getattr(repeated, part))
    np.testing.assert_array_equal(weighted.columns["n"], np.bincount(codes))
    np.testing.assert_array_equal(weighted.weights, repeated.columns["n"])


def test_rows_without_weight_or_task_are_left_out(rows):
    y, z, codes, v = rows
    kept = (codes != 3) & (np.arange(60) % 3 > 0)
    marked = np.where(codes == 3, -1, codes)
    scores = score_predictions(y, z, marked, np.arange(5), v * (np.arange(60) % 3 > 0))
    alone = score_predictions(y[kept], z[kept], codes[kept], np.arange(5), v[kept])
    for name in ("n", *NAMES):
        np.testing.assert_array_equal(scores.columns[name], alone.columns[name])
    assert scores.columns["n"][3] == 0
    assert np.isnan(scores.columns["mse"][3])
    assert scores.covered["mse"] == 4


def test_the_worst_of_an_error_is_the_largest_and_of_a_score_the_smallest(rows):
    y, z, codes, _ = rows
    scores = score_predictions(y, z, codes, np.arange(5))
    for name in ("mse", "rmse", "mae", "nmse"):
        assert scores.worst[name] == scores.columns[name].max()
    for name in ("r2", "correlation"):
        assert scores.worst[name] == scores.columns[name].min()


@pytest.mark.parametrize("value", [0.1, 1e-300, 1e100, -7.3])
def test_tasks_without_variance_have_no_r2_and_averages_skip_them(value):
    y = [value] * 7 + [5.0] + [1.0, 2.0, 4.0]
    z = [value] * 7 + [4.0] + [1.0, 2.0, 3.0]
    scores = score_predictions(y, z, [0] * 7 + [1] + [2] * 3, ["constant", "one", "ok"])
    for name in ("r2", "nmse", "correlation"):
        assert np.isnan(scores.columns[name][:2]).all()
        assert scores.macro[name] == scores.columns[name][2]
        assert scores.covered[name] == 1
    np.testing.assert_allclose(scores.columns["mse"], [0, 1, 1 / 3])
    assert scores.covered["mse"] == 3


def test_equal_predictions_have_no_correlation():
    scores = score_predictions([1.0, 2.0, 3.0], [0.1] * 3, [0] * 3, ["a"])
    assert np.isnan(scores.columns["correlation"][0])
    assert np.isnan(scores.macro["correlation"])


@given(arrays(float, (12, 2), elements=st.floats(-1e3, 1e3, width=32)))
def test_a_large_offset_changes_no_score(values):
    y, z = np.round(values.T)
    codes = np.arange(12) % 3
    near = score_predictions(y, z, codes, np.arange(3))
    far = score_predictions(y + 1e9, z + 1e9, codes, np.arange(3))
    for name in NAMES:
        np.testing.assert_allclose(far.columns[name], near.columns[name], rtol=1e-9)


def test_pooled_explained_variance_counts_the_differences_between_tasks():
    y, z = np.array([0.0, 1.0, 10.0, 11.0]), np.array([0.5, 0.5, 10.5, 10.5])
    scores = score_predictions(y, z, [0, 0, 1, 1], [0, 1])
    assert scores.macro["r2"] == 0
    expected = 1 - np.sum((y - z) ** 2) / np.sum((y - y.mean()) ** 2)
    assert scores.explained_variance == pytest.approx(expected)
    assert scores.explained_variance == scores.pooled["r2"]


def test_the_table_becomes_a_frame(rows):
    y, z, codes, _ = rows
    scores = score_predictions(y, z, codes, list("abcde"))
    frame = scores.to_frame()
    assert frame.index.tolist() == list("abcde")
    assert frame.index.name == "task"
    assert frame.columns.tolist() == ["n", *NAMES]
    np.testing.assert_array_equal(frame["mae"], scores.columns["mae"])


def test_a_long_table_prints_its_ends_and_the_averages():
    y = np.arange(300.0)
    scores = score_predictions(y, y + 1, np.arange(300) // 2, np.arange(150))
    lines = repr(scores).splitlines()
    assert lines[0] == "TaskScores: 150 tasks, 300 rows"
    starts = ["n", "0", "1", "2", "3", "...", "146", "147", "148", "149"]
    ends = ["macro", "weighted", "worst", "pooled", "covered"]
    assert [line.split()[0] for line in lines[1:]] == starts + ends
    assert max(map(len, lines)) < 80


def test_the_html_table_is_well_formed_and_escapes_labels():
    scores = score_predictions([1.0, 2.0], [1.0, 2.0], [0, 0], ["<b>&"])
    opened = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            opened.append(tag)

        def handle_endtag(self, tag):
            assert opened.pop() == tag

    Reader().feed(scores._repr_html_())
    assert opened == []
    assert "<th>&lt;b&gt;&amp;</th>" in scores._repr_html_()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_true": [1.0, np.nan]}, "y_true contains NaN"),
        ({"y_pred": [1.0, np.inf]}, "y_pred contains infinity"),
        ({"y_pred": [1.0]}, "inconsistent numbers of samples"),
        ({"codes": [0]}, "inconsistent numbers of samples"),
        ({"sample_weight": [1.0, -1.0]}, "sample_weight must not be negative"),
        ({"sample_weight": [0.0, 0.0]}, "At least one row must belong to a task"),
        ({"codes": [-1, -1]}, "At least one row must belong to a task"),
        ({"codes": [0, 1]}, "codes must be positions in tasks"),
    ],
)
def test_rows_that_cannot_be_scored_are_refused(changes, message):
    arguments = {"y_true": [1.0, 2.0], "y_pred": [1.0, 2.0], "codes": [0, 0]} | changes
    with pytest.raises(ValueError, match=message):
        score_predictions(**arguments, tasks=["a"])


@each_container
def test_a_baseline_that_encodes_the_task_is_scored_by_task_column(convert, frame):
    X, y = frame
    model = hot_ridge().fit(X, y)
    expected = score_predictions(
        y, model.predict(X), np.unique(X["task"], return_inverse=True)[1], range(4)
    )
    scores = task_scores(
        FixedPredictions(model.predict(X)), convert(X), y, task_column="task"
    )
    assert scores.tasks.tolist() == ["east", "north", "south", "west"]
    assert scores.macro == expected.macro


@pytest.mark.full
def test_the_task_column_is_found_through_all_wrappers(frame):
    X, y = frame
    model = IndependentTasks(Ridge(), task_column="task")
    pipeline = make_task_pipeline(
        StandardScaler(), IndependentTasks(Ridge()), task_column="task"
    )
    search = GridSearchCV(pipeline, {"independenttasks__estimator__alpha": [1.0]})
    expected = task_scores(model.fit(X, y), X, y, task=X["task"]).macro
    assert task_scores(model, X, y).macro == expected
    expected = task_scores(pipeline.fit(X, y), X, y, task=X["task"]).macro
    assert task_scores(pipeline, X, y).macro == expected
    search.fit(X, y)
    assert task_scores(search, X, y).macro == pytest.approx(expected)
    assert find_task_column(search) == "task"


def test_a_search_stands_for_what_it_has_chosen(frame):
    X, y = frame
    search = GridSearchCV(
        IndependentTasks(Ridge()), {"task_column": ["task"]}, scoring=make_task_scorer()
    )
    assert find_task_column(search) is None
    assert find_task_column(search.fit(X, y)) == "task"


def test_a_name_is_preferred_to_a_position_deeper_inside():
    model = make_pipeline(
        TaskAware(StandardScaler(), task_column="task"),
        IndependentTasks(task_column=-1),
    )
    assert find_task_column(model) == "task"


def test_a_position_behind_steps_that_know_it_is_trusted():
    model = make_task_pipeline(StandardScaler(), IndependentTasks(), task_column=-1)
    assert find_task_column(model) == -1


def test_a_position_behind_a_step_that_may_move_columns_is_refused():
    model = make_pipeline(StandardScaler(), IndependentTasks(task_column=-1))
    with pytest.raises(ValueError, match="position -1 in a Pipeline whose first step"):
        find_task_column(model)


def test_two_task_columns_are_refused():
    model = make_pipeline(
        TaskAware(StandardScaler(), task_column="town"),
        IndependentTasks(task_column="task"),
    )
    with pytest.raises(ValueError, match=r"one task column.*'task', 'town'.*name one"):
        find_task_column(model)


def test_a_frame_that_has_lost_its_names_is_read_by_position():
    X, y = make_related_tasks(3, 12, 2, as_frame=True, random_state=0)
    X = X[["task", "x0", "x1"]]
    model = IndependentTasks(Ridge(), task_column="task").fit(X, y)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        scores = task_scores(model, X.to_numpy(), y)
    assert scores.macro == pytest.approx(task_scores(model, X, y).macro)


def test_a_model_fitted_with_the_keyword_is_given_the_labels_again(frame):
    X, y = frame
    features, task = X.drop(columns="task"), X["task"]
    by_keyword = IndependentTasks(Ridge()).fit(features, y, task=task)
    by_column = IndependentTasks(Ridge(), task_column="task").fit(X, y)
    scores = task_scores(by_keyword, features, y, task=task)
    assert scores.macro == task_scores(by_column, X, y).macro
    piped = make_pipeline(StandardScaler(), by_keyword)
    piped.fit(features, y, independenttasks__task=task)
    assert task_scores(piped, features, y, task=task).covered["r2"] == 4


def test_any_groups_of_rows_can_be_scored(frame):
    X, y = frame
    model = IndependentTasks(Ridge(), task_column="task").fit(X, y)
    sign = np.where(X["x0"] > 0, "above", "below")
    scores = task_scores(model, X, y, task=sign)
    assert scores.tasks.tolist() == ["above", "below"]
    plain = task_scores(LinearRegression().fit(X[["x0"]], y), X[["x0"]], y, task=sign)
    assert plain.tasks.tolist() == ["above", "below"]


@pytest.mark.parametrize("convert", [np.asarray, pd.DataFrame, pl.DataFrame])
def test_columns_of_the_target_are_tasks_on_their_observed_rows(convert, outputs):
    X, holes, complete = outputs
    model = LinearRegression().fit(X, complete)
    scores = task_scores(model, X, convert(holes))
    t, i = np.nonzero(~np.isnan(holes.T))
    expected = score_predictions(holes[i, t], model.predict(X)[i, t], t, range(3))
    for name in ("n", *NAMES):
        np.testing.assert_array_equal(scores.columns[name], expected.columns[name])


def test_columns_are_named_in_their_order_and_weights_are_per_row(outputs):
    X, holes, complete = outputs
    Y = pd.DataFrame(holes, columns=["c", "a", "b"])
    weight = np.arange(40) % 3
    scores = task_scores(
        LinearRegression().fit(X, complete), X, Y, sample_weight=weight
    )
    assert scores.tasks.tolist() == ["c", "a", "b"]
    totals = weight @ ~np.isnan(holes)
    np.testing.assert_array_equal(scores.weights, totals)


def test_hidden_values_of_a_masked_target_are_not_used(outputs):
    X, holes, complete = outputs
    model = LinearRegression().fit(X, complete)
    masked = np.ma.array(complete, mask=np.isnan(holes))
    assert task_scores(model, X, masked).macro == task_scores(model, X, holes).macro


def test_task_scores_needs_to_know_the_tasks(frame, outputs):
    X, y = frame
    model = Ridge().fit(X[["x0"]], y)
    with pytest.raises(ValueError, match=r"got a 1-d y and no labels. Declare tasks"):
        task_scores(model, X[["x0"]], y)
    with pytest.raises(ValueError, match=r"both task= and task_column='task'. Drop"):
        task_scores(model, X, y, task_column="task", task=X["task"])
    with pytest.raises(ValueError, match=r"same shape. Got \(40, 3\) and \(40, 1\)"):
        task_scores(Ridge().fit(outputs[0], outputs[0][:, 0]), outputs[0], outputs[1])
    with pytest.raises(ValueError, match="must have an observed value"):
        task_scores(model, X[["x0"]], np.full((len(y), 1), np.nan))


@each_metric
@pytest.mark.parametrize("weighs", [False, True])
def test_nan_metrics_are_scikit_learns_on_complete_targets(metric, weighs, outputs):
    X, _, complete = outputs
    weight = X[:, 0] ** 2 if weighs else None
    predicted = np.roll(complete, 1, axis=0)
    for y, z in [(complete, predicted), (complete[:, 0], predicted[:, 0])]:
        expected = ORACLES[metric](y, z, sample_weight=weight)
        found = NAN_METRICS[metric](y, z, sample_weight=weight)
        assert found == pytest.approx(expected, rel=1e-12)


@each_metric
def test_nan_metrics_score_each_output_on_its_observed_rows(metric, outputs):
    _, holes, complete = outputs
    predicted = np.roll(complete, 1, axis=0)
    seen = ~np.isnan(holes)
    expected = [
        ORACLES[metric](holes[seen[:, t], t], predicted[seen[:, t], t])
        for t in range(3)
    ]
    raw = NAN_METRICS[metric](holes, predicted, multioutput="raw_values")
    np.testing.assert_allclose(raw, expected, rtol=1e-12)
    mean = NAN_METRICS[metric](holes, predicted)
    assert mean == pytest.approx(np.mean(expected), rel=1e-12)


@each_metric
def test_nan_metrics_weigh_each_cell(metric, outputs):
    _, holes, complete = outputs
    weight = np.where(np.isnan(holes), 0.0, np.abs(complete) + 0.1)
    predicted = np.roll(complete, 1, axis=0)
    columns = zip(complete.T, predicted.T, weight.T, strict=True)
    expected = [ORACLES[metric](y, z, sample_weight=w) for y, z, w in columns]
    given = {"sample_weight": weight, "multioutput": "raw_values"}
    for y in (complete, holes):
        found = NAN_METRICS[metric](y, predicted, **given)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_average_accuracy_weighs_each_cell():
    y, z = np.array([[0, 1], [1, 0]]), np.array([[0, 0], [0, 0]])
    found = metrics.average_accuracy(y, z, [[3.0, 1.0], [1.0, 0.0]])
    assert found == pytest.approx((3 / 4 + 0) / 2)


def test_nan_averages_skip_outputs_that_have_no_score():
    y = np.array([[1.0, 5.0, np.nan], [2.0, np.nan, np.nan]])
    z = np.array([[1.0, 6.0, 0.0], [2.0, 6.0, 0.0]])
    assert metrics.nan_r2_score(y, z) == 1
    assert metrics.nan_mean_squared_error(y, z) == 0.5
    with pytest.raises(
        ValueError, match=r"two distinct observed values. Got 3 outputs"
    ):
        metrics.nan_r2_score(y[:1], z[:1])
    with pytest.raises(ValueError, match="Got 'variance_weighted'"):
        metrics.nan_r2_score(y, z, multioutput="variance_weighted")


@each_metric
def test_nan_scorers_work_with_incomplete_targets(metric, outputs):
    X, holes, _ = outputs
    search = GridSearchCV(
        IndependentTasks(Ridge()),
        {"estimator__alpha": [1e6, 0.1]},
        scoring=NAN_SCORERS[metric],
    ).fit(X, holes)
    assert search.best_params_ == {"estimator__alpha": 0.1}
    assert np.isfinite(search.best_score_)


@pytest.mark.full
@parametrize("convert", {"pandas": pd.DataFrame, "polars": pl.from_pandas}, ["pandas"])
@each_metric
def test_pickled_scorers_work_in_dicts_and_searches(metric, convert, frame):
    X, y = frame
    model = IndependentTasks(Ridge(), task_column="task")
    scoring = {
        average: make_task_scorer(metric, average=average)
        for average in ("macro", "weighted", "worst")
    }
    cv = TaskKFold(3, task_column="task")
    options = {"cv": cv, "scoring": scoring, "return_indices": True}
    options |= {"return_estimator": True}
    found = cross_validate(model, convert(X), y, **options)
    test = found["indices"]["test"][0]
    scores = task_scores(found["estimator"][0], X.iloc[test], y.iloc[test])
    sign = 1 if metric == "r2" else -1
    for average in scoring:
        expected = sign * getattr(scores, average)[metric]
        assert found[f"test_{average}"][0] == pytest.approx(expected)
    search = GridSearchCV(
        model,
        {"estimator__alpha": [1.0, 1e5]},
        cv=cv,
        scoring=pickle.loads(pickle.dumps(scoring)),
        refit="macro",
    ).fit(convert(X), y)
    assert search.best_params_ == {"estimator__alpha": 1.0}
    assert search.best_score_ == pytest.approx(found["test_macro"].mean())


def test_a_callable_is_called_on_the_rows_of_each_task(frame):
    X, y = frame
    model = IndependentTasks(Ridge(), task_column="task").fit(X, y)
    for average in ("macro", "weighted", "worst"):
        by_name = make_task_scorer("r2", average=average)
        by_call = make_task_scorer(r2_score, average=average)
        weight = np.arange(len(y)) % 4
        assert by_call(model, X, y) == pytest.approx(by_name(model, X, y))
        weighted = by_name(model, X, y, sample_weight=weight)
        assert by_call(model, X, y, sample_weight=weight) == pytest.approx(weighted)


def test_a_task_without_weight_is_not_scored_in_either_way(frame):
    X, y = frame
    model = IndependentTasks(Ridge(), task_column="task").fit(X, y)
    weight = np.where(X["task"] == "east", 0.0, np.arange(len(y)) % 2)
    by_name, by_call = make_task_scorer("r2"), make_task_scorer(r2_score)
    expected = by_name(model, X, y, sample_weight=weight)
    assert by_call(model, X, y, sample_weight=weight) == pytest.approx(expected)
    kept = X["task"] != "east"
    alone = by_name(model, X[kept], y[kept], sample_weight=weight[kept])
    assert alone == pytest.approx(expected)


def test_sparse_rows_are_scored_by_position():
    X, y = make_related_tasks(3, 12, 2, random_state=0)
    model = Ridge().fit(X, y)
    scores = task_scores(model, csr_array(X), y, task_column=-1)
    assert scores.macro == pytest.approx(task_scores(model, X, y, task_column=2).macro)


def test_a_callable_may_score_classes():
    X = np.array([[0, 0.0], [0, 0.0], [0, 0.0], [7, 0.0], [7, 0.0]])
    y = np.array(["cat", "cat", "dog", "dog", "cat"])
    model = DummyClassifier(strategy="constant", constant="cat").fit(X, y)
    scorer = make_task_scorer(accuracy_score, task_column=0)
    assert scorer(model, X, y) == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_a_scorer_averages_over_columns_of_the_target(outputs):
    X, holes, complete = outputs
    model = LinearRegression().fit(X, complete)
    score = make_task_scorer("r2")(model, X, holes)
    assert score == pytest.approx(metrics.nan_r2_score(holes, model.predict(X)))


def test_small_tasks_are_left_out_of_the_average():
    X = np.array([[0, 0.0]] * 3 + [[1, 0.0]] * 2 + [[2, 0.0]])
    y = np.array([1.0, 2.0, 3.0, 5.0, 5.0, 9.0])
    model = DummyRegressor(strategy="constant", constant=2.0).fit(X, y)
    for metric in ("mae", lambda y, z: -np.abs(y - z).mean()):
        score = [
            make_task_scorer(metric, task_column=0, min_samples=n)(model, X, y)
            for n in (1, 2, 3)
        ]
        np.testing.assert_allclose(score, [-(2 / 3 + 3 + 7) / 3, -11 / 6, -2 / 3])
    with pytest.raises(ValueError, match=r"min_samples=4.*3 tasks of at most 3 rows"):
        make_task_scorer("mae", task_column=0, min_samples=4)(model, X, y)


def test_a_fold_of_one_row_has_no_r2_and_says_so():
    X, y = make_related_tasks(3, [5, 5, 1], random_state=0)
    scoring = make_task_scorer("r2", task_column=-1)
    cv = LeaveOneTaskOut(task_column=-1)
    with pytest.raises(ValueError, match="r2 needs different values"):
        cross_validate(Ridge(), X, y, cv=cv, scoring=scoring, error_score="raise")


def test_permutation_importance_of_a_polars_frame_uses_the_scorer():
    X, y = make_related_tasks(3, 20, 2, as_frame=True, random_state=0)
    X = pl.from_pandas(X)
    model = IndependentTasks(Ridge(), task_column="task").fit(X, y)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        found = permutation_importance(model, X, y, scoring=make_task_scorer("mse"))
    assert (found.importances_mean[:2] > 0).all()


def test_a_scorer_prints_and_pickles():
    scorer = make_task_scorer(r2_score, task_column="task")
    assert pickle.loads(pickle.dumps(scorer)) == scorer
    assert "average='macro', min_samples=2" in repr(scorer)


def test_unknown_names_are_refused_when_the_scorer_is_made():
    with pytest.raises(ValueError, match=r"metric must be one of \['mse'.*Got 'R2'"):
        make_task_scorer("R2")
    with pytest.raises(ValueError, match=r"average must be one of.*Got 'best'"):
        make_task_scorer(average="best")


def test_cross_validation_over_rows_of_two_models_ranks_them_alike():
    X, y = make_related_tasks(5, 20, 3, spread=3.0, random_state=0)
    cv = KFold(4, shuffle=True, random_state=0)
    scoring = make_task_scorer("rmse", task_column=-1)
    apart = cross_validate(
        IndependentTasks(Ridge(), task_column=-1), X, y, cv=cv, scoring=scoring
    )
    together = cross_validate(Ridge(), X, y, cv=cv, scoring=scoring)
    assert (apart["test_score"] > together["test_score"]).all()
