"""Search the strength of any linear model of tasks along a path."""

from dataclasses import dataclass
from numbers import Integral, Real

from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
    MultiOutputMixin,
    RegressorMixin,
    clone,
)
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skmtl._compat import Documented, Interval, fit_context
from skmtl.base import MomentRegressor
from skmtl.selection import PathGrid, PathSearch


class PathSearchCV(
    Documented, MultiOutputMixin, RegressorMixin, MetaEstimatorMixin, BaseEstimator
):
    """Choose the strength of a linear model of tasks along a path.

    In every fold the model is solved at falling strengths, each from where the last two
    solutions lead, and the strength of smallest squared error on rows left out is
    chosen. Folds are moments of their rows, which are read once; only where rows are
    far fewer than features are they used again. In folds, ten times the `tol` of
    the model is enough, 1e-4 at most; not with joint features, which are found fast.

    Parameters
    ----------
    estimator : estimator instance
        Model of :mod:`skmtl.linear_model` that learns from moments: any but the
        ...CV ones.
    n_alphas : int, default=30
        Number of strengths to choose from, if `alphas` is None.
    alphas : array-like of shape (n_alphas,), default=None
        Strengths to choose from, positive. None for a path from the highest that
        makes a difference: with norms, the least at which all coefficients are zero;
        with penalties that make none zero, one at which a step from zero is halved.
        With models on the scale of ridge regression, they go from 1e4 down to 1e-3
        times the mean curvature of a task's loss.
    param : str, default=None
        Name of the strength that is searched. None for all that the penalty has, which
        keep their proportions: `alphas` are values of the first, for instance of
        `alpha_related`. In models on the scale of ridge regression, None is `alpha`.
    eps : float, default=None
        Lowest strength in units of the highest, if `alphas` is None; of no effect on
        the scale of ridge regression. None for 1e-3, and for lower ones as long as
        errors on rows left out fall.
    cv : int, splitter or iterable of (train, test), default=None
        None for 5. An int deals the rows of each task to so many folds.
    one_standard_error : bool, default=False
        Whether to take the largest strength whose error is within one standard error
        of the smallest, for a simpler model.

    Attributes
    ----------
    best_estimator_ : estimator instance
        The model at the strength that was chosen, fitted to all rows.
    alpha_ : float
        Strength that was chosen.
    best_params_ : dict
        The same by the names of the parameters that were searched.
    best_index_ : int
        Position of it in `cv_results_`.
    best_score_ : float
        Mean of the squared errors on rows left out at `alpha_`, negated.
    cv_results_ : dict of ndarray
        Falling strengths, "alpha", with "mean_test_score", "std_test_score" and the
        scores of each fold, "split0_test_score" and so on: mean squared errors,
        negated, all weights applied.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    JointFeatureRegressorCV : Features that all tasks share, with a strength chosen.
    LowRankRegressorCV : Few directions, with a strength chosen.

    References
    ----------
    Friedman, J., Hastie, T., Tibshirani, R. (2010). Regularization paths for
    generalized linear models via coordinate descent. Journal of Statistical Software,
    33(1), 1-22. :doi:`10.18637/jss.v033.i01`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import PathSearchCV, RobustRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 4))
    >>> Y = np.outer(X @ [1.0, 2.0, 0.0, 0.0], [1.0, 1.5, 0.0, 2.0, 1.0, 1.2])
    >>> Y[:, 2] = X @ [0.0, 0.0, 3.0, 3.0]
    >>> Y += 0.3 * rng.normal(size=Y.shape)
    >>> model = RobustRegressor(alpha_related=1.0, alpha_outlier=1.0)
    >>> search = PathSearchCV(model, one_standard_error=True).fit(X, Y)
    >>> sorted(search.best_params_)
    ['alpha_outlier', 'alpha_related']
    >>> search.best_estimator_.outlier_tasks_
    array([2])
    """

    _parameter_constraints = {
        "estimator": [MomentRegressor],
        "n_alphas": [Interval(Integral, 1, None, closed="left")],
        "alphas": ["array-like", None],
        "param": [str, None],
        "eps": [Interval(Real, 0, 1, closed="neither"), None],
        "cv": ["cv_object"],
        "one_standard_error": ["boolean"],
    }
    __metadata_request__fit = {"task": True}
    __metadata_request__predict = {"task": True}
    __metadata_request__score = {"task": True}

    def __init__(
        self,
        estimator,
        n_alphas=30,
        *,
        alphas=None,
        param=None,
        eps=None,
        cv=None,
        one_standard_error=False,
    ):
        self.estimator = estimator
        self.n_alphas = n_alphas
        self.alphas = alphas
        self.param = param
        self.eps = eps
        self.cv = cv
        self.one_standard_error = one_standard_error

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, task=None):
        """Choose the strength, and fit the model to all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if the model has a `task_column`.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Target. If 2-d, columns are tasks and NaN means not observed.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each row, in the loss and in the errors.
        task : array-like of shape (n_samples,), int or str, default=None
            Task label of each row, or one label for all rows, if X has no task column.

        Returns
        -------
        self : object
            The fitted search.
        """
        model = clone(self.estimator)
        model._validate_params()
        names = name_strengths(model, self.param)
        scaled = Proportional(model, names)
        search = PathSearch(
            scaled.relation_at,
            PathGrid(self.alphas, self.n_alphas, self.eps),
            self.cv,
            self.one_standard_error,
            moves_all=self.param is None or names == name_strengths(model, None),
        )
        model._fit(X, y, sample_weight, task, search=search)
        for name in ("alpha_", "cv_results_", "best_index_", "best_score_"):
            setattr(self, name, vars(model).pop(name))
        self.best_params_ = scaled.parameters(self.alpha_)
        self.best_estimator_ = model.set_params(**self.best_params_)
        return self

    def predict(self, X, task=None):
        """Predict each row with the model of its task.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if there was one in `fit`.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_tasks)
            Predictions of `best_estimator_`.
        """
        check_is_fitted(self)
        return self.best_estimator_.predict(X, task)

    def score(self, X, y, sample_weight=None, task=None):
        """Return the coefficient of determination of the predictions.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, as in `predict`.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Target; NaN in a 2-d y is left out.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.
        task : array-like of shape (n_samples,), default=None
            Label of each row, as in `predict`.

        Returns
        -------
        float
            Score of `best_estimator_`.
        """
        check_is_fitted(self)
        return self.best_estimator_.score(X, y, sample_weight, task)

    @property
    def n_features_in_(self):
        """Number of columns of X in `fit`, with the task column."""
        return _learnt(self).n_features_in_

    @property
    def feature_names_in_(self):
        """Names of the columns of X, if they are all strings."""
        return _learnt(self).feature_names_in_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags, tags.target_tags = inner.input_tags, inner.target_tags
        return tags


def _learnt(search):
    """Return the model that was fitted; before that, there is no such attribute."""
    if "best_estimator_" not in vars(search):
        raise AttributeError(f"This {type(search).__name__} is not fitted yet.")
    return search.best_estimator_


@dataclass(frozen=True)
class Proportional:
    """A model whose strengths change in proportion.

    Parameters
    ----------
    model : TaskModel
        The model, not fitted.
    names : list of str
        Parameters that are strengths; the first one is the strength of the path.
    """

    model: object
    names: list

    def parameters(self, alpha):
        """Return the strengths by name."""
        first, *others = self.names
        given = self.model.get_params()
        factors = {name: given[name] / given[first] for name in others}
        return {first: alpha, **{name: alpha * by for name, by in factors.items()}}

    def relation_at(self, alpha, tasks):
        """Return the relation of tasks at a strength."""
        model = clone(self.model).set_params(**self.parameters(float(alpha)))
        return model._relation(tasks)


def name_strengths(model, param=None):
    """Return the parameters that a path scales, the first one in full.

    They are `alpha`, or all that begin with `alpha_`, or the `alpha` of a penalty.
    """
    known = model.get_params()
    names = ["alpha"] if "alpha" in known else _find_strengths(model)
    names = names if param is None else [param]
    if not names or any(name not in known for name in names):
        numbers = [name for name in known if "alpha" in name]
        raise ValueError(
            f"param must name a strength of {type(model).__name__}, got {param!r}. "
            f"Choose among {numbers}, or give the estimator a penalty."
        )
    return names


def _find_strengths(model):
    """Return the names of strengths among parameters, in the constructor's order."""
    own = [name for name, value in vars(model).items() if value is not None]
    own = [name for name in own if name.startswith("alpha_")]
    inner = [name for name in model.get_params() if name.startswith("penalty__")]
    inner = [name for name in inner if name.rpartition("__")[2].startswith("alpha")]
    depth = min((name.count("__") for name in inner), default=0)
    return own or [name for name in inner if name.count("__") == depth]
