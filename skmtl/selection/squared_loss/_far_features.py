"""Strengths for features far from zero, searched about their mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from skmtl._contracts import Array

from ._candidates import Candidates
from ._scores import Criterion, Scores

# A feature is far from zero if its mean is beyond this many standard deviations.
_FAR = 30.0
# Strength of intercepts that acts as zero on centred features, per weight of a task.
_FREE = 1e-9


def far_mean(moments: Any) -> Array | None:
    """Return the means of the features, or None if none is far from zero.

    Parameters
    ----------
    moments : TaskMoments
        Moments about the means.

    Returns
    -------
    ndarray of shape (n_features,) or None
        The means over all rows.
    """
    weight, means = moments.weight, moments.per_task().x_mean
    total = weight.sum()
    mean: Array = weight @ means / total
    within = moments.curvatures * (moments.n_tasks / len(moments.curvatures))
    scatter = within.sum(axis=0) + weight @ (means - mean) ** 2
    is_far = (scatter > 0) & (total * mean**2 > _FAR**2 * scatter)
    return mean if is_far.any() else None


def move_origin(
    chosen: Scores, criterion: Criterion, candidates: Candidates, origin: Array
) -> Scores:
    """Return scores of strengths that are the same for features about zero.

    A penalty on differences of both slopes and intercepts depends on the origin. If it
    was chosen about the means, it is replaced by free intercepts, or by equal slopes.

    Parameters
    ----------
    chosen : Scores
        Strengths for features about their means.
    criterion : Criterion
        Error of strengths, of the same features.
    candidates : Candidates
        Lists of strengths, of equal features.
    origin : ndarray of shape (n_features,)
        The means.

    Returns
    -------
    Scores
        Strengths of the original features.
    """
    if chosen.shape.rotation is not None:
        rotation = chosen.shape.rotation
        moved = replace(rotation, origin=rotation.origin + origin)
        return replace(chosen, shape=replace(chosen.shape, rotation=moved))
    if np.isinf(chosen.chosen[0]):
        return chosen
    least = candidates.alphas_intercept.min() * _FREE
    apart = replace(
        candidates,
        shape=chosen.shape,
        alphas_intercept=np.array([least]),
        free=(*candidates.free[:2], False),
    )
    equal = criterion.search(candidates.restrict([True, False, False]))
    free = criterion.search(apart)
    if equal.best_error <= free.best_error:
        return equal
    triples = free.triples * np.where(np.arange(3) < 2, 1.0, 0.0)
    return replace(free, triples=triples)
