"""Searches compute each error once, and tabulate what they tried."""

import numpy as np
import pytest
from exact_rows import rows_of
from numpy.testing import assert_allclose, assert_array_equal

from skmtl.selection import Candidates
from skmtl.selection.squared_loss._candidates import list_candidates, mean_curvature
from skmtl.selection.squared_loss._fold_search import mean_curvature_of_rows
from skmtl.selection.squared_loss._left_out import leave_out
from skmtl.selection.squared_loss._results import Results, Tried, add_variances

NAN, INF = np.nan, np.inf


def test_an_error_is_computed_once():
    calls = []
    tried = Tried(lambda *strengths: calls.append(strengths) or sum(strengths))
    tried.measure([(2.0, 1.0), (1.0, 1.0)])
    assert tried(np.array([1, 1])) == 2.0
    assert tried.best == (1.0, 1.0)
    assert calls == [(2.0, 1.0), (1.0, 1.0)]


def test_the_error_of_folds_is_their_mean_and_infinite_without_a_number():
    tried = Tried(lambda alpha: [alpha, 3.0])
    assert tried((1.0,)) == 2.0
    assert tried((NAN,)) == INF
    assert_array_equal(tried.folds((1.0,)), [1.0, 3.0])


def test_a_table_begins_with_the_grid_and_ends_with_the_choice():
    tried = Tried(lambda alpha: -alpha)
    tried.measure([(3.0,), (1.0,), (2.0,)])
    strengths, errors = tried.table([(2.0,), (9.0,)], (3.0,))
    assert_array_equal(strengths[:, 0], [2.0, 9.0, 1.0, 3.0])
    assert_array_equal(errors, [-2.0, NAN, -1.0, -3.0])


def test_results_of_folds_are_tabulated_as_in_scikit_learn():
    folds = np.array([[1.0, 4.0], [3.0, 8.0]])
    facts = Results.of_folds({"alpha": [0.5, 2.0]}, folds).facts(1)
    expected = {
        "alpha": [0.5, 2.0],
        "mean_test_score": [2.0, 6.0],
        "std_test_score": [1.0, 2.0],
        "split0_test_score": [1.0, 4.0],
        "split1_test_score": [3.0, 8.0],
    }
    table = facts.pop("cv_results_")
    assert table.keys() == expected.keys()
    for name, column in expected.items():
        assert_array_equal(table[name], column)
    assert facts == {"alpha_": 2.0, "best_index_": 1, "best_score_": 6.0}


def test_a_choice_per_task_has_the_strength_and_score_of_each():
    scores = np.array([[1.0, 4.0, 2.0], [3.0, 0.0, 1.0]])
    facts = Results({"alpha": [0.5, 2.0]}, scores).facts(np.array([1, 0, 0]))
    assert_array_equal(facts["alpha_"], [2.0, 0.5, 0.5])
    assert_array_equal(facts["best_score_"], [3.0, 4.0, 2.0])


def test_the_best_score_is_a_number():
    strengths = {"alpha": [1.0, 2.0, 3.0]}
    assert Results(strengths, np.array([NAN, -2.0, -1.0])).best() == 2
    with pytest.raises(ValueError, match="scoring must give a number"):
        Results(strengths, np.full(3, NAN)).best()


@pytest.mark.parametrize(("intercept", "expected"), [(4.0, 0.5), (0.0, NAN)])
def test_variances_are_the_noise_variance_over_the_strengths(intercept, expected):
    facts = add_variances({"alpha_": 0.5, "alpha_intercept_": intercept}, 2.0, 3)
    assert facts["tau2_"] == 4.0
    assert_array_equal(facts["tau2_intercept_"], expected)


DEFAULTS = np.array([1.0]), np.array([2.0]), np.array([3.0])


@pytest.mark.parametrize(
    ("given", "fit_intercept", "weight", "expected"),
    [
        ([None, None, None], True, [1.0, 2.0], [[1.0], [2.0], [3.0]]),
        ([[9.0, 8.0], [0.0], [INF]], True, [1.0, 2.0], [[8.0, 9.0], [0.0], [INF]]),
        ([[9.0], [8.0], [7.0]], True, [0.0, 2.0], [[INF], [8.0], [INF]]),
        ([[9.0], None, [7.0]], False, [1.0, 2.0], [[9.0], [2.0], [0.0]]),
        ([None, None, None], False, [0.0, 2.0], [[INF], [2.0], [0.0]]),
    ],
)
def test_lists_are_the_given_ones_or_defaults(given, fit_intercept, weight, expected):
    found = list_candidates(given, DEFAULTS, fit_intercept, np.array(weight))
    for values, numbers in zip(found.lists, expected, strict=True):
        assert_array_equal(values, numbers)
    assert found.free == tuple(each is None for each in given)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_fits_of_factored_moments_do_not_depend_on_the_order_of_calls(fit_intercept):
    moments = rows_of((9, 12, 7), 2).moments()
    lists = [0.1, 1.0, 10.0, 100.0, INF], [0.0, 2.0], [0.5 * fit_intercept]
    candidates = Candidates(*map(np.array, lists), fit_intercept)
    triples = candidates.triples()
    forth, back = candidates.factor(moments), candidates.factor(moments)
    errors = [forth.generalised()(*each) for each in triples]
    generalised = back.generalised()
    assert_array_equal([generalised(*each) for each in triples[::-1]][::-1], errors)
    coefs = [fit.coef for fit in forth.fits(triples)]
    assert_array_equal([fit.coef for fit in back.fits(triples[::-1])][::-1], coefs)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_curvature_of_rows_is_that_of_their_moments(fit_intercept):
    rows = rows_of((9, 12, 7), 3)
    moments = rows.moments() if fit_intercept else rows.moments().about_zero()
    found = mean_curvature_of_rows(rows, fit_intercept)
    assert_allclose(found, mean_curvature(moments))


def test_the_curvature_of_constant_features_is_one():
    rows = rows_of((9, 12, 7), 1)
    rows.X[:] = 0.0
    assert mean_curvature_of_rows(rows, True) == 1.0
    assert mean_curvature(rows.moments()) == 1.0


def test_a_residual_at_full_leverage_is_the_default():
    leverage = np.array([0.0, 0.5, 1 - 1e-10, 1.0, 1 + 1e-12])
    found = leave_out(np.full(5, 1e-11), leverage, np.full(5, 7.0))
    assert_allclose(found, [1e-11, 2e-11, 7.0, 7.0, 7.0])
