"""Strengths searched on a path: against grid searches, other searches, itself."""

import numpy as np
import pytest
from cases import fold_errors, parametrize
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl.couplings import ToMean
from skmtl.linear_model import (
    ClusteredRegressor,
    DirtyRegressor,
    FusedRegressor,
    GraphRegularizedRegressor,
    JointFeatureRegressor,
    JointFeatureRegressorCV,
    LinearTaskRegressor,
    LowRankRegressor,
    LowRankRegressorCV,
    MeanRegularizedRegressor,
    MultiTaskRidge,
    PathSearchCV,
    RobustRegressor,
)
from skmtl.model_selection import TaskKFold
from skmtl.penalties import L1, L21, Decomposed, Fused, Positive
from skmtl.solvers import Fista

# Grids here have few strengths on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:The error still falls:UserWarning")

SHARP = {"tol": 1e-11}
# Norms of all coefficients, of which the least that leaves none is known.
NORMS = {
    "joint": JointFeatureRegressor(**SHARP),
    "net": JointFeatureRegressor(l1_ratio=0.5, **SHARP),
    "low rank": LowRankRegressor(**SHARP),
    "robust": RobustRegressor(1.5, **SHARP),
    "robust joint": RobustRegressor(1.5, penalty="l21", **SHARP),
    "dirty": DirtyRegressor(1.5, **SHARP),
    "l1": LinearTaskRegressor(L1(), solver=Fista(tol=1e-11)),
    "coupled": LinearTaskRegressor(
        L21(), coupling=ToMean(1.0), solver=Fista(tol=1e-11)
    ),
    "sum": LinearTaskRegressor(Decomposed(L21(1.5), L1()), solver=Fista(tol=1e-11)),
    "positive": LinearTaskRegressor(Positive(L1()), solver=Fista(tol=1e-11)),
}
OTHERS = {
    "squared": LowRankRegressor(squared=True, **SHARP),
    "fused": FusedRegressor(1.0, alpha_l1=0.01, **SHARP),
    "clustered": ClusteredRegressor(2, 1.0, 10.0, **SHARP),
    "scad": JointFeatureRegressor(penalty="scad", **SHARP),
    "graph": GraphRegularizedRegressor("chain", alpha_ridge=0.1),
    "mean": MeanRegularizedRegressor(),
    "ridge": MultiTaskRidge(),
}
MODELS = NORMS | OTHERS
INEXACT = [LowRankRegressor(), FusedRegressor(), DirtyRegressor()]
# One per kind of solver in the short suite.
SHORT = ["joint", "low rank", "coupled", "mean"]
each_model = parametrize("model", MODELS, SHORT)
EDGES = ["chain", [(0, 1), (0, 2), (0, 3)]]
NO_CENTRE = {"alpha_shared": np.inf, "alpha_intercept": 0.0}
OPTIONS = [{}, {"l1_ratio": 0.7}, {"penalty": "linf"}]
each_norm = parametrize("model", NORMS, [*SHORT, "robust", "dirty"])


def rows(n_features=4, sizes=(30, 12, 41, 25), seed=0):
    rng = np.random.default_rng(seed)
    task = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    X = rng.normal(1, 1, (len(task), n_features))
    coef = np.zeros((len(sizes), n_features))
    coef[:, :2] = rng.normal(1, 0.5, (len(sizes), 2))
    return X, (X * coef[task]).sum(axis=1) + task + rng.normal(size=len(task)), task


def outputs(n_features=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(1, 1, (50, n_features))
    return X, X[:, :2] @ rng.normal(1, 0.5, (2, 4)) + rng.normal(size=(50, 4))


@each_model
def test_scores_are_those_of_a_grid_search(model):
    X, y, task = rows()
    X = np.column_stack([task, X])
    model, cv = clone(model).set_params(task_column=0), TaskKFold(3, task_column=0)
    search = PathSearchCV(model, 4, cv=cv).fit(X, y)
    names, ratios = list(search.best_params_), model.get_params()
    main = ratios[names[0]]
    grid = [
        {
            name: [alpha * ratios[name] / main if k else alpha]
            for k, name in enumerate(names)
        }
        for alpha in search.cv_results_["alpha"]
    ]
    theirs = GridSearchCV(model, grid, cv=cv, scoring="neg_mean_squared_error")
    theirs.fit(X, y)
    for name in ["mean", "std", "split0", "split2"]:
        name = f"{name}_test_score"
        expected = theirs.cv_results_[name]
        assert_allclose(search.cv_results_[name], expected, rtol=1e-4, err_msg=name)
    # Not the position: strengths at which nothing is shrunk have the same score.
    chosen = theirs.cv_results_["mean_test_score"][search.best_index_]
    assert chosen == pytest.approx(theirs.best_score_)
    best = clone(model).set_params(**search.best_params_).fit(X, y)
    assert_allclose(search.predict(X), best.predict(X), rtol=1e-6)
    assert search.score(X, y) == pytest.approx(best.score(X, y))


@each_norm
def test_a_path_begins_where_all_coefficients_are_zero(model):
    X, y, task = rows()
    search = PathSearchCV(model, 2, eps=0.99).fit(X, y, task=task)
    scaled = [
        {
            name: value * alpha / search.alpha_
            for name, value in search.best_params_.items()
        }
        for alpha in search.cv_results_["alpha"]
    ]
    at = clone(model).set_params(**scaled[0]).fit(X, y, task=task)
    below = clone(model).set_params(**scaled[1]).fit(X, y, task=task)
    assert_allclose(at.coef_, 0, atol=1e-6)
    assert np.abs(below.coef_).max() > 1e-4


@parametrize("edges", EDGES, short=EDGES[:1])
def test_a_path_of_jumps_begins_where_there_are_none(edges):
    X, y, task = rows()
    model = FusedRegressor(graph=edges, tol=1e-9)
    alphas = PathSearchCV(model, 2, eps=0.9).fit(X, y, task=task).cv_results_["alpha"]
    at, below = (FusedRegressor(a, graph=edges, tol=1e-9) for a in alphas)
    assert (
        np.ptp(
            at.set_params(alpha_fused=alphas[0] * 1.001).fit(X, y, task=task).coef_,
            axis=0,
        ).max()
        < 1e-9
    )
    assert below.fit(X, y, task=task).segments_.max() == 1


@pytest.mark.full
@parametrize("name", ["squared", "clustered"], short=["squared"])
def test_a_path_without_an_end_begins_at_small_coefficients(name):
    X, y, task = rows()
    search = PathSearchCV(MODELS[name], 20).fit(X, y, task=task)
    assert 0 < search.best_index_ < 19


@parametrize("n_features", [4, 90], short=[4])
@pytest.mark.parametrize("one", [False, True])
@parametrize("options", OPTIONS, short=OPTIONS[1:2])
def test_it_chooses_as_the_search_of_joint_features_does(n_features, one, options):
    X, y, task = rows(n_features)
    common = {"cv": 3, "one_standard_error": one}
    own = JointFeatureRegressorCV(
        n_alphas=8, eps=1e-2, **NO_CENTRE, **common, **options
    ).fit(X, y, task=task)
    model = JointFeatureRegressor(**options)
    search = PathSearchCV(model, 8, eps=1e-2, **common).fit(X, y, task=task)
    assert_allclose(search.cv_results_["alpha"], own.cv_results_["alpha"])
    assert_allclose(
        -search.cv_results_["split1_test_score"], fold_errors(own)[:, 1], rtol=1e-3
    )
    assert search.alpha_ == pytest.approx(own.alpha_)


@pytest.mark.full
@pytest.mark.parametrize("n_features", [4, 90])
def test_folds_of_rows_are_those_of_moments(n_features):
    """Wide rows are not summed up: a splitter of all rows in one test is the same."""
    X, y, task = rows(n_features)
    splits = list(KFold(3).split(X))
    model = LowRankRegressor(tol=1e-10)
    search = PathSearchCV(model, alphas=[0.3, 0.1], cv=splits).fit(X, y, task=task)
    for k, (train, test) in enumerate(splits):
        at = (
            clone(model).set_params(alpha=0.1).fit(X[train], y[train], task=task[train])
        )
        left = y[test] - at.predict(X[test], task=task[test])
        found = search.cv_results_[f"split{k}_test_score"][1]
        assert -found == pytest.approx(np.mean(left**2), rel=1e-4)


@each_model
def test_layouts_are_the_same(model):
    X, Y = outputs()
    splits, n_tasks = list(KFold(3).split(X)), Y.shape[1]
    place = np.arange(Y.size).reshape(Y.shape)
    spread = [(place[a].ravel(), place[b].ravel()) for a, b in splits]
    Z, task = np.repeat(X, n_tasks, axis=0), np.tile(np.arange(n_tasks), len(X))
    wide = PathSearchCV(model, 3, cv=splits).fit(X, Y)
    keyword = PathSearchCV(model, 3, cv=spread).fit(Z, Y.ravel(), task=task)
    column = PathSearchCV(clone(model).set_params(task_column=0), 3, cv=spread)
    column.fit(np.column_stack([task, Z]), Y.ravel())
    for other in (keyword, column):
        for name in ("alpha", "mean_test_score"):
            a, b = other.cv_results_[name], wide.cv_results_[name]
            assert_allclose(a, b, rtol=1e-4)
    assert wide.predict(X).shape == Y.shape
    assert_allclose(keyword.predict(Z, task=task), wide.predict(X).ravel(), atol=1e-4)
    assert column.n_features_in_ == 5


@each_model
def test_weights_and_cells_not_observed_are_those_of_rows(model):
    X, Y = outputs()
    rng = np.random.default_rng(1)
    Y[rng.random(Y.shape) < 0.2] = np.nan
    weight = rng.uniform(0.5, 2, len(X))
    row, task = np.nonzero(~np.isnan(Y))
    fold = np.arange(len(X)) % 3
    parts = [(fold != k, fold == k) for k in range(3)]
    wide = [tuple(map(np.flatnonzero, part)) for part in parts]
    long = [tuple(np.flatnonzero(side[row]) for side in part) for part in parts]
    cells = PathSearchCV(model, 3, cv=wide).fit(X, Y, sample_weight=weight)
    single = PathSearchCV(model, 3, cv=long)
    single.fit(X[row], Y[row, task], sample_weight=weight[row], task=task)
    for name in ("alpha", "mean_test_score"):
        a, b = single.cv_results_[name], cells.cv_results_[name]
        assert_allclose(a, b, rtol=1e-4)
    again = clone(model).set_params(**cells.best_params_)
    again.fit(X, Y, sample_weight=weight)
    assert_array_equal(again.coef_, cells.best_estimator_.coef_)


@each_model
def test_task_weights_count_once(model):
    X, y, task = rows()
    factor = {0: 1.0, 1: 3.0, 2: 0.5, 3: 2.0}
    by_task = PathSearchCV(clone(model).set_params(task_weight=factor), 3)
    by_row = PathSearchCV(model, 3)
    alphas = by_task.fit(X, y, task=task).cv_results_["alpha"]
    by_row.set_params(alphas=alphas[::-1])
    by_row.fit(X, y, task=task, sample_weight=[factor[t] for t in task])
    for name in ("alpha", "mean_test_score"):
        a, b = by_row.cv_results_[name], by_task.cv_results_[name]
        assert_allclose(a, b, rtol=1e-6)


def test_sparse_rows_are_the_same_as_dense_ones():
    X, y, task = rows()
    X = np.where(X > 1, X, 0.0)
    dense = PathSearchCV(LowRankRegressor(), 4).fit(X, y, task=task)
    thin = PathSearchCV(LowRankRegressor(), 4).fit(sparse.csr_array(X), y, task=task)
    assert_allclose(thin.cv_results_["alpha"], dense.cv_results_["alpha"])
    assert_allclose(thin.best_score_, dense.best_score_, rtol=1e-6)


@pytest.mark.full
def test_one_standard_error_takes_the_largest_that_is_as_good():
    X, y, task = rows()
    least = PathSearchCV(LowRankRegressor(), 20).fit(X, y, task=task)
    large = PathSearchCV(LowRankRegressor(), 20, one_standard_error=True)
    large.fit(X, y, task=task)
    scores = np.array([least.cv_results_[f"split{k}_test_score"] for k in range(5)])
    best = scores[:, least.best_index_]
    limit = best.mean() - best.std(ddof=1) / np.sqrt(5)
    assert large.alpha_ > least.alpha_
    assert large.best_index_ == np.argmax(scores.mean(axis=0) >= limit)


def test_a_named_strength_is_searched_alone():
    X, y, task = rows()
    search = PathSearchCV(RobustRegressor(0.2, 0.3), 4, param="alpha_outlier")
    search.fit(X, y, task=task)
    assert search.best_estimator_.alpha_related == 0.2
    assert search.best_params_ == {"alpha_outlier": search.alpha_}


@pytest.mark.full
def test_all_strengths_keep_their_proportions():
    X, y, task = rows()
    model = FusedRegressor(1.0, alpha_l1=0.3, alpha_joint=0.5)
    found = PathSearchCV(model, 4).fit(X, y, task=task).best_params_
    assert list(found) == ["alpha_fused", "alpha_l1", "alpha_joint"]
    assert_allclose(
        list(found.values()), found["alpha_fused"] * np.array([1, 0.3, 0.5])
    )
    parts = PathSearchCV(LinearTaskRegressor(Fused(1.0, 0.3, 0.5)), 4)
    parts = parts.fit(X, y, task=task).best_params_
    assert_allclose(sorted(parts.values()), sorted(found.values()), rtol=1e-6)


@pytest.mark.parametrize(
    ("model", "param"),
    [(LowRankRegressor(), "beta"), (LinearTaskRegressor(), None)],
)
def test_a_model_without_that_strength_is_refused(model, param):
    with pytest.raises(ValueError, match="param must name a strength"):
        PathSearchCV(model, param=param).fit(*outputs())


def test_the_only_strength_by_its_name_is_searched_as_without_it():
    X, Y = outputs()
    plain = PathSearchCV(JointFeatureRegressor(), 5).fit(X, Y)
    named = PathSearchCV(JointFeatureRegressor(), 5, param="alpha").fit(X, Y)
    assert_array_equal(named.cv_results_["alpha"], plain.cv_results_["alpha"])


def test_an_estimator_that_learns_otherwise_is_refused():
    with pytest.raises(ValueError, match="estimator must be a model with a given"):
        PathSearchCV(JointFeatureRegressorCV()).fit(*outputs())


def test_a_pipeline_cannot_be_inside_the_search():
    pipeline = make_pipeline(StandardScaler(), MultiTaskRidge())
    with pytest.raises(ValueError, match=r"got Pipeline\. In a pipeline the"):
        PathSearchCV(pipeline).fit(*outputs())


def test_the_estimator_given_is_left_alone():
    model = LowRankRegressor()
    PathSearchCV(model, 3).fit(*outputs())
    assert vars(model) == vars(LowRankRegressor())


def test_a_constant_target_is_fitted_by_intercepts():
    X, Y = outputs()
    for model in (LowRankRegressor(), FusedRegressor(), ClusteredRegressor()):
        search = PathSearchCV(model, 3).fit(X, np.full_like(Y, 2.0))
        assert_allclose(search.predict(X), 2.0)


@pytest.mark.full
@pytest.mark.parametrize("model", INEXACT, ids=str)
def test_folds_solved_less_exactly_choose_the_same(model):
    X, y, task = rows(12)
    rough = PathSearchCV(model, 12).fit(X, y, task=task)
    sharp = PathSearchCV(clone(model).set_params(**SHARP), 12).fit(X, y, task=task)
    found, exact = (each.cv_results_["mean_test_score"] for each in (rough, sharp))
    assert rough.best_index_ == sharp.best_index_
    assert_allclose(found, exact, rtol=1e-2)
    assert np.abs(found / exact - 1).max() > 1e-9
    # The model that is kept is solved as exactly as it asks for.
    again = clone(model).set_params(**rough.best_params_).fit(X, y, task=task)
    assert_array_equal(rough.best_estimator_.coef_, again.coef_)
    assert rough.best_estimator_.tol == model.tol


def test_a_path_that_does_not_converge_says_how_far_it_got():
    search = PathSearchCV(LowRankRegressor(tol=1e-14, max_iter=2), alphas=[0.01], cv=2)
    with pytest.warns(ConvergenceWarning, match=r"Raise max_iter"):
        search.fit(*outputs())


@pytest.mark.full
@parametrize("squared", [False, True], short=[True])
@parametrize("one", [False, True], short=[True])
def test_low_rank_is_the_same_search(squared, one):
    X, y, task = rows()
    common = {"cv": 3, "one_standard_error": one}
    weight = {"task_weight": "balanced", "tol": 1e-8}
    own = LowRankRegressorCV(
        n_alphas=8, squared=squared, **NO_CENTRE, **common, **weight
    )
    own.fit(X, y, task=task)
    model = LowRankRegressor(squared=squared, **weight)
    search = PathSearchCV(model, 8, **common).fit(X, y, task=task)
    assert_array_equal(own.cv_results_["alpha"], search.cv_results_["alpha"])
    assert own.alpha_ == search.alpha_
    assert own.best_score_ == search.best_score_
    assert_array_equal(own.coef_, search.best_estimator_.coef_)
    assert own.rank_ == search.best_estimator_.rank_
    given = clone(own).set_params(alphas=own.cv_results_["alpha"]).fit(X, y, task=task)
    assert_array_equal(fold_errors(given), fold_errors(own))
