"""What classifiers with a penalty do alike: pose, minimise, certify, warn."""

from abc import abstractmethod

from skmtl.base import CLASSIFIER_CONSTRAINTS, TaskClassifier
from skmtl.problems.proximal import ProfiledLoss, minimize

from ._penalized import PENALIZED_CONSTRAINTS, Penalized, describe, warn_of_fit

PENALIZED_CLASSIFIER_CONSTRAINTS = {**PENALIZED_CONSTRAINTS, **CLASSIFIER_CONSTRAINTS}


class PenalizedClassifier(Penalized, TaskClassifier):
    """Minimise the losses of classes and a penalty of the coefficients of all tasks.

    With more than two classes, tasks have a row of coefficients for each contrast
    between classes, of which there are one fewer. Lengths and singular values are those
    of the rows of the classes.
    """

    @abstractmethod
    def _penalty(self):
        """Return the penalty of the coefficients."""

    @abstractmethod
    def _solver(self, n_outputs):
        """Return how the objective of so many outputs per task is minimised."""

    def _pose(self, datafit):
        """Return the loss of the coefficients."""
        return ProfiledLoss(datafit)

    def _describe_fit(self, fit):
        """Return what there is to say of a fit beyond coefficients, by name."""
        return describe(fit)

    def _learn(self, datafit, data):
        datafit.refuse_huge()
        loss = self._pose(datafit.about_means())
        solver = self._solver(datafit.loss.n_outputs)
        fit = minimize(loss, self._penalty(), solver, self._start(data.tasks))
        warn_of_fit(fit, self.tol)
        about = self._describe_fit(fit)
        begin = {"_variable": fit.solution.variable, "_about": tuple(about)}
        return fit.unpack(), {**about, **begin}
