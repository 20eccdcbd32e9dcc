"""Bases of curves: transformers of features, without the task."""

from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import pdist
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.kernel_approximation import Nystroem
from sklearn.preprocessing import SplineTransformer
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skmtl._compat import Documented, Interval, check_feature_names_in, fit_context

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
    """Splines of each feature, fewer for a feature with few distinct values.

    A feature gets ``n_knots + degree - 2`` functions: piecewise polynomials between
    knots, which are quantiles of its distinct values. Beyond the outermost knots they
    continue as straight lines. A feature with two distinct values gets none, because a
    line passes through them; one with ``k`` distinct values gets at most ``k - 1``.

    Parameters
    ----------
    n_knots : int, default=6
        Number of knots of a feature with many distinct values.
    degree : int, default=3
        Degree of the polynomials.

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
    The splines are those of :class:`sklearn.preprocessing.SplineTransformer`. The
    features themselves are not in the output.

    References
    ----------
    Eilers, P. H. C., Marx, B. D. (1996). Flexible smoothing with B-splines and
    penalties. Statistical Science, 11(2), 89-121. :doi:`10.1214/ss/1038425655`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.compose import SplineBasis
    >>> X = np.column_stack([np.arange(10.0), np.arange(10) % 2])
    >>> SplineBasis(n_knots=4).fit_transform(X).shape
    (10, 5)
    """

    _parameter_constraints = {
        "n_knots": [Interval(Integral, 2, None, closed="left")],
        "degree": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, n_knots: int = 6, *, degree: int = 3) -> None:
        self.n_knots = n_knots
        self.degree = degree

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Place the knots.

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
        splines = [self._fit_column(column) for column in X.T]
        self._splines = [(j, each) for j, each in enumerate(splines) if each]
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
            Values of the functions, feature by feature.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=_FLOATS)
        blocks = [each.transform(X[:, [j]]) for j, each in self._splines]
        return np.hstack([np.empty((len(X), 0), X.dtype), *blocks])

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
        blocks = [each.get_feature_names_out([names[j]]) for j, each in self._splines]
        return np.concatenate([np.empty(0, dtype=object), *blocks])

    def _fit_column(self, column):
        """Return the fitted splines of a feature, or None if it needs no curve."""
        values = np.unique(column)
        if len(values) < 3:
            return None
        degree = min(self.degree, len(values) - 1)
        n_knots = max(2, min(self.n_knots, len(values) - degree + 1))
        if n_knots + degree < 4:
            return None  # its only function is a line
        knots = np.quantile(values, np.linspace(0, 1, n_knots))
        spline = SplineTransformer(
            degree=degree,
            knots=knots[:, None],
            extrapolation="linear",
            include_bias=False,
        )
        return spline.fit(column[:, None])


class KernelBasis(_Basis):
    """Smooth functions of all features together, by a Gaussian kernel.

    Functions are combinations of ``exp(-||x - z_k||^2 / (2 s^2))``, with rows ``z_k``
    drawn from X as centres and `s` equal to `width` times the median distance between
    them. In this basis, ridge regression approximates kernel ridge regression.

    Parameters
    ----------
    n_components : int, default=80
        Number of functions; at most the number of distinct rows.
    width : float, default=1.0
        Width of the kernel relative to the median distance between the centres. A
        smaller one allows functions to change faster.
    random_state : int, RandomState instance or None, default=0
        Draws the centres.

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
        values: NDArray[Any] = self._nystroem.transform(X)
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
