"""Linear models of tasks, as every problem returns them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skmtl._contracts import Array


@dataclass(frozen=True)
class TaskModels:
    """Linear models of tasks, and the model for unseen tasks.

    Problems return models with an axis of outputs. Exact solutions have one output, and
    return models without that axis.

    Parameters
    ----------
    coef : ndarray of shape (n_tasks, n_outputs, n_features) or (n_tasks, n_features)
        Coefficients.
    intercept : ndarray of shape (n_tasks, n_outputs) or (n_tasks,)
        Intercepts.
    coef_shared : ndarray of shape (n_outputs, n_features) or (n_features,)
        Coefficients of the shared part.
    intercept_shared : ndarray of shape (n_outputs,) or float
        Intercepts of the shared part.
    """

    coef: Array
    intercept: Array
    coef_shared: Array
    intercept_shared: Any

    def first(self, n_tasks: int) -> TaskModels:
        """Select the first tasks, with the same shared part.

        Parameters
        ----------
        n_tasks : int
            Number of tasks.

        Returns
        -------
        TaskModels
            Models of these tasks.
        """
        coef, intercept = self.coef[:n_tasks], self.intercept[:n_tasks]
        return replace(self, coef=coef, intercept=intercept)

    def columns(self, has_intercept: bool) -> Array:
        """Join coefficients and intercepts of the tasks.

        Parameters
        ----------
        has_intercept : bool
            Whether there are intercepts.

        Returns
        -------
        ndarray of shape (n_tasks, n_outputs, n_columns)
            Coefficients and, last, intercepts.
        """
        if not has_intercept:
            return self.coef
        return np.concatenate([self.coef, self.intercept[..., None]], axis=-1)

    def turned(self, rotation: Any) -> TaskModels:
        """Convert models in other coordinates to models of the features.

        Parameters
        ----------
        rotation : Rotation
            The coordinates.

        Returns
        -------
        TaskModels
            The models.
        """
        own = rotation.restore(self.coef, self.intercept)
        shared = rotation.restore(self.coef_shared, self.intercept_shared)
        return TaskModels(*own, *shared)

    def add_output_axis(self) -> TaskModels:
        """Add the axis of outputs to models without it.

        Returns
        -------
        TaskModels
            The same models, with one output.
        """
        return TaskModels(
            self.coef[:, None],
            self.intercept[:, None],
            self.coef_shared[None],
            np.atleast_1d(self.intercept_shared),
        )

    def drop_output_axis(self) -> TaskModels:
        """Drop the axis of outputs from models of one output.

        Returns
        -------
        TaskModels
            The same models.
        """
        return TaskModels(
            self.coef[:, 0],
            self.intercept[:, 0],
            self.coef_shared[0],
            self.intercept_shared[0],
        )

    def change_basis(self, basis: Array) -> TaskModels:
        """Convert outputs from coordinates in a basis.

        Parameters
        ----------
        basis : ndarray of shape (n_new_outputs, n_outputs)
            Contribution of each coordinate to each new output.

        Returns
        -------
        TaskModels
            Models of n_new_outputs outputs.
        """
        return TaskModels(
            basis @ self.coef,
            self.intercept @ basis.T,
            basis @ self.coef_shared,
            basis @ self.intercept_shared,
        )


def unpack_tasks(tasks: Array, shared: Array, datafit: Any) -> TaskModels:
    """Split coefficients from intercepts, which are the last column if there are any.

    Parameters
    ----------
    tasks : ndarray of shape (n_tasks, n_outputs, n_columns)
        Coefficients and intercepts of the tasks.
    shared : ndarray of shape (n_outputs, n_columns)
        Those of the shared part.
    datafit : Datafit
        Losses of the rows, with or without intercepts.

    Returns
    -------
    TaskModels
        The models.
    """
    if not datafit.fit_intercept:
        zeros = np.zeros(tasks.shape[:2])
        return TaskModels(tasks, zeros, shared, np.zeros(shared.shape[:1]))
    return TaskModels(
        tasks[..., :-1], tasks[..., -1], shared[..., :-1], shared[..., -1]
    )
