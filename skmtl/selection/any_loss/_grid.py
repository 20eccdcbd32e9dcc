"""Scores of the strengths of mean regularisation, any loss."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl.problems.newton import Datafit, MeanLosses
from skmtl.solvers import Newton

from ..likelihood import Shape
from ..search import N_SWEEPS, NEARBY, SolvedObjective, descend
from ..squared_loss import Candidates, Tried
from ._start import LossStart, may_start


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

    def shaped(self, shape: Shape) -> "LossGrid":
        """Return the same with relative strengths of the features."""
        candidates = replace(self.candidates, shape=shape)
        if shape.rotation is not None:
            candidates = candidates.without_infinite()
        return replace(self, candidates=candidates)

    @cached_property
    def turned(self) -> Datafit:
        """Losses in the coordinates of the shape."""
        rotation, datafit = self.candidates.shape.rotation, self.datafit
        return datafit if rotation is None else datafit.turned(rotation)

    def objective(
        self, alpha: float, alpha_shared: float, alpha_intercept: float
    ) -> MeanLosses:
        """Return the objective at three strengths, in the coordinates of the shape."""
        n_features, triple = self.datafit.n_features, (alpha_shared, alpha_intercept)
        strengths = self.candidates.shape.strengths(n_features, alpha, *triple)
        return MeanLosses(self.turned, strengths)

    @property
    def start(self) -> LossStart | None:
        """Likely strengths with their solution; None if lists are tried instead."""
        if not may_start(self.datafit, self.candidates):
            return None
        return LossStart.of(self.datafit, self.units, self.candidates)

    def search_near(self, errors: Callable[..., Any], start: Any, enough: float) -> Any:
        """Minimise errors near given strengths.

        Parameters
        ----------
        errors : callable
            Function of three strengths; it returns an error, or one per fold.
        start : tuple of float
            Strengths near the best ones.
        enough : float
            Stop after a sweep over the strengths with a smaller relative decrease.

        Returns
        -------
        Tried
            The errors.
        """
        tried, axes = Tried(errors), self.candidates.axes()
        for _ in range(N_SWEEPS):
            before = tried(start)
            start = descend(tried, start, axes, NEARBY, 1)
            if before - tried(start) <= enough * abs(before):
                break
        return tried

    def search(self, tried: Tried, refines: bool = True) -> Tried:
        """Minimise errors over the listed strengths, then between them.

        Listed strengths are tried in the order large to small, then small to large, and
        so on, such that each is near the one before.

        Parameters
        ----------
        tried : Tried
            The errors.
        refines : bool, default=True
            Whether to search between the listed strengths.

        Returns
        -------
        Tried
            The same, with further errors.
        """
        triples = self.candidates.triples()
        _, shared, intercepts = self.candidates.lists
        n_lines = len(shared) * len(intercepts)
        lines = triples.reshape(-1, n_lines, 3).transpose(1, 0, 2)
        for k, line in enumerate(lines[::-1]):
            tried.measure(line if k % 2 else line[::-1])
        if refines:
            descend(tried, tried.best, self.candidates.axes(), NEARBY)
        return tried


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
        self.grid = grid
        self.last = start
        rotation = grid.candidates.shape.rotation
        if start is not None and rotation is not None:
            self.last = rotation.enter(start, grid.datafit.fit_intercept)

    def at(self, *strengths: float) -> SolvedObjective:
        """Return the solution at three strengths."""
        objective = self.grid.objective(*strengths)
        start = objective.start() if self.last is None else self.last
        self.last = self.grid.solver.minimize(objective, start).variable
        rotation = self.grid.candidates.shape.rotation
        return SolvedObjective(objective, self.last, rotation)


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
