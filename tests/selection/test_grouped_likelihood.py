"""The likelihood of several groupings, its gradient, and its factors."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmtl.problems.exact import GroupedRows
from skmtl.problems.exact import _grouped_core as core
from skmtl.selection.groupings._search import GroupedFits
from skmtl.selection.groupings._strengths import Slots

N_LABELS = 7, 4, 3


def make_fits(given=(None, None, None)):
    rng = np.random.default_rng(1)
    X, weight = rng.normal(size=(60, 2)) + 1, rng.uniform(0.5, 2, 60)
    codes = np.stack([rng.integers(0, n, 60) for n in N_LABELS], axis=1)
    y = X[:, 0] * (1 + 0.5 * codes[:, 1]) + codes[:, 2] + rng.normal(size=60)
    rows = GroupedRows(X, y, weight, codes, N_LABELS)
    return GroupedFits(rows, Slots.of("abc", given, rows, True), True)


def covariance(fits, values):
    """Return the covariance of the rows for a noise variance of 1, densely."""
    rows = fits.rows
    total = np.diag(1 / rows.weight)
    for g, n_labels in enumerate(N_LABELS):
        same = np.eye(n_labels)[rows.codes[:, g]]
        same = same @ same.T
        total += same / values[len(N_LABELS) + g]
        total += same * (rows.X @ rows.X.T) / values[g]
    return total + rows.X @ rows.X.T / values[-1]


VALUES = np.array([2.0, 0.7, 5.0, 1.3, 0.4, 3.0, 0.8])


def test_the_criterion_is_that_of_the_dense_covariance():
    fits = make_fits()
    found, rows = fits.at(VALUES), fits.rows
    precision = np.linalg.inv(covariance(fits, VALUES))
    ones = np.ones(len(rows.y))
    scale = ones @ precision @ ones
    residual = rows.y - (ones @ precision @ rows.y) / scale
    n_left = rows.weight.sum() - 1
    noise = residual @ precision @ residual / n_left
    determinant = -np.linalg.slogdet(precision)[1] + np.log(rows.weight).sum()
    expected = n_left * (1 + np.log(2 * np.pi * noise)) + determinant + np.log(scale)
    assert found.noise_variance == pytest.approx(noise, rel=1e-10)
    assert found.criterion == pytest.approx(expected, rel=1e-11)


def test_the_gradient_is_that_of_finite_differences():
    fits, step = make_fits(), 1e-5
    found = fits.at(VALUES).gradient()
    for k, each in enumerate(found):
        change = np.exp(step * np.eye(len(VALUES))[k])
        up, down = fits.at(VALUES * change), fits.at(VALUES / change)
        expected = (up.criterion - down.criterion) / (2 * step)
        assert each == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_infinite_strengths_are_the_limit_of_large_ones():
    fits = make_fits()
    values, large = VALUES.copy(), VALUES.copy()
    values[[0, 4]], large[[0, 4]] = np.inf, 1e9
    assert fits.at(values).criterion == pytest.approx(
        fits.at(large).criterion, abs=1e-5
    )


def test_sparse_and_dense_factors_agree(monkeypatch):
    dense = make_fits().at(VALUES)
    assert type(dense.system.core) is core.DenseCore
    monkeypatch.setattr(core, "_DENSE_SIZE", 0)
    monkeypatch.setattr(core, "_DENSE_SHARE", 2.0)
    monkeypatch.setattr(core, "_CHUNK", 50)
    thin = make_fits().at(VALUES)
    assert type(thin.system.core) is core.SparseCore
    assert thin.criterion == pytest.approx(dense.criterion, rel=1e-12)
    assert_allclose(thin.gradient(), dense.gradient(), rtol=1e-8, atol=1e-8)
    assert thin.left_out_error() == pytest.approx(dense.left_out_error(), rel=1e-10)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            ({"z": [1.0]}, None, None),
            "alphas must be a mapping from groupings to lists",
        ),
        (([0.0, 1.0], None, None), "alphas must list strengths, positive or infinite"),
        ((None, [-1.0], None), "alphas_shared must list strengths, 0 or more"),
        ((None, None, []), "alphas_intercept must list strengths, positive"),
    ],
)
def test_wrong_lists_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        make_fits(given)


def test_nested_labels_are_eliminated_in_turn(monkeypatch):
    rng = np.random.default_rng(2)
    pupil = rng.permutation(np.repeat(np.arange(24), 4))
    codes = np.stack([pupil // 12, pupil, pupil // 3], axis=1)
    X = rng.normal(size=(96, 2))
    rows = GroupedRows(
        X, rng.normal(size=96) + codes[:, 0], np.ones(96), codes, (2, 24, 8)
    )
    slots = Slots.of("abc", (None, None, None), rows, True)
    dense = GroupedFits(rows, slots, True).at(VALUES)
    monkeypatch.setattr(core, "_SMALL", 0)
    blocks = GroupedFits(rows, slots, True).at(VALUES)
    assert type(blocks.system.core) is core.BlockCore
    assert blocks.criterion == pytest.approx(dense.criterion, rel=1e-12)
    assert_allclose(blocks.gradient(), dense.gradient(), rtol=1e-8, atol=1e-8)
    assert blocks.left_out_error() == pytest.approx(dense.left_out_error(), rel=1e-10)
