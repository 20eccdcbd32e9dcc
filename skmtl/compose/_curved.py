"""Models of tasks that are linear in nonlinear functions of the features."""

from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import clone, is_classifier
from sklearn.utils import check_array
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from skmtl._compat import HasMethods, StrOptions, fit_context
from skmtl._memory import refuse_large
from skmtl.data import (
    as_table,
    declare_tasks,
    find_observed,
    naming_columns,
    read_sample_weight,
    read_target,
    refuse_zero_weight,
)

from ._bases import KernelBasis, SplineBasis
from ._curves import Curves
from ._observations import read_labelled_query
from ._wrapper import TaskWrapper, without_task_column

_NO_CURVES = "Fit the inner estimator alone, or reduce the columns."
# The first one, no functions, leaves the model linear.
_FAMILIES = {
    "splines": [None, SplineBasis(), SplineBasis(scale=1.0, smoothness=0.5)],
    "kernel": [None, *(KernelBasis(width=width) for width in (1.0, 2.0, 4.0))],
}


def _has_decision_function(wrapper):
    """Raise AttributeError if the estimator, fitted or not, has no such method."""
    inner = vars(wrapper).get("estimator_", wrapper.estimator)
    return callable(inner.decision_function)


class CurvedTasks(TaskWrapper):
    """Fit a linear model of tasks to nonlinear functions of the features.

    The inner estimator is fitted to the standardised features, followed by functions of
    them, such as splines. Its assumption about the tasks' coefficients becomes one
    about their curves: with a :class:`~skmtl.linear_model.MeanRegularizedRegressorCV`,
    the curve of each task is near a shared curve, which also predicts unseen tasks.

    Among several bases, the one with the largest `best_score_` of the fitted estimator
    is chosen: for :class:`~skmtl.linear_model.MeanRegularizedRegressorCV` the smallest
    leave-one-out error, which takes no further fit to rows.

    Parameters
    ----------
    estimator : estimator
        Model of tasks to clone, whose `fit` accepts ``task=``. Its own `task_column` is
        not used.
    basis : {"splines", "kernel"}, transformer, None or list, default="splines"
        Functions of the standardised features:

        - "splines": none, or those of :class:`SplineBasis`, more or less smooth;
        - "kernel": none, or those of :class:`KernelBasis` with width 1, 2 or 4;
        - any transformer of scikit-learn, such as
          :class:`~sklearn.preprocessing.PolynomialFeatures`;
        - None: no functions, only standardised features;
        - a list of transformers and None, from which one is chosen.
    curves : {"own", "shared"}, default="own"
        Whether each task has curves of its own, or all have the same and only the
        linear parts differ. "shared" needs an estimator with relative strengths of
        the features, `alpha_structure`, or with an `alpha` per feature, such as
        :class:`~skmtl.linear_model.MeanRegularizedRegressorCV` and its siblings for
        classes and counts. The strengths of the functions are then infinite.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position, or a level of its
        pandas index; a list of columns declares nested tasks. None means that ``task=``
        or the columns of `y` give the tasks, or that there is one task.

    Attributes
    ----------
    estimator_ : estimator
        Clone, fitted to features and functions.
    basis_ : transformer or None
        Chosen basis, fitted to the standardised features.
    scores_ : ndarray of shape (n_bases,)
        `best_score_` of the estimator for each basis, the mean if it is one per task;
        NaN if there is only one basis and no score.
    best_index_ : int
        Position of `basis_` in the list.
    best_score_ : float
        Score of `basis_`.
    tasks_ : ndarray of shape (n_tasks,)
        Labels of the tasks: sorted, or the columns of y in their order.
    n_tasks_ : int
        Number of tasks.
    classes_ : ndarray of shape (n_classes,), or list of them
        Sorted classes of all tasks; with a 2-d y an array for each task. Only for
        classifiers.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    SplineBasis : Splines of each feature.
    KernelBasis : Smooth functions of all features together.
    SharedPlusSpecific : Trees for the part that tasks share.

    Notes
    -----
    Beyond the training rows, splines are constant, so that only the linear part
    extrapolates. A sparse X is made dense, as functions of its zeros are not zero.

    Scores of the estimator must be comparable between bases. Restricted likelihoods
    (``method="reml"``) with an unpenalised centre, ``alphas_shared=[0.0]``, are not.

    References
    ----------
    Eilers, P. H. C., Marx, B. D. (1996). Flexible smoothing with B-splines and
    penalties. Statistical Science, 11(2), 89-121. :doi:`10.1214/ss/1038425655`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.compose import CurvedTasks
    >>> from skmtl.linear_model import MeanRegularizedRegressorCV
    >>> rng = np.random.default_rng(0)
    >>> task = np.repeat(np.arange(20), 15)
    >>> X = rng.uniform(-2, 2, size=(300, 1))
    >>> height = 1 + 0.2 * rng.normal(size=20)
    >>> y = height[task] * np.sin(2 * X[:, 0]) + 0.1 * rng.normal(size=300)
    >>> straight = MeanRegularizedRegressorCV()
    >>> straight.fit(X, y, task=task).score(X, y, task=task) < 0.5
    True
    >>> CurvedTasks(straight).fit(X, y, task=task).score(X, y, task=task) > 0.95
    True
    """

    _shares_tasks = True
    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict"])],
        "basis": [
            StrOptions(set(_FAMILIES)),
            HasMethods(["fit", "transform"]),
            list,
            None,
        ],
        "curves": [StrOptions({"own", "shared"})],
        "task_column": [str, Integral, list, None],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        basis: Any = "splines",
        curves: str = "own",
        task_column: str | int | list[str | int] | None = None,
    ) -> None:
        self.estimator = estimator
        self.basis = basis
        self.curves = curves
        self.task_column = task_column

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
        **params: Any,
    ) -> Self:
        """Choose the basis, and fit the estimator to the functions.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features, with the task column if `task_column` is set.
        y : array-like of shape (n_rows,) or (n_rows, n_tasks)
            Targets or classes. If 2-d, columns are tasks and NaN means not observed.
        sample_weight : float, array-like of shape (n_rows,) or (n_rows, n_tasks)
            Weight of each row or cell. None means ones.
        task : array-like of shape (n_rows,), int or str, default=None
            Task label of each row, or one label for all rows, if X has no task column.
        **params : dict
            Further arguments of the `fit` of the estimator, such as `exposure`.

        Returns
        -------
        self : CurvedTasks
            The fitted estimator.
        """
        bases = self._list_bases()
        inner = without_task_column(self, "estimator")
        table = as_table(X)
        validate_data(self, table, y, skip_check_array=True)
        declared = declare_tasks(table, self.task_column, task)
        features, target = _read_dense(self, declared.features), read_target(y)
        layout, labels = declared.match(features, target)
        weight = _weigh_rows(sample_weight, target)
        params |= {"sample_weight": sample_weight, "task": labels}
        if layout in ("single", "outputs"):
            del params["task"]
        fits = []
        for basis in bases:
            curves = Curves.fit(basis, features, weight)
            columns = curves.apply(features)
            model = _ESTIMATORS[self.curves](inner, features.shape[1], columns.shape[1])
            fits.append((curves, model.fit(columns, y, **params)))
        self._layout = layout
        return self._store(fits)

    def _store(self, fits):
        """Store the fit with the largest score."""
        scores = [np.mean(getattr(model, "best_score_", np.nan)) for _, model in fits]
        if len(fits) > 1 and np.isnan(scores).all():
            raise ValueError(
                "estimator must have best_score_ after fit to choose among several "
                f"bases, got {type(self.estimator).__name__}, which has none. Give one "
                "basis, such as SplineBasis(), or an estimator that ends with CV."
            )
        self.scores_ = np.array(scores)
        self.best_index_ = 0 if len(fits) == 1 else int(np.nanargmax(self.scores_))
        self.best_score_ = self.scores_[self.best_index_]
        self._curves, self.estimator_ = fits[self.best_index_]
        self.basis_ = self._curves.basis
        self.tasks_, self.n_tasks_ = self.estimator_.tasks_, self.estimator_.n_tasks_
        if is_classifier(self):
            self.classes_ = self.estimator_.classes_
        return self

    def predict(
        self, X: Any, task: ArrayLike | None = None, **params: Any
    ) -> NDArray[Any]:
        """Predict with the curves of each row's task.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features, with the task column if there was one in `fit`.
        task : array-like of shape (n_rows,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.
        **params : dict
            Further arguments of the `predict` of the estimator, such as
            ``return_std=True``.

        Returns
        -------
        y : ndarray of shape (n_rows,) or (n_rows, n_tasks)
            Predictions; one column per task if `y` had one in `fit`.
        """
        prediction: NDArray[Any] = self._call_methods("predict", X, task, **params)
        return prediction

    @available_if(_has_decision_function)
    def decision_function(self, X: Any, task: ArrayLike | None = None) -> Any:
        """Compute the raw scores of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features, with the task column if there was one in `fit`.
        task : array-like of shape (n_rows,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.

        Returns
        -------
        scores : ndarray, or list of them
            Scores, as the estimator returns them.
        """
        return self._call_methods("decision_function", X, task)

    def score(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
    ) -> float:
        """Return the score of the estimator: R2, accuracy or explained deviance.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features, with the task column if there was one in `fit`.
        y : array-like of shape (n_rows,) or (n_rows, n_tasks)
            Targets or classes; NaN in a 2-d `y` means not observed.
        sample_weight : array-like of shape (n_rows,), default=None
            Weight of each row. None means ones.
        task : array-like of shape (n_rows,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.

        Returns
        -------
        score : float
            Score over all rows; for a 2-d `y` the mean of the scores of its columns.
        """
        options = {"y": y, "sample_weight": sample_weight}
        return float(self._call_methods("score", X, task, **options))

    def _get_inner(self):
        return self.estimator

    def _call_methods(self, method, X, task, **params):
        check_is_fitted(self)
        X, labels = read_labelled_query(self, X, task)
        features = _read_dense(self, X)
        if labels is not None:
            params["task"] = labels
        return getattr(self.estimator_, method)(self._curves.apply(features), **params)

    def _list_bases(self):
        """Return the bases to choose from."""
        if isinstance(self.basis, str):
            return _FAMILIES[self.basis]
        bases = self.basis if isinstance(self.basis, list) else [self.basis]
        if not bases:
            raise ValueError(
                "basis must have at least one transformer or None, got an empty list. "
                "Give basis=None for straight lines."
            )
        return bases


def _relate_all(model, n_features, n_columns):
    """Return a clone of a model."""
    return clone(model)


def _share_functions(model, n_features, n_columns):
    """Return a clone whose tasks differ in the coefficients of features only."""
    common = np.arange(n_columns) >= n_features
    parameters = model.get_params(deep=False)
    if "alpha_structure" in parameters:
        strengths = {"alpha_structure": np.where(common, np.inf, 1.0)}
    elif "alpha" in parameters:
        strengths = {"alpha": np.where(common, np.inf, parameters["alpha"])}
    else:
        raise ValueError(
            "curves='shared' needs an estimator with strengths per feature, "
            f"alpha_structure or alpha, got {type(model).__name__}. Use "
            "MeanRegularizedRegressorCV, or curves='own'."
        )
    return clone(model).set_params(**strengths)


_ESTIMATORS = {"own": _relate_all, "shared": _share_functions}


def _read_dense(estimator, X):
    """Return features as a dense array of numbers."""
    if issparse(X):
        refuse_large(8 * X.shape[0] * X.shape[1], "a dense X", _NO_CURVES)
        X = X.toarray()
    with naming_columns(X), np.errstate(over="ignore", invalid="ignore"):
        array: NDArray[Any] = check_array(
            X,
            dtype=np.float64,
            estimator=type(estimator).__name__,
            input_name="X",
        )
    return array


def _weigh_rows(sample_weight, target):
    """Return the weight of each row, in a 2-d target of its observed cells."""
    weight = read_sample_weight(sample_weight, *target.shape)
    cells = np.ones(target.shape) if target.ndim == 1 else find_observed(target)
    if weight is not None:
        refuse_zero_weight(weight)
        cells = cells * (weight if weight.ndim == target.ndim else weight[:, None])
    return cells if target.ndim == 1 else cells.sum(axis=1)
