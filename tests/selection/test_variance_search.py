"""Fisher scoring of many tasks, against the search by gradients of exact fits."""

import numpy as np
import pytest
from exact_rows import rows_of
from numpy.testing import assert_allclose

from skmtl.selection.likelihood import (
    COVARIANCE,
    CovarianceSearch,
    Drawing,
    Grams,
    Shapes,
    StrengthSearch,
    VarianceSearch,
)

SIZES = (15, 18, 13, 19, 16, 14, 15, 13) * 9


def search_both(rows, per_feature, simplify, fit_intercept=True):
    """Return the last strengths of both searches."""
    moments = rows.moments()
    moments = moments if fit_intercept else moments.about_zero()
    drawing = Drawing(rows, moments, fit_intercept)
    near = drawing.at(np.full(drawing.n_columns, 0.5), drawing.ridge(1.0))
    *_, found = VarianceSearch(drawing, per_feature, True, simplify, 1e-8).search(near)
    *_, expected = StrengthSearch(
        moments, None, fit_intercept, per_feature, simplify
    ).search()
    return found, expected


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("per_feature", [False, True])
def test_fisher_scoring_finds_the_strengths_of_exact_fits(per_feature, fit_intercept):
    rows = rows_of(SIZES, 3, seed=3)
    found, expected = search_both(rows, per_feature, False, fit_intercept)
    for each, other in zip(found, expected, strict=True):
        assert_allclose(each, other, rtol=1e-3)
    assert_allclose(found[-1], expected[-1], rtol=1e-9)


def test_strengths_without_evidence_are_infinite():
    rows = rows_of((4, 5, 3, 6) * 18, 6, seed=1)
    y = rows.X.sum(axis=1) + np.random.default_rng(0).normal(size=len(rows.y))
    found, expected = search_both(type(rows)(**vars(rows) | {"y": y}), False, True)
    assert np.isinf(found[2])
    for each, other in zip(found, expected, strict=True):
        assert_allclose(each, other, rtol=1e-3)


def test_fisher_scoring_finds_the_covariance_of_roots():
    rows = rows_of(SIZES, 2, seed=3)
    drawing = Drawing(rows, rows.moments(), True)
    shapes = Shapes.near(drawing, (1.0, 1.0, 1.0), centre=True)
    found = shapes.climb_covariance(drawing, 1e-8, centre=True)
    grams = Grams.of(rows.moments(), True)
    expected = CovarianceSearch.from_near(
        grams, shapes.likeliest(COVARIANCE), 1.0, True
    ).search()
    assert_allclose(found.criterion, expected.criterion, rtol=1e-9)
    covariance = grams.enter(found.covariance)
    largest = np.abs(covariance).max()
    assert_allclose(covariance, expected.covariance, atol=1e-3 * largest)
