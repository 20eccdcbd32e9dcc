"""Strengths of several groupings: given ones, lists to choose from, and free ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from skmtl._contracts import Array
from skmtl.problems.exact import GroupedRows, GroupedStrengths


@dataclass(frozen=True)
class Slots:
    """The strengths of a model of several groupings, as one vector.

    They are those of own coefficients of each grouping, of own intercepts of each
    grouping, and of the shared part.

    Parameters
    ----------
    names : sequence
        Names of the groupings.
    lists : sequence of (ndarray or None)
        Values to choose from; None searches all positive values.
    units : ndarray of shape (n_slots,)
        Curvature of a label, or of all rows, in the direction of each strength.
    n_features : int
        Number of features.
    """

    names: Sequence[Any]
    lists: Sequence[Array | None]
    units: Array
    n_features: int

    @classmethod
    def of(
        cls,
        names: Sequence[Any],
        given: Sequence[Any],
        rows: GroupedRows,
        has_own: bool,
    ) -> Self:
        """Read lists of strengths; without intercepts, theirs are infinite.

        Parameters
        ----------
        names : sequence
            Names of the groupings.
        given : sequence of (array-like, mapping or None)
            Lists for own coefficients, for the shared part and for own intercepts.
        rows : GroupedRows
            Observations.
        has_own : bool
            Whether there are intercepts.
        """
        alphas, shared, intercepts = given
        lists = read_lists("alphas", alphas, names)
        if has_own:
            lists += read_lists("alphas_intercept", intercepts, names)
        else:
            lists += [np.array([np.inf])] * len(names)
        lists += [read_list("alphas_shared", shared, least=0.0)]
        units = [rows.units(g) for g in range(len(names))]
        of_coef = [float(np.mean(curvature)) for curvature, _ in units]
        of_intercept = [weight for _, weight in units]
        return cls(
            names,
            lists,
            np.array([*of_coef, *of_intercept, min(of_coef)]),
            rows.X.shape[1],
        )

    def strengths(self, values: Sequence[float]) -> GroupedStrengths:
        """Return strengths as the solver needs them."""
        n, array = len(self.names), np.asarray(values, dtype=float)
        coef = np.repeat(array[:n, None], self.n_features, axis=1)
        return GroupedStrengths(coef, array[n : 2 * n], float(array[-1]))

    @property
    def is_fixed(self) -> Array:
        """Whether each strength is given, (n_slots,)."""
        return np.array([each is not None and len(each) == 1 for each in self.lists])

    def start(self, factor: float = 1.0) -> Array:
        """Return given strengths, and multiples of the units for the others."""
        values = self.units * factor
        for k, each in enumerate(self.lists):
            if each is not None and len(each) == 1:
                values[k] = each[0]
        return values

    def by_name(self, values: Sequence[float]) -> dict[str, Any]:
        """Return strengths as fitted attributes."""
        n, numbers = len(self.names), [float(each) for each in values]
        return {
            "alpha_": dict(zip(self.names, numbers[:n], strict=True)),
            "alpha_intercept_": dict(zip(self.names, numbers[n : 2 * n], strict=True)),
            "alpha_shared_": numbers[-1],
        }

    def columns(self, tried: Array) -> dict[str, Array]:
        """Return strengths that were tried as columns of a table."""
        texts = [_as_text(name) for name in self.names]
        labels = [f"alpha[{text}]" for text in texts]
        labels += [f"alpha_intercept[{text}]" for text in texts]
        return dict(zip([*labels, "alpha_shared"], np.transpose(tried), strict=True))


def read_lists(parameter: str, given: Any, names: Sequence[Any]) -> list[Any]:
    """Return the list of strengths of each grouping, None for all values.

    Parameters
    ----------
    parameter : str
        Name of the parameter, for messages.
    given : mapping, array-like or None
        A list, or None, for each grouping by its name; one for all; None for all
        values.
    names : sequence
        Names of the groupings.

    Returns
    -------
    list of (ndarray or None)
        The lists.
    """
    if not isinstance(given, Mapping):
        return [read_list(parameter, given)] * len(names)
    unknown = [name for name in given if name not in names]
    if unknown:
        raise ValueError(
            f"{parameter} must be a mapping from groupings to lists, got {unknown[:5]}."
            f" The groupings are {list(names)}."
        )
    return [read_list(parameter, given.get(name)) for name in names]


def read_list(parameter: str, given: Any, least: float | None = None) -> Any:
    """Return sorted strengths, positive or infinite, or None.

    Parameters
    ----------
    parameter : str
        Name of the parameter, for messages.
    given : array-like or None
        The strengths.
    least : float, default=None
        Smallest strength; None for positive ones.

    Returns
    -------
    ndarray or None
        The strengths.
    """
    if given is None:
        return None
    values = np.unique(np.atleast_1d(np.asarray(given, dtype=float)))
    low = np.nextafter(0.0, 1.0) if least is None else least
    if values.ndim != 1 or not len(values) or not (values >= low).all():
        what = "positive or infinite" if least is None else "0 or more"
        raise ValueError(f"{parameter} must list strengths, {what}, got {given!r}.")
    return values


def _as_text(name):
    return "/".join(map(str, name)) if isinstance(name, tuple) else str(name)
