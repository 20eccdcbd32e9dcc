"""Errors of the strengths of mean regularisation, squared loss."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from skmtl._contracts import Array
from skmtl.problems.exact import reduce_moments

from ..likelihood import Shape, StrengthSearch, VarianceSearch
from ..search import (
    N_SWEEPS,
    NEARBY,
    SolvedModels,
    Splits,
    descend,
    fold_moments,
    is_costly,
    polish,
    refine,
    strengthen,
)
from ._candidates import Candidates
from ._results import Tried
from ._strength_fits import DrawnFits, Part, Sources, may_be_narrow

# Raise strengths until the error increases by this share of one row's mean error: rows
# cannot distinguish such errors.
_SHARE_OF_A_ROW = 0.05
# This many tasks, with this many rows per column, are enough for the first steps of a
# search.
_N_REFINED, _ROWS_OF_REFINED = 128, 40
# Stop a search of likely strengths where a step promises a smaller decrease.
_DECREASE = 0.1
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
    data: Any
    moments: Any

    @cached_property
    def sources(self) -> Sources:
        """All rows."""
        return Sources(self.data, self.moments)

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
    def score(self, candidates: Candidates, triple: Any) -> Scores:
        """Compute the error of one triple of strengths.

        Parameters
        ----------
        candidates : Candidates
            Its shape is used.
        triple : tuple of float
            Strengths.

        Returns
        -------
        Scores
            The error.
        """

    @abstractmethod
    def squares(
        self, candidates: Candidates, triple: Any, parts: Sequence[Part] = ()
    ) -> Array:
        """Return sums of squared errors of each task at given strengths.

        Parameters
        ----------
        candidates : Candidates
            Its shape is used.
        triple : tuple of float
            Strengths at which the centre is fitted.
        parts : list of Part
            Tasks with other strengths.

        Returns
        -------
        ndarray of shape (n_tasks,)
            The sums.
        """

    @abstractmethod
    def of_tasks(self, tasks: Array) -> "Criterion":
        """Return the criterion of some tasks."""


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
    data : TaskData or None, default=None
        The rows, which are faster than moments if they are few.
    """

    moments: Any
    data: Any = None

    def search(
        self, candidates: Candidates, start: Any = None, n_sweeps: int = N_SWEEPS
    ) -> Scores:
        fits = self.sources.fits(candidates)
        tried = Tried(fits.generalised)
        best, left = _search(tried, fits, candidates, start, n_sweeps, by_rows=False)
        last = _raise_strengths(tried, best, left, self.moments)
        return Scores(*tried.table(last=last), candidates.shape)

    def score(self, candidates: Candidates, triple: Any) -> Scores:
        fits = self.sources.fits(candidates)
        return _score(Tried(fits.generalised), candidates, triple)

    def squares(
        self, candidates: Candidates, triple: Any, parts: Sequence[Part] = ()
    ) -> Array:
        fits = self.sources.fits(candidates)
        squares = fits.squares(triple, parts, left_out=False)
        mean = (
            fits.squares(triple, (), left_out=False).sum() if parts else squares.sum()
        )
        total = fits.generalised(*triple) * self.moments.weight.sum()
        inflation = total / mean
        return squares * (inflation if np.isfinite(inflation) else 1.0)

    def of_tasks(self, tasks: Array) -> "Generalised":
        data = None if self.data is None else self.data.of_tasks(tasks)
        return Generalised(self.moments.select(tasks), data)


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
        fits = self.sources.fits(candidates)
        tried, first = Tried(fits.left_out), np.zeros((0, 3))
        if start is None:
            guess, first = Tried(fits.generalised), candidates.triples()
            start, candidates = _search(guess, fits, candidates)
        best, candidates = _search(tried, fits, candidates, start, n_sweeps)
        last = _raise_strengths(tried, best, candidates, self.moments)
        return Scores(*tried.table(first, last), candidates.shape)

    def score(self, candidates: Candidates, triple: Any) -> Scores:
        fits = self.sources.fits(candidates)
        return _score(Tried(fits.left_out), candidates, triple)

    def squares(
        self, candidates: Candidates, triple: Any, parts: Sequence[Part] = ()
    ) -> Array:
        fits = self.sources.fits(candidates)
        return fits.squares(triple, parts, left_out=True)

    def of_tasks(self, tasks: Array) -> "LeftOut":
        return LeftOut(self.data.of_tasks(tasks), self.moments.select(tasks))


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

    @cached_property
    def moments(self) -> Any:
        """Moments of all rows."""
        return self.data.moments()

    def _folds(self, candidates):
        """Return fits to the training rows of each fold, and moments of test rows."""
        for (training, test), (train, _) in zip(self._pairs, self.splits, strict=True):
            yield Sources(self._rows(train), training).fits(candidates), test

    def _rows(self, train):
        """Return training rows if they may be faster than moments."""
        return self.data.select(train) if may_be_narrow(self.data) else None

    def search(
        self, candidates: Candidates, start: Any = None, n_sweeps: int = N_SWEEPS
    ) -> Scores:
        tried, moments = Tried(self._errors(candidates)), self.moments
        fits = self.sources.fits(candidates)
        best, left = _search(tried, fits, candidates, start, n_sweeps)
        # The error that rows cannot distinguish is known for squared errors only.
        if self.measure is None:
            best = _raise_strengths(tried, best, left, moments)
        triples, by_fold = tried.table(last=best)
        return Scores(triples, by_fold.T, candidates.shape)

    def score(self, candidates: Candidates, triple: Any) -> Scores:
        return _score(Tried(self._errors(candidates)), candidates, triple)

    def _errors(self, candidates):
        """Return the errors of the folds, a function of strengths."""
        if self.measure is not None:
            return self.measured(candidates)
        folds = list(self._folds(candidates))

        def errors(*strengths):
            return [_mean_square(test, fits.models(strengths)) for fits, test in folds]

        return errors

    def measured(self, candidates: Candidates) -> Callable[..., Any]:
        """Return the negative scores of the folds, a function of strengths."""
        folds = [
            (candidates.factor(training), self.measure(rows))
            for (training, _), (_, rows) in zip(self._pairs, self.splits, strict=True)
        ]

        def errors(*strengths):
            models = (train.fit(*strengths).unpack() for train, _ in folds)
            return [
                -score(SolvedModels(each.add_output_axis(), True))
                for each, (_, score) in zip(models, folds, strict=True)
            ]

        return errors

    def squares(
        self, candidates: Candidates, triple: Any, parts: Sequence[Part] = ()
    ) -> Array:
        total: Any = 0.0
        for fits, test in self._folds(candidates):
            total = total + test.squared_errors(*fits.models(triple, parts))
        return total

    def of_tasks(self, tasks: Array) -> "HeldOut":
        return replace(self, data=self.data.of_tasks(tasks))


def _score(tried, candidates, triple):
    """Return the scores of one triple of strengths."""
    tried(triple)
    triples, errors = tried.table()
    return Scores(triples, errors.T, candidates.shape)


def _mean_square(moments, models):
    """Return the mean squared error of models on test rows."""
    return moments.squared_errors(*models).sum() / moments.weight.sum()


def _is_sampled(fits, candidates):
    """Return whether a search may start with some of the tasks."""
    return all(candidates.free) and fits.can_sample and is_costly(fits.moments)


def n_refined(moments: Any) -> int:
    """Return how many tasks are enough to refine strengths roughly."""
    mean = moments.weight.sum() / moments.n_tasks
    return max(_N_REFINED, int(np.ceil(_ROWS_OF_REFINED * moments.n_features / mean)))


def likely_strengths(fits: DrawnFits, candidates: Candidates, near: Any) -> Scores:
    """Return the likeliest strengths of some of the tasks, one of each.

    Parameters
    ----------
    fits : DrawnFits
        Fits to all tasks.
    candidates : Candidates
        Strengths.
    near : Drawn
        A solution at strengths that are nearly the likeliest.

    Returns
    -------
    Scores
        Of one triple of strengths. Needless strengths are infinite.
    """
    drawing = fits.drawing.sample(n_refined(fits.moments))
    share = drawing.moments.weight.sum() / fits.moments.weight.sum()
    simplify = candidates.may_be_simpler
    search = VarianceSearch(drawing, False, True, simplify, _DECREASE, share)
    *best, _ = search.search(near)[-1]
    return Scores(np.array([best]), np.full(1, np.nan), candidates.shape)


def _search(tried, fits, candidates, start=None, n_sweeps=N_SWEEPS, by_rows=True):
    """Return the best strengths, and the candidates left.

    Errors of some tasks, by leaving out rows or by generalised cross-validation, show
    the curvature of those of all.
    """
    if start is not None and _is_sampled(fits, candidates):
        some, axes = fits.sample(n_refined(fits.moments)), candidates.axes()
        if some is fits:
            return refine(tried, start, axes), candidates
        near = Tried(some.left_out if by_rows else some.generalised)
        refined = refine(near, min(_with_ends(start, axes), key=near), axes)
        start = min(start, refined, key=tried)
        return polish(tried, near, start, axes), candidates
    if start is not None:
        axes = candidates.axes()
        return descend(tried, start, axes, NEARBY, n_sweeps), candidates
    tried.measure(candidates.triples())
    best = descend(tried, tried.best, candidates.axes())
    left = _without_needless(fits, candidates, best)
    if left is not candidates:
        candidates, triples = left, left.triples()
        tried.measure(triples)
        best = descend(tried, min(map(tuple, triples), key=tried), candidates.axes())
    return best, candidates


def _with_ends(start, axes):
    """Return strengths, and the same with infinite ones of tasks, intercepts or both.

    A search from finite strengths seldom arrives there.
    """
    own, level = (
        (each, np.inf) if axis.free and np.isinf(axis.values[-1]) else (each,)
        for each, axis in zip(start[::2], axes[::2], strict=True)
    )
    return [(alpha, start[1], other) for alpha in own for other in level]


def _without_needless(fits, candidates, best):
    """Return the candidates without strengths that nothing speaks for.

    If few degrees of freedom are left, held-out errors are uncertain, and choosing
    several strengths overfits them. Strengths are then infinite unless the likelihood
    is evidence against it.
    """
    if not (candidates.may_be_simpler and fits.is_flexible(best)):
        return candidates
    moments = candidates.shape.turn(fits.moments)
    if candidates.shape.rotation is None:
        moments = reduce_moments(moments, fits.data)
    evidence = StrengthSearch(
        moments, None, candidates.fit_intercept, False, True, tol=1e-5
    )
    return candidates.restrict(np.isinf(evidence.search()[-1][:3]))


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
