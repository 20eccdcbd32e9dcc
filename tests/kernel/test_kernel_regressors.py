"""Kernel regressors equal models of other people, and of ours, where these exist."""

from dataclasses import replace

import numpy as np
import pytest
from cases import parametrize
from numpy.testing import assert_allclose
from scipy.optimize import approx_fprime
from scipy.stats import norm
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import GridSearchCV

from skmtl import _memory
from skmtl.couplings import Graph, ToMean
from skmtl.kernel import (
    MeanRegularizedKernelRegressor,
    MeanRegularizedKernelRegressorCV,
)
from skmtl.kernel._criteria import LeaveOneOut, RestrictedLikelihood
from skmtl.kernel._designs import GridDesign, StackedDesign, Strengths
from skmtl.kernel._kernels import read_kernels
from skmtl.kernel._search import _FIRST_STEP, KernelSearch, Rows
from skmtl.linear_model import (
    GraphRegularizedRegressor,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
)

N, T = 40, 5
rng = np.random.default_rng(0)
X = rng.normal(size=(N, 3))
TASK = rng.integers(0, T, N)
Y = X @ rng.normal(size=(3, T)) + np.sin(2 * X[:, :1]) + rng.normal(size=(N, T))
y = Y[np.arange(N), TASK]
WEIGHT = rng.uniform(0.2, 3.0, N)
NEW, NEW_TASK = rng.normal(size=(12, 3)), np.arange(12) % (T + 1)
RING = np.roll(np.eye(T), 1, axis=0) + np.roll(np.eye(T), -1, axis=0)
GAPS = np.where(rng.uniform(size=Y.shape) < 0.3, np.nan, Y)

intercepts = pytest.mark.parametrize(
    ("alpha_intercept", "fit_intercept"),
    [(0.0, True), (0.7, True), (np.inf, True), (0.0, False)],
)


def _assert_same(found, expected, new, seen=slice(None), **given):
    """Compare predictions, standard deviations and attributes of fits."""
    ours, our_std = found.predict(new, return_std=True, **given)
    theirs, their_std = expected.predict(new, return_std=True, **given)
    assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
    assert_allclose(our_std[seen], their_std[seen], rtol=1e-9, atol=1e-9)
    assert_allclose(found.intercept_, expected.intercept_, rtol=1e-9, atol=1e-9)
    assert_allclose(found.objective_, expected.objective_, rtol=1e-9)


@intercepts
def test_a_linear_kernel_is_the_linear_model(alpha_intercept, fit_intercept):
    given = {"alpha_shared": 0.5, "alpha_intercept": alpha_intercept}
    given |= {"fit_intercept": fit_intercept, "task_weight": "balanced"}
    linear = MeanRegularizedRegressor(2.0, **given)
    kernel = MeanRegularizedKernelRegressor(2.0, kernel="linear", **given)
    models = [each.fit(X, y, WEIGHT, TASK) for each in (kernel, linear)]
    # Linear models estimate the deviations of unseen tasks from errors.
    _assert_same(*models, NEW, np.isin(NEW_TASK, TASK), task=NEW_TASK)
    assert_allclose(models[0].intercept_shared_, models[1].intercept_shared_)


@intercepts
@pytest.mark.parametrize("targets", [Y, GAPS], ids=["complete", "gaps"])
def test_a_linear_kernel_of_columns_is_the_linear_model(
    alpha_intercept, fit_intercept, targets
):
    given = {"alpha_shared": 0.5, "alpha_intercept": alpha_intercept}
    given |= {"fit_intercept": fit_intercept}
    linear = MeanRegularizedRegressor(2.0, **given)
    kernel = MeanRegularizedKernelRegressor(2.0, kernel="linear", **given)
    models = [each.fit(X, targets, WEIGHT) for each in (kernel, linear)]
    _assert_same(*models, NEW)


@intercepts
def test_complete_columns_equal_their_cells(alpha_intercept, fit_intercept):
    model = MeanRegularizedKernelRegressor(
        2.0, alpha_intercept=alpha_intercept, fit_intercept=fit_intercept
    )
    by_rows = model.fit(X, Y, WEIGHT)
    found = by_rows.predict(NEW, return_std=True), by_rows.log_marginal_likelihood_
    by_cells = model.fit(X, Y, np.tile(WEIGHT[:, None], T))
    assert_allclose(found[0], by_cells.predict(NEW, return_std=True))
    assert_allclose(found[1], by_cells.log_marginal_likelihood_)


def _product(a, b):
    return float(1 + a @ b) ** 2


@pytest.mark.parametrize("kernel", ["rbf", "laplacian", "poly", "cosine", _product])
def test_one_task_is_kernel_ridge(kernel):
    given = {"kernel": kernel, "gamma": 0.3, "degree": 2, "coef0": 0.5}
    model = MeanRegularizedKernelRegressor(
        np.inf, alpha_shared=0.6, fit_intercept=False, **given
    )
    peer = KernelRidge(alpha=0.6, **given).fit(X, y, WEIGHT)
    found = model.fit(X, y, WEIGHT, task=0).predict(NEW, task=0)
    assert_allclose(found, peer.predict(NEW), rtol=1e-8, atol=1e-8)


def test_one_task_is_a_gaussian_process():
    process = ConstantKernel(1.7) * RBF(0.9) + WhiteKernel(0.6)
    peer = GaussianProcessRegressor(process, optimizer=None).fit(X, y)
    model = MeanRegularizedKernelRegressor(
        np.inf, alpha_shared=0.6 / 1.7, gamma=0.5 / 0.9**2, fit_intercept=False
    )
    found = model.fit(X, y, task=0).predict(NEW, task=0)
    assert_allclose(found, peer.predict(NEW), rtol=1e-8)


def test_the_search_finds_the_optimum_of_a_gaussian_process():
    process = ConstantKernel() * RBF() + WhiteKernel()
    peer = GaussianProcessRegressor(process, n_restarts_optimizer=2, random_state=0)
    peer.fit(X, Y[:, 0])
    model = MeanRegularizedKernelRegressorCV(kernel="rbf", fit_intercept=False)
    model.fit(X, Y[:, 0], task=0)
    best = peer.log_marginal_likelihood_value_
    assert_allclose(model.best_score_, best, rtol=1e-5)
    assert model.best_score_ == pytest.approx(model.log_marginal_likelihood_)
    found = model.predict(NEW, task=0, return_std=True)
    assert_allclose(found, peer.predict(NEW, return_std=True), rtol=0.05, atol=0.05)


def test_the_likelihood_of_a_linear_kernel_is_that_of_the_linear_search():
    simple = {"alpha_structure": "one", "noise": "common"}
    linear = MeanRegularizedRegressorCV(method="reml", **simple).fit(X, y, task=TASK)
    model = MeanRegularizedKernelRegressorCV(kernel="linear").fit(X, y, task=TASK)
    found = model.alpha_, model.alpha_shared_, model.alpha_intercept_
    given = dict(zip(("alpha", "alpha_shared", "alpha_intercept"), found, strict=True))
    assert model.best_score_ > linear.best_score_ - 0.05
    names = "alphas", "alphas_shared", "alphas_intercept"
    held = {name: [value] for name, value in zip(names, found, strict=True)}
    loo = MeanRegularizedRegressorCV(method="loo", **held, **simple).fit(
        X, y, task=TASK
    )
    kernel = MeanRegularizedKernelRegressorCV(kernel="linear", method="loo", **given)
    kernel.fit(X, y, task=TASK)
    assert_allclose(kernel.best_score_, loo.best_score_)


def _designs():
    order = np.argsort(TASK, kind="stable")
    stacked = StackedDesign(order, TASK[order], np.sqrt(WEIGHT), y[order], N, T, True)
    C = np.linalg.inv(np.eye(T) + RING @ RING)
    coupled = replace(stacked, covariance=C)
    return {
        "stacked": stacked,
        "coupled": coupled,
        "grid": GridDesign(np.arange(N), WEIGHT, Y, N, True),
    }


@pytest.mark.parametrize("design", _designs().values(), ids=_designs())
@pytest.mark.parametrize("criterion", [LeaveOneOut(), RestrictedLikelihood()])
def test_the_gradient_is_that_of_finite_differences(design, criterion):
    params = {"gamma": 0.3, "degree": 3, "coef0": 1, "kernel_params": None}
    kernels = tuple(read_kernels(["linear", "laplacian"], params, X))
    rows = Rows(design, X, kernels)
    search = KernelSearch(rows, criterion, 0.3, [None] * 4)
    logs = np.random.default_rng(1).normal(size=6)

    def evaluate(logs):
        return search._evaluate(rows, search._place(logs))

    expected = approx_fprime(logs, lambda each: evaluate(each)[0], 1e-6)
    found = evaluate(logs)[1] / _FIRST_STEP  # steps are scaled
    assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("design", _designs().values(), ids=_designs())
def test_the_likelihood_is_that_of_the_normal_density(design):
    # The restricted likelihood integrates over intercepts; with a proper prior on
    # them that is so wide as to be flat, the density is the same up to the prior's.
    strengths, wide = Strengths(np.array([0.5]), np.array([2.0]), 0.7), 1e8
    systems = design.systems([rbf_kernel(X)], strengths)
    for system in systems:
        variance = float(system.objective) / len(X)
        A = system.covariance + wide * system.free @ system.free.T
        column = system.targets[:, 0]
        L = np.linalg.cholesky(variance * A)
        density = norm.logpdf(np.linalg.solve(L, column)).sum()
        density -= np.log(np.diag(L)).sum()
        P, n_free = system.projection, system.free.shape[1]
        ours = column @ P @ column / variance + system.log_determinant / system.times
        ours += len(X) * np.log(2 * np.pi * variance) + n_free * np.log(wide)
        assert_allclose(-ours / 2, density, rtol=1e-6)


@pytest.mark.parametrize("method", ["keyword", "outputs"])
def test_leave_one_out_errors_are_those_of_refits(method):
    given = {"alpha": 2.0, "alpha_shared": 0.5, "alpha_intercept": 0.7, "gamma": 0.3}
    search = MeanRegularizedKernelRegressorCV(kernel="rbf", method="loo", **given)
    model = MeanRegularizedKernelRegressor(**given)
    errors = []
    if method == "keyword":
        search.fit(X, y, WEIGHT, TASK)
        for i in range(N):
            kept = np.arange(N) != i
            model.fit(X[kept], y[kept], WEIGHT[kept], TASK[kept])
            error = y[i] - model.predict(X[[i]], task=TASK[[i]])[0]
            errors.append(WEIGHT[i] * error**2)
        expected = -np.sum(errors) / WEIGHT.sum()
    else:
        search.fit(X[:8], Y[:8])
        for i, t in np.ndindex(8, T):
            without = Y[:8].copy()
            without[i, t] = np.nan
            found = model.fit(X[:8], without).predict(X[[i]])[0, t]
            errors.append((Y[i, t] - found) ** 2)
        expected = -np.mean(errors)
    assert_allclose(search.best_score_, expected)


def test_functions_of_several_kernels_add_up():
    several = MeanRegularizedKernelRegressor(
        [2.0, np.inf], alpha_shared=[1.0, 0.5], kernel=["linear", "rbf"], gamma=0.3
    )
    several.fit(X, y, task=TASK)
    same = TASK[:, None] == TASK
    K = (X @ X.T) * (1 + same / 2) + 2 * rbf_kernel(X, gamma=0.3)
    free = (TASK[:, None] == np.arange(T)) * 1.0
    solved = np.linalg.solve(
        np.block([[K + np.eye(N), free], [free.T, np.zeros((T, T))]]),
        np.append(y, np.zeros(T)),
    )
    assert_allclose(several.dual_coef_, solved[:N])
    assert_allclose(several.intercept_, solved[N:])


@pytest.mark.parametrize("targets", [Y, GAPS], ids=["complete", "gaps"])
def test_a_coupling_relates_the_tasks(targets):
    graph = GraphRegularizedRegressor(RING, alpha=2.0, alpha_ridge=1.0)
    model = MeanRegularizedKernelRegressor(
        2.0, alpha_shared=np.inf, kernel="linear", coupling=Graph(RING, 1.0, 0.5)
    )
    fits = [each.fit(X, targets, WEIGHT) for each in (model, graph)]
    assert_allclose(fits[0].predict(NEW), fits[1].predict(NEW), rtol=1e-9)
    assert_allclose(fits[0].objective_, fits[1].objective_, rtol=1e-9)


def test_a_coupling_to_the_mean_is_a_shared_function():
    model = MeanRegularizedKernelRegressor(2.0, alpha_shared=0.5)
    query = {"X": NEW, "task": NEW_TASK % T, "return_std": True}
    expected = model.fit(X, y, task=TASK).predict(**query)
    model.set_params(alpha=1.0, alpha_shared=np.inf, coupling=ToMean(2.0, 0.5))
    assert_allclose(model.fit(X, y, task=TASK).predict(**query), expected)


@pytest.mark.parametrize(
    ("coupling", "message"),
    [
        (Graph(RING), "coupling must have a positive definite"),
        (ToMean, "coupling must be an object"),
    ],
)
def test_a_wrong_coupling_raises_an_error(coupling, message):
    model = MeanRegularizedKernelRegressor(coupling=coupling)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, task=TASK)


def test_a_precomputed_kernel_is_the_kernel():
    model = MeanRegularizedKernelRegressor(gamma=0.3)
    expected = model.fit(X, y, task=TASK).predict(NEW, task=NEW_TASK)
    model.set_params(kernel="precomputed").fit(rbf_kernel(X, gamma=0.3), y, task=TASK)
    across = rbf_kernel(NEW, X, gamma=0.3)
    assert_allclose(model.predict(across, task=NEW_TASK), expected)
    with pytest.raises(ValueError, match="similarity of each row to itself"):
        model.predict(across, task=NEW_TASK, return_std=True)
    # Folds take rows and columns.
    search = GridSearchCV(model, {"alpha": [0.1, 1.0]}, cv=2)
    search.fit(rbf_kernel(X), Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_unseen_tasks_are_unsure_as_far_as_tasks_differ():
    model = MeanRegularizedKernelRegressor(alpha_intercept=1.0).fit(X, y, task=TASK)
    _, std = model.predict(NEW, task=T, return_std=True)
    _, of_seen = model.predict(NEW, task=0, return_std=True)
    assert (std > of_seen).all()
    model.set_params(alpha_intercept=0.0).fit(X, y, task=TASK)
    assert np.isinf(model.predict(NEW, task=T, return_std=True)[1]).all()


def test_the_search_keeps_given_strengths():
    model = MeanRegularizedKernelRegressorCV(
        alpha=[np.inf, 3.0], alpha_intercept=2.0, gamma="scale"
    )
    model.fit(X, y, task=TASK)
    assert model.alpha_.tolist() == [np.inf, 3.0]
    assert model.alpha_intercept_ == 2.0
    assert_allclose(model.gamma_, 1 / X.var(axis=0).sum())


def test_tasks_that_are_equal_get_an_infinite_strength():
    x = np.linspace(0, 6, 60)[:, None]
    target = np.sin(x[:, 0]) + 0.1 * np.random.default_rng(0).normal(size=60)
    model = MeanRegularizedKernelRegressorCV(kernel="rbf")
    model.fit(x, target, task=np.arange(60) % 3)
    assert np.isinf([model.alpha_, model.alpha_intercept_]).all()
    assert_allclose(np.sqrt(model.sigma2_), 0.1, rtol=0.2)


@pytest.mark.full
@pytest.mark.parametrize(
    ("layout", "method"),
    [
        ("keyword", "marginal_likelihood"),
        ("outputs", "loo"),
        ("precomputed", "marginal_likelihood"),
    ],
)
def test_a_start_on_few_rows_finds_the_optimum_of_all(layout, method):
    draws = np.random.default_rng(2)
    x, task = draws.uniform(-3, 3, size=(520, 1)), np.arange(520) % 4
    target = np.sin(2 * x[:, 0]) + 0.3 * task * x[:, 0] + 0.2 * draws.normal(size=520)
    columns = np.sin(2 * x) + 0.3 * np.arange(2) * x + 0.2 * draws.normal(size=(520, 2))
    rows, kernel = (rbf_kernel(x), layout) if layout == "precomputed" else (x, "rbf")
    model = MeanRegularizedKernelRegressorCV(kernel=kernel, method=method)
    given = {"y": columns} if layout == "outputs" else {"y": target, "task": task}
    assert_allclose(np.sqrt(model.fit(rows, **given).sigma2_), 0.2, rtol=0.1)


def _negative(a, b):
    return -float(a @ b)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"alpha": 0.0}, "alpha must be positive"),
        ({"alpha_shared": [1.0, 2.0]}, "alpha_shared must be one number or one per"),
        ({"kernel": []}, "at least one kernel"),
        ({"kernel": ["rbf", "bumps"]}, "kernel must be a function or one of"),
        ({"kernel": ["rbf", "precomputed"]}, "must be the only kernel"),
        ({"kernel": "precomputed"}, "must be square"),
        ({"kernel": _negative, "alpha": 1e-3}, "must be positive semidefinite"),
        ({"kernel": "poly", "degree": 4000}, "overflows"),
    ],
)
def test_a_wrong_parameter_raises_an_error(params, message):
    model = MeanRegularizedKernelRegressor(**params)
    with pytest.raises(ValueError, match=message):
        model.fit(X * 10, y, task=TASK)


def test_features_that_overflow_raise_an_error():
    with pytest.raises(ValueError, match="the kernel overflows"):
        MeanRegularizedKernelRegressorCV().fit(X * 1e200, y, task=TASK)


@pytest.mark.parametrize("method", ["loo", "marginal_likelihood"])
def test_a_search_that_finds_no_strength_raises_an_error(method):
    model = MeanRegularizedKernelRegressorCV(method=method, kernel=_negative)
    with pytest.raises(ValueError, match="must be finite for some strengths"):
        model.fit(X[:, 1:] * 1e4, y, task=TASK)


def test_one_row_has_no_likelihood():
    model = MeanRegularizedKernelRegressorCV()
    with pytest.raises(ValueError, match="more rows than free intercepts"):
        model.fit(X[:1], y[:1], task=[0])


def test_too_many_rows_raise_an_error_before_they_fill_the_memory(monkeypatch):
    monkeypatch.setattr(_memory, "available_bytes", lambda: 2**27)
    rows = np.zeros((3000, 1))
    with pytest.raises(ValueError, match=r"similarities of rows.*Nystroem"):
        MeanRegularizedKernelRegressor().fit(rows, rows[:, 0], task=0)


def test_far_rows_of_a_smooth_kernel_lose_no_digits():
    model = MeanRegularizedKernelRegressor(gamma=0.3)
    expected = model.fit(X, y, task=TASK).predict(NEW, task=NEW_TASK)
    model.fit(X + 1e7, y, task=TASK)
    found = model.predict(NEW + 1e7, task=NEW_TASK)
    assert_allclose(found, expected, atol=1e-7)


@pytest.mark.parametrize("method", ["loo", "marginal_likelihood"])
@parametrize("layout", ["task", "complete", "gaps"], short=["task"])
def test_a_constant_of_the_targets_only_adds_to_predictions(method, layout):
    model = MeanRegularizedKernelRegressorCV(method=method)
    target = {"task": y, "complete": Y, "gaps": GAPS}[layout]
    given = {"task": TASK} if layout == "task" else {}
    of_new = {"task": NEW_TASK} if layout == "task" else {}
    expected, std = model.fit(X, target, **given).predict(
        NEW, return_std=True, **of_new
    )
    shared = model.intercept_shared_
    model.fit(X, target + 2.0**27, **given)
    found, found_std = model.predict(NEW, return_std=True, **of_new)
    # Targets are rounded to 2^-26, and the search stops early.
    assert_allclose(found - 2.0**27, expected, atol=1e-3)
    assert_allclose(found_std, std, rtol=1e-3)
    assert_allclose(model.intercept_shared_ - 2.0**27, shared, atol=1e-3)


def test_equal_targets_have_no_noise():
    model = MeanRegularizedKernelRegressorCV().fit(X, np.full(N, 0.1), task=TASK)
    assert_allclose(model.predict(NEW, task=NEW_TASK), 0.1, rtol=1e-14)
    assert model.sigma2_ < 1e-30


@pytest.mark.parametrize(
    "model",
    [
        MeanRegularizedKernelRegressor(alpha_intercept=1.0),
        MeanRegularizedKernelRegressor(fit_intercept=False),
        MeanRegularizedKernelRegressorCV(),
    ],
)
def test_a_single_task_does_not_tell_of_others(model):
    model.fit(X, y, task=0)
    assert np.isinf(model.predict(NEW, task=9, return_std=True)[1]).all()
    assert np.isfinite(model.predict(NEW, task=0, return_std=True)[1]).all()
    linear = MeanRegularizedRegressor(alpha_intercept=1.0).fit(X, y, task=0)
    assert np.isinf(linear.predict(NEW, task=9, return_std=True)[1]).all()


def test_a_model_keeps_a_copy_of_the_rows():
    rows = X.copy()
    model = MeanRegularizedKernelRegressor().fit(rows, y, task=TASK)
    expected = model.predict(NEW, task=NEW_TASK)
    rows[:] = 0
    assert_allclose(model.predict(NEW, task=NEW_TASK), expected, rtol=0)


@pytest.mark.parametrize(
    "model",
    [
        MeanRegularizedKernelRegressor(),
        MeanRegularizedKernelRegressorCV(),
        MeanRegularizedKernelRegressorCV(method="loo"),
    ],
)
def test_targets_that_overflow_raise_an_error(model):
    with pytest.raises(ValueError, match="got inf for y"):
        model.fit(X, y * 1e160, task=TASK)
