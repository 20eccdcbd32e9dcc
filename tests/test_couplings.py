import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone

from skmtl._contracts import Coupling
from skmtl.couplings import Apart, ToMean

COUPLINGS = [
    Apart(),
    Apart(alpha=np.array([0.5, 1.0, 4.0])),
    ToMean(),
    ToMean(alpha=3.0, alpha_shared=0.5),
    ToMean(alpha=3.0, alpha_shared=1e6, alpha_intercept=2.0),
]
each_coupling = pytest.mark.parametrize("coupling", COUPLINGS, ids=str)


def cheapest(pull, w):
    """Return the least cost of one feature's coefficients, over the centre."""
    own = np.broadcast_to(pull.own[:, 0], w.shape)
    centre = pull.centre[0]
    if np.isinf(centre):
        return (own * w**2).sum()
    shared = (own * w).sum() / (own.sum() + centre)
    return (own * (w - shared) ** 2).sum() + centre * shared**2


@each_coupling
def test_a_precision_is_the_cost_with_the_best_centre(coupling):
    w = np.array([1.0, -2.0, 0.7])
    precision = coupling.precision(3)
    assert_allclose(w @ precision @ w, cheapest(coupling.pull(3, 1), w))


@each_coupling
def test_a_precision_is_symmetric_and_costs_nothing_negative(coupling):
    precision = coupling.precision(3)
    assert_allclose(precision, precision.T)
    assert np.linalg.eigvalsh(precision).min() > -1e-12


@each_coupling
def test_a_coupling_is_cloned_with_its_strengths(coupling):
    again = clone(coupling)
    assert isinstance(again, Coupling)
    assert_allclose(again.precision(3), coupling.precision(3))
    assert_allclose(again.pull(3, 2).own, coupling.pull(3, 2).own)


@each_coupling
def test_strengths_are_arrays_of_the_shapes_of_the_coefficients(coupling):
    pull = coupling.pull(3, 4)
    assert pull.own.shape in [(1, 4), (3, 4)]
    assert pull.pattern.shape == pull.centre.shape == (4,)
    assert isinstance(pull.intercept, float)


def test_tasks_apart_have_no_centre_and_free_intercepts():
    pull = Apart(2.0).pull(3, 4)
    assert pull.pinned
    assert pull.intercept == 0
    assert_allclose(pull.own, 2.0)


def test_a_strength_per_task_stands_in_its_row():
    assert_allclose(Apart([1.0, 2.0]).pull(2, 3).own, [[1, 1, 1], [2, 2, 2]])


def test_a_strength_per_feature_stands_in_its_column():
    pull = ToMean(np.array([1.0, 5.0]), 0.5, 3.0).pull(4, 2)
    assert_allclose(pull.own, [[1, 5]])
    assert_allclose(pull.centre, [0.5, 0.5])
    assert pull.intercept == 3
    assert not pull.pinned


def test_no_strength_at_all_has_no_precision():
    assert_allclose(ToMean(alpha=0.0).precision(3), 0)
