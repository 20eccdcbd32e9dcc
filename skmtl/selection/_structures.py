"""Choice between one strength, one per feature, and a covariance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl.couplings import Rotation

from ._mean_grid import Candidates, mean_curvature
from ._mean_scores import Scores
from ._shapes import COVARIANCE, ONE, PER_FEATURE, STRUCTURES, Shape, Shapes

AUTO = "auto"
# With more features, covariances are not tried unless they are asked for: they have
# more parameters than data usually determine.
MOST_FEATURES = 30
# Strengths of equal tasks in a precision matrix, relative to the curvature.
_RIGID = 1e6
# Number of groups of tasks whose errors are computed with shapes of the other tasks.
_N_FOLDS = 4
# With fewer tasks, their differences say little about features.
FEWEST_TASKS = 6


def allowed_structures(
    structure: str, candidates: Candidates, moments: Any
) -> list[str]:
    """Return the structures to try beyond one strength.

    Parameters
    ----------
    structure : {"auto", "one", "per_feature", "covariance"}
        The structure asked for.
    candidates : Candidates
        Lists of strengths.
    moments : TaskMoments
        Moments of the rows.

    Returns
    -------
    list of str
        Structures. With "auto", given lists of `alphas` are those of one strength, and
        given lists of `alphas_intercept` exclude covariances.
    """
    if structure == COVARIANCE and any(
        np.isinf(values).any() and not is_free
        for values, is_free in zip(
            candidates.lists[::2], candidates.free[::2], strict=True
        )
    ):
        raise ValueError(
            "alphas and alphas_intercept must be finite for "
            "alpha_structure='covariance', whose precision matrix is finite, got "
            "infinity. Leave it out, or leave the list at None."
        )
    if structure != AUTO:
        return [structure] if structure != ONE else []
    n_features = moments.n_features
    n_tasks = (moments.weight > 0).sum()
    if not candidates.free[0] or n_features == 0 or n_tasks < FEWEST_TASKS:
        return []
    found = [PER_FEATURE] if n_features > 1 else []
    n_columns = n_features + candidates.fit_intercept
    if candidates.free[2] and 1 < n_columns <= MOST_FEATURES + 1:
        found.append(COVARIANCE)
    return found


@dataclass(frozen=True)
class Contender:
    """A shape with the strengths that suit it, and its honest error.

    Parameters
    ----------
    scores : Scores
        Scores of its strengths.
    parts : ndarray of shape (n_tasks,)
        Sums of squared errors per task, with shapes learnt from other tasks.
    gain : float
        Twice the gain of the log likelihood over one strength, less the gain that would
        be evidence for its parameters.
    """

    scores: Scores
    parts: Array
    gain: float = 0.0

    @property
    def structure(self) -> str:
        """Structure of the strengths."""
        return self.scores.shape.structure


@dataclass(frozen=True)
class StructureSearch:
    """Search the strengths of several structures, and choose one of them.

    Parameters
    ----------
    score : callable
        Function of Candidates, and of strengths to start from.
    squares : callable
        The same by squared errors, whose parts are tasks.
    candidates : Candidates
        Lists of strengths.
    moments : TaskMoments
        Moments of the rows, about zero without intercept.
    """

    score: Callable[..., Scores]
    squares: Callable[..., Scores]
    candidates: Candidates
    moments: Any

    def search(self, structure: str) -> tuple[list[Scores], Scores]:
        """Return all scores, and the chosen ones.

        Parameters
        ----------
        structure : {"auto", "one", "per_feature", "covariance"}
            The structure asked for.

        Returns
        -------
        found : list of Scores
            Scores of every shape that was tried.
        chosen : Scores
            One of them.
        """
        one = self.score(self.candidates)
        structures = allowed_structures(structure, self.candidates, self.moments)
        if not structures:
            return [one], one
        if not np.isfinite(one.chosen[0]) or self._n_tasks == 1:
            found = one if structure == AUTO else _plain(one, structure, self.moments)
            return [found], found
        shapes = Shapes.near(self.moments, self.candidates.fit_intercept, one.chosen)
        if structure == AUTO:
            structures = [each for each in structures if shapes.is_promising(each)]
        found = [Contender(one, self._parts(one.shape, one.chosen))]
        for each in structures:
            found += self._contenders(each, one, shapes)
        some = [each for each in found if structure in (AUTO, each.structure)]
        chosen = simplest(some, self.moments.weight)
        return [each.scores for each in found], chosen.scores

    @property
    def _n_tasks(self):
        return int((self.moments.weight > 0).sum())

    def _contenders(self, structure, one, shapes):
        """Return the shapes of a structure, with errors by shapes of other tasks."""
        whole, folds = shapes.of(structure), self._folds
        others = [
            shapes.of_others(structure, shapes.of_tasks(folds != k))
            for k in range(folds.max() + 1)
        ]
        weight = self.moments.weight
        evidence = shapes.n_more(structure) * np.log(self._n_tasks)
        found = []
        for number, shape in enumerate(whole):
            scores = self._search_shape(one, shape)
            factors = [
                each / first if 0 < first < np.inf else 1.0
                for each, first in zip(scores.chosen[::2], shape.start, strict=True)
            ]
            parts = np.zeros(len(weight))
            for k, some in enumerate(others):
                other = some[number]
                alpha, level = np.array(other.start) * factors
                errors = self._parts(other, (alpha, scores.chosen[1], level))
                parts[folds == k] = errors[folds == k]
            found.append(Contender(scores, parts, shapes.gain(structure) - evidence))
        return found

    @cached_property
    def _folds(self):
        """Fold of each task."""
        order = np.argsort(np.argsort(-self.moments.weight, kind="stable"))
        return order % min(_N_FOLDS, self._n_tasks)

    def _parts(self, shape, triple):
        """Return sums of squared errors of the tasks at given strengths."""
        fixed = self.candidates.fixed(triple, shape)
        return self.squares(fixed, triple).parts

    def _search_shape(self, one, shape):
        """Search the strengths of one shape."""
        shaped = replace(self.candidates, shape=shape)
        if shape.rotation is not None:
            shaped = shaped.without_infinite()
        if not all(shaped.free):
            return self.score(shaped)
        alpha, level = shape.start
        return self.score(shaped, (alpha, one.chosen[1], level))


def simplest(found: Sequence[Contender], weight: Array) -> Contender:
    """Return the simplest structure that the data do not speak against.

    A simpler structure is taken if its error is within one standard error of the
    smallest, and the likelihood is no evidence against it.

    Parameters
    ----------
    found : list of Contender
        Shapes of one or several structures.
    weight : ndarray of shape (n_tasks,)
        Weight of each task's rows.

    Returns
    -------
    Contender
        The chosen shape.
    """
    best = min(found, key=lambda each: each.parts.sum())
    for structure in STRUCTURES:
        some = [each for each in found if each.structure == structure]
        if not some:
            continue
        first = min(some, key=lambda each: each.parts.sum())
        if first.structure == best.structure:
            return first
        if first.gain >= best.gain and within_one_error(
            first.parts, best.parts, weight
        ):
            return first
    return best


def within_one_error(parts: Array, best: Array, weight: Array) -> bool:
    """Return whether an error is within one standard error of the smallest one.

    Parameters
    ----------
    parts, best : ndarray of shape (n_parts,)
        Sums of errors of each part.
    weight : ndarray of shape (n_parts,)
        Weights of the parts.

    Returns
    -------
    bool
        Whether the mean difference is at most its standard error, with parts as
        clusters.
    """
    seen = weight > 0
    difference, weight = (parts - best)[seen], weight[seen]
    n_parts, total = len(weight), weight.sum()
    mean = difference.sum() / total
    spread = ((difference - mean * weight) ** 2).sum()
    return bool(mean <= np.sqrt(spread * n_parts / max(n_parts - 1, 1)) / total)


def join_tables(found: Iterable[Scores], chosen: Scores) -> tuple[Array, Array, dict]:
    """Return strengths, errors and shapes of all scores, the chosen ones last.

    Parameters
    ----------
    found : list of Scores
        All scores.
    chosen : Scores
        One of them.

    Returns
    -------
    triples : ndarray of shape (n_tried, 3)
        Strengths.
    errors : ndarray of shape (n_tried,) or (n_splits, n_tried)
        Errors.
    shapes : dict of ndarray of shape (n_tried,)
        "alpha_structure" and "alpha_share".
    """
    tables = [each for each in found if each is not chosen] + [chosen]
    sizes = [len(each.triples) for each in tables]
    return (
        np.concatenate([each.triples for each in tables]),
        np.concatenate([each.errors for each in tables], axis=-1),
        {
            "alpha_structure": np.repeat([e.shape.structure for e in tables], sizes),
            "alpha_share": np.repeat([e.shape.share for e in tables], sizes),
        },
    )
