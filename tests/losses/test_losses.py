"""Properties that every loss must have; add a new loss to the list."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special
from scipy.optimize import minimize
from sklearn.metrics import log_loss, mean_poisson_deviance, mean_squared_error

from skmtl.losses import Huber, Logistic, Multinomial, Poisson, Squared, contrasts

LOSSES = [
    Squared(),
    Logistic(),
    Multinomial(3),
    Multinomial(5),
    Poisson(),
    Huber(),
    Huber(0.5),
]
N_ROWS = 6

each_loss = pytest.mark.parametrize("loss", LOSSES, ids=str)
seeds = st.integers(0, 2**32 - 1)


def numbers(rng, loss):
    return 3 * rng.normal(size=(N_ROWS, 1))


def counts(rng, loss):
    return rng.poisson(2.0, size=(N_ROWS, 1)) * 0.5


def shares(rng, loss):
    """Draw targets: half are one class, half are probabilities of several."""
    n_classes = loss.n_outputs + 1
    mixed = rng.dirichlet(np.ones(n_classes), N_ROWS)
    mixed[::2] = np.eye(n_classes)[rng.integers(n_classes, size=N_ROWS // 2)]
    return mixed


def chances(rng, loss):
    return shares(rng, loss)[:, 1:]


TARGETS = {
    Squared: numbers,
    Huber: numbers,
    Logistic: chances,
    Multinomial: shares,
    Poisson: counts,
}


def draw(loss, seed, size=2.0):
    """Return targets and raw predictions of a few rows."""
    rng = np.random.default_rng(seed)
    y = TARGETS[type(loss)](rng, loss)
    return y, size * rng.normal(size=(N_ROWS, loss.n_outputs))


def differences(function, z, step=1e-5):
    """Return central differences in each output, on a last axis."""
    steps = step * np.eye(z.shape[-1])
    columns = [(function(z + e) - function(z - e)) / (2 * step) for e in steps]
    return np.stack(columns, axis=-1)


def off_the_kinks(loss, y, z):
    """Return where the loss has a second derivative: not at a kink of the slope."""
    edge = np.abs(np.abs(z - y[:, :1]) - getattr(loss, "epsilon", np.inf))
    return edge.min(axis=1) > 1e-4


# -- derivatives


@pytest.mark.full
@each_loss
@given(seed=seeds)
def test_the_gradient_is_the_slope_of_the_value(loss, seed):
    y, z = draw(loss, seed)
    expected = differences(lambda z: loss.value(y, z), z)
    assert_allclose(loss.gradient(y, z), expected, rtol=1e-6, atol=1e-6)


@each_loss
@given(seed=seeds)
def test_the_hessian_is_the_slope_of_the_gradient(loss, seed):
    y, z = draw(loss, seed)
    expected = differences(lambda z: loss.gradient(y, z), z)
    smooth = off_the_kinks(loss, y, z)
    hessian = loss.hessian(y, z)
    assert hessian.shape == (N_ROWS, loss.n_outputs, loss.n_outputs)
    assert_allclose(hessian[smooth], expected[smooth], rtol=1e-6, atol=1e-6)


@each_loss
@given(seed=seeds, share=st.floats(0, 1))
def test_a_loss_is_convex(loss, seed, share):
    y, z = draw(loss, seed)
    far = draw(loss, seed + 1)[1]
    between = loss.value(y, share * z + (1 - share) * far)
    chord = share * loss.value(y, z) + (1 - share) * loss.value(y, far)
    assert (between <= chord + 1e-12 * (1 + np.abs(chord))).all()


@each_loss
@given(seed=seeds)
def test_a_hessian_is_symmetric_and_not_negative(loss, seed):
    y, z = draw(loss, seed, size=20.0)
    for matrices in (loss.hessian(y, z), loss.majorant(y, z)):
        assert_allclose(matrices, matrices.swapaxes(-1, -2), atol=1e-16)
        lowest = np.linalg.eigvalsh(matrices).min(axis=-1)
        assert (lowest >= -1e-15 * (1 + np.abs(matrices).max(axis=(-1, -2)))).all()


@each_loss
@given(seed=seeds)
def test_the_largest_curvature_bounds_the_hessian(loss, seed):
    y, z = draw(loss, seed)
    highest = np.linalg.eigvalsh(loss.hessian(y, z)).max()
    assert highest <= loss.largest_curvature * (1 + 1e-14)


@pytest.mark.parametrize("loss", [Squared(), Logistic(), Multinomial(4)], ids=str)
def test_the_largest_curvature_is_reached(loss):
    y = np.eye(loss.n_outputs + 1)[:1, -getattr(loss, "n_classes", 1) :]
    # Two classes are equally likely, and the others nearly impossible.
    basis = contrasts(loss.n_outputs + 1)
    z = np.append(np.zeros(2), -30 * np.ones(loss.n_outputs - 1))[None] @ basis
    highest = np.linalg.eigvalsh(loss.hessian(y, z)).max()
    assert highest == pytest.approx(loss.largest_curvature)


@pytest.mark.parametrize("loss", [Huber(), Huber(0.1), Squared()], ids=str)
@given(seed=seeds)
def test_a_parabola_of_the_majorant_is_above_the_loss(loss, seed):
    rng = np.random.default_rng(seed)
    y, z, other = 3 * rng.normal(size=(3, N_ROWS, 1))
    move = other - z
    parabola = loss.gradient(y, z) * move + loss.majorant(y, z)[..., 0] * move**2 / 2
    above = loss.value(y, z) + parabola[:, 0]
    assert (loss.value(y, other) <= above + 1e-13 * (1 + above)).all()


@each_loss
@given(seed=seeds)
def test_the_majorant_product_has_the_majorant_diagonal(loss, seed):
    y, z = draw(loss, seed)
    found = loss.majorant_diagonal(y, z)
    multiply = loss.majorant_product(y, z)
    units = [np.broadcast_to(unit, found.shape) for unit in np.eye(found.shape[-1])]
    expected = [multiply(unit)[..., k] for k, unit in enumerate(units)]
    assert_allclose(found, np.stack(expected, axis=-1), rtol=1e-9, atol=1e-15)
    assert (found >= 0).all()


# -- the conjugate


@each_loss
@given(seed=seeds)
def test_value_and_conjugate_sum_to_the_product_at_the_gradient(loss, seed):
    y, z = draw(loss, seed)
    v = loss.gradient(y, z)
    sides = loss.value(y, z) + loss.conjugate(y, v), (v * z).sum(axis=-1)
    assert_allclose(*sides, rtol=1e-10, atol=1e-10)


@each_loss
@given(seed=seeds)
def test_value_and_conjugate_sum_to_at_least_the_product(loss, seed):
    y, z = draw(loss, seed)
    v = loss.gradient(y, draw(loss, seed + 1)[1])
    above = loss.value(y, z) + loss.conjugate(y, v) - (v * z).sum(axis=-1)
    assert (above >= -1e-12).all()


@each_loss
@pytest.mark.parametrize("seed", range(3))
def test_the_conjugate_is_the_largest_difference(loss, seed):
    y, z = draw(loss, seed, size=1.0)
    v = (loss.gradient(y, z) + loss.gradient(y, -z)) / 2
    found = [
        -minimize(
            lambda z, y, v: loss.value(y, z) - v @ z, 0 * v, (y, v), tol=1e-10
        ).fun
        for y, v in zip(y, v, strict=True)
    ]
    assert_allclose(loss.conjugate(y, v), found, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(
    ("loss", "y", "v"),
    [
        (Logistic(), [1.0], [0.1]),
        (Logistic(), [0.0], [-0.1]),
        (Poisson(), [2.0], [-2.1]),
        (Huber(0.5), [2.0], [0.6]),
        (Multinomial(3), [1.0, 0.0, 0.0], [0.1, 0.0]),
        (Multinomial(3), [1.0, 0.0, np.nan], [-0.1, -0.1]),
        (Multinomial(3), [1.0, 0.0, np.nan], [0.0, -0.1]),
    ],
    ids=str,
)
def test_the_conjugate_is_infinite_beyond_all_gradients(loss, y, v):
    assert loss.conjugate(np.array([y]), np.array([v])) == np.inf


# -- means


@each_loss
@given(seed=seeds)
def test_the_link_inverts_the_mean(loss, seed):
    _, z = draw(loss, seed)
    assert_allclose(loss.link(loss.mean(z)), z, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("loss", "basis"),
    [
        (Squared(), np.eye(1)),
        (Logistic(), np.eye(1)),
        (Poisson(), np.eye(1)),
        (Multinomial(4), contrasts(4)),
    ],
    ids=str,
)
@given(seed=seeds)
def test_the_gradient_is_the_mean_minus_the_target(loss, basis, seed):
    y, z = draw(loss, seed)
    expected = (loss.mean(z) - y) @ basis
    assert_allclose(loss.gradient(y, z), expected, rtol=1e-12, atol=1e-12)


# -- other people's formulas


@given(seed=seeds)
def test_squared_is_half_of_scikit_learns(seed):
    y, z = draw(Squared(), seed)
    expected = mean_squared_error(y, z) / 2
    assert Squared().value(y, z).mean() == pytest.approx(expected)


@given(seed=seeds)
def test_logistic_is_scikit_learns_log_loss(seed):
    _, z = draw(Logistic(), seed)
    y = np.arange(N_ROWS) % 2
    expected = log_loss(y, special.expit(z)[:, 0])
    assert Logistic().value(y[:, None], z).mean() == pytest.approx(expected)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@given(seed=seeds)
def test_multinomial_is_scikit_learns_log_loss(n_classes, seed):
    loss = Multinomial(n_classes)
    _, z = draw(loss, seed)
    codes = np.arange(N_ROWS) % n_classes
    probabilities = special.softmax(z @ contrasts(n_classes).T, axis=1)
    expected = log_loss(codes, probabilities, labels=np.arange(n_classes))
    assert loss.value(np.eye(n_classes)[codes], z).mean() == pytest.approx(expected)


@given(seed=seeds)
def test_multinomial_is_scipys_log_sum(seed):
    loss = Multinomial(5)
    y, z = draw(loss, seed, size=20.0)
    scores = z @ contrasts(5).T
    expected = special.logsumexp(scores, axis=1) - (y * scores).sum(axis=1)
    assert_allclose(loss.value(y, z), expected, rtol=1e-10, atol=1e-12)


@given(seed=seeds)
def test_poisson_is_half_of_scikit_learns_deviance(seed):
    """Up to a constant that depends only on the targets."""
    y, z = draw(Poisson(), seed)
    best = (special.xlogy(y, y) - y).mean()
    expected = mean_poisson_deviance(y[:, 0], np.exp(z[:, 0])) / 2
    assert Poisson().value(y, z).mean() + best == pytest.approx(expected)


@pytest.mark.parametrize("epsilon", [0.5, 1.35, 10.0])
@given(seed=seeds)
def test_huber_is_scipys(epsilon, seed):
    y, z = draw(Huber(epsilon), seed)
    expected = special.huber(epsilon, y - z)[:, 0]
    assert_allclose(Huber(epsilon).value(y, z), expected)


# -- classes


def test_contrasts_are_orthonormal_and_sum_to_zero():
    basis = contrasts(5)
    assert_allclose(basis.T @ basis, np.eye(4), atol=1e-15)
    assert_allclose(basis.sum(axis=0), 0, atol=1e-15)


@given(seed=seeds)
def test_multinomial_of_two_classes_is_logistic(seed):
    """The scores are z / sqrt(2) and -z / sqrt(2), so z is sqrt(2) times larger."""
    y, z = draw(Logistic(), seed)
    two = np.hstack([y, 1 - y])
    both = Multinomial(2), Logistic()
    args = (two, z / np.sqrt(2)), (y, z)
    assert_allclose(both[0].value(*args[0]), both[1].value(*args[1]))
    slopes = both[0].gradient(*args[0]), np.sqrt(2) * both[1].gradient(*args[1])
    assert_allclose(*slopes, atol=1e-15)
    curves = both[0].hessian(*args[0]), 2 * both[1].hessian(*args[1])
    assert_allclose(*curves)


@given(seed=seeds)
def test_impossible_classes_have_no_effect(seed):
    y, _ = draw(Multinomial(3), seed)
    _, z = draw(Multinomial(5), seed)
    scores = z @ contrasts(5).T
    few = scores[:, [0, 2, 3]] @ contrasts(3)
    kept = np.full((N_ROWS, 5), np.nan)
    kept[:, [0, 2, 3]] = y
    pairs = Multinomial(5), Multinomial(3)
    assert_allclose(pairs[0].value(kept, z), pairs[1].value(y, few), atol=1e-14)
    change = (contrasts(5).T[:, [0, 2, 3]] @ contrasts(3)).T
    slope = pairs[1].gradient(y, few)
    assert_allclose(pairs[0].gradient(kept, z), slope @ change, atol=1e-14)
    curve = change.T @ pairs[1].hessian(y, few) @ change
    assert_allclose(pairs[0].hessian(kept, z), curve, atol=1e-14)
    dual = pairs[0].conjugate(kept, slope @ change), pairs[1].conjugate(y, slope)
    assert_allclose(*dual, atol=1e-12)


# -- extreme numbers


@each_loss
@pytest.mark.parametrize("size", [0.0, 1e-300, 1e-30, 1e3, 1e30, 1e300])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_values_of_any_size_are_finite_or_overflow_without_warning(loss, size, dtype):
    """Only what is beyond the largest number is infinite; no warning is raised."""
    y, z = draw(loss, 0)
    size = min(size, float(np.finfo(dtype).max) / 100)
    y, z = y.astype(dtype), (size * np.sign(z)).astype(dtype)
    assert not np.isnan(loss.value(y, z)).any()
    assert not np.isnan(loss.gradient(y, z)).any()
    assert not np.isnan(loss.hessian(y, z)).any()
    assert not np.isnan(loss.mean(z)).any()


@pytest.mark.parametrize("loss", [Logistic(), Multinomial(3), Huber()], ids=str)
def test_a_loss_that_is_linear_far_out_is_finite(loss):
    y, z = draw(loss, 0)
    assert np.isfinite(loss.value(y, 1e300 * np.sign(z))).all()


@pytest.mark.parametrize("loss", [Squared(), Logistic(), Poisson(), Huber()], ids=str)
def test_a_loss_of_one_output_keeps_float32(loss):
    y, z = (array.astype(np.float32) for array in draw(loss, 0))
    parts = loss.value(y, z), loss.gradient(y, z), loss.hessian(y, z), loss.mean(z)
    assert {part.dtype for part in parts} == {np.dtype(np.float32)}


@pytest.mark.parametrize("z", [40.0, 200.0, 700.0])
def test_logistic_keeps_the_digits_of_small_probabilities(z):
    y, z = np.array([[1.0], [0.0]]), np.array([[z], [-z]])
    tiny = np.exp(-np.abs(z))
    assert_allclose(Logistic().value(y, z), tiny[:, 0], rtol=1e-15)
    assert_allclose(Logistic().gradient(y, z), tiny * [[-1], [1]], rtol=1e-15)
    assert_allclose(Logistic().hessian(y, z)[..., 0], tiny, rtol=1e-15)


@pytest.mark.parametrize("gap", [40.0, 200.0, 700.0])
def test_multinomial_keeps_the_digits_of_small_probabilities(gap):
    loss, y = Multinomial(3), np.array([[1.0, 0.0, 0.0]])
    z = np.array([[gap, 0.0, 0.0]]) @ contrasts(3)
    tiny = np.exp(-gap)
    assert_allclose(loss.value(y, z), [2 * tiny], rtol=1e-12)
    slope = np.array([[-2.0, 1.0, 1.0]]) * tiny
    assert_allclose(loss.gradient(y, z) @ contrasts(3).T, slope, rtol=1e-12)
    assert np.linalg.eigvalsh(loss.hessian(y, z)).max() == pytest.approx(3 * tiny)


def test_poisson_is_infinite_where_the_mean_is():
    y, z = np.array([[0.0], [1e306]]), np.array([[800.0], [800.0]])
    assert_array_equal(Poisson().value(y, z), [np.inf, np.inf])
    assert_array_equal(Poisson().value(np.array([[0.0]]), np.array([[-1e300]])), [0])
