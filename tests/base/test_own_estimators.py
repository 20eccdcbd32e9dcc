"""A relation and its estimators, written here, are complete scikit-learn estimators."""

import pickle
from dataclasses import dataclass

import numpy as np
import pytest
import sklearn
from numpy.linalg import norm
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import Lasso, LogisticRegression, PoissonRegressor
from sklearn.metrics import accuracy_score, d2_tweedie_score, r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.utils import get_tags
from sklearn.utils.fixes import parse_version

from skmtl._contracts import PenalizedRelation
from skmtl.base import (
    CLASSIFIER_CONSTRAINTS,
    COMMON_CONSTRAINTS,
    ITERATIVE_CONSTRAINTS,
    PATH_CONSTRAINTS,
    POSITIVE,
    SOLVER_CONSTRAINTS,
    LinearClassifier,
    LinearCountRegressor,
    LinearRegressor,
    MomentRegressor,
    TaskModel,
)
from skmtl.losses import Huber
from skmtl.penalties import L1
from skmtl.selection import PathGrid, PathSearch
from skmtl.solvers import Fista
from skmtl.targets import NumericTarget

TIGHT = {"tol": 1e-10, "max_iter": 50_000}


@dataclass(frozen=True)
class FewFeatures(PenalizedRelation):
    """Each task uses few features."""

    penalty: L1

    def solver(self, loss, tol, max_iter):
        return Fista(tol, max_iter or 10_000)

    def report(self, fit, tasks):
        return {"n_used_": np.count_nonzero(fit.coef)}

    def report_coef(self, fit):
        return {"coef_copy_": fit.coef[:, None]}


class SparseRegressor(MomentRegressor):
    """Linear tasks that each use few features.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty.
    """

    _parameter_constraints = {"alpha": POSITIVE, **ITERATIVE_CONSTRAINTS}

    def __init__(
        self,
        alpha=1.0,
        *,
        fit_intercept=True,
        task_column=None,
        handle_unknown="shared",
        task_weight=None,
        tol=1e-6,
        max_iter=None,
        warm_start=False,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _relation(self, tasks):
        return FewFeatures(L1(self.alpha))


class SparseHuber(LinearRegressor):
    """The same relation, with a target of another loss."""

    _parameter_constraints = SparseRegressor._parameter_constraints
    __init__ = SparseRegressor.__init__
    _relation = SparseRegressor._relation

    def _target(self):
        return NumericTarget(Huber())


class SparseCounts(LinearCountRegressor):
    """The same relation of counts."""

    _parameter_constraints = SparseRegressor._parameter_constraints
    __init__ = SparseRegressor.__init__
    _relation = SparseRegressor._relation


class SparseClassifier(LinearClassifier):
    """The same relation of two classes."""

    _parameter_constraints = {"alpha": POSITIVE, **CLASSIFIER_CONSTRAINTS}
    _takes_two_classes = True

    def __init__(
        self,
        alpha=0.1,
        *,
        class_scope="all",
        class_weight=None,
        fit_intercept=True,
        task_column=None,
        handle_unknown="shared",
        task_weight=None,
        tol=1e-6,
        max_iter=None,
        warm_start=False,
    ):
        self.alpha = alpha
        self.class_scope = class_scope
        self.class_weight = class_weight
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _relation(self, tasks):
        return FewFeatures(L1(self.alpha))


class SparseRegressorCV(LinearRegressor):
    """The same relation, its strength chosen by folds."""

    _parameter_constraints = {
        **PATH_CONSTRAINTS,
        **SOLVER_CONSTRAINTS,
        **COMMON_CONSTRAINTS,
    }

    def __init__(
        self,
        alphas=None,
        *,
        cv=3,
        fit_intercept=True,
        task_column=None,
        handle_unknown="shared",
        task_weight=None,
        tol=1e-6,
        max_iter=None,
    ):
        self.alphas = alphas
        self.cv = cv
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.tol = tol
        self.max_iter = max_iter

    def _relation(self, tasks):
        def relation_at(alpha, tasks):
            return FewFeatures(L1(alpha))

        return PathSearch(relation_at, PathGrid(self.alphas, 10, 1e-3), self.cv, False)


rng = np.random.default_rng(0)
TASK = rng.permutation(np.repeat(["ann", "bob", "cid"], 40))
CODE = np.searchsorted(["ann", "bob", "cid"], TASK)
X = rng.normal(size=(120, 4))
SCORE = X[:, 0] + np.array([0.5, -0.5, 1.0])[CODE] * X[:, 1] + 0.3 * CODE
NUMBERS = SCORE + 0.5 * rng.normal(size=120)
COUNTS = rng.poisson(np.exp(0.5 * SCORE))
CLASSES = np.where(SCORE + rng.logistic(size=120) > 0, "yes", "no")
MODELS = {
    "regressor": (SparseRegressor(0.1), NUMBERS),
    "Huber": (SparseHuber(0.1), NUMBERS),
    "counts": (SparseCounts(0.1), COUNTS),
    "classifier": (SparseClassifier(0.02), CLASSES),
    "search": (SparseRegressorCV([1e-3, 0.03, 1.0]), NUMBERS),
}
each_model = pytest.mark.parametrize(("model", "y"), MODELS.values(), ids=MODELS.keys())


def fitted(model, y, **params):
    return clone(model).set_params(**params).fit(X, y, task=TASK)


# -- what it learns is the formula's, by scikit-learn


def test_each_task_of_shared_rows_is_a_lasso():
    Y = np.stack([NUMBERS, SCORE, SCORE - NUMBERS], axis=1)
    model = SparseRegressor(0.1, **TIGHT).fit(X, Y)
    lasso = Lasso(0.1, tol=1e-12, max_iter=100_000).fit(X, Y)
    assert_allclose(model.coef_, lasso.coef_, atol=1e-6)
    assert_allclose(model.intercept_, lasso.intercept_, atol=1e-6)
    assert model.n_used_ == np.count_nonzero(lasso.coef_)


def test_a_single_task_of_classes_without_penalty_is_a_logistic_regression():
    model = SparseClassifier(1e-9, **TIGHT).fit(X, CLASSES)
    peer = LogisticRegression(C=1e8, tol=1e-10, max_iter=1000).fit(X, CLASSES)
    assert_allclose(model.coef_, peer.coef_, atol=1e-5)
    assert_allclose(model.intercept_, peer.intercept_, atol=1e-5)
    assert_allclose(model.predict_proba(X), peer.predict_proba(X), atol=1e-5)


def test_a_single_task_of_counts_without_penalty_is_a_poisson_regression():
    model = SparseCounts(1e-9, **TIGHT).fit(X, COUNTS)
    peer = PoissonRegressor(alpha=0.0, tol=1e-10, max_iter=1000).fit(X, COUNTS)
    assert_allclose(model.coef_, peer.coef_, atol=1e-5)
    assert_allclose(model.predict(X), peer.predict(X), rtol=1e-4)


def test_a_search_has_the_model_of_its_best_strength():
    search = fitted(MODELS["search"][0], NUMBERS)
    scores = search.cv_results_["mean_test_score"]
    assert search.best_score_ == pytest.approx(max(scores))
    given = fitted(SparseRegressor(search.alpha_), NUMBERS)
    assert_allclose(search.coef_, given.coef_, atol=1e-5)


# -- hooks


@each_model
def test_the_relation_adds_attributes_and_parts_of_coefficients(model, y):
    model = fitted(model, y)
    assert model.n_used_ == np.count_nonzero(model.coef_)
    assert_allclose(model.coef_copy_.reshape(model.coef_.shape), model.coef_)


@pytest.mark.parametrize(
    ("Model", "missing"), [(TaskModel, "_target"), (LinearRegressor, "_relation")]
)
def test_a_class_without_its_hooks_cannot_be_made(Model, missing):
    with pytest.raises(TypeError, match=missing):
        Model()


def test_the_target_chooses_the_loss():
    y = np.where(np.arange(120) % 20 == 0, 15 * X[:, 2], NUMBERS)
    clean = fitted(SparseHuber(0.1), NUMBERS).coef_
    squared, robust = (fitted(M(0.1), y).coef_ for M in (SparseRegressor, SparseHuber))
    assert norm(robust - clean) < norm(squared - clean) / 3


def test_units_matter_only_to_relations_that_share(monkeypatch):
    y = NUMBERS * np.where(TASK == "ann", 1000, 1)
    with pytest.warns(UserWarning, match="in task 'ann' and"):
        fitted(SparseRegressor(), y)
    monkeypatch.setattr(FewFeatures, "is_shared", False)
    assert fitted(SparseRegressor(), y).coef_.shape == (3, 4)


def test_intercepts_that_are_penalised_need_no_pseudo_rows(monkeypatch):
    y, is_ann = np.where(TASK == "ann", "no", CLASSES), TASK == "ann"
    smoothed = fitted(SparseClassifier(), y).predict_proba(X, task=TASK)[is_ann, 1]
    n, share = is_ann.sum(), np.mean(y == "yes")
    assert smoothed.sum() == pytest.approx(n * share / (n + 1), rel=1e-3)
    monkeypatch.setattr(FewFeatures, "penalizes_intercepts", True)
    plain = fitted(SparseClassifier(), y).predict_proba(X, task=TASK)[is_ann, 1]
    assert plain.sum() < 1e-3 * smoothed.sum()


def test_more_classes_than_two_are_refused_where_the_class_says_so():
    y = np.where(SCORE > 1, "maybe", CLASSES)
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        fitted(SparseClassifier(), y)
    assert not get_tags(SparseClassifier()).classifier_tags.multi_class


@pytest.mark.parametrize("name", ["regressor", "Huber", "counts", "classifier"])
def test_a_fit_that_stops_early_warns_with_the_tolerance(name):
    model, y = MODELS[name]
    with pytest.warns(ConvergenceWarning, match=r"above tol=1\.0e-12"):
        fitted(model, y, tol=1e-12, max_iter=1)


@each_model
def test_parameters_are_checked_by_fit(model, y):
    with pytest.raises(ValueError, match="'handle_unknown' parameter"):
        fitted(model, y, handle_unknown="mean")


# -- predictions


@each_model
def test_rows_of_unseen_tasks_are_predicted_with_the_shared_part(model, y):
    model = fitted(model, y)
    found = model.predict(X[:5], task=["eve"] * 5)
    raw = X[:5] @ model.coef_shared_ + model.intercept_shared_
    if type(model).__name__ == "SparseClassifier":
        assert_array_equal(found, np.where(raw > 0, "yes", "no"))
    else:
        expected = np.exp(raw) if type(model).__name__ == "SparseCounts" else raw
        assert_allclose(found, expected, rtol=1e-12)


@each_model
def test_unseen_tasks_are_refused_where_the_user_says_so(model, y):
    model = fitted(model, y, handle_unknown="error")
    with pytest.raises(ValueError, match=r"labels not seen in fit: \['eve'\]"):
        model.predict(X[:5], task=["eve"] * 5)


@each_model
def test_a_task_column_is_the_same_as_labels(model, y):
    labels = fitted(model, y)
    table = np.column_stack([X, CODE])
    column = clone(model).set_params(task_column=4).fit(table, y)
    assert_allclose(column.coef_, labels.coef_)
    assert_array_equal(column.predict(table), labels.predict(X, task=TASK))


@each_model
def test_scores_are_those_of_scikit_learn_with_weights(model, y):
    weight = np.random.default_rng(1).uniform(size=120)
    model = fitted(model, y)
    found = model.predict(X, task=TASK)
    metric = {
        "SparseClassifier": accuracy_score,
        "SparseCounts": lambda *args, **kw: d2_tweedie_score(*args, power=1, **kw),
    }.get(type(model).__name__, r2_score)
    expected = metric(y, found, sample_weight=weight)
    assert model.score(X, y, weight, task=TASK) == pytest.approx(expected)


def test_exposures_multiply_means_and_scores_are_of_counts():
    exposure = np.random.default_rng(1).uniform(0.5, 2.0, size=120)
    model = SparseCounts(0.05).fit(X, COUNTS, task=TASK, exposure=exposure)
    mean = model.predict(X, task=TASK, exposure=exposure)
    assert_allclose(mean, exposure * model.predict(X, task=TASK))
    rate = COUNTS.sum() / exposure.sum()
    deviance = [
        (
            2
            * (
                np.where(COUNTS > 0, COUNTS * np.log(COUNTS.clip(1) / mu), 0)
                - COUNTS
                + mu
            )
        )
        for mu in (mean, rate * exposure)
    ]
    expected = 1 - deviance[0].sum() / deviance[1].sum()
    found = model.score(X, COUNTS, task=TASK, exposure=exposure)
    assert found == pytest.approx(expected)


@each_model
def test_a_model_must_be_fitted_to_predict(model, y):
    with pytest.raises(NotFittedError):
        clone(model).predict(X, task=TASK)


# -- batches


def test_batches_give_the_model_of_all_rows():
    whole = fitted(SparseRegressor(0.1, **TIGHT), NUMBERS)
    batches = SparseRegressor(0.1, **TIGHT)
    for part in np.split(np.random.default_rng(1).permutation(120), 4):
        batches.partial_fit(X[part], NUMBERS[part], task=TASK[part])
    assert_allclose(batches.coef_, whole.coef_, atol=1e-7)
    assert_array_equal(batches.tasks_, whole.tasks_)


def test_a_batch_after_a_fit_without_moments_is_refused():
    rng = np.random.default_rng(2)
    wide = rng.normal(size=(12, 100))
    model = SparseRegressor(0.1).fit(wide, NUMBERS[:12], task=TASK[:12])
    assert not hasattr(model, "moments_")
    with pytest.raises(ValueError, match="partial_fit must follow partial_fit"):
        model.partial_fit(wide, NUMBERS[:12], task=TASK[:12])


@pytest.mark.parametrize("name", ["Huber", "counts", "classifier", "search"])
def test_only_given_strengths_and_squared_losses_learn_from_batches(name):
    assert not hasattr(MODELS[name][0], "partial_fit")


# -- manners of scikit-learn


@each_model
def test_a_clone_reproduces_the_fit(model, y):
    first, second = fitted(model, y), fitted(clone(fitted(model, y)), y)
    assert_array_equal(first.coef_, second.coef_)


@each_model
def test_a_pickle_predicts_the_same(model, y):
    model = fitted(model, y)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(X, task=TASK), model.predict(X, task=TASK))


@each_model
def test_a_refused_fit_leaves_the_model_as_it_was(model, y):
    model = fitted(model, y)
    before = pickle.dumps(model)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        model.fit(np.full_like(X, np.nan), y, task=TASK)
    assert pickle.dumps(model) == before


@each_model
def test_a_second_fit_forgets_the_first(model, y):
    model = fitted(model, y)
    model.fit(X[:, ::-1], y, task=TASK)
    fresh = clone(model).fit(X[:, ::-1], y, task=TASK)
    assert vars(model).keys() == vars(fresh).keys()
    assert_array_equal(model.coef_, fresh.coef_)


def test_a_warm_start_needs_no_iterations_at_the_optimum():
    model = fitted(SparseHuber(0.1), NUMBERS, warm_start=True)
    first = model.n_iter_
    model.fit(X, NUMBERS, task=TASK)
    assert model.n_iter_ < first


def test_a_grid_search_tunes_its_strength():
    table = np.column_stack([X, CODE])
    model = SparseRegressor(task_column=4)
    found = GridSearchCV(model, {"alpha": [0.1, 100.0]}, cv=3).fit(table, NUMBERS)
    assert found.best_params_ == {"alpha": 0.1}


def test_scikit_learn_knows_the_kind_of_each():
    kinds = {name: is_classifier(model) for name, (model, _) in MODELS.items()}
    assert [name for name, found in kinds.items() if found] == ["classifier"]
    assert all(is_regressor(MODELS[name][0]) for name in kinds if not kinds[name])
    assert get_tags(SparseCounts()).target_tags.positive_only
    assert get_tags(SparseRegressor()).input_tags.sparse
    assert get_tags(SparseRegressor(task_column="shop")).input_tags.categorical


# -- in a notebook


@pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.8"),
    reason="tooltips came with scikit-learn 1.8",
)
def test_the_html_shows_the_docstring_of_a_parameter(monkeypatch):
    monkeypatch.setattr(SparseRegressor, "__module__", "skmtl.linear_model._sparse")
    html = SparseRegressor()._repr_html_()
    assert "param-doc-description" in html
    assert "Strength of the penalty." in html


def test_the_html_links_to_the_page_of_a_class_of_the_package(monkeypatch):
    monkeypatch.setattr(SparseRegressor, "__module__", "skmtl.linear_model._sparse")
    link = "api/generated/skmtl.linear_model.SparseRegressor.html"
    assert link in SparseRegressor()._repr_html_()


def test_the_html_of_a_class_of_a_user_links_to_no_page():
    assert "skmtl.readthedocs.io" not in SparseRegressor()._repr_html_()
