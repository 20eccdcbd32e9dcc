"""Strengths that a search tried, with their scores: the table of every search."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skmtl._contracts import Array

from ..search import warn_of_edge
from ._candidates import LISTS, Candidates

# Number of axes of a precision matrix.
_MATRIX = 2
STRENGTHS = "alpha", "alpha_shared", "alpha_intercept"
# Columns of scores: held-out scores, and likelihoods, which need no held-out rows.
SCORE, LIKELIHOOD = "mean_test_score", "log_likelihood"


class Tried:
    """Errors of the strengths tried so far; each is computed once.

    Parameters
    ----------
    errors : callable
        Function of strengths. It returns an error, or an array of one error per fold.
    """

    def __init__(self, errors: Callable[..., Any]) -> None:
        self._errors = errors
        self._known: dict[tuple[float, ...], Any] = {}

    def __call__(self, strengths: Iterable[float]) -> float:
        """Return the mean error of the folds, infinite if it is NaN."""
        mean = float(np.mean(self.folds(strengths)))
        return np.inf if np.isnan(mean) else mean

    def folds(self, strengths: Iterable[float]) -> Any:
        """Return the error, or the errors of the folds."""
        strengths = tuple(map(float, strengths))
        if strengths not in self._known:
            self._known[strengths] = self._errors(*strengths)
        return self._known[strengths]

    def remember(self, strengths: Iterable[float], error: float) -> None:
        """Add an error that is known."""
        self._known[tuple(map(float, strengths))] = error

    def measure(self, triples: Iterable[Any]) -> None:
        """Compute the errors of all of these strengths."""
        for strengths in triples:
            self.folds(strengths)

    @property
    def best(self) -> tuple[float, ...]:
        """Strengths with the smallest mean error."""
        return min(self._known, key=self)

    def table(self, first: Any = (), last: Any = None) -> tuple[Array, Array]:
        """Return strengths and errors.

        Parameters
        ----------
        first : sequence of tuple of float, default=()
            Strengths at the beginning of the table, with NaN if they were not tried.
        last : tuple of float, default=None
            Strengths at its end.

        Returns
        -------
        triples : ndarray of shape (n_tried, 3)
            Strengths.
        errors : ndarray of shape (n_tried,) or (n_tried, n_folds)
            Errors.
        """
        rows: dict[Any, Any] = {tuple(map(float, each)): np.nan for each in first}
        rows |= self._known
        if last is not None:
            rows[last] = rows.pop(last)
        return np.array(list(rows)), np.array(list(rows.values()))


def name_strengths(triples: Any) -> dict[str, Array]:
    """Return the columns of triples of strengths, by name."""
    return dict(zip(STRENGTHS, np.transpose(triples), strict=True))


@dataclass(frozen=True)
class Results:
    """Table of strengths and scores.

    Parameters
    ----------
    strengths : mapping of str to array-like of shape (n_tried,)
        Strengths by name.
    scores : ndarray of shape (n_tried,) or (n_tried, n_tasks)
        Scores, larger is better.
    name : str, default="mean_test_score"
        Column of the scores.
    folds : ndarray of shape (n_splits, n_tried), default=None
        Scores of each fold.
    notes : mapping of str to ndarray of shape (n_tried,), default={}
        More columns, which are not strengths.
    """

    strengths: Mapping[str, Any]
    scores: Array
    name: str = SCORE
    folds: Array | None = None
    notes: Mapping[str, Array] | None = None

    @classmethod
    def of_folds(
        cls,
        strengths: Mapping[str, Any],
        folds: Array,
        notes: Mapping[str, Array] | None = None,
    ) -> "Results":
        """Return the results of scores of folds, (n_splits, n_tried).

        Raises
        ------
        ValueError
            If all mean scores are NaN.
        """
        scores = folds.mean(axis=0)
        refuse_nan(scores)
        return cls(strengths, scores, folds=folds, notes=notes)

    @property
    def table(self) -> dict[str, Array]:
        """The columns, named as in scikit-learn's searches."""
        columns = {name: np.array(each) for name, each in self.strengths.items()}
        columns |= self.notes or {}
        columns[self.name] = self.scores
        if self.folds is None:
            return columns
        splits = {f"split{k}_test_score": each for k, each in enumerate(self.folds)}
        return columns | {"std_test_score": self.folds.std(axis=0)} | splits

    def best(self) -> int:
        """Return the position of the best score.

        Raises
        ------
        ValueError
            If all scores are NaN.
        """
        refuse_nan(self.scores)
        return int(np.nanargmax(self.scores))

    def facts(self, best: Any) -> dict[str, Any]:
        """Return the fitted attributes of a choice.

        Parameters
        ----------
        best : int or ndarray of shape (n_tasks,)
            Position of the chosen strength, one or one per task.

        Returns
        -------
        dict
            The chosen strengths, the table, the position and the score, by name.
        """
        place = best if self.scores.ndim == 1 else (best, np.arange(len(best)))
        chosen = {
            f"{name}_": _choose(each, best) for name, each in self.strengths.items()
        }
        return chosen | {
            "cv_results_": self.table,
            "best_index_": best,
            "best_score_": _choose(self.scores, place),
        }

    def warn_of_lists(self, best: int, candidates: Candidates) -> None:
        """Warn if the error still decreases towards the end of a list of strengths.

        Parameters
        ----------
        best : int
            Position of the chosen strengths.
        candidates : Candidates
            The lists.
        """
        triples = np.column_stack([self.strengths[name] for name in STRENGTHS])
        for k, (name, is_free) in enumerate(zip(LISTS, candidates.free, strict=True)):
            if is_free:
                continue
            grid = candidates.lists[k]
            others = [j for j in range(len(LISTS)) if j != k]
            on_line = (triples[:, others] == triples[best, others]).all(axis=1)
            errors = np.full((1, len(grid)), np.inf)
            errors[0, np.searchsorted(grid, triples[on_line, k])] = np.nan_to_num(
                -self.scores[on_line], nan=np.inf
            )
            warn_of_edge(name, grid, errors, np.searchsorted(grid, triples[[best], k]))


def _choose(column, place):
    chosen = np.asarray(column)[place]
    return chosen if chosen.ndim else float(chosen)


def refuse_nan(scores: Array) -> None:
    """Raise an error if the scores of all strengths are NaN."""
    if np.isnan(scores).all():
        raise ValueError(
            "scoring must give a number for some strengths, got NaN for all. Choose a "
            "score that is defined on every fold, or give cv fewer folds."
        )


def add_variances(
    facts: Mapping[str, Any], noise_variance: float, n_features: int
) -> dict[str, Any]:
    """Return the facts with the variances of the tasks around their centre."""
    alpha, alpha_intercept = facts["alpha_"], facts["alpha_intercept_"]
    if np.ndim(alpha) == _MATRIX:
        variances = noise_variance * np.diag(np.linalg.inv(alpha))
        own, rest = variances[:n_features], variances[n_features:]
        level = float(rest[0]) if len(rest) else np.nan
        return {**facts, "tau2_": own, "tau2_intercept_": level}
    return {
        **facts,
        "tau2_": noise_variance / alpha,
        "tau2_intercept_": (
            float(noise_variance / alpha_intercept) if alpha_intercept else np.nan
        ),
    }
