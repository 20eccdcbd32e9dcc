"""Classification of tasks near a shared centre, with strengths chosen from the data."""

from numbers import Integral

from sklearn.metrics import get_scorer_names

from skmtl._compat import StrOptions, fit_context
from skmtl._linalg import calculation
from skmtl.base import CLASSIFIER_CONSTRAINTS, ClassModel
from skmtl.selection import FAST, HeldOutScore, deal_shuffled, read_splits

from ._coupled import NEWTON_CONSTRAINTS
from ._loss_search import choose, pose_grid, tabulate_held_out, tabulate_likelihoods
from ._mean_classifier import MeanRegularizedClassifier

_N_FOLDS = 5


class MeanRegularizedClassifierCV(ClassModel):
    """Linear classifiers that stay near a shared centre, as near as the data say.

    Minimises what :class:`MeanRegularizedClassifier` does, and chooses `alpha`,
    `alpha_shared` and `alpha_intercept`. How much tasks differ decides: from strengths
    near 0, tasks apart, to infinite ones, tasks alike.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,), default=None
        Strengths of the pull to choose from, positive or infinite. None for any, sought
        from the best point of a grid on.
    alphas_shared : array-like of shape (n_alphas_shared,), default=None
        Strengths that pull the centre's coefficients to zero to choose from, 0 or more;
        its intercept is not pulled. None for any above 0.
    alphas_intercept : array-like of shape (n_alphas_intercept,), default=None
        Strengths of the pull of the intercepts to choose from, positive or infinite.
        None for any.
    method : {"cv", "laplace"}, default="cv"
        What chooses. "cv": the score on rows left out, each fold solved along falling
        strengths. "laplace": the likelihood of a model in which tasks are normal draws
        around the centre, integrated out by Laplace's method; it needs one path over
        all rows, and tasks that are such draws.
    cv : int, splitter or iterable of (train, test), default=None
        Folds for ``method="cv"``. An int deals the rows of each task to so many folds,
        whatever their class; None stands for 5. Folds in which every task has the same
        share of a class would make the intercepts of small tasks look too certain.
    scoring : str or callable, default=None
        Score for ``method="cv"``, a scorer of scikit-learn. None, "neg_log_loss" and
        "accuracy" weight rows as the fit does, and need no fitted model; others are
        called with a fitted :class:`MeanRegularizedClassifier` and the rows left out,
        and cannot be told labels that `fit` got as ``task=``.
    class_scope : {"all", "task"}, default="all"
        Which classes may occur in a task: all of them, or those of its rows in `fit`.
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
    tol : float, default=1e-12
        Fall of the objective, in units of its value at zero, that the next step of the
        last fit must promise for another to follow.
    max_iter : int, default=100
        Largest number of Newton steps of the last fit.

    Attributes
    ----------
    alpha_ : float
        Strength of the pull to the centre; infinite if there is one task only.
    alpha_shared_ : float
        Strength that pulls the centre to zero.
    alpha_intercept_ : float
        Strength that pulls the intercepts together.
    tau2_ : float
        Variance of the tasks' coefficients around the centre, ``1 / alpha_``.
    tau2_intercept_ : float
        Variance of the tasks' intercepts around the centre's.
    cv_results_ : dict of ndarray
        What was tried: "alpha", "alpha_shared", "alpha_intercept" and
        "mean_test_score", larger being better: the score, by default the log loss
        negated, or the log likelihood. With ``method="cv"`` also "std_test_score",
        "split0_test_score" and so on.
    best_score_ : float
        The score of the strengths that were chosen.
    classes_ : ndarray of shape (n_classes,), or list of them
        Sorted classes of all tasks; with a 2-d y an array for each task.
    task_classes_ : ndarray of shape (n_tasks, n_classes), dtype bool
        Which classes each task had rows of.
    coef_ : ndarray of shape (n_tasks, n_features) or (n_tasks, n_classes, n_features)
        Coefficients, as :class:`MeanRegularizedClassifier` has them.
    intercept_ : ndarray of shape (n_tasks,) or (n_tasks, n_classes)
        Intercepts.
    coef_shared_ : ndarray of shape (n_features,) or (n_classes, n_features)
        Coefficients of the centre.
    intercept_shared_ : float or ndarray of shape (n_classes,)
        Intercept for tasks never seen: it fits all rows at `coef_shared_`.
    objective_ : float
        Value of the objective.
    kkt_ : float
        Gradient that is left, relative to the one at zero.
    n_iter_ : int
        Number of Newton steps of the last fit.
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
    MeanRegularizedClassifier : The same with given strengths.
    MeanRegularizedRegressorCV : The same for numbers.

    References
    ----------
    Breslow, N. E., Clayton, D. G. (1993). Approximate inference in generalized linear
    mixed models. Journal of the American Statistical Association, 88(421), 9-25.
    :doi:`10.1080/01621459.1993.10594284`

    Examples
    --------
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.linear_model import MeanRegularizedClassifierCV
    >>> X, y = make_related_tasks(n_tasks=30, spread=0.5, random_state=0)
    >>> model = MeanRegularizedClassifierCV(task_column=-1).fit(X, y > 0)
    >>> bool(model.best_score_ == model.cv_results_["mean_test_score"].max())
    True
    """

    _parameter_constraints = {
        "alphas": ["array-like", None],
        "alphas_shared": ["array-like", None],
        "alphas_intercept": ["array-like", None],
        "method": [StrOptions({"cv", "laplace"})],
        "cv": ["cv_object"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "tol": NEWTON_CONSTRAINTS["tol"],
        "max_iter": NEWTON_CONSTRAINTS["max_iter"],
        **CLASSIFIER_CONSTRAINTS,
    }

    def __init__(
        self,
        alphas=None,
        *,
        alphas_shared=None,
        alphas_intercept=None,
        method="cv",
        cv=None,
        scoring=None,
        class_scope="all",
        class_weight=None,
        fit_intercept=True,
        task_column=None,
        handle_unknown="shared",
        task_weight=None,
        tol=1e-12,
        max_iter=100,
    ):
        self.alphas = alphas
        self.alphas_shared = alphas_shared
        self.alphas_intercept = alphas_intercept
        self.method = method
        self.cv = cv
        self.scoring = scoring
        self.class_scope = class_scope
        self.class_weight = class_weight
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.tol = tol
        self.max_iter = max_iter

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, task=None):
        data, classes = self._read(X, y, sample_weight, task)
        with calculation(data.X.shape[1]):
            chosen = choose(self._table(data, classes, X, y, task))
            names = "alpha_", "alpha_shared_", "alpha_intercept_"
            model = self._at(*(chosen[name] for name in names))
            learnt = model._learn_classes(data, classes)
        return self._keep(data, {**learnt, **chosen})

    def _softens(self):
        """Return False: a pull, however weak, holds every intercept."""
        return False

    def _at(self, alpha, shared, level):
        """Return an unfitted model of the same parameters, and these strengths."""
        model = MeanRegularizedClassifier(
            alpha, alpha_shared=shared, alpha_intercept=level
        )
        known, names = self.get_params(), model.get_params()
        return model.set_params(**{k: known[k] for k in names if k in known})

    def _table(self, data, classes, X, y, task):
        """Return the scores of all strengths."""
        datafit = self._pose_rows(data, len(classes))
        lists = self.alphas, self.alphas_shared, self.alphas_intercept
        grid = pose_grid(datafit, *lists)
        if self.method == "laplace":
            return tabulate_likelihoods(grid)
        splits = self._read_splits(data, X, y, task)
        if self.scoring in FAST:
            measure = FAST[self.scoring](datafit)
        else:
            measure = HeldOutScore(self.scoring, self._fitter(data, classes), X, y)
        return tabulate_held_out(grid, splits, measure)

    def _read_splits(self, data, X, y, task):
        """Return splits of the rows, by default those of each task shuffled."""
        if self.cv is None or isinstance(self.cv, Integral):
            return deal_shuffled(data, _N_FOLDS if self.cv is None else self.cv)
        return read_splits(self.cv, data, X, y, task)

    def _fitter(self, data, classes):
        """Return a function that makes fitted models, as scorers need them."""
        names = "n_features_in_", "feature_names_in_"
        about = {name: vars(self)[name] for name in names if name in vars(self)}

        def fitted(objective, variable):
            models = objective.unpack(variable)
            model = self._at(1.0, 1.0, 0.0)
            return model._keep(data, {**about, **self._describe(models, data, classes)})

        return fitted
