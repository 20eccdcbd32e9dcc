"""Fits at many strengths from products of rows, against exact fits one by one."""

import numpy as np
import pytest
from exact_rows import rows_of, uneven
from numpy.testing import assert_allclose

from skmtl.couplings import Rotation
from skmtl.problems.exact import Posterior
from skmtl.selection import Candidates, CovarianceLikelihood, Grams, log_grid
from skmtl.selection.likelihood._drawn_likelihood import (
    DrawnLikelihood,
    climb_full,
)
from skmtl.selection.likelihood._drawn_tasks import Drawing
from skmtl.selection.likelihood._shapes import Shape
from skmtl.selection.search._coordinate_search import Axis, descend, refine
from skmtl.selection.search._some_tasks import sample_tasks
from skmtl.selection.squared_loss._left_out import LeftOutErrors
from skmtl.selection.squared_loss._strength_fits import DrawnFits, Part, Sources

SIZES = {"small": ((5, 8, 3, 9, 30), 4), "narrow": ((5, 28, 3, 40, 7, 90), 30)}
TRIPLES = [
    (3.0, 1.0, 2.0),
    (50.0, 0.0, 0.1),
    (3.0, np.inf, 2.0),
    (np.inf, 1.0, 4.0),
    (3.0, 1.0, np.inf),
]
each_intercept = pytest.mark.parametrize("fit_intercept", [True, False])


@pytest.fixture(params=SIZES.values(), ids=SIZES.keys())
def rows(request):
    sizes, n_features = request.param
    return rows_of(sizes, n_features, weight=uneven(np.sum(sizes)))


def shapes_of(n_features, fit_intercept):
    """Return one shape of each structure."""
    pattern = np.geomspace(0.1, 10, n_features)
    square = np.random.default_rng(1).normal(size=(n_features, n_features))
    origin = 0.1 * np.arange(n_features) * fit_intercept
    rotation = Rotation(np.linalg.qr(square)[0], origin)
    return [
        Shape(),
        Shape("per_feature", 1.0, pattern),
        Shape("covariance", 1.0, pattern, rotation),
    ]


def moments_of(rows, fit_intercept):
    moments = rows.moments()
    return moments if fit_intercept else moments.about_zero()


@each_intercept
@pytest.mark.parametrize("number", range(3), ids=["one", "features", "covariance"])
def test_errors_of_products_are_those_of_exact_fits(rows, fit_intercept, number):
    moments = moments_of(rows, fit_intercept)
    shape = shapes_of(moments.n_features, fit_intercept)[number]
    unused = np.ones(1)
    candidates = Candidates(unused, unused, unused, fit_intercept, shape=shape)
    factored = candidates.factor(moments)
    fits = Sources(rows, moments).fits(candidates)
    assert isinstance(fits, DrawnFits)
    left_out = LeftOutErrors(rows, factored)
    for alpha, shared, level in TRIPLES:
        triple = alpha, shared, level * fit_intercept if fit_intercept else 0.0
        fit = factored.fit(*triple)
        drawn = fits.at(triple)
        assert_allclose(drawn.squares(), left_out.of_tasks(fit), rtol=1e-6)
        assert_allclose(drawn.squared_errors, fit.squared_errors, rtol=1e-6)
        assert_allclose(drawn.freedom, Posterior(fit).degrees_of_freedom, rtol=1e-7)


@each_intercept
@pytest.mark.parametrize("alpha_shared", [0.0, 2.0, np.inf])
def test_the_likelihood_by_products_is_that_of_their_roots(
    rows, fit_intercept, alpha_shared
):
    moments = moments_of(rows, fit_intercept)
    drawing = Drawing(rows, moments, fit_intercept)
    root = np.random.default_rng(0).normal(size=(drawing.n_columns,) * 2)
    covariance = 0.1 * root @ root.T / len(root) + 0.03 * np.eye(len(root))
    grams = Grams.of(moments, fit_intercept, np.zeros(moments.n_features))
    expected = CovarianceLikelihood(grams, grams.enter(covariance), alpha_shared)
    least = np.full(len(root), 1e-6)
    found = DrawnLikelihood.of_covariance(drawing, covariance, alpha_shared, least)
    assert_allclose(found.covariance, covariance, atol=1e-12)
    assert_allclose(found.noise_variance, expected.noise_variance, rtol=1e-8)
    assert_allclose(found.criterion, expected.criterion, rtol=1e-8)
    change = grams.jacobian @ found.factor
    gradient = change.T @ expected.gradient @ change
    atol = 1e-7 * np.abs(gradient).max()
    assert_allclose(found.gradient(), gradient, atol=atol)
    assert_allclose(found.slopes(), np.diag(gradient), atol=atol)


def test_fisher_scoring_ends_where_the_gradient_is_zero():
    rows = rows_of((15, 18, 13, 19, 16, 14, 15, 13) * 6, 2, seed=8)
    drawing = Drawing(rows, rows.moments(), True)
    start = DrawnLikelihood(drawing.at(np.ones(3), drawing.ridge(1.0)))
    found = climb_full(start, np.full(3, 1e-6), 1e-10)
    assert_allclose(found.gradient(), 0, atol=1e-4)
    assert found.criterion < start.criterion


def test_tasks_around_a_given_centre_are_those_of_the_whole():
    rows = rows_of((5, 8, 3, 9, 30) * 50, 3)
    one = np.ones(1)
    fits = Sources(rows, rows.moments()).fits(Candidates(one, one, one, True))
    triple = 3.0, 1.0, 2.0
    halves = [Part(np.arange(k, 250, 2), Shape(), triple) for k in range(2)]
    for left_out in (True, False):
        found = fits.squares(triple, halves, left_out)
        assert_allclose(found, fits.squares(triple, (), left_out), rtol=1e-9)
    for found, expected in zip(
        fits.models(triple, halves), fits.models(triple), strict=True
    ):
        assert_allclose(found, expected, atol=1e-9)


def test_features_far_from_zero_are_factored_about_their_means():
    rows = rows_of((9, 12, 7, 20), 4, offset=1e7)
    one = np.ones(1)
    fits = Sources(rows, rows.moments()).fits(Candidates(one, one, one, True))
    assert not isinstance(fits, DrawnFits)


def test_a_sample_has_tasks_of_all_sizes():
    weight = np.random.default_rng(0).permutation(1000) + 1.0
    sampled = sample_tasks(weight, 100)
    assert (np.diff(sampled) > 0).all()
    assert_allclose(np.sort(weight[sampled]), np.arange(6, 1000, 10), atol=1)
    assert_allclose(sample_tasks(weight[:50], 100), np.arange(50))


def test_a_model_finds_what_coordinate_descent_finds_in_fewer_steps():
    grid = np.append(log_grid(1.0, -2, 2), np.inf)
    axes = [Axis(grid, free=True) for _ in range(3)]
    matrix = np.array([[2.0, 0.1, 0.6], [0.1, 1.0, 0.1], [0.6, 0.1, 1.5]])
    calls = []

    def value(at):
        calls.append(at)
        gap = np.log(at) - [0.4, -0.3, 0.5]
        return 3 + gap @ matrix @ gap if np.isfinite(gap).all() else 99.0

    found = refine(value, (1.0, 1.0, 1.0), axes)
    n_calls = len(set(calls))
    calls.clear()
    expected = descend(value, (1.0, 1.0, 1.0), axes)
    assert value(found) < 3.02
    assert value(found) < value(expected) + 0.02
    assert n_calls < len(set(calls)) / 2
