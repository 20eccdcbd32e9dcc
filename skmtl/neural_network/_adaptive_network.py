"""Networks with one trunk that take new tasks after `fit`."""

from dataclasses import replace
from typing import Any, Self

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skmtl._compat import fit_context
from skmtl._contracts import Array, Loss
from skmtl._linalg import calculation
from skmtl.solvers import Adam
from skmtl.targets import Sample

from ._adapt import (
    HeadPrior,
    HeadRows,
    encode_numbers,
    estimate_strength,
    insert_head,
    insert_task,
    solve_head,
)
from ._batches import AllTasks
from ._design import Observations
from ._network import Network
from ._network_model import NetworkModel


def _takes_new_tasks(self: Any) -> bool:
    """Raise an error if tasks differ by more than a linear head."""
    if self.sharing != "hard":
        raise AttributeError(
            "adapt needs sharing='hard', where tasks differ by their heads only, got "
            f"{self.sharing!r}. Fit all tasks together."
        )
    if np.size(self.head_hidden_layer_sizes):
        raise AttributeError(
            "adapt needs heads without hidden layers, got head_hidden_layer_sizes="
            f"{self.head_hidden_layer_sizes!r}. Use head_hidden_layer_sizes=()."
        )
    return True


class AdaptiveNetwork(NetworkModel):
    """Networks that take new tasks, if they have one trunk and one kind of targets."""

    @available_if(_takes_new_tasks)
    @fit_context(prefer_skip_nested_validation=True)
    def adapt(
        self, X: Any, y: Any, sample_weight: Any = None, task: Any = None
    ) -> Self:
        """Add one new task from few rows, with a head near the mean of the heads.

        The trunk does not change, so the predictions of the other tasks do not either.
        The new head minimises ``sum_i weight_i loss(y_i, v . f(x_i) + b) + strength / 2
        ||v - v_mean||^2`` over ``v`` and ``b``, where ``v_mean`` is the mean of the
        heads. Unseen tasks get the mean of all tasks' predictions, which then includes
        the new task.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features of the new task, as in `fit`.
        y : array-like of shape (n_samples,)
            Target; classes must be among those of `fit`.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each row.
        task : int or str, default=None
            Label of the new task, unless X has a task column.

        Returns
        -------
        self : object
            The model with one more task.

        Notes
        -----
        It needs ``sharing="hard"`` and heads without hidden layers.
        The strength is `head_penalty`. If that is 0, it is estimated as the variance of
        the residuals, twice `loss_`, divided by the variance of the heads' weights
        around their mean. It is at most `alpha`, since the ridge of the fit shrinks the
        heads. For classes and counts, 1 replaces the variance of the residuals.

        The new task has the mean unit of the tasks and, with `task_encoding`, their
        mean encoding. If its rows lack a class, or all its counts are 0, one pseudo-row
        of weight 1 with the prediction for an unseen task is added.

        Examples
        --------
        >>> import numpy as np
        >>> from skmtl.neural_network import MultiTaskMLPRegressor
        >>> rng = np.random.default_rng(0)
        >>> X, school = rng.normal(size=(300, 2)), rng.integers(10, size=300)
        >>> y = np.sin(2 * X[:, 0]) + school * np.cos(X[:, 1])
        >>> model = MultiTaskMLPRegressor(activation="tanh", random_state=0)
        >>> model = model.fit(X, y, task=school)
        >>> new_y = np.sin(2 * X[:9, 0]) + 12 * np.cos(X[:9, 1])
        >>> model.predict([[0.0, 0.0]], task=12).round(1)
        array([4.5])
        >>> model.adapt(X[:9], new_y, task=12).predict([[0.0, 0.0]], task=12).round(1)
        array([11.5])
        """
        check_is_fitted(self)
        target = self._target_of_later_batch()
        sample = self._read_new_task(target, X, y, sample_weight, task)
        with calculation(sample.rows.X.shape[1]):
            learnt = self._learn_task(sample)
        kept = {name: vars(self)[name] for name in self._learnt}
        return self._store(sample, {**kept, **learnt})

    def _encode_new_task(self, sample: Sample, loss: Loss, mean: Array) -> Array:
        """Return the targets of the loss; `mean` is what an unseen task gets."""
        weight = Observations.of(sample.rows, np.zeros(1, dtype=np.intp)).weight
        return encode_numbers(loss, sample.rows.y, weight, mean)

    def _report_new_task(self, sample: Sample, place: int) -> dict[str, Any]:
        """Return further fitted attributes by name, with the new task at a place."""
        return {}

    def _learn_task(self, sample: Sample) -> dict[str, Any]:
        """Return the fitted attributes by name, with one more task."""
        network, params = self._network, self.parameters_
        (head,) = network.heads
        prior = HeadPrior.of(head, params)
        rows = self._read_features(sample, head.loss, prior)
        strength = self._strength_of_new_head(head.loss, prior, rows)
        weight, bias = solve_head(head.loss, prior, rows, strength)
        tasks = np.concatenate([self.tasks_, sample.rows.tasks])
        order = np.argsort(tasks)
        place = int(np.argmax(order))
        new = {"head_weight": weight, "head_bias": bias}
        grown = insert_head(network, place, prior.units)
        places, found = np.arange(len(tasks)), insert_task(params, place, new)
        return {
            "tasks_": tasks[order],
            "n_tasks_": len(tasks),
            "_places": places,
            **self._report_training(grown, found, places),
            "_state": _insert_state(self._state, network, grown, place),
            **self._report_new_task(sample, place),
        }

    def _read_features(self, sample: Sample, loss: Loss, prior: HeadPrior) -> HeadRows:
        """Return the rows of a new task, by the outputs of the trunk."""
        seen = Observations.of(sample.rows, np.zeros(1, dtype=np.intp))
        batch = AllTasks(sample.rows.X[seen.rows])
        features = self._network.sharing.forward(self.parameters_, batch)[0]
        dense = features.toarray() if hasattr(features, "toarray") else features
        dense = dense.astype(float)
        means = loss.mean(prior.raw(dense))
        mean = np.average(means, axis=0, weights=seen.weight)
        return HeadRows(dense, self._encode_new_task(sample, loss, mean), seen.weight)

    def _strength_of_new_head(
        self, loss: Loss, prior: HeadPrior, rows: HeadRows
    ) -> float:
        """Return the given strength of the penalty, or an estimate.

        Learnt variances divide the losses of the fit, but not that of the new task.
        """
        logs = self.parameters_.get("log_variance")
        variance = 1.0 if logs is None else float(np.exp(logs.mean()))
        if self.head_penalty > 0:
            return self.head_penalty * variance
        noise = prior.factor
        if loss.is_quadratic:
            noise = 2 * self.loss_ if logs is None else variance
        return estimate_strength(prior, rows, noise, self.alpha * variance)


def _insert_state(
    state: Adam | None, network: Network, grown: Network, place: int
) -> Adam | None:
    """Insert a task with the mean of the others into the state of Adam."""
    if state is None:
        return None

    def insert(vector: Array) -> Array:
        named = insert_task(network.parameters(vector).named, place, {})
        return np.concatenate([named[name].ravel() for name in grown.shapes])

    return replace(state, mean=insert(state.mean), square=insert(state.square))
