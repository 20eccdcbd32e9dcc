"""Pose rows, a loss and a relation as a problem.

There are four kinds of problems, by the loss and by the relation:

================  =============================  ================================
loss              coupling                       penalty
================  =============================  ================================
squared           exact, from moments or rows    proximal, from moments or rows
any other         Newton's method                proximal, intercepts eliminated
================  =============================  ================================

Couplings of several groupings have problems of their own, exact ones and Newton's.
"""

from typing import Any

from skmtl._contracts import Array, Loss, Relation
from skmtl.data import TaskMoments

from ._exact_problems import MomentsProblem, pose_exact
from ._fit import Problem
from ._grouped_problems import pose_grouped, pose_grouped_losses
from ._newton_problems import pose_newton, pose_newton_per_task
from ._penalty_problems import (
    pose_any_loss,
    pose_penalty_per_task,
    pose_squares,
    pose_squares_of_moments,
)

# By whether the loss is quadratic, and whether the relation is a coupling.
_POSE = {
    (True, True): pose_exact,
    (False, True): pose_newton,
    (True, False): pose_squares,
    (False, False): pose_any_loss,
}
# By whether the relation is a coupling.
_POSE_MOMENTS = {True: MomentsProblem, False: pose_squares_of_moments}
_POSE_PER_TASK = {True: pose_newton_per_task, False: pose_penalty_per_task}


def pose(
    rows: Any,
    loss: Loss,
    relation: Relation,
    fit_intercept: bool = True,
    targets: Any = None,
) -> Problem:
    """Pose the problem of rows.

    Parameters
    ----------
    rows : TaskData
        Rows of the tasks.
    loss : Loss
        Loss of a row.
    relation : Relation
        What the tasks share.
    fit_intercept : bool, default=True
        Whether tasks have an intercept.
    targets : ClassTargets, default=None
        Converts the targets of rows to those of the loss; None leaves them.

    Returns
    -------
    Problem
        The problem.
    """
    if relation.groupings:
        pose_group = pose_grouped if loss.is_quadratic else pose_grouped_losses
        return pose_group(rows, loss, relation, fit_intercept, targets)
    pose_kind = _POSE[loss.is_quadratic, relation.is_coupling]
    return pose_kind(rows, loss, relation, fit_intercept, targets)


def pose_moments(
    moments: TaskMoments,
    factor: Array | None,
    relation: Relation,
    fit_intercept: bool = True,
) -> Problem:
    """Pose the squared losses of moments.

    Parameters
    ----------
    moments : TaskMoments
        Moments of the tasks.
    factor : ndarray of shape (n_tasks,) or None
        Factor of each task's loss.
    relation : Relation
        What the tasks share.
    fit_intercept : bool, default=True
        Whether tasks have an intercept.

    Returns
    -------
    Problem
        The problem.
    """
    pose_kind: Any = _POSE_MOMENTS[relation.is_coupling]
    return pose_kind(moments, factor, relation, fit_intercept)


def pose_per_task(rows: Any, parts: Any, relation: Relation) -> Problem:
    """Pose losses that differ between tasks.

    Parameters
    ----------
    rows : TaskRows
        Rows of the tasks.
    parts : tuple of TasksOfOneLoss
        Tasks of each loss.
    relation : Relation
        What the tasks share.

    Returns
    -------
    Problem
        The problem.
    """
    return _POSE_PER_TASK[relation.is_coupling](rows, parts, relation)
