"""Choice between one strength, one per feature, and a covariance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl._numbers import TINY
from skmtl.couplings import Rotation
from skmtl.problems.exact import reduce_moments

from ..likelihood import (
    COVARIANCE,
    ONE,
    PER_FEATURE,
    STRUCTURES,
    Drawing,
    Shape,
    Shapes,
    StrengthSearch,
    VarianceSearch,
)
from ..search import is_costly, sample_tasks
from ._candidates import Candidates, mean_curvature
from ._scores import Criterion, Scores, likely_strengths
from ._strength_fits import Part

AUTO = "auto"
# With more features, covariances are not tried unless they are asked for: they have
# more parameters than data usually determine.
MOST_FEATURES = 30
# Strengths of equal tasks in a precision matrix, relative to the curvature.
_RIGID = 1e6
# Number of groups of tasks whose errors are computed with shapes of the other tasks.
_N_FOLDS = 4
# Sweeps over the strengths of a shape before one is chosen.
_N_SWEEPS = 1
# Likelier strengths are chosen up to this relative increase of the error, with numbers
# of tasks in this range: the variance between fewer is uncertain, and errors of more
# distinguish strengths well.
_LARGEST_INCREASE, _TASKS_OF_LIKELIHOOD = 0.05, (10, 200)
# Relative decrease of the likelihood's criterion at which its search stops, and the
# decrease that a last step of Fisher scoring promises.
_TOL, _DECREASE = 1e-8, 1e-6
# Numbers of tasks by which shapes are searched and compared, and strengths are refined.
_N_SAMPLED, _N_REFINED = 256, 1024
# With fewer tasks, their differences say little about features.
FEWEST_TASKS = 6
# With more features per task, tasks say too little of the variance of each feature.
PER_TASK = 5


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
        Structures. With "auto", given lists of `alphas` are those of one strength,
        given lists of `alphas_intercept` exclude covariances, and more than five
        features per task exclude a strength for each.
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
    found = [PER_FEATURE] if 1 < n_features <= PER_TASK * n_tasks else []
    n_columns = n_features + candidates.fit_intercept
    if candidates.free[2] and 1 < n_columns <= MOST_FEATURES + 1:
        found.append(COVARIANCE)
    return found


@dataclass(frozen=True)
class Contender:
    """A shape with its chosen strengths, and its error on held-out tasks.

    Parameters
    ----------
    scores : Scores
        Scores of its strengths.
    squares : ndarray of shape (n_tasks,)
        Sums of squared errors per task, with shapes learnt from other tasks.
    gain : float
        Twice the gain of the log likelihood over one strength, less Schwarz's price of
        its parameters.
    shapes : Shapes or None, default=None
        The search that found the shape.
    number : int, default=0
        Its number among those of its structure.
    """

    scores: Scores
    squares: Array
    gain: float = 0.0
    shapes: Shapes | None = None
    number: int = 0

    def refit(self, is_sampled: bool, drawing: Drawing) -> Scores:
        """Return the scores, with the shape fitted to all tasks if it was to some."""
        if not is_sampled or self.shapes is None:
            return self.scores
        shape = self.shapes.refitted(self.structure, drawing)[self.number]
        chosen = _transfer(self.scores.chosen, self.scores.shape.start, shape.start)
        return replace(self.scores, triples=np.array([chosen]), shape=shape)

    @property
    def structure(self) -> str:
        """Structure of the strengths."""
        return self.scores.shape.structure

    @property
    def error(self) -> float:
        """Sum of the squared errors."""
        return float(self.squares.sum())


@dataclass(frozen=True)
class StructureSearch:
    """Search the strengths of several structures, and choose one of them.

    Parameters
    ----------
    criterion : Criterion
        Error of strengths.
    candidates : Candidates
        Lists of strengths.
    moments : TaskMoments
        Moments of the rows, about zero without intercept.
    data : TaskData or None
        The rows, None if tasks share them.
    judge : Criterion or None, default=None
        Error by which structures are compared; None for the criterion.
    """

    criterion: Criterion
    candidates: Candidates
    moments: Any
    data: Any
    judge: Criterion | None = None

    def search(self, structure: str) -> tuple[list[Scores], Scores]:
        """Return all scores, and the chosen ones.

        A leave-one-out error of few rows hardly changes with the strengths. Those of
        the largest likelihood are therefore chosen if their error is within one
        standard error of the smallest one.

        Parameters
        ----------
        structure : {"auto", "one", "per_feature", "covariance"}
            The structure asked for.

        Returns
        -------
        found : list of Scores
            Scores of every shape with which all rows were fitted.
        chosen : Scores
            One of them.
        """
        found, chosen = self._search(structure)
        low, high = _TASKS_OF_LIKELIHOOD
        suits = self._is_free and low <= self._n_tasks <= high
        if self.criterion.prefers_likely and suits:
            likely = self._likely(chosen)
            return [*(each for each in found if each is not chosen), likely], likely
        return found, chosen

    def _likely(self, chosen):
        """Return scores at the likeliest strengths, if their error is small enough."""
        shape, weight = chosen.shape, self.moments.weight
        if not np.isfinite(chosen.chosen[0]):
            return chosen
        if shape.start:
            triple = shape.start[0], chosen.chosen[1], shape.start[1]
        elif shape.structure == ONE:
            triple = self._likeliest
        else:  # given relative strengths, or equal tasks
            return chosen
        shaped = replace(self.candidates, shape=shape)
        squares = self.criterion.squares(shaped, triple)
        least = self.criterion.squares(shaped, chosen.chosen)
        is_near = squares.sum() <= (1 + _LARGEST_INCREASE) * least.sum()
        if is_near and within_one_error(squares, least, weight):
            return chosen.append(triple, squares.sum() / weight.sum())
        return chosen

    @property
    def _likeliest(self):
        """The likeliest strengths of all tasks, one of each."""
        has_intercept = self.candidates.fit_intercept
        if not self._fits.can_sample:
            moments = reduce_moments(self.moments, self.data)
            search = StrengthSearch(moments, None, has_intercept, False, tol=_TOL)
            return search.search()[-1][:3]
        near = self._likely_shapes.likeliest(ONE).drawn
        search = VarianceSearch(near.drawing, False, True, False, _DECREASE)
        return search.search(near)[-1][:3]

    def _search(self, structure):
        """Return all scores, and those of the smallest errors."""
        structures = allowed_structures(structure, self.candidates, self.moments)
        is_whole = not self._is_quick
        one = self.criterion.search(self.candidates) if is_whole else self._likely_one
        is_rigid = not np.isfinite(one.chosen[0]) or self._n_tasks == 1
        if not structures or is_rigid:
            one = one if is_whole else self._refined(one)
            is_shaped = structures and structure != AUTO
            found = self._without_shape(one, structure) if is_shaped else one
            return [found], found
        contenders = self._contenders(one, structures, structure == AUTO)
        known = [one, *(each.scores for each in contenders)] if is_whole else []
        if structure == AUTO and contenders:
            contenders.insert(0, Contender(one, self._squares_of(one)))
        chosen = Contender(one, np.zeros(0))
        if contenders:
            chosen = simplest(contenders, self._some.moments.weight)
        if chosen.scores is one and is_whole:
            return known, one
        refined = self._refined(chosen.refit(not is_whole, self._drawing))
        return [*known, refined], refined

    @cached_property
    def _likely_shapes(self):
        """Shapes of some tasks, and the likeliest strengths."""
        unit, weight = mean_curvature(self.moments), self.moments.weight
        typical = unit, unit, weight[weight > 0].mean()
        return Shapes.near(self._some._drawing, typical, centre=True)

    @property
    def _likely_one(self):
        """Scores of the likeliest strengths of some tasks, one of each."""
        near = self._likely_shapes.likeliest(ONE).drawn
        return likely_strengths(self._fits, self.candidates, near)

    @cached_property
    def _fits(self):
        return self.criterion.sources.fits(self.candidates)

    def _contenders(self, one, structures, only_worthwhile):
        """Return the shapes of some structures, found by a sample of the tasks."""
        shapes = self._likely_shapes
        if not self._is_quick:
            shapes = Shapes.near(self._drawing, one.chosen)
        found: list[Contender] = []
        for each in structures:
            if not only_worthwhile or shapes.is_worthwhile(each):
                found += self._contenders_of(each, one, shapes)
        return found

    def _refined(self, scores):
        """Return scores of a shape by all tasks, searched from likely strengths.

        Many tasks determine strengths better than needed: some of them are enough.
        """
        shaped, start = self._shaped(scores.shape), scores.chosen
        if scores.shape.structure == ONE:
            shaped = shaped.restrict(np.isinf(start))
        some = self._of_tasks(self._sample(_N_REFINED))
        found = some.criterion.search(shaped, start if self._is_free else None)
        if some is self:
            return found
        return self.criterion.score(shaped, found.chosen)

    @property
    def _is_quick(self):
        """Whether to search with few fits, as they take long."""
        is_free = self._is_free and self.candidates.shape.pattern is None
        if self.data is None or not (is_free and is_costly(self.moments)):
            return False
        return self._fits.can_sample

    @property
    def _judged(self):
        """The search with the criterion by which structures are compared."""
        return self if self.judge is None else replace(self, criterion=self.judge)

    @property
    def _n_tasks(self):
        return int((self.moments.weight > 0).sum())

    @property
    def _is_free(self):
        return all(self.candidates.free)

    def _without_shape(self, one, structure):
        """Return the scores of equal tasks in the form of a structure."""
        shape, triple = equal_tasks(structure, self.moments, one.chosen)
        triples = one.triples.copy()
        triples[-1] = triple
        return replace(one, shape=shape, triples=triples)

    @cached_property
    def _sampled(self):
        """Positions of the tasks by which shapes are searched and compared."""
        return self._sample(_N_SAMPLED)

    @cached_property
    def _some(self):
        """The search with the tasks by which shapes are searched and compared."""
        return self._of_tasks(self._sampled)

    @cached_property
    def _drawing(self):
        """The rows, in the form for likelihoods."""
        moments = self.moments.per_task()
        return Drawing(self.data, moments, self.candidates.fit_intercept)

    def _sample(self, n_tasks):
        """Return positions of some tasks, or of all if strengths are given."""
        if not self._is_quick:
            return np.arange(self.moments.n_tasks)
        return sample_tasks(self.moments.weight, n_tasks)

    def _of_tasks(self, tasks):
        """Return the same search with some of the tasks."""
        if len(tasks) == self.moments.n_tasks:
            return self
        return replace(
            self,
            criterion=self.criterion.of_tasks(tasks),
            judge=None if self.judge is None else self.judge.of_tasks(tasks),
            moments=self.moments.select(tasks),
            data=self.data.of_tasks(tasks),
        )

    def _contenders_of(self, structure, one, shapes):
        """Return the shapes of a structure, with errors by shapes of other tasks."""
        folds, weight = self._folds, self.moments.weight
        others = [
            shapes.of_others(structure, folds != k) for k in range(folds.max() + 1)
        ]
        gain = shapes.gain(structure) * (weight.sum() / weight[self._sampled].sum())
        gain -= shapes.n_more(structure) * np.log(weight.sum())
        found = []
        for number, shape in enumerate(shapes.of(structure)):
            start = shape.start[0], one.chosen[1], shape.start[1]
            scores = self._near(self._shaped(shape), start)
            squares = self._squares_of(scores, [some[number] for some in others])
            found.append(Contender(scores, squares, gain, shapes, number))
        return found

    def _near(self, shaped, start):
        """Return scores of likely strengths, which are refined if there is time."""
        if self._is_quick:
            return Scores(np.array([start]), np.full(1, np.nan), shaped.shape)
        start = start if self._is_free else None
        return self.criterion.search(shaped, start, _N_SWEEPS)

    @cached_property
    def _folds(self):
        """Fold of each sampled task; large and small tasks are in every fold."""
        weight = self._some.moments.weight
        order = np.argsort(np.argsort(-weight, kind="stable"))
        return order % min(_N_FOLDS, self._n_tasks)

    def _squares_of(self, scores, others=()):
        """Return sums of squared errors of the sampled tasks.

        Parameters
        ----------
        scores : Scores
            A shape and its strengths.
        others : list of Shape
            Shapes for the tasks of each fold.
        """
        compared, folds = self._some._judged, self._folds
        parts = [
            Part(
                np.flatnonzero(folds == k),
                shape,
                _transfer(scores.chosen, scores.shape.start, shape.start),
            )
            for k, shape in enumerate(others)
        ]
        shaped = replace(self.candidates, shape=scores.shape)
        return compared.criterion.squares(shaped, scores.chosen, parts)

    def _shaped(self, shape):
        """Return the candidates with a shape; a precision matrix must be finite."""
        shaped = replace(self.candidates, shape=shape)
        return shaped if shape.rotation is None else shaped.without_infinite()


def equal_tasks(structure: str, moments: Any, triple: Any) -> tuple[Shape, Array]:
    """Return strengths of equal tasks in the form of a structure.

    Parameters
    ----------
    structure : {"per_feature", "covariance"}
        The structure.
    moments : TaskMoments
        Moments of the rows.
    triple : tuple of float
        Strengths.

    Returns
    -------
    shape : Shape
        The shape, in which features do not differ.
    triple : ndarray of shape (3,)
        Strengths that act as the given ones; finite for a covariance.
    """
    ones = np.ones(moments.n_features)
    if structure == PER_FEATURE:
        return Shape(PER_FEATURE, 0.0, ones), np.array(triple)
    weight = moments.weight[moments.weight > 0].mean()
    units = np.array([mean_curvature(moments), np.inf, weight])
    # Where coefficients do not differ, intercepts differ alike at any origin, and at
    # the mean they are known best.
    means = np.broadcast_to(moments.x_mean, (moments.n_tasks, len(ones)))
    origin = np.average(means, axis=0, weights=moments.weight)
    rotation = Rotation(np.eye(len(ones)), origin)
    shape = Shape(COVARIANCE, 0.0, ones, rotation)
    return shape, np.minimum(triple, _RIGID * units)


def _transfer(chosen, start, other):
    """Return strengths of another shape, by the factors from its start."""
    alpha, level = (
        there * (best / here if 0 < here < np.inf else 1.0)
        for best, here, there in zip(chosen[::2], start, other, strict=True)
    )
    return alpha, chosen[1], level


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
    best = min(found, key=lambda each: each.error)
    for structure in STRUCTURES:
        some = [each for each in found if each.structure == structure]
        if not some:
            continue
        first = min(some, key=lambda each: each.error)
        if first.structure == best.structure:
            return first
        if first.gain >= best.gain and within_one_error(
            first.squares, best.squares, weight
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
    difference = difference / max(np.abs(difference).max(initial=0.0), TINY)
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
