"""Counts over exposures are weighted rates, with scikit-learn's Poisson deviance."""

import numpy as np
import pandas as pd
import pytest
from bare import Bare, in_order, tasks_of
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.metrics import mean_poisson_deviance

from skmtl.losses import Poisson
from skmtl.targets import CountTarget, read_counts, read_exposure

TASK = np.array([3, 1, 3, 1, 2, 2, 3, 1])
X = np.arange(8.0)[:, None]
COUNTS = np.array([2, 0, 5, 1, 0, 0, 3, 7])
EXPOSURE = np.array([1.0, 0.5, 2.0, 0.25, 4.0, 1.0, 0.75, 3.0])
WEIGHT = np.array([1.0, 2.0, 0.5, 1.0, 3.0, 0.0, 1.5, 1.0])


def read(y=COUNTS, **given):
    return read_counts(Bare(), X, y, task=TASK, **given)


# -- read


def test_counts_without_exposures_are_kept():
    sample = read(sample_weight=WEIGHT)
    assert_allclose(sample.rows.y, in_order(sample.rows, COUNTS))
    assert_allclose(sample.rows.weight, in_order(sample.rows, WEIGHT))
    assert sample.mean_exposure == 1


def test_counts_over_exposures_are_rates_with_more_weight():
    sample = read(sample_weight=WEIGHT, exposure=EXPOSURE)
    assert_allclose(sample.rows.y, in_order(sample.rows, COUNTS / EXPOSURE))
    assert_allclose(sample.rows.weight, in_order(sample.rows, WEIGHT * EXPOSURE))
    assert sample.mean_exposure == pytest.approx(np.average(EXPOSURE, weights=WEIGHT))


def test_the_mean_exposure_of_rows_without_weights_is_their_mean():
    assert read(exposure=EXPOSURE).mean_exposure == pytest.approx(EXPOSURE.mean())


def test_cells_of_a_2d_y_that_are_missing_are_left_out():
    Y = np.array([[1, np.nan], [0, 2], [np.nan, 3]])
    rows = read_counts(Bare(), X[:3], Y, exposure=[1.0, 2.0, 4.0]).rows
    assert rows.y.tolist() == [1, 0, 1, 0.75]
    assert rows.rows.tolist() == [0, 1, 1, 2]


@pytest.mark.parametrize(
    "y", [COUNTS.tolist(), pd.Series(COUNTS, dtype="Int64"), COUNTS.astype(object)]
)
def test_counts_may_come_in_any_container(y):
    rows = read(y).rows
    assert_allclose(rows.y, in_order(rows, COUNTS))


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (COUNTS - 1, "y must be 0 or more, got -1"),
        (0 * COUNTS, "in a row with weight above 0, got zeros only"),
        (np.where(COUNTS == 7, np.nan, COUNTS), "missing value in row 7"),
        (np.where(COUNTS == 7, np.inf, COUNTS), "contains infinity"),
        (np.array(["few"] * 8), "could not convert string"),
    ],
)
def test_targets_that_are_no_counts_are_refused(y, words):
    with pytest.raises(ValueError, match=words):
        read(y)


def test_counts_without_weight_do_not_count():
    with pytest.raises(ValueError, match="got zeros only"):
        read(sample_weight=(COUNTS == 0) * 1.0)


def test_a_later_batch_may_have_zeros_only():
    target = CountTarget(may_be_zero=True)
    sample = target.read(Bare(), X, 0 * COUNTS, task=TASK, exposure=EXPOSURE)
    assert sample.rows.y.tolist() == [0] * 8
    assert target.prepare(sample, smooths=True)[0].y.tolist() == [0] * 8
    with pytest.raises(ValueError, match="y must be 0 or more, got -1"):
        target.read(Bare(), X, -1 * (COUNTS > 0), task=TASK)


def test_a_later_batch_of_counts_leaves_the_recorded_columns():
    model = Bare()
    read_counts(model, X, COUNTS, task=TASK)
    with pytest.raises(ValueError, match="expecting 1 features"):
        read_counts(model, np.ones((8, 2)), COUNTS, task=TASK, reset=False)


@pytest.mark.parametrize(
    ("exposure", "words"),
    [
        ([1.0, 0.0], "above 0, got 0.0 in row 1"),
        ([-2.0, 1.0], "above 0, got -2.0 in row 0"),
        ([[1.0], [2.0]], r"one number per row.*got shape \(2, 1\)"),
        (2.0, r"one number per row.*got the single number 2\.0\. Pass np\.full\("),
        ([1.0, np.nan], "exposure contains NaN"),
        ([1.0, np.inf], "exposure contains infinity"),
    ],
)
def test_exposures_that_are_none_are_refused(exposure, words):
    with pytest.raises(ValueError, match=words):
        read_exposure(exposure)


def test_an_exposure_per_row_is_needed():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        read(exposure=EXPOSURE[:5])


# -- loss


@given(seed=st.integers(0, 99))
def test_the_loss_above_its_least_is_half_the_deviance_of_scikit_learn(seed):
    z = np.random.default_rng(seed).normal(size=8)
    target = CountTarget()
    sample = target.read(Bare(), X, COUNTS + 1, task=TASK, sample_weight=WEIGHT)
    rows, loss, _ = target.prepare(sample, smooths=False)
    assert isinstance(loss, Poisson)
    values = loss.cost(rows.y, z) - loss.cost(rows.y, np.log(rows.y))
    expected = mean_poisson_deviance(rows.y, loss.mean(z), sample_weight=rows.weight)
    assert 2 * np.average(values, weights=rows.weight) == pytest.approx(expected)


def test_rates_have_the_gradient_of_counts_with_an_offset():
    rate = np.exp(np.linspace(-1, 1, 8))
    rows = read(sample_weight=WEIGHT, exposure=EXPOSURE).rows
    found = rows.weight * Poisson().slope(rows.y, np.log(in_order(rows, rate)))
    expected = WEIGHT * Poisson().slope(COUNTS, np.log(rate) + np.log(EXPOSURE))
    assert_allclose(found, in_order(rows, expected))


# -- tasks without counts


def test_a_task_without_counts_gets_a_pseudo_row_with_the_mean_rate():
    target = CountTarget()
    sample = read(sample_weight=WEIGHT, exposure=EXPOSURE)
    rows = target.prepare(sample, smooths=True)[0]
    mine, unit = tasks_of(rows) == 1, sample.mean_exposure
    mean = (WEIGHT @ COUNTS) / (WEIGHT @ EXPOSURE)
    with_row = np.append(sample.rows.y[mine], mean), np.append(rows.weight[mine], unit)
    expected = np.average(with_row[0], weights=with_row[1])
    found = np.average(rows.y[mine], weights=rows.weight[mine])
    assert found == pytest.approx(expected)
    assert_allclose(rows.y[~mine], sample.rows.y[~mine])


def test_no_pseudo_rows_are_added_unless_wanted():
    sample = read()
    assert CountTarget().prepare(sample, smooths=False)[0] is sample.rows
