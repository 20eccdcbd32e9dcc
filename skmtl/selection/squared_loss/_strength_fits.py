"""Fits at many strengths of one shape, and their errors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from skmtl._contracts import Array

from ..likelihood import FLEXIBLE, MANY_COLUMNS, Drawing, Drawn, Shape, is_flexible
from ..search import is_costly
from ._candidates import FEW_LEFT, Candidates, FactoredMoments
from ._left_out import LeftOutErrors


@dataclass(frozen=True)
class Part:
    """Some tasks, with strengths that other tasks suggest for them.

    Parameters
    ----------
    tasks : ndarray of int
        Positions of the tasks.
    shape : Shape
        Relative strengths of the features.
    triple : tuple of float
        Strengths.
    """

    tasks: Array
    shape: Shape
    triple: tuple[float, ...]


class Fits(ABC):
    """Fits to the same rows at any strengths."""

    data: Any
    moments: Any
    can_sample: bool

    @abstractmethod
    def left_out(self, *triple: float) -> float:
        """Return the mean squared leave-one-out error at three strengths."""

    @abstractmethod
    def generalised(self, *triple: float) -> float:
        """Return generalised cross-validation at three strengths."""

    @abstractmethod
    def is_flexible(self, triple: Any) -> bool:
        """Return whether a fit leaves too few degrees of freedom."""

    @abstractmethod
    def models(self, triple: Any, parts: Sequence[Part] = ()) -> tuple[Array, Array]:
        """Return coefficients and intercepts, those of some parts replaced."""

    @abstractmethod
    def squares(self, triple: Any, parts: Sequence[Part], left_out: bool) -> Array:
        """Return sums of squared errors of each task.

        Parameters
        ----------
        triple : tuple of float
            Strengths at which the centre is fitted.
        parts : list of Part
            Tasks with other strengths.
        left_out : bool
            Whether rows are left out.

        Returns
        -------
        ndarray of shape (n_tasks,)
            The sums.
        """

    @abstractmethod
    def sample(self, n_tasks: int) -> Fits:
        """Return fits to at most so many tasks."""


@dataclass(frozen=True)
class DrawnFits(Fits):
    """Fits by products of the rows of tasks.

    Parameters
    ----------
    drawing : Drawing
        The rows, in the coordinates of the features.
    shape : Shape
        Relative strengths of the features.
    """

    drawing: Drawing
    shape: Shape
    can_sample = True

    @property
    def data(self) -> Any:
        """The rows, or None."""
        return self.drawing.data

    @property
    def moments(self) -> Any:
        """Moments of the rows."""
        return self.drawing.moments

    @cached_property
    def _turned(self):
        return self.drawing.turned(self.shape.columns(self.drawing.has_intercept))

    @cached_property
    def _weight(self):
        return self.moments.weight.sum()

    def at(self, triple: Any) -> Drawn:
        """Return the solution at three strengths."""
        return self.shape.draw(self._turned, triple)

    def left_out(self, *triple: float) -> float:
        return float(self.at(triple).squares().sum() / self._weight)

    def generalised(self, *triple: float) -> float:
        drawn, n = self.at(triple), self._weight
        n_left = n - drawn.freedom
        if n_left <= FEW_LEFT * n:
            return np.inf
        return float(n * drawn.squared_errors.sum() / n_left**2)

    def is_flexible(self, triple: Any) -> bool:
        return self.at(triple).freedom > FLEXIBLE * self._weight

    def _parts(self, triple, parts):
        """Yield tasks and their solutions around the centre of all tasks."""
        whole = self.at(triple)
        if not parts:
            yield slice(None), whole
        # The centre of many tasks hardly depends on the shapes of a part of them.
        is_exact = not is_costly(self.moments)
        for part in parts:
            if is_exact:
                whole = replace(self, shape=part.shape).at(part.triple)
            drawing = self.drawing.part(part.tasks)
            drawing = drawing.turned(part.shape.columns(drawing.has_intercept))
            drawn = part.shape.draw(drawing, part.triple)
            yield part.tasks, replace(drawn, given=whole.as_given)

    def models(self, triple: Any, parts: Sequence[Part] = ()) -> tuple[Array, Array]:
        d, n_tasks = self.moments.n_features, self.moments.n_tasks
        theta = np.empty((n_tasks, self.drawing.n_columns))
        for tasks, drawn in self._parts(triple, parts):
            theta[tasks] = drawn.theta
        if not self.drawing.has_intercept:
            return theta, np.zeros(n_tasks)
        return theta[:, :d], theta[:, d] + self.drawing.y_mean

    def squares(self, triple: Any, parts: Sequence[Part], left_out: bool) -> Array:
        found = np.empty(self.moments.n_tasks)
        for tasks, drawn in self._parts(triple, parts):
            found[tasks] = drawn.squares() if left_out else drawn.squared_errors
        return found

    def sample(self, n_tasks: int) -> DrawnFits:
        drawing = self.drawing.sample(n_tasks)
        return self if drawing is self.drawing else replace(self, drawing=drawing)


@dataclass(frozen=True)
class FactoredFits(Fits):
    """Fits by eigenvectors of the tasks' moments.

    Parameters
    ----------
    data : TaskData or None
        The rows, for leave-one-out errors.
    moments : TaskMoments
        Their moments, about zero without intercept.
    candidates : Candidates
        Its shape is used.
    """

    data: Any
    moments: Any
    candidates: Candidates
    can_sample = False

    @cached_property
    def _factored(self) -> FactoredMoments:
        return self.candidates.factor(self.moments)

    @cached_property
    def _left_out(self) -> LeftOutErrors:
        return LeftOutErrors(self.data, self._factored)

    @cached_property
    def _generalised(self):
        return self._factored.generalised()

    def left_out(self, *triple: float) -> float:
        return self._left_out.at(self._factored.fit(*triple))

    def generalised(self, *triple: float) -> float:
        return self._generalised(*triple)

    def is_flexible(self, triple: Any) -> bool:
        return is_flexible(self._factored.fit(*triple))

    def of_shape(self, shape: Shape) -> FactoredFits:
        """Return fits of another shape."""
        return replace(self, candidates=replace(self.candidates, shape=shape))

    def models(self, triple: Any, parts: Sequence[Part] = ()) -> tuple[Array, Array]:
        models = self._factored.fit(*triple).unpack()
        coef, intercept = models.coef.copy(), models.intercept.copy()
        for part in parts:
            other = self.of_shape(part.shape)._factored.fit(*part.triple).unpack()
            coef[part.tasks] = other.coef[part.tasks]
            intercept[part.tasks] = other.intercept[part.tasks]
        return coef, intercept

    def squares(self, triple: Any, parts: Sequence[Part], left_out: bool) -> Array:
        found = self._squares(triple, left_out)
        for part in parts:
            other = self.of_shape(part.shape)._squares(part.triple, left_out)
            found[part.tasks] = other[part.tasks]
        return found

    def _squares(self, triple, left_out):
        fit = self._factored.fit(*triple)
        return self._left_out.of_tasks(fit) if left_out else fit.squared_errors.copy()

    def sample(self, n_tasks: int) -> FactoredFits:
        return self


@dataclass(frozen=True)
class Sources:
    """Rows and their moments, in the forms that fits need.

    Parameters
    ----------
    data : TaskData or None
        The rows.
    moments : TaskMoments
        Their moments.
    """

    data: Any
    moments: Any

    @cached_property
    def drawing(self) -> Callable[[bool], Drawing | None]:
        """Function from whether there is an intercept to the rows, which are kept.

        It returns None where products of rows are not at hand, or would lose digits.
        """
        return lru_cache(None)(self._draw)

    def _draw(self, has_intercept):
        moments = self.moments if has_intercept else self.moments.about_zero()
        shares = self.data is not None and self.data.shares_rows
        if shares or moments.xx is None or len(moments.xx) < moments.n_tasks:
            return None
        if not (moments.weight > 0).all():  # tasks without rows have no own models
            return None
        drawing = Drawing(self.data, moments, has_intercept)
        return drawing if drawing.is_accurate else None

    def fits(self, candidates: Candidates) -> Fits:
        """Return fits at strengths of one shape.

        They are by products of the rows, if possible.
        """
        has_intercept = candidates.fit_intercept
        is_free = has_intercept and not candidates.alphas_intercept.all()
        drawing = None if is_free else self.drawing(has_intercept)
        if drawing is not None:
            return DrawnFits(drawing, candidates.shape)
        moments = self.moments if has_intercept else self.moments.about_zero()
        return FactoredFits(self.data, moments, candidates)


def may_be_narrow(data: Any) -> bool:
    """Return whether rows of tasks may be faster than their products."""
    return not data.shares_rows and data.X.shape[1] + 1 >= MANY_COLUMNS
