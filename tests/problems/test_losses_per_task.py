"""Losses of several kinds as one datafit, and extreme strengths of their coupling."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_rows import datafit_of, rows_of
from numpy.testing import assert_allclose

from skmtl.couplings import ToMean
from skmtl.losses import Logistic, Poisson, Squared
from skmtl.problems import group_by_loss, scale_of_task
from skmtl.problems.newton import DatafitPerTask, MeanLosses
from skmtl.solvers import Newton

SIZES = 14, 9, 11
KINDS = [Squared(), Logistic(), Squared()]


def mixed():
    rows = rows_of(SIZES)
    ends = np.cumsum(SIZES)[:-1]
    y, weight = np.split(rows.y, ends), np.split(rows.weight, ends)
    scales = [scale_of_task(*each) for each in zip(KINDS, y, weight, strict=True)]
    datafit = DatafitPerTask(rows, group_by_loss(rows, KINDS, scales))
    return datafit, np.array([scale.scale for scale in scales])


def test_totals_of_tasks_are_divided_by_their_scales():
    datafit, scale = mixed()
    codes = np.repeat(np.arange(3), SIZES)
    sums = np.bincount(codes, datafit.data.weight) * datafit.data.task_weight
    assert_allclose(datafit.task_totals, sums / scale)


def test_a_task_without_weight_has_no_total():
    datafit, _ = mixed()
    weight = np.where(np.arange(sum(SIZES)) < SIZES[0], 0.0, datafit.data.weight)
    parts = tuple(
        replace(part, datafit=replace(part.datafit, data=data))
        for part in datafit.parts
        for data in [replace(datafit.data, weight=weight).of_tasks(part.places)]
    )
    found = DatafitPerTask(datafit.data, parts).task_totals
    assert found[0] == 0
    assert (found[1:] > 0).all()


@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e4])
def test_infinite_strengths_pool_tasks_in_any_unit(unit):
    rows = rows_of(SIZES)
    rows = replace(rows, X=unit * rows.X)
    datafit = datafit_of(rows, Logistic())
    strengths = ToMean(np.inf, 0.7 * unit**2, np.inf).strengths(len(SIZES), 3)
    objective = MeanLosses(datafit, strengths)
    found = Newton(tol=1e-14).minimize(objective, objective.start())
    own, shared = found.variable[:-1], found.variable[-1]
    assert np.abs(own).max() < 1e-9 * np.abs(shared).max()


@pytest.mark.parametrize("loss", [Logistic(), Poisson()], ids=str)
def test_an_infinite_strength_of_the_centre_leaves_a_ridge_per_task(loss):
    datafit = datafit_of(rows_of(SIZES), loss)
    strengths = ToMean(0.9, np.inf).strengths(len(SIZES), 3)
    objective = MeanLosses(datafit, strengths)
    variable = 0.3 * np.random.default_rng(0).normal(size=objective.shape)
    variable[-1] = 0.0
    ridge = 0.45 * (variable[:-1, :, :-1] ** 2).sum()
    assert objective.coupling_value(variable) == pytest.approx(ridge)
    found = Newton(tol=1e-14).minimize(objective, objective.start())
    assert found.converged
    assert (found.variable[-1] == 0).all()
