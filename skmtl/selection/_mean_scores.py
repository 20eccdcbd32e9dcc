"""Errors of the strengths of mean regularisation, squared loss, by moments."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from skmtl._contracts import Array

from ._coordinate_search import NEARBY, descend, strengthen
from ._folds import Splits, fold_moments
from ._held_out import SolvedModels
from ._left_out import LeftOutErrors
from ._mean_grid import Candidates
from ._reml_search import StrengthSearch, is_flexible
from ._results import Tried
from ._shapes import Shape

# Raise strengths until the error increases by this share of one row's mean error: rows
# cannot distinguish such errors.
_SHARE_OF_A_ROW = 0.05
# Set the centre to zero if the error increases by at most this share.
_UNNEEDED = 0.005


@dataclass(frozen=True)
class Scores:
    """Strengths that a search tried, with their errors.

    Parameters
    ----------
    triples : ndarray of shape (n_tried, 3)
        Strengths: those of the grid first, the chosen ones last.
    errors : ndarray of shape (n_tried,) or (n_splits, n_tried)
        Errors, or negative scores; NaN where they were not computed.
    parts : ndarray of shape (n_parts,)
        Sums of squared errors at the chosen strengths, per task; negative scores per
        fold if there is a scorer.
    weight : ndarray of shape (n_parts,)
        Weight of each part.
    shape : Shape
        Relative strengths of the features.
    """

    triples: Array
    errors: Array
    parts: Array
    weight: Array
    shape: Shape

    @property
    def chosen(self) -> tuple[float, ...]:
        """The chosen strengths."""
        return tuple(self.triples[-1].tolist())

    @property
    def error(self) -> float:
        """Error at the chosen strengths."""
        return float(self.parts.sum() / self.weight.sum())


def generalised_scores(
    moments: Any, candidates: Candidates, start: Any = None
) -> Scores:
    """Compute generalised cross-validation of candidates, and refine between them.

    It is ``n sum of squared errors / (n - degrees of freedom)^2``, infinite if less
    than a tenth of the degrees of freedom is left, as a small error is then due to
    chance.

    Parameters
    ----------
    moments : TaskMoments
        Moments of all rows.
    candidates : Candidates
        Strengths.
    start : tuple of float, default=None
        Strengths near the best ones; None evaluates all candidates first.

    Returns
    -------
    Scores
        The errors.
    """
    factored = candidates.factor(moments)
    tried = Tried(factored.generalised())
    best, candidates = _search(tried, factored, candidates, start)
    triples, errors = tried.table(
        last=_raise_strengths(tried, best, candidates, moments)
    )
    squares = factored.fit(*triples[-1]).squared_errors
    inflation = errors[-1] * moments.weight.sum() / squares.sum()
    parts = squares * np.where(np.isfinite(inflation), inflation, 1.0)
    return Scores(triples, errors, parts, moments.weight, candidates.shape)


def left_out_scores(
    data: Any, moments: Any, candidates: Candidates, start: Any = None
) -> Scores:
    """Compute exact leave-one-out errors of the most promising candidates.

    The search starts at the minimum of generalised cross-validation. It moves to better
    neighbours, and between the points of the grid.

    Parameters
    ----------
    data : TaskData
        All rows.
    moments : TaskMoments
        Their moments, the task weights applied.
    candidates : Candidates
        Strengths.
    start : tuple of float, default=None
        Strengths near the best ones; None searches for them.

    Returns
    -------
    Scores
        The errors.
    """
    factored = candidates.factor(moments)
    first = candidates.triples() if start is None else ()
    if start is None:
        guess = Tried(factored.generalised())
        start, candidates = _search(guess, factored, candidates)
    left_out = LeftOutErrors(data, factored)
    tried = Tried(lambda *strengths: left_out.at(factored.fit(*strengths)))
    best = descend(tried, start, candidates.axes(), NEARBY)
    last = _raise_strengths(tried, best, candidates, moments)
    parts = left_out.of_tasks(factored.fit(*last))
    return Scores(*tried.table(first, last), parts, moments.weight, candidates.shape)


def fold_scores(
    data: Any,
    splits: Splits,
    candidates: Candidates,
    measure: Any = None,
    start: Any = None,
) -> Scores:
    """Compute errors of candidates on test rows, from moments of folds.

    Parameters
    ----------
    data : TaskData
        All rows.
    splits : list of (ndarray, ndarray)
        Training and test rows of X.
    candidates : Candidates
        Strengths.
    measure : callable, default=None
        Called with test rows, it returns a function that scores a Solved; None for
        mean squared errors.
    start : tuple of float, default=None
        Strengths near the best ones; None evaluates all candidates first.

    Returns
    -------
    Scores
        The errors.
    """
    pairs = list(zip(fold_moments(data, splits), splits, strict=True))
    folds = [
        (candidates.factor(training), _error_on(test, rows, measure))
        for (training, test), (_, rows) in pairs
    ]

    def errors(*strengths):
        return [error(train.fit(*strengths).unpack()) for train, error in folds]

    tried, moments = Tried(errors), data.moments()
    factored = candidates.factor(moments)
    best, candidates = _search(tried, factored, candidates, start)
    # The error that rows cannot distinguish is known for squared errors only.
    if measure is None:
        best = _raise_strengths(tried, best, candidates, moments)
    triples, by_fold = tried.table(last=best)
    tests = [test for (_, test), _ in pairs]
    parts, weight = by_fold[-1], np.ones(len(pairs))
    if measure is None:
        models = (train.fit(*best).unpack() for train, _ in folds)
        parts, weight = _errors_of_tasks(tests, models)
    return Scores(triples, by_fold.T, parts, weight, candidates.shape)


def _errors_of_tasks(tests, models):
    """Return sums of squared test errors of each task, and weights.

    Folds have equal influence, as in the mean of their errors.
    """
    parts: Any = 0.0
    weight: Any = 0.0
    for test, each in zip(tests, models, strict=True):
        total = test.weight.sum()
        parts = parts + test.squared_errors(each.coef, each.intercept) / total
        weight = weight + test.weight / total
    return parts, weight


def _error_on(moments: Any, rows: Array, measure: Any) -> Callable[[Any], float]:
    """Return a function of models that returns their error on test rows."""
    if measure is not None:
        score = measure(rows)
        return lambda models: -score(SolvedModels(models.add_output_axis(), True))

    def mean_square(models):
        squares = moments.squared_errors(models.coef, models.intercept)
        return squares.sum() / moments.weight.sum()

    return mean_square


def _search(tried, factored, candidates, start=None):
    """Return the best strengths, and the candidates left.

    If few degrees of freedom are left, held-out errors are uncertain, and choosing
    several strengths overfits them. Strengths are then infinite unless the likelihood
    is evidence against it.
    """
    if start is not None:
        return descend(tried, start, candidates.axes(), NEARBY), candidates
    tried.measure(candidates.triples())
    best = descend(tried, tried.best, candidates.axes())
    if candidates.may_be_simpler and is_flexible(factored.fit(*best)):
        evidence = StrengthSearch(
            factored.moments, None, factored.fit_intercept, False, True, tol=1e-5
        )
        candidates = candidates.restrict(np.isinf(evidence.search()[-1][:3]))
        triples = candidates.triples()
        tried.measure(triples)
        best = descend(tried, min(map(tuple, triples), key=tried), candidates.axes())
    return best, candidates


def _raise_strengths(tried, best, candidates, moments):
    """Raise the best strengths as long as rows cannot distinguish the errors.

    Set a centre that does not help to zero: its coefficients are arbitrary, and would
    predict unseen tasks badly.
    """
    share = _SHARE_OF_A_ROW / moments.weight.sum()
    raised = strengthen(tried, best, candidates.axes(), share)
    without_centre = raised[0], np.inf, raised[2]
    limit = (1 + _UNNEEDED) * tried(raised)
    if candidates.free[1] and tried(without_centre) <= limit:
        return without_centre
    return raised
