"""Rows of several groupings as sparse matrices, and their weighted products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

import numpy as np
from scipy import sparse

from skmtl._contracts import Array
from skmtl._linalg import refuse_huge
from skmtl._memory import refuse_large

from ._grouped_core import take_blocks

# Strengths of 0 act as this fraction of the curvature of a label: coefficients of
# several groupings are not unique without a penalty.
LEAST = 1e-8
_REMEDY = "Give infinite strengths to features that need no own coefficients."


@dataclass(frozen=True)
class GroupedRows:
    """Observations with a label in each of several groupings.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Features.
    y : ndarray of shape (n_samples,)
        Targets.
    weight : ndarray of shape (n_samples,)
        Weights, multiplied by those of the tasks.
    codes : ndarray of shape (n_samples, n_groupings), dtype intp
        Position of each label.
    n_labels : tuple of int
        Number of labels of each grouping.
    """

    X: Any
    y: Array
    weight: Array
    codes: Array
    n_labels: tuple[int, ...]

    @classmethod
    def of(cls, rows: Any) -> Self:
        """Collect the rows of tasks, in the order of the tasks."""
        sizes = np.diff(rows.offsets)
        X = rows.X if rows.rows is None else rows.X[rows.rows]
        weight = np.ones(len(rows.y)) if rows.weight is None else rows.weight
        if rows.task_weight is not None:
            weight = weight * np.repeat(rows.task_weight, sizes)
        codes = [np.repeat(grouping.codes, sizes) for grouping in rows.groupings]
        n_labels = tuple(len(grouping.labels) for grouping in rows.groupings)
        floats = np.asarray(weight, dtype=float)
        return cls(
            X.astype(float),
            np.asarray(rows.y, dtype=float),
            floats,
            np.stack(codes, axis=1),
            n_labels,
        )

    @cached_property
    def curvature(self) -> Array:
        """Weighted sums of squares of the features, (n_features,)."""
        if sparse.issparse(self.X):
            return np.asarray(self.X.multiply(self.X).T @ self.weight)
        return np.einsum("ij,ij,i->j", self.X, self.X, self.weight)

    def units(self, grouping: int) -> tuple[Array, float]:
        """Return the mean curvature of a label along each feature, and its weight."""
        seen = np.bincount(self.codes[:, grouping], self.weight) > 0
        n_seen = max(seen.sum(), 1)
        total = self.weight.sum()
        total = total if total > 0 else 1.0
        curvature = np.where(self.curvature > 0, self.curvature, total)
        return curvature / n_seen, total / n_seen

    def refuse_huge(self) -> None:
        """Raise an error if products of sums of squares would overflow."""
        refuse_huge(self.curvature, self.weight @ self.y**2)

    def select(self, rows: Any) -> GroupedRows:
        """Return some of the observations, with the same labels."""
        parts = self.X[rows], self.y[rows], self.weight[rows], self.codes[rows]
        return GroupedRows(*parts, self.n_labels)


@dataclass(frozen=True)
class GroupedStrengths:
    """Strengths of the penalties of several groupings.

    Parameters
    ----------
    coef : ndarray of shape (n_groupings, n_features)
        Strengths for own coefficients; infinite where a grouping has none.
    intercept : ndarray of shape (n_groupings,)
        Strengths for own intercepts; infinite where a grouping has none.
    shared : float
        Strength of the ridge penalty on the shared coefficients; infinite for none.
    """

    coef: Array
    intercept: Array
    shared: float

    def raised(self, rows: GroupedRows, least: float = LEAST) -> GroupedStrengths:
        """Return positive strengths: at least a fraction of the units of the rows."""
        units = [rows.units(g) for g in range(len(self.coef))]
        curvatures, weights = zip(*units, strict=True)
        coef = np.maximum(self.coef, least * np.array(curvatures))
        intercept = np.maximum(self.intercept, least * np.array(weights))
        return GroupedStrengths(coef, intercept, self.shared)

    def per_label(self, layout: Layout) -> tuple[Array, Array, Array]:
        """Return the strengths of all parameters: large, rest, shared."""
        columns = layout.columns
        own = [
            np.tile(columns.strengths(self, g), n_labels)[:, None]
            for g, n_labels in enumerate(layout.n_labels)
        ]
        n_coef = len(layout.centre) if columns.shared else 0
        ridge = np.full((n_coef, 1), self.shared)
        free = np.zeros((int(columns.fit_intercept), 1))
        rest = np.concatenate([*(own[g] for g in layout.rest), np.zeros((0, 1))])
        return own[layout.large], rest, np.concatenate([ridge, free])


@dataclass(frozen=True)
class Columns:
    """Which own columns each grouping has.

    Parameters
    ----------
    features : tuple of ndarray
        Positions of the features with own coefficients, for each grouping.
    intercepts : tuple of bool
        Whether each grouping has own intercepts.
    shared : bool
        Whether the shared part has coefficients.
    fit_intercept : bool
        Whether the shared part has an intercept.
    """

    features: tuple[Array, ...]
    intercepts: tuple[bool, ...]
    shared: bool
    fit_intercept: bool

    @classmethod
    def of(cls, strengths: GroupedStrengths, fit_intercept: bool) -> Self:
        """Return the columns with a finite strength."""
        features = tuple(np.flatnonzero(np.isfinite(a)) for a in strengths.coef)
        intercepts = tuple(
            bool(fit_intercept and np.isfinite(a)) for a in strengths.intercept
        )
        shared = bool(np.isfinite(strengths.shared))
        return cls(features, intercepts, shared, fit_intercept)

    def width(self, grouping: int) -> int:
        """Return the number of own columns of a label."""
        return len(self.features[grouping]) + self.intercepts[grouping]

    def strengths(self, strengths: GroupedStrengths, grouping: int) -> Array:
        """Return the strengths of the own columns of a label."""
        own = strengths.coef[grouping][self.features[grouping]]
        last = strengths.intercept[grouping : grouping + 1]
        return np.append(own, last[: self.intercepts[grouping]])


@dataclass(frozen=True)
class Layout:
    """Parameters of several groupings, and their places.

    The grouping with most parameters is the *large* one: its labels do not interact, so
    that they are eliminated one by one. The others are the *rest*.

    Parameters
    ----------
    columns : Columns
        Own columns of each grouping.
    n_labels : tuple of int
        Number of labels of each grouping.
    centre : ndarray of shape (n_features,)
        Subtracted from the features of the shared part.
    """

    columns: Columns
    n_labels: tuple[int, ...]
    centre: Array

    @property
    def sizes(self) -> list[int]:
        """Number of parameters of each grouping."""
        widths = map(self.columns.width, range(len(self.n_labels)))
        return [n * q for n, q in zip(self.n_labels, widths, strict=True)]

    @cached_property
    def large(self) -> int:
        """Position of the grouping with most parameters."""
        return int(np.argmax(self.sizes))

    @cached_property
    def rest(self) -> list[int]:
        """Positions of the other groupings that have parameters."""
        others = range(len(self.n_labels))
        return [g for g in others if g != self.large and self.sizes[g]]

    @cached_property
    def places(self) -> dict[int, slice]:
        """Place of each grouping of the rest among the parameters of the rest."""
        ends = np.cumsum([0, *(self.sizes[g] for g in self.rest)]).tolist()
        pairs = zip(self.rest, pairwise(ends), strict=True)
        return {g: slice(*pair) for g, pair in pairs}

    @property
    def n_rest(self) -> int:
        """Number of parameters of the rest."""
        return sum(self.sizes[g] for g in self.rest)

    def own_values(self, X: Any, grouping: int) -> Array:
        """Return the values of the own columns of a grouping, (n_rows, width)."""
        part = X[:, self.columns.features[grouping]]
        part = part.toarray() if sparse.issparse(part) else part
        ones = np.ones((X.shape[0], int(self.columns.intercepts[grouping])))
        return np.hstack([part, ones])

    def shared_values(self, X: Any) -> Array:
        """Return the values of the shared columns, (n_rows, n_shared)."""
        part = X.toarray() if sparse.issparse(X) else X
        part = part - self.centre if self.columns.shared else part[:, :0]
        ones = np.ones((X.shape[0], int(self.columns.fit_intercept)))
        return np.hstack([part, ones])

    def unpack_own(self, parts: Any, grouping: int) -> tuple[Array, Array]:
        """Return own coefficients and own intercepts of the labels of a grouping.

        Parameters have a second axis of outputs, which comes second in the results.
        """
        n_labels, n_outputs = self.n_labels[grouping], parts[2].shape[1]
        coef = np.zeros((n_labels, n_outputs, len(self.centre)))
        if not self.sizes[grouping]:
            return coef, np.zeros((n_labels, n_outputs))
        is_large = grouping == self.large
        own = parts[0] if is_large else parts[1][self.places[grouping]]
        own = own.reshape(n_labels, -1, n_outputs).swapaxes(1, 2)
        features = self.columns.features[grouping]
        coef[:, :, features] = own[:, :, : len(features)]
        if self.columns.intercepts[grouping]:
            return coef, own[:, :, -1].copy()
        return coef, np.zeros((n_labels, n_outputs))

    def unpack_shared(self, shared: Array) -> tuple[Array, Array]:
        """Return coefficients and intercepts of the shared part, outputs first."""
        n_features, columns = len(self.centre), self.columns
        coef = np.zeros((shared.shape[1], n_features))
        if columns.shared:
            coef = shared[:n_features].T.copy()
        if not columns.fit_intercept:
            return coef, np.zeros(len(coef))
        return coef, shared[-1] - coef @ self.centre


@dataclass(frozen=True)
class GroupedDesign:
    """Rows as a linear map of shared and own parts.

    Parameters
    ----------
    rows : GroupedRows
        Observations.
    layout : Layout
        Parameters and their places.
    """

    rows: GroupedRows
    layout: Layout

    @classmethod
    def of(cls, rows: GroupedRows, columns: Columns) -> Self:
        """Return the design of rows, its shared part centred if it has an intercept."""
        centre, total = np.zeros(rows.X.shape[1]), rows.weight.sum()
        if columns.fit_intercept and total > 0:
            centre = np.asarray(rows.X.T @ rows.weight).ravel() / total
        return cls(rows, Layout(columns, rows.n_labels, centre))

    @property
    def columns(self) -> Columns:
        """Own columns of each grouping."""
        return self.layout.columns

    @cached_property
    def shared(self) -> Any:
        """Centred features of the shared part; a sparse X is not centred."""
        X = self.rows.X
        if not self.columns.shared:
            return np.zeros((X.shape[0], 0))
        return X if sparse.issparse(X) else X - self.layout.centre

    def _own(self, grouping):
        """Return the columns of all labels, (n_samples, n_labels * width)."""
        X, width = self.rows.X, self.columns.width(grouping)
        part = sparse.csr_matrix(X[:, self.columns.features[grouping]])
        if self.columns.intercepts[grouping]:
            part = sparse.hstack([part, np.ones((X.shape[0], 1))], format="csr")
        codes = self.rows.codes[:, grouping]
        indices = part.indices + np.repeat(codes * width, np.diff(part.indptr))
        shape = X.shape[0], self.layout.sizes[grouping]
        return sparse.csr_matrix((part.data, indices, part.indptr), shape=shape)

    @cached_property
    def own_large(self) -> Any:
        """Columns of the large grouping, (n_samples, n_labels * width)."""
        return self._own(self.layout.large)

    @cached_property
    def own_rest(self) -> Any:
        """Columns of the rest, (n_samples, n_rest)."""
        if not self.layout.rest:
            return sparse.csr_matrix((self.rows.X.shape[0], 0))
        return sparse.hstack([self._own(g) for g in self.layout.rest], format="csr")

    def products(self, weight: Array) -> GroupedProducts:
        """Return the weighted products of all columns."""
        large, rest = self.own_large, self.own_rest
        n_shared = self.shared.shape[1] + self.columns.fit_intercept
        n_numbers = n_shared * (large.shape[1] + rest.shape[1] + n_shared)
        refuse_large(8 * 2 * n_numbers, "products of features and labels", _REMEDY)
        weighted = sparse.diags(weight)
        heavy_large, heavy_rest = weighted @ large, weighted @ rest
        return GroupedProducts(
            self.layout,
            take_blocks(large.T @ heavy_large, self.columns.width(self.layout.large)),
            sparse.csr_matrix(rest.T @ heavy_large),
            sparse.csr_matrix(rest.T @ heavy_rest),
            self._times_shared(heavy_large),
            self._times_shared(heavy_rest),
            self._square(weight),
            float(weight.sum()),
        )

    def _times_shared(self, own):
        """Return products of weighted own columns with the shared ones."""
        total = np.asarray(own.sum(axis=0)).ravel()
        product = own.T @ self.shared
        if sparse.issparse(product):
            product = product.toarray() - np.outer(total, self._shift)
        if not self.columns.fit_intercept:
            return product
        return np.hstack([product, total[:, None]])

    @property
    def _shift(self):
        """Means of the shared columns that are not subtracted yet."""
        if sparse.issparse(self.shared):
            return self.layout.centre
        return np.zeros(self.shared.shape[1])

    def _square(self, weight):
        X = self.shared
        if sparse.issparse(X):
            square = (X.T @ (sparse.diags(weight) @ X)).toarray()
        else:
            square = X.T @ (weight[:, None] * X)
        total, sums = weight.sum(), np.asarray(X.T @ weight).ravel()
        shift = self._shift
        square = square - np.outer(sums, shift) - np.outer(shift, sums)
        square += total * np.outer(shift, shift)
        if not self.columns.fit_intercept:
            return square
        side = (sums - total * shift)[:, None]
        return np.block([[square, side], [side.T, np.array([[total]])]])

    def adjoint_shared(self, residual: Array) -> Array:
        """Return products of the shared columns with numbers of the rows."""
        total = residual.sum(axis=0)
        sums = self.shared.T @ residual - np.outer(self._shift, total)
        return np.vstack([sums, total]) if self.columns.fit_intercept else sums

    def forward(self, parts: Sequence[Array]) -> Array:
        """Return raw predictions of parameters: large, rest, shared.

        All have a second axis of outputs.
        """
        large, rest, shared = parts
        coef = shared[: self.shared.shape[1]]
        found: Array = self.own_large @ large + self.own_rest @ rest
        found = found + self.shared @ coef - self._shift @ coef
        return found + shared[-1] if self.columns.fit_intercept else found

    def adjoint(self, residual: Array) -> tuple[Array, Array, Array]:
        """Return the products of all columns with numbers, (n_samples, n_outputs)."""
        own = self.own_large.T @ residual, self.own_rest.T @ residual
        return *own, self.adjoint_shared(residual)


@dataclass(frozen=True)
class GroupedProducts:
    """Weighted products of the columns of a design: its normal equations.

    Parameters
    ----------
    layout : Layout
        Parameters and their places.
    blocks : ndarray of shape (n_labels, width, width)
        Products within the labels of the large grouping.
    cross : CSR matrix of shape (n_rest, n_labels * width)
        Products of the rest with the large grouping.
    rest : CSR matrix of shape (n_rest, n_rest)
        Products within the rest.
    large_shared : ndarray of shape (n_labels * width, n_shared)
        Products of the large grouping with the shared columns.
    rest_shared : ndarray of shape (n_rest, n_shared)
        Products of the rest with the shared columns.
    shared : ndarray of shape (n_shared, n_shared)
        Products within the shared columns, the intercept last.
    weight : float
        Sum of the weights.
    """

    layout: Layout
    blocks: Array
    cross: Any
    rest: Any
    large_shared: Array
    rest_shared: Array
    shared: Array
    weight: float
