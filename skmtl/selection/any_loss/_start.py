"""First strengths of a search, from the squared loss that approximates a loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl.problems.newton import Datafit, MeanLosses
from skmtl.solvers import Newton

from ..likelihood import StrengthSearch
from ..search import NEARBY, Splits, descend
from ..squared_loss import Candidates, HeldOut, Tried
from ._working_rows import WorkingRows

# The first solution needs few digits: it only gives working responses.
_ROUGH = Newton(tol=1e-4)
_TOL = 1e-4
# Strength of intercepts at the first solution, relative to the curvature.
_INTERCEPT = 0.1
# Bounds on the strength of the centre, relative to the curvature of a task.
_LEAST, _MOST = 1e-3, 1e3
# With more columns, matrices of each task are not decomposed to find a start.
_MANY = 300
# With fewer rows per column, a squared loss approximates the loss badly.
_FEW_ROWS = 5
# Held-out scores of the squared loss are credible up to this factor from its
# likelihood.
_CREDIBLE = 30.0
_N_SWEEPS = 2


@dataclass(frozen=True)
class LossStart:
    """A solution, its working rows, and the strengths that these make likely.

    Parameters
    ----------
    solution : ndarray
        Variable of the losses.
    working : WorkingRows
        Rows of the squared loss that approximates the losses at the solution.
    strengths : tuple of float
        Strengths of tasks, of the centre and of intercepts, which maximise the
        restricted likelihood of the working rows.
    """

    solution: Array
    working: WorkingRows
    strengths: tuple[float, ...]

    @classmethod
    def of(
        cls, datafit: Datafit, units: tuple[float, float], candidates: Candidates
    ) -> LossStart:
        """Return the start for losses.

        Parameters
        ----------
        datafit : Datafit
            Losses of the rows.
        units : tuple of float
            Mean curvatures of a task along a feature, and along its intercept.
        candidates : Candidates
            Strengths, with given relative ones of the features, or equal ones.

        Returns
        -------
        LossStart
            The start.
        """
        unit, of_intercept = units
        shape, given = candidates.shape, None
        if not candidates.free[1]:
            given = float(candidates.alphas_shared[0])
        shared = 1.0 if given is None else given
        triple = unit, shared, _INTERCEPT * of_intercept
        strengths = shape.strengths(datafit.n_features, *triple)
        losses = MeanLosses(datafit, strengths)
        variable = _ROUGH.minimize(losses, losses.start()).variable
        working = WorkingRows.at(datafit, losses.coefs(variable), variable[-1])
        found = _likeliest(working.scaled(shape.pattern, variable[-1]), given)
        alpha, shared, level = (float(each) / working.scale for each in found)
        if given is not None:
            return cls(variable, working, (alpha, given, level))
        if not working.has_centre:
            coef = variable[-1][:, : datafit.n_features]
            shared = coef.size / max(float((coef**2).sum()), coef.size / _MOST)
        shared = float(np.clip(shared, _LEAST * unit, _MOST * unit))
        return cls(variable, working, (alpha, shared, level))

    def held_out(
        self, candidates: Candidates, splits: Splits, measure: Callable[..., Any]
    ) -> tuple[tuple[float, ...], Any]:
        """Return strengths of tasks and intercepts with good held-out scores.

        The scores are those of the working rows' models, which moments of folds give.

        Parameters
        ----------
        candidates : Candidates
            Strengths to choose from.
        splits : list of (ndarray, ndarray)
            Training and test rows of X.
        measure : callable
            Called with test rows, it returns a function that scores a solution.

        Returns
        -------
        strengths : tuple of float
            The strengths; that of the centre is the likeliest one.
        similar : callable or None
            Error of the working rows' models, a function of strengths; None if these
            rows say nothing about the centre.
        """
        if not self.working.has_centre:
            return self.strengths, None
        scale = self.working.scale
        shared = np.array([scale * self.strengths[1]])
        scaled = replace(
            candidates,
            alphas=scale * candidates.alphas,
            alphas_shared=shared,
            alphas_intercept=scale * candidates.alphas_intercept,
            free=(True, False, True),
        )
        tried = Tried(HeldOut(self.working.data, splits, measure).measured(scaled))

        def similar(strengths):
            return tried(scale * each for each in strengths)

        unscaled = replace(
            scaled,
            alphas=candidates.alphas,
            alphas_shared=np.array([self.strengths[1]]),
            alphas_intercept=candidates.alphas_intercept,
        )
        best = descend(similar, self.strengths, unscaled.axes(), NEARBY, _N_SWEEPS)
        near = tuple(
            found if first / _CREDIBLE < found < first * _CREDIBLE else first
            for found, first in zip(best, self.strengths, strict=True)
        )
        return near, similar


def may_start(datafit: Datafit, candidates: Candidates) -> bool:
    """Return whether to search from a start, and not over lists of strengths."""
    n_columns = datafit.shape[2]
    is_small = not datafit.iterates and n_columns <= _MANY
    own, shared, level = candidates.free
    is_free = own and level and (shared or len(candidates.alphas_shared) == 1)
    n_rows = len(datafit.data.y)
    return is_small and is_free and n_rows > _FEW_ROWS * n_columns


def _likeliest(working, given):
    """Return the strengths with the largest restricted likelihood."""
    shared = None if given is None else given * working.scale
    shared = shared if working.has_centre else np.inf
    has_intercept = working.fit_intercept
    search = StrengthSearch(
        working.moments,
        shared,
        has_intercept,
        False,
        shared is None,
        _TOL,
        working.scale,
    )
    return search.search()[-1][:3]
