"""Strengths per feature and covariances of classes and counts."""

import numpy as np
import pytest
from cases import parametrize
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.model_selection import KFold, cross_val_score

from skmtl.couplings import Rotation, ToMean
from skmtl.data import TaskRows
from skmtl.linear_model import (
    MeanRegularizedClassifier,
    MeanRegularizedClassifierCV,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedPoissonRegressorCV,
)
from skmtl.losses import Logistic, Multinomial, Poisson, Squared
from skmtl.problems.exact import MeanFit, factor_moments, solve_moments
from skmtl.problems.newton import Datafit, MeanLosses
from skmtl.selection import LaplaceLikelihood, RestrictedLikelihood, WorkingRows
from skmtl.solvers import Newton
from skmtl.targets import target_classes

PLAIN = {
    "classes": MeanRegularizedClassifier,
    "three classes": MeanRegularizedClassifier,
    "counts": MeanRegularizedPoissonRegressor,
}
SEARCHES = {
    "classes": MeanRegularizedClassifierCV,
    "three classes": MeanRegularizedClassifierCV,
    "counts": MeanRegularizedPoissonRegressorCV,
}
each_kind = parametrize("kind", list(PLAIN), short=["classes", "counts"])
each_method = pytest.mark.parametrize("method", ["cv", "laplace"])
PRECISION = np.array([[3.0, 1.0, 0.5], [1.0, 2.0, -0.4], [0.5, -0.4, 1.5]])


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def draw(rng, kind, covariance, n_tasks=60, n_rows=40):
    """Return rows of tasks whose coefficients and intercepts have a covariance."""
    task = rng.permutation(np.repeat(np.arange(n_tasks), n_rows))
    d = len(covariance) - 1
    X = rng.normal(size=(len(task), d))
    root = np.linalg.cholesky(covariance)
    n_classes = 3 if kind == "three classes" else 1
    own = rng.normal(size=(n_tasks, n_classes, d + 1)) @ root.T + 0.2
    raw = np.einsum("nkj,nj->nk", own[task], np.column_stack([X, np.ones(len(X))]))
    if kind == "counts":
        return X, rng.poisson(np.exp(0.7 * raw[:, 0])), task
    if kind == "classes":
        return X, (rng.random(len(X)) < expit(raw[:, 0])).astype(int), task
    return X, (raw + rng.gumbel(size=raw.shape)).argmax(axis=1), task


def rows_of(X, y, task):
    """Return rows of tasks, side by side."""
    order = np.argsort(task, kind="stable")
    offsets = np.append(0, np.cumsum(np.bincount(task)))
    return TaskRows(
        X, order, np.asarray(y, float)[order], None, offsets, np.unique(task)
    )


# -- precision matrices


@each_kind
@parametrize("fit_intercept", [True, False], short=[True])
def test_a_diagonal_matrix_has_the_strengths_of_its_diagonal(rng, kind, fit_intercept):
    X, y, task = draw(rng, kind, 0.2 * np.eye(3), n_tasks=6)
    size = 2 + fit_intercept
    given = {"fit_intercept": fit_intercept, "tol": 1e-9}
    matrix = PLAIN[kind](np.diag([2.0, 5.0, 3.0][:size]), **given)
    vector = PLAIN[kind]([2.0, 5.0], alpha_intercept=3.0 * fit_intercept, **given)
    matrix.fit(X, y, task=task)
    vector.fit(X, y, task=task)
    assert_allclose(matrix.coef_, vector.coef_, atol=1e-8)
    assert_allclose(matrix.intercept_, vector.intercept_, atol=1e-8)
    assert_allclose(matrix.coef_shared_, vector.coef_shared_, atol=1e-8)
    assert_allclose(matrix.objective_, vector.objective_, rtol=1e-10)
    for labels in (task[:9], task[:9] + 99):
        found = matrix.predict_interval(X[:9], task=labels)
        expected = vector.predict_interval(X[:9], task=labels)
        assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


def test_a_matrix_has_the_optimum_of_a_general_solver(rng):
    X, y, task = draw(rng, "counts", 0.3 * np.eye(3), n_tasks=5, n_rows=15)
    found = MeanRegularizedPoissonRegressor(PRECISION, tol=1e-9).fit(X, y, task=task)

    def value(parameters):
        own, centre = np.split(parameters.reshape(6, 3), [5])
        z = (own[task, :2] * X).sum(axis=1) + own[task, 2]
        gap = own - centre
        penalty = (gap @ PRECISION * gap).sum() + (centre[0, :2] ** 2).sum()
        return (np.exp(z) - y * z).sum() + penalty / 2

    best = minimize(value, np.zeros(18), method="BFGS", options={"gtol": 1e-4})
    assert_allclose(found.objective_, best.fun, rtol=1e-7)
    own = best.x.reshape(6, 3)
    assert_allclose(found.coef_, own[:5, :2], atol=1e-3)
    assert_allclose(found.intercept_, own[:5, 2], atol=1e-3)
    assert_allclose(found.coef_shared_, own[5, :2], atol=1e-3)


def test_a_sparse_design_has_the_same_solution(rng):
    X, y, task = draw(rng, "classes", np.eye(3), n_tasks=6)
    model = MeanRegularizedClassifier(PRECISION)
    dense = model.fit(X, y, task=task).coef_
    assert_allclose(model.fit(sparse.csr_matrix(X), y, task=task).coef_, dense)


def test_a_matrix_must_fit_the_columns(rng):
    X, y, task = draw(rng, "classes", np.eye(3), n_tasks=6)
    with pytest.raises(ValueError, match=r"alpha as a matrix must have a row per"):
        MeanRegularizedClassifier(np.eye(2)).fit(X, y, task=task)
    with pytest.raises(ValueError, match="alpha_intercept must be 0 if alpha is a"):
        MeanRegularizedClassifier(np.eye(3), alpha_intercept=1.0).fit(X, y, task=task)


def test_the_likelihood_of_a_matrix_has_the_determinant_of_all_parameters(rng):
    X, y, task = draw(rng, "three classes", np.eye(3), n_tasks=3)
    rows, targets = target_classes(rows_of(X, y, task), 3, smooths=False)
    datafit = Datafit(rows, Multinomial(3), True, targets)
    strengths = ToMean(PRECISION, 0.5).strengths(3, 2)
    turned = MeanLosses(datafit.turned(strengths.rotation), strengths)
    solution = Newton(tol=1e-14).minimize(turned, turned.start())
    found = LaplaceLikelihood(turned, solution.variable).value
    coefs = strengths.rotation.leave(turned.coefs(solution.variable), True)
    curved = datafit.curve(datafit.predict(coefs))
    own, centre = np.kron(np.eye(2), PRECISION), np.tile([0.5, 0.5, 0.0], 2)
    whole = np.zeros((4, 6, 4, 6))
    whole[range(3), :, range(3)] = curved + own
    whole[range(3), :, 3] = whole[3, :, range(3)] = curved
    whole[3, :, 3] = curved.sum(axis=0) + np.diag(centre)
    exact = 3 * np.linalg.slogdet(own)[1] + 4 * np.log(0.5) + 2 * np.log(2 * np.pi)
    exact = (exact - np.linalg.slogdet(whole.reshape(24, 24))[1]) / 2
    assert_allclose(found, exact - solution.objective, rtol=1e-8)


def test_coordinates_are_entered_and_left(rng):
    rotation, _, _ = Rotation.of_precision(PRECISION, 2)
    models = rng.normal(size=(4, 3))
    assert_allclose(rotation.leave(rotation.enter(models, True), True), models)
    coef = models[:, :2]
    assert_allclose(rotation.leave(rotation.enter(coef, False), False), coef)
    x = rng.normal(size=2)
    turned = rotation.enter(models, True)
    assert_allclose(
        turned[:, :2] @ rotation.turn(x) + turned[:, 2], coef @ x + models[:, 2]
    )


# -- working responses


def test_working_rows_of_the_squared_loss_are_the_rows(rng):
    rows = rows_of(rng.normal(size=(30, 2)), rng.normal(size=30), np.arange(30) % 3)
    datafit = Datafit(rows, Squared())
    coefs = rng.normal(size=(3, 1, 3))
    working = WorkingRows.at(datafit, coefs, coefs[0])
    assert_allclose(working.data.y, rows.y)
    assert_allclose(working.data.weight, 1.0)
    assert working.scale == 1.0


@pytest.mark.parametrize("kind", ["classes", "counts"])
def test_the_optimum_solves_its_working_rows(rng, kind):
    X, y, task = draw(rng, kind, 0.3 * np.eye(3), n_tasks=5)
    rows, targets, loss = rows_of(X, y, task), None, Poisson()
    if kind == "classes":
        rows, targets = target_classes(rows, 2, smooths=False)
        loss = Logistic()
    datafit = Datafit(rows, loss, True, targets)
    losses = MeanLosses(datafit, ToMean([2.0, 3.0], 1.5, 0.7).strengths(5, 2))
    variable = Newton(tol=1e-14).minimize(losses, losses.start()).variable
    working = WorkingRows.at(datafit, losses.coefs(variable), variable[-1])
    scale = working.scale
    assert_allclose(working.data.weight.sum(), len(y))
    coupling = ToMean(scale * np.array([2.0, 3.0]), scale * 1.5, scale * 0.7)
    fit = solve_moments(working.moments, coupling.strengths(5, 2), True)
    assert_allclose(fit.coef, losses.coefs(variable)[:, 0, :2], atol=1e-6)
    assert_allclose(fit.intercept, losses.coefs(variable)[:, 0, 2], atol=1e-6)


def test_a_known_noise_variance_gives_the_likelihood_of_the_estimated_one(rng):
    rows = rows_of(rng.normal(size=(40, 2)), rng.normal(size=40), np.arange(40) % 4)
    moments, strengths = rows.moments(), ToMean(2.0, 0.5, 3.0).strengths(4, 2)
    fit = MeanFit(moments, factor_moments(moments, strengths), strengths)
    free = RestrictedLikelihood(fit)
    known = RestrictedLikelihood(fit, free.noise_variance)
    assert_allclose(known.criterion, free.criterion)
    assert RestrictedLikelihood(fit, 2 * free.noise_variance).criterion > (
        free.criterion
    )


# -- what is chosen


@pytest.mark.full
@each_kind
@each_method
@parametrize("structure", ["per_feature", "covariance"], short=["covariance"])
def test_the_fit_is_that_of_the_chosen_strengths(rng, kind, method, structure):
    X, y, task = draw(rng, kind, np.diag([1.0, 0.2, 0.05, 0.3]), n_tasks=12)
    found = SEARCHES[kind](method=method, alpha_structure=structure, cv=3)
    found.fit(X, y, task=task)
    plain = PLAIN[kind](
        found.alpha_,
        alpha_shared=found.alpha_shared_,
        alpha_intercept=found.alpha_intercept_,
    ).fit(X, y, task=task)
    assert_allclose(found.coef_, plain.coef_, rtol=1e-6, atol=1e-8)
    assert found.alpha_structure_ == structure
    results, best = found.cv_results_, found.best_index_
    assert results["alpha_structure"][best] == structure
    assert_allclose(np.diag(found.coef_covariance_)[:3], found.tau2_)
    assert_allclose(found.coef_covariance_[3, 3], found.tau2_intercept_)
    interval = found.predict_interval(X[:5], task=task[:5])
    assert_allclose(interval, plain.predict_interval(X[:5], task=task[:5]), rtol=1e-5)


@pytest.mark.full
@each_method
@pytest.mark.parametrize("kind", list(SEARCHES))
def test_variances_that_differ_are_found(rng, kind, method):
    X, y, task = draw(rng, kind, np.diag([1.0, 0.25, 0.01, 0.2]), n_tasks=100)
    model = SEARCHES[kind](method=method).fit(X, y, task=task)
    assert model.alpha_structure_ == "per_feature"
    assert model.tau2_[0] > 2 * model.tau2_[1] > 4 * model.tau2_[2]


@pytest.mark.full
@each_method
@pytest.mark.parametrize("kind", list(SEARCHES))
def test_correlated_coefficients_have_a_covariance(rng, kind, method):
    covariance = 0.6 * (np.eye(4) + 4 * np.ones((4, 4))) / 5
    X, y, task = draw(rng, kind, covariance, n_tasks=120)
    model = SEARCHES[kind](method=method).fit(X, y, task=task)
    assert model.alpha_structure_ == "covariance"
    roots = np.sqrt(np.diag(model.coef_covariance_))
    assert (model.coef_covariance_ / roots / roots[:, None] > 0.2).all()


@pytest.mark.full
@each_method
@parametrize("kind", ["classes", "counts"], short=["counts"])
def test_equal_variances_have_one_strength(rng, kind, method):
    X, y, task = draw(rng, kind, 0.3 * np.eye(4))
    auto = SEARCHES[kind](method=method).fit(X, y, task=task)
    one = SEARCHES[kind](method=method, alpha_structure="one").fit(X, y, task=task)
    assert auto.alpha_structure_ == "one"
    assert_allclose(auto.coef_, one.coef_)


@pytest.mark.full
def test_the_likelihood_finds_a_covariance(rng):
    covariance = np.array([[0.5, 0.3, 0.1], [0.3, 0.4, 0.0], [0.1, 0.0, 0.3]])
    X, y, task = draw(rng, "counts", covariance / 0.49, n_tasks=300)
    model = MeanRegularizedPoissonRegressorCV(
        method="laplace", alpha_structure="covariance"
    ).fit(X, y, task=task)
    assert_allclose(model.coef_covariance_, covariance, atol=0.1)


@pytest.mark.full
@parametrize("kind", ["classes", "counts"], short=["counts"])
@pytest.mark.parametrize("structure", ["per_feature", "covariance"])
def test_equal_tasks_have_structures_too(rng, kind, structure):
    X, y, task = draw(rng, kind, 1e-12 * np.eye(3), n_tasks=8)
    model = SEARCHES[kind](alpha_structure=structure).fit(X, y, task=task)
    assert model.alpha_structure_ == structure
    assert_allclose(model.coef_, np.tile(model.coef_shared_, (8, 1)), atol=0.1)


# -- relative strengths


@pytest.mark.filterwarnings("ignore:The error still falls:UserWarning")
@pytest.mark.parametrize("pattern", [[1.0, 4.0, 9.0], [1.0, 2.0, np.inf]])
@pytest.mark.parametrize("kind", ["classes", "counts"])
def test_scores_of_relative_strengths_are_those_of_scikit_learn(rng, kind, pattern):
    X, y, task = draw(rng, kind, 0.5 * np.eye(4), n_tasks=6)
    table = np.column_stack([task, X])
    folds = KFold(3, shuffle=True, random_state=0)
    search = SEARCHES[kind](
        [0.5, 5.0],
        alphas_shared=[1.0],
        alphas_intercept=[2.0],
        alpha_structure=pattern,
        cv=folds,
        task_column=0,
    ).fit(table, y)
    plain = PLAIN[kind](0.5 * np.array(pattern), alpha_intercept=2.0, task_column=0)
    scoring = "neg_mean_poisson_deviance" if kind == "counts" else "neg_log_loss"
    scores = cross_val_score(plain, table, y, cv=folds, scoring=scoring)
    found = [search.cv_results_[f"split{k}_test_score"][0] for k in range(3)]
    assert_allclose(found, scores, rtol=1e-4)
    assert search.alpha_structure_ == "given"
    assert_allclose(search.alpha_ / search.alpha_[0], pattern)


@each_method
@parametrize("kind", ["classes", "counts"], short=["classes"])
def test_features_of_infinite_strength_have_equal_coefficients(rng, kind, method):
    X, y, task = draw(rng, kind, 0.5 * np.eye(4), n_tasks=20)
    model = SEARCHES[kind](method=method, alpha_structure=[1.0, 1.0, np.inf])
    model.fit(X, y, task=task)
    assert_allclose(model.coef_[:, 2], model.coef_shared_[2])
    assert np.ptp(model.coef_[:, 0]) > 0.1
    assert_allclose(model.coef_covariance_[2], 0.0)


def test_several_groupings_have_one_strength_each(rng):
    X, y, task = draw(rng, "counts", 0.5 * np.eye(3), n_tasks=6)
    table = np.column_stack([task, task % 2, X])
    model = MeanRegularizedPoissonRegressorCV(
        alpha_structure="per_feature", task_column=[0, 1]
    )
    with pytest.raises(ValueError, match="alpha_structure must be 'auto' or 'one' if"):
        model.fit(table, y)


@pytest.mark.parametrize("structure", ["per_feature", "covariance"])
def test_a_constant_by_rounding_has_no_coefficient(structure):
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(300, 2)), np.repeat(np.arange(15), 20)
    logit = (X * rng.normal(size=(15, 2))[task]).sum(axis=1)
    y = logit + rng.logistic(size=300) > 0
    X = np.column_stack([X, np.full(300, 3e-17)])
    model = MeanRegularizedClassifierCV(method="laplace", alpha_structure=structure)
    assert np.abs(model.fit(X, y, task=task).coef_[:, 2]).max() < 1e-6
