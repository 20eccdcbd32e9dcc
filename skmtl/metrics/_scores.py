"""How well each task is predicted, and averages over tasks."""

from dataclasses import dataclass

import numpy as np

from ._table import abridge, draw_html, draw_text


@dataclass(frozen=True, repr=False, eq=False)
class TaskScores:
    """Hold how well each task is predicted.

    Of task ``t`` with rows ``i``, weights ``v_i`` and ``mean`` the weighted mean over
    these rows alone:

    - ``n``: number of rows, those of weight 0 left out;
    - ``mse``: ``mean((y - z)^2)`` for predictions ``z``; ``rmse``: its root;
    - ``mae``: ``mean(|y - z|)``;
    - ``nmse``: ``mse / mean((y - mean(y))^2)``, the error as a part of the task's own
      variance;
    - ``r2``: ``1 - nmse``, the variance explained around the task's own mean, as
      :func:`sklearn.metrics.r2_score` has it;
    - ``correlation``: Pearson's, between ``y`` and ``z``.

    A task of one row, or of one value, has no variance to explain: its ``nmse``, ``r2``
    and ``correlation`` are NaN. So is the correlation where all predictions are equal.
    Averages skip NaN; `covered` says how many tasks they are over.

    For counts ``y`` and their means ``z`` there are also

    - ``poisson_deviance``: ``D(z) = 2 mean(y log(y / z) - y + z)``;
    - ``d2_poisson``: ``1 - D(z) / D(mean(y))``, NaN for a task of one value.

    For classes, ``p_k`` being the probability of class ``k``, over the classes of all
    tasks:

    - ``log_loss``: ``-mean(log p_y)``, with ``p_y`` no nearer to 0 and 1 than the
      machine precision;
    - ``auc``: area under the ROC curve, with more than two classes that of each class
      of the task against the rest, averaged over these; NaN for a task of one class;
    - ``accuracy``: ``mean(y == z)``;
    - ``balanced_accuracy``: the accuracy on the rows of each class of the task,
      averaged over these;
    - ``brier``: ``mean(sum_k ((y == k) - p_k)^2)``, half of it with two classes.

    Parameters
    ----------
    tasks : ndarray of shape (n_tasks,)
        Labels of the tasks.
    columns : dict of str to ndarray of shape (n_tasks,)
        The columns above, by name.
    weights : ndarray of shape (n_tasks,)
        Total weight of the rows of each task; its number of rows if none were given.
    pooled : dict of str to float
        The same measures over all rows together, as if they were one task.
    signs : dict of str to int
        1 for each measure of which greater is better, -1 where smaller is.

    See Also
    --------
    task_scores : Computes them for an estimator.
    score_predictions : Computes them for predictions.
    score_probabilities : Computes them for probabilities of classes.
    score_counts : Computes them for means of counts.

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

    tasks: np.ndarray
    columns: dict
    weights: np.ndarray
    pooled: dict
    signs: dict

    @property
    def macro(self):
        """Mean over tasks of each metric, every task counting the same."""
        return self._average("macro")

    @property
    def weighted(self):
        """Mean over tasks of each metric, a task counting by the weight of its rows."""
        return self._average("weighted")

    @property
    def worst(self):
        """Value of each metric at the task where it is worst."""
        return self._average("worst")

    @property
    def covered(self):
        """Number of tasks that have each metric, which the averages are over."""
        return {name: int((~np.isnan(self.columns[name])).sum()) for name in self.signs}

    @property
    def explained_variance(self):
        """Share of the total variance explained, over all rows together.

        ``1 - sum_i v_i (y_i - z_i)^2 / sum_i v_i (y_i - mean(y))^2``, with one mean
        over the rows of all tasks. This is what the papers on the School data call
        explained variance. It counts differences between the tasks' means as variance
        to be explained, so it is not an average of the tasks' ``r2``, and usually
        higher. The same number as ``pooled["r2"]``; classes have none.
        """
        if "r2" not in self.pooled:
            raise AttributeError(
                "explained_variance needs predicted numbers. Got scores of classes; "
                "choose among their averages."
            )
        return self.pooled["r2"]

    def to_frame(self):
        """Return a pandas DataFrame, one row per task.

        Returns
        -------
        frame : DataFrame of shape (n_tasks, n_columns)
            The columns, with the labels as index named ``task``.
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

    def __repr__(self):
        return draw_text(self._title(), ("n", *self.signs), self._lines())

    def _repr_html_(self):
        return draw_html(self._title(), ("n", *self.signs), self._lines())


def tabulate(measure, signs, tasks, rows, *values):
    """Measure the rows of each task, and all rows as if they were one task."""
    columns = {"n": rows.counts, **measure(rows, *values)}
    whole = rows.join()
    pooled = {"n": whole.counts, **measure(whole, *values)}
    pooled = {name: column.item() for name, column in pooled.items()}
    return TaskScores(np.asarray(tasks), columns, rows.weights, pooled, signs)


def average_tasks(values, weights, average):
    """Average over tasks the values that are not NaN, of which greater is better."""
    known = ~np.isnan(values)
    if not known.any():
        return np.nan
    if average == "worst":
        return float(values[known].min())
    counting = weights[known] if average == "weighted" else None
    return float(np.average(values[known], weights=counting))
