"""What scikit-learn asks of MultiTaskLasso and MultiTaskElasticNet holds for ours.

It is asked in the tests of its coordinate descent.
"""

import numpy as np
import pytest
import sklearn
from cases import fold_errors, parametrize
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import (
    MultiTaskElasticNet,
    MultiTaskElasticNetCV,
    Ridge,
)
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.utils.fixes import parse_version

from skmtl.linear_model import JointFeatureRegressor, JointFeatureRegressorCV

SHARP = {"tol": 1e-12}
NO_CENTRE = {"alpha_shared": np.inf, "alpha_intercept": 0.0}
THEIR_SHARP = {"tol": 1e-12, "max_iter": 1_000_000}
FALLING = [0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01]
with_weights_and_sparse_rows = pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.9"),
    reason="scikit-learn 1.9 brought both to MultiTaskElasticNet",
)
CONTAINERS = [np.asarray, sparse.csr_array, sparse.csc_array]
each_container = parametrize(
    "contain", CONTAINERS, CONTAINERS[:2], ids=lambda contain: contain.__name__
)
each_intercept = pytest.mark.parametrize("fit_intercept", [True, False])
WEIGHTS = ["none", "uneven", "some zero"]
each_weight = parametrize("weight", WEIGHTS, WEIGHTS[2:])
each_shape = pytest.mark.parametrize(
    "shape", [(60, 12), (30, 50)], ids=["tall", "wide"]
)


def draw(shape=(60, 12), n_tasks=3, seed=0):
    """Draw rows of which a third is zero, and outputs of four features."""
    rng = np.random.default_rng(seed)
    X = rng.normal(1, 1, shape) * (rng.random(shape) > 0.3)
    Y = X[:, :4] @ rng.normal(size=(4, n_tasks)) + 0.5 * rng.normal(
        size=(shape[0], n_tasks)
    )
    return X, Y + np.arange(n_tasks)


def weigh(kind, n_rows):
    uneven = np.random.default_rng(1).uniform(0.1, 3, n_rows)
    some = uneven * (np.arange(n_rows) % 4 > 0)
    return {"none": None, "uneven": uneven, "some zero": some}[kind]


def same(ours, theirs, atol=1e-6):
    assert_allclose(ours.coef_, theirs.coef_, atol=atol)
    assert_allclose(ours.intercept_, theirs.intercept_, atol=10 * atol)


# The optimum.


@with_weights_and_sparse_rows
@each_shape
@each_container
@each_intercept
@each_weight
@pytest.mark.parametrize("l1_ratio", [1.0, 0.4])
def test_rows_of_any_kind_and_weight_give_the_multi_task_elastic_net(
    shape, contain, fit_intercept, weight, l1_ratio
):
    X, Y = draw(shape)
    common = {"l1_ratio": l1_ratio, "fit_intercept": fit_intercept}
    weight = weigh(weight, len(X))
    theirs = MultiTaskElasticNet(0.1, **common, **THEIR_SHARP)
    ours = JointFeatureRegressor(0.1, **common, **SHARP)
    ours.fit(contain(X), Y, sample_weight=weight)
    same(ours, theirs.fit(X, Y, sample_weight=weight))


@with_weights_and_sparse_rows
@each_shape
@each_container
@each_intercept
@each_weight
@pytest.mark.parametrize("l1_ratio", [1.0, 0.4])
def test_features_are_selected_from_the_alpha_max_of_scikit_learn_on(
    shape, contain, fit_intercept, weight, l1_ratio
):
    X, Y = draw(shape)
    weight = weigh(weight, len(X))
    theirs = MultiTaskElasticNetCV(
        alphas=1, eps=1e-3, cv=2, l1_ratio=l1_ratio, fit_intercept=fit_intercept
    )
    highest = theirs.fit(X, Y, sample_weight=weight).alpha_
    ours = JointFeatureRegressor(
        highest * (1 + 1e-10), l1_ratio=l1_ratio, fit_intercept=fit_intercept, **SHARP
    )
    assert not ours.fit(contain(X), Y, sample_weight=weight).coef_.any()
    ours.set_params(alpha=0.99 * highest).fit(contain(X), Y, sample_weight=weight)
    assert np.abs(ours.coef_).max() > 1e-3
    search = JointFeatureRegressorCV(
        n_alphas=1,
        cv=2,
        l1_ratio=l1_ratio,
        fit_intercept=fit_intercept,
        **NO_CENTRE,
    )
    search.fit(contain(X), Y, sample_weight=weight)
    assert search.alpha_ == pytest.approx(highest, rel=1e-10)


def test_another_solvers_optimum_is_reached():
    """The numbers are those of skglm 0.5, in scikit-learn's test of MultiTaskLasso."""
    X = np.vander(np.arange(5), 4)
    Y = np.arange(15).reshape(5, 3)
    model = JointFeatureRegressor(0.1, **SHARP).fit(X, Y)
    assert model.objective_ == pytest.approx(0.4965993692547902, rel=1e-10)
    coef = [-0.032075014794, 0.25430904614, 2.44785152982, 0]
    assert_allclose(model.coef_, np.tile(coef, (3, 1)), rtol=1e-5)
    assert_allclose(model.intercept_, 0.219942959407 + np.arange(3), rtol=1e-6)


@pytest.mark.parametrize(
    ("alpha", "slope"), [(1e-8, 1.0), (0.1, 0.85), (0.5, 0.25), (1.0, 0.0)]
)
def test_a_straight_line_is_shrunk_by_hand(alpha, slope):
    """The toy of scikit-learn, ``y = x`` at -1, 0 and 1, in a direction of length 1."""
    X, direction = np.array([[-1.0], [0.0], [1.0]]), np.array([0.6, -0.8])
    model = JointFeatureRegressor(alpha, **SHARP).fit(X, X * direction)
    assert_allclose(model.coef_[:, 0], slope * direction, atol=1e-7)
    assert_allclose(model.predict([[2.0]]), [2 * slope * direction], atol=1e-7)
    assert 0 <= model.dual_gap_ <= 1e-12


@pytest.mark.parametrize("alpha", [0.1, 1.0])
def test_zeros_have_no_coefficients(alpha):
    model = JointFeatureRegressor(alpha).fit(np.zeros((3, 1)), np.zeros((3, 2)))
    assert_array_equal(model.coef_, np.zeros((2, 1)))
    assert model.dual_gap_ == 0


@each_shape
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_equal_outputs_have_equal_coefficients_and_a_small_gap(shape, l1_ratio):
    X, Y = draw(shape)
    model = JointFeatureRegressor(0.1, l1_ratio=l1_ratio, tol=1e-8)
    model.fit(X, Y[:, [0, 0]])
    assert_allclose(model.coef_[0], model.coef_[1], rtol=1e-10)
    assert 0 <= model.dual_gap_ < 1e-5
    assert model.coef_.any()


@pytest.mark.parametrize("alpha", [0.1, 1.0, 1e4])
def test_a_share_that_selects_nothing_leaves_ridge(alpha):
    X, Y = draw()
    ridge = Ridge(alpha).fit(X, Y)
    model = JointFeatureRegressor(alpha / len(X), l1_ratio=1e-9)
    same(model.fit(X, Y), ridge, atol=1e-8)


def test_integers_are_numbers():
    X = np.random.default_rng(0).integers(0, 2, (10, 3))
    model = JointFeatureRegressor(1e-6, **SHARP).fit(X, X[:, [0, 0]])
    assert_allclose(model.coef_, [[1, 0, 0]] * 2, atol=1e-4)


def test_what_is_given_may_be_read_only():
    X, Y = draw()
    weight = np.linspace(1, 2, len(X))
    model = JointFeatureRegressor(0.1)
    expected = clone(model).fit(X.copy(), Y.copy(), sample_weight=weight.copy())
    for given in (X, Y, weight):
        given.flags.writeable = False
    assert_array_equal(model.fit(X, Y, sample_weight=weight).coef_, expected.coef_)


@each_container
@each_intercept
def test_single_precision_gives_nearly_the_same(contain, fit_intercept):
    X, Y = draw()
    model = JointFeatureRegressor(0.1, fit_intercept=fit_intercept)
    single = clone(model).fit(contain(X.astype(np.float32)), Y.astype(np.float32))
    assert single.coef_.dtype == np.float32
    same(single, model.fit(X, Y), atol=1e-4)


# Weights.


@each_container
@each_intercept
def test_equal_weights_are_no_weights(contain, fit_intercept):
    X, Y = draw()
    model = JointFeatureRegressor(0.05, fit_intercept=fit_intercept, **SHARP)
    none = clone(model).fit(contain(X), Y)
    for weight in (np.ones(len(X)), np.full(len(X), 123.0), 123.0):
        same(clone(model).fit(contain(X), Y, sample_weight=weight), none)


@each_container
@each_intercept
def test_only_ratios_of_weights_matter_and_rows_of_none_are_left_out(
    contain, fit_intercept
):
    X, Y = draw()
    weight = weigh("some zero", len(X))
    kept = weight > 0
    model = JointFeatureRegressor(0.05, fit_intercept=fit_intercept, **SHARP)
    whole = clone(model).fit(contain(X), Y, sample_weight=weight)
    double = clone(model).fit(contain(X), Y, sample_weight=2 * weight)
    rest = clone(model).fit(contain(X[kept]), Y[kept], sample_weight=weight[kept])
    same(double, whole)
    same(rest, whole)


@each_container
@each_intercept
def test_an_integer_weight_is_a_number_of_repetitions(contain, fit_intercept):
    X, Y = draw()
    times = np.arange(len(X)) % 4
    model = JointFeatureRegressor(0.05, fit_intercept=fit_intercept, **SHARP)
    weighted = clone(model).fit(contain(X), Y, sample_weight=times)
    repeated = contain(X.repeat(times, axis=0)), Y.repeat(times, axis=0)
    same(weighted, clone(model).fit(*repeated))


# Paths, and where they start.


@each_shape
@each_container
@parametrize("l1_ratio", [1.0, 0.5], short=[0.5])
def test_a_warm_path_is_that_of_scikit_learn_and_takes_no_more_visits(
    shape, contain, l1_ratio
):
    X, Y = draw(shape)
    common = {"l1_ratio": l1_ratio, "fit_intercept": False}
    _, path, _ = MultiTaskElasticNet.path(
        X, Y, l1_ratio=l1_ratio, alphas=FALLING, **THEIR_SHARP
    )
    warm = JointFeatureRegressor(warm_start=True, **common, **SHARP)
    cold = JointFeatureRegressor(**common, **SHARP)
    visits = []
    for alpha, coef in zip(FALLING, np.moveaxis(path, -1, 0), strict=True):
        warm.set_params(alpha=alpha).fit(contain(X), Y)
        cold.set_params(alpha=alpha).fit(contain(X), Y)
        assert_allclose(warm.coef_, coef, atol=1e-6)
        assert_allclose(cold.coef_, coef, atol=1e-6)
        visits.append([warm.n_iter_, cold.n_iter_])
    with_start, without = np.sum(visits, axis=0)
    assert with_start <= without


@pytest.mark.full
@each_shape
@each_intercept
@pytest.mark.parametrize("penalty", ["l21", "linf"])
def test_along_a_path_the_penalty_rises_as_the_loss_falls(
    shape, fit_intercept, penalty
):
    X, Y = draw(shape)
    model = JointFeatureRegressor(penalty=penalty, fit_intercept=fit_intercept, **SHARP)
    fits = [clone(model).set_params(alpha=a).fit(X, Y) for a in FALLING]
    objectives = np.array([fit.objective_ for fit in fits])
    losses = [((Y - fit.predict(X)) ** 2).sum() / (2 * len(X)) for fit in fits]
    sizes = (objectives - losses) / FALLING
    assert (np.diff(objectives) < 0).all()
    assert (np.diff(losses) < 0).all()
    assert (np.diff(sizes) > 0).all()


@pytest.mark.parametrize("shape", [(60, 12), (30, 50)])
def test_a_warm_start_continues_from_the_last_solution(shape):
    X, Y = draw(shape)
    model = JointFeatureRegressor(0.005, warm_start=True, max_iter=4, tol=1e-14)
    with pytest.warns(ConvergenceWarning, match="Raise max_iter"):
        model.fit(X, Y)
    stopped = model.objective_
    optimum = JointFeatureRegressor(0.005, **SHARP).fit(X, Y)
    model.set_params(max_iter=10_000, **SHARP).fit(X, Y)
    assert optimum.objective_ < stopped
    assert model.objective_ == pytest.approx(optimum.objective_, rel=1e-11)
    assert model.n_iter_ <= optimum.n_iter_
    model.fit(X, Y)
    assert model.n_iter_ < optimum.n_iter_


# Convergence.


@pytest.mark.parametrize("shape", [(300, 150), (100, 400)])
def test_noise_is_fitted_to_the_tolerance_without_a_warning(shape):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=shape), rng.normal(size=(shape[0], 3))
    model = JointFeatureRegressor(0.02).fit(X, Y)
    at_zero = ((Y - Y.mean(axis=0)) ** 2).sum() / (2 * len(X))
    assert len(model.support_) > shape[1] / 4
    assert 0 <= model.dual_gap_ <= 1e-6 * at_zero


@pytest.mark.full
@each_shape
@pytest.mark.parametrize("penalty", ["l21", "linf"])
def test_the_gap_bounds_the_distance_from_the_optimum_and_vanishes(shape, penalty):
    X, Y = draw(shape)
    model = JointFeatureRegressor(0.02, penalty=penalty)
    best = clone(model).set_params(tol=1e-14).fit(X, Y).objective_
    at_zero = ((Y - Y.mean(axis=0)) ** 2).sum() / (2 * len(X))
    for tol in (0.3, 1e-2, 1e-4, 1e-8, 1e-12):
        fit = clone(model).set_params(tol=tol).fit(X, Y)
        assert -1e-13 <= fit.objective_ - best <= fit.dual_gap_ + 1e-13
        assert fit.dual_gap_ <= tol * at_zero


# Strengths chosen from the data.


@pytest.mark.full
@with_weights_and_sparse_rows
@each_shape
@each_container
@each_intercept
@pytest.mark.parametrize("weight", ["none", "uneven"])
def test_errors_of_folds_are_those_of_the_multi_task_elastic_net(
    shape, contain, fit_intercept, weight
):
    X, Y = draw(shape)
    weight = weigh(weight, len(X))
    common = {"fit_intercept": fit_intercept, "cv": KFold(3), "l1_ratio": 0.8}
    theirs = MultiTaskElasticNetCV(alphas=FALLING, **common, **THEIR_SHARP)
    ours = JointFeatureRegressorCV(FALLING, **NO_CENTRE, **common, **SHARP)
    ours.fit(contain(X), Y, sample_weight=weight)
    theirs.fit(X, Y, sample_weight=weight)
    assert_allclose(ours.cv_results_["alpha"], theirs.alphas_)
    assert_allclose(fold_errors(ours), theirs.mse_path_, rtol=1e-5)


@pytest.mark.full
@parametrize("shape", [(60, 12), (30, 50)], short=[(30, 50)])
@parametrize(
    "contain", CONTAINERS, CONTAINERS[1:2], ids=lambda contain: contain.__name__
)
def test_a_search_chooses_what_a_loop_over_models_chooses(shape, contain):
    X, Y = draw(shape, seed=3)
    grid = {"alpha": FALLING}
    score = "neg_mean_squared_error"
    loop = GridSearchCV(
        JointFeatureRegressor(**SHARP), grid, cv=KFold(4), scoring=score
    )
    loop.fit(contain(X), Y)
    search = JointFeatureRegressorCV(FALLING, cv=KFold(4), **NO_CENTRE, **SHARP)
    search.fit(contain(X), Y)
    assert search.alpha_ == loop.best_params_["alpha"]
    assert FALLING[-1] < search.alpha_ < FALLING[0]
    assert search.best_score_ == pytest.approx(loop.best_score_, rel=1e-5)
    same(search, loop.best_estimator_)


@pytest.mark.full
def test_single_precision_chooses_the_same():
    X, Y = draw()
    double = JointFeatureRegressorCV(n_alphas=5).fit(sparse.csr_array(X), Y)
    single = JointFeatureRegressorCV(n_alphas=5).fit(
        sparse.csr_array(X, dtype=np.float32), Y
    )
    assert single.coef_.dtype == np.float32
    assert single.alpha_ == pytest.approx(double.alpha_, rel=1e-5)
    same(single, double, atol=1e-3)


@pytest.mark.parametrize("level", [0.0, 5.0])
def test_a_search_predicts_constants_by_constants(level):
    X = np.random.default_rng(0).random((10, 3))
    Y = np.full((10, 2), [level, 2 * level])
    assert_array_equal(JointFeatureRegressorCV(n_alphas=3).fit(X, Y).predict(X), Y)
