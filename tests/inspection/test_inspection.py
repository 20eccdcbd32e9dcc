"""Does sharing help, and which tasks does it hurt?"""

import json
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from cases import parametrize
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse, stats
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    ShuffleSplit,
    cross_val_predict,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl.compose import PooledTasks, make_table_encoder, make_task_pipeline
from skmtl.datasets import make_related_tasks
from skmtl.inspection import TaskComparisonDisplay, compare_tasks, default_models
from skmtl.inspection._paired_tests import adjust_holm, average_by_task, find_p_values
from skmtl.linear_model import (
    MeanRegularizedRegressor,
    MultiTaskRidge,
    MultiTaskRidgeCV,
)
from skmtl.metrics import score_predictions
from skmtl.model_selection import (
    LeaveOneTaskOut,
    TaskKFold,
    TaskModelSearch,
    TaskShuffleSplit,
)

pytestmark = pytest.mark.filterwarnings("error")


def _make(n_tasks=6, n_samples=20, **options):
    options = {"n_features": 4, "as_frame": True, "random_state": 0} | options
    return make_related_tasks(n_tasks, n_samples, **options)


def _models(task_column=None):
    return {
        "apart": MultiTaskRidge(task_column=task_column),
        "shared": MeanRegularizedRegressor(alpha=20.0, task_column=task_column),
        "pooled": PooledTasks(task_column=task_column),
    }


@pytest.fixture(scope="module")
def comparison():
    X, y = _make(n_samples=[8, 12, 16, 20, 30, 40])
    return compare_tasks(_models(), X, y, task_column="task", random_state=0)


class _Failing(RegressorMixin, BaseEstimator):
    """Fail in fit, or predict what it was told."""

    def __init__(self, answer=None):
        self.answer = answer

    def fit(self, X, y):
        if self.answer is None:
            raise TypeError("no such luck")
        self.fitted_ = True
        return self

    def predict(self, X):
        return np.repeat([np.atleast_1d(self.answer)], len(X), axis=0)


# Errors


def test_predictions_are_those_of_cross_val_predict(comparison):
    X, y = _make(n_samples=[8, 12, 16, 20, 30, 40])
    folds = TaskKFold(5, task_column="task", shuffle=True, random_state=0)
    expected = [
        cross_val_predict(model, X, y, cv=folds) for model in _models("task").values()
    ]
    assert_allclose(comparison.predictions, expected)


def test_task_errors_are_those_of_the_predictions(comparison):
    X, y = _make(n_samples=[8, 12, 16, 20, 30, 40])
    z = comparison.predictions[1]
    scores = score_predictions(y, z, X["task"], comparison.tasks)
    assert_allclose(comparison.task_errors[1], scores.columns["mse"])
    assert_array_equal(comparison.n_rows, scores.columns["n"])


def test_a_fold_averages_over_tasks_and_over_rows(comparison):
    X, y = _make(n_samples=[8, 12, 16, 20, 30, 40])
    folds = TaskKFold(5, task_column="task", shuffle=True, random_state=0)
    z = comparison.predictions[2]
    scores = [
        score_predictions(y[i], z[i], X["task"][i], comparison.tasks)
        for _, i in folds.split(X)
    ]
    by_task = [each.macro["mse"] for each in scores]
    by_row = [each.pooled["mse"] for each in scores]
    assert_allclose(comparison.fold_errors[2], by_task)
    assert_allclose(comparison.fold_row_errors[2], by_row)
    assert_allclose(comparison.errors[2], np.mean(by_task))
    assert_allclose(comparison.row_errors[2], np.mean(by_row))


def test_rmse_is_the_root_of_mse_fold_by_fold_and_task_by_task(comparison):
    X, y = _make(n_samples=[8, 12, 16, 20, 30, 40])
    rooted = compare_tasks(
        _models(), X, y, task_column="task", random_state=0, metric="rmse"
    )
    assert_allclose(rooted.fold_errors**2, comparison.fold_errors)
    assert_allclose(rooted.task_errors**2, comparison.task_errors)
    assert_array_equal(rooted.p_values, comparison.p_values)


def test_mae_averages_absolute_errors():
    X, y = _make()
    found = compare_tasks(_models(), X, y, task_column="task", metric="mae", cv=3)
    expected = np.abs(y.to_numpy() - found.predictions[0])[X["task"] == 4].mean()
    assert_allclose(found.task_errors[0, 4], expected)


def test_gains_are_what_sharing_saves(comparison):
    base, shared, _ = comparison.task_errors
    assert_allclose(comparison.task_gains[1], base - shared)
    assert_allclose(comparison.task_relative_gains[1], 1 - shared / base)
    assert_allclose(
        comparison.relative_gains, 1 - comparison.errors / comparison.errors[0]
    )


def test_rows_held_out_more_than_once_count_once():
    X, y = _make()
    cv = TaskShuffleSplit(8, test_size=0.3, random_state=0)
    found = compare_tasks(_models(), X, y, task_column="task", cv=cv)
    held_out = ~np.isnan(found.predictions[0])
    assert_array_equal(found.n_rows, np.bincount(X["task"][held_out]))
    assert found.n_rows.sum() < len(y)
    assert found.fold_errors.shape == (3, 8)


def test_weights_are_repetitions_of_rows():
    X, y = _make()
    weight = np.random.default_rng(0).integers(1, 4, len(y))
    splits = list(KFold(4, shuffle=True, random_state=0).split(X))
    rows = np.repeat(np.arange(len(y)), weight)
    repeated = [np.flatnonzero(np.isin(rows, test)) for _, test in splits]
    again = [(np.setdiff1d(np.arange(len(rows)), test), test) for test in repeated]
    models = {"apart": MultiTaskRidge(), "pooled": PooledTasks()}
    found = compare_tasks(
        models, X, y, task_column="task", sample_weight=weight, cv=splits
    )
    X, y = X.iloc[rows], y.iloc[rows]
    expected = compare_tasks(models, X, y, task_column="task", cv=again)
    assert_allclose(found.fold_errors, expected.fold_errors)
    assert_allclose(found.fold_row_errors, expected.fold_row_errors)
    assert_allclose(found.task_errors, expected.task_errors)


# Differences and tests


def test_the_standard_error_corrects_for_overlapping_training_sets(comparison):
    paired = comparison.fold_errors[1] - comparison.fold_errors[0]
    naive = paired.std(ddof=1) / np.sqrt(5)
    assert comparison.test_ratio == pytest.approx(1 / 4, rel=0.02)
    factor = np.sqrt(1 + 5 * comparison.test_ratio)
    assert_allclose(comparison.standard_errors[1], naive * factor)
    assert comparison.standard_errors[0] == 0


def test_a_gain_exceeds_its_standard_error_exactly_if_the_difference_does(comparison):
    errors = comparison.fold_errors * np.array([1.0, 2.0, 4.0, 0.5, 3.0])
    varied = replace(comparison, fold_errors=errors)
    ratio = varied.relative_gains[1] / varied.relative_standard_errors[1]
    assert ratio == pytest.approx(-varied.differences[1] / varied.standard_errors[1])


def test_p_values_are_those_of_a_paired_t_test(comparison):
    X, y = _make(n_samples=[8, 12, 16, 20, 30, 40])
    rows = X["task"] == 3
    losses = (y.to_numpy() - comparison.predictions)[:, rows] ** 2
    expected = stats.ttest_rel(losses[1], losses[0], alternative="greater").pvalue
    assert_allclose(comparison.p_values[1, 3], expected)


def test_one_row_or_equal_differences_show_no_harm():
    values, codes = np.array([3.0, 2.0, 2.0, 0.0, 0.0]), np.array([0, 1, 1, 2, 2])
    p_values = find_p_values(*average_by_task(values, codes, np.ones(5), 4))
    assert_array_equal(p_values, [np.nan, 1.0, 1.0, np.nan])


def test_holm_multiplies_by_the_number_of_tasks_left():
    p_values = np.array([0.04, 0.01, np.nan, 0.02])
    assert_allclose(adjust_holm(p_values), [0.04, 0.03, np.nan, 0.04])
    assert_allclose(adjust_holm(np.array([0.6, 0.7])), [1.0, 1.0])


def test_a_planted_outlier_is_the_task_that_sharing_hurts():
    names = [f"ward {letter}" for letter in "ABCDEFGHIJ"]
    X, y = _make(10, 25, spread=0.1, task_names=names)
    y = y.where(X["task"] != "ward D", -y)
    models = {"independent": MultiTaskRidge(), "pooled": PooledTasks()}
    found = compare_tasks(models, X, y, task_column="task", random_state=0)
    assert "ward D" in found.hurt()
    assert found.tasks[np.argmin(found.task_gains[1])] == "ward D"
    assert "'ward D'" in found.recommendation
    assert found.tasks_frame().loc["ward D", "hurt"]


def test_tasks_that_are_hurt_come_the_surest_first(comparison):
    p_values = np.tile([1e-3, 1e-5, 0.5, 1e-4, 0.9, 1.0], (3, 1))
    hurt = replace(comparison, p_values=p_values).hurt("pooled", level=0.004)
    assert_array_equal(hurt, comparison.tasks[[1, 3, 0]])


def test_the_test_keeps_its_level_where_two_models_are_equally_good():
    """Each model sees one of two features that matter alike: 400 tasks, no harm."""
    rng = np.random.default_rng(0)
    features = rng.standard_normal((400 * 25, 2))
    y = features.sum(axis=1) + rng.standard_normal(len(features))
    X = np.column_stack([features, np.repeat(np.arange(400), 25)])
    models = [
        make_task_pipeline(
            make_column_transformer(("passthrough", [j])),
            MultiTaskRidge(),
            task_column=-1,
        )
        for j in (0, 1)
    ]
    found = compare_tasks(models, X, y, random_state=0)
    part = (found.p_values[1] < 0.05).mean()
    # twice the binomial standard deviation, 0.011, beside the excess of 0.02 measured
    assert 0.03 < part < 0.09
    assert len(found.hurt()) == 0


@pytest.mark.full
def test_identical_tasks_are_not_hurt():
    X, y = _make(30, 15, spread=0, intercept_spread=0)
    found = compare_tasks(None, X, y, task_column="task", random_state=0)
    assert (found.p_values[1:] < 0.05).mean() < 0.05
    assert [len(found.hurt(name)) for name in found.models] == [0, 0, 0, 0]
    assert found.recommended == "pooled"
    assert found.recommendation.startswith("Use 'pooled': ")


# Recommendation


def test_it_recommends_the_best_model_that_shares(comparison):
    text = comparison.recommendation
    assert text.startswith("Use 'shared': its MSE of ")
    assert "% (standard error " in text
    assert "below that of 'apart'" in text
    assert text.endswith("hurts none of the 6 tasks significantly.")


def test_it_recommends_tasks_apart_where_sharing_is_worse():
    X, y = _make(10, 40, spread=10.0)
    models = {"independent": MultiTaskRidge(), "pooled": PooledTasks()}
    text = compare_tasks(
        models, X, y, task_column="task", random_state=0
    ).recommendation
    assert text.startswith("Use 'independent': the MSE of ")
    assert "of 'pooled', the best model with sharing, is" in text
    assert "above its own; sharing does not help, and hurts 10 of the 10 tasks" in text
    assert text.endswith(" and 7 more.")


def test_it_admits_that_there_is_no_clear_difference(comparison):
    base = comparison.fold_errors[0]
    noise = np.array([1.0, -1.0, 1.0, -1.0, 0.1])
    errors = np.array([base, base + noise, base + 1])
    text = replace(comparison, fold_errors=errors).recommendation
    assert text.startswith("No clear difference: the MSE of ")
    assert "of 'shared', the best model with sharing, is within one standard" in text
    assert text.endswith(
        "'apart' and 'shared' do not differ clearly, use 'apart', the simplest."
    )


def _simulate(comparison, *errors, noise=1.0):
    """A comparison with these mean errors; those of the others vary over folds."""
    steps = noise * np.array([1.0, -1.0, 1.0, -1.0, 0.0])
    folds = np.array(errors)[:, None] + np.array([0, 1, -1])[:, None] * steps
    return replace(comparison, fold_errors=folds)


@pytest.mark.parametrize(
    ("errors", "noise", "near", "recommended", "verdict"),
    [
        # standard errors of 0.67 noise from the first, of 1.34 noise among the others
        ((9.0, 5.0, 5.1), 0.5, (1, 2), 1, "Sharing helps"),
        ((9.0, 5.1, 5.0), 0.5, (1, 2), 1, "Sharing helps"),
        ((9.0, 7.0, 5.0), 0.5, (2,), 2, "Sharing helps"),
        ((6.0, 5.9, 5.0), 1.6, (0, 1, 2), 0, "No clear difference"),
        ((6.0, 9.0, 5.0), 1.6, (0, 2), 0, "No clear difference"),
        ((6.0, 6.1, 5.0), 0.9, (1, 2), 2, "Sharing seems to help"),
        ((5.0, 6.0, 9.0), 0.8, (0,), 0, "Sharing seems not to help"),
        ((5.0, 8.0, 9.0), 0.5, (0,), 0, "Sharing does not help"),
    ],
)
def test_it_recommends_the_simplest_model_within_one_standard_error_of_the_best(
    comparison, errors, noise, near, recommended, verdict
):
    found = _simulate(comparison, *errors, noise=noise)
    names = found.models
    assert found.near_best == tuple(names[i] for i in near)
    assert found.recommended == names[recommended]
    assert found.verdict == verdict
    words = found.recommendation
    assert verdict[:1].lower() + verdict[1:] in words or words.startswith(verdict)
    assert repr(found.recommended) in words
    assert ("do not differ clearly" in words) == (len(near) > 1)


def test_models_equal_up_to_rounding_are_both_near_best(comparison):
    base = comparison.fold_errors[0]
    errors = np.array([base, base * (1 - 1e-13), base * (1 - 2e-13)])
    found = replace(comparison, fold_errors=errors)
    assert found.near_best == found.models
    assert found.recommended == found.baseline


def test_one_fold_has_no_standard_error():
    X, y = _make()
    cv = ShuffleSplit(1, random_state=0)
    found = compare_tasks(_models(), X, y, task_column="task", cv=cv)
    assert np.isnan(found.standard_errors).all()
    assert found.recommendation.startswith("Compare on more folds: with a single fold")


# What is compared


@pytest.mark.full
def test_the_same_seed_gives_the_same_comparison(comparison):
    X, y = _make(n_samples=[8, 12, 16, 20, 30, 40])
    again = compare_tasks(_models(), X, y, task_column="task", random_state=0, n_jobs=2)
    assert_array_equal(again.predictions, comparison.predictions)
    other = compare_tasks(_models(), X, y, task_column="task", random_state=1)
    assert (other.predictions != comparison.predictions).any()


def test_the_order_of_the_models_does_not_matter(comparison):
    X, y = _make(n_samples=[8, 12, 16, 20, 30, 40])
    turned = dict(reversed(_models().items()))
    found = compare_tasks(
        turned, X, y, task_column="task", random_state=0, baseline="apart"
    )
    assert_array_equal(found.errors, comparison.errors[::-1])
    assert_array_equal(found.p_values, comparison.p_values[::-1])
    assert found.recommendation == comparison.recommendation


@pytest.mark.full
def test_a_column_and_the_keyword_declare_the_same_tasks():
    X, y = _make(task_names=list("abcdef"))
    features, labels = X.drop(columns="task"), X["task"]
    by_column = compare_tasks(None, X, y, task_column="task", random_state=0)
    by_keyword = compare_tasks(None, features, y, task=labels, random_state=0)
    assert_allclose(by_keyword.predictions, by_column.predictions, rtol=1e-6)
    assert_array_equal(by_keyword.tasks, by_column.tasks)


def test_columns_of_y_are_rows_with_labels():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 3))
    Y = X @ rng.standard_normal((3, 4)) + rng.standard_normal((30, 4))
    Y[::4, 1] = np.nan
    folds = list(KFold(3, shuffle=True, random_state=0).split(X))
    by_output = compare_tasks(
        _models(), X, pd.DataFrame(Y, columns=list("abcd")), random_state=0, cv=3
    )
    rows, codes = np.nonzero(~np.isnan(Y))
    stacked = np.column_stack([X[rows], codes])
    cv = [tuple(np.flatnonzero(np.isin(rows, part)) for part in fold) for fold in folds]
    by_row = compare_tasks(_models(), stacked, Y[rows, codes], task_column=-1, cv=cv)
    assert by_output.predictions.shape == (3, 30, 4)
    assert by_output.tasks.tolist() == list("abcd")
    assert_allclose(by_output.fold_errors, by_row.fold_errors)
    assert_allclose(by_output.task_errors, by_row.task_errors)
    assert_allclose(by_output.p_values, by_row.p_values)


@pytest.mark.parametrize(
    "convert", [pl.from_pandas, pl.DataFrame.to_arrow], ids=["polars", "pyarrow"]
)
def test_other_frames_give_the_same(comparison, convert):
    X, y = _make(n_samples=[8, 12, 16, 20, 30, 40])
    X = convert(X if convert is pl.from_pandas else pl.from_pandas(X))
    found = compare_tasks(_models(), X, y, task_column="task", random_state=0)
    assert_allclose(found.predictions, comparison.predictions)


@pytest.mark.full
def test_sparse_features_are_scaled_without_a_shift():
    X, y = _make(as_frame=False)
    features, labels = sparse.csr_array(X[:, :-1]), X[:, -1]
    found = compare_tasks(None, features, y, task=labels, random_state=0)
    assert np.isfinite(found.errors).all()


def test_the_column_of_the_models_is_found():
    X, y = _make()
    found = compare_tasks(_models("task"), X, y, random_state=0)
    told = compare_tasks(_models(), X, y, task_column="task", random_state=0)
    assert_array_equal(found.predictions, told.predictions)


@parametrize("column", ["task", -1, 4], short=[4])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: make_pipeline(StandardScaler(), model),
        lambda model: make_pipeline(StandardScaler(), make_pipeline(model)),
        lambda model: GridSearchCV(
            make_pipeline(StandardScaler(), model),
            {"multitaskridge__fit_intercept": [True]},
        ),
        lambda model: make_pipeline(
            StandardScaler(), GridSearchCV(model, {"fit_intercept": [True]})
        ),
        lambda model: TransformedTargetRegressor(
            make_pipeline(StandardScaler(), model)
        ),
    ],
    ids=["pipeline", "nested", "search", "search inside", "target"],
)
def test_models_inside_others_are_told_the_column(wrap, column):
    X, y = _make()
    X = X.to_numpy() if isinstance(column, int) else X
    bare = make_task_pipeline(StandardScaler(), MultiTaskRidge(), task_column=column)
    models = {"bare": bare, "wrapped": wrap(MultiTaskRidge())}
    found = compare_tasks(models, X, y, task_column=column, random_state=0)
    assert_allclose(found.predictions[1], found.predictions[0])


def test_models_that_know_no_tasks_see_the_column_as_a_feature():
    X, y = _make()
    models = {"apart": MultiTaskRidge(), "plain": make_pipeline(LinearRegression())}
    found = compare_tasks(models, X, y, task_column="task", random_state=0)
    folds = TaskKFold(5, task_column="task", shuffle=True, random_state=0)
    expected = cross_val_predict(LinearRegression(), X, y, cv=folds)
    assert_allclose(found.predictions[1], expected)


def test_models_are_not_changed():
    X, y = _make()
    models = _models()
    compare_tasks(models, X, y, task_column="task", random_state=0)
    assert models["apart"].task_column is None
    assert not hasattr(models["apart"], "coef_")


def test_splitters_are_given_the_tasks():
    X, y = _make()
    models = {"pooled": PooledTasks(), "shared": MeanRegularizedRegressor()}
    found = compare_tasks(models, X, y, task_column="task", cv=LeaveOneTaskOut())
    assert found.fold_errors.shape == (2, 6)


def test_models_of_a_list_are_named_after_their_class():
    X, y = _make()
    models = [MultiTaskRidge(), PooledTasks(), make_pipeline(PooledTasks(Ridge(9.0)))]
    found = compare_tasks(models, X, y, task_column="task")
    assert found.models == ("MultiTaskRidge", "PooledTasks-1", "PooledTasks-2")
    assert found.baseline == "MultiTaskRidge"


@pytest.mark.full
def test_names_stand_for_the_candidates_of_the_search():
    X, y = _make()
    names = ["independent", "spline curves"]
    folds = TaskKFold(2)
    models = [*names, PooledTasks()]
    found = compare_tasks(models, X, y, task_column="task", cv=folds)
    assert found.models == (*names, "PooledTasks")
    search = TaskModelSearch(names, task_column="task", cv=folds)
    search.fit(X, y)
    for name, prediction in zip(names, found.predictions, strict=False):
        assert_allclose(prediction, search.oof_predictions_[name])
    assert found.differs_by_sharing == (False, False, True)
    mine = {"mine": "pooled", "b": Ridge()}
    alias = compare_tasks(mine, X, y, task_column="task", cv=folds)
    default = compare_tasks(None, X, y, task_column="task", cv=folds)
    assert_allclose(alias.errors[0], default.errors[1])


def test_the_default_models_go_from_apart_to_pooled():
    models = default_models("task", preprocessor=StandardScaler(with_mean=False))
    assert next(iter(models)) == "independent"
    assert not models["pooled"][0].transformer.with_mean


def test_errors_of_new_tasks_are_those_of_models_that_never_saw_them():
    X, y = _make()
    labels, models = X["task"].unique(), _models("task")
    options = {"cv": 3, "random_state": 0, "task_column": "task", "metric": "mae"}
    found = compare_tasks(models, X, y, new_tasks=True, **options)
    folds = KFold(3, shuffle=True, random_state=0).split(labels)
    held_out = [X["task"].isin(np.sort(labels)[tasks]) for _, tasks in folds]
    for model, errors in zip(models.values(), found.fold_new_task_errors, strict=True):
        for new, error in zip(held_out, errors, strict=True):
            fitted = model.fit(X[~new], y[~new])
            losses = np.abs(fitted.predict(X[new]) - y[new])
            assert_allclose(error, losses.groupby(X["task"][new]).mean().mean())
    assert_array_equal(found.to_frame()["new_task_error"], found.new_task_errors)
    assert "new tasks" in repr(found).splitlines()[1]
    known = compare_tasks(models, X, y, **options)
    assert known.new_task_errors is None
    assert_array_equal(known.fold_errors, found.fold_errors)


def test_columns_of_y_are_never_new_tasks():
    X, y = _make(n_features=3)
    Y = np.column_stack([y, y])
    with pytest.raises(ValueError, match="Got a 2-d y; leave out new_tasks"):
        compare_tasks(_models(), X[["x0"]], Y, new_tasks=True)


# Errors in use


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "r2"}, "metric must be one of .*'rmse', 'mae'.*Got 'r2'"),
        ({"baseline": "aprt"}, "baseline must be the name of a model. Got 'aprt'"),
        ({"task": [1]}, "declared in one way, got both task= and task_column='task'"),
        ({"estimators": {"a": Ridge()}}, "at least two models, including the baseline"),
        ({"estimators": ["pooled", "trees"]}, "names of built-in models among .*trees"),
        ({"task_column": None}, "The task of each row must be known"),
        ({"cv": [([0, 1], [])]}, "cv must hold out rows in every fold"),
    ],
)
def test_what_cannot_be_compared_is_refused(options, message):
    X, y = _make()
    options = {"estimators": _models(), "task_column": "task"} | options
    with pytest.raises(ValueError, match=message):
        compare_tasks(options.pop("estimators"), X, y, **options)


def test_labels_beside_columns_of_y_are_refused():
    X, y = _make()
    Y = np.column_stack([y, y])
    with pytest.raises(ValueError, match="y must be 1-d when the task of each row is"):
        compare_tasks(_models(), X, Y, task_column="task")


def test_models_that_declare_different_columns_are_refused():
    X, y = _make()
    models = {"a": MultiTaskRidge(task_column="x1"), "b": PooledTasks(task_column="x2")}
    with pytest.raises(ValueError, match=r"one task column. Got \['x1', 'x2'\]"):
        compare_tasks(models, X, y)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "In fold 0, fitted on 96 rows, it raised TypeError: no such"),
        (np.nan, "Got NaN or infinity in 24 of 24 predictions"),
        ([1.0, 2.0], r"Got predictions of shape \(24, 2\)"),
    ],
)
def test_a_model_that_fails_is_named(answer, message):
    X, y = _make()
    models = {"good": PooledTasks(), "bad": _Failing(answer)}
    with pytest.raises(ValueError, match=f"Model 'bad' must predict.*{message}"):
        compare_tasks(models, X, y, task_column="task", random_state=0)


def test_a_fold_without_weight_is_refused():
    X, y = _make()
    weight, cv = np.repeat([0, 1], 60), [(np.arange(60, 120), np.arange(60))]
    with pytest.raises(ValueError, match="Every fold must hold out a target with"):
        compare_tasks(_models(), X, y, task_column="task", sample_weight=weight, cv=cv)


def test_unknown_models_are_refused(comparison):
    with pytest.raises(ValueError, match=r"model must be one of .* Got 'sharde'"):
        comparison.hurt("sharde")


# What is shown


def test_frames_have_a_row_per_model_and_per_task(comparison):
    models, tasks = comparison.to_frame(), comparison.tasks_frame("pooled")
    assert models.index.tolist() == ["apart", "shared", "pooled"]
    assert models.loc["shared", "difference"] == comparison.differences[1]
    assert tasks.index.name == "task"
    assert_array_equal(tasks.loc[comparison.tasks, "gain"], comparison.task_gains[2])
    assert tasks["p_value"].is_monotonic_increasing


def test_json_has_what_the_frames_have(comparison):
    found = json.loads(comparison.to_json())
    models, tasks = comparison.to_frame(), comparison.tasks_frame()
    assert [each["model"] for each in found["models"]] == models.index.tolist()
    assert [each["error"] for each in found["models"]] == models["error"].tolist()
    assert [each["task"] for each in found["tasks"]] == tasks.index.tolist()
    assert [each["p_value"] for each in found["tasks"]] == tasks["p_value"].tolist()
    assert found["recommendation"] == comparison.recommendation
    alone = compare_tasks(_models(), *_make(n_samples=2), task_column="task", cv=2)
    assert "NaN" not in alone.to_json()


def test_the_text_is_a_table_and_the_recommendation(comparison):
    lines = repr(comparison).splitlines()
    assert lines[0].startswith("TaskComparison: 6 tasks, 126 rows, 5 folds, mse, base")
    assert lines[1].split()[:3] == ["error", "by", "row"]
    assert lines[-1] == comparison.recommendation


def test_html_escapes_names_and_labels():
    X, y = _make(3, 20, task_names=["<i>", "b", "c"], spread=0.0)
    y = y.where(X["task"] != "<i>", -10 * y)
    models = {"<b>apart</b>": MultiTaskRidge(), "pooled": PooledTasks()}
    found = compare_tasks(models, X, y, task_column="task", random_state=0)
    html = found._repr_html_()
    assert "&lt;b&gt;apart" in html
    assert "&lt;i&gt;" in html
    assert "<b>" not in html
    assert "<i>" not in html


def test_a_comparison_can_be_pickled(comparison):
    again = pickle.loads(pickle.dumps(comparison))
    assert repr(again) == repr(comparison)


# The picture


@pytest.fixture
def plt():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    yield pyplot
    pyplot.close("all")


def _draw(n_tasks, gains=None, hurt=(), **options):
    rng = np.random.default_rng(0)
    data = {
        "tasks": np.array([f"task {t}" for t in range(n_tasks)]),
        "gains": rng.normal(0.2, 0.2, n_tasks) if gains is None else gains,
        "doubts": np.full(n_tasks, 0.1),
        "n_rows": rng.integers(5, 100, n_tasks),
        "hurt": np.isin(np.arange(n_tasks), hurt),
        "model": "shared",
        "baseline": "apart",
        "metric": "mse",
    }
    display = TaskComparisonDisplay(**data | options).plot()
    display.figure_.draw_without_rendering()
    return display


def _read_texts(ax):
    return [text.get_text() for text in ax.texts]


def test_the_picture_sorts_tasks_by_gain(plt, comparison):
    display = comparison.plot(model="pooled")
    names = [label.get_text() for label in display.ax_.get_yticklabels()]
    order = np.argsort(comparison.task_relative_gains[2])
    assert names == [str(task) for task in comparison.tasks[order]]
    assert display.figure_ is display.ax_.figure


def test_the_picture_goes_where_it_is_told(plt, comparison):
    _, axes = plt.subplots(1, 2)
    assert comparison.plot(ax=axes[1]).ax_ is axes[1]
    assert not axes[0].collections


@pytest.mark.full
def test_of_many_tasks_those_that_are_hurt_are_named(plt):
    gains = np.linspace(-3, 1, 150)
    display = _draw(150, gains, hurt=range(14))
    texts = _read_texts(display.ax_)
    assert len(display.ax_.get_yticks()) == 0
    assert texts[0] == "task 0 (-300%)"
    assert texts[-1] == "and 2 more"


def test_names_of_hurt_tasks_do_not_overlap(plt):
    display = _draw(150, np.linspace(-0.4, 0.5, 150), hurt=range(14))
    names = display.ax_.texts[:12]
    ends = [display.ax_.transData.transform((0, text.xyann[1]))[1] for text in names]
    letters = names[0].get_fontsize() * display.figure_.dpi / 72
    assert (np.diff(ends) > letters).all()


def test_a_huge_loss_is_drawn_at_the_edge_with_its_number(plt):
    display = _draw(5, np.array([0.1, 0.2, 0.0, -0.1, -7.0]))
    assert _read_texts(display.ax_) == ["-700%"]
    drawn = np.vstack([dots.get_offsets() for dots in display.ax_.collections[1:]])
    assert display.ax_.get_xlim()[0] > -1.2
    assert drawn.data[:, 0].min() == -1.0


def test_tasks_without_a_gain_are_left_out(plt):
    display = _draw(5, np.array([0.1, np.nan, 0.0, -0.1, 0.3]))
    assert len(display.ax_.get_yticks()) == 4


def test_labels_are_written_as_they_are(plt):
    display = _draw(3, tasks=np.array(["$1$", "b_2", "x" * 99]), hurt=[0])
    names = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert r"\$1\$" in names
    assert max(map(len, names)) == 30


@pytest.mark.full
def test_frames_of_text_dates_and_gaps_are_compared_as_they_are():
    X, y = _make()
    gap = X["x0"].where(np.arange(len(X)) % 9 > 0)
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(len(X)), unit="D")
    town = pd.Series(["n", "s", None] * 40, dtype=object)
    plain = X.assign(x0=gap, town=town, day=day)
    names = ["independent", "pooled"]
    found = compare_tasks(names, plain, y, task_column="task", random_state=0)
    models = [MultiTaskRidgeCV(task_column="task"), MeanRegularizedRegressor()]
    piped = {
        name: make_task_pipeline(make_table_encoder(), model, task_column="task")
        for name, model in zip(names, models, strict=True)
    }
    other = compare_tasks(piped, plain, y, task_column="task", random_state=0)
    assert_array_equal(found.fold_errors[0], other.fold_errors[0])
