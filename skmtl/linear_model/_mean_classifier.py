"""Classification of tasks that stay near a shared centre."""

from numbers import Real

from skmtl._compat import Interval
from skmtl.base import CLASSIFIER_CONSTRAINTS, TaskClassifier
from skmtl.couplings import ToMean
from skmtl.problems.newton import CentredLosses

from ._coupled import NEWTON_CONSTRAINTS, Coupled
from ._mean import read_feature_alphas

CENTRE_CONSTRAINTS = {
    "alpha": [Interval(Real, 0, None, closed="both"), "array-like"],
    "alpha_shared": [Interval(Real, 0, None, closed="left")],
    "alpha_intercept": [Interval(Real, 0, None, closed="both")],
    **NEWTON_CONSTRAINTS,
}


class Centred(Coupled):
    """Pull tasks to a centre."""

    def _pose(self, datafit):
        n_features = datafit.data.X.shape[1]
        alpha = read_feature_alphas(self.alpha, n_features)
        coupling = ToMean(alpha, self.alpha_shared, self.alpha_intercept)
        return CentredLosses(datafit, coupling.pull(datafit.n_tasks, n_features))

    def _softens(self):
        return self.fit_intercept and self.alpha_intercept == 0


class MeanRegularizedClassifier(Centred, TaskClassifier):
    """Linear classifiers of tasks, kept near a shared centre.

    Minimises ``sum_t sum_i loss(y_i, x_i . w_t + b_t) + alpha / 2 sum_t ||w_t - w_s||^2
    + alpha_shared / 2 ||w_s||^2 + alpha_intercept / 2 sum_t (b_t - b_s)^2`` over all
    tasks and the centre ``(w_s, b_s)``, with the logistic loss for two classes and the
    multinomial for more, which have coefficients for each class. It is a mixed-effects
    logistic regression with given variances, and on an infinite `alpha` scikit-learn's
    LogisticRegression of all rows with ``C = 1 / alpha_shared``.

    Parameters
    ----------
    alpha : float or array-like of shape (n_features,), default=1.0
        Strength of the pull to the centre, 0 or more; one or one per feature. A large
        alpha makes tasks alike, infinity makes them one.
    alpha_shared : float, default=1.0
        Strength that pulls the centre to zero. Without it, and without rows of
        different classes that mingle, there may be no best centre.
    alpha_intercept : float, default=0.0
        Strength that pulls the intercepts together. 0 leaves them free, infinity makes
        them one.
    class_scope : {"all", "task"}, default="all"
        Which classes may occur in a task: all of them, or those of its rows in `fit`.
        If a task lacks a class that may occur in it, and its intercept is not
        penalised, one pseudo-row of weight 1 with the overall class frequencies is
        added to the task; without it the intercept would diverge.
    class_weight : {"balanced"} or mapping, default=None
        Factor of each class in the weights of the rows: a mapping from classes to
        numbers, or "balanced" to give all classes the same total weight.
    fit_intercept : bool, default=True
        Whether tasks have an intercept.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of columns
        declares nested tasks.
    handle_unknown : {"shared", "error"}, default="shared"
        What `predict` does with a task not seen in `fit`: predict it with the shared
        part, or raise an error.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss: a mapping from every label to a number, or
        "balanced" to give every task the same total weight.
    tol : float, default=1e-10
        Fall of the objective, in units of its value at zero, that the next step must
        promise for another to follow.
    max_iter : int, default=100
        Largest number of Newton steps.
    warm_start : bool, default=False
        Whether `fit` starts from the last solution, if that was of the same tasks.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,), or list of them
        Sorted classes of all tasks; with a 2-d y an array for each task.
    task_classes_ : ndarray of shape (n_tasks, n_classes), dtype bool
        Which classes each task had rows of.
    coef_ : ndarray of shape (n_tasks, n_features) or (n_tasks, n_classes, n_features)
        Coefficients; those of more than two classes sum to zero. For a single task that
        was not declared (1, n_features) or (n_classes, n_features).
    intercept_ : ndarray of shape (n_tasks,) or (n_tasks, n_classes)
        Intercepts; for a single task that was not declared (1,) or (n_classes,).
    coef_shared_ : ndarray of shape (n_features,) or (n_classes, n_features)
        Coefficients of the centre; where `alpha` is 0, the best fit to all rows.
    intercept_shared_ : float or ndarray of shape (n_classes,)
        Intercept for tasks never seen: that of the centre or, if `alpha_intercept` is 0
        or `alpha_shared` is not, the one that fits all rows at `coef_shared_`.
    objective_ : float
        Value of the objective.
    kkt_ : float
        Gradient that is left, relative to the one at zero.
    n_iter_ : int
        Number of Newton steps.
    tasks_ : ndarray of shape (n_tasks,)
        Labels of the tasks: sorted, or the columns of y in their order.
    n_tasks_ : int
        Number of tasks.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    MeanRegularizedClassifierCV : Choose the strengths from the data.
    GraphRegularizedClassifier : Tasks near their neighbours.
    JointFeatureClassifier : Tasks for which the same features matter.

    References
    ----------
    Evgeniou, T., Pontil, M. (2004). Regularized multi-task learning. KDD '04, 109-117.
    :doi:`10.1145/1014052.1014067`

    Examples
    --------
    >>> from skmtl.linear_model import MeanRegularizedClassifier
    >>> X = [["a", 1.0], ["a", 2.0], ["a", 3.0], ["b", 1.0], ["b", 3.0], ["b", 5.0]]
    >>> y = ["no", "yes", "yes", "no", "no", "yes"]
    >>> model = MeanRegularizedClassifier(alpha=2.0, task_column=0).fit(X, y)
    >>> model.predict([["a", 2.0], ["b", 2.0]])
    array(['yes', 'no'], dtype='<U3')
    >>> model.predict_proba([["a", 2.0], ["never seen", 2.0]]).round(2)
    array([[0.3, 0.7],
           [0.6, 0.4]])
    """

    _parameter_constraints = {**CENTRE_CONSTRAINTS, **CLASSIFIER_CONSTRAINTS}

    def __init__(
        self,
        alpha=1.0,
        *,
        alpha_shared=1.0,
        alpha_intercept=0.0,
        class_scope="all",
        class_weight=None,
        fit_intercept=True,
        task_column=None,
        handle_unknown="shared",
        task_weight=None,
        tol=1e-10,
        max_iter=100,
        warm_start=False,
    ):
        self.alpha = alpha
        self.alpha_shared = alpha_shared
        self.alpha_intercept = alpha_intercept
        self.class_scope = class_scope
        self.class_weight = class_weight
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
