"""Weighted means of the predictions of several models."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._candidates import Candidate
from ._cross_prediction import name_options
from ._fold_errors import measure_errors
from ._mixtures import weigh_classes, weigh_counts, weigh_numbers
from ._model_outputs import predict_numbers
from ._paired_losses import average_loss
from ._trials import Trial

_WEIGHERS = {
    "numbers": weigh_numbers,
    "classes": weigh_classes,
    "counts": weigh_counts,
}


@dataclass(frozen=True)
class TaskStack:
    """Fitted models and their weights.

    Parameters
    ----------
    models : dict of str to estimator
        Fitted models.
    weights : ndarray of shape (n_models,)
        Weights, 0 or more, of sum 1.
    classes : ndarray of shape (n_classes,) or None
        Sorted classes; None for numbers and counts.
    per_output : bool
        Whether probabilities are a list with an array per task, as for a 2-d y.
    """

    models: dict[str, Any]
    weights: NDArray[np.floating]
    classes: NDArray[Any] | None
    per_output: bool

    def predict(self, X: Any, task: ArrayLike | None = None) -> NDArray[Any]:
        """Predict numbers or classes."""
        if self.classes is None:
            return self._mix("predict", X, task)
        classes: NDArray[Any] = self.classes[self._mix_proba(X, task).argmax(axis=-1)]
        return classes

    def predict_proba(self, X: Any, task: ArrayLike | None = None) -> Any:
        """Predict the probabilities of the classes."""
        found = self._mix_proba(X, task)
        return list(np.moveaxis(found, 1, 0)) if self.per_output else found

    def _mix_proba(self, X, task):
        return self._mix("predict_proba", X, task)

    def _mix(self, method, X, task):
        pairs = zip(self.models.values(), self.weights, strict=True)
        return sum(
            weight
            * predict_numbers(model, method, X, name_options(model, task), self.classes)
            for model, weight in pairs
        )


def stack_trials(trials, data, splits, metric):
    """Find the weights of models, and cross-validated predictions of their stack.

    The weights come from all held-out predictions. Each fold is then predicted with
    weights from the other folds.

    Parameters
    ----------
    trials : list of Trial
        Members of the stack.
    data : Rows
        Rows.
    splits : list of (train, held_out)
        Folds.
    metric : Metric
        Loss of a row.

    Returns
    -------
    weights : ndarray of shape (n_models,)
        Weights.
    stack : Trial
        The stack, as a candidate.
    """
    full = np.array(
        [
            measure_errors(data, splits, each.predictions, metric.loss).prediction
            for each in trials
        ]
    )
    cells = full.reshape(len(full), -1, *full.shape[1 + len(data.shape) :])
    cells = cells[:, data.cells]
    known = ~np.isnan(trials[0].loss) & (data.target_weight > 0)
    weights = _weigh(cells, known, data)
    mixed = tuple(
        np.tensordot(
            _weigh(cells, known & ~np.isin(data.rows, held_out), data, weights),
            np.array([each.predictions[fold] for each in trials]),
            axes=1,
        )
        for fold, (_, held_out) in enumerate(splits)
    )
    loss = measure_errors(data, splits, mixed, metric.loss).loss
    seconds = sum(each.seconds for each in trials)
    return weights, Trial(Candidate("stack", None), mixed, loss, seconds)


def _weigh(cells, used, data, otherwise=None):
    """Find weights from some targets; without any, return others."""
    if not used.any():
        return otherwise
    rows = cells[:, used], data.targets[used], data.target_weight[used]
    return _WEIGHERS[data.kind](*rows)


def choose_members(trials, data):
    """Return the best trial of each family, in the order of the trials."""
    best = {}
    for trial in trials:
        family = trial.candidate.family
        if trial.dropped or not family:
            continue
        loss = average_loss(trial.loss, data.target_weight)
        if family not in best or loss < best[family][0]:
            best[family] = loss, trial
    return [trial for _, trial in best.values()]
