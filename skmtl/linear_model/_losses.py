"""What regression with losses of any kind does alike: pose rows, minimise, keep."""

from abc import abstractmethod

from skmtl.base import TaskRegressor, float_type
from skmtl.problems.newton import Datafit

from ._coupled import Coupled


class CoupledRegressor(Coupled, TaskRegressor):
    """Minimise a loss of one output and a quadratic coupling."""

    @abstractmethod
    def _loss(self):
        """Return what a row costs."""

    def _learn(self, data, splits=None):
        data = data.stacked() if data.shares_rows else data
        models, about = self._solve(Datafit(data, self._loss(), self.fit_intercept))
        dtype = float_type(data.X)
        return {
            **self._linear(data.tasks, models.only(), data.layout, dtype),
            **about,
        }
