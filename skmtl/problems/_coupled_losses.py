"""Losses of all rows and a quadratic that couples the tasks, for Newton steps."""

from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.linalg import norm

from skmtl._linalg import TINY
from skmtl.solvers import Curved, conjugate_gradients

from ._datafit import Datafit

# Newton steps by conjugate gradients stop at this residual relative to the gradient:
# each step then gains three digits.
_FORCING = 1e-3
_MAX_ITER = 2000


@dataclass(frozen=True)
class LinePoint:
    """Hold a variable, the raw predictions there, and the value.

    Parameters
    ----------
    variable : ndarray
        Where.
    raw : list of ndarray
        Raw predictions of each stack of rows.
    value : float
        The objective there.
    """

    variable: np.ndarray
    raw: list
    value: float


class CoupledLosses(Curved):
    """Add to the losses of all rows a quadratic that couples the tasks."""

    datafit: Datafit

    @abstractmethod
    def coefs(self, variable):
        """Return what the losses see: coefficients and intercepts of the tasks."""

    @abstractmethod
    def pull(self, variable):
        """Return the value of the coupling."""

    @abstractmethod
    def slopes(self, variable, gradient):
        """Return the gradient of the objective, from that of the losses, flat."""

    def gradient(self, point):
        """Return the gradient at a point, a row per task or node."""
        return self.slopes(point.variable, self.datafit.gradient(point.raw))

    def about_means(self):
        """Return the same objective with far features read about their means."""
        return replace(self, datafit=self.datafit.about_means())

    def move(self, variable, sign):
        """Return a variable for features about their shift (1), or about zero (-1)."""
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
        return float(left / max(zero, TINY))

    @abstractmethod
    def factor(self, point):
        """Return what divides by the curvature at a point; by NaN, if it overflows."""

    def step(self, point):
        """Return Newton's step at a point, in the shape of the variable."""
        step = -self.factor(point)(self.gradient(point))
        return step.reshape(self.shape)

    def at(self, variable):
        """Return the point at a variable."""
        return self._point(variable, self.datafit.predict(self.coefs(variable)))

    def _point(self, variable, raw):
        value = self.datafit.value(raw) + self.pull(variable)
        return LinePoint(variable, raw, value)

    def line(self, point, step):
        """Return a function that gives the point a share of the step away."""
        step = step.reshape(point.variable.shape)
        moves = self.datafit.predict(self.coefs(step))

        def moved(length):
            pairs = zip(point.raw, moves, strict=True)
            raw = [z + length * move for z, move in pairs]
            return self._point(point.variable + length * step, raw)

        return moved


class CoupledTasks(CoupledLosses):
    """Eliminate the tasks, given the Hessian of each; without these, iterate."""

    @abstractmethod
    def eliminate(self, curved):
        """Return what solves for Newton's step, given the Hessians of the losses."""

    @abstractmethod
    def precondition(self, total, first, second):
        """Return what about divides by the curvature, given diagonals of Hessians.

        It is given a gradient in the shape of the variable, outputs being scores of
        classes if these are several, and writes on it.
        """

    def factor(self, point, tol=_FORCING, max_iter=_MAX_ITER):
        """Return what divides by the curvature at a point; by NaN, if it overflows.

        If Hessians would be too large to be formed, it does so by conjugate gradients,
        to a residual of `tol` relative to the gradient.
        """
        if self.datafit.iterates:
            return self._iterate(point, tol, max_iter)
        curved = self.datafit.curve(point.raw)
        if not np.isfinite(curved).all():
            return lambda gradient: np.full_like(gradient, np.nan)
        return self.eliminate(curved).solve

    def _iterate(self, point, tol, max_iter):
        along = self.datafit.along(point.raw)
        divide = self.precondition(*self.datafit.diagonals(point.raw))
        basis = self.datafit.basis

        def about(right):
            right = right.reshape(self.shape)
            if basis is None:
                return flat(divide(right.copy()))
            return flat(basis.T @ divide(basis @ right))

        def multiply(step):
            step = step.reshape(self.shape)
            return self.slopes(step, along(self.coefs(step)))

        def solve(gradient):
            if not np.isfinite(gradient).all():
                return np.full_like(gradient, np.nan)
            return conjugate_gradients(multiply, gradient, about, tol, max_iter)[0]

        return solve


def flat(array):
    """Join the outputs and columns of each task."""
    return array.reshape(len(array), -1)
