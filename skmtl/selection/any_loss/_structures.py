"""Choice between one strength, one per feature, and a covariance, any loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from ..likelihood import COVARIANCE, ONE, Drawing, Shapes
from ..squared_loss import AUTO, Contender, Scores, allowed_structures, equal_tasks


@dataclass(frozen=True)
class LossStructureSearch:
    """Search the strengths of several structures, and choose one of them.

    Relative strengths maximise the restricted likelihood of working responses.

    Parameters
    ----------
    criterion : LossCriterion
        Error of strengths.
    structure : {"auto", "one", "per_feature", "covariance"}
        The structure asked for.
    """

    criterion: Any
    structure: str

    def search(self) -> tuple[list[Scores], Scores]:
        """Return the scores of every structure that was tried, and the chosen ones."""
        one = self.criterion.search(self.structure in (ONE, AUTO))
        # Without a start, matrices of all features would take too long.
        is_large = self.structure == AUTO and self.criterion.start is None
        if self.structure == ONE or is_large or not np.isfinite(one.errors).any():
            return [one], one
        working = self.criterion.working(one.best)
        structures = self._allowed(working)
        if not structures:
            return [one], one
        is_equal = np.isinf(one.best[0])
        near = self.criterion.near(one.best)
        if near is None or (is_equal and self.structure == AUTO):
            found = one if self.structure == AUTO else self._equal(one, working)
            return [found], found
        contenders = self._contenders(structures, one, near, working)
        found = [one, *(each.scores for each in contenders)]
        if is_equal and contenders[0].scores.best_error >= one.best_error:
            found = self._equal(one, working)
            return [found], found
        if not contenders:
            return found, one
        if self.structure == AUTO:
            contenders.insert(0, self.criterion.contend(one))
        return found, self.criterion.pick(contenders).scores

    def _allowed(self, working):
        """Return the structures to try beyond one strength."""
        candidates = self.criterion.grid.candidates
        found = allowed_structures(self.structure, candidates, working.moments)
        if self.structure != AUTO:
            return found
        is_sparse = sparse.issparse(working.data.X)
        return [each for each in found if not (is_sparse and each == COVARIANCE)]

    def _equal(self, one, working):
        """Return the scores of equal tasks in the form of a structure."""
        scaled = working.scale * np.array(one.best)
        shape, triple = equal_tasks(self.structure, working.moments, scaled)
        triples = one.triples.copy()
        triples[one.best_index] = triple / working.scale
        return replace(one, shape=shape, triples=triples)

    def _contenders(self, structures, one, near, working) -> list[Contender]:
        """Return the shapes of some structures, with their errors."""
        shapes, found = _shapes_near(working, near), []
        parts = None
        for structure in structures:
            if self.structure == AUTO and not self._may_win(structure, shapes, working):
                continue
            if parts is None:
                parts = self.criterion.working_of_folds(near)
            whole = working, shapes
            limit = one.best_error if self.structure == AUTO else np.inf
            found.append(self._contender(structure, near, limit, whole, parts))
        return [each for each in found if each is not None]

    def _may_win(self, structure, shapes, working):
        """Return whether a structure may be chosen over simpler ones."""
        if not (shapes.is_promising(structure) and shapes.is_likely(structure)):
            return False
        price = _price(structure, shapes, working)
        return self.criterion.may_win(shapes.gain(structure), price)

    def _contender(self, structure, near, limit, whole, parts):
        """Return the best shape of one structure, None if "auto" will not take it."""
        working, shapes = whole
        price = _price(structure, shapes, working)
        of_folds = [
            _in_units(_shapes_near(each, near).of(structure), each) for each in parts
        ]
        options = [
            (shape, [each[number] for each in of_folds])
            for number, shape in enumerate(_in_units(shapes.of(structure), working))
        ]
        found = self.criterion.search_shapes(options, near[1], limit)
        return None if found is None else self.criterion.contend(*found, price)


def _price(structure, shapes, working):
    """Return Schwarz's price of the parameters of a structure beyond one strength."""
    return shapes.n_more(structure) * np.log(working.moments.weight.sum())


def _shapes_near(working, triple):
    """Return the shapes of working rows near strengths of the loss."""
    alpha, shared, level = (working.scale * each for each in triple)
    shared = shared if working.has_centre else np.inf
    rows, moments = working.data, working.moments.per_task()
    drawing = Drawing(rows, moments, working.fit_intercept)
    return Shapes.near(drawing, (alpha, shared, level))


def _in_units(shapes, working):
    """Return shapes whose likely strengths are those of the loss."""
    return [
        replace(each, start=tuple(start / working.scale for start in each.start))
        for each in shapes
    ]
