"""Kernel models of several tasks, each a function near a shared one."""

from ._regressors import (
    MeanRegularizedKernelRegressor,
    MeanRegularizedKernelRegressorCV,
)

__all__ = ["MeanRegularizedKernelRegressor", "MeanRegularizedKernelRegressorCV"]
