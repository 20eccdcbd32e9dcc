"""Moments of (x, y) per task, the sufficient statistics of a squared loss."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl._linalg import apply, diagonals, refuse_huge
from skmtl._numbers import TINY_SQUARE

from ._labels import RULE, kind_of_tasks

# Deviations below this fraction of the mean count as rounding errors.
_ROUNDING = 1e-13


@dataclass(frozen=True)
class TaskMoments:
    """Weight, mean and centred scatter of the rows of each task.

    ``a + b`` are the moments of the rows of both, in either order. Scatters are around
    the means, so that a large offset of the features costs no precision. Tasks that
    share their rows share `x_mean` and `xx`: a first axis of length 1 stands for all
    tasks.

    Parameters
    ----------
    tasks : ndarray of shape (n_tasks,)
        Distinct labels.
    weight : ndarray of shape (n_tasks,)
        Sum of the weights of the rows.
    x_mean : ndarray of shape (n_tasks or 1, n_features)
        Weighted mean of the features.
    y_mean : ndarray of shape (n_tasks,)
        Weighted mean of the target.
    xx : ndarray of shape (n_tasks or 1, n_features, n_features) or None
        Weighted scatter of the features around their mean; None if left out.
    xy : ndarray of shape (n_tasks, n_features)
        Weighted scatter of features with the target.
    yy : ndarray of shape (n_tasks,)
        Weighted scatter of the target.
    orders : tuple of tuple, default=()
        Declared orders of the labels, which may include tasks without rows.
    roots : tuple of (ndarray, ndarray) or None, default=None
        Instead of `xx`, if rows are far fewer than features: positions of tasks, and
        stacks of rows (n_some, n_rows, n_features) with the scatters as Gram matrices.
    width : int or None, default=None
        Number of original features, if these are coordinates in a basis; else None.

    References
    ----------
    Chan, T. F., Golub, G. H., LeVeque, R. J. (1983). Algorithms for computing the
    sample variance. The American Statistician, 37(3), 242-247.
    :doi:`10.1080/00031305.1983.10483115`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.data import summarise
    >>> X, y = np.array([[1.0], [2.0], [4.0]]), np.array([1.0, 3.0, 5.0])
    >>> first = summarise(X[:2], y[:2], ["a", "b"])
    >>> both = first + summarise(X[2:], y[2:], ["b"])
    >>> both.tasks.tolist(), both.weight.tolist()
    (['a', 'b'], [1.0, 2.0])
    >>> both.xy.tolist()
    [[0.0], [2.0]]
    """

    tasks: np.ndarray
    weight: np.ndarray
    x_mean: np.ndarray
    y_mean: np.ndarray
    xx: Any  # ndarray or None
    xy: np.ndarray
    yy: np.ndarray
    orders: tuple = ()
    roots: tuple | None = None
    width: int | None = None

    def __post_init__(self):
        if len(np.unique(self.tasks)) != len(self.tasks):
            raise ValueError(
                "Labels of tasks must be distinct, got some twice. Add up the moments "
                "of the same task."
            )

    @property
    def n_tasks(self) -> int:
        """Number of tasks."""
        return len(self.tasks)

    @property
    def n_features(self) -> int:
        """Number of features."""
        return self.x_mean.shape[1]

    @property
    def curvatures(self) -> Array:
        """Scatter of each feature, shape (n_tasks or 1, n_features)."""
        if self.roots is None:
            return diagonals(self.xx)
        found = np.zeros(self.xy.shape)
        for tasks, X in self.roots:
            found[tasks] = np.einsum("tij,tij->tj", X, X)
        return found

    @property
    def rounding(self) -> Array:
        """Scatter of each feature in a mean task that may be due to rounding."""
        seen = max(np.count_nonzero(self.weight), 1)
        weight = np.broadcast_to(self.weight[:, None], self.xy.shape)
        squares: Array = (weight * self.x_mean**2).sum(axis=0) / seen
        return _ROUNDING**2 * squares

    def curve(self, coef: Array) -> Array:
        """Multiply the scatter of each task by its coefficients.

        Parameters
        ----------
        coef : ndarray of shape (n_tasks, n_features)
            Coefficients.

        Returns
        -------
        ndarray of shape (n_tasks, n_features)
            The products.
        """
        if self.roots is None:
            return apply(self.xx, coef)
        curved = np.zeros(self.xy.shape)
        for tasks, X in self.roots:
            fitted = np.matmul(X, coef[tasks][:, :, None])
            curved[tasks] = np.matmul(fitted.transpose(0, 2, 1), X)[:, 0]
        return curved

    def __add__(self, other: "TaskMoments") -> "TaskMoments":
        if self.n_features != other.n_features:
            raise ValueError(
                "Moments must have the same features to be added, got "
                f"{self.n_features} and {other.n_features} features."
            )
        _check_kinds(self.tasks, other.tasks)
        orders = tuple(dict.fromkeys(self.orders + other.orders))
        if np.array_equal(self.tasks, other.tasks):
            return replace(_merge(*_in_one_form(self, other)), orders=orders)
        tasks = np.union1d(self.tasks, other.tasks)
        whole = _merge(self.spread(tasks), other.spread(tasks))
        return replace(whole, orders=orders)

    def spread(self, tasks: Array) -> "TaskMoments":
        """Extend the moments to more tasks, which get weight 0.

        Parameters
        ----------
        tasks : ndarray of shape (n_all_tasks,)
            Distinct labels that include those of these moments.

        Returns
        -------
        TaskMoments
            The moments of all of them, each with its own matrices.
        """
        place = {task: t for t, task in enumerate(tasks.tolist())}
        where = [place[task] for task in self.tasks.tolist()]
        own = self.per_task()

        def put(values: Any) -> Array:
            placed = np.zeros((len(tasks), *values.shape[1:]))
            placed[where] = values
            return placed

        return TaskMoments(
            tasks,
            put(own.weight),
            put(own.x_mean),
            put(own.y_mean),
            put(own.xx),
            put(own.xy),
            put(own.yy),
            self.orders,
        )

    def select(self, index: Any) -> "TaskMoments":
        """Keep some tasks, in the order of `index`.

        Parameters
        ----------
        index : array-like of int
            Positions of the tasks to keep.

        Returns
        -------
        TaskMoments
            The moments of these tasks.
        """
        shared = len(self.x_mean) == 1 < self.n_tasks
        return TaskMoments(
            self.tasks[index],
            self.weight[index],
            self.x_mean if shared else self.x_mean[index],
            self.y_mean[index],
            self.xx if shared or self.xx is None else self.xx[index],
            self.xy[index],
            self.yy[index],
            self.orders,
        )

    def per_task(self) -> "TaskMoments":
        """Copy shared means and scatters to every task.

        Returns
        -------
        TaskMoments
            The same moments, with a first axis of length n_tasks in every array.
        """
        if len(self.x_mean) == self.n_tasks:
            return self
        return replace(
            self,
            x_mean=np.repeat(self.x_mean, self.n_tasks, axis=0),
            xx=None if self.xx is None else np.repeat(self.xx, self.n_tasks, axis=0),
        )

    def weighted(self, factor: Array | None) -> "TaskMoments":
        """Multiply the weights of the rows of each task by a factor.

        Parameters
        ----------
        factor : ndarray of shape (n_tasks,) or None
            Factor of each task; None leaves the moments as they are.

        Returns
        -------
        TaskMoments
            The weighted moments.
        """
        if factor is None or np.all(factor == 1):
            return self
        own = self.per_task()
        return replace(
            own,
            weight=own.weight * factor,
            xx=None if own.xx is None else own.xx * factor[:, None, None],
            xy=own.xy * factor[:, None],
            yy=own.yy * factor,
            roots=None if own.roots is None else own._scaled(np.sqrt(factor)),
        )

    def _scaled(self, factor):
        return tuple(
            (tasks, factor[tasks][:, None, None] * X) for tasks, X in self.roots
        )

    def _about_zero(self):
        """Return the roots of the scatters around zero, which have one more row."""
        mean = np.sqrt(self.weight)[:, None] * self.x_mean
        return tuple(
            (tasks, np.concatenate([X, mean[tasks][:, None]], axis=1))
            for tasks, X in self.roots
        )

    def about_zero(self) -> "TaskMoments":
        """Return moments around zero, for models without intercept.

        Returns
        -------
        TaskMoments
            Moments with all means zero.
        """
        x, y, n = self.x_mean, self.y_mean, self.weight
        return replace(
            self,
            x_mean=np.zeros_like(x),
            y_mean=np.zeros_like(y),
            xx=None if self.xx is None else self.xx + _outer(n[: len(x)], x),
            xy=self.xy + (n * y)[:, None] * x,
            yy=self.yy + n * y**2,
            roots=None if self.roots is None else self._about_zero(),
        )

    def turned(self, basis: Array, origin: Array) -> "TaskMoments":
        """Return the moments of ``(X - origin) basis``.

        Parameters
        ----------
        basis : ndarray of shape (n_features, n_features)
            Orthonormal directions, one per column.
        origin : ndarray of shape (n_features,)
            New origin of the features.

        Returns
        -------
        TaskMoments
            Moments of the same rows.
        """
        roots = self.roots
        if roots is not None:
            roots = tuple((tasks, X @ basis) for tasks, X in roots)
        return replace(
            self,
            x_mean=(self.x_mean - origin) @ basis,
            xx=None if self.xx is None else basis.T @ self.xx @ basis,
            xy=self.xy @ basis,
            roots=roots,
        )

    def minus_prediction(self, coef: Array, intercept: float) -> "TaskMoments":
        """Subtract the prediction of one linear model from every target.

        Parameters
        ----------
        coef : ndarray of shape (n_features,)
            Coefficients.
        intercept : float
            Intercept.

        Returns
        -------
        TaskMoments
            Moments of ``(x, y - x . coef - intercept)``.
        """
        curved = self.xx @ coef
        return replace(
            self,
            y_mean=self.y_mean - self.x_mean @ coef - intercept,
            xy=self.xy - curved,
            yy=np.maximum(self.yy + (curved - 2 * self.xy) @ coef, 0),
        )

    def squared_errors(self, coef: Array, intercept: Array) -> Array:
        """Return the weighted sum of squared errors of a linear model per task.

        Parameters
        ----------
        coef : ndarray of shape (n_tasks, n_features)
            Coefficients.
        intercept : ndarray of shape (n_tasks,)
            Intercepts.

        Returns
        -------
        ndarray of shape (n_tasks,)
            ``sum_i weight_i (y_i - x_i . coef_t - intercept_t)^2``.
        """
        bias = self.y_mean - (self.x_mean * coef).sum(axis=1) - intercept
        curved = self.curve(coef)
        scatter = self.yy + (coef * (curved - 2 * self.xy)).sum(axis=1)
        return np.maximum(scatter, 0) + self.weight * bias**2


def rounding(weight: Array, mean: Array) -> Array:
    """Return the largest scatter of a constant column that rounding can cause."""
    return np.maximum(weight * (_ROUNDING * mean) ** 2, TINY_SQUARE)


def without_rounding(moments: TaskMoments) -> TaskMoments:
    """Set the scatters of columns that vary only by rounding to zero."""
    x_mean, xx = moments.x_mean, moments.xx
    if xx is None:
        refuse_huge(moments.xy, moments.yy)
        return moments
    refuse_huge(diagonals(xx), moments.yy)
    lost = rounding(moments.weight[: len(xx), None], x_mean)
    constant = diagonals(xx) <= lost
    if not constant.any():
        return moments
    vary = np.where(constant, 0.0, 1.0)
    xx = xx * vary[:, :, None] * vary[:, None, :]
    return replace(moments, xx=xx, xy=moments.xy * vary)


def _check_kinds(a, b):
    """Raise if labels differ in kind; 1 and True are equal, but not the same label."""
    if a.size and b.size and kind_of_tasks(a) != kind_of_tasks(b):
        raise ValueError(
            f"{RULE} to be merged, got {a[:3].tolist()} and {b[:3].tolist()}. Convert "
            "them to one kind."
        )


def _in_one_form(a, b):
    """Return both moments in the same form, with shared or own scatters."""
    if len(a.x_mean) == len(b.x_mean):
        return a, b
    return a.per_task(), b.per_task()


def _merge(a, b):
    """Merge moments of the same tasks."""
    return without_rounding(_add(a, b))


def _add(a, b):
    weight = a.weight + b.weight
    share = np.divide(b.weight, weight, out=np.zeros_like(weight), where=weight > 0)
    between = a.weight * share
    y_step = b.y_mean - a.y_mean
    x_step = b.x_mean - a.x_mean
    n = len(x_step)
    return TaskMoments(
        a.tasks,
        weight,
        a.x_mean + share[:n, None] * x_step,
        a.y_mean + share * y_step,
        None if a.xx is None else a.xx + b.xx + _outer(between[:n], x_step),
        a.xy + b.xy + (between * y_step)[:, None] * x_step,
        a.yy + b.yy + between * y_step**2,
    )


def _outer(weight, x):
    """Return the weighted outer products of rows with themselves."""
    return weight[:, None, None] * x[:, :, None] * x[:, None, :]
