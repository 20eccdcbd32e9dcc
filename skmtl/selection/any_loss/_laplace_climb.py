"""Strengths of the largest likelihood by Laplace's method, from its gradient."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl.couplings import Rotation, Strengths
from skmtl.problems.newton import Datafit, MeanLosses
from skmtl.solvers import Newton

from ..likelihood import (
    LaplaceLikelihood,
    Shape,
    Units,
    minimize_scaled,
    shape_of_covariance,
)
from ..search import minimize_by_scoring

# Errors of solutions must be far below the differences of likelihoods that matter.
_SOLVER = Newton(tol=1e-9)
# Stop where a step promises a smaller increase of the log likelihood.
_ENOUGH = 1e-4
# Bounds of log strengths, relative to the curvature, and the largest first strength: at
# infinity, the gradient is zero.
_LOWEST, _HIGHEST, FIRST = -18.0, 23.0, 30.0
# Strengths act as infinite beyond this multiple of the curvature, times the root of the
# number of tasks: log variances have a standard error of about the root of its inverse.
_TAIL = 20.0
# Bound of the root of a covariance, relative to the start.
_FARTHEST = 1e4
# Of the search of a covariance, whose information is near the identity.
_OPTIONS = {"ftol": 1e-12, "gtol": 3e-3, "maxiter": 200}
# Smallest variance in a covariance, relative to the inverse curvature.
_LEAST = 1e-9


@dataclass
class Solutions:
    """Likelihoods of strengths, each solved from the solution before.

    Parameters
    ----------
    datafit : Datafit
        Losses of the rows.
    last : ndarray
        The first variable, then the last one.
    """

    datafit: Datafit
    last: Array
    _known: dict[Any, LaplaceLikelihood] = field(default_factory=dict)
    _hessians: Any = None

    def at(
        self, own: Array, shared: float, rotation: Rotation | None = None
    ) -> LaplaceLikelihood:
        """Return the likelihood of strengths of the columns and of the centre.

        Parameters
        ----------
        own : ndarray of shape (n_columns,)
            Strengths of coefficients and intercepts.
        shared : float
            Strength of the centre.
        rotation : Rotation, default=None
            Coordinates of the strengths; None for the features themselves.
        """
        basis = None if rotation is None else rotation.basis.tobytes()
        key = own.tobytes(), shared, basis
        if key not in self._known:
            self._known = {key: self._solve(own, shared, rotation)}
        return self._known[key]

    def _solve(self, own, shared, rotation):
        d, has_intercept = self.datafit.n_features, self.datafit.fit_intercept
        level = float(own[d]) if has_intercept else 0.0
        strengths = Strengths(
            np.ones(1), own[:d], np.full(d, shared), level, rotation=rotation
        )
        if rotation is None:
            objective = MeanLosses(self.datafit, strengths, self._hessians)
            self.last = _SOLVER.minimize(objective, self.last).variable
            found = LaplaceLikelihood(replace(objective, known=None), self.last)
            self._hessians = self.last, found.hessians
            return found
        objective = MeanLosses(self.datafit.turned(rotation), strengths)
        start = rotation.enter(self.last, has_intercept)
        variable = _SOLVER.minimize(objective, start).variable
        self.last = rotation.leave(variable, has_intercept)
        return LaplaceLikelihood(objective, variable)


@dataclass(frozen=True)
class Climb:
    """Strengths of the columns and of the centre as functions of logs.

    Parameters
    ----------
    solutions : Solutions
        Likelihoods of strengths.
    start : ndarray of shape (n_columns + 1,)
        First strengths of the columns and, last, of the centre.
    groups : ndarray of shape (n_columns + 1, n_variables)
        Which strengths each variable multiplies.
    unit : ndarray of shape (n_columns + 1,)
        Curvatures along the columns, and of the centre.
    """

    solutions: Solutions
    start: Array
    groups: Array
    unit: Array

    def path(self) -> list[tuple[Array, float]]:
        """Return all strengths that were tried, with their negative likelihoods."""
        tried = []

        def value(x):
            strengths = self.start * np.exp(self.groups @ x)
            found = self.solutions.at(strengths[:-1], strengths[-1])
            tried.append((strengths, -found.value))
            if not np.isfinite(found.value):
                return np.inf, np.zeros(len(x))
            own, shared = found.gradient
            slope = np.append(np.diag(own) * found.objective.own, shared)
            return -found.value, -self.groups.T @ slope

        x = np.zeros(self.groups.shape[1])
        logs = self._logs
        bounds = logs + _LOWEST, logs + _HIGHEST
        # An optimum beyond this is likelier than infinity by less than 1e-3.
        tail = logs + np.log(_TAIL * np.sqrt(self.solutions.datafit.n_tasks))
        minimize_by_scoring(value, x, self._information, bounds, _ENOUGH, tail)
        return tried

    @property
    def _information(self):
        found = self.solutions.at(self.start[:-1], self.start[-1])
        known = np.pad(found.information, (0, 1))
        known[-1, -1] = found.shared_information
        return self.groups.T @ known @ self.groups

    @property
    def _logs(self):
        """Variables at which strengths are those of the curvatures."""
        moves = self.groups.any(axis=1)
        ratio = np.divide(
            self.unit, self.start, out=np.ones_like(self.unit), where=moves
        )
        return self.groups.T @ np.log(ratio) / self.groups.sum(axis=0)


def climb_covariance(
    solutions: Solutions, shape: Shape, shared: float, is_free: bool, unit: Array
) -> tuple[Shape, float, float]:
    """Maximise the likelihood over covariances.

    Parameters
    ----------
    solutions : Solutions
        Likelihoods of strengths.
    shape : Shape
        First covariance.
    shared : float
        Strength of the centre.
    is_free : bool
        Whether to search for it.
    unit : ndarray of shape (n_columns,)
        Curvatures along the columns.

    Returns
    -------
    shape : Shape
        The likeliest covariance.
    shared : float
        Strength of the centre.
    error : float
        The negative likelihood.
    """
    d, has_intercept = solutions.datafit.n_features, solutions.datafit.fit_intercept
    size = d + has_intercept
    units = Units(np.sqrt(unit), np.zeros(d), d)
    lower = np.tril_indices(size)

    def solve(root, shared):
        covariance = units.enter(root @ root.T)
        found = shape_of_covariance(units, covariance, least=_LEAST)
        own = _columns(found, size)
        return found, solutions.at(own, shared, found.rotation)

    def place(x):
        turned = np.zeros((size, size))
        turned[lower] = x[: len(lower[0])]
        return first @ turned, float(np.exp(x[-1])) if is_free else shared

    def value(x):
        root, ridge = place(x)
        found, likelihood = solve(root, ridge)
        if not np.isfinite(likelihood.value):
            return np.inf, np.zeros(len(x))
        own, centre = likelihood.gradient
        turn = found.rotation.enter(np.eye(size), has_intercept)
        precision = turn * _columns(found, size)
        slope = 2 * first.T @ (precision @ own @ precision.T) @ root
        slope = np.append(slope[lower], [-centre] * is_free)
        return -likelihood.value, slope

    turn: Any = shape.rotation
    turn = turn.enter(np.eye(size), has_intercept)
    first = np.linalg.inv(turn).T / np.sqrt(_columns(shape, size))
    likelihood = solutions.at(_columns(shape, size), shared, shape.rotation)
    information = _information_of_root(likelihood, lower)
    x = np.eye(size)[lower]
    bounds = [(-_FARTHEST, _FARTHEST)] * len(x)
    if is_free:
        information = np.pad(information, (0, 1))
        information[-1, -1] = likelihood.shared_information
        x, log = np.append(x, np.log(shared)), np.log(unit[:d].mean())
        bounds.append((log + _LOWEST, log + _HIGHEST))
    x = minimize_scaled(value, x, bounds, _OPTIONS, information)
    root, shared = place(x)
    shape, likelihood = solve(root, shared)
    return shape, shared, -likelihood.value


def _columns(shape, size):
    """Return the strengths of the columns of a shape at its start."""
    alpha, level = shape.start
    return np.append(alpha * shape.pattern, level)[:size]


def _information_of_root(likelihood, lower):
    """Return Fisher's information on a step of the root of the covariance.

    A step ``E`` of the root, in coordinates in which the covariance is the identity,
    has the information ``sum_t trace(F_t (E + E') F_t (E + E')) / 2``.
    """
    products = likelihood.crossed_information
    a, b = lower[0][:, None], lower[1][:, None]
    c, d = lower
    return products[b, c, a, d] + products[b, d, a, c]
