"""Strengths per feature and covariances of tasks, and the choice between them."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmtl.couplings import Rotation, ToMean
from skmtl.data import summarise
from skmtl.linear_model import MeanRegularizedRegressor, MeanRegularizedRegressorCV
from skmtl.problems.exact import solve_moments
from skmtl.selection import CovarianceLikelihood, Grams, RestrictedLikelihood

METHODS = ["loo", "gcv", "cv", "reml"]
STRUCTURES = ["one", "per_feature", "covariance"]
each_method = pytest.mark.parametrize("method", METHODS)


def draw_tasks(covariance, n_tasks=30, n_rows=10, seed=0):
    """Draw rows of tasks with this covariance of coefficients and intercepts."""
    rng = np.random.default_rng(seed)
    n_features = len(covariance) - 1
    task = np.repeat(np.arange(n_tasks), n_rows)
    X = rng.normal(size=(len(task), n_features)) + 0.5
    own = rng.multivariate_normal(np.zeros(n_features + 1), covariance, size=n_tasks)
    y = X.sum(axis=1) + (X * own[task, :-1]).sum(axis=1) + own[task, -1]
    return X, y + rng.normal(size=len(task)), task


EQUAL = np.diag([0.2, 0.2, 0.2, 0.5])
UNEQUAL = np.diag([2.0, 0.001, 0.001, 0.5])
CORRELATED = 0.5 * (0.1 * np.eye(4) + 0.9)


def solve_dense(X, y, task, precision, alpha_shared, fit_intercept):
    """Solve the normal equations of all tasks and the centre at once."""
    n_tasks, size = task.max() + 1, len(precision)
    rows = np.column_stack([X, np.ones(len(y))])[:, :size]
    own = np.eye(n_tasks + 1)[task]
    design = np.einsum("it,ij->itj", own, rows).reshape(len(y), -1)
    penalty = np.zeros((n_tasks + 1, size, n_tasks + 1, size))
    for t in range(n_tasks):
        for row, column, sign in ((t, t, 1), (t, -1, -1), (-1, t, -1), (-1, -1, 1)):
            penalty[row, :, column] += sign * precision
    ridge = np.append(np.full(X.shape[1], alpha_shared), [0.0] * fit_intercept)
    penalty[-1, :, -1] += np.diag(ridge)
    matrix = design.T @ design + penalty.reshape(design.shape[1], -1)
    return np.linalg.solve(matrix, design.T @ y).reshape(n_tasks + 1, size), matrix


def random_precision(size, seed=0):
    root = np.random.default_rng(seed).normal(size=(size, size))
    return root @ root.T + 0.1 * np.eye(size)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_precision_matrix_solves_the_dense_normal_equations(fit_intercept):
    X, y, task = draw_tasks(CORRELATED, n_tasks=5)
    precision = random_precision(3 + fit_intercept)
    model = MeanRegularizedRegressor(
        precision, alpha_shared=0.7, fit_intercept=fit_intercept
    ).fit(X, y, task=task)
    expected, matrix = solve_dense(X, y, task, precision, 0.7, fit_intercept)
    assert_allclose(model.coef_, expected[:-1, :3], rtol=1e-9, atol=1e-9)
    assert_allclose(model.coef_shared_, expected[-1, :3], rtol=1e-9)
    size = len(precision)
    row = np.append(X[0], 1.0)[:size]
    of_seen = np.zeros((6, size))
    of_seen[0] = row
    variance = of_seen.ravel() @ np.linalg.solve(matrix, of_seen.ravel())
    _, std = model.predict(X[:1], task=[0], return_std=True)
    noise = model._posterior().noise_variance
    assert_allclose(std**2, noise * (1 + variance), rtol=1e-8)


def test_a_diagonal_precision_matrix_is_a_strength_per_feature():
    X, y, task = draw_tasks(EQUAL, n_tasks=5)
    alpha = np.array([0.5, 2.0, 9.0, 3.0])
    full = MeanRegularizedRegressor(np.diag(alpha)).fit(X, y, task=task)
    plain = MeanRegularizedRegressor(alpha[:3], alpha_intercept=3.0)
    plain.fit(X, y, task=task)
    for name in ("coef_", "intercept_", "coef_shared_", "objective_"):
        assert_allclose(getattr(full, name), getattr(plain, name), rtol=1e-9)


def test_a_precision_matrix_learns_from_batches_and_adapts():
    X, y, task = draw_tasks(CORRELATED, n_tasks=6)
    model = MeanRegularizedRegressor(random_precision(4))
    whole = model.fit(X, y, task=task)
    batches = MeanRegularizedRegressor(random_precision(4))
    for part in (slice(None, 25), slice(25, None)):
        batches.partial_fit(X[part], y[part], task=task[part])
    assert_allclose(batches.coef_, whole.coef_, rtol=1e-9)
    near = MeanRegularizedRegressor(1e6 * random_precision(4)).fit(X, y, task=task)
    near.adapt(X[:5], y[:5] + 3, task=77)
    assert_allclose(near.coef_[-1], near.coef_shared_, atol=1e-3)


def test_a_rotation_returns_its_precision_matrix():
    scale = np.array([1e-3, 1.0, 1e3, 1.0])
    precision = random_precision(4) * scale * scale[:, None]
    rotation, pattern, strength = Rotation.of_precision(precision, 3)
    found = rotation.precision(pattern, strength, True)
    assert_allclose(found / scale / scale[:, None], random_precision(4), rtol=1e-8)


def test_a_precision_matrix_is_definite_where_rounding_would_leave_it_singular():
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    far = Rotation(basis, np.array([1e7, -3e6, 1e8]))
    precision = far.precision(np.array([1e-3, 1.0, 1e6]), 2.0, True)
    again, pattern, strength = Rotation.of_precision(precision, 3)
    assert (pattern > 0).all()
    assert_allclose(strength, 2.0)
    assert_allclose(again.origin, far.origin)
    X, y, task = draw_tasks(EQUAL)
    model = MeanRegularizedRegressor(precision).fit(X, y, task=task)
    assert np.isfinite(model.coef_).all()


@pytest.mark.parametrize(
    ("alpha", "options", "message"),
    [
        (np.eye(3), {}, r"shape \(4, 4\), got shape \(3, 3\)"),
        (np.triu(np.ones((4, 4))), {}, "finite and symmetric"),
        (np.ones((4, 4)), {}, "must be positive definite"),
        (np.eye(4), {"alpha_intercept": 1.0}, "alpha_intercept must be 0"),
    ],
)
def test_a_bad_precision_matrix_is_refused(alpha, options, message):
    X, y, task = draw_tasks(EQUAL, n_tasks=3)
    model = MeanRegularizedRegressor(alpha, **options)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, task=task)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha_shared", [0.0, 2.0, np.inf])
def test_the_likelihood_of_a_covariance_is_that_of_the_exact_fit(
    fit_intercept, alpha_shared
):
    X, y, task = draw_tasks(CORRELATED, n_tasks=8)
    moments = summarise(X, y, task)
    precision = random_precision(3 + fit_intercept)
    strengths = ToMean(precision, alpha_shared).strengths(8, 3)
    exact = RestrictedLikelihood(solve_moments(moments, strengths, fit_intercept))
    about = moments if fit_intercept else moments.about_zero()
    grams = Grams.of(about, fit_intercept, np.full(3, 0.2 * fit_intercept))
    covariance = grams.enter(np.linalg.inv(precision))
    found = CovarianceLikelihood(grams, covariance, alpha_shared)
    for name in ("criterion", "noise_variance", "shared_gradient"):
        assert_allclose(getattr(found, name), getattr(exact, name), rtol=1e-9)


@pytest.mark.parametrize("alpha_shared", [0.0, 3.0])
def test_the_gradient_by_the_covariance_is_that_of_finite_differences(alpha_shared):
    X, y, task = draw_tasks(CORRELATED, n_tasks=8)
    grams = Grams.of(summarise(X, y, task), True)
    at = CovarianceLikelihood(grams, random_precision(4) / 5, alpha_shared)
    for seed in (1, 2):
        step = 1e-5 * random_precision(4, seed)
        high, low = (
            replace(at, covariance=at.covariance + sign * step).criterion
            for sign in (1, -1)
        )
        assert_allclose(np.vdot(at.gradient, step), (high - low) / 2, rtol=1e-6)


@pytest.mark.full
@each_method
@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_plain_model_with_the_chosen_structure_is_the_same(
    method, structure, fit_intercept
):
    X, y, task = draw_tasks(CORRELATED)
    model = MeanRegularizedRegressorCV(
        method=method, alpha_structure=structure, fit_intercept=fit_intercept
    ).fit(X, y, task=task)
    plain = MeanRegularizedRegressor(
        model.alpha_,
        alpha_shared=model.alpha_shared_,
        alpha_intercept=model.alpha_intercept_,
        fit_intercept=fit_intercept,
    ).fit(X, y, task=task)
    # A precision matrix of strengths over many orders of magnitude loses digits.
    assert_allclose(model.coef_, plain.coef_, atol=1e-6)
    assert_allclose(model.intercept_, plain.intercept_, atol=1e-6)
    assert model.alpha_structure_ == structure
    results, best = model.cv_results_, model.best_index_
    assert results["alpha_structure"][best] == structure
    assert results["alpha_shared"][best] == model.alpha_shared_
    score = "log_likelihood" if method == "reml" else "mean_test_score"
    assert results[score][best] == model.best_score_
    covariance = model.coef_covariance_
    assert_allclose(np.diag(covariance)[:3], np.broadcast_to(model.tau2_, 3))
    if_given = model.tau2_intercept_ if fit_intercept else 0.0
    assert_allclose(covariance[-1, -1], if_given)


@pytest.mark.full
@each_method
@pytest.mark.parametrize(
    ("covariance", "structure"),
    [(EQUAL, "one"), (UNEQUAL, "per_feature"), (CORRELATED, "covariance")],
)
def test_auto_finds_the_structure_of_the_draws(method, covariance, structure):
    X, y, task = draw_tasks(covariance, n_tasks=60)
    model = MeanRegularizedRegressorCV(method=method).fit(X, y, task=task)
    assert model.alpha_structure_ == structure
    near = model.coef_covariance_ * np.ones((4, 4))
    assert_allclose(near, covariance, atol=0.45 * covariance.max())


def test_auto_finds_features_along_which_tasks_differ():
    X, y, task = draw_tasks(UNEQUAL)
    model = MeanRegularizedRegressorCV().fit(X, y, task=task)
    assert model.alpha_structure_ == "per_feature"
    assert model.alpha_[0] < 0.2 * model.alpha_[1:].min()


def fit_one_strength(X, y, task):
    """Return the models of leave-one-out errors and of the likelihood."""
    return [
        MeanRegularizedRegressorCV(method=method, alpha_structure="one").fit(
            X, y, task=task
        )
        for method in ("loo", "reml")
    ]


def test_left_out_errors_that_cannot_distinguish_leave_the_choice_to_likelihood():
    left_out, likely = fit_one_strength(*draw_tasks(EQUAL))
    assert_allclose(left_out.alpha_, likely.alpha_, rtol=1e-3)
    assert_allclose(left_out.alpha_intercept_, likely.alpha_intercept_, rtol=1e-3)


def test_left_out_errors_choose_where_the_likelihood_assumes_what_is_wrong():
    # The curves of tasks with large slopes differ from lines in the same way.
    rng, n_tasks = np.random.default_rng(1), 60
    task = np.repeat(np.arange(n_tasks), 12)
    X = np.tile(np.linspace(-1, 1, 12), n_tasks)[:, None]
    y = (1 + rng.normal(size=n_tasks))[task] * np.exp(2 * X[:, 0])
    y += rng.normal(size=n_tasks)[task] + 0.1 * rng.normal(size=len(task))
    left_out, likely = fit_one_strength(X, y, task)
    assert left_out.alpha_intercept_ < 1e-3 * likely.alpha_intercept_


@pytest.mark.full
def test_left_out_errors_of_a_covariance_are_those_of_refits():
    X, y, task = draw_tasks(CORRELATED, n_tasks=6, n_rows=6)
    model = MeanRegularizedRegressorCV(alpha_structure="covariance")
    model.fit(X, y, task=task)
    plain = MeanRegularizedRegressor(model.alpha_, alpha_shared=model.alpha_shared_)
    errors = []
    for row in range(len(y)):
        kept = np.arange(len(y)) != row
        plain.fit(X[kept], y[kept], task=task[kept])
        errors.append(y[row] - plain.predict(X[[row]], task=task[[row]])[0])
    assert_allclose(model.best_score_, -np.square(errors).mean(), rtol=1e-5)


@pytest.mark.full
@each_method
@pytest.mark.parametrize("structure", STRUCTURES[1:])
def test_a_structure_of_one_task_or_equal_tasks_is_rigid(method, structure):
    X, y, task = draw_tasks(0 * EQUAL, n_tasks=20)
    options = {"method": method, "alpha_structure": structure}
    equal = MeanRegularizedRegressorCV(**options).fit(X, y, task=task)
    assert np.mean((equal.coef_ - 1) ** 2) < 0.03
    single = MeanRegularizedRegressorCV(**options).fit(X, y)
    free = MeanRegularizedRegressorCV(method=method).fit(X, y)
    assert_allclose(single.coef_, free.coef_, rtol=1e-4)


@pytest.mark.full
@pytest.mark.parametrize("structure", STRUCTURES)
def test_layouts_give_the_same_structure(structure):
    X = draw_tasks(CORRELATED, n_tasks=8, n_rows=12)[0]
    Y = np.random.default_rng(0).normal(size=(12, 8)) + X[:12] @ np.ones((3, 8))
    wide = MeanRegularizedRegressorCV(alpha_structure=structure).fit(X[:12], Y)
    labels = np.repeat(np.arange(8), 12)
    tall = MeanRegularizedRegressorCV(alpha_structure=structure)
    tall.fit(np.tile(X[:12], (8, 1)), Y.T.ravel(), task=labels)
    assert_allclose(wide.coef_, tall.coef_, rtol=1e-3, atol=1e-4)


def test_infinite_strengths_have_no_precision_matrix():
    X, y, task = draw_tasks(EQUAL, n_tasks=7)
    model = MeanRegularizedRegressorCV([1.0, np.inf], alpha_structure="covariance")
    with pytest.raises(ValueError, match="must be finite for alpha_structure"):
        model.fit(X, y, task=task)


@pytest.mark.full
def test_given_lists_are_the_overall_strengths_of_a_structure():
    X, y, task = draw_tasks(UNEQUAL)
    for structure in STRUCTURES[1:]:
        model = MeanRegularizedRegressorCV([2.0, 4.0], alpha_structure=structure)
        model.fit(X, y, task=task)
        assert set(model.cv_results_["alpha"]) == {2.0, 4.0}
    assert MeanRegularizedRegressorCV([2.0]).fit(X, y, task=task).alpha_ == 2.0


@pytest.mark.full
@pytest.mark.parametrize(
    ("method", "n_tasks", "n_features"),
    [("loo", 15, 2), ("gcv", 15, 2), ("cv", 15, 2), ("reml", 15, 2), ("reml", 70, 13)],
)
def test_a_constant_by_rounding_has_no_coefficient(method, n_tasks, n_features):
    """Its variance was once the largest of all, and a new value ruined predictions."""
    rng = np.random.default_rng(0)
    task, scales = np.repeat(np.arange(n_tasks), 20), np.geomspace(1, 5, n_features)
    X = rng.normal(size=(len(task), n_features)) * scales
    W = 1 + rng.normal(size=(n_tasks, n_features)) / scales**3
    y = (X * W[task]).sum(axis=1) + rng.normal(size=len(task))
    X = np.column_stack([X, np.full(len(task), 3e-17)])
    for structure in ("per_feature", "covariance"):
        model = MeanRegularizedRegressorCV(method=method, alpha_structure=structure)
        assert np.abs(model.fit(X, y, task=task).coef_[:, -1]).max() < 1e-6


@pytest.mark.parametrize(("n_features", "is_tried"), [(30, True), (31, False)])
def test_few_tasks_have_no_strength_for_each_of_many_features(n_features, is_tried):
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(120, n_features)), np.repeat(np.arange(6), 20)
    y = X[:, 0] * (1 + rng.normal(size=6)[task]) + rng.normal(size=120)
    model = MeanRegularizedRegressorCV().fit(X, y, task=task)
    tried = set(model.cv_results_["alpha_structure"])
    assert ("per_feature" in tried) == is_tried
