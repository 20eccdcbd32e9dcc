"""Multi-layer perceptrons of several tasks: numbers, classes, and both together."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.metaestimators import available_if

from skmtl._compat import Interval, StrOptions, fit_context
from skmtl._contracts import Array, Loss
from skmtl.base import (
    CLASS_CONSTRAINTS,
    COMMON_CONSTRAINTS,
    NONNEGATIVE,
    POSITIVE,
)
from skmtl.data import find_tasks
from skmtl.targets import (
    ClassTarget,
    ClassTargets,
    CountTarget,
    NumericTarget,
    PerTaskTarget,
    Sample,
    Target,
    find_classes,
)

from ._adapt import encode_classes
from ._adaptive_network import AdaptiveNetwork
from ._design import Encode, encode
from ._layers import ACTIVATIONS
from ._network_model import NetworkModel, trains_by_batches
from ._sharings import SHARINGS
from ._task_network import NetworkClassifier, NetworkMixedModel, NetworkRegressor

_COUNT = [Interval(Integral, 1, None, closed="left")]
NETWORK_CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", *_COUNT],
    "head_hidden_layer_sizes": ["array-like", *_COUNT],
    "sharing": [StrOptions(set(SHARINGS))],
    "task_column": COMMON_CONSTRAINTS["task_column"],
    "task_weight": COMMON_CONSTRAINTS["task_weight"],
    "task_encoding": ["boolean"],
    "weighting": [StrOptions({"fixed", "uncertainty"})],
    "alpha": NONNEGATIVE,
    "soft_penalty": NONNEGATIVE,
    "head_penalty": NONNEGATIVE,
    "n_experts": _COUNT,
    "activation": [StrOptions(set(ACTIVATIONS))],
    "solver": [StrOptions({"auto", "lbfgs", "adam"})],
    "batch_size": [StrOptions({"auto"}), *_COUNT],
    "learning_rate_init": POSITIVE,
    "max_iter": _COUNT,
    "tol": NONNEGATIVE,
    "n_iter_no_change": _COUNT,
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "warm_start": ["boolean"],
    "random_state": ["random_state"],
    "callback": [callable, None],
}


class MultiTaskMLPRegressor(AdaptiveNetwork, NetworkRegressor):
    """Neural network for several regression tasks, with layers that they share.

    Minimises ``sum_t a_t mean_i loss(y_ti, z_ti) + (alpha ||weights||^2 + soft_penalty
    sum_t ||theta_t - theta_mean||^2 + head_penalty sum_t ||v_t - v_mean||^2) / (2 N)``.
    The raw predictions are ``z_ti = v_t . f_t(x_i) + b_t``, with features ``f_t`` from
    the hidden layers that `sharing` describes. ``a_t`` is the share of task t in the
    total weight ``N``, and the mean is over its rows, so that `alpha` is on the scale
    of Ridge. ``theta_t`` are the weights and biases of a tower or, without hidden
    layers, the output weights; biases are otherwise not penalised.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of shape (n_layers,), default=(100,)
        Number of units of each hidden layer before the heads. Empty for none: with
        linear heads, the model is then linear.
    head_hidden_layer_sizes : int or array-like of shape (n_layers,), default=()
        Number of units of each hidden layer of a task's head, between the shared layers
        and its output.
    sharing : {"hard", "soft", "cross_stitch", "mmoe", "independent"}, default="hard"
        Which hidden layers tasks share: one trunk ("hard"); a tower per task near the
        mean tower ("soft"); towers that mix their features after each layer
        ("cross_stitch"); experts that each task mixes with its own gate ("mmoe"); or
        none ("independent").
    loss : {"squared", "poisson"}, default="squared"
        Loss of a row: "poisson" for counts and rates, 0 or more.
    alpha : float, default=1.0
        Strength of the ridge penalty on all weights, 0 or more, on the scale of Ridge.
    soft_penalty : float, default=10.0
        Strength of the penalty on differences between towers, 0 or more, for
        ``sharing="soft"``.
    head_penalty : float, default=0.0
        Strength of the penalty on differences between the tasks' output weights, 0 or
        more. If positive, all tasks must have equally many raw predictions.
    n_experts : int, default=4
        Number of experts, for ``sharing="mmoe"``.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Activation of the hidden units.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of columns
        declares nested tasks.
    task_encoding : bool, default=False
        Whether the task of a row is an input of the shared layers, one-hot encoded. It
        needs a label for each row.
    handle_unknown : {"shared", "error"}, default="shared"
        How `predict` handles an unseen task: predict it with the shared part, or raise
        an error.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss: a mapping from every label to a number, or
        "balanced" to give every task the same total weight.
    weighting : {"fixed", "uncertainty"}, default="fixed"
        Factors of the tasks' losses: "fixed" for `task_weight`; with "uncertainty"
        these are also divided by the variances of the tasks, which are learnt. Needs
        Adam.
    normalize_y : bool, default=True
        Whether each task's target is standardised in `fit`, so that tasks in different
        units have the same importance. Variances of tasks with few rows are shrunk
        towards the common one. For counts, the loss is divided by the deviance per row
        of the best constant.
    solver : {"auto", "lbfgs", "adam"}, default="auto"
        "lbfgs" trains on all rows at once, "adam" on batches of rows. "auto" is
        "lbfgs" for at most 10,000 rows and ``weighting="fixed"``.
    batch_size : int or "auto", default="auto"
        Number of rows of a batch of Adam; "auto" for 200.
    learning_rate_init : float, default=0.001
        Size of Adam's steps, positive.
    max_iter : int, default=500
        Largest number of iterations of L-BFGS, or of passes of Adam over the rows.
    tol : float, default=1e-4
        Training stops when the loss (on the validation rows, with early stopping) has
        fallen by less than this in `n_iter_no_change` iterations.
    n_iter_no_change : int, default=10
        Number of iterations in which the loss must fall by `tol`.
    early_stopping : bool, default=False
        Whether to stop when the loss on validation rows no longer falls, and to keep
        the parameters at which it was lowest. They are not refitted to all rows.
    validation_fraction : float, default=0.1
        Fraction of the rows of each task, or of a 2-d y, held out for early stopping.
    warm_start : bool, default=False
        Whether `fit` starts from the previous solution if it had the same tasks.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, the batches and the validation rows. Pass an int
        for reproducible results.
    callback : callable, default=None
        Called after each iteration as ``callback(iteration, loss, validation_loss)``,
        where `validation_loss` is None without early stopping; training stops if it
        returns True. Losses are also logged to ``logging.getLogger("skmtl")`` at level
        INFO.

    Attributes
    ----------
    tasks_ : ndarray of shape (n_tasks,)
        Labels of the tasks: sorted, or the columns of y in their order.
    n_tasks_ : int
        Number of tasks.
    parameters_ : dict of ndarray
        Weights and biases by name, weights of shape (n_copies, n_outputs, n_inputs):
        "trunk_weight_0", "head_weight" and so on. Heads are in the order of `tasks_`.
    cross_stitch_ : ndarray of shape (n_layers, n_tasks, n_tasks)
        Weights with which a task, in rows, mixes the features of all towers after each
        hidden layer; only for ``sharing="cross_stitch"``.
    task_log_variances_ : ndarray of shape (n_tasks,)
        Learnt logarithms of the variances of the tasks; only for
        ``weighting="uncertainty"``.
    loss_ : float
        Value of the objective after the last iteration; for Adam, its mean over the
        last pass.
    loss_curve_ : list of float
        Value of the objective after each iteration.
    validation_loss_curve_ : list of float
        Mean loss on the validation rows after each iteration; only with
        `early_stopping`.
    n_iter_ : int
        Number of iterations.
    solver_ : {"lbfgs", "adam"}
        Solver that `fit` used.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    MeanRegularizedRegressorCV : Linear models of tasks near a shared centre.
    MultiTaskMLP : Numbers, counts and classes together.

    Notes
    -----
    Scale the features, for example with ``make_task_pipeline(StandardScaler(),
    MultiTaskMLPRegressor(), task_column=...)``. An unseen task gets the mean of all
    tasks' raw predictions. Networks share nonlinear features. Linear models predict
    better if tasks have few rows and are nearly linear, and ``sharing="independent"``
    if they are unrelated: :func:`~skmtl.inspection.compare_tasks` compares them.

    References
    ----------
    Caruana, R. (1997). Multitask learning. Machine Learning, 28(1), 41-75.
    :doi:`10.1023/A:1007379606734`

    Misra, I., Shrivastava, A., Gupta, A., Hebert, M. (2016). Cross-stitch networks for
    multi-task learning. CVPR, 3994-4003. :doi:`10.1109/CVPR.2016.433`

    Ma, J., Zhao, Z., Yi, X., Chen, J., Hong, L., Chi, E. H. (2018). Modeling task
    relationships in multi-task learning with multi-gate mixture-of-experts. KDD,
    1930-1939. :doi:`10.1145/3219819.3220007`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.neural_network import MultiTaskMLPRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, school = rng.normal(size=(300, 2)), rng.integers(10, size=300)
    >>> y = np.sin(2 * X[:, 0]) + school * np.cos(X[:, 1])
    >>> model = MultiTaskMLPRegressor(activation="tanh", random_state=0)
    >>> model.fit(X, y, task=school).predict([[0.0, 0.0]], task=9).round(1)
    array([8.9])
    >>> model.shared_features(X[:1], task=9).shape
    (1, 100)
    """

    _parameter_constraints = {
        **NETWORK_CONSTRAINTS,
        "handle_unknown": COMMON_CONSTRAINTS["handle_unknown"],
        "loss": [StrOptions({"squared", "poisson"})],
        "normalize_y": ["boolean"],
    }

    def __init__(
        self,
        hidden_layer_sizes: int | ArrayLike = (100,),
        *,
        head_hidden_layer_sizes: int | ArrayLike = (),
        sharing: str = "hard",
        loss: str = "squared",
        alpha: float = 1.0,
        soft_penalty: float = 10.0,
        head_penalty: float = 0.0,
        n_experts: int = 4,
        activation: str = "relu",
        task_column: str | int | list[Any] | None = None,
        task_encoding: bool = False,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
        weighting: str = "fixed",
        normalize_y: bool = True,
        solver: str = "auto",
        batch_size: int | str = "auto",
        learning_rate_init: float = 1e-3,
        max_iter: int = 500,
        tol: float = 1e-4,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        warm_start: bool = False,
        random_state: Any = None,
        callback: Callable[..., Any] | None = None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.head_hidden_layer_sizes = head_hidden_layer_sizes
        self.sharing = sharing
        self.loss = loss
        self.alpha = alpha
        self.soft_penalty = soft_penalty
        self.head_penalty = head_penalty
        self.n_experts = n_experts
        self.activation = activation
        self.task_column = task_column
        self.task_encoding = task_encoding
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.weighting = weighting
        self.normalize_y = normalize_y
        self.solver = solver
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.random_state = random_state
        self.callback = callback

    def _target_of_later_batch(self) -> Target:
        counts = CountTarget(may_be_zero=True)
        return NumericTarget() if self.loss == "squared" else counts


class MultiTaskMLPClassifier(AdaptiveNetwork, NetworkClassifier):
    """Neural network for several classification tasks, with layers that they share.

    Minimises the objective of :class:`MultiTaskMLPRegressor` with the logistic loss, or
    for more than two classes the multinomial loss.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of shape (n_layers,), default=(100,)
        Number of units of each hidden layer before the heads. Empty for none: with
        linear heads, the model is then linear.
    head_hidden_layer_sizes : int or array-like of shape (n_layers,), default=()
        Number of units of each hidden layer of a task's head, between the shared layers
        and its output.
    sharing : {"hard", "soft", "cross_stitch", "mmoe", "independent"}, default="hard"
        Which hidden layers tasks share: one trunk ("hard"); a tower per task near the
        mean tower ("soft"); towers that mix their features after each layer
        ("cross_stitch"); experts that each task mixes with its own gate ("mmoe"); or
        none ("independent").
    alpha : float, default=1.0
        Strength of the ridge penalty on all weights, 0 or more, on the scale of Ridge.
    soft_penalty : float, default=10.0
        Strength of the penalty on differences between towers, 0 or more, for
        ``sharing="soft"``.
    head_penalty : float, default=0.0
        Strength of the penalty on differences between the tasks' output weights, 0 or
        more. If positive, all tasks must have equally many raw predictions.
    n_experts : int, default=4
        Number of experts, for ``sharing="mmoe"``.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Activation of the hidden units.
    class_scope : {"all", "task"}, default="all"
        Which classes may occur in a task: all of them, or those of its rows in `fit`.
        If a task lacks a class that may occur in it, and its intercept is not
        penalised, one pseudo-row of weight 1 with the overall class frequencies is
        added to the task; without it the intercept would diverge.
    class_weight : {"balanced"} or mapping, default=None
        Factor of each class in the weights of the rows: a mapping from classes to
        numbers, or "balanced" to give all classes the same total weight.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of columns
        declares nested tasks.
    task_encoding : bool, default=False
        Whether the task of a row is an input of the shared layers, one-hot encoded. It
        needs a label for each row.
    handle_unknown : {"shared", "error"}, default="shared"
        How `predict` handles an unseen task: predict it with the shared part, or raise
        an error.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss: a mapping from every label to a number, or
        "balanced" to give every task the same total weight.
    weighting : {"fixed", "uncertainty"}, default="fixed"
        Factors of the tasks' losses: "fixed" for `task_weight`; with "uncertainty"
        these are also divided by the variances of the tasks, which are learnt. Needs
        Adam.
    solver : {"auto", "lbfgs", "adam"}, default="auto"
        "lbfgs" trains on all rows at once, "adam" on batches of rows. "auto" is
        "lbfgs" for at most 10,000 rows and ``weighting="fixed"``.
    batch_size : int or "auto", default="auto"
        Number of rows of a batch of Adam; "auto" for 200.
    learning_rate_init : float, default=0.001
        Size of Adam's steps, positive.
    max_iter : int, default=500
        Largest number of iterations of L-BFGS, or of passes of Adam over the rows.
    tol : float, default=1e-4
        Training stops when the loss (on the validation rows, with early stopping) has
        fallen by less than this in `n_iter_no_change` iterations.
    n_iter_no_change : int, default=10
        Number of iterations in which the loss must fall by `tol`.
    early_stopping : bool, default=False
        Whether to stop when the loss on validation rows no longer falls, and to keep
        the parameters at which it was lowest. They are not refitted to all rows.
    validation_fraction : float, default=0.1
        Fraction of the rows of each task, or of a 2-d y, held out for early stopping.
    warm_start : bool, default=False
        Whether `fit` starts from the previous solution if it had the same tasks.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, the batches and the validation rows. Pass an int
        for reproducible results.
    callback : callable, default=None
        Called after each iteration as ``callback(iteration, loss, validation_loss)``,
        where `validation_loss` is None without early stopping; training stops if it
        returns True. Losses are also logged to ``logging.getLogger("skmtl")`` at level
        INFO.

    Attributes
    ----------
    tasks_ : ndarray of shape (n_tasks,)
        Labels of the tasks: sorted, or the columns of y in their order.
    n_tasks_ : int
        Number of tasks.
    classes_ : ndarray of shape (n_classes,), or list of them
        Sorted classes of all tasks; with a 2-d y an array per task.
    task_classes_ : ndarray of shape (n_tasks, n_classes), dtype bool
        Whether each task had rows of each class.
    parameters_ : dict of ndarray
        Weights and biases by name, weights of shape (n_copies, n_outputs, n_inputs):
        "trunk_weight_0", "head_weight" and so on. Heads are in the order of `tasks_`.
    cross_stitch_ : ndarray of shape (n_layers, n_tasks, n_tasks)
        Weights with which a task, in rows, mixes the features of all towers after each
        hidden layer; only for ``sharing="cross_stitch"``.
    task_log_variances_ : ndarray of shape (n_tasks,)
        Learnt logarithms of the variances of the tasks; only for
        ``weighting="uncertainty"``.
    loss_ : float
        Value of the objective after the last iteration; for Adam, its mean over the
        last pass.
    loss_curve_ : list of float
        Value of the objective after each iteration.
    validation_loss_curve_ : list of float
        Mean loss on the validation rows after each iteration; only with
        `early_stopping`.
    n_iter_ : int
        Number of iterations.
    solver_ : {"lbfgs", "adam"}
        Solver that `fit` used.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    MeanRegularizedClassifierCV : Linear models of tasks near a shared centre.
    MultiTaskMLP : Numbers, counts and classes together.

    Notes
    -----
    Scale the features. With a 2-d y every column is a task of classes 0 and 1. An
    unseen task gets the mean of all tasks' scores. ``alpha`` is on the scale of ``1 /
    C`` of LogisticRegression.

    References
    ----------
    Caruana, R. (1997). Multitask learning. Machine Learning, 28(1), 41-75.
    :doi:`10.1023/A:1007379606734`

    Misra, I., Shrivastava, A., Gupta, A., Hebert, M. (2016). Cross-stitch networks for
    multi-task learning. CVPR, 3994-4003. :doi:`10.1109/CVPR.2016.433`

    Ma, J., Zhao, Z., Yi, X., Chen, J., Hong, L., Chi, E. H. (2018). Modeling task
    relationships in multi-task learning with multi-gate mixture-of-experts. KDD,
    1930-1939. :doi:`10.1145/3219819.3220007`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.neural_network import MultiTaskMLPClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, shop = rng.normal(size=(300, 2)), rng.integers(3, size=300)
    >>> y = np.where(X[:, 0] * X[:, 1] > 0.3 * shop, "buys", "leaves")
    >>> model = MultiTaskMLPClassifier(activation="tanh", alpha=0.1, random_state=0)
    >>> model.fit(X, y, task=shop).predict([[1.0, 1.0], [1.0, -1.0]], task=2)
    array(['buys', 'leaves'], dtype='<U6')
    """

    _parameter_constraints = {
        **NETWORK_CONSTRAINTS,
        **CLASS_CONSTRAINTS,
        "handle_unknown": COMMON_CONSTRAINTS["handle_unknown"],
    }

    def __init__(
        self,
        hidden_layer_sizes: int | ArrayLike = (100,),
        *,
        head_hidden_layer_sizes: int | ArrayLike = (),
        sharing: str = "hard",
        alpha: float = 1.0,
        soft_penalty: float = 10.0,
        head_penalty: float = 0.0,
        n_experts: int = 4,
        activation: str = "relu",
        class_scope: str = "all",
        class_weight: str | Mapping[Any, float] | None = None,
        task_column: str | int | list[Any] | None = None,
        task_encoding: bool = False,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
        weighting: str = "fixed",
        solver: str = "auto",
        batch_size: int | str = "auto",
        learning_rate_init: float = 1e-3,
        max_iter: int = 500,
        tol: float = 1e-4,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        warm_start: bool = False,
        random_state: Any = None,
        callback: Callable[..., Any] | None = None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.head_hidden_layer_sizes = head_hidden_layer_sizes
        self.sharing = sharing
        self.alpha = alpha
        self.soft_penalty = soft_penalty
        self.head_penalty = head_penalty
        self.n_experts = n_experts
        self.activation = activation
        self.class_scope = class_scope
        self.class_weight = class_weight
        self.task_column = task_column
        self.task_encoding = task_encoding
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.weighting = weighting
        self.solver = solver
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.random_state = random_state
        self.callback = callback

    @available_if(trains_by_batches)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        task: Any = None,
        classes: ArrayLike | None = None,
    ) -> Self:
        """Take one pass of Adam over a batch of rows.

        The first batch decides the tasks and, without `classes`, the classes; with
        ``class_scope="task"`` also those of each task.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features of the batch, as in `fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Class of each row of the batch.
        sample_weight : float, array-like of shape (n_samples,) or (n_samples, n_tasks)
            Weight of each row, or of each cell of a 2-d y.
        task : array-like of shape (n_samples,), default=None
            Label of each row, as in `fit`.
        classes : array-like of shape (n_classes,), default=None
            All classes, if the first batch may lack some. In later batches None, or
            the same.

        Returns
        -------
        self : object
            The model after the pass.
        """
        if "_network" in vars(self):
            _refuse_other_classes(classes, self._target_of_later_batch().known)
        known = None if classes is None else np.unique(classes)
        target = replace(self._target(), known=known)
        return self._pass(target, X, y, sample_weight, task)

    def _target(self) -> ClassTarget:
        return ClassTarget(self.class_scope, self.class_weight)

    def _target_of_later_batch(self) -> ClassTarget:
        classes = [0, 1] if self._layout == "outputs" else self.classes_
        return ClassTarget(self.class_scope, self.class_weight, known=classes)

    def _prepare_later_batch(
        self, target: Target, sample: Sample
    ) -> tuple[Any, Encode]:
        n_classes = len(sample.known_classes)
        if self._scope == "task":
            _refuse_new_classes(sample, self.tasks_, self.task_classes_)
        allowed = self.task_classes_ if self._scope == "task" else None
        allowed = allowed if n_classes > 2 else None
        shares = np.full(n_classes, 1 / n_classes)
        targets = ClassTargets(shares, np.zeros(self.n_tasks_), allowed)
        return sample.rows, partial(encode, targets)

    def _encode_new_task(self, sample: Sample, loss: Loss, mean: Array) -> Array:
        return encode_classes(sample, self._scope, loss, mean)

    def _report_new_task(self, sample: Sample, place: int) -> dict[str, Any]:
        (found,) = find_classes(sample.rows, len(sample.known_classes))
        return {"task_classes_": np.insert(self.task_classes_, place, found, axis=0)}


class MultiTaskMLP(NetworkModel, NetworkMixedModel):
    """Neural network for tasks of numbers, counts and classes together.

    Minimises the objective of :class:`MultiTaskMLPRegressor`, with a loss for each
    task. With `normalize_y`, the losses and raw predictions of a task are in the units
    of :class:`~skmtl.linear_model.MixedTaskModel`, which give all tasks the same
    importance.

    Parameters
    ----------
    losses : "auto" or mapping, default="auto"
        Loss of every task, by label: "squared" for numbers, "poisson" for counts and
        rates, "logistic" for two classes, "multinomial" for any number of them. "auto"
        decides by the target: strings and booleans are classes, and so are whole
        numbers of two distinct values; all other numbers are "squared".
    hidden_layer_sizes : int or array-like of shape (n_layers,), default=(100,)
        Number of units of each hidden layer before the heads. Empty for none: with
        linear heads, the model is then linear.
    head_hidden_layer_sizes : int or array-like of shape (n_layers,), default=()
        Number of units of each hidden layer of a task's head, between the shared layers
        and its output.
    sharing : {"hard", "soft", "cross_stitch", "mmoe", "independent"}, default="hard"
        Which hidden layers tasks share: one trunk ("hard"); a tower per task near the
        mean tower ("soft"); towers that mix their features after each layer
        ("cross_stitch"); experts that each task mixes with its own gate ("mmoe"); or
        none ("independent").
    alpha : float, default=1.0
        Strength of the ridge penalty on all weights, 0 or more, on the scale of Ridge.
    soft_penalty : float, default=10.0
        Strength of the penalty on differences between towers, 0 or more, for
        ``sharing="soft"``.
    head_penalty : float, default=0.0
        Strength of the penalty on differences between the tasks' output weights, 0 or
        more. If positive, all tasks must have equally many raw predictions.
    n_experts : int, default=4
        Number of experts, for ``sharing="mmoe"``.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Activation of the hidden units.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of columns
        declares nested tasks.
    task_encoding : bool, default=False
        Whether the task of a row is an input of the shared layers, one-hot encoded. It
        needs a label for each row.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss: a mapping from every label to a number, or
        "balanced" to give every task the same total weight.
    weighting : {"fixed", "uncertainty"}, default="fixed"
        Factors of the tasks' losses: "fixed" for `task_weight`; with "uncertainty"
        these are also divided by the variances of the tasks, which are learnt. Needs
        Adam.
    normalize_y : bool, default=True
        Whether each task's target is standardised in `fit`, so that tasks in different
        units have the same importance. Variances of tasks with few rows are shrunk
        towards the common one. For counts, the loss is divided by the deviance per row
        of the best constant.
    solver : {"auto", "lbfgs", "adam"}, default="auto"
        "lbfgs" trains on all rows at once, "adam" on batches of rows. "auto" is
        "lbfgs" for at most 10,000 rows and ``weighting="fixed"``.
    batch_size : int or "auto", default="auto"
        Number of rows of a batch of Adam; "auto" for 200.
    learning_rate_init : float, default=0.001
        Size of Adam's steps, positive.
    max_iter : int, default=500
        Largest number of iterations of L-BFGS, or of passes of Adam over the rows.
    tol : float, default=1e-4
        Training stops when the loss (on the validation rows, with early stopping) has
        fallen by less than this in `n_iter_no_change` iterations.
    n_iter_no_change : int, default=10
        Number of iterations in which the loss must fall by `tol`.
    early_stopping : bool, default=False
        Whether to stop when the loss on validation rows no longer falls, and to keep
        the parameters at which it was lowest. They are not refitted to all rows.
    validation_fraction : float, default=0.1
        Fraction of the rows of each task, or of a 2-d y, held out for early stopping.
    warm_start : bool, default=False
        Whether `fit` starts from the previous solution if it had the same tasks.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, the batches and the validation rows. Pass an int
        for reproducible results.
    callback : callable, default=None
        Called after each iteration as ``callback(iteration, loss, validation_loss)``,
        where `validation_loss` is None without early stopping; training stops if it
        returns True. Losses are also logged to ``logging.getLogger("skmtl")`` at level
        INFO.

    Attributes
    ----------
    tasks_ : ndarray of shape (n_tasks,)
        Labels of the tasks: sorted, or the columns of y in their order.
    n_tasks_ : int
        Number of tasks.
    classes_ : dict of ndarray of shape (n_classes,)
        Sorted classes of each task that has classes, by label.
    parameters_ : dict of ndarray
        Weights and biases by name, weights of shape (n_copies, n_outputs, n_inputs):
        "trunk_weight_0", "head_weight" and so on. Tasks with the same loss are
        adjacent in the heads.
    cross_stitch_ : ndarray of shape (n_layers, n_tasks, n_tasks)
        Weights with which a task, in rows, mixes the features of all towers after each
        hidden layer; only for ``sharing="cross_stitch"``.
    task_log_variances_ : ndarray of shape (n_tasks,)
        Learnt logarithms of the variances of the tasks; only for
        ``weighting="uncertainty"``.
    loss_ : float
        Value of the objective after the last iteration; for Adam, its mean over the
        last pass.
    loss_curve_ : list of float
        Value of the objective after each iteration.
    validation_loss_curve_ : list of float
        Mean loss on the validation rows after each iteration; only with
        `early_stopping`.
    n_iter_ : int
        Number of iterations.
    solver_ : {"lbfgs", "adam"}
        Solver that `fit` used.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    MixedTaskModel : Linear models of tasks of several kinds.
    MultiTaskMLPRegressor : Numbers only.
    MultiTaskMLPClassifier : Classes only.

    Notes
    -----
    Scale the features. It is neither a regressor nor a classifier for scikit-learn: an
    integer `cv` gives plain folds, and searches maximise `score`, the mean fraction of
    deviance explained. An unseen task raises an error, because without rows it has
    neither units nor classes.

    References
    ----------
    Caruana, R. (1997). Multitask learning. Machine Learning, 28(1), 41-75.
    :doi:`10.1023/A:1007379606734`

    Misra, I., Shrivastava, A., Gupta, A., Hebert, M. (2016). Cross-stitch networks for
    multi-task learning. CVPR, 3994-4003. :doi:`10.1109/CVPR.2016.433`

    Ma, J., Zhao, Z., Yi, X., Chen, J., Hong, L., Chi, E. H. (2018). Modeling task
    relationships in multi-task learning with multi-gate mixture-of-experts. KDD,
    1930-1939. :doi:`10.1145/3219819.3220007`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.neural_network import MultiTaskMLP
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> bend = X[:, 0] * X[:, 1]
    >>> Y = np.stack([10 + bend, np.where(bend > 0, "yes", "no")], axis=1, dtype=object)
    >>> model = MultiTaskMLP(activation="tanh", alpha=0.1, random_state=0).fit(X, Y)
    >>> number, label = model.predict([[2.0, 1.0]])[0]
    >>> round(number, 1), label
    (12.0, 'yes')
    """

    _parameter_constraints = {
        **NETWORK_CONSTRAINTS,
        "losses": [StrOptions({"auto"}), Mapping],
        "normalize_y": ["boolean"],
    }

    def __init__(
        self,
        losses: str | Mapping[Any, str] = "auto",
        hidden_layer_sizes: int | ArrayLike = (100,),
        *,
        head_hidden_layer_sizes: int | ArrayLike = (),
        sharing: str = "hard",
        alpha: float = 1.0,
        soft_penalty: float = 10.0,
        head_penalty: float = 0.0,
        n_experts: int = 4,
        activation: str = "relu",
        task_column: str | int | list[Any] | None = None,
        task_encoding: bool = False,
        task_weight: str | Mapping[Any, float] | None = None,
        weighting: str = "fixed",
        normalize_y: bool = True,
        solver: str = "auto",
        batch_size: int | str = "auto",
        learning_rate_init: float = 1e-3,
        max_iter: int = 500,
        tol: float = 1e-4,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        warm_start: bool = False,
        random_state: Any = None,
        callback: Callable[..., Any] | None = None,
    ):
        self.losses = losses
        self.hidden_layer_sizes = hidden_layer_sizes
        self.head_hidden_layer_sizes = head_hidden_layer_sizes
        self.sharing = sharing
        self.alpha = alpha
        self.soft_penalty = soft_penalty
        self.head_penalty = head_penalty
        self.n_experts = n_experts
        self.activation = activation
        self.task_column = task_column
        self.task_encoding = task_encoding
        self.task_weight = task_weight
        self.weighting = weighting
        self.normalize_y = normalize_y
        self.solver = solver
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.random_state = random_state
        self.callback = callback

    def _target_of_later_batch(self) -> Target:
        return PerTaskTarget(self.losses, known=self._kinds)

    def _prepare_later_batch(
        self, target: Target, sample: Sample
    ) -> tuple[Any, Encode]:
        return sample.rows, partial(encode, None)


def _refuse_new_classes(sample: Sample, tasks: Array, task_classes: Array) -> None:
    """Raise an error if a task has classes that it lacked in the first batch."""
    places = find_tasks(sample.rows.tasks, tasks)
    found = find_classes(sample.rows, task_classes.shape[1])
    new = found & ~task_classes[places] & (places >= 0)[:, None]
    if new.any():
        task, code = np.argwhere(new)[0]
        raise ValueError(
            "With class_scope='task', the first batch decides the classes of each "
            f"task: got {sample.known_classes.tolist()[code]!r} in task "
            f"{sample.rows.tasks.tolist()[task]!r}. Put a row of every class of a task "
            "into the first batch, or use class_scope='all'."
        )


def _refuse_other_classes(classes: Any, known: Any) -> None:
    """Raise an error if a later batch has other classes than the first."""
    if classes is not None and not np.array_equal(np.unique(classes), known):
        raise ValueError(
            "classes must be those of the first batch, "
            f"{np.asarray(known)[:5].tolist()}, got {np.unique(classes)[:5].tolist()}. "
            "Leave classes out."
        )
