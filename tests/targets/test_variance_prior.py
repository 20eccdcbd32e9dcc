"""Variances of small tasks are drawn to the common one."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmtl.targets import VariancePrior


def draw(between, freedom, n_tasks=20_000):
    rng = np.random.default_rng(0)
    variances = np.exp(1.0 + np.sqrt(between) * rng.normal(size=n_tasks))
    return variances, variances * rng.chisquare(freedom, size=n_tasks)


@pytest.mark.parametrize("between", [0.0, 0.5])
def test_the_distribution_is_found(between):
    freedom = np.resize([2.0, 5.0, 30.0], 20_000)
    _, squares = draw(between, freedom)
    prior = VariancePrior.of(squares, freedom)
    assert prior.log_common == pytest.approx(1.0, abs=0.03)
    assert prior.between == pytest.approx(between, abs=0.03)


def test_shrunk_variances_are_closer_to_the_true_ones():
    freedom = np.full(20_000, 4.0)
    true, squares = draw(0.5, freedom)
    own = squares / freedom
    shrunk = VariancePrior.of(squares, freedom).shrink(own, freedom)
    error, alone = (np.log(each / true).std() for each in (shrunk, own))
    assert error < 0.7 * alone


def test_one_task_has_its_own_variance_and_many_rows_are_not_shrunk():
    one = np.array([8.0]), np.array([1e9])
    assert_allclose(VariancePrior.of(*one).common, 8e-9)
    prior = VariancePrior(0.0, 1.0)
    assert_allclose(prior.shrink(np.array([100.0]), np.array([1e9])), 100.0)
