"""Choose the factorisation that suits the data and the strengths."""

import warnings
from dataclasses import replace

import numpy as np
from scipy.linalg import LinAlgWarning

from skmtl._numbers import FEW_FEATURES, FEW_ROWS_TO_FACTOR, INFINITE
from skmtl.solvers import Inverse, Spectral

from ._mean_exact import MeanFit

# Above this ratio of eigenvalues a solution keeps fewer than six digits.
_ILL_CONDITIONED = 1e10


def solve_rows(data, pull, fit_intercept=True):
    """Pose the problem of rows that are fewer than features.

    Parameters
    ----------
    data : TaskData
        Rows of tasks.
    pull : Strengths
        Strengths, with a positive pattern.
    fit_intercept : bool, default=True
        Whether tasks have an intercept.

    Returns
    -------
    MeanFit
        The problem, which solves itself when it is read.
    """
    moments = data.moments(curvature=False)
    moments = moments if fit_intercept else moments.about_zero()
    pull = _bound(pull, _row_curvature(data, fit_intercept), moments)
    blocks = factor_rows(data, pull, fit_intercept)
    return MeanFit(moments, blocks, pull, fit_intercept)


def _row_curvature(data, fit_intercept):
    """Return the largest curvature of a task along each feature."""
    curvature = np.zeros(data.X.shape[1])
    for _, X in data.roots(fit_intercept)[1]:
        squares = np.einsum("tij,tij->tj", X, X)
        np.maximum(curvature, squares.max(axis=0, initial=0.0), out=curvature)
    return curvature


def solve_moments(moments, pull, fit_intercept=True):
    """Pose the problem of moments.

    Parameters
    ----------
    moments : TaskMoments
        Moments about the means, with their matrices.
    pull : Strengths
        Strengths.
    fit_intercept : bool, default=True
        Whether tasks have an intercept.

    Returns
    -------
    MeanFit
        The problem, which solves itself when it is read.
    """
    moments = moments if fit_intercept else moments.about_zero()
    pull = bound(pull, moments)
    return MeanFit(moments, factor_moments(moments, pull), pull, fit_intercept)


def has_few_rows(data):
    """Return whether tasks have so few rows that factoring these is cheaper."""
    n_rows, n_features = data.mean_rows(), data.X.shape[1]
    return n_features > FEW_FEATURES and n_rows < FEW_ROWS_TO_FACTOR * n_features


def factor_rows(data, pull, fit_intercept=True):
    """Factor the blocks from rows fewer than features.

    Parameters
    ----------
    data : TaskData
        Rows of tasks.
    pull : Strengths
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
    return Spectral.from_groups(groups, n_blocks, n_features, pull.pattern, pull.alpha)


def factor_moments(moments, pull):
    """Factor the blocks from moments, by inversion unless that loses digits.

    Parameters
    ----------
    moments : TaskMoments
        Moments with their matrices.
    pull : Strengths
        Strengths.

    Returns
    -------
    TaskBlocks
        The factored blocks.
    """
    if moments.roots is not None:
        return factor_path(moments, pull)
    strengths_differ = len(moments.xx) < len(pull.alpha)
    if not strengths_differ:
        blocks = Inverse.factor(moments.xx, pull.own)
        if blocks.trusted:
            return blocks
    if not (pull.pattern > 0).all():
        free = np.flatnonzero(pull.pattern == 0)[:5].tolist()
        raise ValueError(
            "Where alpha is 0 the rows of every task must determine its coefficients, "
            f"and features {free} with alpha 0 are collinear or constant in some task. "
            "Give these features a positive alpha, or drop them."
        )
    return factor_path(moments, pull)


def factor_path(moments, pull):
    """Factor the blocks for many strengths of one pattern.

    Parameters
    ----------
    moments : TaskMoments
        Moments with their matrices.
    pull : Strengths
        Strengths, with a positive pattern.

    Returns
    -------
    Spectral
        The factored blocks.
    """
    if moments.roots is not None:
        shape = moments.xy.shape
        return Spectral.from_groups(moments.roots, *shape, pull.pattern, pull.alpha)
    blocks = Spectral.from_curvature(moments.xx, pull.pattern, pull.alpha)
    if blocks.condition > _ILL_CONDITIONED:
        warnings.warn(
            f"The condition number of a task's problem is {blocks.condition:.1e}, and "
            f"coefficients are accurate only below {_ILL_CONDITIONED:.0e}. Scale the "
            "features, drop collinear ones, or raise alpha.",
            LinAlgWarning,
            stacklevel=2,
        )
    return blocks


def bound(pull, moments):
    """Replace infinite strengths by ones beyond which nothing changes.

    Parameters
    ----------
    pull : Strengths
        Strengths, possibly infinite.
    moments : TaskMoments
        Moments with their matrices.

    Returns
    -------
    Strengths
        Finite strengths of the tasks' own parts.
    """
    return _bound(pull, moments.curvatures.max(axis=0, initial=0.0), moments)


def _bound(pull, curvature, moments):
    infinite = np.isinf(pull.own)
    if not infinite.any():
        return pull
    if pull.intercept > 0:  # coefficients may act as intercepts
        level = moments.weight[:, None] * moments.x_mean**2
        curvature = curvature + level.max(axis=0, initial=0.0)
    ceiling = INFINITE * np.where(curvature > 0, curvature, 1.0)
    pattern = np.where(infinite.any(axis=0), ceiling, pull.pattern)
    return replace(pull, alpha=np.ones(1), pattern=pattern)
