"""Factorisations of squared losses with a coupling to a centre."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.linalg import LinAlgWarning

from skmtl._contracts import TaskBlocks
from skmtl._numbers import FEW_FEATURES, FEW_ROWS_TO_FACTOR, INFINITE
from skmtl.couplings import Strengths
from skmtl.data import TaskMoments
from skmtl.solvers import Inverse, Spectral

from ._mean_exact import MeanFit

# Warn above this ratio of eigenvalues: a solution has fewer than six correct digits.
_ILL_CONDITIONED = 1e10


def solve_rows(data: Any, strengths: Strengths, fit_intercept: bool = True) -> MeanFit:
    """Solve for rows that are fewer than features.

    Parameters
    ----------
    data : TaskData
        Rows of the tasks.
    strengths : Strengths
        Strengths, with a positive pattern.
    fit_intercept : bool, default=True
        Whether tasks have an intercept.

    Returns
    -------
    MeanFit
        The solution, computed when it is read.
    """
    moments = data.moments(curvature=False)
    moments = moments if fit_intercept else moments.about_zero()
    strengths = _bound(strengths, _row_curvature(data, fit_intercept), moments)
    blocks = factor_rows(data, strengths, fit_intercept)
    return MeanFit(moments, blocks, strengths, fit_intercept)


def _row_curvature(data, fit_intercept):
    """Return the largest curvature of a task along each feature."""
    curvature = np.zeros(data.X.shape[1])
    for _, X in data.roots(fit_intercept)[1]:
        squares = np.einsum("tij,tij->tj", X, X)
        np.maximum(curvature, squares.max(axis=0, initial=0.0), out=curvature)
    return curvature


def solve_moments(
    moments: TaskMoments, strengths: Strengths, fit_intercept: bool = True
) -> MeanFit:
    """Solve for moments.

    Parameters
    ----------
    moments : TaskMoments
        Moments about the means, with scatter matrices.
    strengths : Strengths
        Strengths.
    fit_intercept : bool, default=True
        Whether tasks have an intercept.

    Returns
    -------
    MeanFit
        The solution, computed when it is read.
    """
    moments = moments if fit_intercept else moments.about_zero()
    if strengths.rotation is not None:
        rotation = strengths.rotation
        moments = moments.turned(rotation.basis, rotation.origin)
    strengths = bound(strengths, moments)
    blocks = factor_moments(moments, strengths)
    return MeanFit(moments, blocks, strengths, fit_intercept)


def has_few_rows(data: Any) -> bool:
    """Return whether factoring rows is cheaper than factoring scatter matrices.

    Parameters
    ----------
    data : TaskData
        Rows of the tasks.

    Returns
    -------
    bool
        Whether tasks have far fewer rows than features.
    """
    n_rows, n_features = data.mean_rows(), data.X.shape[1]
    return n_features > FEW_FEATURES and n_rows < FEW_ROWS_TO_FACTOR * n_features


def factor_rows(
    data: Any, strengths: Strengths, fit_intercept: bool = True
) -> Spectral:
    """Factor the blocks from rows that are fewer than features.

    Parameters
    ----------
    data : TaskData
        Rows of the tasks.
    strengths : Strengths
        Strengths, with a positive pattern.
    fit_intercept : bool, default=True
        Whether rows are centred.

    Returns
    -------
    Spectral
        The factored blocks.
    """
    n_blocks, groups = data.roots(fit_intercept)
    n_features = data.X.shape[1]
    pattern, alpha = strengths.pattern, strengths.alpha
    return Spectral.from_groups(groups, n_blocks, n_features, pattern, alpha)


def factor_moments(moments: TaskMoments, strengths: Strengths) -> TaskBlocks:
    """Factor the blocks from moments, by inversion unless that loses digits.

    Parameters
    ----------
    moments : TaskMoments
        Moments with scatter matrices.
    strengths : Strengths
        Strengths.

    Returns
    -------
    TaskBlocks
        The factored blocks.
    """
    if moments.roots is not None:
        return factor_path(moments, strengths)
    xx: Any = moments.xx
    strengths_differ = len(xx) < len(strengths.alpha)
    if not strengths_differ:
        blocks = Inverse.factor(xx, strengths.own)
        if blocks.trusted:
            return blocks
    if not (strengths.pattern > 0).all():
        free = np.flatnonzero(strengths.pattern == 0)[:5].tolist()
        raise ValueError(
            "Where alpha is 0, the rows of every task must determine its coefficients. "
            f"Features {free} with alpha 0 are collinear or constant in some task. "
            "Give these features a positive alpha, or drop them."
        )
    return factor_path(moments, strengths)


def factor_path(moments: TaskMoments, strengths: Strengths) -> Spectral:
    """Factor the blocks for many strengths of one pattern.

    Parameters
    ----------
    moments : TaskMoments
        Moments with scatter matrices.
    strengths : Strengths
        Strengths, with a positive pattern.

    Returns
    -------
    Spectral
        The factored blocks.
    """
    pattern, alpha = strengths.pattern, strengths.alpha
    if moments.roots is not None:
        n_tasks, n_features = moments.xy.shape
        return Spectral.from_groups(moments.roots, n_tasks, n_features, pattern, alpha)
    blocks = Spectral.from_curvature(moments.xx, pattern, alpha)
    if blocks.condition > _ILL_CONDITIONED:
        warnings.warn(
            "The condition number of each task's problem must be at most "
            f"{_ILL_CONDITIONED:.0e} for accurate coefficients, got "
            f"{blocks.condition:.1e}. Scale the features, drop collinear ones, or "
            "raise alpha.",
            LinAlgWarning,
            stacklevel=2,
        )
    return blocks


def bound(strengths: Strengths, moments: TaskMoments) -> Strengths:
    """Replace infinite strengths by finite ones that act as infinite.

    Parameters
    ----------
    strengths : Strengths
        Strengths, possibly infinite.
    moments : TaskMoments
        Moments with scatter matrices.

    Returns
    -------
    Strengths
        Finite strengths of the tasks' own parts.
    """
    return _bound(strengths, moments.curvatures.max(axis=0, initial=0.0), moments)


def _bound(strengths, curvature, moments):
    infinite = np.isinf(strengths.own)
    if not infinite.any():
        return strengths
    if strengths.intercept > 0:  # coefficients may act as intercepts
        at_means = moments.weight[:, None] * moments.x_mean**2
        curvature = curvature + at_means.max(axis=0, initial=0.0)
    ceiling = INFINITE * np.where(curvature > 0, curvature, 1.0)
    pattern = np.where(infinite.any(axis=0), ceiling, strengths.pattern)
    return replace(strengths, alpha=np.ones(1), pattern=pattern)
