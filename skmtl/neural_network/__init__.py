"""Neural networks of several tasks, in NumPy: shared layers and a head per task."""

from ._mlp import MultiTaskMLP, MultiTaskMLPClassifier, MultiTaskMLPRegressor

__all__ = ["MultiTaskMLP", "MultiTaskMLPClassifier", "MultiTaskMLPRegressor"]
