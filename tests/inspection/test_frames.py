"""Tables of coefficients, tasks, explanations and importances."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler

from skmtl.compose import IndependentTasks, make_task_pipeline
from skmtl.datasets import make_related_tasks
from skmtl.inspection import (
    coef_frame,
    compare_tasks,
    explain,
    task_feature_importance,
    task_frame,
)
from skmtl.linear_model import (
    GraphRegularizedRegressor,
    MeanRegularizedClassifier,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskRidge,
)

pytest.importorskip("pandas")


@pytest.fixture(scope="module")
def data():
    return make_related_tasks(
        4, [5, 9, 14, 30], n_features=3, as_frame=True, random_state=0
    )


def test_the_frame_has_the_shared_part_then_the_tasks(data):
    model = MeanRegularizedRegressor(task_column="task").fit(*data)
    frame = coef_frame(model)
    assert frame.index.tolist() == ["(shared)", 0, 1, 2, 3]
    np.testing.assert_array_equal(frame[["x0", "x1", "x2"]].iloc[1:], model.coef_)
    np.testing.assert_array_equal(frame.loc["(shared)", "x1"], model.coef_shared_[1])
    np.testing.assert_array_equal(frame["(intercept)"].iloc[1:], model.intercept_)


def test_classes_are_a_level_of_the_index(data):
    X, y = data
    classes = np.digitize(y, [-1, 1])
    model = MeanRegularizedClassifier(task_column="task").fit(X, classes)
    frame = coef_frame(model)
    assert frame.index.names == ["task", "class"]
    np.testing.assert_array_equal(frame.loc[(2, 1)].iloc[1:], model.coef_[2, 1])


def test_a_pipeline_in_a_search_has_the_names_of_its_output(data):
    X, y = data
    pipeline = make_task_pipeline(
        StandardScaler(), MeanRegularizedRegressor(), task_column="task"
    )
    search = GridSearchCV(pipeline, {"meanregularizedregressor__alpha": [1.0]}, cv=2)
    frame = coef_frame(search.fit(X, y))
    assert frame.columns.tolist() == ["(intercept)", "x0", "x1", "x2"]


def test_arrays_have_numbered_features(data):
    X, y = data
    model = MeanRegularizedRegressor(task_column=-1).fit(X.to_numpy(), y)
    assert coef_frame(model).columns.tolist() == ["(intercept)", "x0", "x1", "x2"]


@pytest.mark.parametrize("model", [LinearRegression(), IndependentTasks()])
def test_models_without_coefficients_of_tasks_are_refused(data, model):
    X, y = data
    with pytest.raises(TypeError, match="must have coefficients of tasks"):
        coef_frame(model.fit(X[["x0"]], y))


@pytest.mark.parametrize("alpha", [0.0, 3.0, np.inf, [0.0, np.inf, 2.0]])
def test_the_own_share_is_the_effective_degrees_of_freedom(data, alpha):
    """Trace of the hat matrix of each task's ridge around a known centre."""
    X, y = data
    model = MeanRegularizedRegressor(alpha, alpha_intercept=2.0, task_column="task")
    found = task_frame(model.fit(X, y), X)["own_share"]
    strengths = np.minimum([*np.broadcast_to(alpha, 3), 2.0], 1e12)
    for t, rows in X.groupby("task"):
        Z = np.column_stack([rows[["x0", "x1", "x2"]], np.ones(len(rows))])
        hat = Z @ np.linalg.solve(Z.T @ Z + np.diag(strengths), Z.T)
        np.testing.assert_allclose(found[t], np.trace(hat) / 4, atol=1e-8)


def test_the_own_share_of_a_search_uses_its_precision(data):
    X, y = data
    model = MeanRegularizedRegressorCV(
        task_column="task", alpha_structure="covariance", noise="common"
    ).fit(X, y)
    found = task_frame(model)["own_share"]
    for t, rows in X.groupby("task"):
        Z = np.column_stack([rows[["x0", "x1", "x2"]], np.ones(len(rows))])
        hat = Z @ np.linalg.solve(Z.T @ Z + model.alpha_, Z.T)
        np.testing.assert_allclose(found[t], np.trace(hat) / 4, rtol=1e-6)


def test_weights_of_tasks_and_few_rows_count_in_the_own_share():
    X, y = make_related_tasks(3, 4, n_features=9, as_frame=True, random_state=0)
    weight = {0: 1.0, 1: 5.0, 2: 1.0}
    model = MeanRegularizedRegressor(2.0, task_column="task", task_weight=weight)
    share = task_frame(model.fit(X, y))["own_share"]
    assert share[1] > max(share[0], share[2])
    assert (share < 4.01 / 10).all()  # no more than its rows determine


def test_tasks_that_share_nothing_are_their_own(data):
    model = MultiTaskRidge(task_column="task").fit(*data)
    assert task_frame(model)["own_share"].tolist() == [1.0] * 4


def test_the_level_is_the_prediction_of_the_average_row(data):
    X, y = data
    model = MeanRegularizedRegressor(task_column="task").fit(X, y)
    frame = task_frame(model, X, y)
    row = X.assign(**X[["x0", "x1", "x2"]].mean()).drop_duplicates("task")
    np.testing.assert_allclose(frame["level"][row["task"]], model.predict(row))
    assert frame["n_rows"].tolist() == [5, 9, 14, 30]
    np.testing.assert_allclose(frame["mean_target"], y.groupby(X["task"]).mean())


def test_classes_have_a_level_each(data):
    X, y = data
    model = MeanRegularizedClassifier(task_column="task")
    frame = task_frame(model.fit(X, np.digitize(y, [-1, 1])), X)
    assert frame.columns[:3].tolist() == [f"level of {k}" for k in range(3)]
    np.testing.assert_allclose(frame.iloc[:, :3].sum(axis=1), 0, atol=1e-8)


def test_columns_of_y_are_rows_of_the_frame():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(8, 2)), rng.normal(size=(8, 3))
    y[:2, 1] = np.nan
    frame = task_frame(MeanRegularizedRegressor().fit(X, y), X, y)
    assert frame["n_rows"].tolist() == [8, 6, 8]
    np.testing.assert_allclose(frame["mean_target"], np.nanmean(y, axis=0))


def test_labels_outside_of_x_are_counted(data):
    X, y = data
    rows, task = X[["x0", "x1", "x2"]], X["task"]
    model = MeanRegularizedRegressor().fit(rows, y, task=task)
    assert task_frame(model, rows, task=task)["n_rows"].tolist() == [5, 9, 14, 30]


def test_the_search_of_a_pipeline_has_the_frame_of_its_tasks(data):
    X, y = data
    model = make_task_pipeline(
        StandardScaler(), MeanRegularizedRegressorCV(), task_column="task"
    ).fit(X, y)
    frame = task_frame(model, X, y)
    np.testing.assert_allclose(frame["level"], model[-1].intercept_, atol=1e-12)


def test_positions_of_a_pipeline_are_those_in_its_rows(data):
    X, y = data
    rows = X[["task", "x0", "x1", "x2"]].to_numpy()
    model = make_task_pipeline(
        StandardScaler(), MeanRegularizedRegressor(), task_column=0
    ).fit(rows, y)
    assert task_frame(model, rows, y)["n_rows"].tolist() == [5, 9, 14, 30]
    assert task_feature_importance(model, rows, y).features == ("x0", "x1", "x2")


def test_a_comparison_adds_the_gains(data):
    X, y = data
    models = {"near": MeanRegularizedRegressor(), "independent": MultiTaskRidge()}
    comparison = compare_tasks(models, X, y, task_column="task", cv=2, random_state=0)
    model = MeanRegularizedRegressor(task_column="task").fit(X, y)
    gain = task_frame(model, comparison=comparison)["gain"]
    np.testing.assert_array_equal(gain, comparison.task_relative_gains[0])


def test_parts_add_up_to_the_prediction_also_of_unseen_tasks(data):
    X, y = data
    model = MeanRegularizedRegressor(task_column="task").fit(X, y)
    X = X.assign(task=X["task"] + 2)
    frame = explain(model, X)
    np.testing.assert_allclose(frame.sum(axis=1), model.predict(X))
    unseen = X["task"] > 3
    assert (frame.loc[unseen.to_numpy(), "own"] == 0).all(axis=None)


def test_parts_of_a_pipeline_add_up(data):
    X, y = data
    model = make_task_pipeline(
        StandardScaler(), MeanRegularizedRegressorCV(), task_column="task"
    ).fit(X, y)
    np.testing.assert_allclose(explain(model, X).sum(axis=1), model.predict(X))


def test_parts_of_classes_add_up_to_the_scores(data):
    X, y = data
    for classes in (y > 0, np.digitize(y, [-1, 1])):
        model = MeanRegularizedClassifier(task_column="task").fit(X, classes)
        total = explain(model, X).sum(axis=1).to_numpy()
        np.testing.assert_allclose(total, model.decision_function(X).ravel())


def test_parts_of_counts_add_up_to_the_logarithm_of_the_mean(data):
    X, y = data
    counts = np.round(np.exp(np.clip(y / 2, -3, 3)))
    model = MeanRegularizedPoissonRegressor(task_column="task").fit(X, counts)
    total = explain(model, X).sum(axis=1)
    np.testing.assert_allclose(total, np.log(model.predict(X)))


def test_parts_of_nodes_of_a_graph_add_up(data):
    X, y = data
    model = GraphRegularizedRegressor(
        graph=[(0, 1), (1, 2), (2, 3), (3, 4)], task_column="task"
    ).fit(X, y)
    rows = X.assign(task=X["task"] + 1)  # the node 4 has no rows in the fit
    np.testing.assert_allclose(explain(model, rows).sum(axis=1), model.predict(rows))


def test_columns_of_y_are_a_level_of_the_parts():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(8, 2)), rng.normal(size=(8, 3))
    model = MeanRegularizedRegressor().fit(X, y)
    frame = explain(model, X)
    assert frame.index.names == [None, "task"]
    np.testing.assert_allclose(frame.sum(axis=1), model.predict(X).ravel())


def test_several_groupings_are_refused(data):
    X, y = data
    X = X.assign(year=np.arange(len(X)) % 3)
    model = MeanRegularizedRegressor(task_column=["task", ("task", "year")]).fit(X, y)
    with pytest.raises(ValueError, match="explain needs a model of one task column"):
        explain(model, X)


def test_importance_is_the_covariance_with_permuted_rows(data):
    """For the squared loss of an exact fit, 2 w^2 var(x) in expectation."""
    X, _ = data
    y = 3 * X["x0"] + X["task"]
    model = MultiTaskRidge(1e-9, task_column="task").fit(X, y)
    found = task_feature_importance(model, X, y, n_repeats=150, random_state=0)
    variances = X.groupby("task")["x0"].var(ddof=0)
    expected = 18 * variances
    np.testing.assert_allclose(found.task_importances[:, 0], expected, rtol=0.15)
    np.testing.assert_allclose(found.task_importances[:, 1:], 0, atol=1e-6)
    np.testing.assert_allclose(
        found.importances[0], found.task_importances[:, 0].mean()
    )
    assert found.to_frame().index[0] == "x0"


def test_levels_of_tasks_are_not_importance(data):
    X, y = data
    X = X.assign(x0=X["task"].astype(float))  # constant in each task
    model = MeanRegularizedRegressor(task_column="task").fit(X, y)
    found = task_feature_importance(model, X, y, random_state=0)
    assert found.importances[0] == 0


def test_importance_of_classes_and_of_labels_outside_of_x(data):
    X, y = data
    rows, task = X[["x0", "x1", "x2"]].to_numpy(), X["task"].to_numpy()
    model = MeanRegularizedClassifier().fit(rows, y > 0, task=task)
    found = task_feature_importance(model, rows, y > 0, task=task, random_state=0)
    assert found.metric == "log_loss"
    assert found.features == ("x0", "x1", "x2")
