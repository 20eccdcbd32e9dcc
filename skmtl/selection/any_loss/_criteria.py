"""Held-out scores of the strengths of mean regularisation, any loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from skmtl.problems.newton import add_at

from ..likelihood import Shape
from ..search import NEARBY, Splits, descend, polish, refuse_empty_folds
from ..squared_loss import Contender, Scores, Tried, simplest
from ._grid import LossGrid, WarmStarts
from ._working_rows import WorkingRows

# Relative decrease of held-out errors that ends the search: they are uncertain.
_ENOUGH = 1e-3
# Sweeps over the strengths of a shape, which start from likely ones.
_N_SWEEPS = 1

# A shape for all rows, and the shape that each fold's training rows suggest.
ShapeOfFolds = tuple[Shape, Sequence[Shape]]


class LossCriterion(ABC):
    """An error of the strengths of losses."""

    grid: LossGrid

    @abstractmethod
    def search(self, is_final: bool = True) -> Scores:
        """Return the errors of strengths.

        Parameters
        ----------
        is_final : bool, default=True
            Whether these strengths may be chosen; else a start for others is enough.
        """

    @abstractmethod
    def errors_with(self, shapes: ShapeOfFolds) -> Callable[..., Any]:
        """Return errors as a function of strengths, with relative ones of features.

        Parameters
        ----------
        shapes : pair of Shape and list of Shape
            Of all rows, and of each fold's training rows.

        Returns
        -------
        callable
            Function of three strengths. It returns an error, or one per fold.
        """

    def search_shapes(
        self, options: Sequence[ShapeOfFolds], alpha_shared: float, limit: float
    ) -> tuple[Scores, ShapeOfFolds] | None:
        """Search the strengths of the shape that is best at its likely strengths.

        Parameters
        ----------
        options : list of pairs of Shape and list of Shape
            Shapes of one structure.
        alpha_shared : float
            Strength of the centre.
        limit : float
            Largest error at the likely strengths.

        Returns
        -------
        tuple or None
            The Scores and the shape; None if the error is above the limit.
        """
        best: Any = None
        for shapes in options:
            alpha, level = shapes[0].start
            start, tried = (alpha, alpha_shared, level), Tried(self.errors_with(shapes))
            if best is None or tried(start) < best[0](best[1]):
                best = tried, start, shapes
        tried, start, shapes = best
        if tried(start) > limit:
            return None
        return self._descend(tried, start, shapes[0]), shapes

    @abstractmethod
    def working_of_folds(self, triple: Any) -> list[WorkingRows]:
        """Return working rows of each fold's training rows at three strengths."""

    def working(self, triple: Any) -> WorkingRows:
        """Return working rows of all rows at three strengths."""
        return _working(self._of_all.at(*triple))

    def near(self, best: Any) -> Any:
        """Return strengths near which shapes are searched; None for equal tasks.

        Parameters
        ----------
        best : tuple of float
            The best strengths of a shape with one strength.
        """
        return best if 0 < best[0] < np.inf else None

    def may_win(self, gain: float, price: float) -> bool:
        """Return whether a structure may be chosen.

        Parameters
        ----------
        gain : float
            About twice the gain of the log likelihood over one strength.
        price : float
            Schwarz's price of its parameters.
        """
        return True

    @cached_property
    def _of_all(self):
        """Solutions for all rows."""
        start = self.start
        return WarmStarts(self.grid, None if start is None else start.solution)

    @cached_property
    def start(self) -> Any:
        """Likely strengths with their solution; None if lists are tried instead."""
        return self.grid.start

    @abstractmethod
    def contend(
        self, scores: Scores, shapes: ShapeOfFolds | None = None, price: float = 0.0
    ) -> Contender:
        """Return what structures are chosen by.

        Parameters
        ----------
        scores : Scores
            Errors of one shape.
        shapes : pair of Shape and list of Shape, default=None
            The shape of all rows and those of the folds; None for one strength.
        price : float
            Schwarz's price of the parameters beyond one strength.

        Returns
        -------
        Contender
            The shape.
        """

    @abstractmethod
    def pick(self, contenders: Sequence[Contender]) -> Contender:
        """Return the chosen shape."""

    def _descend(self, tried, start, shape):
        """Return errors near the likely strengths of a shape, the centre's fixed."""
        grid = self.grid.shaped(shape)
        free, given = grid.candidates.free, np.array(start[1:2])
        if not all(free):
            return table_of_errors(grid.search(tried), grid)
        fixed = replace(
            grid.candidates, alphas_shared=given, free=(free[0], False, free[2])
        )
        descend(tried, start, fixed.axes(), NEARBY, _N_SWEEPS)
        return table_of_errors(tried, grid)


@dataclass(frozen=True)
class HeldOutLosses(LossCriterion):
    """Negative scores of held-out rows.

    Parameters
    ----------
    grid : LossGrid
        Losses of all rows, and strengths.
    splits : list of (ndarray, ndarray)
        Training and test rows of X.
    measure : callable
        Called with test rows, it returns a function that scores a solution.
    losses : Datafit
        Losses of all rows by which structures are compared.
    """

    grid: LossGrid
    splits: Splits
    measure: Callable[..., Any]
    losses: Any

    @cached_property
    def _scores(self):
        """Functions that score a solution on the test rows of each fold."""
        return [self.measure(test) for _, test in self.splits]

    @cached_property
    def _folds(self):
        """Solutions for the training rows of each fold."""
        datafit, n_splits = self.grid.datafit, len(self.splits)
        parts = (datafit.select(rows) for pair in self.splits for rows in pair)
        refuse_empty_folds((part.task_totals.any() for part in parts), n_splits)
        start = None if self.start is None else self.start.solution
        return [WarmStarts(self.grid.select(train), start) for train, _ in self.splits]

    def _errors(self, *strengths: float) -> list[Any]:
        return [
            -score(fold.at(*strengths))
            for fold, score in zip(self._folds, self._scores, strict=True)
        ]

    def search(self, is_final: bool = True) -> Scores:
        grid, start = self.grid, self.start
        if start is None:
            return table_of_errors(
                grid.search(Tried(self._errors)), grid, grid.candidates.triples()
            )
        near, similar = start.held_out(grid.candidates, self.splits, self.measure)
        if similar is None:
            return table_of_errors(grid.search_near(self._errors, near, _ENOUGH), grid)
        tried = Tried(self._errors)
        tried(polish(tried, similar, near, grid.candidates.axes()))
        return table_of_errors(tried, grid)

    def working_of_folds(self, triple: Any) -> list[WorkingRows]:
        return [_working(fold.at(*triple)) for fold in self._folds]

    def errors_with(self, shapes: ShapeOfFolds) -> Callable[..., Any]:
        folds = self._shaped_folds(*shapes)

        def errors(*strengths):
            return [
                -score(fold.at(*own(strengths)))
                for (fold, own), score in zip(folds, self._scores, strict=True)
            ]

        return errors

    def _shaped_folds(self, whole, parts):
        """Return solutions of each fold, and their strengths by those of all rows."""
        return [
            (
                WarmStarts(fold.grid.shaped(part), fold.last),
                _transfer(whole.start, part.start),
            )
            for fold, part in zip(self._folds, parts, strict=True)
        ]

    def contend(
        self, scores: Scores, shapes: ShapeOfFolds | None = None, price: float = 0.0
    ) -> Contender:
        return Contender(scores, self._of_tasks(scores.best, shapes))

    def pick(self, contenders: Sequence[Contender]) -> Contender:
        return simplest(contenders, self.losses.task_totals)

    def _of_tasks(self, triple, shapes):
        """Return the sum of the losses of each task's held-out rows."""
        folds = [(fold, tuple) for fold in self._folds]
        if shapes is not None:
            folds = self._shaped_folds(*shapes)
        total = np.zeros(self.losses.n_tasks)
        for (fold, own), (_, test) in zip(folds, self.splits, strict=True):
            held_out = self.losses.select(test)
            raw = held_out.predict(fold.at(*own(triple)).coefs)
            for stack, z in zip(held_out.stacks(), raw, strict=True):
                cost = stack.weight * held_out.loss.value(stack.y, z)
                add_at(total, stack.tasks, cost.sum(axis=1))
        return total


def table_of_errors(tried: Tried, grid: LossGrid, first: Any = ()) -> Scores:
    """Return all errors, those of listed strengths first."""
    triples, errors = tried.table(first)
    return Scores(triples, errors.T, grid.candidates.shape)


def _working(solved):
    """Return working rows at a solution."""
    centre = solved.variable[-1]
    return WorkingRows.at(solved.objective.datafit, solved.coefs, centre)


def _transfer(start, other):
    """Return the function from strengths of a shape to those of another shape."""
    factors = [
        there / here if here > 0 else 1.0
        for here, there in zip(start, other, strict=True)
    ]

    def transfer(triple):
        alpha, shared, level = triple
        return alpha * factors[0], shared, level * factors[1]

    return transfer
