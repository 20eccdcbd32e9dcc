"""The centre and the intercepts that minimise losses at fixed deviations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._contracts import Array, Centre
from skmtl._linalg import EPS, Semidefinite
from skmtl._linalg import join_first_axes as flat
from skmtl._memory import refuse_large
from skmtl.problems.newton import Datafit

from ._intercepts import FlatRows

# Stop after a Newton step with a smaller predicted decrease, relative to the value:
# convergence is quadratic, so that the next one would be lost in rounding.
_SMALL = 1e-13
_MAX_STEPS, _N_HALVINGS = 100, 40
# Armijo constant: smallest accepted decrease, as a fraction of the predicted decrease.
_ARMIJO = 1e-4
# Ridge on the Hessians of intercepts, relative to their trace and absolute.
_RIDGE, _LEAST_RIDGE = 1e-12, 1e-140
_NO_CENTRE = (
    "Leave alpha_shared at infinity, reduce the columns with TruncatedSVD, or use a "
    "MeanRegularized model, which forms no such matrix."
)


@dataclass(frozen=True)
class SharedPart:
    """A centre and the tasks' intercepts, ``b_t = intercept + own_t``.

    Parameters
    ----------
    coef : ndarray of shape (n_outputs, n_features)
        Coefficients of the centre.
    intercept : ndarray of shape (n_outputs,)
        Intercept that the tasks' intercepts are pulled to; zero if they are free.
    own : ndarray of shape (n_tasks, n_outputs)
        Deviations of the intercepts.
    """

    coef: Array
    intercept: Array
    own: Array

    @property
    def intercepts(self) -> Array:
        """Intercepts of the tasks, (n_tasks, n_outputs)."""
        return self.intercept + self.own

    def plus(self, step: SharedPart, length: float) -> SharedPart:
        """Return this plus a multiple of a step."""
        return SharedPart(
            self.coef + length * step.coef,
            self.intercept + length * step.intercept,
            self.own + length * step.own,
        )

    def minus(self, other: SharedPart) -> SharedPart:
        """Return the difference from another part."""
        return self.plus(other, -1.0)


@dataclass(frozen=True)
class SharedPartFit:
    """Minimise losses over the centre and the intercepts by Newton's method.

    The intercepts are eliminated from each step, which leaves a system of one model.

    Parameters
    ----------
    datafit : Datafit
        Losses of the rows.
    rows : FlatRows
        The rows, with scaled weights.
    centre : Centre
        Strengths of the centre.
    """

    datafit: Datafit
    rows: FlatRows
    centre: Centre

    @property
    def _is_pulled(self):
        """Whether intercepts are shrunk to a common one."""
        return self.datafit.fit_intercept and self.centre.alpha_intercept > 0

    @property
    def _has_own(self):
        """Whether tasks have intercepts of their own."""
        return self.datafit.fit_intercept and self.centre.alpha_intercept < np.inf

    @property
    def _n_coef(self):
        """Number of coefficients of the centre."""
        return self.datafit.n_features if self.centre.has_coef else 0

    @cached_property
    def _design(self):
        """Features of the common model: those of the rows, and ones."""
        n_rows, width = len(self.rows.weight), self._n_coef + self._is_pulled
        n_outputs = self.datafit.loss.n_outputs
        what = f"the centre of {self._n_coef:,} features"
        refuse_large(
            8 * n_rows * width + 16 * (n_outputs * width) ** 2, what, _NO_CENTRE
        )
        design = np.ones((n_rows, width))
        if self._n_coef:
            stacks = [flat(stack.X) for stack in self.datafit.dense_stacks()]
            design[:, : self._n_coef] = np.concatenate(stacks)
        return design

    @cached_property
    def _ridge(self):
        """Strengths of the columns of the design."""
        shared = np.full(self._n_coef, float(self.centre.alpha_shared))
        return np.append(shared, np.zeros(int(self._is_pulled)))

    @property
    def _pull(self):
        return self.centre.alpha_intercept if self._has_own else 0.0

    def start(self, intercepts: Array) -> SharedPart:
        """Return a start without coefficients, given intercepts of the tasks."""
        n_outputs, n_features = self.datafit.loss.n_outputs, self.datafit.n_features
        common = np.zeros(n_outputs)
        if self._is_pulled:
            common = intercepts.mean(axis=0)
        own = (intercepts - common) * self._has_own
        return SharedPart(np.zeros((n_outputs, n_features)), common, own)

    def predict(self, part: SharedPart) -> Array:
        """Return the part's contribution to the raw predictions of all rows."""
        raw = part.intercepts[self.rows.task_of_row]
        if self._n_coef:
            raw = raw + self._design[:, : self._n_coef] @ part.coef.T
        return raw

    def penalty(self, part: SharedPart) -> float:
        """Return the value of the penalties on the centre and the intercepts."""
        value = self._pull * float((part.own**2).sum())
        if self._n_coef:
            value += self.centre.alpha_shared * float((part.coef**2).sum())
        return value / 2

    def minimize(self, linear: Array, start: SharedPart) -> SharedPart:
        """Return the minimiser.

        Parameters
        ----------
        linear : ndarray of shape (n_rows, n_outputs)
            Raw predictions of the deviations.
        start : SharedPart
            First iterate.

        Returns
        -------
        SharedPart
            The minimiser.
        """
        part, raw = start, linear + self.predict(start)
        value = self.rows.value(raw) + self.penalty(part)
        for _ in range(_MAX_STEPS):
            with np.errstate(over="ignore", invalid="ignore"):
                step, slope = self._step(raw, part)
            if not np.isfinite(slope) or slope >= 0:
                break
            part, raw, value = self._search(part, raw, value, step, slope)
            if -slope <= _SMALL * abs(value):
                break
        return part

    def _search(self, part, raw, value, step, slope):
        """Return the first halved step that decreases enough, or the start."""
        move, length, slack = self.predict(step), 1.0, 8 * EPS * abs(value)
        for _ in range(_N_HALVINGS):
            trial, there = part.plus(step, length), raw + length * move
            found = self.rows.value(there) + self.penalty(trial)
            if found <= value + _ARMIJO * length * slope + slack:
                return trial, there, found
            length /= 2
        return part, raw, value

    def _step(self, raw, part):
        """Return the Newton step, and the derivative along it."""
        rows, loss = self.rows, self.datafit.loss
        slope = rows.weight[:, None] * loss.gradient(rows.y, raw)
        hessian = rows.weight[:, None, None] * loss.majorant(rows.y, raw)
        common = np.hstack([part.coef[:, : self._n_coef], part.intercept[:, None]])
        common = common[:, : self._design.shape[1]]
        first = slope.T @ self._design + self._ridge * common
        first_own = (rows.sum(slope) + self._pull * part.own) * self._has_own
        if not np.isfinite(hessian).all():
            return part, np.nan
        moved, moved_own = self._solve(first, first_own, hessian)
        step = self._as_part(-moved, -moved_own)
        return step, -float(np.vdot(moved, first) + np.vdot(moved_own, first_own))

    def _as_part(self, common, own):
        n_outputs, n_features = len(common), self.datafit.n_features
        coef, intercept = np.zeros((n_outputs, n_features)), np.zeros(n_outputs)
        coef[:, : self._n_coef] = common[:, : self._n_coef]
        if self._is_pulled:
            intercept = common[:, -1]
        return SharedPart(coef, intercept, own)

    def _solve(self, first, first_own, hessian):
        """Solve with the Hessian, the tasks' own intercepts eliminated."""
        shape = first.shape
        curved = self._curve(hessian)
        if not self._has_own:
            common = _divide(curved, first.ravel()).reshape(shape)
            return common, np.zeros_like(first_own)
        own = self.rows.sum(hessian)
        trace = np.trace(own, axis1=1, axis2=2)
        ridge = self._pull + _RIDGE * trace + _LEAST_RIDGE
        inverse = np.linalg.inv(own + ridge[:, None, None] * np.eye(own.shape[1]))
        apart = np.matmul(inverse, first_own[:, :, None])[:, :, 0]
        if not curved.size:
            return first, apart
        side = self._side(hessian)
        influence = np.matmul(inverse, side)
        curved = curved - np.tensordot(side, influence, axes=([0, 1], [0, 1]))
        right = first.ravel() - np.tensordot(apart, side, axes=([0, 1], [0, 1]))
        common = _divide(curved, right)
        return common.reshape(shape), apart - influence @ common

    def _curve(self, hessian):
        """Return the Hessian of the common model, a square matrix."""
        design, n_outputs = self._design, hessian.shape[1]
        width = design.shape[1]
        total = np.zeros((n_outputs, width, n_outputs, width))
        for k in range(n_outputs):
            for m in range(k + 1):
                block = design.T @ (hessian[:, k, m, None] * design)
                total[k, :, m], total[m, :, k] = block, block.T
        total = total.reshape(2 * [n_outputs * width])
        return total + np.diag(np.tile(self._ridge, n_outputs))

    def _side(self, hessian):
        """Return second derivatives in intercepts and common model, by task."""
        n_outputs, width = hessian.shape[1], self._design.shape[1]
        side = np.zeros((self.rows.n_tasks, n_outputs, n_outputs, width))
        for k in range(n_outputs):
            for m in range(n_outputs):
                side[:, k, m] = self.rows.sum(hessian[:, k, m, None] * self._design)
        return side.reshape(self.rows.n_tasks, n_outputs, -1)


def _divide(matrix: Array, right: Array) -> Any:
    return Semidefinite(matrix).solve(right)
