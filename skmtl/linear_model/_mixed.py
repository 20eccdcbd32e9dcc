"""Regression and classification tasks in one fit."""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from numbers import Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skmtl._compat import Interval, StrOptions, fit_context
from skmtl._linalg import calculation, refuse_huge
from skmtl.base import COMMON_CONSTRAINTS, cast, float_type
from skmtl.couplings import ToMean
from skmtl.penalties import L21
from skmtl.problems.newton import CentredLosses, MixedDatafit, mixed_parts, standardise
from skmtl.problems.proximal import FreeLevels, MixedRows
from skmtl.solvers import Fista, Newton
from skmtl.targets import CLASSES, read_mixed, read_outcomes

from ._coupled import NEWTON_CONSTRAINTS, Coupled
from ._mean import read_feature_alphas
from ._mixed_predictor import MixedPredictor


class MixedTaskModel(Coupled, MixedPredictor):
    """Linear regression and classification tasks, learnt together.

    Each task has its own loss. With raw predictions ``z_ti = c_t (x_i . w_t + b_t) +
    a_t`` of task t, the model minimises

    - for ``sharing="centre"``: ``sum_t 1 / d_t sum_i loss_t(y_ti, z_ti) + alpha / 2
      sum_t ||w_t - w_s||^2 + alpha_shared / 2 ||w_s||^2``, so that tasks stay near a
      common centre ``w_s``, which is free;
    - for ``sharing="features"``: ``n_tasks / N sum_t 1 / d_t sum_i loss_t(y_ti, z_ti) +
      alpha sum_j ||W_j||``, with N rows in all, so that the coefficients ``W_j`` of a
      feature in all tasks, and in all classes of these, are zero together or not.

    No task drowns the others: ``d_t`` is the deviance per row of the best constant
    ``a_t``, which is the variance of a squared task's target, and ``c_t`` the unit of
    raw predictions in which the loss then curves by one there. Near it every task looks
    like least squares on a target of variance one. Without a penalty, ``d_t`` and
    ``c_t`` change nothing, and intercepts are never penalised, as levels in different
    units are not comparable.

    Parameters
    ----------
    losses : mapping
        From the label of every task to its loss: "squared" for numbers, "poisson" for
        counts and rates, "logistic" for two classes, "multinomial" for any number of
        them. Labels that are no tasks are passed over.
    sharing : {"centre", "features"}, default="centre"
        What tasks have in common. More than two classes have no place around one
        centre and need "features".
    alpha : float or array-like of shape (n_features,), default=1.0
        Strength of what is shared. For "centre" on the scale of Ridge, 0 or more, one
        or one per feature; infinity makes coefficients one, up to units. For "features"
        on the scale of Lasso, positive.
    alpha_shared : float, default=1.0
        Strength that pulls the centre to zero; for "centre" only.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of columns
        declares nested tasks.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss, beside ``1 / d_t``: a mapping from every label to a
        number, or "balanced" to give every task the same total weight.
    tol : float, default=1e-6
        Gradient that may be left, relative to the one at constants. For "centre" its
        square is measured, by the fall that the next Newton step promises.
    max_iter : int, default=10000
        Largest number of steps.
    warm_start : bool, default=False
        Whether `fit` starts from the last solution, if that was of the same tasks.

    Attributes
    ----------
    classes_ : dict of ndarray of shape (n_classes,)
        Sorted classes of each task that has classes, by label.
    coef_ : dict of ndarray of shape (n_features,) or (n_classes, n_features)
        Coefficients of raw predictions by label, in the units of the task: of the
        target, of the log-odds of the second class, or of the log of the mean. Those of
        more than two classes sum to zero.
    intercept_ : dict of float or ndarray of shape (n_classes,)
        Intercepts by label.
    coef_shared_ : ndarray of shape (n_features,)
        Coefficients of the centre, in no units: times `unit_` they are those of a task.
        For "centre" only.
    support_ : ndarray of shape (n_selected,)
        Indices of the features that are not zero in all tasks. For "features" only.
    scale_ : ndarray of shape (n_tasks,)
        Deviance per row ``d_t`` of the best constant, in the order of `tasks_`. It is
        zero where the target is constant: such a task is predicted by its constant and
        tells the others nothing.
    unit_ : ndarray of shape (n_tasks,)
        Units ``c_t`` of raw predictions; of a squared task its standard deviation.
    objective_ : float
        Value of the objective.
    kkt_ : float
        Gradient that is left, relative to the one at constants.
    n_iter_ : int
        Number of steps.
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
    MeanRegularizedRegressor : Regression tasks only.
    MeanRegularizedClassifier : Classification tasks of the same classes only.

    Notes
    -----
    It is neither a regressor nor a classifier for scikit-learn: `cv` as an integer is
    plain folds, and `score`, the mean fraction of deviance explained, is what searches
    maximise. Named scorers do not know mixed targets. A task never seen in `fit` is
    refused, because without rows it has neither units nor classes.

    References
    ----------
    Zhang, D., Shen, D. (2012). Multi-modal multi-task learning for joint prediction of
    multiple regression and classification variables in Alzheimer's disease. NeuroImage,
    59(2), 895-907. :doi:`10.1016/j.neuroimage.2011.09.069`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import MixedTaskModel
    >>> X = np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]])
    >>> Y = [[10, "no"], [14, "no"], [None, "yes"], [21, "no"], [26, "yes"], [29, None]]
    >>> losses = {0: "squared", 1: "logistic"}
    >>> model = MixedTaskModel(losses, alpha=0.1, alpha_shared=0.1).fit(X, Y)
    >>> number, label = model.predict([[5.0]])[0]
    >>> round(number, 1), label
    (25.4, 'yes')
    >>> model.predict_proba([[1.0], [5.0]])[1].round(2)
    array([[0.94, 0.06],
           [0.18, 0.82]])
    >>> MixedTaskModel(losses, sharing="features", alpha=0.1).fit(X, Y).support_
    array([0])
    """

    _parameter_constraints = {
        "losses": [Mapping],
        "sharing": [StrOptions({"centre", "features"})],
        "alpha": [Interval(Real, 0, None, closed="both"), "array-like"],
        "alpha_shared": [Interval(Real, 0, None, closed="left")],
        "task_column": COMMON_CONSTRAINTS["task_column"],
        "task_weight": COMMON_CONSTRAINTS["task_weight"],
        **NEWTON_CONSTRAINTS,
    }

    def __init__(
        self,
        losses,
        *,
        sharing="centre",
        alpha=1.0,
        alpha_shared=1.0,
        task_column=None,
        task_weight=None,
        tol=1e-6,
        max_iter=10000,
        warm_start=False,
    ):
        self.losses = losses
        self.sharing = sharing
        self.alpha = alpha
        self.alpha_shared = alpha_shared
        self.task_column = task_column
        self.task_weight = task_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, task=None):
        """Learn all tasks together.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if `task_column` names one.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Target of each row, a number or a label as its task has it. If 2-d, columns
            are tasks, and NaN or None means not observed.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each row.
        task : array-like of shape (n_samples,), int or str, default=None
            Task label of each row, or one label for all rows, if X has no task column.

        Returns
        -------
        self : object
            The fitted model.
        """
        data, cells = read_mixed(
            self,
            X,
            y,
            task=task,
            sample_weight=sample_weight,
            task_weight=self.task_weight,
        )
        values = np.split(cells[data.y.astype(np.intp)], data.offsets[1:-1])
        outcomes, y = read_outcomes(self.losses, data.tasks.tolist(), values)
        self._check_sharing(outcomes)
        data = replace(data, y=y)
        with calculation(data.X.shape[1]):
            learnt = self._learn_tasks(data, outcomes)
        return self._keep(data, learnt)

    def _learn_tasks(self, data, outcomes):
        """Return everything that a fit teaches, in the units of the tasks."""
        losses = [outcome.loss for outcome in outcomes]
        standards = _standardise(data, losses)
        refuse_huge(np.zeros(1), [standard.scale for standard in standards])
        varying = np.flatnonzero([standard.scale for standard in standards])
        some = data.of_tasks(varying)
        _check_any(some)
        parts = mixed_parts(
            some, [losses[t] for t in varying], [standards[t] for t in varying]
        )
        learn = {"centre": self._learn_centre, "features": self._learn_features}
        found, about = learn[self.sharing](some, parts)
        models = [np.zeros((loss.n_outputs, data.X.shape[1] + 1)) for loss in losses]
        for t, model in zip(varying, found, strict=True):
            models[t] = model
        models = [s.restore(m) for s, m in zip(standards, models, strict=True)]
        return {**self._describe(data, outcomes, standards, models), **about}

    def _learn_centre(self, data, parts):
        """Return the models of tasks around a centre, and what there is to say."""
        models, about = self._learn(MixedDatafit(data, parts), data)
        found = np.concatenate([models.coef, models.intercept[:, :, None]], axis=2)
        dtype = float_type(data.X)
        return found, {"coef_shared_": cast(models.coef_shared[0], dtype), **about}

    def _pose(self, datafit):
        n_features = datafit.data.X.shape[1]
        alpha = read_feature_alphas(self.alpha, n_features)
        coupling = ToMean(alpha, self.alpha_shared)
        return CentredLosses(datafit, coupling.pull(datafit.n_tasks, n_features))

    def _minimize(self, objective):
        solver = Newton(tol=self.tol**2, max_iter=self.max_iter)
        solution = solver.minimize(objective, self._start(objective))
        if not solution.converged:
            self._warn(solution, objective.residual(solution.variable))
        return solution

    def _warn(self, solution, left):
        warnings.warn(
            f"After {solution.n_iter} steps the gradient that is left is {left:.1e} "
            f"times the one at constants, and tol asks for {self.tol:.1e}. Raise "
            f"max_iter, or scale the features.",
            ConvergenceWarning,
            stacklevel=2,
        )

    def _learn_features(self, data, parts):
        """Return the models of tasks with common features, and what there is to say."""
        MixedDatafit(data, parts).refuse_huge()
        parts = tuple(part.about_means() for part in parts)
        loss, penalty = MixedRows(parts), FreeLevels(L21(self.alpha))
        solver = Fista(tol=self.tol, max_iter=self.max_iter)
        last = self._last(data.tasks, loss.shape)
        start = np.zeros(loss.shape) if last is None else last
        solution = solver.minimize(loss, penalty, start)
        if not solution.converged:
            self._warn(solution, solution.optimality)
        return loss.unpack(solution.variable), {
            "support_": np.flatnonzero(solution.variable[:, :-1].any(axis=0)),
            "objective_": solution.objective,
            "n_iter_": solution.n_iter,
            "kkt_": solution.optimality,
            "_variable": (data.tasks, solution.variable),
        }

    def _describe(self, data, outcomes, standards, models):
        """Return the attributes that hold the linear models of tasks, by label."""
        labels, dtype = data.tasks.tolist(), float_type(data.X)
        outcomes = dict(zip(labels, outcomes, strict=True))
        models = {
            label: cast(outcomes[label].turn(model), dtype)
            for label, model in zip(labels, models, strict=True)
        }
        classes = {k: o.classes for k, o in outcomes.items() if o.name in CLASSES}
        return {
            "tasks_": data.tasks,
            "n_tasks_": len(labels),
            "classes_": classes,
            "coef_": {k: model[..., :-1] for k, model in models.items()},
            "intercept_": {k: model[..., -1][()] for k, model in models.items()},
            "scale_": np.array([standard.scale for standard in standards]),
            "unit_": np.array([standard.unit for standard in standards]),
            "_outcomes": outcomes,
        }

    def _keep(self, data, learnt):
        for name in ("coef_shared_", "support_"):
            vars(self).pop(name, None)
        return super()._keep(data, learnt)

    def _check_sharing(self, outcomes):
        """Refuse what cannot be shared in this way."""
        if self.sharing == "features":
            if np.ndim(self.alpha) or not 0 < self.alpha < np.inf:
                raise ValueError(
                    "alpha must be a positive number for sharing='features', got "
                    f"{self.alpha!r}. One per feature goes with sharing='centre'."
                )
            return
        several = [o.label for o in outcomes if o.loss.n_outputs > 1]
        if several:
            raise ValueError(
                "sharing='centre' needs tasks of one raw prediction, got more than two "
                f"classes in the tasks {several[:5]}, which have a score for each. Use "
                "sharing='features'."
            )


def _standardise(data, losses):
    """Return the scale of each task."""
    ones = np.ones(len(data.y)) if data.weight is None else data.weight
    parts = [np.split(values, data.offsets[1:-1]) for values in (data.y, ones)]
    return list(map(standardise, losses, *parts))


def _check_any(data):
    heavy = data.task_weight is None or data.task_weight.any()
    if not (len(data.tasks) and heavy):
        raise ValueError(
            "y must vary in one task at least that has a weight, got constants only, "
            f"with n_samples={data.X.shape[0]}. There is nothing to learn from them."
        )
