"""Losses at the intercepts that minimise them, as a function of coefficients."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_rows import datafit_of, n_targets, rows_of
from numpy.testing import assert_allclose, assert_array_equal

from skmtl.losses import Huber, Logistic, Multinomial, Poisson
from skmtl.problems.proximal import AnyLoss, SumOfParts

SIZES = 14, 9, 11, 9
LOSSES = [Logistic(), Multinomial(3), Poisson()]
each_loss = pytest.mark.parametrize("loss", LOSSES, ids=str)


def posed(loss, sizes=SIZES):
    rows = rows_of(sizes, n_kinds=max(n_targets(loss), 2))
    return AnyLoss(datafit_of(rows, loss))


def drawn(objective, seed=0):
    return 0.5 * np.random.default_rng(seed).normal(size=objective.shape)


def assert_same_point(first, second):
    for name in ("variable", "value", "gradient", "intercepts"):
        assert_array_equal(getattr(first, name), getattr(second, name))


@each_loss
def test_a_point_does_not_depend_on_the_points_before_it(loss):
    W = drawn(posed(loss))
    used = posed(loss)
    used.at(10 * drawn(used, seed=1))
    assert_same_point(used.at(W), posed(loss).at(W))


@each_loss
def test_a_point_found_from_another_is_the_same(loss):
    objective = posed(loss)
    W, far = drawn(objective), objective.at(5 * drawn(objective, seed=1))
    found, expected = objective.at_near(W, far), objective.at(W)
    assert_allclose(found.intercepts, expected.intercepts, rtol=1e-10, atol=1e-12)
    assert_allclose(found.gradient, expected.gradient, rtol=1e-10, atol=1e-12)
    assert found.value == pytest.approx(expected.value, rel=1e-12)
    assert objective.at_near(0 * W, far) is objective.zero()


def test_a_sum_of_parts_starts_from_the_sum_at_another_point():
    objective = posed(Logistic())
    parts = SumOfParts(objective)
    W = np.stack([drawn(objective), drawn(objective, seed=1)])
    far = parts.at(3 * W)
    expected = objective.at_near(W.sum(axis=0), far.total)
    assert_same_point(parts.at_near(W, far).total, expected)


@each_loss
def test_intercepts_have_no_gradient(loss):
    objective = posed(loss)
    found = objective.at(drawn(objective))
    sums = objective.datafit.adjoint(
        objective.rows.split(objective.rows.weight[:, None] * found.slope)
    )
    assert_allclose(sums[:, :, -1], 0, atol=1e-11)


@each_loss
def test_a_point_extrapolated_is_the_one_at_its_variable(loss):
    objective = posed(loss)
    before, point = objective.zero(), objective.at(drawn(objective))
    found = objective.extrapolate(point, before, 0.7)
    expected = objective.at(1.7 * point.variable)
    assert_allclose(found.intercepts, expected.intercepts, rtol=1e-10, atol=1e-12)
    assert_allclose(found.gradient, expected.gradient, rtol=1e-10, atol=1e-12)


def test_flat_rows_are_split_into_the_shapes_of_their_stacks():
    objective = posed(Logistic())
    stacks = list(objective.datafit.stacks())
    parts = [stack.y for stack in stacks]
    flat = objective.rows.join(parts)
    for part, view in zip(parts, objective.rows.split(flat), strict=True):
        assert_array_equal(part, view)
        assert np.shares_memory(view, flat)
    tasks = [np.broadcast_to(s.tasks[:, None], s.weight.shape) for s in stacks]
    codes = np.concatenate([each.ravel() for each in tasks])
    assert_array_equal(objective.rows.task_of_row, codes)


def test_a_task_in_pieces_has_one_intercept(monkeypatch):
    whole = posed(Logistic())
    W = drawn(whole)
    expected = whole.at(W)
    monkeypatch.setattr("skmtl.data._row_stacks.CACHE", 20)
    monkeypatch.setattr("skmtl.data._row_stacks._TALL", 5)
    pieces = posed(Logistic())
    assert len(pieces.rows.tasks) > len(SIZES)
    found = pieces.at(W)
    assert_allclose(found.intercepts, expected.intercepts, rtol=1e-12)
    assert_allclose(found.gradient, expected.gradient, rtol=1e-10, atol=1e-13)


def test_an_intercept_that_diverges_ends_far_out():
    objective = posed(Logistic())
    ones = replace(objective.datafit.data, y=np.ones(sum(SIZES)))
    objective = AnyLoss(replace(objective.datafit, data=ones))
    found = objective.at(drawn(objective))
    assert (found.intercepts > 15).all()
    assert np.isfinite(found.intercepts).all()
    assert found.value < 1e-8


def test_huber_intercepts_minimise_the_loss():
    objective = posed(Huber(0.5))
    found = objective.at(drawn(objective))
    for step in (-1e-3, 1e-3):
        moved = found.linear + (found.intercepts + step)[objective.rows.task_of_row]
        assert objective.rows.value(moved) >= found.value
