"""Base class of kernel models of tasks: fit and predict."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import LinAlgError
from sklearn.utils.validation import check_is_fitted

from skmtl._contracts import Array
from skmtl._memory import refuse_large
from skmtl.base import TaskRegressor, refuse_exact_fit
from skmtl.targets import Sample, cast, float_type

from ._criteria import RestrictedLikelihood, residual_variance
from ._designs import Design, Strengths, design_rows
from ._kernels import (
    Kernel,
    compare_rows,
    read_kernels,
    refuse_overflow,
    scale_gamma,
)
from ._pairs import invert_precision, refuse_class
from ._system import System

# Numbers of a block of similarities in predictions.
_BLOCK = 2**22
# Matrices of the size of the kernel matrix that a fit holds, beside one per kernel.
_N_MATRICES = 5
_REMEDY = (
    "Use make_pipeline(StandardScaler(), Nystroem(), MeanRegularizedRegressorCV()) "
    "for as many rows, or fit a sample of them."
)


class KernelModel(TaskRegressor):
    """Kernel regressors of tasks; a final class chooses the strengths."""

    kernel: Any
    degree: float
    coef0: float
    kernel_params: Any
    coupling: Any
    fit_intercept: bool
    # Fitted attributes.
    X_fit_: Any
    dual_coef_: Array
    intercept_: Any
    intercept_shared_: float
    gamma_: float
    _design: Design
    _shared_duals: Array
    _own_duals: Any
    _kernels: list[Kernel]
    _strengths: Strengths

    @abstractmethod
    def _choose(
        self, design: Design, X: Any, kernels: list[Kernel], gamma: float
    ) -> tuple[Strengths, float, Mapping[str, Any]]:
        """Return strengths, gamma, and further fitted attributes by name."""

    @abstractmethod
    def _first_gamma(self) -> Any:
        """Return the gamma of the parameters: a number or "scale"."""

    @abstractmethod
    def _noise_variance(self, systems: list[System], design: Design) -> float:
        """Return the variance of the noise of a row of weight 1."""

    def _report_noise(self, systems: list[System], design: Design) -> dict[str, Any]:
        """Return the fitted attributes of the noise by name."""
        return {}

    def _matrix_size(self, sample: Sample) -> int:
        size: int = sample.rows.X.shape[0]
        return size

    def _learn(
        self,
        target: Any,
        sample: Sample,
        given: Mapping[str, Any],
        search: Any = None,
    ) -> Mapping[str, Any]:
        """Fit the rows and return the fitted attributes by name."""
        rows = sample.rows
        target.check_units(rows)
        X, design = rows.X, self._design_rows(rows)
        gamma = self._first_gamma()
        if gamma == "scale":
            gamma = scale_gamma(X, design.row_weight)
        kernels = self._read_kernels(X, float(gamma))
        n_numbers = (_N_MATRICES + len(kernels)) * max(design.size, X.shape[0]) ** 2
        refuse_large(8 * n_numbers, "similarities of rows", _REMEDY)
        strengths, gamma, facts = self._choose(design, X, kernels, float(gamma))
        if facts:
            target.check_size(rows)
        kernels = [kernel.at(gamma) for kernel in kernels]
        matrices = compare_rows(kernels, X)
        systems = solve(design, matrices, strengths)
        return {
            "tasks_": rows.tasks,
            "n_tasks_": len(rows.tasks),
            **self._describe(sample, design, systems, matrices, strengths),
            "gamma_": gamma,
            **facts,
            **self._report_noise(systems, design),
            "X_fit_": X.copy(),  # the caller may change theirs
            "_design": design,
            "_kernels": kernels,
            "_strengths": strengths,
        }

    def _design_rows(self, rows: Any) -> Design:
        covariance = None
        if self.coupling is not None:
            refuse_class(self.coupling)
            covariance = invert_precision(self.coupling, len(rows.tasks))
        return design_rows(rows, self.fit_intercept, covariance)

    def _read_kernels(self, X: Any, gamma: float) -> list[Kernel]:
        params = {
            "gamma": gamma,
            "degree": self.degree,
            "coef0": self.coef0,
            "kernel_params": self.kernel_params,
        }
        return read_kernels(self.kernel, params, X)

    def _describe(
        self,
        sample: Sample,
        design: Design,
        systems: list[System],
        matrices: list[Array],
        strengths: Strengths,
    ) -> dict[str, Any]:
        """Return coefficients, intercepts and criteria of a fit by attribute."""
        layout, dtype = sample.rows.layout, float_type(sample.rows.X)
        duals = design.duals(systems)
        shared = sum(
            between * (matrix @ duals.sum(axis=1))
            for between, matrix in zip(strengths.variances[0], matrices, strict=True)
        )
        common = self._shared_intercept(design, shared, strengths)
        intercept = design.intercepts(systems, strengths)
        intercept = cast(np.where(np.isnan(intercept), common, intercept), dtype)
        coef = duals if layout == "outputs" else duals.sum(axis=1)
        coef = coef.toarray() if sparse.issparse(coef) else coef
        refuse_overflow(coef, "dual_coef_")
        likelihood = RestrictedLikelihood().value(systems, design.total_weight)
        return {
            "dual_coef_": cast(coef, dtype),
            "intercept_": intercept[0] if layout == "single" else intercept,
            "intercept_shared_": cast(common, dtype)[()],
            "objective_": sum(each.objective for each in systems),
            "log_marginal_likelihood_": -likelihood / 2,
            "_shared_duals": duals.sum(axis=1),
            "_own_duals": design.spread(duals),
        }

    def _shared_intercept(
        self, design: Design, shared: Array, strengths: Strengths
    ) -> float:
        """Return the mean residual of the tasks at the shared function."""
        if not self.fit_intercept:
            return 0.0
        means, weights = design.mean_residuals(shared)
        seen = weights > 0
        precision = 1 / (1 / weights[seen] + strengths.variances[2])
        return design.centre + float(np.average(means[seen], weights=precision))

    def _raw(self, X: Any, codes: Array | None) -> Array:
        """Return raw predictions, infinite or NaN if they overflow."""
        found = self._by_blocks(X, codes, self._raw_of_block)
        return cast(found, float_type(X))

    def _raw_of_block(self, X: Any, codes: Array | None) -> Array:
        shared, own, _ = self._strengths.variances
        matrices = [kernel.matrix(X, self.X_fit_) for kernel in self._kernels]
        weighed = sum(a * m for a, m in zip(shared, matrices, strict=True))
        common = weighed @ self._shared_duals
        weighed = sum(a * m for a, m in zip(own, matrices, strict=True))
        apart = weighed @ self._own_duals
        if codes is None:
            found = common[:, None] + apart + self.intercept_
            return found[:, 0] if self._layout == "single" else found
        intercepts = np.append(self.intercept_, self.intercept_shared_)
        differs = np.where(codes < 0, 0.0, apart[np.arange(len(codes)), codes])
        return common + differs + intercepts[codes]

    def _by_blocks(self, X: Any, codes: Array | None, call: Any) -> Array:
        """Join what a function returns for blocks of rows."""
        widest = max(self.X_fit_.shape[0], self.n_tasks_)
        step = max(1, _BLOCK // widest)
        starts = range(0, max(X.shape[0], 1), step)
        parts = [slice(start, start + step) for start in starts]
        return np.concatenate(
            [call(X[part], None if codes is None else codes[part]) for part in parts]
        )

    def predict(self, X: Any, task: Any = None, return_std: bool = False) -> Any:
        """Predict each row with the function of its task.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if there was one in `fit`; for a precomputed
            kernel, similarities to the rows of `fit`.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.
        return_std : bool, default=False
            Whether to return standard deviations too, with the noise. They are infinite
            for an unseen task if `alpha_intercept` is 0, or if `fit` had rows of only
            one task, which does not tell how tasks differ.

        Returns
        -------
        prediction : ndarray of shape (n_samples,) or (n_samples, n_tasks)
            Predictions; a column per task if `fit` had a 2-d y. Rows of unseen tasks
            are predicted with the shared function.
        std : ndarray of the same shape
            Standard deviations of the target around the prediction, if `return_std`.
        """
        if not return_std:
            return super().predict(X, task)
        check_is_fitted(self)
        X, codes = self._read_queries(X, task)
        prediction = self._predict(X, codes)
        std = self._std(X, codes)
        return prediction, cast(std, float_type(X)).reshape(prediction.shape)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        is_name = isinstance(self.kernel, str)
        tags.input_tags.pairwise = is_name and self.kernel == "precomputed"
        return tags

    def _std(self, X: Any, codes: Array | None) -> Array:
        """Return standard deviations of targets, with the noise."""
        design, strengths = self._design, self._strengths
        matrices = compare_rows(self._kernels, self.X_fit_)
        systems = solve(design, matrices, strengths)
        noise = self._noise_variance(systems, design)
        refuse_exact_fit(noise)

        def variance(X: Any, codes: Array | None) -> Array:
            across = [kernel.matrix(X, self.X_fit_) for kernel in self._kernels]
            own = [kernel.diagonal(X) for kernel in self._kernels]
            return design.variances(systems, strengths, across, own, codes)

        return np.sqrt(noise * (1 + self._by_blocks(X, codes, variance)))


def solve(design: Design, matrices: list[Array], strengths: Strengths) -> list[System]:
    """Return solved systems, or raise an error that says what to do.

    Parameters
    ----------
    design : Design
        Training rows.
    matrices : list of ndarray
        Kernel matrices.
    strengths : Strengths
        Strengths.

    Returns
    -------
    list of System
        The systems, whose residuals are computed.
    """
    systems = design.systems(matrices, strengths)
    try:
        for system in systems:
            system.residuals  # noqa: B018
    except LinAlgError:
        raise ValueError(
            "The kernel must be positive semidefinite, got similarities of rows with "
            "negative eigenvalues. Raise alpha and alpha_shared, or use another kernel."
        ) from None
    return systems


def fixed_variance(systems: list[System], design: Design) -> float:
    """Return the squared residuals per degree of freedom left."""
    return residual_variance(systems, design.total_weight, design.n_observations)
