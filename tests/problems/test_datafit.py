"""The losses of all rows: stacks of tasks against one row after the other."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_rows import datafit_of, n_targets, rows_of
from numpy.testing import assert_allclose
from scipy import sparse

from skmtl.data import _row_stacks as groups
from skmtl.losses import Huber, Logistic, Multinomial, Poisson, Squared

LOSSES = [Squared(), Logistic(), Multinomial(3), Poisson(), Huber(0.5)]
SIZES = {
    "ragged": (3, 7, 1, 12),
    "even": (5, 5, 5),
    "with an empty task": (4, 0, 6),
    "one row": (1,),
    "one tall task": (90,),
}
each_loss = pytest.mark.parametrize("loss", LOSSES, ids=str)
each_sizes = pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
each_intercept = pytest.mark.parametrize("fit_intercept", [True, False])


def posed(loss, sizes, fit_intercept=True):
    rows = rows_of(sizes, n_kinds=loss.n_outputs + 1)
    return datafit_of(rows, loss, fit_intercept)


def one_row_after_the_other(datafit, variable):
    """Return value, gradient and Hessians, by a loop that reads no stacks."""
    data, (n_tasks, *size) = datafit.data, datafit.shape
    value, gradient = 0.0, np.zeros(datafit.shape)
    hessians = np.zeros((n_tasks, np.prod(size), np.prod(size)))
    X = data.X.toarray() if sparse.issparse(data.X) else data.X
    for t in range(n_tasks):
        for i in range(data.offsets[t], data.offsets[t + 1]):
            x = np.append(X[data.rows[i]], [1.0] * datafit.fit_intercept)
            z, weight = variable[t] @ x, data.weight[i] * data.task_weight[t]
            y = np.array([data.y[i]])
            if datafit.targets is not None:
                y = datafit.targets.rows(data.y[None, [i]], np.array([t]))[0, 0]
            value += weight * datafit.loss.value(y, z)
            gradient[t] += weight * np.outer(datafit.loss.gradient(y, z), x)
            bend = datafit.loss.majorant(y[None], z[None])[0]
            hessians[t] += weight * np.kron(bend, np.outer(x, x))
    return value, gradient, hessians


def assert_is_the_sum_of_its_rows(datafit, seed=1, rtol=1e-12):
    variable = 0.5 * np.random.default_rng(seed).normal(size=datafit.shape)
    value, gradient, hessians = one_row_after_the_other(datafit, variable)
    raw = datafit.predict(variable)
    slope, curved = datafit.gradient(raw), datafit.curve(raw)
    assert datafit.value(raw) == pytest.approx(value, rel=rtol)
    level = np.abs(gradient).max()
    assert_allclose(datafit.gradient(raw), gradient, rtol=rtol, atol=rtol * level)
    assert_allclose(slope, gradient, rtol=rtol, atol=rtol * level)
    assert_allclose(curved, hessians, rtol=rtol, atol=rtol * np.abs(hessians).max())


@each_loss
@each_sizes
@each_intercept
def test_a_datafit_is_the_sum_of_its_rows(loss, sizes, fit_intercept):
    assert_is_the_sum_of_its_rows(posed(loss, sizes, fit_intercept))


@each_loss
def test_a_task_may_come_in_pieces(monkeypatch, loss):
    monkeypatch.setattr(groups, "CACHE", 30)
    monkeypatch.setattr(groups, "_TALL", 10)
    datafit = posed(loss, (40, 3, 25))
    pieces = np.concatenate([stack.tasks for stack in datafit.stacks()])
    assert len(pieces) > len(np.unique(pieces))
    assert_is_the_sum_of_its_rows(datafit)


def test_padding_of_stacks_is_not_seen():
    rows = rows_of((3, 7, 1, 12), n_kinds=2)
    datafit = datafit_of(rows, Squared())
    stacks = list(datafit.stacks())
    assert len(stacks) == 1
    flat = datafit.flatten([np.dstack([s.weight, s.y]) for s in stacks])
    weights, targets = flat.T
    factor = np.repeat(rows.task_weight, np.diff(rows.offsets))
    assert_allclose(weights, rows.weight * factor)
    assert_allclose(targets, rows.y)


@each_loss
def test_a_sparse_design_is_a_dense_one(loss):
    rows = rows_of((3, 7, 1, 12), n_kinds=loss.n_outputs + 1)
    thin = np.where(rows.X > 0, rows.X, 0.0)
    some = replace(rows, X=sparse.csr_array(thin))
    assert_is_the_sum_of_its_rows(datafit_of(some, loss))


@each_loss
def test_float32_rows_are_summed_in_float64(loss):
    rows = rows_of((3, 7, 1, 12), n_kinds=loss.n_outputs + 1)
    small = replace(rows, X=rows.X.astype(np.float32))
    datafit = datafit_of(small, loss)
    assert datafit.predict(np.zeros(datafit.shape))[0].dtype == np.float64
    assert_is_the_sum_of_its_rows(datafit, rtol=1e-12)


@each_loss
def test_a_row_of_no_weight_is_as_if_it_were_not(loss):
    """Even where its loss overflows."""
    rows = rows_of((4, 6), n_kinds=loss.n_outputs + 1)
    X, weight = rows.X.copy(), rows.weight.copy()
    X[rows.rows[3]], weight[3] = 1e300, 0.0
    some = replace(rows, X=X, weight=weight)
    datafit = datafit_of(some, loss)
    variable = np.ones(datafit.shape)
    expected = one_row_after_the_other(
        datafit_of(some.select(np.flatnonzero(X[:, 0] < 1e299)), loss), variable
    )
    raw = datafit.predict(variable)
    assert datafit.value(raw) == pytest.approx(expected[0])
    assert_allclose(datafit.gradient(raw), expected[1], atol=1e-12)
    assert_allclose(datafit.curve(raw), expected[2], atol=1e-12)


@each_loss
def test_a_beginning_predicts_means_drawn_to_that_of_all(loss):
    data = rows_of((12, 0, 2, 9), n_kinds=loss.n_outputs + 1)
    datafit = datafit_of(data, loss, smooths=False)
    y = np.eye(loss.n_outputs + 1)[data.y.astype(int)][:, -n_targets(loss) :]
    weight = data.weight * np.repeat(data.task_weight, np.diff(data.offsets))
    within = np.repeat(np.eye(4), np.diff(data.offsets), axis=1) * weight
    whole = weight @ y / weight.sum()
    expected = (within @ y + whole) / (within.sum(axis=1, keepdims=True) + 1)
    begin = datafit.start()
    assert_allclose(loss.mean(begin[:, :, -1]), expected, rtol=1e-10)
    assert not begin[:, :, :-1].any()


@pytest.mark.parametrize("loss", [Logistic(), Multinomial(3), Poisson()], ids=str)
def test_a_beginning_is_finite_where_all_targets_are_zero(loss):
    rows = rows_of((4, 6))
    rows = replace(rows, y=np.zeros(10))
    assert np.isfinite(datafit_of(rows, loss, smooths=False).start()).all()
