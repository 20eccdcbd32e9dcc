"""Losses of any kind, of tasks coupled to a centre."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._contracts import Array, TaskBlocks
from skmtl._linalg import Semidefinite, diagonals
from skmtl._numbers import INFINITE, TINY_SQUARE
from skmtl.couplings import Strengths
from skmtl.problems.exact import mean_residual, unpack_tasks, unseen_model
from skmtl.problems.rows import row_curvature
from skmtl.solvers import Inverse

from ._coupled_losses import CoupledTasks, flat
from ._datafit import Datafit
from ._unseen_model_any_loss import fit_unseen_model

# Relative ridge on the Hessian's diagonal, increased until the factorisation is safe.
# It shortens the step but does not move the optimum.
LIFT = 1e-12
_LIFTS = (LIFT, 1e-9, 1e-6, 1e-3)
# Reject inverses with a larger variance inflation: their steps have few correct digits.
_WORST_INFLATION = 1e11
# Lower bound on the diagonal of centred features, relative to uncentred ones.
LOST = 1e-10


@dataclass(frozen=True)
class MeanLosses(CoupledTasks):
    """Losses of tasks plus a coupling to a centre ``c``.

    ``sum losses + 1/2 sum_t sum_j own_j (w_tj - c_j)^2 + 1/2 sum_j centre_j c_j^2``,
    where the columns ``j`` are the features and the intercept.

    The variable stacks the differences ``w_t - c`` and, last, the centre: (n_tasks + 1,
    n_outputs, n_columns). In these, large strengths cause no cancellation.

    Parameters
    ----------
    datafit : Datafit
        Losses of the rows.
    strengths : Strengths
        Strengths; they vary between tasks only if Hessians are not formed.
    known : tuple of (ndarray, ndarray), default=None
        A variable, and the Hessians of the losses there.
    """

    datafit: Datafit
    strengths: Strengths
    known: Any = None

    @cached_property
    def _given(self):
        """Strengths as given, (n_columns,), or of each task if they differ.

        Those of each task have shape (n_tasks, 1, n_columns).
        """
        own = self.strengths.own
        shape = len(own), int(self.datafit.fit_intercept)
        given = np.hstack([own, np.full(shape, self.strengths.intercept)])
        return given[0] if len(given) == 1 else given[:, None]

    @cached_property
    def own(self):
        """Strengths on differences from the centre, finite, (n_columns,)."""
        own, infinite = self._given, np.isinf(self._given)
        if not infinite.any():
            return own
        return np.where(infinite, INFINITE * self.datafit.most_curved, own)

    @cached_property
    def centre(self):
        """Strengths of the ridge on the centre, (n_columns,); zero if it is fixed."""
        intercept = [0.0] * self.datafit.fit_intercept
        strengths = np.append(self.strengths.centre, intercept)
        return np.zeros_like(strengths) if self.strengths.pinned else strengths

    def about_means(self):
        """Return the same objective with features far from zero centred.

        Centring would change a penalty on differences of intercepts, unless all tasks
        have the same coefficients.
        """
        if self.strengths.intercept == 0:
            return super().about_means()
        if self.datafit.n_tasks == 1 or np.isinf(self.strengths.own[0]).all():
            return replace(self, datafit=self.datafit.about_means(common=True))
        self.datafit.refuse_far()
        return self

    @property
    def shape(self):
        """Shape of the variable."""
        n_tasks, *rest = self.datafit.shape
        return n_tasks + 1, *rest

    def coefs(self, variable):
        return variable[:-1] + variable[-1]

    def coupling_value(self, variable):
        own = float((self.own * variable[:-1] ** 2).sum())
        return (own + float((self.centre * variable[-1] ** 2).sum())) / 2

    def slopes(self, variable, gradient):
        slopes = np.empty(self.shape)
        np.multiply(self.own, variable[:-1], out=slopes[:-1])
        slopes[:-1] += gradient
        np.add(gradient.sum(axis=0), self.centre * variable[-1], out=slopes[-1])
        if self.strengths.pinned:
            slopes[-1] = 0.0
        return flat(slopes)

    def hessians(self, point):
        if self.known is not None and point.variable is self.known[0]:
            return self.known[1].copy()
        return super().hessians(point)

    def eliminate_in_place(self, hessians):
        n_outputs = self.shape[1]
        own, centre = np.tile(self.own, n_outputs), np.tile(self.centre, n_outputs)
        pinned = self.strengths.pinned
        return ArrowFactor.factor_in_place(hessians, own, centre, pinned)

    def precondition(self, total, first, second):
        """Return the inverse Hessian for features that are uncorrelated within tasks.

        Features are centred, as far as the penalty leaves the intercepts free.
        """
        strength = self.strengths.intercept if self.datafit.fit_intercept else 0.0
        shear = _Shear.of(total, first, strength, self.datafit.fit_intercept)
        found = shear.diagonals(total, first, second)
        own, centre = self.own + shear.extra(strength), self.centre
        blocks = found + own
        blocks = np.where(blocks > TINY_SQUARE, blocks, 1.0)
        share = found / blocks
        curved = np.einsum("tkj,tkj->kj", share, np.broadcast_to(own, share.shape))
        curved = np.where(curved + centre > TINY_SQUARE, curved + centre, 1.0)
        free = 0.0 if self.strengths.pinned else 1.0

        def divide(right):
            step = shear.back(right)
            own, middle = step[:-1], step[-1]
            middle = middle - np.einsum("tkj,tkj->kj", share, own)
            middle *= free / curved
            own = own / blocks - share * middle
            return shear.forth(np.concatenate([own, middle[None]]))

        return divide

    def start(self):
        start = np.zeros(self.shape)
        start[:-1] = self.datafit.start()
        if self.strengths.intercept > 0:
            start[-1], start[:-1] = start[:-1].mean(axis=0), 0.0
        return start

    def unpack(self, variable):
        """Return the linear models of the tasks, and the one at the centre.

        Unpenalised columns of the centre, and the intercept of a centre that is shrunk
        to zero, are those of a fit to all rows.

        Parameters
        ----------
        variable : ndarray of shape (n_tasks + 1, n_outputs, n_columns)
            Differences from the centre and, last, the centre.

        Returns
        -------
        TaskModels
            The models.
        """
        return self._unpack(variable, self._shared_part)

    def unpack_squares(self, variable):
        """Return the same for squared losses, with the shared part of `MeanFit`."""
        return self._unpack(variable, self._shared_part_of_squares)

    def _unpack(self, variable, find_shared):
        """Return the models; tasks without weight get the shared part."""
        tasks = np.where(np.isinf(self._given), variable[-1], self.coefs(variable))
        tasks, centre = self.datafit.move(tasks, -1), variable[-1]
        if self.strengths.intercept > 0:
            centre = self.datafit.move(variable[-1:], -1)[0]
        shared = find_shared(tasks, centre)
        seen = self.datafit.task_totals > 0
        tasks = np.where(seen[:, None, None], tasks, shared)
        return unpack_tasks(tasks, shared, self.datafit)

    def _shared_part(self, tasks, centre):
        datafit = self.datafit
        free = (self.own == 0).all(axis=tuple(range(self.own.ndim - 1)))
        free |= self.strengths.pinned
        # The mean of the tasks' intercepts does not fit a centre that is shrunk.
        is_pooled = np.isinf(self._given).all()
        is_shrunk = datafit.fit_intercept and self.centre.any() and not is_pooled
        if not (free.any() or (is_shrunk and datafit.has_common)):
            return centre
        if datafit.has_common:
            known = None if free.all() else np.where(free, np.nan, centre)
            return fit_unseen_model(datafit, tasks, known)
        seen = datafit.task_totals > 0
        return np.where(free, tasks[seen].mean(axis=0), centre)

    def _shared_part_of_squares(self, tasks, centre):
        datafit, strengths = self.datafit, self.strengths
        n_features = datafit.data.X.shape[1]
        moments = datafit.data.moments(curvature=False)
        moments = moments if datafit.fit_intercept else moments.about_zero()
        shared, intercept = centre[0, :n_features], centre[0, n_features:]
        is_shrunk = strengths.centre.any() and not strengths.pinned
        if datafit.fit_intercept and (is_shrunk or not strengths.intercept):
            intercept = mean_residual(moments, shared, strengths.intercept)
        free = (strengths.own == 0).all(axis=0) | strengths.pinned
        if free.any():
            coef, seen = tasks[:, 0, :n_features], moments.weight > 0
            ridge = np.broadcast_to(strengths.own, coef.shape)[seen].mean(axis=0)
            curve = row_curvature(datafit.data, datafit.fit_intercept).curve
            zeros, known = np.zeros_like(coef), np.where(free, np.nan, shared)
            shared, intercept = unseen_model(moments, zeros, zeros, curve, ridge, known)
        columns = np.atleast_1d(intercept)[: int(datafit.fit_intercept)]
        return np.append(shared, columns)[None]


@dataclass(frozen=True)
class _Shear:
    """Change of variables that centres the features, as far as intercepts are free.

    It decouples intercepts from coefficients: ``b_t`` becomes ``b_t + share * mean .
    w_t`` for the tasks, and ``b + mean . w`` for the centre.

    Parameters
    ----------
    mean : ndarray of shape (n_outputs, n_features)
        Mean of the features, weighted by curvature.
    share : float
        1 for intercepts without penalty, 0 for an infinite one.
    has_intercept : bool
        Whether there are intercepts.
    """

    mean: np.ndarray
    share: float
    has_intercept: bool

    @classmethod
    def of(cls, total, first, strength, has_intercept):
        """Return the change of variables, given results of `Datafit.diagonals`."""
        weight = total.sum(axis=0)
        mean = first.sum(axis=0) / np.where(weight > TINY_SQUARE, weight, 1.0)
        typical = float(total.mean())
        share = typical / (typical + strength) if typical > 0 else 0.0
        return cls(mean, share, has_intercept)

    def diagonals(self, total, first, second):
        """Return the diagonals of the Hessians in these coordinates."""
        if not self.has_intercept:
            return second
        mean = self.share * self.mean
        found = second - 2 * mean * first + mean**2 * total
        found = np.maximum(found, LOST * second)
        return np.concatenate([found, total], axis=-1)

    def extra(self, strength):
        """Return the strengths on features that the intercepts' penalty implies."""
        if not self.has_intercept:
            return 0.0
        features = np.zeros_like(self.mean)
        if self.share:
            features = strength * (self.share * self.mean) ** 2
        return np.concatenate([features, np.zeros((len(self.mean), 1))], axis=-1)

    def back(self, right):
        """Convert a gradient to these coordinates."""
        if self.has_intercept:
            right = right.copy()
            right[:-1, :, :-1] -= (self.share * self.mean) * right[:-1, :, -1:]
            right[-1, :, :-1] -= self.mean * right[-1, :, -1:]
        return right

    def forth(self, step):
        """Convert a step to the coordinates of the variable."""
        if self.has_intercept:
            step = step.copy()
            moved = np.einsum("tkj,kj->tk", step[..., :-1], self.mean)
            moved[:-1] *= self.share
            step[..., -1] -= moved
        return step


@dataclass(frozen=True)
class ArrowFactor:
    """Factored Hessian of tasks coupled to a centre, the tasks eliminated first.

    With Hessians ``H_t``, strengths ``D`` and ``A_t = H_t + D``, the Schur complement
    of the centre is ``sum_t D A_t^-1 H_t`` plus its ridge: no difference of large
    numbers.

    Parameters
    ----------
    unit : ndarray of shape (size,)
        Scale of each entry of a task.
    blocks : TaskBlocks
        The factored blocks ``A_t``, scaled.
    centre : Semidefinite
        The Schur complement of the centre, scaled.
    pinned : bool, default=False
        Whether the centre is fixed at zero.
    """

    unit: np.ndarray
    blocks: TaskBlocks
    centre: Semidefinite
    pinned: bool = False

    @classmethod
    def factor_in_place(cls, hessians, own, centre, pinned=False):
        """Factor the system.

        Parameters
        ----------
        hessians : ndarray of shape (n_tasks, size, size)
            Hessians of the losses, which this overwrites.
        own, centre : ndarray of shape (size,)
            Strengths of the tasks' own parts and of the centre.
        pinned : bool, default=False
            Whether the centre is fixed at zero.

        Returns
        -------
        ArrowFactor
            The factored system.
        """
        unit = 1 / find_units(hessians, own)
        hessians *= unit * unit[:, None]
        own, centre = own * unit**2, centre * unit**2
        for lift in _LIFTS:
            raise_diagonals_in_place(hessians, own, lift)
            blocks = Inverse.factor(hessians, own[None])
            if blocks.inflation < _WORST_INFLATION:
                break
        no_rows = np.zeros((0, len(unit)))
        return cls(unit, blocks, blocks.centre(len(hessians), no_rows, centre), pinned)

    def solve(self, right):
        """Return the solution for the tasks' own parts and, last, the centre."""
        right = right * self.unit
        independent = self.blocks.solve(right[:-1])
        if self.pinned:
            return np.concatenate([independent, np.zeros_like(right[-1:])]) * self.unit
        centre = self.centre.solve(
            right[-1] - self.blocks.curve(independent).sum(axis=0)
        )
        own = independent - self.blocks.solve(self.blocks.curve(centre[None]))
        return np.concatenate([own, centre[None]]) * self.unit


def find_units(curved: Any, own: Array) -> Array:
    """Return the root of the mean curvature, with penalty, of each entry of a task."""
    size = np.sqrt(diagonals(curved).mean(axis=0) + own)
    return np.where(size > TINY_SQUARE, size, 1.0)


def raise_diagonals_in_place(hessians, own, lift):
    """Raise diagonals by a factor ``1 + lift``, and zero ones without penalty to 1."""
    found = diagonals(hessians)
    loose = (found <= TINY_SQUARE) & (own <= TINY_SQUARE)
    found[...] += np.where(loose, 1.0, lift * found)
