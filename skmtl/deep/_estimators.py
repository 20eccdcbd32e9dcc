"""Networks of several tasks in PyTorch: numbers, classes, and both together."""

from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

from numpy.typing import ArrayLike

from skmtl._compat import Interval, StrOptions
from skmtl.base import CLASS_CONSTRAINTS, COMMON_CONSTRAINTS
from skmtl.neural_network import (
    NETWORK_CONSTRAINTS,
    NetworkClassifier,
    NetworkMixedModel,
    NetworkRegressor,
)

from ._aggregators import AGGREGATORS
from ._feeds import BATCHINGS
from ._task_net import TRUNKS
from ._torch_network import OPTIMIZERS, WEIGHTINGS, TorchNetwork

_ABSENT = "head_hidden_layer_sizes", "task_encoding", "solver"
_CONSTRAINTS: dict[str, list[Any]] = {
    **{k: v for k, v in NETWORK_CONSTRAINTS.items() if k not in _ABSENT},
    "trunk": [callable, None],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "input_shape": ["array-like", None],
    "head": [callable, None],
    "sharing": [StrOptions(set(TRUNKS))],
    "penalty": [callable, None],
    "weighting": [StrOptions(set(WEIGHTINGS)), callable],
    "aggregator": [StrOptions(set(AGGREGATORS)), callable, None],
    "batching": [StrOptions(set(BATCHINGS))],
    "optimizer": [StrOptions(set(OPTIMIZERS)), callable],
    "lr_scheduler": [callable, None],
    "device": [str],
}


class TorchMultiTaskRegressor(TorchNetwork, NetworkRegressor):
    """Neural network for several regression tasks in PyTorch, with any module.

    Minimises the objective of :class:`~skmtl.neural_network.MultiTaskMLPRegressor`,
    whose strengths have the same scale, plus ``penalty / N``. It also has custom trunks
    and heads, such as convolutions, GPUs, dropout, weightings of losses, aggregators of
    gradients and, with `fit_loaders`, data that do not fit into memory.

    Parameters
    ----------
    trunk : callable, nn.Module or None, default=None
        Layers before the heads: a function of the number of features that returns a
        module, which maps rows (n_rows, n_features) to features (n_rows,
        n_features_out); or a module, which is copied with its weights; or None for
        hidden layers of `hidden_layer_sizes`. `random_state` does not change the
        initial weights of a module.
    hidden_layer_sizes : int or array-like of shape (n_layers,), default=(100,)
        Number of units of each hidden layer before the heads. Empty for none: with
        linear heads, the model is then linear. No effect with a `trunk`.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Activation of the hidden units.
    dropout : float, default=0.0
        Fraction of the hidden units set to zero in a training step, below 1; no effect
        with a `trunk`.
    input_shape : array-like of int, default=None
        Shape of a row for the trunk, such as ``(3, 32, 32)`` for images; X stays
        2-d. None for (n_features,).
    head : callable, default=None
        Makes the head of a task, called as ``head(task, n_in, n_out)``: returns a
        module that maps features (n_rows, n_in) to raw predictions (n_rows, n_out).
        None for a linear layer; the layers of all tasks are then computed together,
        which is faster.
    sharing : str, default="hard"
        Which layers tasks share: one trunk ("hard"); a tower per task near the mean
        tower ("soft"); towers that mix their features after each layer
        ("cross_stitch"); experts that each task mixes with its own gate ("mmoe"),
        or shared and own experts in every layer ("ple"); or none ("independent").
        "cross_stitch" and "ple" need ``trunk=None``; "mmoe" takes a function or None.
    loss : {"squared", "poisson"}, default="squared"
        Loss of a row: "poisson" for counts and rates, 0 or more.
    alpha : float, default=1.0
        Strength of the ridge penalty on all weights, 0 or more, on the scale of
        Ridge. In a custom trunk or head, these are the parameters with "weight" in
        their name and more than one axis.
    soft_penalty : float, default=10.0
        Strength of the penalty on differences between towers, 0 or more, for
        ``sharing="soft"``.
    head_penalty : float, default=0.0
        Strength of the penalty on differences between the tasks' output weights, 0 or
        more. If positive, all tasks must have equally many raw predictions.
    penalty : callable, default=None
        Custom penalty, called with the network, a module with the attributes `trunk`
        and `heads`; returns a scalar tensor. It is on the scale of a sum of losses:
        ``alpha / 2`` times the sum of all squared weights has the effect of `alpha`.
    n_experts : int, default=4
        Number of experts, for ``sharing="mmoe"``.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of
        columns declares nested tasks.
    handle_unknown : {"shared", "error"}, default="shared"
        How `predict` handles an unseen task: predict it with the shared part, or
        raise an error.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss: a mapping from every label to a number, or
        "balanced" to give every task the same total weight.
    weighting : {"fixed", "uncertainty", "gradnorm"} or callable, default="fixed"
        Factors of the tasks' losses: "fixed" for `task_weight`; with "uncertainty"
        these are also divided by the variances of the tasks, which are learnt;
        "gradnorm" gives the gradients of tasks similar lengths. A function maps the
        losses (n_tasks,) to their total, as the scalarizers of torchjd do; its
        parameters are trained, if it is a module.
    aggregator : {"pcgrad", "cagrad", "mgda"} or callable, default=None
        How the gradients of tasks in the trunk are combined; None for their sum. A
        function maps gradients (n_tasks, n_parameters) to one (n_parameters,), as
        the aggregators of torchjd do.
    batching : {"joint", "alternating", "sequential"}, default="joint"
        Batches of a pass: of rows of all tasks ("joint"), or of one task each, evenly
        interleaved ("alternating") or task after task ("sequential").
    normalize_y : bool, default=True
        Whether each task's target is standardised in `fit`, so that tasks in different
        units have the same importance. Variances of tasks with few rows are shrunk
        towards the common one. For counts, the loss is divided by the deviance per row
        of the best constant.
    optimizer : {"adam", "sgd"} or callable, default="adam"
        Optimiser: "sgd" is gradient descent with momentum 0.9. A function returns it
        for given parameters, such as ``lambda parameters:
        torch.optim.AdamW(parameters)``; then `learning_rate_init` has no effect.
    lr_scheduler : callable, default=None
        Returns a scheduler of the learning rate for an optimiser; it takes a step after
        each pass.
    device : str, default="auto"
        Device, such as "cpu" or "cuda:1"; "auto" is CUDA if available, else the CPU.
    batch_size : int or "auto", default="auto"
        Number of rows of a batch; "auto" for 200.
    learning_rate_init : float, default=0.001
        Size of the optimiser's first steps, positive.
    max_iter : int, default=500
        Largest number of passes over the rows.
    tol : float, default=1e-4
        Training stops when the loss (on the validation rows, with early stopping) has
        fallen by less than this in `n_iter_no_change` passes.
    n_iter_no_change : int, default=10
        Number of passes in which the loss must fall by `tol`.
    early_stopping : bool, default=False
        Whether to stop when the loss on validation rows no longer falls, and to keep
        the parameters at which it was lowest. They are not refitted to all rows.
    validation_fraction : float, default=0.1
        Fraction of the rows of each task, or of a 2-d y, held out for early stopping.
    warm_start : bool, default=False
        Whether `fit` starts from the previous solution if it had the same tasks.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, the batches, the validation rows and dropout. Pass
        an int for reproducible results. The state of PyTorch's generators does not
        change.
    callback : callable, default=None
        Called after each pass as ``callback(iteration, loss, validation_loss)``, where
        `validation_loss` is None without early stopping; training stops if it returns
        True. Losses are also logged to ``logging.getLogger("skmtl")`` at level INFO.

    Attributes
    ----------
    tasks_ : ndarray of shape (n_tasks,)
        Labels of the tasks: sorted, or the columns of y in their order.
    n_tasks_ : int
        Number of tasks.
    state_ : dict of ndarray
        Parameters and buffers of the network by name, as in the `state_dict` of
        PyTorch. Tasks with the same loss are adjacent.
    cross_stitch_ : ndarray of shape (n_layers, n_tasks, n_tasks)
        Weights with which a task, in rows, mixes the features of all towers after
        each hidden layer; only for ``sharing="cross_stitch"``.
    task_log_variances_ : ndarray of shape (n_tasks,)
        Learnt logarithms of the variances of the tasks; only for
        ``weighting="uncertainty"``.
    loss_ : float
        Mean of the objective over the last pass.
    loss_curve_ : list of float
        Mean of the objective over each pass.
    validation_loss_curve_ : list of float
        Mean loss on the validation rows after each pass; only with
        `early_stopping`.
    n_iter_ : int
        Number of passes.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    MultiTaskMLPRegressor : Perceptrons in NumPy, faster for small layers.
    TorchMultiTask : Numbers, counts and classes together.

    Notes
    -----
    Scale the features. An unseen task gets the mean of all tasks' predictions. Every
    task is computed on every row, so that "soft", "independent" and "cross_stitch" take
    n_tasks times as long as "hard". To predict, the network is rebuilt from the
    parameters of `fit`, and `state_` has arrays only: a saved model contains no code of
    yours unless `trunk`, `head` or another parameter is a function or a module. A
    lambda cannot be pickled.

    References
    ----------
    Caruana, R. (1997). Multitask learning. Machine Learning, 28(1), 41-75.
    :doi:`10.1023/A:1007379606734`

    Kurin, V., De Palma, A., Kostrikov, I., Whiteson, S., Kumar, M. P. (2022). In
    defense of the unitary scalarization for deep multi-task learning. NeurIPS.
    :doi:`10.48550/arXiv.2201.04122`

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> from skmtl.deep import TorchMultiTaskRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, school = rng.normal(size=(300, 2)), rng.integers(10, size=300)
    >>> y = np.sin(2 * X[:, 0]) + school * np.cos(X[:, 1])
    >>> def trunk(n_features):
    ...     return nn.Sequential(nn.Linear(n_features, 50), nn.Tanh())
    >>> model = TorchMultiTaskRegressor(trunk, learning_rate_init=0.05, random_state=0)
    >>> model.fit(X, y, task=school).score(X, y, task=school) > 0.9
    True
    >>> model.shared_features(X[:1], task=9).shape
    (1, 50)
    """

    _parameter_constraints = {
        **_CONSTRAINTS,
        "handle_unknown": COMMON_CONSTRAINTS["handle_unknown"],
        "loss": [StrOptions({"squared", "poisson"})],
        "normalize_y": ["boolean"],
    }

    def __init__(
        self,
        trunk: Any = None,
        *,
        hidden_layer_sizes: int | ArrayLike = (100,),
        activation: str = "relu",
        dropout: float = 0.0,
        input_shape: ArrayLike | None = None,
        head: Callable[..., Any] | None = None,
        sharing: str = "hard",
        loss: str = "squared",
        alpha: float = 1.0,
        soft_penalty: float = 10.0,
        head_penalty: float = 0.0,
        penalty: Callable[..., Any] | None = None,
        n_experts: int = 4,
        task_column: str | int | list[Any] | None = None,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
        weighting: str | Callable[..., Any] = "fixed",
        aggregator: str | Callable[..., Any] | None = None,
        batching: str = "joint",
        normalize_y: bool = True,
        optimizer: str | Callable[..., Any] = "adam",
        lr_scheduler: Callable[..., Any] | None = None,
        device: str = "auto",
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
        self.trunk = trunk
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.input_shape = input_shape
        self.head = head
        self.sharing = sharing
        self.loss = loss
        self.alpha = alpha
        self.soft_penalty = soft_penalty
        self.head_penalty = head_penalty
        self.penalty = penalty
        self.n_experts = n_experts
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.weighting = weighting
        self.aggregator = aggregator
        self.batching = batching
        self.normalize_y = normalize_y
        self.optimizer = optimizer
        self.lr_scheduler = lr_scheduler
        self.device = device
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


class TorchMultiTaskClassifier(TorchNetwork, NetworkClassifier):
    """Neural network for several classification tasks in PyTorch, with any module.

    Minimises the objective of :class:`TorchMultiTaskRegressor` with the logistic loss,
    or for more than two classes the multinomial loss.

    Parameters
    ----------
    trunk : callable, nn.Module or None, default=None
        Layers before the heads: a function of the number of features that returns a
        module, which maps rows (n_rows, n_features) to features (n_rows,
        n_features_out); or a module, which is copied with its weights; or None for
        hidden layers of `hidden_layer_sizes`. `random_state` does not change the
        initial weights of a module.
    hidden_layer_sizes : int or array-like of shape (n_layers,), default=(100,)
        Number of units of each hidden layer before the heads. Empty for none: with
        linear heads, the model is then linear. No effect with a `trunk`.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Activation of the hidden units.
    dropout : float, default=0.0
        Fraction of the hidden units set to zero in a training step, below 1; no effect
        with a `trunk`.
    input_shape : array-like of int, default=None
        Shape of a row for the trunk, such as ``(3, 32, 32)`` for images; X stays
        2-d. None for (n_features,).
    head : callable, default=None
        Makes the head of a task, called as ``head(task, n_in, n_out)``: returns a
        module that maps features (n_rows, n_in) to raw predictions (n_rows, n_out).
        None for a linear layer; the layers of all tasks are then computed together,
        which is faster.
    sharing : str, default="hard"
        Which layers tasks share: one trunk ("hard"); a tower per task near the mean
        tower ("soft"); towers that mix their features after each layer
        ("cross_stitch"); experts that each task mixes with its own gate ("mmoe"),
        or shared and own experts in every layer ("ple"); or none ("independent").
        "cross_stitch" and "ple" need ``trunk=None``; "mmoe" takes a function or None.
    alpha : float, default=1.0
        Strength of the ridge penalty on all weights, 0 or more, on the scale of
        Ridge. In a custom trunk or head, these are the parameters with "weight" in
        their name and more than one axis.
    soft_penalty : float, default=10.0
        Strength of the penalty on differences between towers, 0 or more, for
        ``sharing="soft"``.
    head_penalty : float, default=0.0
        Strength of the penalty on differences between the tasks' output weights, 0 or
        more. If positive, all tasks must have equally many raw predictions.
    penalty : callable, default=None
        Custom penalty, called with the network, a module with the attributes `trunk`
        and `heads`; returns a scalar tensor. It is on the scale of a sum of losses:
        ``alpha / 2`` times the sum of all squared weights has the effect of `alpha`.
    n_experts : int, default=4
        Number of experts, for ``sharing="mmoe"``.
    class_scope : {"all", "task"}, default="all"
        Which classes may occur in a task: all of them, or those of its rows in
        `fit`. If a task lacks a class that may occur in it, and its intercept is
        not penalised, one pseudo-row of weight 1 with the overall class frequencies
        is added to the task; without it the intercept would diverge.
    class_weight : {"balanced"} or mapping, default=None
        Factor of each class in the weights of the rows: a mapping from classes to
        numbers, or "balanced" to give all classes the same total weight.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of
        columns declares nested tasks.
    handle_unknown : {"shared", "error"}, default="shared"
        How `predict` handles an unseen task: predict it with the shared part, or
        raise an error.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss: a mapping from every label to a number, or
        "balanced" to give every task the same total weight.
    weighting : {"fixed", "uncertainty", "gradnorm"} or callable, default="fixed"
        Factors of the tasks' losses: "fixed" for `task_weight`; with "uncertainty"
        these are also divided by the variances of the tasks, which are learnt;
        "gradnorm" gives the gradients of tasks similar lengths. A function maps the
        losses (n_tasks,) to their total, as the scalarizers of torchjd do; its
        parameters are trained, if it is a module.
    aggregator : {"pcgrad", "cagrad", "mgda"} or callable, default=None
        How the gradients of tasks in the trunk are combined; None for their sum. A
        function maps gradients (n_tasks, n_parameters) to one (n_parameters,), as
        the aggregators of torchjd do.
    batching : {"joint", "alternating", "sequential"}, default="joint"
        Batches of a pass: of rows of all tasks ("joint"), or of one task each, evenly
        interleaved ("alternating") or task after task ("sequential").
    optimizer : {"adam", "sgd"} or callable, default="adam"
        Optimiser: "sgd" is gradient descent with momentum 0.9. A function returns it
        for given parameters, such as ``lambda parameters:
        torch.optim.AdamW(parameters)``; then `learning_rate_init` has no effect.
    lr_scheduler : callable, default=None
        Returns a scheduler of the learning rate for an optimiser; it takes a step after
        each pass.
    device : str, default="auto"
        Device, such as "cpu" or "cuda:1"; "auto" is CUDA if available, else the CPU.
    batch_size : int or "auto", default="auto"
        Number of rows of a batch; "auto" for 200.
    learning_rate_init : float, default=0.001
        Size of the optimiser's first steps, positive.
    max_iter : int, default=500
        Largest number of passes over the rows.
    tol : float, default=1e-4
        Training stops when the loss (on the validation rows, with early stopping) has
        fallen by less than this in `n_iter_no_change` passes.
    n_iter_no_change : int, default=10
        Number of passes in which the loss must fall by `tol`.
    early_stopping : bool, default=False
        Whether to stop when the loss on validation rows no longer falls, and to keep
        the parameters at which it was lowest. They are not refitted to all rows.
    validation_fraction : float, default=0.1
        Fraction of the rows of each task, or of a 2-d y, held out for early stopping.
    warm_start : bool, default=False
        Whether `fit` starts from the previous solution if it had the same tasks.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, the batches, the validation rows and dropout. Pass
        an int for reproducible results. The state of PyTorch's generators does not
        change.
    callback : callable, default=None
        Called after each pass as ``callback(iteration, loss, validation_loss)``, where
        `validation_loss` is None without early stopping; training stops if it returns
        True. Losses are also logged to ``logging.getLogger("skmtl")`` at level INFO.

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
    state_ : dict of ndarray
        Parameters and buffers of the network by name, as in the `state_dict` of
        PyTorch. Tasks with the same loss are adjacent.
    cross_stitch_ : ndarray of shape (n_layers, n_tasks, n_tasks)
        Weights with which a task, in rows, mixes the features of all towers after
        each hidden layer; only for ``sharing="cross_stitch"``.
    task_log_variances_ : ndarray of shape (n_tasks,)
        Learnt logarithms of the variances of the tasks; only for
        ``weighting="uncertainty"``.
    loss_ : float
        Mean of the objective over the last pass.
    loss_curve_ : list of float
        Mean of the objective over each pass.
    validation_loss_curve_ : list of float
        Mean loss on the validation rows after each pass; only with
        `early_stopping`.
    n_iter_ : int
        Number of passes.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    MultiTaskMLPClassifier : Perceptrons in NumPy, faster for small layers.
    TorchMultiTask : Numbers, counts and classes together.

    Notes
    -----
    Scale the features. With a 2-d y every column is a task of classes 0 and 1. An
    unseen task gets the mean of all tasks' scores. Tasks with classes of their own,
    such as ten digits and five letters, need :class:`TorchMultiTask`.

    References
    ----------
    Caruana, R. (1997). Multitask learning. Machine Learning, 28(1), 41-75.
    :doi:`10.1023/A:1007379606734`

    Kurin, V., De Palma, A., Kostrikov, I., Whiteson, S., Kumar, M. P. (2022). In
    defense of the unitary scalarization for deep multi-task learning. NeurIPS.
    :doi:`10.48550/arXiv.2201.04122`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.deep import TorchMultiTaskClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, shop = rng.normal(size=(300, 2)), rng.integers(3, size=300)
    >>> y = np.where(X[:, 0] * X[:, 1] > 0.3 * shop, "buys", "leaves")
    >>> model = TorchMultiTaskClassifier(
    ...     activation="tanh", alpha=0.1, learning_rate_init=0.02, random_state=0
    ... )
    >>> model.fit(X, y, task=shop).predict([[1.0, 1.0], [1.0, -1.0]], task=2)
    array(['buys', 'leaves'], dtype='<U6')
    """

    _parameter_constraints = {
        **_CONSTRAINTS,
        **CLASS_CONSTRAINTS,
        "handle_unknown": COMMON_CONSTRAINTS["handle_unknown"],
    }

    def __init__(
        self,
        trunk: Any = None,
        *,
        hidden_layer_sizes: int | ArrayLike = (100,),
        activation: str = "relu",
        dropout: float = 0.0,
        input_shape: ArrayLike | None = None,
        head: Callable[..., Any] | None = None,
        sharing: str = "hard",
        alpha: float = 1.0,
        soft_penalty: float = 10.0,
        head_penalty: float = 0.0,
        penalty: Callable[..., Any] | None = None,
        n_experts: int = 4,
        class_scope: str = "all",
        class_weight: str | Mapping[Any, float] | None = None,
        task_column: str | int | list[Any] | None = None,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
        weighting: str | Callable[..., Any] = "fixed",
        aggregator: str | Callable[..., Any] | None = None,
        batching: str = "joint",
        optimizer: str | Callable[..., Any] = "adam",
        lr_scheduler: Callable[..., Any] | None = None,
        device: str = "auto",
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
        self.trunk = trunk
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.input_shape = input_shape
        self.head = head
        self.sharing = sharing
        self.alpha = alpha
        self.soft_penalty = soft_penalty
        self.head_penalty = head_penalty
        self.penalty = penalty
        self.n_experts = n_experts
        self.class_scope = class_scope
        self.class_weight = class_weight
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.weighting = weighting
        self.aggregator = aggregator
        self.batching = batching
        self.optimizer = optimizer
        self.lr_scheduler = lr_scheduler
        self.device = device
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


class TorchMultiTask(TorchNetwork, NetworkMixedModel):
    """Neural network for tasks of numbers, counts and classes together in PyTorch.

    Minimises the objective of :class:`TorchMultiTaskRegressor`, with a loss for each
    task. With `normalize_y`, the losses and raw predictions of a task are in the units
    of :class:`~skmtl.linear_model.MixedTaskModel`, which give all tasks the same
    importance.

    Parameters
    ----------
    losses : "auto" or mapping, default="auto"
        Loss of every task, by label: "squared" for numbers, "poisson" for counts
        and rates, "logistic" for two classes, "multinomial" for any number of them.
        "auto" decides by the target: strings and booleans are classes, and so are
        whole numbers of two distinct values; all other numbers are "squared".
    trunk : callable, nn.Module or None, default=None
        Layers before the heads: a function of the number of features that returns a
        module, which maps rows (n_rows, n_features) to features (n_rows,
        n_features_out); or a module, which is copied with its weights; or None for
        hidden layers of `hidden_layer_sizes`. `random_state` does not change the
        initial weights of a module.
    hidden_layer_sizes : int or array-like of shape (n_layers,), default=(100,)
        Number of units of each hidden layer before the heads. Empty for none: with
        linear heads, the model is then linear. No effect with a `trunk`.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Activation of the hidden units.
    dropout : float, default=0.0
        Fraction of the hidden units set to zero in a training step, below 1; no effect
        with a `trunk`.
    input_shape : array-like of int, default=None
        Shape of a row for the trunk, such as ``(3, 32, 32)`` for images; X stays
        2-d. None for (n_features,).
    head : callable, default=None
        Makes the head of a task, called as ``head(task, n_in, n_out)``: returns a
        module that maps features (n_rows, n_in) to raw predictions (n_rows, n_out).
        None for a linear layer; the layers of all tasks are then computed together,
        which is faster.
    sharing : str, default="hard"
        Which layers tasks share: one trunk ("hard"); a tower per task near the mean
        tower ("soft"); towers that mix their features after each layer
        ("cross_stitch"); experts that each task mixes with its own gate ("mmoe"),
        or shared and own experts in every layer ("ple"); or none ("independent").
        "cross_stitch" and "ple" need ``trunk=None``; "mmoe" takes a function or None.
    alpha : float, default=1.0
        Strength of the ridge penalty on all weights, 0 or more, on the scale of
        Ridge. In a custom trunk or head, these are the parameters with "weight" in
        their name and more than one axis.
    soft_penalty : float, default=10.0
        Strength of the penalty on differences between towers, 0 or more, for
        ``sharing="soft"``.
    head_penalty : float, default=0.0
        Strength of the penalty on differences between the tasks' output weights, 0 or
        more. If positive, all tasks must have equally many raw predictions.
    penalty : callable, default=None
        Custom penalty, called with the network, a module with the attributes `trunk`
        and `heads`; returns a scalar tensor. It is on the scale of a sum of losses:
        ``alpha / 2`` times the sum of all squared weights has the effect of `alpha`.
    n_experts : int, default=4
        Number of experts, for ``sharing="mmoe"``.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of
        columns declares nested tasks.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss: a mapping from every label to a number, or
        "balanced" to give every task the same total weight.
    weighting : {"fixed", "uncertainty", "gradnorm"} or callable, default="fixed"
        Factors of the tasks' losses: "fixed" for `task_weight`; with "uncertainty"
        these are also divided by the variances of the tasks, which are learnt;
        "gradnorm" gives the gradients of tasks similar lengths. A function maps the
        losses (n_tasks,) to their total, as the scalarizers of torchjd do; its
        parameters are trained, if it is a module.
    aggregator : {"pcgrad", "cagrad", "mgda"} or callable, default=None
        How the gradients of tasks in the trunk are combined; None for their sum. A
        function maps gradients (n_tasks, n_parameters) to one (n_parameters,), as
        the aggregators of torchjd do.
    batching : {"joint", "alternating", "sequential"}, default="joint"
        Batches of a pass: of rows of all tasks ("joint"), or of one task each, evenly
        interleaved ("alternating") or task after task ("sequential").
    normalize_y : bool, default=True
        Whether each task's target is standardised in `fit`, so that tasks in different
        units have the same importance. Variances of tasks with few rows are shrunk
        towards the common one. For counts, the loss is divided by the deviance per row
        of the best constant.
    optimizer : {"adam", "sgd"} or callable, default="adam"
        Optimiser: "sgd" is gradient descent with momentum 0.9. A function returns it
        for given parameters, such as ``lambda parameters:
        torch.optim.AdamW(parameters)``; then `learning_rate_init` has no effect.
    lr_scheduler : callable, default=None
        Returns a scheduler of the learning rate for an optimiser; it takes a step after
        each pass.
    device : str, default="auto"
        Device, such as "cpu" or "cuda:1"; "auto" is CUDA if available, else the CPU.
    batch_size : int or "auto", default="auto"
        Number of rows of a batch; "auto" for 200.
    learning_rate_init : float, default=0.001
        Size of the optimiser's first steps, positive.
    max_iter : int, default=500
        Largest number of passes over the rows.
    tol : float, default=1e-4
        Training stops when the loss (on the validation rows, with early stopping) has
        fallen by less than this in `n_iter_no_change` passes.
    n_iter_no_change : int, default=10
        Number of passes in which the loss must fall by `tol`.
    early_stopping : bool, default=False
        Whether to stop when the loss on validation rows no longer falls, and to keep
        the parameters at which it was lowest. They are not refitted to all rows.
    validation_fraction : float, default=0.1
        Fraction of the rows of each task, or of a 2-d y, held out for early stopping.
    warm_start : bool, default=False
        Whether `fit` starts from the previous solution if it had the same tasks.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, the batches, the validation rows and dropout. Pass
        an int for reproducible results. The state of PyTorch's generators does not
        change.
    callback : callable, default=None
        Called after each pass as ``callback(iteration, loss, validation_loss)``, where
        `validation_loss` is None without early stopping; training stops if it returns
        True. Losses are also logged to ``logging.getLogger("skmtl")`` at level INFO.

    Attributes
    ----------
    tasks_ : ndarray of shape (n_tasks,)
        Labels of the tasks: sorted, or the columns of y in their order.
    n_tasks_ : int
        Number of tasks.
    classes_ : dict of ndarray of shape (n_classes,)
        Sorted classes of each task that has classes, by label.
    state_ : dict of ndarray
        Parameters and buffers of the network by name, as in the `state_dict` of
        PyTorch. Tasks with the same loss are adjacent.
    cross_stitch_ : ndarray of shape (n_layers, n_tasks, n_tasks)
        Weights with which a task, in rows, mixes the features of all towers after
        each hidden layer; only for ``sharing="cross_stitch"``.
    task_log_variances_ : ndarray of shape (n_tasks,)
        Learnt logarithms of the variances of the tasks; only for
        ``weighting="uncertainty"``.
    loss_ : float
        Mean of the objective over the last pass.
    loss_curve_ : list of float
        Mean of the objective over each pass.
    validation_loss_curve_ : list of float
        Mean loss on the validation rows after each pass; only with
        `early_stopping`.
    n_iter_ : int
        Number of passes.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    MultiTaskMLP : Perceptrons in NumPy, faster for small layers.
    TorchMultiTaskRegressor : Numbers only.
    TorchMultiTaskClassifier : Classes only.

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

    Kurin, V., De Palma, A., Kostrikov, I., Whiteson, S., Kumar, M. P. (2022). In
    defense of the unitary scalarization for deep multi-task learning. NeurIPS.
    :doi:`10.48550/arXiv.2201.04122`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.deep import TorchMultiTask
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> bend = X[:, 0] * X[:, 1]
    >>> Y = np.stack([10 + bend, np.where(bend > 0, "yes", "no")], axis=1, dtype=object)
    >>> model = TorchMultiTask(
    ...     activation="tanh", alpha=0.1, learning_rate_init=0.02, random_state=0
    ... )
    >>> number, label = model.fit(X, Y).predict([[2.0, 1.0]])[0]
    >>> abs(number - 12) < 0.5, label
    (True, 'yes')
    """

    _parameter_constraints = {
        **_CONSTRAINTS,
        "losses": [StrOptions({"auto"}), Mapping],
        "normalize_y": ["boolean"],
    }

    def __init__(
        self,
        losses: str | Mapping[Any, str] = "auto",
        trunk: Any = None,
        *,
        hidden_layer_sizes: int | ArrayLike = (100,),
        activation: str = "relu",
        dropout: float = 0.0,
        input_shape: ArrayLike | None = None,
        head: Callable[..., Any] | None = None,
        sharing: str = "hard",
        alpha: float = 1.0,
        soft_penalty: float = 10.0,
        head_penalty: float = 0.0,
        penalty: Callable[..., Any] | None = None,
        n_experts: int = 4,
        task_column: str | int | list[Any] | None = None,
        task_weight: str | Mapping[Any, float] | None = None,
        weighting: str | Callable[..., Any] = "fixed",
        aggregator: str | Callable[..., Any] | None = None,
        batching: str = "joint",
        normalize_y: bool = True,
        optimizer: str | Callable[..., Any] = "adam",
        lr_scheduler: Callable[..., Any] | None = None,
        device: str = "auto",
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
        self.trunk = trunk
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.input_shape = input_shape
        self.head = head
        self.sharing = sharing
        self.alpha = alpha
        self.soft_penalty = soft_penalty
        self.head_penalty = head_penalty
        self.penalty = penalty
        self.n_experts = n_experts
        self.task_column = task_column
        self.task_weight = task_weight
        self.weighting = weighting
        self.aggregator = aggregator
        self.batching = batching
        self.normalize_y = normalize_y
        self.optimizer = optimizer
        self.lr_scheduler = lr_scheduler
        self.device = device
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
