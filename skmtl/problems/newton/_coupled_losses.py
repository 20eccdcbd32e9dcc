"""Losses plus a quadratic coupling of the tasks, as objectives of Newton's method."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy.linalg import norm

from skmtl._contracts import Array
from skmtl._numbers import TINY_SQUARE
from skmtl.solvers import NewtonObjective, conjugate_gradients

from ._datafit import Datafit

# Relative residual of inexact Newton steps: each step gains three digits.
_FORCING = 1e-3
_MAX_ITER = 2000


@dataclass(frozen=True)
class LinePoint:
    """Variable, raw predictions and value of the objective at a point.

    Parameters
    ----------
    variable : ndarray
        The variable.
    raw : list of ndarray
        Raw predictions of each stack of rows.
    value : float
        Value of the objective.
    """

    variable: np.ndarray
    raw: list
    value: float


class CoupledLosses(NewtonObjective):
    """Losses of all rows plus a quadratic coupling, ``sum losses(W) + coupling(V)``.

    The coefficients ``W`` of the tasks are a linear function of the variable ``V``, see
    `coefs`. Newton's step solves ``(H + D) step = -gradient`` with the Hessians ``H``
    of the losses and ``D`` of the coupling, see `factor`.
    """

    datafit: Datafit

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of the variable."""

    @abstractmethod
    def coefs(self, variable: Array) -> Array:
        """Return coefficients and intercepts, (n_tasks, n_outputs, n_columns)."""

    @abstractmethod
    def coupling_value(self, variable: Array) -> float:
        """Return the value of the coupling."""

    @abstractmethod
    def slopes(self, variable: Array, gradient: Array) -> Array:
        """Return the gradient of the objective, a row per task or node.

        It is linear in both. Given a step and its product with the Hessian of the
        losses, it returns the product with the Hessian of the objective.

        Parameters
        ----------
        variable : ndarray
            The variable.
        gradient : ndarray of shape (n_tasks, n_outputs, n_columns)
            Gradient of the losses.
        """

    def gradient(self, point: LinePoint) -> Array:
        """Return the gradient at a point, one row per task or node."""
        return self.slopes(point.variable, self.datafit.gradient(point.raw))

    def about_means(self) -> Self:
        """Return the same objective with features far from zero centred."""
        found: Any = self
        return replace(found, datafit=self.datafit.about_means())

    def move(self, variable: Array, sign: int) -> Array:
        """Convert a variable to centred (1) or to original (-1) features."""
        datafit = self.datafit
        if datafit.shift is None:
            return variable
        tasks, moved = self.coefs(variable), variable.copy()
        gap = datafit.move(tasks, sign)[..., -1] - tasks[..., -1]
        moved[: datafit.n_tasks, :, -1] += gap
        return moved

    @cached_property
    def unit(self) -> float:
        """Value at zero."""
        return self.datafit.value(self.datafit.predict_zero())

    def residual(self, variable: Array) -> float:
        """Return the gradient at a variable, relative to that of the losses at zero."""
        raw = self.datafit.predict(self.coefs(variable))
        size = norm(self.slopes(variable, self.datafit.gradient(raw)).ravel())
        zero = norm(self.datafit.gradient(self.datafit.predict_zero()).ravel())
        return float(size / max(zero, TINY_SQUARE))

    @abstractmethod
    def factor(self, point: LinePoint) -> Callable[[Array], Array]:
        """Return a solver with the Hessian at a point; it returns NaN on overflow."""

    def step(self, point: LinePoint) -> Array:
        """Return the Newton step at a point, in the shape of the variable."""
        step = -self.factor(point)(self.gradient(point))
        return step.reshape(self.shape)

    def at(self, variable: Array) -> LinePoint:
        """Return the point at a variable."""
        return self._point(variable, self.datafit.predict(self.coefs(variable)))

    def _point(self, variable, raw):
        value = self.datafit.value(raw) + self.coupling_value(variable)
        return LinePoint(variable, raw, value)

    def line(self, point: LinePoint, step: Array) -> Callable[[float], LinePoint]:
        """Return a function that maps a step length to the point there."""
        step = step.reshape(point.variable.shape)
        moves = self.datafit.predict(self.coefs(step))

        def moved(length):
            pairs = zip(point.raw, moves, strict=True)
            raw = [z + length * move for z, move in pairs]
            return self._point(point.variable + length * step, raw)

        return moved

    @abstractmethod
    def precondition(self, total, first, second):
        """Return a preconditioner, given the result of `Datafit.diagonals`.

        It maps a gradient to a step. With several classes the outputs of both are the
        scores of the classes.
        """

    def free_part(self, step: Array) -> Array:
        """Return a step with zeros for fixed coefficients."""
        return step

    def iterate(
        self, point: LinePoint, tol: float = _FORCING, max_iter: int = _MAX_ITER
    ) -> Callable[[Array], Array]:
        """Return a solver by conjugate gradients, which forms no Hessian."""
        hessian_product = self.datafit.along(point.raw)
        divide = self.precondition(*self.datafit.diagonals(point.raw))
        basis = self.datafit.basis

        def precondition(gradient):
            gradient = gradient.reshape(self.shape)
            if basis is None:
                return flat(self.free_part(divide(gradient)))
            return flat(self.free_part(basis.T @ divide(basis @ gradient)))

        def multiply(step):
            step = step.reshape(self.shape)
            return self.slopes(step, hessian_product(self.coefs(step)))

        def solve(gradient):
            if not np.isfinite(gradient).all():
                return np.full_like(gradient, np.nan)
            return conjugate_gradients(multiply, gradient, precondition, tol, max_iter)[
                0
            ]

        return solve


class CoupledTasks(CoupledLosses):
    """Objective of tasks: Newton steps by elimination, or by conjugate gradients."""

    @abstractmethod
    def start(self) -> Array:
        """Return the initial variable, which predicts the mean of each task."""

    @abstractmethod
    def unpack(self, variable):
        """Return the linear models of the tasks, and the one that they share."""

    def unpack_nodes(self, variable):
        """Return the linear models of all nodes, which are the tasks."""
        return self.unpack(variable)

    def unpack_squares(self, variable):
        """Return the same for squared losses, in the form of an exact solution."""
        return self.unpack(variable)

    @abstractmethod
    def eliminate_in_place(self, hessians):
        """Factor the Hessian of the objective.

        Parameters
        ----------
        hessians : ndarray of shape (n_tasks, size, size)
            Hessians of the losses, which this overwrites.

        Returns
        -------
        object
            Solver of Newton steps, ``solve(gradient)``.
        """

    def hessians(self, point):
        """Return the Hessian of each task's losses, which may be overwritten."""
        return self.datafit.curve(point.raw)

    def factor(self, point, tol=_FORCING, max_iter=_MAX_ITER):
        """Return a solver with the Hessian at a point; it returns NaN on overflow.

        If Hessians are too large to form, it uses conjugate gradients, to a residual of
        `tol` relative to the gradient.
        """
        if self.datafit.iterates:
            return self.iterate(point, tol, max_iter)
        hessians = self.hessians(point)
        if not np.isfinite(hessians).all():
            return lambda gradient: np.full_like(gradient, np.nan)
        return self.eliminate_in_place(hessians).solve


def flat(array):
    """Join the outputs and columns of each task."""
    return array.reshape(len(array), -1)
