"""Errors of the strengths of mean regularisation, squared loss, by moments."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from skmtl._contracts import Array

from ._coordinate_search import N_SWEEPS, NEARBY, descend, strengthen
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
    shape : Shape
        Relative strengths of the features.
    """

    triples: Array
    errors: Array
    shape: Shape

    @property
    def chosen(self) -> tuple[float, ...]:
        """The chosen strengths."""
        return tuple(self.triples[-1].tolist())

    def append(self, triple: tuple[float, ...], error: float) -> "Scores":
        """Return the scores with further strengths, which are then the chosen ones."""
        triples = np.vstack([self.triples, triple])
        return replace(self, triples=triples, errors=np.append(self.errors, error))

    @property
    def _means(self):
        """Mean errors of the folds, infinite in place of NaN."""
        errors = self.errors if self.errors.ndim == 1 else self.errors.mean(axis=0)
        return np.where(np.isnan(errors), np.inf, errors)

    @property
    def best_index(self) -> int:
        """Position of the strengths with the smallest mean error."""
        return int(np.argmin(self._means))

    @property
    def best_error(self) -> float:
        """The smallest mean error."""
        return float(self._means.min())

    @property
    def best(self) -> tuple[float, ...]:
        """The strengths with the smallest mean error."""
        return tuple(self.triples[self.best_index].tolist())


class Criterion(ABC):
    """An error of the strengths of mean regularisation."""

    # Whether likelier strengths are chosen if the error cannot distinguish them.
    prefers_likely: ClassVar[bool] = False

    @abstractmethod
    def search(
        self, candidates: Candidates, start: Any = None, n_sweeps: int = N_SWEEPS
    ) -> Scores:
        """Compute errors of promising candidates, and refine between them.

        Parameters
        ----------
        candidates : Candidates
            Strengths.
        start : tuple of float, default=None
            Strengths near the best ones; None searches for them among the candidates.
        n_sweeps : int
            Largest number of sweeps over the three strengths.

        Returns
        -------
        Scores
            The errors.
        """

    @abstractmethod
    def squares(self, candidates: Candidates, triple: Any) -> Array:
        """Return sums of squared errors of each task at given strengths.

        Parameters
        ----------
        candidates : Candidates
            Its shape is used.
        triple : tuple of float
            Strengths.

        Returns
        -------
        ndarray of shape (n_tasks,)
            The sums.
        """


@dataclass(frozen=True)
class Generalised(Criterion):
    """Generalised cross-validation.

    It is ``n sum of squared errors / (n - degrees of freedom)^2``, infinite if less
    than a tenth of the degrees of freedom is left, as a small error is then due to
    chance.

    Parameters
    ----------
    moments : TaskMoments
        Moments of all rows.
    """

    moments: Any

    def search(
        self, candidates: Candidates, start: Any = None, n_sweeps: int = N_SWEEPS
    ) -> Scores:
        factored = candidates.factor(self.moments)
        tried = Tried(factored.generalised())
        best, left = _search(tried, factored, candidates, start, n_sweeps)
        last = _raise_strengths(tried, best, left, self.moments)
        return Scores(*tried.table(last=last), candidates.shape)

    def squares(self, candidates: Candidates, triple: Any) -> Array:
        factored = candidates.factor(self.moments)
        squares = factored.fit(*triple).squared_errors
        total = factored.generalised()(*triple) * self.moments.weight.sum()
        inflation = total / squares.sum()
        return squares * (inflation if np.isfinite(inflation) else 1.0)


@dataclass(frozen=True)
class LeftOut(Criterion):
    """Exact leave-one-out errors, of the most promising candidates.

    The search starts at the minimum of generalised cross-validation. It moves to better
    neighbours, and between the points of the grid.

    Parameters
    ----------
    data : TaskData
        All rows.
    moments : TaskMoments
        Their moments, the task weights applied.
    """

    data: Any
    moments: Any
    prefers_likely: ClassVar[bool] = True

    def search(
        self, candidates: Candidates, start: Any = None, n_sweeps: int = N_SWEEPS
    ) -> Scores:
        factored = candidates.factor(self.moments)
        first = candidates.triples() if start is None else ()
        if start is None:
            guess = Tried(factored.generalised())
            start, candidates = _search(guess, factored, candidates)
        left_out = LeftOutErrors(self.data, factored)
        tried = Tried(lambda *strengths: left_out.at(factored.fit(*strengths)))
        best = descend(tried, start, candidates.axes(), NEARBY, n_sweeps)
        last = _raise_strengths(tried, best, candidates, self.moments)
        return Scores(*tried.table(first, last), candidates.shape)

    def squares(self, candidates: Candidates, triple: Any) -> Array:
        factored = candidates.factor(self.moments)
        return LeftOutErrors(self.data, factored).of_tasks(factored.fit(*triple))


@dataclass(frozen=True)
class HeldOut(Criterion):
    """Errors on test rows, from moments of folds.

    Parameters
    ----------
    data : TaskData
        All rows.
    splits : list of (ndarray, ndarray)
        Training and test rows of X.
    measure : callable, default=None
        Called with test rows, it returns a function that scores a Solved; None for
        mean squared errors.
    """

    data: Any
    splits: Splits
    measure: Any = None

    @cached_property
    def _pairs(self):
        return fold_moments(self.data, self.splits)

    def search(
        self, candidates: Candidates, start: Any = None, n_sweeps: int = N_SWEEPS
    ) -> Scores:
        folds = [
            (candidates.factor(training), _error_on(test, rows, self.measure))
            for (training, test), (_, rows) in zip(
                self._pairs, self.splits, strict=True
            )
        ]

        def errors(*strengths):
            return [error(train.fit(*strengths).unpack()) for train, error in folds]

        tried, moments = Tried(errors), self.data.moments()
        factored = candidates.factor(moments)
        best, left = _search(tried, factored, candidates, start, n_sweeps)
        # The error that rows cannot distinguish is known for squared errors only.
        if self.measure is None:
            best = _raise_strengths(tried, best, left, moments)
        triples, by_fold = tried.table(last=best)
        return Scores(triples, by_fold.T, candidates.shape)

    def squares(self, candidates: Candidates, triple: Any) -> Array:
        total: Any = 0.0
        for training, test in self._pairs:
            models = candidates.factor(training).fit(*triple).unpack()
            total = total + test.squared_errors(models.coef, models.intercept)
        return total


def _error_on(moments: Any, rows: Array, measure: Any) -> Callable[[Any], float]:
    """Return a function of models that returns their error on test rows."""
    if measure is not None:
        score = measure(rows)
        return lambda models: -score(SolvedModels(models.add_output_axis(), True))

    def mean_square(models):
        squares = moments.squared_errors(models.coef, models.intercept)
        return squares.sum() / moments.weight.sum()

    return mean_square


def _search(tried, factored, candidates, start=None, n_sweeps=N_SWEEPS):
    """Return the best strengths, and the candidates left.

    If few degrees of freedom are left, held-out errors are uncertain, and choosing
    several strengths overfits them. Strengths are then infinite unless the likelihood
    is evidence against it.
    """
    if start is not None:
        axes = candidates.axes()
        return descend(tried, start, axes, NEARBY, n_sweeps), candidates
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
