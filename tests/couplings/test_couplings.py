import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.base import clone

from skmtl._contracts import Coupling
from skmtl.couplings import Apart, Graph, Sum, ToMean

COUPLINGS = [
    Apart(),
    Apart(alpha=np.array([0.5, 1.0, 4.0])),
    ToMean(),
    ToMean(alpha=3.0, alpha_shared=0.5),
    ToMean(alpha=3.0, alpha_shared=1e6, alpha_intercept=2.0),
]
each_coupling = pytest.mark.parametrize("coupling", COUPLINGS, ids=str)


def cheapest(strengths, w):
    """Return the penalty of one feature's coefficients, minimised over the centre."""
    own = np.broadcast_to(strengths.own[:, 0], w.shape)
    centre = strengths.centre[0]
    if np.isinf(centre):
        return (own * w**2).sum()
    shared = (own * w).sum() / (own.sum() + centre)
    return (own * (w - shared) ** 2).sum() + centre * shared**2


@each_coupling
def test_a_precision_is_the_cost_with_the_best_centre(coupling):
    w = np.array([1.0, -2.0, 0.7])
    precision = coupling.precision(3)
    assert_allclose(w @ precision @ w, cheapest(coupling.strengths(3, 1), w))


@each_coupling
def test_a_precision_is_symmetric_and_positive_semidefinite(coupling):
    precision = coupling.precision(3)
    assert_allclose(precision, precision.T)
    assert np.linalg.eigvalsh(precision).min() > -1e-12


@each_coupling
def test_a_coupling_is_cloned_with_its_strengths(coupling):
    again = clone(coupling)
    assert isinstance(again, Coupling)
    assert_allclose(again.precision(3), coupling.precision(3))
    assert_allclose(again.strengths(3, 2).own, coupling.strengths(3, 2).own)


@each_coupling
def test_strengths_are_arrays_of_the_shapes_of_the_coefficients(coupling):
    strengths = coupling.strengths(3, 4)
    assert strengths.own.shape in [(1, 4), (3, 4)]
    assert strengths.pattern.shape == strengths.centre.shape == (4,)
    assert isinstance(strengths.intercept, float)


def test_apart_has_a_centre_at_zero_and_free_intercepts():
    strengths = Apart(2.0).strengths(3, 4)
    assert strengths.pinned
    assert strengths.intercept == 0
    assert_allclose(strengths.own, 2.0)


def test_a_strength_per_task_is_in_its_row():
    assert_allclose(Apart([1.0, 2.0]).strengths(2, 3).own, [[1, 1, 1], [2, 2, 2]])


def test_a_strength_per_feature_is_in_its_column():
    strengths = ToMean(np.array([1.0, 5.0]), 0.5, 3.0).strengths(4, 2)
    assert_allclose(strengths.own, [[1, 5]])
    assert_allclose(strengths.centre, [0.5, 0.5])
    assert strengths.intercept == 3
    assert not strengths.pinned


def test_strengths_of_zero_have_a_precision_of_zero():
    assert_allclose(ToMean(alpha=0.0).precision(3), 0)


CHAIN = np.diag([1.0, 2.0], 1) + np.diag([1.0, 2.0], -1)
SUMS = [
    ToMean(1.0, 0.5) + Apart([1.0, 2.0, 3.0]),
    ToMean(2.0) + Graph(CHAIN, 0.5),
    Graph(CHAIN) + Graph(CHAIN.T, 2.0, alpha_ridge=0.1) + Apart(),
    Graph(CHAIN) + (ToMean() + Apart()),
]


@pytest.mark.parametrize("coupling", SUMS, ids=str)
def test_a_sum_has_the_sum_of_the_penalties(coupling):
    w = np.array([1.0, -2.0, 0.7])
    cost, first, second = (
        w @ (part.precision(3) @ w)
        for part in (coupling, coupling.first, coupling.second)
    )
    assert cost == pytest.approx(first + second)
    assert isinstance(coupling, Coupling)
    assert_allclose(clone(coupling).precision(3) @ w, coupling.precision(3) @ w)


def test_strengths_of_a_sum_are_set_by_name():
    coupling = clone(ToMean(2.0) + Apart(1.0)).set_params(second__alpha=3.0)
    expected = ToMean(2.0).precision(3) + 3 * np.eye(3)
    assert_allclose(coupling.precision(3), expected)


def test_graphs_stay_sparse_in_a_sum():
    assert sparse.issparse((Graph(CHAIN) + Graph(CHAIN)).precision(3))


def test_a_sum_penalizes_intercepts_if_a_part_does():
    assert not (ToMean() + Apart()).penalizes_intercepts()
    assert (Apart() + ToMean(alpha_intercept=1.0)).penalizes_intercepts()
    assert (ToMean(alpha_intercept=np.inf) + Apart()).penalizes_intercepts()


def test_only_couplings_can_be_added():
    with pytest.raises(TypeError, match="unsupported operand"):
        ToMean() + 1.0
    assert isinstance(ToMean() + ToMean(), Sum)


def test_strengths_per_feature_have_no_single_precision():
    with pytest.raises(ValueError, match="alpha must be one number"):
        ToMean(np.array([1.0, 2.0])).precision(3)
