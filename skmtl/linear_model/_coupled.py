"""What models with a coupling and any loss do alike: pose, minimise, warn."""

import warnings
from abc import abstractmethod
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skmtl._compat import Interval
from skmtl.solvers import Newton

NEWTON_CONSTRAINTS = {
    "tol": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "warm_start": ["boolean"],
}


class Coupled:
    """Minimise losses of any kind and a quadratic coupling by Newton's method."""

    @abstractmethod
    def _pose(self, datafit):
        """Return the objective."""

    def _minimize(self, objective):
        solver = Newton(tol=self.tol, max_iter=self.max_iter)
        solution = solver.minimize(objective, self._start(objective))
        self._warn_of(solution)
        return solution

    def _warn_of(self, solution):
        """Warn of a solution that is not the lowest point."""
        if not solution.converged:
            warnings.warn(
                f"After {solution.n_iter} steps the objective would still fall by "
                f"{solution.optimality:.1e} of its value at zero, and tol asks for "
                f"{self.tol:.1e}. Raise max_iter, or scale the features.",
                ConvergenceWarning,
                stacklevel=2,
            )

    def _start(self, objective):
        """Return the last solution, if it was of the same tasks, else a beginning."""
        last = self._last(objective.datafit.data.tasks, objective.shape)
        return objective.start() if last is None else objective.move(last, 1)

    def _last(self, tasks, shape):
        """Return the last solution, if it was of these tasks and of this shape."""
        if self.warm_start and "_variable" in vars(self):
            known, variable = self._variable
            if np.array_equal(known, tasks) and variable.shape == shape:
                return variable
        return None

    def _about(self, objective, solution):
        """Return what there is to say of a fit beyond coefficients, by name."""
        return {
            "objective_": solution.objective,
            "n_iter_": solution.n_iter,
            "kkt_": objective.residual(solution.variable),
            "_variable": (
                objective.datafit.data.tasks,
                objective.move(solution.variable, -1),
            ),
        }

    def _learn(self, datafit, data):
        return self._solve(datafit)

    def _solve(self, datafit):
        """Return the models of the tasks, and what else was learnt, by name."""
        datafit.refuse_huge()
        objective = self._pose(datafit).about_means()
        solution = self._minimize(objective)
        models = objective.unpack(solution.variable)
        return models, self._about(objective, solution)
