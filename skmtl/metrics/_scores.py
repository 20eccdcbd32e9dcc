"""Table of scores of each task, and averages over tasks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._rows import Rows
from ._table import abridge, draw_html, draw_text


@dataclass(frozen=True, repr=False, eq=False)
class TaskScores:
    """Table of scores of each task.

    For targets ``y`` and predictions ``z`` of a task, where ``mean`` is the weighted
    mean over the rows of that task:

    - ``n``: number of rows, without those of weight 0;
    - ``mse``: ``mean((y - z)^2)``, and ``rmse``: its square root;
    - ``mae``: ``mean(|y - z|)``;
    - ``nmse``: ``mse / mean((y - mean(y))^2)``, the error as a share of the variance of
      the task;
    - ``r2``: ``1 - nmse``, the share of variance explained, as in
      :func:`sklearn.metrics.r2_score`;
    - ``correlation``: Pearson's, between ``y`` and ``z``.

    A task with one row, or with equal targets, has no variance to explain: its
    ``nmse``, ``r2`` and ``correlation`` are NaN. The correlation is also NaN if all
    predictions are equal. Averages skip NaN; `covered` is the number of tasks averaged.

    For counts ``y`` and predicted means ``z`` also:

    - ``poisson_deviance``: ``D(z) = 2 mean(y log(y / z) - y + z)``;
    - ``d2_poisson``: ``1 - D(z) / D(mean(y))``, NaN for a task with equal counts.

    For classes ``y``, predicted classes ``z`` and probabilities ``p_k`` of class ``k``,
    which may be a class of another task:

    - ``log_loss``: ``-mean(log p_y)``, with ``p_y`` clipped to the machine precision;
    - ``auc``: area under the ROC curve; with more than two classes, the mean of the
      areas of each class of the task against the rest; NaN for a task with one class;
    - ``accuracy``: ``mean(y == z)``;
    - ``balanced_accuracy``: mean of the accuracies on the rows of each class of the
      task;
    - ``brier``: ``mean(sum_k ((y == k) - p_k)^2)``, half of it with two classes.

    Parameters
    ----------
    tasks : ndarray of shape (n_tasks,)
        Labels of the tasks.
    columns : dict of str to ndarray of shape (n_tasks,)
        ``n`` and the scores above, by name.
    weights : ndarray of shape (n_tasks,)
        Total weight of the rows of each task; without weights, its number of rows.
    pooled : dict of str to float
        The same scores of all rows together, as of one task.
    signs : dict of str to int
        1 for a score that is better if greater, -1 for one that is better if smaller.

    See Also
    --------
    task_scores : Computes the scores of an estimator.
    score_predictions : Computes the scores of predicted numbers.
    score_probabilities : Computes the scores of class probabilities.
    score_counts : Computes the scores of predicted means of counts.

    Examples
    --------
    >>> from skmtl.metrics import score_predictions
    >>> scores = score_predictions(
    ...     [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.5, 3.5], [0, 0, 1, 1], ["a", "b"]
    ... )
    >>> scores.columns["mse"]
    array([0.  , 0.25])
    >>> scores.macro["r2"], scores.worst["r2"]
    (0.5, 0.0)
    >>> scores
    TaskScores: 2 tasks, 4 rows
              n    mse    rmse   mae   r2  correlation  nmse
    a         2      0       0     0    1            1     0
    b         2   0.25     0.5   0.5    0          nan     1
    macro        0.125    0.25  0.25  0.5            1   0.5
    weighted     0.125    0.25  0.25  0.5            1   0.5
    worst         0.25     0.5   0.5    0            1     1
    pooled    4  0.125  0.3536  0.25  0.9       0.9487   0.1
    covered          2       2     2    2            1     2
    """

    tasks: NDArray[Any]
    columns: dict[str, NDArray[Any]]
    weights: NDArray[Any]
    pooled: dict[str, float]
    signs: dict[str, int]

    @property
    def macro(self) -> dict[str, float]:
        """Mean of each score over tasks, all with the same weight."""
        return self._average("macro")

    @property
    def weighted(self) -> dict[str, float]:
        """Mean of each score over tasks, weighted by the weights of their rows."""
        return self._average("weighted")

    @property
    def worst(self) -> dict[str, float]:
        """Worst value of each score over tasks."""
        return self._average("worst")

    @property
    def covered(self) -> dict[str, int]:
        """Number of tasks that have each score, over which averages are taken."""
        return {name: int((~np.isnan(self.columns[name])).sum()) for name in self.signs}

    @property
    def explained_variance(self) -> float:
        """Share of the variance explained, over the rows of all tasks together.

        ``1 - sum_i v_i (y_i - z_i)^2 / sum_i v_i (y_i - mean(y))^2``, where ``v_i`` are
        the weights of rows and the mean is over the rows of all tasks. Papers on the
        School data call this explained variance. It includes the variance between the
        means of tasks, so it is usually higher than an average of the tasks' ``r2``. It
        equals ``pooled["r2"]``, and does not exist for classes.
        """
        if "r2" not in self.pooled:
            raise AttributeError(
                "explained_variance needs scores of numbers. Got scores of classes; "
                "use an average such as macro."
            )
        return self.pooled["r2"]

    def to_frame(self) -> Any:
        """Return the scores as a pandas DataFrame, one row per task.

        Returns
        -------
        frame : DataFrame of shape (n_tasks, n_columns)
            The columns; the index ``task`` holds the labels.
        """
        import pandas as pd

        return pd.DataFrame(self.columns, index=pd.Index(self.tasks, name="task"))

    def _average(self, average):
        return {
            name: sign * average_tasks(sign * self.columns[name], self.weights, average)
            for name, sign in self.signs.items()
        }

    def _title(self):
        return f"TaskScores: {len(self.tasks)} tasks, {self.pooled['n']} rows"

    def _lines(self):
        lines = [self._line(t) for t in abridge(len(self.tasks))]
        names = ("macro", "weighted", "worst", "pooled", "covered")
        return lines + [(name, getattr(self, name)) for name in names]

    def _line(self, t):
        if t is None:
            return "...", {}
        return str(self.tasks[t]), {k: v[t].item() for k, v in self.columns.items()}

    def __repr__(self) -> str:
        return draw_text(self._title(), ("n", *self.signs), self._lines())

    def _repr_html_(self) -> str:
        return draw_html(self._title(), ("n", *self.signs), self._lines())


def tabulate(
    measure: Callable[..., Mapping[str, NDArray[Any]]],
    signs: dict[str, int],
    tasks: ArrayLike,
    rows: Rows,
    *values: Any,
) -> TaskScores:
    """Compute the scores of each task, and those of all rows as one task."""
    columns = {"n": rows.counts, **measure(rows, *values)}
    one_task = rows.join()
    pooled = {"n": one_task.counts, **measure(one_task, *values)}
    numbers = {name: column.item() for name, column in pooled.items()}
    return TaskScores(np.asarray(tasks), columns, rows.weights, numbers, signs)


def average_tasks(values: NDArray[Any], weights: NDArray[Any], average: str) -> float:
    """Average the scores of tasks (greater is better), without those that are NaN."""
    known = ~np.isnan(values)
    if not known.any():
        return np.nan
    if average == "worst":
        return float(values[known].min())
    used = weights[known] if average == "weighted" else None
    return float(np.average(values[known], weights=used))
