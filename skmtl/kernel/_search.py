"""Search for the strengths and the width of kernels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy.linalg import LinAlgError
from scipy.optimize import minimize

from skmtl._contracts import Array

from ._criteria import Criterion
from ._designs import Design, Strengths
from ._kernels import Kernel, compare_rows

# Smallest and largest strength, relative to the mean of the kernel's diagonal: beyond,
# a function is free of its prior, or zero.
_LIMITS = np.log(1e-6), np.log(1e6)
# Gamma differs from the default at most by this factor.
_WIDEST = np.log(1e4)
# Strengths of shared functions, own ones and intercepts to start from, relative to the
# kernel's diagonal, and factors of the default gamma: tasks that are alike, tasks that
# are not, and smooth functions with little noise.
_STARTS = (0.1, 10.0, 1.0, 0.3), (1.0, 0.3, 0.3, 0.3), (0.03, 1.0, 1.0, 0.03)
# Starts are compared on systems of at most this many rows.
_FEW = 500
# An infinite strength is preferred up to this increase of the criterion.
_INDIFFERENCE = 0.05
# Value of strengths at which the covariance is not positive definite.
_REFUSED = 1e25
# L-BFGS stops below this decrease, far below the uncertainty of a criterion: on few
# rows, where steps take little time, and on many.
_PRECISION = {True: 1e-3, False: 2e-2}
# Length of its first step, in logs.
_FIRST_STEP = 0.25


@dataclass(frozen=True)
class Rows:
    """Training rows of kernels: their design and their features.

    Parameters
    ----------
    design : Design
        Observations of tasks.
    X : {ndarray, CSR matrix} of shape (n_rows, n_features)
        Features.
    kernels : tuple of Kernel
        The kernels, at the default gamma.
    """

    design: Design
    X: Any
    kernels: tuple[Kernel, ...]

    @property
    def is_few(self) -> bool:
        """Whether a search on all rows takes little time."""
        return self.design.size <= _FEW

    def every(self, step: int) -> Self:
        """Return every so many observations, with rows of X in their order."""
        design, rows = self.design.every(step)
        return replace(self, design=design, X=self.kernels[0].take(self.X, rows))

    @cached_property
    def default_matrices(self) -> list[Array]:
        """Kernel matrices at the default gamma."""
        return compare_rows(self.kernels, self.X)

    def matrices(self, gamma: float) -> list[Array]:
        """Return kernel matrices at a gamma."""
        return [
            kernel.at(gamma).matrix(self.X) if kernel.has_gamma else matrix
            for kernel, matrix in zip(self.kernels, self.default_matrices, strict=True)
        ]


@dataclass(frozen=True)
class Point:
    """Strengths and gamma.

    Parameters
    ----------
    values : ndarray of shape (2 * n_kernels + 2,)
        Strengths of the shared functions, of the own ones and of intercepts, and gamma.
    """

    values: Array

    @property
    def strengths(self) -> Strengths:
        """The strengths."""
        values, n_kernels = self.values, len(self.values) // 2 - 1
        own = values[n_kernels : 2 * n_kernels]
        return Strengths(values[:n_kernels], own, float(values[-2]))

    @property
    def gamma(self) -> float:
        """The factor of distances."""
        return float(self.values[-1])


class KernelSearch:
    """A search for the strengths that minimise a criterion.

    Parameters
    ----------
    rows : Rows
        Training rows.
    criterion : Criterion
        What to minimise.
    gamma : float
        The default gamma.
    given : sequence of (array-like or None)
        Strengths of shared and own functions, of intercepts, and gamma; None where the
        search chooses.
    """

    def __init__(
        self, rows: Rows, criterion: Criterion, gamma: float, given: Sequence[Any]
    ) -> None:
        self.rows, self.criterion, self.gamma = rows, criterion, gamma
        self.given = self._read(*given)
        self.free = np.flatnonzero(np.isnan(self.given))

    def _read(self, shared, own, intercept, gamma):
        """Return all strengths and gamma, NaN for those to search."""
        design, n_kernels = self.rows.design, len(self.rows.kernels)
        if own is None and design.n_tasks == 1:
            own = np.inf  # the shared function is the only one
        if intercept is None and (design.n_tasks == 1 or not design.fit_intercept):
            intercept = np.inf
        if gamma is None and not any(each.has_gamma for each in self.rows.kernels):
            gamma = self.gamma
        sizes = n_kernels, n_kernels, 1, 1
        values = [np.nan if v is None else v for v in (shared, own, intercept, gamma)]
        parts = zip(values, sizes, strict=True)
        return np.concatenate([np.broadcast_to(value, size) for value, size in parts])

    def run(self) -> tuple[Point, float]:
        """Return the best strengths, and the criterion at them."""
        rows = self.rows.every(1)
        few = rows.every(-(-rows.design.size // _FEW))
        found = [self._descend(few, start) for start in self._starts(few)]
        best = min(found, key=lambda each: each[1])
        if best[1] >= _REFUSED:
            raise ValueError(
                "The criterion must be finite for some strengths, got none. Fit more "
                "rows than free intercepts, with a kernel that is positive "
                "semidefinite, or use MeanRegularizedKernelRegressor."
            )
        if not rows.is_few:
            best = self._descend(rows, best[0])
        return self._simplify(rows, *best)

    def _scales(self, rows):
        """Return logs of the units of all strengths and of gamma."""
        means = [np.diag(matrix).mean() for matrix in rows.default_matrices]
        scales = np.log([mean if mean > 0 else 1.0 for mean in means])
        return np.concatenate([scales, scales, [0.0, np.log(self.gamma)]])

    def _starts(self, rows):
        n_kernels = len(rows.kernels)
        sizes = n_kernels, n_kernels, 1, 1
        if not len(self.free):
            return [Point(self.given)]
        units = np.exp(self._scales(rows))
        values = [units * np.repeat(start, sizes) for start in _STARTS]
        return [self._place(np.log(each[self.free])) for each in values]

    def _descend(self, rows, start):
        """Return a local minimum, and the criterion there."""
        if not len(self.free):
            return start, self._value(rows, start)
        scales = self._scales(rows)[self.free]
        limits = np.tile(_LIMITS, (len(scales), 1))
        if self.free[-1] == len(self.given) - 1:
            limits[-1] = -_WIDEST, _WIDEST
        bounds = (scales[:, None] + limits) / _FIRST_STEP
        found = minimize(
            lambda point: self._evaluate(rows, self._place(point * _FIRST_STEP)),
            np.clip(np.log(start.values[self.free]) / _FIRST_STEP, *bounds.T),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            # Relative to the criterion, which is about the number of rows.
            options={"ftol": _PRECISION[rows.is_few] / rows.design.n_observations},
        )
        return self._place(found.x * _FIRST_STEP), float(found.fun)

    def _place(self, logs):
        values = self.given.copy()
        values[self.free] = np.exp(logs)
        return Point(values)

    def _value(self, rows, point):
        try:
            systems = rows.design.systems(rows.matrices(point.gamma), point.strengths)
            found = self.criterion.value(systems, rows.design.total_weight)
        except LinAlgError:
            return _REFUSED
        return found if np.isfinite(found) else _REFUSED

    def _evaluate(self, rows, point):
        """Return the criterion, and its derivatives by the free logs, scaled."""
        design, strengths = rows.design, point.strengths
        matrices = rows.matrices(point.gamma)
        try:
            systems = design.systems(matrices, strengths)
            value = self.criterion.value(systems, design.total_weight)
            if not np.isfinite(value):
                return _REFUSED, np.zeros(len(self.free))
            slope = self.criterion.by_covariance(systems, design.total_weight)
        except LinAlgError:
            return _REFUSED, np.zeros(len(self.free))
        slopes = [
            kernel.slope(matrix)
            for kernel, matrix in zip(rows.kernels, matrices, strict=True)
        ]
        parts = design.gradient(matrices, slopes, strengths, slope)
        gradient = np.concatenate([np.atleast_1d(part) for part in parts])
        return value, gradient[self.free] * _FIRST_STEP

    def _simplify(self, rows, best, value):
        """Make strengths infinite where this hardly changes the criterion."""
        large = np.log(best.values) > self._scales(rows)
        for k in self.free:
            if k == len(self.given) - 1 or not large[k]:
                continue
            values = best.values.copy()
            values[k] = np.inf
            simpler = self._value(rows, Point(values))
            if simpler <= value + _INDIFFERENCE:
                best, value = Point(values), simpler
        return best, value
