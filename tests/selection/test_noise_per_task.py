"""A noise variance per task: nlme's varIdent, drawn to a typical variance."""

import numpy as np
import pytest
from bare import Bare
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skmtl.couplings import ToMean
from skmtl.data import read_rows
from skmtl.linear_model import MeanRegularizedRegressor, MeanRegularizedRegressorCV
from skmtl.problems.exact import solve_moments
from skmtl.selection import NoiseVariances, RestrictedLikelihood

N_TASKS, SIZE = 40, 12
TASK = np.repeat(np.arange(N_TASKS), SIZE)
RELATED = np.array([1.0, -1.0])


def draw(between=1.5, n_tasks=N_TASKS, seed=0):
    """Tasks near a centre; the log of their noise variance has this deviation."""
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(n_tasks), SIZE)
    X = rng.normal(size=(len(task), 2))
    noise = np.exp(between * rng.normal(size=n_tasks) / 2)
    own = 0.5 * rng.normal(size=(n_tasks, 3))
    y = (X * (RELATED + own[:, :2])[task]).sum(axis=1) + own[task, 2]
    return X, y + noise[task] * rng.normal(size=len(task)), noise**2


def dense_criterion(X, y, task, alpha, alpha_intercept, variances):
    """Minus twice the restricted log likelihood, from the covariance of all rows."""
    same = task[:, None] == task
    drawn = same * (X @ X.T / alpha + 1 / alpha_intercept)
    covariance = np.diag(variances[task]) + drawn
    design = np.column_stack([X, np.ones(len(X))])
    solved = np.linalg.solve(covariance, np.column_stack([design, y]))
    information = design.T @ solved[:, :-1]
    beta = np.linalg.solve(information, design.T @ solved[:, -1])
    residuals = y - design @ beta
    squares = residuals @ np.linalg.solve(covariance, residuals)
    logs = [np.linalg.slogdet(each)[1] for each in (covariance, information)]
    return squares + sum(logs) + (len(y) - design.shape[1]) * np.log(2 * np.pi)


def test_the_likelihood_is_that_of_the_dense_covariance():
    X, y, _ = draw(n_tasks=6)
    task = np.repeat(np.arange(6), SIZE)
    model = MeanRegularizedRegressorCV(
        method="reml", alphas_shared=[0.0], alpha_structure="one", noise="per_task"
    ).fit(X, y, task=task)
    assert model.noise_variance_.max() > 2 * model.noise_variance_.min()
    strengths = 1 / model.tau2_, 1 / model.tau2_intercept_
    criterion = dense_criterion(X, y, task, *strengths, model.noise_variance_)
    assert model.best_score_ == pytest.approx(-criterion / 2, rel=1e-9)
    assert model.best_score_ == model.cv_results_["log_likelihood"].max()


def test_unshrunk_variances_are_where_the_likelihood_is_stationary():
    """The derivative by a log variance is ``n_t - h_t`` minus the squares over it."""
    X, y, _ = draw(n_tasks=4)
    task, step = np.repeat(np.arange(4), SIZE), 1e-5
    data = read_rows(Bare(), X, y, task=task)
    fit = solve_moments(data.moments(), ToMean(3.0, 0.0, 2.0).strengths(4, 2), True)
    found, sigma2 = (
        NoiseVariances.of(fit),
        RestrictedLikelihood(fit).noise_variance,
    )

    def criterion(logs):
        given = 3.0 / sigma2, 2.0 / sigma2, sigma2 * np.exp(logs)
        return dense_criterion(X, y, task, *given)

    steps = step * np.eye(4)
    slopes = [(criterion(each) - criterion(-each)) / (2 * step) for each in steps]
    assert_allclose(found.freedom - found.squares / sigma2, slopes, rtol=1e-5)


def test_noise_that_differs_is_found_and_weighs_the_tasks():
    X, y, variances = draw()
    model = MeanRegularizedRegressorCV().fit(X, y, task=TASK)
    found = np.log(model.noise_variance_)
    assert np.corrcoef(found, np.log(variances))[0, 1] > 0.8
    weighted = MeanRegularizedRegressor(
        model.alpha_,
        alpha_shared=model.alpha_shared_,
        alpha_intercept=model.alpha_intercept_,
        task_weight=dict(enumerate(model.sigma2_ / model.noise_variance_)),
    )
    assert_allclose(weighted.fit(X, y, task=TASK).coef_, model.coef_, rtol=1e-9)


def test_equal_noise_stays_common():
    X, y, _ = draw(0.0)
    model = MeanRegularizedRegressorCV().fit(X, y, task=TASK)
    assert_array_equal(model.noise_variance_, model.sigma2_)
    coef = model.coef_
    assert_array_equal(
        model.set_params(noise="common").fit(X, y, task=TASK).coef_, coef
    )


def test_deviations_are_those_of_the_dense_covariance():
    X, y, _ = draw(n_tasks=6)
    task = np.repeat(np.arange(6), SIZE)
    model = MeanRegularizedRegressorCV(
        alphas_shared=[0.0], alpha_structure="one", noise="per_task"
    ).fit(X, y, task=task)

    def drawn(first, second):
        return model.tau2_ * first @ second.T + model.tau2_intercept_

    same = task[:, None] == task
    covariance = np.diag(model.noise_variance_[task]) + same * drawn(X, X)
    design = np.column_stack([X, np.ones(len(X))])
    new, of = np.array([[1.0, 2.0], [-3.0, 0.5]]), np.array([0, 3])
    shared = (of[:, None] == task) * drawn(new, X)
    solved = np.linalg.solve(covariance, np.column_stack([design, shared.T]))
    rest = np.column_stack([new, np.ones(2)]) - shared @ solved[:, :3]
    spread = np.linalg.inv(design.T @ solved[:, :3])
    variance = drawn(new, new) - shared @ solved[:, 3:] + rest @ spread @ rest.T
    noise = model.noise_variance_[of]
    _, std = model.predict(new, of, return_std=True)
    assert_allclose(std**2, noise + np.diag(variance), rtol=1e-6)


@pytest.mark.full
def test_the_layout_and_the_units_are_no_matter():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    noise = np.array([0.1, 1.0, 1.0, 3.0])
    Y = X @ (RELATED[:, None] + 0.3 * rng.normal(size=(2, 4)))
    Y += noise * rng.normal(size=(30, 4))
    model = MeanRegularizedRegressorCV(noise="per_task", scale_targets=False)
    coef, variances = model.fit(X, Y).coef_, model.noise_variance_
    rows, task = np.tile(X, (4, 1)), np.repeat(np.arange(4), 30)
    model.fit(rows, Y.T.ravel(), task=task)
    assert_allclose(model.coef_, coef, rtol=1e-6)
    assert_allclose(model.noise_variance_, variances, rtol=1e-6)
    model.set_params(scale_targets=True).fit(X, Y)
    assert_allclose(model.noise_variance_, variances, rtol=0.5)
    variances = model.noise_variance_
    model.fit(X, 1000 * Y)
    assert_allclose(model.noise_variance_, 1e6 * variances, rtol=1e-6)


def test_a_new_task_has_the_mean_noise():
    X, y, _ = draw()
    old = TASK != 3
    model = MeanRegularizedRegressorCV(noise="per_task")
    model.fit(X[old], y[old], task=TASK[old])
    mean = model.noise_variance_.mean()
    model.adapt(X[~old], y[~old], task=TASK[~old])
    assert model.noise_variance_[3] == pytest.approx(mean)
    _, std = model.predict(X[~old], 3, return_std=True)
    assert (std > np.sqrt(mean)).all()


@pytest.mark.full
def test_large_sparse_rows_need_common_noise():
    X = sparse.random(3000, 3000, 1e-3, format="csr", random_state=0)
    y, task = np.arange(3000.0), np.arange(3000) % 3
    model = MeanRegularizedRegressorCV(method="cv", noise="per_task")
    with pytest.raises(ValueError, match="noise='per_task' needs a factorisation"):
        model.fit(X, y, task=task)


@pytest.mark.parametrize("seed", range(6))
def test_one_row_per_task_leaves_the_noise_common(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(12, 2))
    y = X @ [1, -1] + 0.5 * rng.normal(size=12)
    model = MeanRegularizedRegressorCV().fit(X, y, task=np.arange(12))
    assert np.ptp(model.noise_variance_) == 0
