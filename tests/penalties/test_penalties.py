from itertools import pairwise, product

import numpy as np
import pytest
from cases import parametrize
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import brentq, linprog, lsq_linear, minimize
from sklearn.base import clone

from skmtl._contracts import Norm, Penalty, Point, Smooth
from skmtl.penalties import (
    L1,
    L12,
    L21,
    ClusterNorm,
    Decomposed,
    Fused,
    L1Inf,
    Positive,
    RowMCP,
    RowSCAD,
    SquaredTrace,
    Trace,
)
from skmtl.penalties._chain import solve_dynamic_program
from skmtl.penalties._taut_string import solve_taut_string

NORMS = [
    L1(0.7),
    L21(0.7),
    L12(0.7),
    L1Inf(0.7),
    Trace(0.7),
    Positive(L1(0.7)),
    Positive(L21(0.7)),
    Positive(L12(0.7)),
    Positive(L1Inf(0.7)),
    Decomposed(L1Inf(0.7), L1(0.4), alpha=1.5),
    Decomposed(Trace(0.5), L12(0.7)),
    Positive(Decomposed(L21(0.7), L1(0.4))),
]
JUMPS = [
    Fused(0.7),
    Fused(0.3, alpha_l1=0.2),
    Fused(0.3, alpha_l1=0.1, alpha_joint=0.5),
    Fused(0.3, alpha_joint=0.5, order=[2, 0, 1]),
    Fused(0.3, alpha_l1=0.1, alpha_joint=0.2, edges=[[0, 1], [1, 2], [2, 0]]),
    Fused(0.5, edges=[[2, 1], [1, 2], [0, 0]]),
]
SQUARES = [
    SquaredTrace(0.7),
    ClusterNorm(0.5, 2.0, 1),
    ClusterNorm(0.5, 2.0, 2),
    ClusterNorm(0.5, np.inf, 2),
    ClusterNorm(0.5, 0.5, 2),
    ClusterNorm(0.5, 2.0, 2, alpha_mean=0.1),
    ClusterNorm(0.5, 2.0, 1, alpha_mean=0.0),
]
FOLDED = [
    RowMCP(0.7),
    RowMCP(0.7, gamma=1.2),
    RowSCAD(0.7),
    RowSCAD(0.7, gamma=2.1),
    Positive(RowMCP(0.7)),
    Positive(RowSCAD(0.7)),
]
CONVEX = NORMS + JUMPS + SQUARES
PENALTIES = CONVEX + FOLDED


def _each(penalties):
    return pytest.mark.parametrize("penalty", penalties, ids=repr)


each_penalty, each_convex, each_norm = map(_each, (PENALTIES, CONVEX, NORMS))
each_chain, each_square, each_fold = map(_each, (JUMPS, SQUARES, FOLDED))
# For networks, alpha_max is found by a search, which takes long.
NETWORKS = JUMPS[4:]
each_network = parametrize(
    "penalty", PENALTIES, [one for one in PENALTIES if one not in NETWORKS], ids=repr
)

# Half of the numbers are round, so that equal ones and zeros are common.
numbers = st.integers(-3, 3).map(float) | st.floats(-5, 5, allow_subnormal=False)
steps = st.sampled_from([0.01, 0.3, 1.0, 1.3, 4.0])


def _stacks(n, n_tasks=3):
    """Draw n variables, each as two parts, of the same shape."""
    shapes = st.tuples(st.just(n), st.just(2), st.just(n_tasks), st.integers(1, 4))
    return shapes.flatmap(lambda shape: hnp.arrays(float, shape, elements=numbers))


def _variable(penalty, stack):
    """Return both parts for a decomposition, the first for other penalties."""
    inner = getattr(penalty, "penalty", penalty)
    return stack if isinstance(inner, Decomposed) else stack[0]


def _cost(penalty, V, W, step):
    return ((V - W) ** 2).sum() / 2 + step * penalty.value(V)


# Values, as in the docstrings, by loops.


def _columns(W):
    return [np.sqrt(sum(w * w for w in column)) for column in W.T]


def _sizes(W):
    return np.linalg.svd(W)[1]


def _mcp(s, alpha, gamma):
    slope = lambda u: max(alpha - u / gamma, 0.0)  # noqa: E731
    return _integral(slope, s, [gamma * alpha])


def _scad(s, alpha, gamma):
    slope = lambda u: min(alpha, max((gamma * alpha - u) / (gamma - 1), 0))  # noqa: E731
    return _integral(slope, s, [alpha, gamma * alpha])


def _integral(slope, end, bends):
    """Integrate a piecewise linear function, exactly."""
    places = sorted({0.0, end, *(bend for bend in bends if bend < end)})
    return sum((b - a) * (slope(a) + slope(b)) / 2 for a, b in pairwise(places))


@pytest.mark.parametrize(
    ("penalty", "value"),
    [
        (L1(2.0), lambda W: 2 * sum(abs(w) for w in W.ravel())),
        (L21(2.0), lambda W: 2 * sum(_columns(W))),
        (L12(2.0), lambda W: 2 * sum(_columns(W.T))),
        (L1Inf(2.0), lambda W: 2 * sum(max(abs(column)) for column in W.T)),
        (Trace(2.0), lambda W: 2 * sum(_sizes(W))),
        (SquaredTrace(2.0), lambda W: sum(_sizes(W)) ** 2),
        (Fused(2.0), lambda W: 2 * sum(abs(a - b).sum() for a, b in pairwise(W))),
        (
            Fused(2.0, 3.0, 5.0, order=[1, 2, 0]),
            lambda W: (
                2 * (abs(W[1] - W[2]) + abs(W[2] - W[0])).sum()
                + 3 * abs(W).sum()
                + 5 * sum(_columns(W))
            ),
        ),
        (
            Fused(2.0, edges=[[0, 2], [1, 0]]),
            lambda W: 2 * (abs(W[0] - W[2]) + abs(W[1] - W[0])).sum(),
        ),
        (RowMCP(2.0, 1.5), lambda W: sum(_mcp(s, 2.0, 1.5) for s in _columns(W))),
        (RowSCAD(2.0, 2.5), lambda W: sum(_scad(s, 2.0, 2.5) for s in _columns(W))),
        (ClusterNorm(2.0, 2.0, 1), lambda W: (W**2).sum()),
        (ClusterNorm(2.0, 5.0, 3), lambda W: (W**2).sum()),
        (
            ClusterNorm(2.0, 6.0, 1, alpha_mean=4.0),
            lambda W: 3 * ((W - W.mean(0)) ** 2).sum() + 2 * 3 * (W.mean(0) ** 2).sum(),
        ),
    ],
    ids=lambda value: None if callable(value) else repr(value),
)
def test_a_value_is_its_formula(penalty, value):
    for seed in range(5):
        W = 3 * np.random.default_rng(seed).normal(size=(3, 5))
        assert_allclose(penalty.value(W), value(W), rtol=1e-12)


def test_both_parts_of_a_decomposition_are_penalised():
    W = np.array([[[1.0, -2.0]], [[3.0, 0.5]]])
    assert Decomposed(L1(2.0), L1Inf(3.0), alpha=0.5).value(W) == 0.5 * (6 + 10.5)


def test_a_negative_coefficient_is_forbidden():
    assert Positive(L1(2.0)).value(np.array([[1.0, 2.0]])) == 6
    assert Positive(L1(2.0)).value(np.array([[1.0, -1e-300]])) == np.inf


# The proximal step.


@each_convex
@given(stacks=_stacks(2), step=steps)
def test_the_difference_of_a_step_is_a_subgradient(penalty, stacks, step):
    """It proves the step: only at the minimum does the inequality hold for all Z."""
    W, Z = (_variable(penalty, stack) for stack in stacks)
    V = penalty.prox(W, step)
    for other in (Z, abs(Z), W, 2 * V, 0 * W):
        gain = penalty.value(other) - penalty.value(V)
        slack = 1e-9 * (1 + np.abs(W).max() ** 2)
        assert step * gain >= np.vdot(W - V, other - V) - slack


@each_penalty
@given(stacks=_stacks(2), step=steps, size=st.sampled_from([1e-5, 1e-2, 1.0]))
def test_nothing_is_better_than_a_step(penalty, stacks, step, size):
    W, change = (_variable(penalty, stack) for stack in stacks)
    V = penalty.prox(W, step)
    for other in (V + size * change, V * (1 + size), V * (1 - size), W, 0 * W):
        best, cost = _cost(penalty, V, W, step), _cost(penalty, other, W, step)
        assert best <= cost + 1e-9 * (1 + best)


@each_convex
@given(stacks=_stacks(2), step=steps)
def test_a_step_is_firmly_nonexpansive(penalty, stacks, step):
    W, V = (_variable(penalty, stack) for stack in stacks)
    a, b = penalty.prox(W, step), penalty.prox(V, step)
    assert np.sum((a - b) ** 2) <= np.vdot(a - b, W - V) + 1e-9


@each_penalty
@given(stack=_stacks(1))
def test_a_step_of_length_zero_changes_nothing(penalty, stack):
    W = abs(_variable(penalty, stack[0]))
    assert_allclose(penalty.prox(W, 0.0), W, atol=1e-12)


@each_penalty
@given(stack=_stacks(1), step=steps)
def test_a_step_does_not_write_on_its_argument(penalty, stack, step):
    W = _variable(penalty, stack[0])
    before = W.copy()
    penalty.prox(W, step)
    assert_array_equal(W, before)


@each_penalty
def test_zero_stays_zero(penalty):
    W = np.zeros(_variable(penalty, np.zeros((2, 3, 4))).shape)
    assert penalty.value(W) == 0
    assert_array_equal(penalty.prox(W, 1.0), W)


@_each([L1(), L21(), L12(), L1Inf(), Trace(), SquaredTrace(), RowMCP(), RowSCAD()])
@given(stack=_stacks(1), step=steps)
def test_a_strength_of_zero_changes_nothing(penalty, stack, step):
    weak = clone(penalty).set_params(alpha=0.0)
    assert_allclose(weak.prox(stack[0, 0], step), stack[0, 0], atol=1e-12)
    assert weak.value(stack[0, 0]) == 0


@each_penalty
@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (3, 7)])
def test_every_shape_is_kept(penalty, shape):
    W = _variable(penalty, np.random.default_rng(0).normal(size=(2, *shape)))
    # Positions of tasks need three of them.
    size = getattr(penalty, "order", None), getattr(penalty, "edges", None)
    assume_fits = size == (None, None) or shape[0] == 3
    part = penalty if assume_fits else clone(penalty).set_params(order=None, edges=None)
    assert part.prox(W, 1.0).shape == W.shape
    assert np.isfinite(part.value(abs(W)))


@_each([*NORMS[:6], *JUMPS, *SQUARES])
@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_a_step_keeps_its_digits_at_any_scale(penalty, scale):
    W = np.random.default_rng(1).normal(size=(3, 5)).round(1)
    step = {True: 1.0, False: scale}[penalty in SQUARES]
    assert_allclose(
        penalty.prox(scale * W, step) / scale, penalty.prox(W, 1.0), atol=1e-9
    )
    assert_allclose(
        penalty.prox(scale * W, 0.0) / scale, penalty.prox(W, 0.0), atol=1e-9
    )


@_each([RowMCP(), RowSCAD()])
@pytest.mark.parametrize("scale", [1e-300, 1e300])
@pytest.mark.parametrize("step", [0.5, 3.5, 9.0])
def test_a_step_of_a_concave_penalty_keeps_its_digits_at_any_scale(
    penalty, scale, step
):
    W = 4 * np.random.default_rng(1).normal(size=(3, 9))
    scaled = clone(penalty).set_params(alpha=scale).prox(scale * W, step)
    assert_allclose(scaled / scale, penalty.prox(W, step), atol=1e-9)


@_each([*NORMS[:6], *JUMPS, *SQUARES])
def test_an_infinite_step_ends_where_the_penalty_is_zero(penalty):
    W = np.random.default_rng(1).normal(size=(3, 5))
    assert penalty.value(penalty.prox(1e-9 * W, 1e300)) < 1e-12


# Norms.


@each_norm
@given(stacks=_stacks(1), step=steps)
def test_a_step_is_the_moreau_decomposition(penalty, stacks, step):
    W = _variable(penalty, stacks[0])
    V = penalty.prox(W, step)
    assert penalty.dual_norm(V - W) <= step * penalty.alpha + 1e-9
    assert_allclose(np.vdot(W - V, V), step * penalty.value(V), atol=1e-9)


@each_norm
@given(stack=_stacks(1), factor=st.sampled_from([1 - 1e-7, 1 + 1e-7]))
def test_a_step_ends_at_zero_if_the_dual_norm_is_within_it(penalty, stack, factor):
    W = _variable(penalty, stack[0])
    size = penalty.dual_norm(-W)
    assume(size > 1e-3)
    V = penalty.prox(W * factor * penalty.alpha / size, 1.0)
    assert (np.abs(V).max() < 1e-12) == (factor < 1)


@each_norm
@given(stacks=_stacks(2), factor=st.sampled_from([0.0, 1e-9, 0.3, 7.0]))
def test_a_norm_grows_with_its_argument(penalty, stacks, factor):
    G, W = (_variable(penalty, stack) for stack in stacks)
    assert_allclose(penalty.value(factor * abs(W)), factor * penalty.value(abs(W)))
    assert_allclose(penalty.dual_norm(factor * G), factor * penalty.dual_norm(G))


@each_norm
@given(stacks=_stacks(2))
def test_norms_of_a_sum_are_at_most_the_sum_of_norms(penalty, stacks):
    W, V = (_variable(penalty, stack) for stack in stacks)
    value = penalty.value(abs(W)) + penalty.value(abs(V))
    assert penalty.value(abs(W) + abs(V)) <= value + 1e-9
    dual = penalty.dual_norm(W) + penalty.dual_norm(V)
    assert penalty.dual_norm(W + V) <= dual + 1e-9


@each_norm
@given(stacks=_stacks(2))
def test_a_product_is_at_most_norm_times_dual_norm(penalty, stacks):
    G, W = (_variable(penalty, stack) for stack in stacks)
    bound = penalty.dual_norm(-G) * penalty.value(abs(W)) / penalty.alpha
    assert np.vdot(G, abs(W)) <= bound + 1e-9


@each_norm
@given(stack=_stacks(1))
def test_some_product_is_norm_times_dual_norm(penalty, stack):
    W = _variable(penalty, stack[0])
    size = penalty.dual_norm(-W)
    assume(size > 1e-3)
    V = penalty.prox(W, size / penalty.alpha / 2)  # half way to zero
    G = W - V
    bound = penalty.dual_norm(-G) * penalty.value(V) / penalty.alpha
    assert_allclose(np.vdot(G, V), bound, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    ("norm", "dual"),
    [
        (L1(9.0), 6.0),
        (L21(9.0), np.sqrt(45)),
        (L12(9.0), np.sqrt(37)),
        (L1Inf(9.0), 9.0),
        (Trace(9.0), np.linalg.norm([[1, -6, 0], [2, 3, 0]], 2)),
        (Positive(L1Inf(9.0)), 6.0),
        (Decomposed(L1(2.0), L1(3.0)), 12.0),
    ],
    ids=repr,
)
def test_a_dual_norm_does_not_depend_on_the_strength(norm, dual):
    G = np.array([[1.0, -6.0, 0.0], [2.0, 3.0, 0.0]])
    assert_allclose(norm.dual_norm(_variable(norm, np.stack([G, 6 * G]))), dual)


def test_a_part_without_strength_is_never_zero_unless_its_gradient_is():
    free = Decomposed(L1(1.0), L21(0.0))
    assert free.dual_norm(np.ones((2, 2, 2))) == np.inf
    assert free.dual_norm(np.zeros((2, 2, 2))) == 0


@each_penalty
def test_a_penalty_keeps_its_contract_and_its_parameters(penalty):
    assert isinstance(penalty, Penalty)
    assert repr(clone(penalty)) == repr(penalty)
    assert clone(penalty) is not penalty


@_each(NORMS[:5])
def test_a_norm_has_a_duality_gap(penalty):
    assert isinstance(penalty, Norm)
    assert Positive(penalty).certificate == "dual_gap"
    assert Positive(RowMCP()).certificate == "kkt"


class _Distance(Smooth):
    """Half the squared distance from a target, with its exact dual value."""

    shape = None

    def __init__(self, target):
        self.target, self.shape = target, target.shape

    def at(self, W):
        return Point(W, ((W - self.target) ** 2).sum() / 2, W - self.target)

    def lipschitz(self):
        return 1.0

    def dual_value(self, point, limit):
        left = point.gradient * min(limit, 1.0)
        return -np.vdot(left, self.target) - (left**2).sum() / 2


@_each(NORMS + FOLDED)
@given(stack=_stacks(1))
def test_a_step_of_length_one_is_optimal_for_the_distance(penalty, stack):
    W = _variable(penalty, stack[0])
    smooth = _Distance(W)
    at_optimum = smooth.at(penalty.prox(W, 1.0))
    assert penalty.optimality(smooth, at_optimum) < 1e-7
    assume(np.abs(at_optimum.variable).max() > 1e-3)
    assert penalty.optimality(smooth, smooth.at(1.5 * at_optimum.variable)) > 1e-8


# The strength at which a path begins, alpha_max.


def _moved(penalty, smooth, share):
    """Take a step from zero with all strengths at `share` of alpha_max."""
    step = 1e-3
    alpha = share * penalty.alpha_max(smooth) / penalty.alpha
    point = smooth.zero()
    W = -step * point.gradient
    return penalty.prox(W, alpha * step), W


@_each(NORMS)
@given(stack=_stacks(1))
def test_all_is_zero_from_alpha_max_on_and_not_below(penalty, stack):
    smooth = _Distance(_variable(penalty, stack[0]))
    assume(penalty.alpha_max(smooth) > 1e-3)
    for share in (1 + 1e-9, 2.0, 1e9):
        assert_allclose(_moved(penalty, smooth, share)[0], 0, atol=1e-12)
    assert np.abs(_moved(penalty, smooth, 1 - 1e-6)[0]).max() > 1e-12


@each_fold
@given(stack=_stacks(1))
def test_concave_penalties_are_zero_from_alpha_max_on_and_not_below(penalty, stack):
    smooth = _Distance(_variable(penalty, stack[0]))
    highest = penalty.alpha_max(smooth)
    assume(highest > 1e-3)
    name = "penalty__alpha" if isinstance(penalty, Positive) else "alpha"
    for factor, is_zero in [(1 + 1e-9, True), (2.0, True), (1 - 1e-6, False)]:
        part = clone(penalty).set_params(**{name: factor * highest})
        V = part.prox(-1e-3 * smooth.zero().gradient, 1e-3)
        assert (np.abs(V).max() < 1e-12) == is_zero


@pytest.mark.full
@parametrize("penalty", JUMPS, short=JUMPS[:4], ids=repr)
@settings(max_examples=10)  # a network takes a second each
@given(stack=_stacks(1))
def test_neighbours_are_equal_from_alpha_max_on_and_not_below(penalty, stack):
    """For a squared distance, one step of length one is the solution."""
    target = stack[0, 0]
    first, last = penalty.neighbours(len(target))
    highest = penalty.alpha_max(_Distance(target))
    assume(highest > 1e-3)
    at, above, below = (
        penalty.prox(target, factor * highest / penalty.alpha)
        for factor in (1 + 1e-6, 2.0, 1 - 1e-3)
    )
    assert_allclose(at, above, atol=1e-8)
    assert_allclose(at[first], at[last], atol=1e-8)
    assert np.abs(below - above).max() > 1e-8


@each_square
@given(stack=_stacks(1))
def test_alpha_max_of_a_smooth_penalty_halves_the_step(penalty, stack):
    target = stack[0, 0]
    smooth = _Distance(target)
    alpha = penalty.alpha_max(smooth) / penalty.alpha
    end = penalty.prox(target, 1e9)
    assume(np.linalg.norm(target - end) > 1e-3)
    left = np.linalg.norm(penalty.prox(target, alpha) - end)
    assert_allclose(left, np.linalg.norm(target - end) / 2, rtol=1e-6)


@each_network
@pytest.mark.parametrize("factor", [1e-9, 0.3, 7.0])
def test_alpha_max_grows_with_the_gradient(penalty, factor):
    W = _variable(penalty, np.random.default_rng(0).normal(size=(2, 3, 4)))
    once = penalty.alpha_max(_Distance(W))
    grown = penalty.alpha_max(_Distance(factor * W))
    degree = {True: 0.0, False: 1.0}[penalty in SQUARES]
    assert grown == pytest.approx(factor**degree * once, rel=1e-6)


@each_penalty
def test_alpha_max_without_a_gradient_is_zero(penalty):
    W = np.zeros(_variable(penalty, np.zeros((2, 3, 4))).shape)
    assert penalty.alpha_max(_Distance(W)) == 0


@parametrize("penalty", NORMS[:5] + JUMPS, NORMS[:5] + JUMPS[:2], ids=repr)
def test_alpha_max_does_not_depend_on_the_strength(penalty):
    """Strengths keep their proportions; the first is returned."""
    smooth = _Distance(np.random.default_rng(0).normal(size=(3, 4)))
    names = {"alpha", "alpha_l1", "alpha_joint"} & set(penalty.get_params())
    grown = {name: 10 * getattr(penalty, name) for name in names}
    again = clone(penalty).set_params(**grown).alpha_max(smooth)
    assert again == pytest.approx(penalty.alpha_max(smooth))


@pytest.mark.full
@parametrize(
    "edges",
    [[[0, 1], [1, 2], [2, 3]], [[0, 1], [0, 2], [0, 3]], [[0, 1], [2, 3]]],
    short=[[[0, 1], [0, 2], [0, 3]]],
)
def test_alpha_max_of_a_network_is_that_of_a_linear_program(edges):
    """The least bound of flows along edges that carry the gradient of equal tasks."""
    target = np.random.default_rng(0).normal(size=(4, 3))
    fused = Fused(edges=edges)
    settled = fused.prox(target, 1e9)
    flows = np.zeros((4, len(edges)))
    for k, (a, b) in enumerate(edges):
        flows[a, k], flows[b, k] = 1, -1
    bounds = [
        linprog(
            [0] * len(edges) + [1],
            A_ub=np.block(
                [
                    [np.eye(len(edges)), -np.ones((len(edges), 1))],
                    [-np.eye(len(edges)), -np.ones((len(edges), 1))],
                ]
            ),
            b_ub=np.zeros(2 * len(edges)),
            A_eq=np.hstack([flows, np.zeros((4, 1))]),
            b_eq=column,
            bounds=(None, None),
        ).fun
        for column in (target - settled).T
    ]
    assert_allclose(fused.alpha_max(_Distance(target)), max(bounds), rtol=1e-6)


# Slow, independent solvers.


@given(w=hnp.arrays(float, 4, elements=numbers), step=steps)
def test_the_largest_are_cut_at_the_threshold_of_a_bisection(w, step):
    """The sum of what is cut is the step, unless all is cut."""
    assume(np.abs(w).sum() > step * (1 + 1e-9))
    excess = lambda cut: np.maximum(np.abs(w) - cut, 0).sum() - step  # noqa: E731
    cut = brentq(excess, 0, np.abs(w).max(), xtol=1e-14)
    found = L1Inf(1.0).prox(w[:, None], step)[:, 0]
    assert_allclose(found, np.clip(w, -cut, cut), atol=1e-9)


@given(sizes=hnp.arrays(float, 4, elements=st.floats(0, 5)), step=steps)
def test_a_squared_trace_is_cut_at_the_threshold_of_a_bisection(sizes, step):
    excess = lambda cut: step * np.maximum(sizes - cut, 0).sum() - cut  # noqa: E731
    cut = brentq(excess, 0, 100, xtol=1e-14)
    found = SquaredTrace(1.0).prox(np.diag(sizes), step)
    assert_allclose(found, np.diag(np.maximum(sizes - cut, 0)), atol=1e-9)


@each_fold
@parametrize("step", [0.5, 1.05, 2.0, 2.9, 3.3, 8.0], short=[0.5, 2.9])
@pytest.mark.parametrize("size", [0.3, 0.9, 1.4, 1.9, 2.2, 2.9, 6.0])
def test_a_concave_step_is_the_best_of_a_grid(penalty, step, size):
    grid = np.linspace(0, size, 20_001)
    values = np.array([penalty.value([[v]]) for v in grid[::50]])
    cost = (grid[::50] - size) ** 2 / 2 + step * values
    (found,) = penalty.prox([[size]], step).ravel()
    assert (found - size) ** 2 / 2 + step * penalty.value(
        [[found]]
    ) <= cost.min() + 1e-9


def _incidence(pairs, n_tasks):
    rows = np.arange(len(pairs))
    D = np.zeros((len(pairs), n_tasks))
    D[rows, [a for a, _ in pairs]], D[rows, [b for _, b in pairs]] = 1.0, -1.0
    return D


def _flow_solution(v, D, bound):
    """Minimise over flows within bounds by an active set method of SciPy."""
    flow = lsq_linear(D.T, v, (-bound, bound), "bvls", tol=1e-15, max_iter=1000).x
    return v - D.T @ flow


NETWORKS = {
    "chain": [(t, t + 1) for t in range(7)],
    "star": [(0, t) for t in range(1, 8)],
    "ring": [(t, (t + 1) % 8) for t in range(8)],
    "apart": [(0, 1), (2, 3), (3, 4), (4, 2)],
    "complete": [(s, t) for s in range(8) for t in range(s)],
}


@pytest.mark.parametrize("pairs", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("bound", [1e-3, 0.05, 0.3, 1.0, 3.0])
@pytest.mark.parametrize("digits", [1, 12])
def test_jumps_on_a_network_are_those_of_a_quadratic_program(pairs, bound, digits):
    W = np.random.default_rng(5).normal(size=(8, 6)).round(digits)
    D = _incidence(pairs, 8)
    expected = np.stack([_flow_solution(w, D, bound) for w in W.T], axis=1)
    assert_allclose(Fused(bound, edges=pairs).prox(W, 1.0), expected, atol=1e-8)


@given(
    # Differences are at least 1/64, as the quadratic program resolves none below 1e-7.
    W=hnp.arrays(
        float,
        st.tuples(st.integers(2, 9), st.integers(1, 3)),
        elements=st.integers(-320, 320).map(lambda k: k / 64),
    ),
    bound=st.sampled_from([1e-3, 0.1, 0.5, 1.0, 2.0]),
)
def test_jumps_along_a_chain_are_those_of_a_quadratic_program(W, bound):
    D = _incidence([(t, t + 1) for t in range(len(W) - 1)], len(W))
    expected = np.stack([_flow_solution(w, D, bound) for w in W.T], axis=1)
    assert_allclose(Fused(bound).prox(W, 1.0), expected, atol=1e-9)


@given(
    W=hnp.arrays(float, (12, 3), elements=numbers),
    bound=st.sampled_from([1e-6, 0.1, 0.5, 2.0, 1e6]),
)
def test_a_chain_has_the_step_of_the_network_of_its_edges(W, bound):
    pairs = [(t, t + 1) for t in range(11)]
    chain, network = Fused(bound).prox(W, 1.0), Fused(bound, edges=pairs).prox(W, 1.0)
    # Flows within 1e-6 of their bound count as at it, in units of the range of W.
    assert_allclose(network, chain, atol=1e-6 * (1 + np.ptp(W)))


def test_fused_tasks_are_equal_to_the_last_digit():
    W = np.repeat([0.1, 0.7, 0.3], 5)[:, None] + np.random.default_rng(0).normal(
        scale=0.01, size=(15, 1)
    )
    for fused in (Fused(0.05), Fused(0.05, edges=[(t, t + 1) for t in range(14)])):
        assert len(np.unique(fused.prox(W, 1.0))) == 3


@pytest.mark.parametrize("bound", [0.01, 0.1, 0.5])
def test_neighbours_in_a_network_are_exactly_equal_or_clearly_different(bound):
    draws = np.random.default_rng(3)
    pairs = np.argwhere(np.triu(draws.random((25, 25)) < 0.3, 1))
    W = Fused(bound, edges=pairs).prox(draws.normal(size=(25, 40)), 1.0)
    jumps = np.abs(W[pairs[:, 0]] - W[pairs[:, 1]])
    assert (jumps == 0).any()
    assert jumps[jumps > 0].min() > 1e-7


@given(V=hnp.arrays(float, (3, 9), elements=st.floats(-1, 1)), bound=steps)
def test_a_taut_string_is_the_solution_of_the_dynamic_program(V, bound):
    W, unsolved = solve_taut_string(V, bound / 4)
    assert not len(unsolved)
    assert_allclose(W, solve_dynamic_program(V.T, bound / 4).T, atol=1e-13)


@parametrize("n_tasks", [2, 60, 500], short=[2, 60])
@pytest.mark.parametrize("rounded", [1, 9])
@pytest.mark.parametrize("threshold", [1e-9, 0.01, 0.1, 1.0, 30.0])
def test_long_strings_converge_within_the_rounds(n_tasks, rounded, threshold):
    V = np.random.default_rng(0).uniform(-1, 1, size=(20, n_tasks)).round(rounded)
    for chains in (V, np.cumsum(V, axis=1) / n_tasks):
        W, unsolved = solve_taut_string(chains, threshold)
        assert not len(unsolved)
        assert_allclose(
            W, solve_dynamic_program(chains.T, threshold).T, atol=1e-13 * n_tasks
        )


def test_chains_that_do_not_converge_are_solved_by_a_dynamic_program():
    trend = np.sort(np.random.default_rng(0).uniform(-1, 1, size=(500, 3)), axis=0)
    assert len(solve_taut_string(trend.T.copy(), 30.0)[1]) == 3
    found = Fused(30.0).prox(np.column_stack([trend, trend[::-1]]), 1.0)
    assert_allclose(found[:, :3], solve_dynamic_program(trend, 30.0), atol=1e-12)
    assert_allclose(found[::-1, 3:], found[:, :3], atol=1e-12)


def test_a_long_chain_keeps_its_mean_and_its_order():
    W = np.random.default_rng(0).normal(size=(300, 4)).cumsum(axis=0)
    order = np.random.default_rng(1).permutation(300)
    plain = Fused(2.0).prox(W, 1.0)
    mixed = Fused(2.0, order=np.argsort(order)).prox(W[order], 1.0)
    assert_allclose(mixed, plain[order], atol=1e-9)
    assert_allclose(plain.mean(axis=0), W.mean(axis=0))


def _smooth_norms(W):
    return np.sqrt((W**2).sum(axis=0) + 1e-18).sum()


def test_fusing_then_thresholding_then_shrinking_is_the_joint_minimum():
    """Against a solver that splits numbers into signed parts, without an order."""
    W = np.array([[1.3], [1.1], [-0.4], [0.2]])
    penalty = Fused(0.2, alpha_l1=0.15, alpha_joint=0.3)
    D = _incidence([(0, 1), (1, 2), (2, 3)], 4)
    parts = np.eye(4)[:, :, None] * np.array([1.0, -1.0])  # W = plus - minus

    def cost(x):
        w, jump = parts.reshape(4, 8) @ x[:8], x[8:]
        quadratic = ((w - W[:, 0]) ** 2).sum() / 2
        return (
            quadratic
            + 0.2 * jump.sum()
            + 0.15 * x[:8].sum()
            + 0.3 * _smooth_norms(w[:, None])
        )

    jumps = D @ parts.reshape(4, 8)
    room = np.block([[jumps, np.eye(3)], [-jumps, np.eye(3)]])
    solution = minimize(
        cost,
        np.full(11, 0.5),
        method="SLSQP",
        bounds=[(0, None)] * 11,
        constraints={"type": "ineq", "fun": lambda x: room @ x},
        options={"ftol": 1e-14, "maxiter": 500},
    )
    V = penalty.prox(W, 1.0)
    assert_allclose(V[:, 0], parts.reshape(4, 8) @ solution.x[:8], atol=1e-5)
    assert_allclose(_cost(penalty, V, W, 1.0), solution.fun, rtol=1e-7)


# The cluster norm.


def _cluster_cost(penalty, share, sizes):
    strength = share / penalty.alpha_between + (1 - share) / penalty.alpha_within
    return (sizes**2 / strength).sum() / 2


@pytest.mark.parametrize("n_clusters", [1, 2, 3])
@pytest.mark.parametrize("step", [0.1, 1.0, 5.0])
def test_a_step_of_the_cluster_norm_is_the_best_over_sizes_and_slacks(n_clusters, step):
    penalty = ClusterNorm(0.5, 3.0, n_clusters)
    W = (
        np.random.default_rng(n_clusters).normal(size=(4, 6))
        * np.array([[3, 1, 2, 1]]).T
    )
    left, sizes, right = np.linalg.svd(W, full_matrices=False)

    def cost(x):
        fit = ((x[:4] - sizes) ** 2).sum() / 2
        return fit + step * _cluster_cost(penalty, x[4:], x[:4])

    best = minimize(
        cost,
        np.concatenate([sizes, np.full(4, n_clusters / 4)]),
        method="SLSQP",
        bounds=[(0, None)] * 4 + [(0, 1)] * 4,
        constraints={"type": "eq", "fun": lambda x: x[4:].sum() - n_clusters},
        options={"ftol": 1e-15, "maxiter": 1000},
    )
    V = penalty.prox(W, step)
    assert_allclose(V, (left * best.x[:4]) @ right, atol=2e-6)
    assert_allclose(_cost(penalty, V, W, step), best.fun, rtol=1e-10)
    assert _cost(penalty, V, W, step) <= best.fun * (1 + 1e-13)


def _random_affinity(rng, n_tasks, n_clusters):
    """Draw a matrix with eigenvalues in [0, 1] and the trace of n groups."""
    directions, _ = np.linalg.qr(rng.normal(size=(n_tasks, n_tasks)))
    share = rng.dirichlet(np.ones(n_tasks)) * n_clusters
    share = np.clip(share, 0, 1) * min(1, n_clusters / np.clip(share, 0, 1).sum())
    return (directions * share) @ directions.T


def _affine_cost(penalty, M, W):
    eye = np.eye(len(M))
    slack = M / penalty.alpha_between + (eye - M) / penalty.alpha_within
    return np.trace(W.T @ np.linalg.solve(slack, W)) / 2


@pytest.mark.parametrize("n_clusters", [1, 2, 3])
def test_the_affinity_attains_the_value_and_no_other_is_better(n_clusters):
    rng = np.random.default_rng(0)
    penalty = ClusterNorm(0.5, 4.0, n_clusters)
    W = rng.normal(size=(4, 6))
    M = penalty.affinity(W)
    assert_allclose(np.trace(M), n_clusters)
    assert_allclose(_affine_cost(penalty, M, W), penalty.value(W))
    assert np.linalg.eigvalsh(M).min() > -1e-12
    assert np.linalg.eigvalsh(M).max() < 1 + 1e-12
    for _ in range(200):
        other = _random_affinity(rng, 4, n_clusters)
        assert _affine_cost(penalty, other, W) > penalty.value(W)


def test_known_groups_cost_no_less_than_the_best_affinity():
    W = np.random.default_rng(0).normal(size=(5, 3))
    groups = np.array([[1, 1, 0, 0, 0], [0, 0, 1, 1, 1]]).T
    M = groups @ np.linalg.inv(groups.T @ groups) @ groups.T
    centres = M @ W
    known = 0.5 * (centres**2).sum() / 2 + 4.0 * ((W - centres) ** 2).sum() / 2
    assert_allclose(_affine_cost(ClusterNorm(0.5, 4.0, 2), M, W), known)
    assert ClusterNorm(0.5, 4.0, 2).value(W) <= known


@pytest.mark.parametrize("shape", [(3, 5), (5, 3)])
@pytest.mark.parametrize("alpha_mean", [None, 0.5])
def test_as_many_clusters_as_directions_are_ridge(shape, alpha_mean):
    W = np.random.default_rng(0).normal(size=shape)
    box = ClusterNorm(0.5, 4.0, 4, alpha_mean)
    assert_allclose(box.value(W), 0.5 * (W**2).sum() / 2)
    assert_allclose(box.prox(W, 2.0), W / (1 + 0.5 * 2.0))


def test_one_cluster_around_a_free_mean_is_mean_regularisation():
    W = np.random.default_rng(0).normal(size=(4, 3))
    V = ClusterNorm(0.5, 4.0, 1, alpha_mean=0.0).prox(W, 2.0)
    assert_allclose(V, W.mean(axis=0) + (W - W.mean(axis=0)) / (1 + 4.0 * 2.0))


def test_one_cluster_and_an_infinite_strength_are_the_squared_trace():
    W = np.random.default_rng(0).normal(size=(4, 3))
    box, squared = ClusterNorm(0.5, np.inf, 1), SquaredTrace(0.5)
    assert_allclose(box.value(W), squared.value(W))
    assert_allclose(box.prox(W, 2.0), squared.prox(W, 2.0), atol=1e-12)


def test_equal_strengths_have_the_affinity_of_the_limit():
    W = np.random.default_rng(0).normal(size=(4, 3))
    near, equal = ClusterNorm(0.5, 0.5 * (1 + 1e-9), 2), ClusterNorm(0.5, 0.5, 2)
    assert_allclose(equal.affinity(W), near.affinity(W), atol=1e-6)


def test_clusters_and_a_mean_are_the_cluster_norm_of_the_differences():
    W = np.random.default_rng(0).normal(size=(5, 4))
    mean, rest = W.mean(axis=0), W - W.mean(axis=0)
    centred, plain = ClusterNorm(0.5, 4.0, 3, alpha_mean=0.2), ClusterNorm(0.5, 4.0, 2)
    assert_allclose(centred.value(W), plain.value(rest) + 0.1 * 5 * (mean**2).sum())
    step = mean / (1 + 0.2 * 1.5) + plain.prox(rest, 1.5)
    assert_allclose(centred.prox(W, 1.5), step)
    assert_allclose(centred.affinity(W), plain.affinity(rest) + 1 / 5)


@given(W=hnp.arrays(float, (3, 4), elements=numbers), step=steps)
def test_a_spectral_penalty_is_the_same_for_the_transpose(W, step):
    """Clusters of tasks and shared subspaces of features (cASO) are one penalty."""
    for penalty in (Trace(0.7), SquaredTrace(0.7), ClusterNorm(0.5, 2.0, 2)):
        assert_allclose(penalty.prox(W.T, step), penalty.prox(W, step).T, atol=1e-9)


def test_groups_of_tasks_without_noise_are_read_from_the_affinity():
    W = np.repeat([[1.0, 1.0, 0.0], [2.0, -1.0, 0.0]], [2, 3], axis=0)
    M = ClusterNorm(1.0, 1e6, 2).affinity(W)
    assert_allclose(M, _blocks(2, 3), atol=1e-5)


def _blocks(*sizes):
    codes = np.repeat(np.arange(len(sizes)), sizes)
    return (codes[:, None] == codes) / np.array(sizes)[codes]


# Coefficients of zero or more.


@given(W=hnp.arrays(float, (2, 2), elements=numbers), step=steps)
def test_a_positive_step_is_the_best_of_bounded_minimisation(W, step):
    def cost(w):
        return ((w - W.ravel()) ** 2).sum() / 2 + step * 0.7 * _smooth_norms(
            w.reshape(2, 2)
        )

    solution = minimize(cost, np.ones(4), bounds=[(0, None)] * 4, method="L-BFGS-B")
    positive = Positive(L21(0.7))
    V = positive.prox(W, step)
    assert _cost(positive, V, W, step) <= solution.fun + 1e-9
    assert V.min() >= 0


def test_concave_penalties_do_not_shrink_large_features():
    W = np.array([[9.0, 0.1], [12.0, 0.1]])
    for penalty in (RowMCP(1.0), RowSCAD(1.0)):
        V = penalty.prox(W, 1.0)
        assert_allclose(V[:, 0], W[:, 0], rtol=1e-15)
        assert_array_equal(V[:, 1], 0)


def test_a_concave_penalty_with_a_large_gamma_is_the_convex_norm():
    W = np.random.default_rng(0).normal(size=(3, 4))
    for penalty in (RowMCP(0.7, gamma=1e9), RowSCAD(0.7, gamma=1e9)):
        assert_allclose(penalty.prox(W, 1.0), L21(0.7).prox(W, 1.0), atol=1e-7)
        assert_allclose(penalty.value(W), L21(0.7).value(W), rtol=1e-7)


# Nodes of a network that are not tasks.

NODES = {
    "a star": [[0, 4], [4, 1], [2, 4]],
    "two stars": [[0, 4], [4, 1], [2, 5], [5, 3], [5, 1]],
    "a bridge": [[0, 4], [1, 4], [4, 5], [5, 2], [3, 5]],
    "a line": [[0, 4], [4, 5], [5, 6], [6, 3]],
}


@pytest.mark.parametrize("edges", NODES.values(), ids=NODES)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_nodes_without_tasks_have_the_values_with_the_smallest_jumps(edges, seed):
    W = np.random.default_rng(seed).normal(size=(4, 2))
    ends = np.transpose(edges)
    found = Fused(edges=edges).complete(W)
    n_hidden = np.max(edges) - 3
    assert found.shape == (4 + n_hidden, 2)
    assert_array_equal(found[:4], W)
    # Some best values are those of tasks.
    tried = [
        np.vstack([W, np.reshape(values, (n_hidden, 2))])
        for values in product(*[W[:, j % 2] for j in range(2 * n_hidden)])
    ]
    jumps = [np.abs(V[ends[0]] - V[ends[1]]).sum(axis=0) for V in [found, *tried]]
    assert_allclose(jumps[0], np.min(jumps[1:], axis=0), rtol=1e-9)


def test_a_node_between_two_tasks_has_their_mean():
    W = np.array([[1.0, 0.0], [4.0, 0.0], [3.0, 5.0]])
    found = Fused(edges=[[0, 3], [3, 1], [4, 2]]).complete(W)
    assert_allclose(found[3:], [[2.5, 0.0], [3.0, 5.0]])
