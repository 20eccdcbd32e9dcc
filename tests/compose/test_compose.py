import inspect
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.impute import SimpleImputer
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC
from sklearn.utils import estimator_checks as checks

from skmtl.compose import (
    ConformalTasks,
    IndependentTasks,
    PooledTasks,
    TaskAware,
    make_task_pipeline,
)
from skmtl.linear_model import (
    MeanRegularizedClassifier,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedRegressor,
    PathSearchCV,
)

LABELS = np.array(["north", "south", "west"])
BOTH = pytest.mark.parametrize("Model", [IndependentTasks, PooledTasks])


class Halve(BaseEstimator):
    """A transformer without support for frames and names."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.asarray(X, dtype=float) / 2

    def fit_transform(self, X, y=None):
        return self.transform(X)


class Sparsify(Halve):
    """A transformer that returns sparse matrices."""

    def transform(self, X):
        return sparse.csr_array(super().transform(X))


@pytest.fixture
def rows():
    """Draw features, targets and task codes of three tasks, in random order."""
    rng = np.random.default_rng(0)
    codes = rng.permutation(np.repeat([0, 1, 2], [30, 20, 10]))
    X = rng.normal(size=(60, 3))
    slopes = np.array([[1.0, 0.5, 0.0], [1.0, -0.5, 0.0], [0.5, 0.0, 2.0]])
    y = (X * slopes[codes]).sum(axis=1) + 3.0 * codes + 0.1 * rng.normal(size=60)
    return X, y, codes


def as_pandas(X, codes):
    frame = pd.DataFrame(X, columns=["a", "b", "c"], index=np.arange(len(X)) % 7)
    frame.insert(1, "school", LABELS[codes])
    return frame


def as_category(X, codes):
    return as_pandas(X, codes).astype({"school": "category"})


def as_level(X, codes):
    return as_pandas(X, codes).set_index("school")


def as_polars(X, codes):
    return pl.DataFrame(as_pandas(X, codes).to_dict("list"))


def as_arrow(X, codes):
    return as_polars(X, codes).to_arrow()


def as_objects(X, codes):
    return np.column_stack([X[:, :1], LABELS[codes].astype(object), X[:, 1:]])


def as_numbers(X, codes):
    return np.column_stack([X[:, 0], codes, X[:, 1:]])


def as_lists(X, codes):
    return as_objects(X, codes).tolist()


def as_csr(X, codes):
    return sparse.csr_array(as_numbers(X, codes))


FRAMES = [as_pandas, as_category, as_level, as_polars]
TABLES = [(table, "school") for table in [*FRAMES, as_arrow]]
TABLES += [(table, 1) for table in [as_objects, as_numbers, as_lists, as_csr]]
each_table = pytest.mark.parametrize(
    ("table", "column"), TABLES, ids=lambda value: getattr(value, "__name__", None)
)
each_frame = pytest.mark.parametrize("frame", FRAMES)


def ridge_per_task(X, y, codes, weight=None):
    """Fit scikit-learn's Ridge to each task, and predict its own rows."""
    weight = np.ones(len(y)) if weight is None else weight
    prediction = np.empty(len(y))
    for code in np.unique(codes):
        own = codes == code
        model = Ridge().fit(X[own], y[own], sample_weight=weight[own])
        prediction[own] = model.predict(X[own])
    return prediction


@each_table
def test_independent_tasks_are_a_loop_over_tasks(rows, table, column):
    X, y, codes = rows
    data = table(X, codes)
    model = IndependentTasks(task_column=column).fit(data, y)
    assert_allclose(model.predict(data), ridge_per_task(*rows), rtol=1e-10)
    assert model.n_tasks_ == len(model.estimators_) == len(model.tasks_) == 3


@each_table
def test_unseen_tasks_are_predicted_by_a_model_of_all_rows(rows, table, column):
    X, y, codes = rows
    known = codes < 2
    model = IndependentTasks(task_column=column)
    model.fit(table(X[known], codes[known]), y[known])
    pooled = Ridge().fit(X[known], y[known])
    unseen = table(X[~known], codes[~known])
    assert_allclose(model.predict(unseen), pooled.predict(X[~known]), rtol=1e-10)


def test_the_three_layouts_give_the_same_model(rows):
    X, y, codes = rows
    Y = np.where(codes[:, None] == [0, 1, 2], y[:, None], np.nan)
    column = IndependentTasks(task_column=1).fit(as_numbers(X, codes), y)
    keyword = IndependentTasks().fit(X, y, task=LABELS[codes])
    outputs = IndependentTasks().fit(X, Y)
    expected = column.predict(as_numbers(X, codes))
    assert_array_equal(keyword.predict(X, task=LABELS[codes]), expected)
    assert_allclose(outputs.predict(X)[np.arange(60), codes], expected, rtol=1e-12)
    assert outputs.shared_estimator_ is None


def test_a_pooled_model_is_the_same_in_the_three_layouts(rows):
    X, y, codes = rows
    Y = np.where(codes[:, None] == [0, 1, 2], y[:, None], np.nan)
    model = PooledTasks(task_intercepts=True)
    column = clone(model).set_params(task_column=1).fit(as_numbers(X, codes), y)
    keyword = clone(model).fit(X, y, task=codes)
    outputs = clone(model).fit(X, Y)
    expected = column.predict(as_numbers(X, codes))
    assert_allclose(keyword.predict(X, task=codes), expected, rtol=1e-12)
    assert_allclose(outputs.predict(X)[np.arange(60), codes], expected, rtol=1e-12)


@BOTH
def test_one_task_is_the_estimator_itself(rows, Model):
    X, y, _ = rows
    weight = np.arange(60)
    expected = Ridge().fit(X, y, sample_weight=weight)
    model = Model().fit(X, y, sample_weight=weight)
    assert_array_equal(model.predict(X), expected.predict(X))
    assert model.score(X, y, weight) == expected.score(X, y, weight)
    assert model.tasks_.tolist() == [0]


def test_weights_reach_the_estimators(rows):
    X, y, codes = rows
    weight = np.random.default_rng(1).integers(0, 4, size=60)
    model = IndependentTasks(task_column=1)
    model.fit(as_numbers(X, codes), y, sample_weight=weight)
    expected = ridge_per_task(*rows, weight)
    assert_allclose(model.predict(as_numbers(X, codes)), expected, rtol=1e-10)


def test_weights_of_rows_count_in_every_column(rows):
    X, y, codes = rows
    weight = np.arange(1.0, 61)
    Y = np.column_stack([np.where(codes == 1, y, np.nan), -y])
    own = codes == 1
    first = Ridge().fit(X[own], y[own], sample_weight=weight[own])
    second = Ridge().fit(X, -y, sample_weight=weight)
    expected = np.column_stack([first.predict(X), second.predict(X)])
    answer = IndependentTasks().fit(X, Y, sample_weight=weight).predict(X)
    assert_allclose(answer, expected)


def test_a_task_without_weight_is_predicted_as_unseen(rows):
    X, y, codes = rows
    data, weight = as_pandas(X, codes), (codes < 2).astype(float)
    model = IndependentTasks(task_column="school")
    weighted = clone(model).fit(data, y, sample_weight=weight)
    absent = clone(model).fit(data[codes < 2], y[codes < 2])
    assert_allclose(weighted.predict(data), absent.predict(data), rtol=1e-10)
    assert weighted.tasks_.tolist() == LABELS.tolist()


def test_the_indicator_of_a_task_without_weight_has_no_effect(rows):
    X, y, codes = rows
    model = PooledTasks(task_intercepts=True)
    weighted = clone(model).fit(X, y, sample_weight=codes < 2, task=codes)
    absent = clone(model).fit(X[codes < 2], y[codes < 2], task=codes[codes < 2])
    assert_allclose(weighted.predict(X, task=codes), absent.predict(X, task=codes))


def test_unseen_tasks_are_refused_on_request(rows):
    X, y, codes = rows
    data, weight = as_pandas(X, codes), (codes < 2).astype(float)
    model = IndependentTasks(task_column="school", handle_unknown="error")
    fitted = clone(model).fit(data[codes < 2], y[codes < 2])
    with pytest.raises(ValueError, match=r"not seen in fit: .*has 2 tasks"):
        fitted.predict(data)
    fitted = clone(model).fit(data, y, sample_weight=weight)
    with pytest.raises(ValueError, match="a task west that had no row with weight"):
        fitted.predict(data)


def test_a_task_with_one_row_is_fitted(rows):
    X, y, codes = rows
    kept = np.append(np.flatnonzero(codes < 2), np.flatnonzero(codes == 2)[0])
    model = IndependentTasks().fit(X[kept], y[kept], task=codes[kept])
    assert_allclose(model.predict(X[kept[-1:]], task=[2]), y[kept[-1:]])


def test_a_failure_names_its_task(rows):
    X, y, codes = rows
    search = GridSearchCV(Ridge(), {"alpha": [1.0]}, cv=9, scoring="neg_max_error")
    own = np.append(np.flatnonzero(codes < 2), np.flatnonzero(codes == 2)[:8])
    model = IndependentTasks(search)
    with pytest.raises(ValueError, match="Cannot have number of splits") as caught:
        model.fit(X[own], y[own], task=LABELS[codes[own]])
    assert caught.value.__notes__ == [
        "Raised in the fit of task 'west', which has 8 row(s)."
    ]


def test_a_column_without_labels_is_predicted_by_the_shared_model(rows):
    X, y, _ = rows
    Y = np.column_stack([y, np.full(60, np.nan)])
    model = IndependentTasks().fit(X, Y)
    assert_allclose(model.predict(X)[:, 1], Ridge().fit(X, y).predict(X))
    assert np.isfinite(model.score(X, Y))


@pytest.mark.full
def test_parallel_fits_give_the_same_models(rows):
    X, y, codes = rows
    data = as_pandas(X, codes)
    model = IndependentTasks(task_column="school", n_jobs=2).fit(data, y)
    alone = clone(model).set_params(n_jobs=None).fit(data, y)
    assert_array_equal(model.predict(data), alone.predict(data))


def test_the_container_reaches_the_estimator_by_name(rows):
    X, y, codes = rows
    inner = make_pipeline(make_column_transformer((StandardScaler(), ["a"])), Ridge())
    expected = IndependentTasks(make_pipeline(StandardScaler(), Ridge()))
    expected.fit(X[:, :1], y, task=codes)
    for table in (as_pandas, as_polars, as_arrow):
        model = IndependentTasks(inner, task_column="school")
        answer = model.fit(table(X, codes), y).predict(table(X, codes))
        assert_allclose(answer, expected.predict(X[:, :1], task=codes), rtol=1e-10)


@BOTH
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_boosting_sees_categories_and_missing_values(rows, Model, library):
    X, y, codes = rows
    data = as_pandas(X, codes)
    data["b"] = np.where(data["b"] > 0, "high", "low")
    data["b"] = data["b"].astype("category")
    data["c"] = data["c"].where(data["c"] < 1)
    given = data if library == "pandas" else pl.from_pandas(data)
    inner = HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=3)
    model = Model(inner, task_column="school").fit(given, y)
    own = codes == 0
    kept = {"IndependentTasks": own, "PooledTasks": own | ~own}[Model.__name__]
    expected = clone(inner).fit(data[kept].drop(columns="school"), y[kept])
    answer = model.predict(given)[own]
    assert_allclose(answer, expected.predict(data[own].drop(columns="school")))


@pytest.mark.full
def test_lightgbm_accepts_all_names_of_columns(rows):
    lightgbm = pytest.importorskip("lightgbm")
    X, y, codes = rows
    inner = lightgbm.LGBMRegressor(n_estimators=5, min_child_samples=3, verbose=-1)
    model = PooledTasks(inner, task_encoding="category", task_column="school")
    plain = as_pandas(X, codes)
    odd = plain.rename(columns={"a": 'a[1]: "x", {y}'})
    expected = clone(model).fit(plain, y).predict(plain)
    assert_allclose(model.fit(odd, y).predict(odd), expected)


def test_sparse_features_stay_sparse(rows):
    X, y, codes = rows

    def refuse_dense(X):
        assert X.format == "csr"
        return X

    inner = make_pipeline(
        FunctionTransformer(refuse_dense, accept_sparse=True), Ridge()
    )
    data = as_csr(X, codes)
    for model in (
        IndependentTasks(inner, task_column=1),
        PooledTasks(inner, task_column=1, task_intercepts=True),
    ):
        model.fit(data, y).predict(data)


@each_table
def test_a_pooled_model_does_not_see_the_task(rows, table, column):
    X, y, codes = rows
    data = table(X, codes)
    model = PooledTasks(task_column=column).fit(data, y)
    assert_allclose(model.predict(data), Ridge().fit(X, y).predict(X), rtol=1e-10)


@each_table
def test_task_intercepts_are_indicators(rows, table, column):
    X, y, codes = rows
    data = table(X, codes)
    model = PooledTasks(task_column=column, task_intercepts=True).fit(data, y)
    design = np.hstack([X, codes[:, None] == [0, 1, 2]])
    expected = Ridge().fit(design, y).predict(design)
    # On sparse X, Ridge solves by conjugate gradients to tol=1e-4.
    assert_allclose(model.predict(data), expected, rtol=1e-3)


def test_indicators_are_named_in_frames(rows):
    X, y, codes = rows
    for table in (as_pandas, as_category, as_polars):
        model = PooledTasks(task_column="school", task_intercepts=True)
        model.fit(table(X, codes), y)
        names = model.estimator_.feature_names_in_.tolist()
        assert names == ["a", "b", "c", "school_north", "school_south", "school_west"]


def test_indicators_do_not_overwrite_a_column(rows):
    X, y, codes = rows
    data = as_pandas(X, codes).rename(columns={"a": "school_north"})
    model = PooledTasks(task_column="school", task_intercepts=True)
    with pytest.raises(ValueError, match=r"must not have columns.*school_north.*Renam"):
        model.fit(data, y)


def test_an_unseen_task_has_no_indicator(rows):
    X, y, codes = rows
    model = PooledTasks(task_intercepts=True).fit(X, y, task=codes)
    expected = model.estimator_.predict(np.hstack([X, np.zeros((60, 3))]))
    assert_allclose(model.predict(X, task=np.full(60, 9)), expected)


def test_stacked_columns_repeat_the_rows(rows):
    X, y, _ = rows
    Y = pd.DataFrame({"u": y, "v": np.where(y > 0, -y, np.nan)})
    model = PooledTasks().fit(X, Y)
    kept = y > 0
    expected = Ridge().fit(np.vstack([X, X[kept]]), np.append(y, -y[kept]))
    assert_allclose(model.predict(X), np.column_stack([expected.predict(X)] * 2))
    assert model.tasks_.tolist() == ["u", "v"]


def test_integers_become_floats_beside_indicators():
    X = np.array([[1], [2], [3], [4]])
    model = PooledTasks(task_intercepts=True).fit(X, [1.0, 2, 3, 4], task=[0, 0, 1, 1])
    assert model.estimator_.coef_.shape == (3,)


@pytest.fixture
def classes(rows):
    """Return tasks with two classes, three classes and one class."""
    X, _, codes = rows
    sets = np.array([["cat", "dog", "dog"], ["cat", "eel", "fox"], ["dog"] * 3])
    return X, sets[codes, np.digitize(X[:, 0], [-0.5, 0.5])], codes


def test_classes_are_the_union_of_the_tasks(classes):
    X, y, codes = classes
    model = IndependentTasks(LogisticRegression()).fit(X, y, task=codes)
    probability = model.predict_proba(X, task=codes)
    assert model.classes_.tolist() == ["cat", "dog", "eel", "fox"]
    assert_allclose(probability.sum(axis=1), 1)
    own = codes == 1
    alone = LogisticRegression().fit(X[own], y[own])
    assert_allclose(probability[own][:, [0, 2, 3]], alone.predict_proba(X[own]))
    assert_array_equal(probability[own][:, 1], 0)
    assert_array_equal(
        model.predict(X, task=codes), model.classes_[probability.argmax(axis=1)]
    )


def test_a_task_with_one_class_is_predicted_with_certainty(classes):
    X, y, codes = classes
    model = IndependentTasks(LogisticRegression()).fit(X, y, task=codes)
    assert isinstance(model.estimators_[2], DummyClassifier)
    probability = model.predict_proba(X, task=np.full(60, 2))
    assert_array_equal(probability, np.tile([0, 1, 0, 0], (60, 1)))


def test_classes_without_weight_do_not_count_as_seen():
    X, y = [[0.0], [1.0], [2.0], [3.0]], ["a", "b", "a", "b"]
    # SVC raises an error if only one class has weight.
    model = IndependentTasks(SVC()).fit(X, y, [1, 0, 1, 1], task=[0, 0, 1, 1])
    assert model.predict(X, task=[0] * 4).tolist() == ["a"] * 4


@BOTH
def test_an_unseen_task_has_a_class(classes, Model):
    X, y, codes = classes
    model = Model(LogisticRegression()).fit(X, y, task=codes)
    shared = LogisticRegression().fit(X, y)
    answer = model.predict_proba(X, task=np.full(60, 7))
    assert_allclose(answer, shared.predict_proba(X))


@BOTH
def test_columns_are_classified_on_their_labelled_rows(rows, Model):
    X, _, codes = rows
    labels = (X[:, :2] > 0).astype(float)
    labels[codes == 1, 0] = np.nan
    model = Model(LogisticRegression()).fit(X, labels)
    seen = codes != 1
    accuracies = [
        accuracy_score(labels[seen, 0], model.predict(X)[seen, 0]),
        accuracy_score(labels[:, 1], model.predict(X)[:, 1]),
    ]
    assert model.score(X, labels) == np.mean(accuracies)
    assert [each.shape for each in model.predict_proba(X)] == [(60, 2)] * 2
    assert [each.tolist() for each in model.classes_] == [[0, 1]] * 2


def test_string_classes_may_be_missing_in_columns(rows):
    X, _, codes = rows
    words = np.where(X[:, :2] > 0, "yes", "no").astype(object)
    words[codes == 1, 0] = None
    model = IndependentTasks(LogisticRegression()).fit(X, words)
    alone = LogisticRegression().fit(X[codes != 1], words[codes != 1, 0].astype(str))
    assert_array_equal(model.predict(X)[:, 0], alone.predict(X))
    numbers = np.where(words == "yes", 1, words)
    numbers = np.where(numbers == "no", 0, numbers)
    model.fit(X, numbers)
    assert model.predict(X).dtype.kind == "i"


@BOTH
def test_methods_and_tags_are_those_of_the_inner_estimator(Model):
    assert is_regressor(Model())
    assert Model().__sklearn_tags__().target_tags.multi_output
    assert not Model(task_column=0).__sklearn_tags__().target_tags.multi_output
    assert is_classifier(Model(LogisticRegression()))
    assert hasattr(Model(LogisticRegression()), "predict_proba")
    assert not hasattr(Model(), "predict_proba")
    assert (
        Model(HistGradientBoostingRegressor()).__sklearn_tags__().input_tags.allow_nan
    )


def test_score_averages_the_columns_with_labels(rows):
    X, y, codes = rows
    Y = np.column_stack([y, np.where(codes == 1, y, np.nan), np.full(60, np.nan)])
    Y[0, 2] = 1.0
    model = IndependentTasks().fit(X, Y)
    weight = np.arange(1.0, 61)
    prediction, own = model.predict(X), codes == 1
    expected = [
        r2_score(y, prediction[:, 0], sample_weight=weight),
        r2_score(y[own], prediction[own, 1], sample_weight=weight[own]),
    ]
    assert model.score(X, Y, sample_weight=weight) == pytest.approx(np.mean(expected))


def test_score_needs_labels(rows):
    X, y, _ = rows
    Y = np.column_stack([y, y])
    for model in (IndependentTasks(), IndependentTasks(LogisticRegression())):
        model.fit(X, Y > 0)
        with pytest.raises(ValueError, match=r"must have a(n observed value| label)"):
            model.score(X, np.full((60, 2), np.nan))
        with pytest.raises(ValueError, match=r"same shape|one column per task"):
            model.score(X, np.column_stack([y, y, y]))


def test_accuracy_is_averaged_with_weights(rows):
    X, y, codes = rows
    labels = np.column_stack([X[:, 0] > 0, y > 1]).astype(object)
    labels[codes == 1, 0] = None
    model = IndependentTasks(LogisticRegression()).fit(X, labels)
    weight, seen = np.arange(60.0), codes != 1
    prediction = model.predict(X)
    first, second = labels[seen, 0].astype(bool), labels[:, 1].astype(bool)
    expected = [
        accuracy_score(first, prediction[seen, 0], sample_weight=weight[seen]),
        accuracy_score(second, prediction[:, 1], sample_weight=weight),
    ]
    assert model.score(X, labels, weight) == pytest.approx(np.mean(expected))


def test_masked_targets_are_not_observed(rows):
    X, y, codes = rows
    Y = np.column_stack([y, y])
    hidden = np.column_stack([codes == 0, codes == 1])
    masked = IndependentTasks().fit(X, np.ma.array(Y, mask=hidden))
    missing = IndependentTasks().fit(X, np.where(hidden, np.nan, Y))
    assert_array_equal(masked.predict(X), missing.predict(X))


@BOTH
def test_tasks_are_given_once(rows, Model):
    X, y, codes = rows
    with pytest.raises(ValueError, match=r"one way, got both task= and task_column=0"):
        Model(task_column=0).fit(X, y, task=codes)
    with pytest.raises(ValueError, match=r"y must be 1-d when.*got shape \(60, 2\)"):
        Model().fit(X, np.column_stack([y, y]), task=codes)


@BOTH
def test_predict_needs_tasks_in_the_layout_of_fit(rows, Model):
    X, y, codes = rows
    with pytest.raises(ValueError, match=r"fitted with task=.*set task_column"):
        Model().fit(X, y, task=codes).predict(X)
    with pytest.raises(
        ValueError, match="only if it was given to fit, which had a 1-d y"
    ):
        Model().fit(X, y).predict(X, task=codes)
    with pytest.raises(NotFittedError):
        Model().predict(X)
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        data = as_pandas(X, codes)
        Model(task_column="school").fit(data, y).predict(data[:0])


@BOTH
def test_weights_need_an_estimator_that_accepts_them(rows, Model):
    X, y, _ = rows
    for inner in (KNeighborsRegressor(), make_pipeline(PCA(), KNeighborsRegressor())):
        with pytest.raises(ValueError, match=r"fit accepts it.*leave out sample"):
            Model(inner).fit(X, y, sample_weight=np.ones(60))


@BOTH
def test_weights_reach_into_pipelines_and_searches(rows, Model):
    X, y, _ = rows
    weight = np.arange(1.0, 61)
    pipeline = make_pipeline(StandardScaler(with_std=False), Ridge(2.0))
    search = GridSearchCV(pipeline, {"ridge__alpha": [2.0]})
    expected = clone(pipeline).fit(X, y, ridge__sample_weight=weight).predict(X)
    assert_allclose(Model(pipeline).fit(X, y, weight).predict(X), expected)
    assert_allclose(Model(search).fit(X, y, weight).predict(X), expected)


@BOTH
def test_weights_are_routed_as_requested(rows, Model):
    X, y, _ = rows
    weight = np.arange(1.0, 61)
    expected = Ridge().fit(X, y, sample_weight=weight).predict(X)
    with config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(Ridge().set_fit_request(sample_weight=True))
        assert_allclose(Model(pipeline).fit(X, y, weight).predict(X), expected)


@BOTH
def test_weights_must_be_weights(rows, Model):
    X, y, codes = rows
    with pytest.raises(ValueError, match="at least one non-zero number"):
        Model().fit(X, y, sample_weight=np.zeros(60), task=codes)


@BOTH
def test_targets_must_be_finite(rows, Model):
    X, y, codes = rows
    with pytest.raises(ValueError, match="Input y contains NaN"):
        Model().fit(X, np.where(y > 0, y, np.nan), task=codes)
    with pytest.raises(ValueError, match="Input y contains infinity"):
        Model().fit(X, np.column_stack([y, np.where(y > 0, y, np.inf)]))
    with pytest.raises(ValueError, match="y must have an observed value"):
        Model().fit(X, np.full((60, 2), np.nan))


@BOTH
def test_a_target_of_one_column_is_raveled(rows, Model):
    X, y, _ = rows
    with pytest.warns(DataConversionWarning):
        model = Model().fit(X, y[:, None])
    assert model.predict(X).shape == (60,)


@BOTH
def test_columns_of_targets_have_names_of_their_own(rows, Model):
    X, y, _ = rows
    Y = pd.DataFrame(np.column_stack([y, y]), columns=["u", "u"])
    with pytest.raises(ValueError, match=r"different names, got twice: \['u'\]"):
        Model().fit(X, Y)


@BOTH
def test_parameters_are_checked_by_fit(rows, Model):
    X, y, _ = rows
    with pytest.raises(ValueError, match="'estimator' parameter"):
        Model(StandardScaler()).fit(X, y)
    with pytest.raises(ValueError, match="'task_column' parameter"):
        Model(task_column=1.5).fit(X, y)


@pytest.mark.full
@each_table
def test_a_search_reaches_the_inner_parameters(rows, table, column):
    X, y, codes = rows
    grid = {"estimator__alpha": [0.1, 1000.0]}
    model = IndependentTasks(Ridge(), task_column=column)
    search = GridSearchCV(model, grid, cv=KFold(4), scoring="r2")
    search.fit(table(X, codes), y)
    assert search.best_params_ == {"estimator__alpha": 0.1}
    assert search.score(table(X, codes), y) > 0.9


@BOTH
def test_models_are_cloned_and_pickled(rows, Model):
    X, y, codes = rows
    model = Model(task_column="school").fit(as_pandas(X, codes), y)
    copy = pickle.loads(pickle.dumps(model))
    expected = model.predict(as_pandas(X, codes))
    assert_array_equal(copy.predict(as_pandas(X, codes)), expected)
    assert clone(model).get_params() == model.get_params()


@BOTH
def test_task_is_requested_by_default(rows, Model):
    X, y, codes = rows
    with config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(StandardScaler(), Model())
        pipeline.fit(X, y, task=codes)
        answer = pipeline.predict(X, task=codes)
        assert pipeline.score(X, y, task=codes) == r2_score(y, answer)


@BOTH
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_columns_are_found_by_position_when_names_are_lost(rows, Model):
    X, y, codes = rows
    model = Model(task_column="school").fit(as_pandas(X, codes), y)
    expected = model.predict(as_pandas(X, codes))
    assert_allclose(model.predict(as_objects(X, codes)), expected)


@each_frame
def test_meta_estimators_take_frames(rows, frame):
    X, y, codes = rows
    data = frame(X, codes)
    members = [
        ("apart", IndependentTasks(task_column="school")),
        ("pooled", PooledTasks(task_column="school", task_intercepts=True)),
    ]
    for Meta in (VotingRegressor, StackingRegressor):
        assert Meta(members).fit(data, y).score(data, y) > 0.9


@each_table
def test_a_pipeline_scales_everything_but_the_task(rows, table, column):
    X, y, codes = rows
    data = table(X, codes)
    pipeline = make_task_pipeline(
        StandardScaler(with_mean=table is not as_csr),
        FunctionTransformer(),
        IndependentTasks(),
        task_column=column,
    )
    scale = X.std(axis=0)
    expected = ridge_per_task(X / scale, y, codes)
    tolerance = {as_csr: 1e-3}.get(table, 1e-10)  # Ridge on sparse X: tol=1e-4
    pipeline.fit(data, y)
    assert_allclose(pipeline.predict(data), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("frame", [as_pandas, as_category, as_polars])
@pytest.mark.parametrize("column", ["school", 1, -3])
def test_a_frame_keeps_its_library_and_its_task_column(rows, frame, column):
    X, _, codes = rows
    data = frame(X, codes)
    out = TaskAware(StandardScaler(), task_column=column).fit(data).transform(data)
    assert type(out) is type(data)
    assert list(out.columns) == ["a", "b", "c", "school"]
    assert out["school"].dtype == data["school"].dtype
    assert out["school"].to_list() == LABELS[codes].tolist()
    scaled = StandardScaler().fit_transform(X)
    assert_allclose(out[["a", "b", "c"]].to_numpy(), scaled)


def test_an_index_is_kept(rows):
    X, _, codes = rows
    for data in (as_level(X, codes), as_pandas(X, codes)):
        for inner in (StandardScaler(), Halve()):
            out = TaskAware(inner, task_column="school").fit_transform(data)
            assert out.index.equals(data.index)
            assert out.shape == data.shape


@pytest.mark.parametrize("library", ["pandas", "polars"])
@each_table
def test_set_output_chooses_the_library(rows, table, column, library):
    X, _, codes = rows
    data = table(X, codes)
    dense = data.toarray() if table is as_csr else data
    aware = TaskAware(StandardScaler(), task_column=column)
    aware.set_output(transform=library)
    out = clone(aware).fit(dense).transform(dense)
    assert type(out) is {"pandas": pd.DataFrame, "polars": pl.DataFrame}[library]
    again = TaskAware(StandardScaler(), task_column=column).fit(dense)
    again = again.set_output(transform=library).transform(dense)
    assert again.equals(out)
    assert list(out.columns) == list(again.columns)


def test_the_global_configuration_is_followed(rows):
    X, _, codes = rows
    data = as_numbers(X, codes)
    with config_context(transform_output="pandas"):
        out = TaskAware(StandardScaler(), task_column=1).fit_transform(data)
    assert list(out.columns) == ["x0", "x1", "x2", "task"]


def test_a_transformer_may_not_support_frames(rows):
    X, _, codes = rows
    for frame in (as_pandas, as_polars):
        data = frame(X, codes)
        out = TaskAware(Halve(), task_column="school").fit(data).transform(data)
        assert list(out.columns) == ["x0", "x1", "x2", "school"]
        assert_allclose(out[["x0", "x1", "x2"]].to_numpy(), X / 2)


def test_arrays_get_the_task_last(rows):
    X, _, codes = rows
    scaled = StandardScaler().fit_transform(X)
    numbers = TaskAware(StandardScaler(), task_column=1).fit_transform(
        as_numbers(X, codes)
    )
    assert_allclose(numbers, np.column_stack([scaled, codes]))
    objects = TaskAware(StandardScaler(), task_column=1).fit_transform(
        as_objects(X, codes)
    )
    assert objects.dtype == object
    assert objects[:, -1].tolist() == LABELS[codes].tolist()
    encoder = OneHotEncoder(handle_unknown="ignore")
    out = TaskAware(encoder, task_column=1).fit_transform(as_numbers(X, codes))
    assert out.format == "csr"
    assert_array_equal(out[:, [-1]].toarray().ravel(), codes)


def test_sparse_output_cannot_be_a_frame(rows):
    X, _, codes = rows
    encoder = TaskAware(OneHotEncoder(), task_column="school")
    with pytest.raises(ValueError, match="sparse_output=False"):
        encoder.set_output(transform="pandas").fit_transform(as_pandas(X, codes))
    plain = TaskAware(Sparsify(), task_column="school")
    with pytest.raises(ValueError, match="Sparsify must return a dense array"):
        plain.set_output(transform="polars").fit_transform(as_polars(X, codes))


def test_transformers_may_use_the_target(rows):
    X, y, codes = rows
    data = as_pandas(X, codes)
    best = TaskAware(SelectKBest(f_regression, k=1), task_column="school")
    assert best.fit(data, y).get_feature_names_out().tolist() == ["a", "school"]


def test_a_target_encoder_is_cross_fitted(rows):
    X, y, codes = rows
    data = as_pandas(np.sign(X), codes)
    encoder = TaskAware(TargetEncoder(target_type="continuous"), task_column="school")
    assert encoder.fit_transform(data, y)["a"].nunique() > 2
    assert encoder.transform(data)["a"].nunique() == 2


def test_a_transformed_column_with_the_name_of_the_task_is_refused(rows):
    X, _, codes = rows
    namer = FunctionTransformer(
        feature_names_out=lambda self, names: ["school", "b", "c"]
    )
    with pytest.raises(ValueError, match=r"must not have columns.*'school'"):
        TaskAware(namer, task_column="school").fit_transform(as_pandas(X, codes))


def test_names_out_follow_the_names_in(rows):
    X, _, codes = rows
    aware = TaskAware(StandardScaler(), task_column=1).fit(as_numbers(X, codes))
    assert aware.get_feature_names_out(list("pqrs")).tolist() == ["p", "r", "s", "task"]
    level = TaskAware(PCA(), task_column="school").fit(as_level(X, codes))
    assert level.get_feature_names_out().tolist() == ["pca0", "pca1", "pca2"]


def test_a_pipeline_is_named_as_by_scikit_learn():
    pipeline = make_task_pipeline(
        StandardScaler(),
        "passthrough",
        PCA(),
        IndependentTasks(),
        task_column=3,
        memory="somewhere",
        verbose=True,
    )
    names = ["standardscaler", "passthrough", "pca", "independenttasks"]
    assert list(pipeline.named_steps) == names
    assert pipeline[0].task_column == 3
    assert pipeline[2].task_column == pipeline[3].task_column == -1
    assert (pipeline.memory, pipeline.verbose) == ("somewhere", True)


def test_a_pipeline_wraps_only_transformers_without_a_task_column():
    own = IndependentTasks(task_column="own")
    assert make_task_pipeline(own, task_column="school")[-1].task_column == "own"
    last = make_task_pipeline(StandardScaler(), PCA(), task_column="school")[-1]
    assert isinstance(last, TaskAware)
    aware = TaskAware(PCA(), task_column=0)
    pipeline = make_task_pipeline(aware, PooledTasks(), task_column=0)
    assert (pipeline[0].task_column, pipeline[1].task_column) == (0, -1)


def test_a_pipeline_refuses_a_last_step_that_takes_the_task_for_a_feature():
    with pytest.raises(ValueError, match=r"got Ridge, .* Use PooledTasks\(Ridge\(\)\)"):
        make_task_pipeline(StandardScaler(), Ridge(), task_column="school")


@pytest.mark.parametrize(
    "search",
    [
        PathSearchCV(MeanRegularizedRegressor(), alphas=[1.0]),
        GridSearchCV(MeanRegularizedRegressor(), {"alpha": [1.0, 10.0]}),
    ],
    ids=lambda search: type(search).__name__,
)
def test_a_pipeline_declares_the_tasks_of_the_model_in_a_search(rows, search):
    X, y, codes = rows
    pipeline = make_task_pipeline(StandardScaler(), search, task_column="school")
    pipeline.fit(as_pandas(X, codes), y)
    assert pipeline[-1].best_estimator_.n_tasks_ == len(np.unique(codes))
    assert search.estimator.task_column is None


def test_a_pipeline_does_not_change_its_arguments():
    model = IndependentTasks()
    make_task_pipeline(StandardScaler(), model, task_column="school")
    assert model.task_column is None


AROUND = [*FRAMES, as_objects, as_numbers]


@pytest.mark.full
@pytest.mark.parametrize("table", AROUND)
@BOTH
def test_tools_that_pass_only_X_and_y_work(rows, table, Model):
    X, y, codes = rows
    data = table(X, codes)
    column = "school" if table in FRAMES else 1
    pipeline = make_task_pipeline(
        SimpleImputer(), StandardScaler(), Model(Ridge()), task_column=column
    )
    name = pipeline.steps[-1][0]
    grid = {
        f"{name}__estimator__alpha": [0.1, 1.0],
        "standardscaler__transformer__with_mean": [True, False],
    }
    search = GridSearchCV(pipeline, grid, cv=2, scoring="r2", n_jobs=1).fit(data, y)
    assert search.predict(data).shape == (60,)
    scoring = ["r2", "neg_mean_squared_error"]
    scores = cross_validate(search, data, y, scoring=scoring, cv=2)
    assert np.isfinite(scores["test_r2"]).all()
    assert cross_val_predict(pipeline, data, y, cv=2).shape == (60,)
    sizes = {"train_sizes": [20, 30], "cv": 2}
    assert learning_curve(pipeline, data, y, **sizes)[1].shape == (2, 2)


@pytest.mark.parametrize("table", [as_pandas, as_category, as_level, as_objects])
def test_importances_count_the_task_column(rows, table):
    X, y, codes = rows
    data = table(X, codes)
    column = 1 if table is as_objects else "school"
    pipeline = make_task_pipeline(
        StandardScaler(), IndependentTasks(), task_column=column
    )
    found = permutation_importance(pipeline.fit(data, y), data, y, n_repeats=2)
    assert found.importances_mean.shape == (data.shape[1],)


def test_importances_work_on_polars(rows):
    X, y, codes = rows
    data = as_polars(X, codes)
    pipeline = make_task_pipeline(
        StandardScaler(), IndependentTasks(), task_column="school"
    ).fit(data, y)
    # scikit-learn converts polars frames to arrays, and warns.
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        found = permutation_importance(pipeline, data, y, n_repeats=2, random_state=0)
    frame = as_pandas(X, codes)
    expected = permutation_importance(
        pipeline.fit(frame, y), frame, y, n_repeats=2, random_state=0
    )
    assert_allclose(found.importances, expected.importances)


def test_partial_dependence_takes_the_task_column(rows):
    X, y, codes = rows
    data = as_pandas(X, codes)
    model = make_task_pipeline(
        StandardScaler(), IndependentTasks(), task_column="school"
    ).fit(data, y)
    found = partial_dependence(model, data, ["school"], categorical_features=["school"])
    assert found["grid_values"][0].tolist() == LABELS.tolist()


@pytest.mark.full
def test_jobs_may_run_in_a_search(rows):
    X, y, codes = rows
    model = IndependentTasks(DummyRegressor(), task_column="school", n_jobs=2)
    scores = cross_val_score(model, as_pandas(X, codes), y, cv=3, n_jobs=2)
    assert np.isfinite(scores).all()


BOOSTING = {"max_iter": 5, "min_samples_leaf": 3, "random_state": 0}


@pytest.mark.parametrize(
    "check",
    [
        checks.check_set_output_transform,
        checks.check_set_output_transform_pandas,
        checks.check_set_output_transform_polars,
        checks.check_global_output_transform_pandas,
        checks.check_global_set_output_transform_polars,
        checks.check_transformer_get_feature_names_out,
        checks.check_transformer_get_feature_names_out_pandas,
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_conventions_of_transformers_hold(check):
    check("TaskAware", TaskAware(StandardScaler(), task_column=0))


def test_classifiers_may_split_missing_values(rows):
    X, y, codes = rows
    data = as_pandas(X, codes)
    data.loc[data["a"] > 1, "a"] = np.nan
    inner = HistGradientBoostingClassifier(**BOOSTING)
    model = IndependentTasks(inner, task_column="school").fit(data, y > 1)
    assert model.score(data, y > 1) > 0.8


@pytest.mark.parametrize("scaler", [StandardScaler(), "passthrough"])
def test_a_pipeline_predicts_the_intervals_of_its_last_step(scaler):
    rng = np.random.default_rng(0)
    X, task = rng.normal(2.0, 3.0, size=(40, 2)), np.arange(40) % 4
    counts = rng.poisson(2.0, size=40)
    table = np.column_stack([task, X])
    scaled = make_pipeline(scaler, "passthrough").fit_transform(X)
    for model in (MeanRegularizedRegressor(), MeanRegularizedPoissonRegressor()):
        pipeline = make_task_pipeline(scaler, model, task_column=0)
        pipeline.fit(table, counts)
        model.fit(scaled, counts, task=task)
        found = pipeline.predict_interval(table, coverage=0.7)
        assert_allclose(found, model.predict_interval(scaled, 0.7, task=task))
    given = {"exposure": np.full(40, 2.0)}
    found = pipeline.predict_mean_interval(table, **given)
    assert_allclose(found, model.predict_mean_interval(scaled, task=task, **given))
    found = pipeline.predict_interval(table, 0.8, exposure=given["exposure"])
    assert_allclose(found, model.predict_interval(scaled, 0.8, task=task, **given))
    plain = make_task_pipeline(scaler, IndependentTasks(Ridge()), task_column=0)
    assert not hasattr(plain, "predict_interval")
    with pytest.raises(NotFittedError):
        clone(pipeline).predict_interval(table)


@pytest.mark.parametrize("method", ["predict_interval", "predict_mean_interval"])
def test_intervals_have_the_same_arguments_in_every_class(method):
    names = ["self", "X", "coverage", "task", "exposure"]
    found = [
        list(inspect.signature(getattr(each, method)).parameters)
        for each in (
            type(make_task_pipeline(IndependentTasks(), task_column=0)),
            ConformalTasks,
            MeanRegularizedRegressor,
            MeanRegularizedClassifier,
            MeanRegularizedPoissonRegressor,
        )
        if method in dir(each)
    ]
    assert found[0] == names
    assert all(each == names[: len(each)] for each in found)
