"""Search the strength of any linear model of tasks along a path."""

from dataclasses import dataclass
from inspect import signature
from numbers import Real
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, MultiOutputMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skmtl._compat import Documented, HasMethods, StrOptions, fit_context
from skmtl._contracts import Array
from skmtl.base import PATH_CONSTRAINTS, TaskModel
from skmtl.selection import PathGrid, PathSearch

from ._around_centre import AUTO, search_centre

# Strengths that do not change along a path.
_OF_CENTRE = "alpha_shared", "alpha_intercept"


def _has_method(name):
    """Return a check that the model has a method, before and after `fit`."""

    def check(search):
        getattr(vars(search).get("best_estimator_", search.estimator), name)
        return True

    return available_if(check)


class PathSearchCV(Documented, MultiOutputMixin, MetaEstimatorMixin, BaseEstimator):
    """Choose the strength of any linear model of tasks by cross-validation.

    In every fold the model is solved at decreasing strengths, each started from the two
    previous solutions. The strength with the best mean score on held-out rows is
    chosen: numbers are scored by the mean squared error, with Huber's loss by the mean
    absolute error, classes by the log loss, and counts by the mean Poisson deviance.
    With the squared loss, folds are moments, so that rows are read once, unless they
    are far fewer than features. In folds the tolerance is ten times the `tol` of the
    model, and at most 1e-4.

    Parameters
    ----------
    estimator : estimator instance
        Linear model of skmtl with a given strength: a regressor, a
        classifier or a count model, but not one that ends in CV.
    n_alphas : int, default=30
        Number of strengths to choose from, if `alphas` is None.
    alphas : array-like of shape (n_alphas,), default=None
        Strengths to choose from, positive. None for a path from the smallest strength
        at which all coefficients are zero, or, if the penalty makes none zero, at which
        it halves the first step from zero. For couplings, such as mean regularisation,
        they go from 1e4 down to 1e-3 times the mean curvature of a task's loss.
    param : str, default=None
        Name of the strength to search. None for all strengths of the penalty, in
        proportion: `alphas` are values of the first, for instance of `alpha_related`.
        For couplings, None is `alpha`.
    eps : float, default=None
        Smallest strength relative to the largest, if `alphas` is None; not for
        couplings. None for 1e-3, or 1e-2 for classes and counts, and smaller while the
        error decreases.
    alpha_shared, alpha_intercept : {"auto"} or None, default=None
        Strengths of a centre and of pulled intercepts of models with a penalty. "auto"
        chooses, as in :class:`LowRankRegressorCV`; None keeps those of the model.
    cv : int, splitter or iterable of (train, test), default=None
        None for 5. An int assigns the rows of each task to that many folds: in turn for
        the squared loss, shuffled for others.
    scoring : str or callable, default=None
        Score of held-out rows, of scikit-learn; larger is better. None for the one
        above. To this and to "accuracy" and "neg_log_loss" of a classifier all weights
        are applied; other scorers get no weights.
    one_standard_error : bool, default=False
        Whether to choose the largest strength with a score within one standard error
        of the best, for a simpler model.

    Attributes
    ----------
    best_estimator_ : estimator instance
        The model at the chosen strength, fitted to all rows.
    alpha_ : float
        Chosen strength.
    best_params_ : dict
        Chosen strengths by the names of their parameters.
    best_index_ : int
        Position of `alpha_` in `cv_results_`.
    best_score_ : float
        Mean score at `alpha_`.
    cv_results_ : dict of ndarray
        Decreasing strengths, "alpha", with "mean_test_score", "std_test_score" and the
        scores of each fold, "split0_test_score" and so on; errors are negative.
    classes_ : ndarray of shape (n_classes,), or list of them
        Sorted classes, if the model is a classifier; with a 2-d y an array per task.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    MeanRegularizedRegressorCV : All strengths of mean regularisation.
    JointFeatureRegressorCV : Joint features, with warm starts in the final fit too.

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
        "estimator": [HasMethods(["fit", "predict"])],
        "param": [str, None],
        "alpha_shared": [StrOptions({AUTO}), None],
        "alpha_intercept": [StrOptions({AUTO}), None],
        **PATH_CONSTRAINTS,
    }
    __metadata_request__fit = {"task": True, "exposure": True}
    __metadata_request__predict = {"task": True, "exposure": True}
    __metadata_request__predict_proba = {"task": True}
    __metadata_request__predict_log_proba = {"task": True}
    __metadata_request__decision_function = {"task": True}
    __metadata_request__score = {"task": True, "exposure": True}

    def __init__(
        self,
        estimator: TaskModel,
        n_alphas: int = 30,
        *,
        alphas: Any = None,
        param: str | None = None,
        eps: float | None = None,
        alpha_shared: str | None = None,
        alpha_intercept: str | None = None,
        cv: Any = None,
        scoring: Any = None,
        one_standard_error: bool = False,
    ):
        self.estimator = estimator
        self.n_alphas = n_alphas
        self.alphas = alphas
        self.param = param
        self.eps = eps
        self.alpha_shared = alpha_shared
        self.alpha_intercept = alpha_intercept
        self.cv = cv
        self.scoring = scoring
        self.one_standard_error = one_standard_error

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        task: Any = None,
        exposure: Any = None,
    ) -> Self:
        """Choose the strength, and fit the model to all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if the model has a `task_column`.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Targets, as the model takes them. If 2-d, columns are tasks and NaN means
            not observed.
        sample_weight : float, array-like of shape (n_samples,) or (n_samples, n_tasks)
            Weight of each row, or of each cell of a 2-d y, in the loss and the score.
        task : array-like of shape (n_samples,), int or str, default=None
            Task label of each row, or one label for all rows, if X has no task column.
        exposure : array-like of shape (n_samples,), default=None
            Exposure of each row, if the model is one of counts.

        Returns
        -------
        self : object
            The fitted search.
        """
        _refuse_others(self.estimator)
        _refuse_exposure(self.estimator, exposure)
        model = clone(self.estimator)
        model._validate_params()
        names = name_strengths(model, self.param)
        centre = self._centre(model)
        scaled = Proportional(clone(model).set_params(**_without(centre)), names)
        search: Any = PathSearch(
            scaled.relation_at,
            PathGrid(self.alphas, self.n_alphas, self.eps),
            self.cv,
            self.one_standard_error,
            moves_all=self.param is None or names == _find_strengths(model),
            scoring=self.scoring,
        )
        if AUTO in centre.values():
            search = search_centre(search, **centre)
        model._fit(X, y, sample_weight, task, search, **_given(exposure=exposure))
        found = ["alpha_", "cv_results_", "best_index_", "best_score_"]
        for name in [*found, *(f"{name}_" for name in centre)]:
            setattr(self, name, vars(model).pop(name))
        model._learnt = tuple(name for name in model._learnt if hasattr(model, name))
        chosen = {name: getattr(self, f"{name}_") for name in centre}
        self.best_params_ = scaled.parameters(self.alpha_) | chosen
        self.best_estimator_ = model.set_params(**self.best_params_)
        return self

    def _centre(self, model):
        """Return the strengths of the centre, empty if none of them is chosen."""
        given = {name: getattr(self, name) for name in _OF_CENTRE}
        if AUTO not in given.values():
            return {}
        known = model.get_params()
        if not known.keys() >= given.keys():
            raise ValueError(
                f"alpha_shared and alpha_intercept cannot be chosen for "
                f"{type(model).__name__}, which has no such parameters. Leave them at "
                "None."
            )
        return {name: each or known[name] for name, each in given.items()}

    def predict(self, X: Any, task: Any = None, exposure: Any = None) -> Array:
        """Predict each row with the model of its task.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if there was one in `fit`.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.
        exposure : array-like of shape (n_samples,), default=None
            Exposure of each row, if the model is one of counts.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_tasks)
            Predictions of `best_estimator_`.
        """
        check_is_fitted(self)
        return self.best_estimator_.predict(X, task, **_given(exposure=exposure))

    @_has_method("predict_proba")
    def predict_proba(self, X: Any, task: Any = None) -> Array:
        """Predict the probability of each class with the model of a row's task.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, as in `predict`.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, as in `predict`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or list of them
            Probabilities by `best_estimator_`, in the order of `classes_`.
        """
        check_is_fitted(self)
        return self.best_estimator_.predict_proba(X, task)

    @_has_method("predict_log_proba")
    def predict_log_proba(self, X: Any, task: Any = None) -> Array:
        """Predict the logarithm of the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, as in `predict`.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, as in `predict`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or list of them
            Logarithms of what `predict_proba` returns.
        """
        check_is_fitted(self)
        return self.best_estimator_.predict_log_proba(X, task)

    @_has_method("decision_function")
    def decision_function(self, X: Any, task: Any = None) -> Array:
        """Score the classes of each row with the model of its task.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, as in `predict`.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, as in `predict`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Scores by `best_estimator_`.
        """
        check_is_fitted(self)
        return self.best_estimator_.decision_function(X, task)

    def score(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        task: Any = None,
        exposure: Any = None,
    ) -> float:
        """Score the predictions as the model does: R2, accuracy or explained deviance.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, as in `predict`.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Targets; NaN in a 2-d y is left out.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.
        task : array-like of shape (n_samples,), default=None
            Label of each row, as in `predict`.
        exposure : array-like of shape (n_samples,), default=None
            Exposure of each row, if the model is one of counts.

        Returns
        -------
        float
            Score of `best_estimator_`.
        """
        check_is_fitted(self)
        more = _given(exposure=exposure)
        return self.best_estimator_.score(X, y, sample_weight, task, **more)

    @property
    def classes_(self) -> Any:
        """Sorted classes, if the model is a classifier."""
        return _learnt(self).classes_

    @property
    def n_features_in_(self) -> int:
        """Number of columns of X in `fit`, with the task column."""
        return _learnt(self).n_features_in_

    @property
    def feature_names_in_(self) -> Array:
        """Names of the columns of X, if they are all strings."""
        return _learnt(self).feature_names_in_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.estimator_type = inner.estimator_type
        tags.input_tags, tags.target_tags = inner.input_tags, inner.target_tags
        tags.classifier_tags = inner.classifier_tags
        tags.regressor_tags = inner.regressor_tags
        return tags


def _refuse_others(estimator):
    """Refuse estimators that are not linear models of tasks."""
    if not hasattr(estimator, "_relation"):
        raise ValueError(
            "estimator must be a linear model of skmtl with a given strength, got "
            f"{type(estimator).__name__}. In a pipeline the search is the last "
            "step: make_task_pipeline(StandardScaler(), PathSearchCV(model), "
            "task_column=...)."
        )


def _refuse_exposure(estimator, exposure):
    """Refuse exposures of a model that has none."""
    if exposure is not None and "exposure" not in signature(estimator.fit).parameters:
        raise ValueError(
            f"exposure needs a model of counts, got {type(estimator).__name__}. Use "
            "one that ends in PoissonRegressor, or leave exposure out."
        )


def _without(centre):
    """Return the parameters of a model without a centre."""
    none = {"alpha_shared": np.inf, "alpha_intercept": 0.0}
    return {name: none[name] for name in centre}


def _given(**arguments):
    """Return the arguments that are not None."""
    return {name: value for name, value in arguments.items() if value is not None}


def _learnt(search):
    """Return the fitted model; before `fit`, raise an AttributeError."""
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
    if "alphas" in known:
        raise ValueError(
            "estimator must be a model with a given strength, got "
            f"{type(model).__name__}, which chooses its own. Fit it without "
            "PathSearchCV."
        )
    names = _find_strengths(model) if param is None else [param]
    if not names or any(not _is_strength(name, known) for name in names):
        numbers = [name for name in known if _is_strength(name, known)]
        raise ValueError(
            f"param must name a strength of {type(model).__name__}, got {param!r}. "
            f"Choose among {numbers}, or give the estimator a penalty."
        )
    _check_first(names, known)
    return names


def _is_strength(name, known):
    return name in known and name.rpartition("__")[2].startswith("alpha")


def _check_first(names, known):
    """Check that the strength of the path is a number that others can be divided by."""
    name, value = names[0], known[names[0]]
    is_scale = isinstance(value, Real) and 0 < value < np.inf
    if not isinstance(value, Real) or (len(names) > 1 and not is_scale):
        raise ValueError(
            f"{name} must be a positive number to be searched, got {value!r}. Set it "
            f"to one, such as {name}=1.0: only its ratio to other strengths counts."
        )


def _find_strengths(model):
    """Return the names of strengths among parameters, in the constructor's order."""
    known = model.get_params()
    if "alpha" in known:
        return ["alpha"]
    own = [name for name, value in vars(model).items() if value is not None]
    own = [name for name in own if name.startswith("alpha_") and name not in _OF_CENTRE]
    inner = [name for name in known if name.startswith("penalty__")]
    inner = [name for name in inner if _is_strength(name, known)]
    depth = min((name.count("__") for name in inner), default=0)
    return own or [name for name in inner if name.count("__") == depth]
