"""Bases of curves: transformers of features, without the task."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh
from scipy.spatial.distance import pdist
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.kernel_approximation import Nystroem
from sklearn.preprocessing import SplineTransformer
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skmtl._compat import Documented, Interval, check_feature_names_in, fit_context
from skmtl._contracts import Array

_FLOATS = [np.float64, np.float32]


class _Basis(Documented, TransformerMixin, BaseEstimator):
    """Transformers of dense features; a failed fit leaves them unchanged."""

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: Any, y: ArrayLike | None = None) -> NDArray[Any]:
        """Fit, and compute the functions.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Features.
        y : array-like, default=None
            Not used.

        Returns
        -------
        X_new : ndarray of shape (n_rows, n_functions)
            Values of the functions.
        """
        values: NDArray[Any] = self.fit(X).transform(X)
        return values


class SplineBasis(_Basis):
    """Compute splines of each feature, without their linear part.

    A feature gets up to `n_knots` functions, cubic between knots at quantiles of its
    distinct values, and constant beyond them. They are uncorrelated, and scaled so
    that a ridge penalty on their coefficients is a penalty on the curvature of their
    sum ``f``, the integral of ``f''(x)^2``. Together with the feature itself, they make
    smoothing splines.

    A feature with `k` distinct values gets at most ``k - 2`` functions, one with two
    values therefore none.

    Parameters
    ----------
    n_knots : int, default=8
        Number of knots of a feature with many distinct values.
    scale : float, default=0.3
        Standard deviation of the least curved function, relative to that of the
        feature. With a larger scale, the same penalty allows more curvature.
    smoothness : float, default=1.0
        Exponent, from 0 to 1, of the decrease of the other standard deviations. 1 is
        the scaling above; a smaller one penalises the more curved functions less, which
        suits curves with many turns.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns of X in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    CurvedTasks : Models of tasks that are linear in such functions.
    KernelBasis : Functions of all features together.

    Notes
    -----
    The features themselves are not in the output. All distinct values of a feature have
    the same weight, so that repeated rows do not change the functions.

    References
    ----------
    Demmler, A., Reinsch, C. (1975). Oscillation matrices with spline smoothing.
    Numerische Mathematik, 24(5), 375-382. :doi:`10.1007/BF01437406`

    Eilers, P. H. C., Marx, B. D. (1996). Flexible smoothing with B-splines and
    penalties. Statistical Science, 11(2), 89-121. :doi:`10.1214/ss/1038425655`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.compose import SplineBasis
    >>> X = np.column_stack([np.arange(10.0), np.arange(10) % 2])
    >>> basis = SplineBasis(n_knots=4).fit(X)
    >>> basis.transform(X).shape
    (10, 4)
    >>> basis.get_feature_names_out().tolist()
    ['x0_curve0', 'x0_curve1', 'x0_curve2', 'x0_curve3']
    """

    _parameter_constraints = {
        "n_knots": [Interval(Integral, 2, None, closed="left")],
        "scale": [Interval(Real, 0, None, closed="neither")],
        "smoothness": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(
        self, n_knots: int = 8, *, scale: float = 0.3, smoothness: float = 1.0
    ) -> None:
        self.n_knots = n_knots
        self.scale = scale
        self.smoothness = smoothness

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Place the knots, and scale the functions.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Features.
        y : array-like, default=None
            Not used.

        Returns
        -------
        self : SplineBasis
            The fitted transformer.
        """
        X = validate_data(self, X, dtype=_FLOATS)
        parameters = self.n_knots, self.scale, self.smoothness
        curves = [CurvesOfFeature.of(column, *parameters) for column in X.T]
        self._curves = [(j, each) for j, each in enumerate(curves) if each]
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """Compute the functions.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Features.

        Returns
        -------
        X_new : ndarray of shape (n_rows, n_functions)
            Values of the functions, feature by feature, the least curved first.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=_FLOATS)
        blocks = [each.at(X[:, j]) for j, each in self._curves]
        return np.hstack([np.empty((len(X), 0)), *blocks])

    def get_feature_names_out(
        self, input_features: ArrayLike | None = None
    ) -> NDArray[np.object_]:
        """Return the names of the functions.

        Parameters
        ----------
        input_features : array-like of shape (n_features,), default=None
            Names of the features; needed only if X had none in `fit`.

        Returns
        -------
        names : ndarray of str
            Names of the features, and numbers of their functions.
        """
        check_is_fitted(self)
        names = check_feature_names_in(self, input_features)
        found = [
            f"{names[j]}_curve{k}"
            for j, each in self._curves
            for k in range(each.weights.shape[1])
        ]
        return np.array(found, dtype=object)


@dataclass(frozen=True)
class CurvesOfFeature:
    """Functions of one feature: combinations of splines, minus straight lines.

    Parameters
    ----------
    centre, spread : float
        Standardise the feature.
    ends : tuple of float
        Smallest and largest standardised value; functions are constant beyond them.
    splines : SplineTransformer
        Splines of the standardised feature.
    lines : ndarray of shape (2, n_splines)
        Constants and slopes of the lines that fit each spline best.
    weights : ndarray of shape (n_splines, n_functions)
        Weights of the splines in each function.
    """

    centre: float
    spread: float
    ends: tuple[float, float]
    splines: Any
    lines: Array
    weights: Array

    @classmethod
    def of(
        cls, column: Array, n_knots: int, scale: float, smoothness: float
    ) -> "CurvesOfFeature | None":
        """Return the functions of a feature, or None if a line is all it can have."""
        values = np.unique(column).astype(float)
        centre, spread = values.mean(), values.std()
        values = np.unique((values - centre) / (spread if spread > 0 else 1.0))
        n_functions = min(n_knots, len(values) - 2)
        if n_functions < 1:
            return None
        n_knots = min(n_knots, len(values))
        knots = np.quantile(values, np.linspace(0, 1, n_knots))
        splines = SplineTransformer(knots=knots[:, None])
        found = splines.fit_transform(values[:, None])
        line = np.column_stack([np.ones(len(values)), values])
        lines = np.linalg.lstsq(line, found)[0]
        ratios, weights = _least_curved(
            found - line @ lines, splines.bsplines_[0], knots
        )
        ratios, weights = ratios[:n_functions], weights[:, :n_functions]
        # Standard deviations relative to the first, now ratios**0.5.
        weights = weights / np.sqrt(ratios) * (ratios / ratios[0]) ** (smoothness / 2)
        ends = values[0], values[-1]
        return cls(centre, spread, ends, splines, lines, scale * spread * weights)

    def at(self, column: Array) -> Array:
        """Return the functions of a column."""
        x = (column - self.centre) / self.spread
        x = np.clip(x, *self.ends)
        line = np.column_stack([np.ones(len(x)), x])
        values: Array = self.splines.transform(x[:, None]) - line @ self.lines
        return values @ self.weights


def _least_curved(values, bspline, knots):
    """Return uncorrelated functions with the largest variances per curvature.

    Parameters
    ----------
    values : ndarray of shape (n_values, n_splines)
        Splines, the straight part left out.
    bspline : BSpline
        The splines.
    knots : ndarray of shape (n_knots,)
        Knots within the range of the values.

    Returns
    -------
    ratios : ndarray of shape (n_splines - 2,)
        Variances of functions of curvature 1, decreasing.
    weights : ndarray of shape (n_splines, n_splines - 2)
        Weights of the splines in these functions.
    """
    degree, n_splines = bspline.k, values.shape[1]
    # The weights of a straight line are the means of the inner knots of each spline.
    means = [bspline.t[i + 1 : i + 1 + degree].mean() for i in range(n_splines)]
    straight = np.column_stack([np.ones(n_splines), means])
    bent = np.linalg.qr(straight, mode="complete")[0][:, 2:]
    curvature = bent.T @ _integrate_curvature(bspline, knots) @ bent
    variance = bent.T @ (values.T @ values / len(values)) @ bent
    ratios, weights = eigh(variance, curvature)
    return ratios[::-1], bent @ weights[:, ::-1]


def _integrate_curvature(bspline, knots):
    """Return the integrals of products of second derivatives."""
    # Two points per interval integrate squares of straight lines exactly.
    half, middle = np.diff(knots) / 2, (knots[1:] + knots[:-1]) / 2
    offsets = half / np.sqrt(3)
    points = np.concatenate([middle - offsets, middle + offsets])
    second = bspline.derivative(2)(points)
    return (second * np.tile(half, 2)[:, None]).T @ second


class KernelBasis(_Basis):
    """Compute smooth functions of all features together, by a Gaussian kernel.

    Functions are combinations of ``exp(-||x - z_k||^2 / (2 s^2))``, with rows ``z_k``
    drawn from X as centres and `s` equal to `width` times the median distance between
    them. In this basis, ridge regression approximates kernel ridge regression. The mean
    variance of the functions is 1.

    Parameters
    ----------
    n_components : int, default=80
        Number of functions; at most the number of distinct rows.
    width : float, default=1.0
        Width of the kernel relative to the median distance between the centres. A
        smaller one allows functions to change faster.
    random_state : int, RandomState instance or None, default=0
        Seed for the choice of the centres.

    Attributes
    ----------
    centres_ : ndarray of shape (n_functions, n_features)
        Rows at which the kernels are centred.
    n_features_in_ : int
        Number of columns of X in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    CurvedTasks : Models of tasks that are linear in such functions.
    SplineBasis : Functions of one feature each.

    Notes
    -----
    Distances depend on the units of the features, so standardise them;
    :class:`CurvedTasks` does. The functions are those of
    :class:`sklearn.kernel_approximation.Nystroem`. The features themselves are not in
    the output.

    References
    ----------
    Williams, C., Seeger, M. (2000). Using the Nyström method to speed up kernel
    machines. Advances in Neural Information Processing Systems 13, 682-688.
    https://papers.nips.cc/paper/1866-using-the-nystrom-method-to-speed-up-kernel-machines

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.compose import KernelBasis
    >>> X = np.random.default_rng(0).normal(size=(100, 2))
    >>> KernelBasis(n_components=30).fit_transform(X).shape
    (100, 30)
    """

    _parameter_constraints = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "width": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: int = 80,
        *,
        width: float = 1.0,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.n_components = n_components
        self.width = width
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Draw the centres, and find the width.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Features.
        y : array-like, default=None
            Not used.

        Returns
        -------
        self : KernelBasis
            The fitted transformer.
        """
        X = validate_data(self, X, dtype=_FLOATS)
        # Neither the order of rows nor repeated rows change the draw.
        rows = np.unique(X, axis=0)
        n_functions = min(self.n_components, len(rows))
        order = check_random_state(self.random_state).permutation(len(rows))
        centres = rows[order[:n_functions]]
        gamma = 1 / (2 * (self.width * _median_distance(centres)) ** 2)
        self._nystroem = Nystroem(
            gamma=gamma, n_components=n_functions, random_state=0
        ).fit(centres)
        spread = np.sqrt(self._nystroem.transform(rows).var(axis=0).mean())
        self._factor = 1 / spread if spread > 0 else 1.0
        self.centres_ = self._nystroem.components_
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """Compute the functions.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            Features.

        Returns
        -------
        X_new : ndarray of shape (n_rows, n_functions)
            Values of the functions.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=_FLOATS)
        values: NDArray[Any] = self._factor * self._nystroem.transform(X)
        return values

    def get_feature_names_out(
        self, input_features: ArrayLike | None = None
    ) -> NDArray[np.object_]:
        """Return the names of the functions.

        Parameters
        ----------
        input_features : array-like of shape (n_features,), default=None
            Checked only.

        Returns
        -------
        names : ndarray of str
            "kernel0", "kernel1" and so on.
        """
        check_is_fitted(self)
        check_feature_names_in(self, input_features)
        names = [f"kernel{k}" for k in range(len(self.centres_))]
        return np.array(names, dtype=object)


def _median_distance(rows):
    """Return the median distance between rows, 1 if it is zero or there is one row."""
    distances = pdist(rows)
    median = np.median(distances) if len(distances) else 0.0
    return median if median > 0 else 1.0
