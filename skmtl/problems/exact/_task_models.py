"""Linear models of tasks that may have several outputs each."""

from dataclasses import dataclass, replace

import numpy as np

from ._mean_exact import LinearTasks


@dataclass(frozen=True)
class MultiOutputModels:
    """Hold linear models of tasks with outputs, and the one that they share.

    Parameters
    ----------
    coef : ndarray of shape (n_tasks, n_outputs, n_features)
        Coefficients.
    intercept : ndarray of shape (n_tasks, n_outputs)
        Intercepts.
    coef_shared : ndarray of shape (n_outputs, n_features)
        Coefficients of the shared part.
    intercept_shared : ndarray of shape (n_outputs,)
        Intercepts of the shared part.
    """

    coef: np.ndarray
    intercept: np.ndarray
    coef_shared: np.ndarray
    intercept_shared: np.ndarray

    def first(self, n_tasks):
        """Select the first models, with the same shared part.

        Parameters
        ----------
        n_tasks : int
            Number of models.

        Returns
        -------
        MultiOutputModels
            The models.
        """
        coef, intercept = self.coef[:n_tasks], self.intercept[:n_tasks]
        return replace(self, coef=coef, intercept=intercept)

    def only(self):
        """Return the models of the only output.

        Returns
        -------
        LinearTasks
            The models.
        """
        return LinearTasks(
            self.coef[:, 0],
            self.intercept[:, 0],
            self.coef_shared[0],
            self.intercept_shared[0],
        )

    def change_basis(self, basis):
        """Return models of other outputs, of which these are coordinates.

        Parameters
        ----------
        basis : ndarray of shape (n_turned, n_outputs)
            What a coordinate adds to each output.

        Returns
        -------
        MultiOutputModels
            With n_turned outputs.
        """
        return MultiOutputModels(
            basis @ self.coef,
            self.intercept @ basis.T,
            basis @ self.coef_shared,
            basis @ self.intercept_shared,
        )


def with_output_axis(models):
    """Return models of one output with an axis for it.

    Parameters
    ----------
    models : LinearTasks
        Models without that axis.

    Returns
    -------
    MultiOutputModels
        The same models.
    """
    return MultiOutputModels(
        models.coef[:, None],
        models.intercept[:, None],
        models.coef_shared[None],
        np.atleast_1d(models.intercept_shared),
    )


def unpack_tasks(tasks, shared, datafit):
    """Return models from variables whose last column is the intercept, if any."""
    if not datafit.fit_intercept:
        none = np.zeros(tasks.shape[:2])
        return MultiOutputModels(tasks, none, shared, np.zeros(shared.shape[:1]))
    return MultiOutputModels(
        tasks[..., :-1], tasks[..., -1], shared[..., :-1], shared[..., -1]
    )
