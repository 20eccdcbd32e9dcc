"""Scores of the strengths of mean regularisation, any loss."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl.couplings import ToMean
from skmtl.problems.newton import Datafit, MeanLosses
from skmtl.solvers import Newton

from ._coordinate_search import N_SWEEPS, NEARBY, descend
from ._folds import Splits, refuse_empty_folds
from ._held_out import SolvedObjective
from ._laplace import LaplaceLikelihood
from ._loss_start import LossStart, may_start
from ._mean_grid import Candidates
from ._results import Tried

# Relative decrease of held-out errors that ends the search: they are uncertain.
_ENOUGH = 1e-3


@dataclass(frozen=True)
class LossGrid:
    """Losses of tasks, with strengths to choose from.

    Parameters
    ----------
    datafit : Datafit
        Losses of the rows.
    candidates : Candidates
        Strengths.
    solver : Newton
        Minimises the objective.
    units : tuple of float
        Mean curvatures of a task along a feature, and along its intercept.
    """

    datafit: Any
    candidates: Candidates
    solver: Newton
    units: tuple[float, float]

    def select(self, rows: Array) -> "LossGrid":
        """Return the same with some rows of X."""
        return replace(self, datafit=self.datafit.select(rows).smooth_missing())

    def objective(
        self, alpha: float, alpha_shared: float, alpha_intercept: float
    ) -> MeanLosses:
        """Return the objective at three strengths."""
        coupling = ToMean(alpha, alpha_shared, alpha_intercept)
        n_features = self.datafit.data.X.shape[1]
        return MeanLosses(
            self.datafit, coupling.strengths(self.datafit.n_tasks, n_features)
        )

    @property
    def start(self) -> LossStart | None:
        """Likely strengths with their solution; None if lists are tried instead."""
        if not may_start(self.datafit, self.candidates):
            return None
        return LossStart.of(self.datafit, self.units)

    def search_near(
        self, errors: Callable[..., Any], start: Any, enough: float = 0.0
    ) -> tuple[Array, Array]:
        """Minimise errors near given strengths.

        Parameters
        ----------
        errors : callable
            Function of three strengths; it returns an error, or one per fold.
        start : tuple of float
            Strengths near the best ones.
        enough : float, default=0.0
            Stop after a sweep over the strengths with a smaller relative decrease; 0
            for the precision of `descend`.

        Returns
        -------
        triples : ndarray of shape (n_tried, 3)
            Strengths.
        errors : ndarray of shape (n_tried,) or (n_tried, n_folds)
            Errors.
        """
        tried, axes = Tried(errors), self.candidates.axes()
        if not enough:
            descend(tried, start, axes, NEARBY)
            return tried.table()
        for _ in range(N_SWEEPS):
            before = tried(start)
            start = descend(tried, start, axes, NEARBY, 1)
            if before - tried(start) <= enough * abs(before):
                break
        return tried.table()

    def search(self, errors: Callable[..., Any]) -> tuple[Array, Array]:
        """Minimise errors over the listed strengths, then between them.

        Listed strengths are tried in the order large to small, then small to large, and
        so on, such that each is near the one before.

        Parameters
        ----------
        errors : callable
            Function of three strengths; it returns an error, or one per fold.

        Returns
        -------
        triples : ndarray of shape (n_tried, 3)
            Strengths, the listed ones first.
        errors : ndarray of shape (n_tried,) or (n_tried, n_folds)
            Errors.
        """
        tried, triples = Tried(errors), self.candidates.triples()
        _, shared, intercepts = self.candidates.lists
        n_lines = len(shared) * len(intercepts)
        lines = triples.reshape(-1, n_lines, 3).transpose(1, 0, 2)
        for k, line in enumerate(lines[::-1]):
            tried.measure(line if k % 2 else line[::-1])
        descend(tried, tried.best, self.candidates.axes(), NEARBY)
        return tried.table(triples)


class WarmStarts:
    """Minimise losses at one triple of strengths after the other, from the last.

    Parameters
    ----------
    grid : LossGrid
        Losses.
    start : ndarray, default=None
        The first variable; None for that of the objective.
    """

    def __init__(self, grid: LossGrid, start: Any = None) -> None:
        self._grid = grid
        self._last = start

    def at(self, *strengths: float) -> tuple[MeanLosses, Array]:
        """Return the objective and its solution."""
        objective = self._grid.objective(*strengths)
        start = objective.start() if self._last is None else self._last
        self._last = self._grid.solver.minimize(objective, start).variable
        return objective, self._last


def mean_curvatures(datafit: Datafit) -> tuple[float, float]:
    """Return the mean curvatures of a task's loss, along a feature and its intercept.

    They are taken at the mean of every task, of features about their means.

    Parameters
    ----------
    datafit : Datafit
        Losses of the rows.

    Returns
    -------
    features, intercept : float
        The curvatures, 1 in place of 0.
    """
    raw = datafit.predict(datafit.start())
    n_outputs, n_columns = datafit.shape[1:]
    hessians = datafit.curve(raw)[datafit.task_totals > 0]
    hessians = hessians.reshape(-1, n_outputs, n_columns, n_outputs, n_columns)
    blocks = np.einsum("tkikj->tkij", hessians)
    features = np.einsum("tkjj->tkj", blocks)
    intercept = np.ones(1)
    if datafit.fit_intercept:
        intercept = features[..., -1:]
        divisor = np.where(intercept > 0, intercept, 1.0)
        of_means = blocks[..., -1, :-1] ** 2 / divisor
        features = np.maximum(features[..., :-1] - of_means, 0.0)
    return _mean(features), _mean(intercept)


def _mean(curvatures):
    mean = curvatures.mean() if curvatures.size else 0.0
    return float(mean) if mean > 0 else 1.0


def held_out_scores(
    grid: LossGrid, splits: Splits, measure: Callable[..., Any]
) -> tuple[Array, Array]:
    """Score candidates on held-out rows.

    Parameters
    ----------
    grid : LossGrid
        Losses of all rows, and strengths.
    splits : list of (ndarray, ndarray)
        Training and test rows of X.
    measure : callable
        Called with test rows, it returns a function that scores a solution.

    Returns
    -------
    triples : ndarray of shape (n_tried, 3)
        Strengths, the listed ones first.
    scores : ndarray of shape (n_splits, n_tried)
        Scores.
    """
    parts = (grid.datafit.select(rows) for pair in splits for rows in pair)
    refuse_empty_folds((part.task_totals.any() for part in parts), len(splits))
    start = grid.start
    solution = None if start is None else start.solution
    folds = [
        (WarmStarts(grid.select(train), solution), measure(test))
        for train, test in splits
    ]

    def errors(*strengths):
        return [-score(SolvedObjective(*fold.at(*strengths))) for fold, score in folds]

    if start is None:
        triples, by_fold = grid.search(errors)
    else:
        near = start.held_out(grid.candidates, splits, measure)
        triples, by_fold = grid.search_near(errors, near, _ENOUGH)
    return triples, -by_fold.T


def likelihoods(grid: LossGrid) -> tuple[Array, Array]:
    """Compute the approximate likelihoods of candidates.

    Parameters
    ----------
    grid : LossGrid
        Losses of all rows, and strengths.

    Returns
    -------
    triples : ndarray of shape (n_tried, 3)
        Strengths, the listed ones first.
    log_likelihoods : ndarray of shape (n_tried,)
        Logarithms of the likelihoods.
    """
    start = grid.start
    solutions = WarmStarts(grid, None if start is None else start.solution)

    def errors(*strengths):
        return -LaplaceLikelihood(*solutions.at(*strengths)).value

    if start is None:
        triples, found = grid.search(errors)
    else:
        triples, found = grid.search_near(errors, start.strengths)
    return triples, -found
