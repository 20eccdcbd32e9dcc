"""The words for parameters and attributes that three or more models share.

Each name stands here once, with its type (without the default) and its text. A
dictionary gives the exceptions by class, subpackage, kind of target or module; "" is
the rule.
"""

import inspect
import textwrap
from dataclasses import dataclass

from sklearn.base import ClassifierMixin

COEF = "ndarray of shape (n_tasks, n_features) or (n_features,)"
OF_CLASSES = (
    "ndarray of shape (n_tasks, n_features) or (n_tasks, n_classes, n_features)"
)
STRENGTHS = "array-like of shape (n_alphas,)"
RIDGE_FIT = "Coefficients for unseen tasks: a ridge fit to all rows"
CENTRE_OR_FIT = (
    "Coefficients for unseen tasks: the centre or, if there is none, a ridge fit to "
    "all rows"
)
GAP = "Duality gap, relative to the objective at zero"
GRADIENT = "Norm of the gradient, relative to the one at zero."
STEP = (
    "Square root of the predicted decrease of the next step, relative to the objective "
    "at zero."
)
NEWTON = "Largest number of Newton steps; None for 100."
CENTRE = (
    "Strength of the ridge on a centre ``c`` of the tasks, 0 or more: the objective "
    "gains ``alpha_shared / 2 ||c||^2``, and the penalty applies to the deviations "
    "``w_t - c``. Infinity means no centre."
)
PULL = (
    "Strength of the penalty on differences between intercepts, ``alpha_intercept / 2 "
    "sum_t (b_t - b_s)^2``. 0 leaves them free, infinity makes them equal."
)
CHOSEN_CENTRE = (
    "Strength of the ridge on a centre of the tasks, as in the model with given "
    'strengths. "auto" chooses between no centre with free intercepts, and the '
    "strengths that :class:`MeanRegularizedRegressorCV` chooses, by their errors on "
    "held-out rows. It chooses no centre where matrices of all features are avoided."
)
PENALIZED = (
    "_clustered",
    "_custom",
    "_dirty",
    "_fused",
    "_joint",
    "_low_rank",
    "_robust",
)
CENTRE_SEARCHES = "JointFeatureRegressorCV", "LowRankRegressorCV"
CENTRE_RIDGE = "Strength of the ridge penalty on the centre's coefficients"
GRAPH_RIDGE = "Strength of the ridge penalty on tasks with rows, 0 or more"
# Estimators that take several groupings, as a list of task columns.
GROUPED = (
    "MeanRegularizedClassifier",
    "MeanRegularizedClassifierCV",
    "MeanRegularizedPoissonRegressor",
    "MeanRegularizedPoissonRegressorCV",
    "MeanRegularizedRegressor",
    "MeanRegularizedRegressorCV",
)
# Searches by losses that are not squared.
LOSS_SEARCHES = "MeanRegularizedClassifierCV", "MeanRegularizedPoissonRegressorCV"
# Variance of the noise; classes and counts have no such attribute.
VARIANCES = "", "", "sigma2_ "
MEAN_SEARCHES = *LOSS_SEARCHES, "MeanRegularizedRegressorCV"
WITH_STRENGTHS = [name for name in GROUPED if not name.endswith("CV")]
# Objectives of losses that are not squared have halves of the penalties.
HALVES = " / 2", " / 2", ""
CHAIN = """\
Which tasks are neighbours:

- "chain": adjacent tasks in the order of ordered categories (pandas' ordered
  Categorical, polars' Enum, pyarrow's ordered dictionary), of the columns of a
  2-d y, or else of the numbers and dates in labels: week1, week2, week10; the
  order used is `order_`. In an order of labels, a new label gets the mean of
  its two neighbours' models, or at an end its only neighbour's model;
"""


@dataclass(frozen=True)
class Word:
    """The type and the text of a name, or both by where they hold."""

    type: str | dict[str, str]
    text: str | dict[str, str]


PARAMETERS = {
    "alpha": Word(
        {
            "": "float",
            "MultiTaskRidge": "float, array-like of shape (n_tasks,) or mapping",
            "_mean": "float or array-like of shape (n_features,)",
            "_mixed": "float or array-like of shape (n_features,)",
            **dict.fromkeys(WITH_STRENGTHS, "float, array-like, matrix or mapping"),
        },
        {
            **{
                name: "Strength of the penalty on differences from the centre, 0 or "
                "more; one, or one per feature. A large one makes tasks similar, "
                "infinity makes them equal. A positive definite matrix of shape "
                "(n_features + 1, n_features + 1) penalises differences of "
                "coefficients and intercepts together, ``sum_t (v_t, c_t)' alpha "
                f"(v_t, c_t){half}`` with ``v_t = w_t - w_s`` and ``c_t = b_t - b_s``; "
                "without intercepts, of shape (n_features, n_features). With several "
                "groupings, a mapping may give a number, or one per feature, for each; "
                "infinity leaves a grouping without own coefficients."
                for name, half in zip(WITH_STRENGTHS, HALVES, strict=True)
            },
            "neural_network": "Strength of the ridge penalty on all weights, 0 or "
            "more, on the scale of Ridge.",
            "_graph": "Strength of the penalty on differences between neighbours, 0 "
            "or more.",
            "_joint": "Strength of the penalty, positive; a large one keeps few "
            "features.",
            "_low_rank": "Strength of the penalty, positive; a large one keeps few "
            "directions.",
            "_mean": "Strength of the penalty on differences from the centre, 0 or "
            "more; one, or one per feature. A large one makes tasks similar, "
            "infinity makes them equal.",
            "_mixed": 'Strength of the penalty. For "centre" on the scale of Ridge, 0 '
            "or more, one or one per feature; infinity makes tasks equal, up to units. "
            'For "features" on the scale of Lasso, one, positive.',
            "_ridge": "Strength of the ridge penalty on each task, 0 or more.",
            "MultiTaskRidge": "Strength of the ridge penalty on each task, 0 or more: "
            "one, one per task in the order of `tasks_`, or a mapping from every label "
            "to a number. 0 gives the solution of least norm.",
        },
    ),
    "alpha_between": Word(
        "float", "Strength of the penalty on the centres of groups, positive."
    ),
    "alpha_fused": Word(
        "float",
        "Strength of the penalty on differences between neighbours, positive; a large "
        "one makes all tasks equal.",
    ),
    "alpha_intercept": Word(
        {
            "": "float",
            **dict.fromkeys(WITH_STRENGTHS, "float or mapping"),
            **dict.fromkeys(CENTRE_SEARCHES, '{"auto"} or float'),
        },
        {
            "": "Strength of the penalty on differences between intercepts. 0 leaves "
            "them free, infinity makes them equal.",
            **dict.fromkeys(
                WITH_STRENGTHS,
                "Strength of the penalty on differences between intercepts. 0 leaves "
                "them free, infinity makes them equal. With several groupings, a "
                "mapping may give one for each.",
            ),
            **dict.fromkeys(PENALIZED, PULL),
            "_graph": "Strength of the penalty on differences between intercepts, "
            "``sum_t (b_t - b_s)^2`` on the scale of `alpha_ridge`. 0 leaves them "
            "free, infinity makes them equal.",
            **dict.fromkeys(
                CENTRE_SEARCHES,
                "Strength of the penalty on differences between intercepts, as in the "
                'model with given strengths. "auto" chooses it with `alpha_shared`.',
            ),
        },
    ),
    "alpha_joint": Word(
        "float",
        {
            "_dirty": "Strength of the penalty on shared features, positive.",
            "_fused": "Strength of the penalty that selects features for all tasks at "
            "once, 0 or more.",
        },
    ),
    "alpha_l1": Word(
        "float",
        {
            "_dirty": "Strength of the penalty on exceptions, positive. There are none "
            "if it is above `alpha_joint`. Nothing is shared if it is below "
            '``alpha_joint / sqrt(n_tasks)``, or with "linf" below ``alpha_joint / '
            "n_tasks``.",
            "_fused": "Strength of the penalty that selects single coefficients, 0 or "
            "more.",
        },
    ),
    "alpha_mean": Word(
        "float",
        "Strength of the penalty ``alpha_mean / 2 * n_tasks * ||mean||^2`` on the mean "
        "of all tasks, 0 or more; groups are then formed by differences from this "
        "mean. None for groups of the coefficients themselves.",
    ),
    "alpha_outlier": Word(
        "float",
        "Strength of the penalty on the outlier tasks' own part Q, positive; a large "
        "one leaves no outliers.",
    ),
    "alpha_related": Word(
        "float", "Strength of the penalty on the related part P, positive."
    ),
    "alpha_ridge": Word(
        "float",
        {
            "": f"{GRAPH_RIDGE}.",
            "GraphRegularizedClassifier": f"{GRAPH_RIDGE}. If it is 0 and the classes "
            "are separable, no finite coefficients are optimal.",
        },
    ),
    "alpha_shared": Word(
        {"": "float", **dict.fromkeys(CENTRE_SEARCHES, '{"auto"} or float')},
        {
            **dict.fromkeys(PENALIZED, CENTRE),
            "_graph": "Strength of the ridge penalty on a centre of the tasks, to "
            "which `alpha_ridge` then pulls them instead of to zero. Infinity means "
            "no centre; without `alpha_ridge` it has no effect.",
            **dict.fromkeys(CENTRE_SEARCHES, CHOSEN_CENTRE),
            "": f"{CENTRE_RIDGE}.",
            "MeanRegularizedRegressor": f"{CENTRE_RIDGE}, not on its intercept. "
            "Infinity sets them to zero; tasks then share only the intercept.",
            "MeanRegularizedClassifier": f"{CENTRE_RIDGE}. If it is 0 and the classes "
            "are separable, no finite centre is optimal.",
            "MeanRegularizedPoissonRegressor": f"{CENTRE_RIDGE}. If it is 0 and counts "
            "are zero wherever a feature is high, no finite centre is optimal.",
            "MixedTaskModel": f'{CENTRE_RIDGE}; for "centre" only.',
        },
    ),
    "alpha_within": Word(
        "float",
        "Strength of the penalty on differences between a task and the centre of its "
        "group: at least `alpha_between`, may be infinite.",
    ),
    "alphas": Word(
        {
            "": STRENGTHS,
            **dict.fromkeys(MEAN_SEARCHES, STRENGTHS + " or mapping"),
        },
        {
            "": "Candidate strengths, positive. None for a decreasing path, from the "
            "smallest strength at which all coefficients are zero to `eps` times that.",
            **dict.fromkeys(
                LOSS_SEARCHES,
                "Candidate strengths, positive or infinite. None searches all values, "
                "from likely ones. With several groupings, a mapping may give a list "
                "for each.",
            ),
            "MeanRegularizedRegressorCV": "Candidate strengths, positive or infinite, "
            'for every method except "reml". None searches all values. With several '
            "groupings they apply to every method, and a mapping may give a list for "
            "each.",
            "MultiTaskRidgeCV": "Candidate strengths, positive. None for three per "
            "factor of ten, from 1e-12 to 1e6 times the mean curvature of a task's "
            "loss: from no penalty to no effect of any feature.",
            "PathSearchCV": "Strengths to choose from, positive. None for a path from "
            "the smallest strength at which all coefficients are zero, or, if the "
            "penalty makes none zero, at which it halves the first step from zero. For "
            "couplings, such as mean regularisation, they go from 1e4 down to 1e-3 "
            "times the mean curvature of a task's loss.",
        },
    ),
    "alphas_intercept": Word(
        "array-like or mapping",
        {
            "": "Candidate strengths of the penalty on differences between intercepts, "
            "positive or infinite. None searches all values. With several groupings, "
            "as `alphas`.",
            "MeanRegularizedRegressorCV": "Candidate strengths of the penalty on "
            "differences between intercepts, positive or infinite, for every method "
            'except "reml". None searches all values. With several groupings, as '
            "`alphas`.",
        },
    ),
    "alphas_shared": Word(
        "array-like of shape (n_alphas_shared,)",
        {
            "": "Candidate strengths of the ridge penalty on the centre's "
            "coefficients, not on its intercept; 0 or more. None searches all positive "
            "values.",
            "MeanRegularizedRegressorCV": "Candidate strengths of the ridge penalty on "
            "the centre's coefficients, not on its intercept; 0 or more. None searches "
            "all values. ``[0.0]`` leaves the centre unpenalised, which needs many "
            'more rows than features; with "reml" it is then the fixed effect of a '
            "mixed model.",
        },
    ),
    "alpha_structure": Word(
        "str or array-like of shape (n_features,)",
        '"one": one `alpha` for all features. "per_feature": one per feature. '
        '"covariance": a precision matrix over the coefficients and the intercept. '
        '"auto": the simplest of them that predicts about as well as the best. An '
        "array has relative strengths of the features, and one common factor is "
        "chosen; where it is infinite, tasks have equal coefficients.",
    ),
    "class_scope": Word(
        '{"all", "task"}',
        "Which classes may occur in a task: all of them, or those of its rows in "
        "`fit`. If a task lacks a class that may occur in it, and its intercept is not "
        "penalised, one pseudo-row of weight 1 with the overall class frequencies is "
        "added to the task; without it the intercept would diverge.",
    ),
    "class_weight": Word(
        '{"balanced"} or mapping',
        "Factor of each class in the weights of the rows: a mapping from classes to "
        'numbers, or "balanced" to give all classes the same total weight.',
    ),
    "cv": Word(
        "int, splitter or iterable of (train, test)",
        {
            "": "Folds; None for 5. An int assigns the rows of each task to that many "
            "folds.",
            "MeanRegularizedClassifierCV": 'Folds for ``method="cv"``; None for 5. An '
            "int assigns the rows of each task to that many folds, whatever their "
            "class: with the same share of a class in every fold of a task, the "
            "chosen strength would be too small.",
            "MeanRegularizedRegressorCV": 'Folds for ``method="cv"``; None for 5. An '
            "int assigns the rows of each task to that many folds.",
            "MeanRegularizedPoissonRegressorCV": 'Folds for ``method="cv"``; None for '
            "5. An int assigns the rows of each task to that many folds, in random "
            "order.",
            "MultiTaskRidgeCV": "Folds; None for leave-one-out. An int assigns the "
            "rows of each task to that many folds.",
            "PathSearchCV": "None for 5. An int assigns the rows of each task to that "
            "many folds: in turn for the squared loss, shuffled for others.",
        },
    ),
    "method": Word(
        {
            "": '{"cv", "laplace"}',
            "MeanRegularizedRegressorCV": '{"loo", "reml", "gcv", "cv"}',
        },
        {
            "": 'Criterion. "cv": the score on held-out rows. "laplace": the Laplace '
            "approximation of the likelihood of a mixed model, in which tasks are "
            "normal draws around the centre. It needs no folds, but assumes that tasks "
            "are such draws.",
            "MeanRegularizedRegressorCV": 'Criterion. "loo": exact leave-one-out '
            'squared errors. "reml": the restricted likelihood of a mixed model, in '
            "which tasks are normal draws around the centre, and the centre is a "
            "normal draw around zero unless `alphas_shared` is ``[0.0]``; it assumes "
            'that tasks are such draws. "gcv": generalised cross-validation, which '
            'replaces each row\'s leverage by the mean. "cv": squared errors on '
            "held-out rows, from moments of the folds, without refitting on rows.",
        },
    ),
    "descriptors": Word(
        "mapping, frame or array of shape (n_tasks, n_columns)",
        'Descriptors of each task, for ``graph="knn"``: by label, or in the order of '
        "`labels`.",
    ),
    "eps": Word(
        "float",
        {
            "_joint": "Smallest strength relative to the largest, if `alphas` is None. "
            "None for 1e-2, and smaller while the error decreases.",
            "_low_rank": "Smallest strength relative to the largest, if `alphas` is "
            "None. None for 1e-3, and smaller while the error decreases.",
            "PathSearchCV": "Smallest strength relative to the largest, if `alphas` is "
            "None; not for couplings. None for 1e-3, or 1e-2 for classes and counts, "
            "and smaller while the error decreases.",
        },
    ),
    "fit_intercept": Word("bool", "Whether each task has an intercept."),
    "graph": Word(
        {
            "_fused": "str, array-like, sparse matrix or list",
            "_graph": "str, array-like, sparse matrix, list or mapping",
        },
        {
            "_fused": CHAIN
            + """\
- a list of labels, every task once: those next to each other in the list;
- a list of edges, ``(label, label)``;
- "complete", an adjacency or a frame, as in :class:`GraphRegularizedRegressor`,
  with edges of one weight.

Tasks without rows that the graph names get the coefficients with the
smallest total variation; if not unique, those closest to their neighbours'
mean. `alpha_l1` and `alpha_joint` do not apply to them.""",
            "_graph": CHAIN
            + """\
- a list of labels: those next to each other in the list;
- "complete": all;
- "knn": those with the nearest `descriptors`;
- an array or sparse matrix of shape (n_tasks, n_tasks) in the order of
  `labels`, or a frame with labels as index and columns: weights of the edges;
- a list of edges, ``(label, label)`` or ``(label, label, weight)``;
- a mapping from each task to its parent, which is a group; the mapping may also
  name the parent of a group. A tuple is the path of groups from the root.
  Groups have their own coefficients, and are neighbours of their members.

In every form of graph, tasks without rows are nodes too if the graph or ordered
categories name them; their models minimise the objective.""",
        },
    ),
    "handle_unknown": Word(
        '{"shared", "error"}',
        "How `predict` handles an unseen task: predict it with the shared part, or "
        "raise an error.",
    ),
    "l1_ratio": Word(
        "float",
        "Share of `alpha` in the penalty that selects features, above 0; the rest is a "
        "ridge penalty.",
    ),
    "labels": Word(
        "array-like of shape (n_nodes,)",
        "Labels of the rows of an array `graph` or `descriptors`, including tasks "
        "without rows. None uses `tasks_`; if the array has more rows than that, the "
        "sorted ordered categories, or 0, 1, 2, ...",
    ),
    "max_iter": Word(
        "int",
        {
            "": "Largest number of iterations; None for 10,000.",
            "neural_network": "Largest number of iterations of L-BFGS, or of passes of "
            "Adam over the rows.",
            "MeanRegularizedHuberRegressor": "Largest number of steps; None for 300.",
            "MixedTaskModel": "Largest number of iterations; None for 100, or 10,000 "
            'for "features".',
            "_graph": NEWTON,
            "_mean": NEWTON,
            "_ridge": NEWTON,
        },
    ),
    "n_alphas": Word("int", "Number of strengths to choose from, if `alphas` is None."),
    "n_clusters": Word(
        "int",
        "Number of groups. With as many as there are tasks or features, tasks share "
        "nothing.",
    ),
    "n_neighbors": Word(
        "int", 'Smallest number of neighbours of a task, for ``graph="knn"``.'
    ),
    "one_standard_error": Word(
        "bool",
        "Whether to choose the largest strength with a score within one standard error "
        "of the best, for a simpler model.",
    ),
    "penalty": Word(
        {
            "LinearTaskRegressor": "Penalty",
            "_dirty": '{"l21", "linf"}',
            "_joint": '{"l21", "linf", "mcp", "scad"}',
            "_robust": '{"trace", "l21"}',
        },
        {
            "LinearTaskRegressor": "Penalty on the coefficients, or on two parts that "
            "add up to them; None for no penalty. Parts refer to tasks by position in "
            "`tasks_`, which is sorted; :class:`FusedRegressor` and "
            ":class:`GraphRegularizedRegressor` use labels.",
            "_dirty": "Norm of a shared feature's coefficients: Euclidean, or the "
            "largest absolute value.",
            "_joint": "Penalty on the coefficients of a feature: their Euclidean norm; "
            "their largest absolute value; or their Euclidean norm up to a limit, so "
            "that large ones are not shrunk. The last two are not convex: `fit` finds "
            "a stationary point.",
            "JointFeatureClassifier": "Penalty on the coefficients of a feature: their "
            "Euclidean norm; their largest absolute value, of contrasts between "
            "classes if there are more than two; or their Euclidean norm up to a "
            "limit, so that large ones are not shrunk. The last two are not convex: "
            "`fit` finds a stationary point.",
            "_robust": 'Penalty on the related part P: "trace" for few directions, '
            '"l21" for the same few features.',
        },
    ),
    "positive": Word("bool", "Whether coefficients must be 0 or more."),
    "scale_targets": Word(
        'bool or "auto"',
        {
            "": "Whether each task's target is divided by its standard deviation in "
            "the fit, so that tasks in different units can learn from each other; "
            'strengths then refer to the divided targets. "auto" divides if the '
            "deviations differ by more than a factor of three, beyond chance.",
            **dict.fromkeys(
                (
                    "JointFeatureRegressorCV",
                    "LowRankRegressorCV",
                    "MeanRegularizedRegressorCV",
                ),
                "Whether each task's target is divided by its standard deviation in "
                "the fit, so that tasks in different units can learn from each other;"
                ' strengths then refer to the divided targets. "auto" divides if the '
                "deviations differ by more than a factor of three, beyond chance, and"
                " if errors on held-out rows are then smaller.",
            ),
        },
    ),
    "scoring": Word(
        "str or callable",
        {
            "": "Score of held-out rows, of scikit-learn; larger is better. None for "
            "the negative mean squared error, to which all weights are applied; a "
            "scorer gets no weights.",
            "MeanRegularizedClassifierCV": "Score of held-out rows for "
            '``method="cv"``, of scikit-learn; larger is better. None for '
            '"neg_log_loss". All weights are applied to this and to "accuracy"; other '
            "scorers get no weights.",
            "MeanRegularizedPoissonRegressorCV": "Score of held-out rows for "
            '``method="cv"``, of scikit-learn; larger is better. None for '
            '"neg_mean_poisson_deviance" with all weights and exposures applied; '
            "scorers get no weights.",
            "MultiTaskRidgeCV": "Score of held-out rows, of scikit-learn; larger is "
            "better; needs `cv`. None for the negative mean squared error, to which "
            "all weights are applied; a scorer gets no weights.",
            "MeanRegularizedRegressorCV": 'Score of held-out rows for ``method="cv"``, '
            "of scikit-learn; larger is better. None for the negative mean squared "
            "error, to which all weights are applied; a scorer gets no weights.",
            "PathSearchCV": "Score of held-out rows, of scikit-learn; larger is "
            'better. None for the one above. To this and to "accuracy" and '
            '"neg_log_loss" of a classifier all weights are applied; other scorers get '
            "no weights.",
        },
    ),
    "squared": Word(
        "bool",
        {
            "": "Whether the trace norm is squared.",
            "LowRankRegressorCV": "Whether the trace norm is squared. Coefficients are "
            "then never all zero, and the largest strength is the one that halves the "
            "first step from zero.",
        },
    ),
    "task_column": Word(
        "str, int or list of them",
        {
            "": "Column of X with the task of each row, by name or position; a list of "
            "columns declares nested tasks.",
            **dict.fromkeys(
                GROUPED,
                "Column of X with the task of each row, by name or position; a list of "
                "columns declares several groupings, and a tuple in the list a "
                "combination of columns.",
            ),
        },
    ),
    "task_weight": Word(
        '{"balanced"} or mapping',
        "Factor of each task's loss: a mapping from every label to a number, or "
        '"balanced" to give every task the same total weight.',
    ),
    "tol": Word(
        "float",
        {
            "": "Tolerance: the solver stops when `optimality_` is at most this.",
            "neural_network": "Training stops when the loss (on the validation rows, "
            "with early stopping) has fallen by less than this in `n_iter_no_change` "
            "iterations.",
        },
    ),
    "warm_start": Word(
        "bool",
        "Whether `fit` starts from the previous solution if it had the same tasks.",
    ),
    "hidden_layer_sizes": Word(
        "int or array-like of shape (n_layers,)",
        "Number of units of each hidden layer before the heads. Empty for none: "
        "with linear heads, the model is then linear.",
    ),
    "head_hidden_layer_sizes": Word(
        "int or array-like of shape (n_layers,)",
        "Number of units of each hidden layer of a task's head, between the shared "
        "layers and its output.",
    ),
    "sharing": Word(
        {
            "neural_network": (
                '{"hard", "soft", "cross_stitch", "mmoe", "independent"}'
            ),
            "MixedTaskModel": ('{"centre", "features"}'),
        },
        {
            "neural_network": (
                'Which hidden layers tasks share: one trunk ("hard"); a tower per task'
                ' near the mean tower ("soft"); towers that mix their features after '
                'each layer ("cross_stitch"); experts that each task mixes with its '
                'own gate ("mmoe"); or none ("independent").'
            ),
            "MixedTaskModel": (
                "What tasks share. More than two classes have several raw predictions,"
                ' which no centre fits: they need "features".'
            ),
        },
    ),
    "loss": Word(
        '{"squared", "poisson"}',
        'Loss of a row: "poisson" for counts and rates, 0 or more.',
    ),
    "soft_penalty": Word(
        "float",
        "Strength of the penalty on differences between towers, 0 or more, for "
        '``sharing="soft"``.',
    ),
    "head_penalty": Word(
        "float",
        "Strength of the penalty on differences between the tasks' output weights, "
        "0 or more. If positive, all tasks must have equally many raw predictions.",
    ),
    "n_experts": Word(
        "int",
        'Number of experts, for ``sharing="mmoe"``.',
    ),
    "activation": Word(
        '{"relu", "tanh", "logistic", "identity"}',
        "Activation of the hidden units.",
    ),
    "task_encoding": Word(
        "bool",
        "Whether the task of a row is an input of the shared layers, one-hot encoded. "
        "It needs a label for each row.",
    ),
    "weighting": Word(
        '{"fixed", "uncertainty"}',
        'Factors of the tasks\' losses: "fixed" for `task_weight`; with "uncertainty" '
        "these are also divided by the variances of the tasks, which are learnt. Needs"
        " Adam.",
    ),
    "normalize_y": Word(
        "bool",
        "Whether each task's target is standardised in `fit`, so that tasks in "
        "different units have the same importance. Variances of tasks with few rows "
        "are shrunk towards the common one. For counts, the loss is divided by the "
        "deviance per row of the best constant.",
    ),
    "solver": Word(
        {
            "neural_network": ('{"auto", "lbfgs", "adam"}'),
            "LinearTaskRegressor": ("Solver"),
        },
        {
            "neural_network": (
                '"lbfgs" trains on all rows at once, "adam" on batches of rows. "auto"'
                ' is "lbfgs" for at most 10,000 rows and ``weighting="fixed"``.'
            ),
            "LinearTaskRegressor": ("Solver of the problem; None for ``Fista()``."),
        },
    ),
    "batch_size": Word(
        'int or "auto"',
        'Number of rows of a batch of Adam; "auto" for 200.',
    ),
    "learning_rate_init": Word(
        "float",
        "Size of Adam's steps, positive.",
    ),
    "n_iter_no_change": Word(
        "int",
        "Number of iterations in which the loss must fall by `tol`.",
    ),
    "early_stopping": Word(
        "bool",
        "Whether to stop when the loss on validation rows no longer falls, and to "
        "keep the parameters at which it was lowest. They are not refitted to all "
        "rows.",
    ),
    "validation_fraction": Word(
        "float",
        "Fraction of the rows of each task, or of a 2-d y, held out for early "
        "stopping.",
    ),
    "random_state": Word(
        "int, RandomState instance or None",
        "Seed of the initial weights, the batches and the validation rows. Pass an int"
        " for reproducible results.",
    ),
    "callback": Word(
        "callable",
        "Called after each iteration as ``callback(iteration, loss, "
        "validation_loss)``, where `validation_loss` is None without early "
        "stopping; training stops if it returns True. Losses are also logged to "
        '``logging.getLogger("skmtl")`` at level INFO.',
    ),
}

ATTRIBUTES = {
    "alpha_shared_": Word(
        "float",
        {
            "": "Chosen strength of the ridge penalty on the centre.",
            "MeanRegularizedRegressorCV": "Chosen strength of the ridge penalty on the "
            "centre; infinite if only intercepts are shared.",
            **dict.fromkeys(
                CENTRE_SEARCHES,
                "Chosen strength of the ridge on the centre; infinite for no centre.",
            ),
        },
    ),
    "alpha_intercept_": Word(
        {
            "": "float",
            **dict.fromkeys(MEAN_SEARCHES, "float or dict"),
        },
        {
            "": "Chosen strength of the penalty on differences between intercepts.",
            **dict.fromkeys(
                MEAN_SEARCHES,
                "Chosen strength of the penalty on differences between intercepts; 0 "
                'for "covariance", where it is part of `alpha_`. By grouping, if there '
                "are several.",
            ),
        },
    ),
    "alpha_structure_": Word(
        '{"one", "per_feature", "covariance", "given"}',
        'Chosen structure; "given" for relative strengths. Not with several groupings.',
    ),
    "coef_covariance_": Word(
        "ndarray of shape (n_features + 1, n_features + 1)",
        "Covariance of the tasks' coefficients and, in the last row and column, of "
        "their intercepts, around those of the centre. Not with several groupings.",
    ),
    "tau2_": Word(
        "float, ndarray of shape (n_features,) or dict",
        {
            "": "Variance of the tasks' coefficients around the centre, ``1 / "
            "alpha_``; the diagonal of `coef_covariance_`.",
            "MeanRegularizedRegressorCV": "Variance of the tasks' coefficients around "
            "the centre, ``sigma2_ / alpha_``; the diagonal of `coef_covariance_`.",
        },
    ),
    "tau2_intercept_": Word(
        "float or dict", "Variance of the tasks' intercepts around the centre's."
    ),
    "adjacency_": Word(
        "CSR matrix of shape (n_nodes, n_nodes)",
        "Weights of the edges, in the order of `nodes_`.",
    ),
    "alpha_": Word(
        {
            "": "float",
            **dict.fromkeys(MEAN_SEARCHES, "float, ndarray, matrix or dict"),
            "MultiTaskRidgeCV": "float or ndarray of shape (n_tasks,)",
        },
        {
            "": "Chosen strength.",
            **{
                name: "Chosen strength of the penalty on differences from the centre, "
                "infinite if tasks do not differ; one, or one per feature. For "
                f'"covariance" the precision matrix ``{variance}inv('
                "coef_covariance_)``, of shape (n_features + 1, n_features + 1). By "
                "grouping, if there are several."
                for name, variance in zip(MEAN_SEARCHES, VARIANCES, strict=True)
            },
            "MultiTaskRidgeCV": "Chosen strengths, one per task; a float unless "
            "`alpha_per_task` and tasks were declared.",
        },
    ),
    "best_index_": Word(
        {"": "int", "MultiTaskRidgeCV": "int or ndarray of shape (n_tasks,)"},
        {
            "": "Position of `alpha_` in `cv_results_`.",
            **dict.fromkeys(
                MEAN_SEARCHES, "Position of the chosen strengths in `cv_results_`."
            ),
        },
    ),
    "best_score_": Word(
        {"": "float", "MultiTaskRidgeCV": "float or ndarray of shape (n_tasks,)"},
        {
            "": "Mean score at `alpha_`.",
            "_mean": "Score at the chosen strengths.",
            "MultiTaskRidgeCV": "Score on held-out rows at `alpha_`.",
        },
    ),
    "classes_": Word(
        {
            "": "ndarray of shape (n_classes,), or list of them",
            "MixedTaskModel": "dict of ndarray of shape (n_classes,)",
            "MultiTaskMLP": "dict of ndarray of shape (n_classes,)",
        },
        {
            "": "Sorted classes of all tasks; with a 2-d y an array per task.",
            "MixedTaskModel": "Sorted classes of each task that has classes, by label.",
            "MultiTaskMLP": "Sorted classes of each task that has classes, by label.",
            "PathSearchCV": "Sorted classes, if the model is a classifier; with a 2-d "
            "y an array per task.",
        },
    ),
    "coef_": Word(
        {
            "": COEF,
            "classes": OF_CLASSES,
            "two classes": "ndarray of shape (n_tasks, n_features) or (1, n_features)",
            "MixedTaskModel": "dict of ndarray of shape (n_features,) or (n_classes, "
            "n_features)",
        },
        {
            "": "Coefficients; 1-d for a single task that was not declared.",
            "classes": "Coefficients; those of more than two classes sum to zero. For "
            "a single task that was not declared (1, n_features) or (n_classes, "
            "n_features).",
            "two classes": "Coefficients; the second shape is that of a single task "
            "that was not declared.",
            "MixedTaskModel": "Coefficients of raw predictions by label, in the units "
            "of the task: of the target, of the log-odds of the second class, or of "
            "the log of the mean. Those of more than two classes sum to zero.",
        },
    ),
    "groupings_": Word(
        "dict of ndarray of shape (n_labels,)",
        "Labels of each grouping, by its name in `task_column`; only if there are "
        "several.",
    ),
    "coef_groupings_": Word(
        {
            "": "dict of ndarray of shape (n_labels, n_features)",
            "classes": "dict of ndarray of shape (n_labels, [n_classes, ]n_features)",
        },
        "Own coefficients of the labels of each grouping: what they add to "
        "`coef_shared_`.",
    ),
    "intercept_groupings_": Word(
        {
            "": "dict of ndarray of shape (n_labels,)",
            "classes": "dict of ndarray of shape (n_labels,) or (n_labels, n_classes)",
        },
        "Own intercepts of the labels of each grouping.",
    ),
    "coef_groups_": Word(
        {
            "": "ndarray of shape (n_groups, n_features)",
            "classes": "ndarray of shape (n_groups[, n_classes], n_features)",
        },
        "Coefficients of the groups.",
    ),
    "coef_nodes_": Word(
        {
            "": "ndarray of shape (n_nodes, n_features)",
            "classes": "ndarray of shape (n_nodes[, n_classes], n_features)",
        },
        "Coefficients of the nodes.",
    ),
    "coef_outlier_": Word(
        COEF, "The outlier tasks' own part Q; a row of zeros for all others."
    ),
    "coef_shared_": Word(
        {
            "": "ndarray of shape (n_features,)",
            "classes": "ndarray of shape (n_features,) or (n_classes, n_features)",
        },
        {
            "": f"{CENTRE_OR_FIT}, with strengths implied by the penalty. Zero where "
            "all tasks have zero.",
            "_dirty": f"{CENTRE_OR_FIT} with the exceptions as offset, with strengths "
            "implied by the penalty.",
            "_graph": "Coefficients for tasks that are not nodes: the centre if "
            "there is one, the mean over the root groups, or a ridge fit to all rows, "
            "with strengths implied by the penalty.",
            "_mean": "Coefficients of the centre; where `alpha` is 0, the best fit to "
            "all rows.",
            **dict.fromkeys(MEAN_SEARCHES, "Coefficients of the centre."),
            "MixedTaskModel": "Coefficients of the centre, in no units: times `unit_` "
            'they are those of a task. For "centre" only.',
            "_ridge": f"{RIDGE_FIT}, with the mean of the tasks' strengths.",
            "_robust": f"{CENTRE_OR_FIT} with the outliers' own part as offset, with "
            "strengths implied by the penalty.",
        },
    ),
    "coef_specific_": Word(
        COEF, "Exceptions of the tasks, Q; shared features have the rest of `coef_`."
    ),
    "cv_results_": Word(
        "dict of ndarray",
        {
            "": 'Decreasing strengths, "alpha", with "mean_test_score", '
            '"std_test_score" and the scores of each fold, "split0_test_score" and so '
            "on; errors are negative.",
            **dict.fromkeys(
                LOSS_SEARCHES,
                'The candidates, "alpha", "alpha_shared" and "alpha_intercept", with '
                '"alpha_structure" and "mean_test_score" (larger is better), '
                '"std_test_score", "split0_test_score" and so on; with '
                '``method="laplace"``, "log_likelihood" instead of scores. Where '
                'features have different strengths, "alpha" is their geometric mean, '
                'and "alpha_share" the exponent of their ratios, or the share of the '
                "covariances that was kept.",
            ),
            "MeanRegularizedRegressorCV": 'The candidates, "alpha", "alpha_shared" '
            'and "alpha_intercept", with "alpha_structure" and "mean_test_score" '
            '(larger is better), NaN for candidates that "loo" did not evaluate. Where '
            'features have different strengths, "alpha" is their geometric mean, and '
            '"alpha_share" the exponent of their ratios, or the share of the '
            'covariances that was kept. With ``method="cv"`` also "std_test_score", '
            '"split0_test_score" and so on; with "reml", "log_likelihood" instead of '
            'scores, and no "alpha_share".',
            "MultiTaskRidgeCV": 'Candidate strengths, "alpha", and "mean_test_score", '
            "by default the negative squared error: (n_alphas,) or, with a strength "
            "per task, (n_alphas, n_tasks).",
        },
    ),
    "dual_gap_": Word(
        "float",
        "Duality gap, a bound on the distance of `objective_` from the optimum; only "
        "if the penalty has a dual norm.",
    ),
    "feature_covariance_": Word(
        "ndarray of shape (n_features, n_features)",
        "Covariance of the features, of trace 1; only if `squared`.",
    ),
    "feature_names_in_": Word(
        "ndarray of shape (n_features_in_,)",
        "Names of the columns of X, if they are all strings.",
    ),
    "groups_": Word(
        "ndarray of shape (n_groups,)",
        "Labels of the groups, empty if `graph` has none.",
    ),
    "intercept_": Word(
        {
            "": "ndarray of shape (n_tasks,) or float",
            "classes": "ndarray of shape (n_tasks,) or (n_tasks, n_classes)",
            "two classes": "ndarray of shape (n_tasks,) or (1,)",
            "MixedTaskModel": "dict of float or ndarray of shape (n_classes,)",
        },
        {
            "": "Intercepts.",
            "classes": "Intercepts; for a single task that was not declared (1,) or "
            "(n_classes,).",
            "MixedTaskModel": "Intercepts by label.",
        },
    ),
    "intercept_nodes_": Word(
        {
            "": "ndarray of shape (n_nodes,)",
            "classes": "ndarray of shape (n_nodes,) or (n_nodes, n_classes)",
        },
        "Intercepts of the nodes. The graph does not penalise them; a node without "
        "rows gets its neighbour's intercept, or its neighbours' mean.",
    ),
    "intercept_shared_": Word(
        {"": "float", "classes": "float or ndarray of shape (n_classes,)"},
        {
            "": "Intercept for unseen tasks, to go with `coef_shared_`.",
            "_mean": "Intercept for unseen tasks: that of the centre or, if "
            "`alpha_intercept` is 0 or `alpha_shared` is above 0, the one that fits "
            "all rows at `coef_shared_`.",
            **dict.fromkeys(
                MEAN_SEARCHES,
                "Intercept for unseen tasks: the one that fits all rows at "
                "`coef_shared_`.",
            ),
        },
    ),
    "moments_": Word(
        "TaskMoments",
        {
            "": "Moments of all rows so far, to which `partial_fit` adds; kept unless "
            "tasks have far fewer rows than features, or X is large and sparse.",
            "GraphRegularizedRegressor": "Moments of all rows so far, to which "
            "`partial_fit` adds; kept unless matrices of all features would take far "
            "more memory than X.",
            "MeanRegularizedRegressorCV": "Moments of all rows; kept unless matrices "
            "of all features would take far more memory than X.",
        },
    ),
    "n_features_in_": Word(
        "int", "Number of columns of X in `fit`, with the task column."
    ),
    "n_iter_": Word(
        "int",
        {
            "": "Number of iterations; 0 for an exact solution.",
            "neural_network": "Number of iterations.",
        },
    ),
    "n_tasks_": Word("int", "Number of tasks."),
    "nodes_": Word(
        "ndarray of shape (n_nodes,), dtype object",
        {
            "_fused": "Labels of the tasks with rows, then of those without.",
            "_graph": "Labels of the tasks with rows, then of those without, then of "
            "the groups.",
        },
    ),
    "objective_": Word("float", "Value of the objective."),
    "optimality_": Word(
        "float",
        {
            "": f"{GAP}; for penalties without a dual norm, the norm of the proximal "
            "gradient, relative to the one at zero.",
            "MixedTaskModel": "Relative distance from the optimum: for "
            '"centre" the square root of the predicted decrease of the next step, '
            'for "features" the norm of the gradient.',
            "_clustered": "Norm of the proximal gradient, relative to the one at zero.",
            "_dirty": f"{GAP}.",
            "_fused": "Norm of the proximal gradient, relative to the one at zero.",
            "_graph": STEP,
            "_mean": STEP,
            "_ridge": STEP,
            "_robust": f"{GAP}.",
            **dict.fromkeys(
                (
                    "GraphRegularizedRegressor",
                    "MeanRegularizedRegressor",
                    "MeanRegularizedRegressorCV",
                    "MultiTaskRidge",
                    "MultiTaskRidgeCV",
                ),
                GRADIENT,
            ),
        },
    ),
    "order_": Word(
        "ndarray of shape (n_nodes,) or None",
        "Labels along the chain; None for other graphs.",
    ),
    "outlier_tasks_": Word(
        "ndarray of shape (n_outlier_tasks,)", "Labels of the outlier tasks."
    ),
    "rank_": Word("int", "Number of directions that the coefficients span."),
    "segments_": Word(
        "ndarray of shape (n_tasks, n_features)",
        "Number of the segment of each coefficient, from 0 along the chain: neighbours "
        "in one segment have the same coefficient.",
    ),
    "support_": Word(
        {
            "": "ndarray of shape (n_selected,)",
            "_dirty": "ndarray of shape (n_shared,)",
        },
        {
            "": "Indices of the features with a coefficient that is not zero.",
            "_dirty": "Indices of the features that tasks share.",
            "MixedTaskModel": "Indices of the features with a coefficient that is not "
            'zero. For "features" only.',
        },
    ),
    "target_scale_": Word(
        "ndarray of shape (n_tasks,)",
        "Scales by which the targets were divided, ones if they were not; all "
        "attributes for predictions are in the units of y.",
    ),
    "target_centre_": Word(
        "float",
        "Number that was subtracted from all targets before they were divided.",
    ),
    "target_scale_shared_": Word(
        "float",
        "Scale of `coef_shared_` and `intercept_shared_`, that of a typical task.",
    ),
    "task_affinity_": Word(
        "ndarray of shape (n_tasks, n_tasks)",
        "The affinity M: near ``1 / size`` between tasks of one group, near zero "
        "between groups.",
    ),
    "task_classes_": Word(
        "ndarray of shape (n_tasks, n_classes), dtype bool",
        "Whether each task had rows of each class.",
    ),
    "task_covariance_": Word(
        "ndarray of shape (n_tasks, n_tasks)",
        {
            "": "Covariance of the tasks, of trace 1; only if `squared`.",
            "classes": "Covariance of the tasks, of trace 1, summed over classes if "
            "there are more than two; only if `squared`.",
        },
    ),
    "task_labels_": Word(
        "ndarray of shape (n_tasks,)",
        "Group of each task, from 0 in the order of `tasks_`: Ward clusters of the "
        "leading eigenvectors of the affinity.",
    ),
    "tasks_": Word(
        "ndarray of shape (n_tasks,)",
        "Labels of the tasks: sorted, or the columns of y in their order.",
    ),
    "cross_stitch_": Word(
        "ndarray of shape (n_layers, n_tasks, n_tasks)",
        "Weights with which a task, in rows, mixes the features of all towers after "
        'each hidden layer; only for ``sharing="cross_stitch"``.',
    ),
    "parameters_": Word(
        "dict of ndarray",
        {
            "": "Weights and biases by name, weights of shape (n_copies, n_outputs, "
            'n_inputs): "trunk_weight_0", "head_weight" and so on. Heads are in the '
            "order of `tasks_`.",
            "MultiTaskMLP": "Weights and biases by name, weights of shape (n_copies, "
            'n_outputs, n_inputs): "trunk_weight_0", "head_weight" and so on. Tasks '
            "with the same loss are adjacent in the heads.",
        },
    ),
    "task_log_variances_": Word(
        "ndarray of shape (n_tasks,)",
        "Learnt logarithms of the variances of the tasks; only for "
        '``weighting="uncertainty"``.',
    ),
    "loss_": Word(
        "float",
        "Value of the objective after the last iteration; for Adam, its mean over "
        "the last pass.",
    ),
    "loss_curve_": Word(
        "list of float",
        "Value of the objective after each iteration.",
    ),
    "validation_loss_curve_": Word(
        "list of float",
        "Mean loss on the validation rows after each iteration; only with "
        "`early_stopping`.",
    ),
    "solver_": Word(
        '{"lbfgs", "adam"}',
        "Solver that `fit` used.",
    ),
}
WORDS = PARAMETERS | ATTRIBUTES


def word(estimator, name):
    """Return the type and the text of a parameter or attribute of a class."""
    found = [_holding(each, estimator) for each in (WORDS[name].type, WORDS[name].text)]
    if None in found:
        raise LookupError(
            f"Add {name!r} of {estimator.__name__} to tests/vocabulary.py, with its "
            "type and text."
        )
    return tuple(found)


def lines(estimator, name):
    """Return the entry of a name in a docstring, to paste."""
    kind, text = word(estimator, name)
    kind += _default(estimator, name)
    body = text.splitlines() if "\n" in text else textwrap.wrap(text, 80, **_WRAP)
    return "\n".join([f"{name} : {kind}", *(f"    {line}".rstrip() for line in body)])


_WRAP = {"break_long_words": False, "break_on_hyphens": False}


def _holding(by_place, estimator):
    """Return what holds for a class: its own, that of its module or kind, the rule."""
    if isinstance(by_place, str):
        return by_place
    module = estimator.__module__.rpartition(".")[2]
    room = estimator.__module__.split(".")[1]
    places = [estimator.__name__, room, _kind(estimator)]
    places += [place for place in by_place if place and module.startswith(place)]
    return next((by_place[each] for each in [*places, ""] if each in by_place), None)


def _kind(estimator):
    if not issubclass(estimator, ClassifierMixin):
        return "numbers"
    return "two classes" if estimator._takes_two_classes else "classes"


def _default(estimator, name):
    parameter = inspect.signature(estimator).parameters.get(name)
    if parameter is None or parameter.default is parameter.empty:
        return ""
    value = parameter.default
    shown = f'"{value}"' if isinstance(value, str) else repr(value).replace("e-0", "e-")
    return f", default={shown}"
