"""Losses plus a quadratic coupling of the tasks, for Newton's method."""

from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.linalg import norm

from skmtl._numbers import TINY_SQUARE
from skmtl.solvers import NewtonObjective, conjugate_gradients

from ._datafit import Datafit

# Relative residual at which inexact Newton steps stop: each step gains three digits.
_FORCING = 1e-3
_MAX_ITER = 2000


@dataclass(frozen=True)
class LinePoint:
    """A variable, its raw predictions, and the objective's value.

    Parameters
    ----------
    variable : ndarray
        The variable.
    raw : list of ndarray
        Raw predictions of each stack of rows.
    value : float
        The objective's value.
    """

    variable: np.ndarray
    raw: list
    value: float


class CoupledLosses(NewtonObjective):
    """Losses of all rows plus a quadratic coupling of the tasks."""

    datafit: Datafit

    @abstractmethod
    def coefs(self, variable):
        """Return the coefficients and intercepts of the tasks for the losses."""

    @abstractmethod
    def coupling_value(self, variable):
        """Return the value of the coupling."""

    @abstractmethod
    def slopes(self, variable, gradient):
        """Return the flat gradient of the objective, given that of the losses."""

    def gradient(self, point):
        """Return the gradient at a point, one row per task or node."""
        return self.slopes(point.variable, self.datafit.gradient(point.raw))

    def about_means(self):
        """Return the same objective with features far from zero centred."""
        return replace(self, datafit=self.datafit.about_means())

    def move(self, variable, sign):
        """Convert a variable to shifted (1) or to original (-1) features."""
        datafit = self.datafit
        if datafit.shift is None:
            return variable
        tasks, moved = self.coefs(variable), variable.copy()
        gap = datafit.move(tasks, sign)[..., -1] - tasks[..., -1]
        moved[: datafit.n_tasks, :, -1] += gap
        return moved

    @cached_property
    def unit(self):
        """Value at zero."""
        return self.datafit.value(self.datafit.predict_zero())

    def residual(self, variable):
        """Return the gradient at a variable, relative to that of the losses at zero."""
        raw = self.datafit.predict(self.coefs(variable))
        left = norm(self.slopes(variable, self.datafit.gradient(raw)).ravel())
        zero = norm(self.datafit.gradient(self.datafit.predict_zero()).ravel())
        return float(left / max(zero, TINY_SQUARE))

    @abstractmethod
    def factor(self, point):
        """Return a solver with the Hessian at a point; it returns NaN on overflow."""

    def step(self, point):
        """Return the Newton step at a point, in the shape of the variable."""
        step = -self.factor(point)(self.gradient(point))
        return step.reshape(self.shape)

    def at(self, variable):
        """Return the point at a variable."""
        return self._point(variable, self.datafit.predict(self.coefs(variable)))

    def _point(self, variable, raw):
        value = self.datafit.value(raw) + self.coupling_value(variable)
        return LinePoint(variable, raw, value)

    def line(self, point, step):
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
        """Return a preconditioner, given the diagonals of the Hessians.

        It maps a gradient to a step, in place. With several classes the outputs of the
        gradient are the scores of the classes.
        """

    def free_part(self, step):
        """Return a step without coefficients that are fixed."""
        return step

    def iterate(self, point, tol=_FORCING, max_iter=_MAX_ITER):
        """Return a solver with the Hessian at a point that forms no matrix."""
        along = self.datafit.along(point.raw)
        divide = self.precondition(*self.datafit.diagonals(point.raw))
        basis = self.datafit.basis

        def about(right):
            right = right.reshape(self.shape)
            if basis is None:
                return flat(self.free_part(divide(right.copy())))
            return flat(self.free_part(basis.T @ divide(basis @ right)))

        def multiply(step):
            step = step.reshape(self.shape)
            return self.slopes(step, along(self.coefs(step)))

        def solve(gradient):
            if not np.isfinite(gradient).all():
                return np.full_like(gradient, np.nan)
            return conjugate_gradients(multiply, gradient, about, tol, max_iter)[0]

        return solve


class CoupledTasks(CoupledLosses):
    """Solve by elimination if Hessians of the tasks are formed, else iteratively."""

    @abstractmethod
    def unpack(self, variable):
        """Return the linear models of the tasks, and the one that they share."""

    def unpack_nodes(self, variable):
        """Return the linear models of all nodes, which are the tasks."""
        return self.unpack(variable)

    def unpack_squares(self, variable):
        """Return the same for squared losses, as an exact solution has it."""
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

    def factor(self, point, tol=_FORCING, max_iter=_MAX_ITER):
        """Return a solver with the Hessian at a point; it returns NaN on overflow.

        If Hessians are too large to form, it uses conjugate gradients, to a residual of
        `tol` relative to the gradient.
        """
        if self.datafit.iterates:
            return self.iterate(point, tol, max_iter)
        hessians = self.datafit.curve(point.raw)
        if not np.isfinite(hessians).all():
            return lambda gradient: np.full_like(gradient, np.nan)
        return self.eliminate_in_place(hessians).solve


def flat(array):
    """Join the outputs and columns of each task."""
    return array.reshape(len(array), -1)
