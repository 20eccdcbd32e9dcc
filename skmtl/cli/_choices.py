"""Names of models and metrics, without importing scikit-learn."""

MODELS = {
    "independent": "a separate linear model for each task",
    "pooled": "one linear model of all rows, which ignores the task",
    "intercepts": "the same coefficients for all tasks, and an intercept for each",
    "mean": "partial pooling: a linear model for each task, shrunk towards their mean",
    "mlp": "a neural network of 32 hidden units that all tasks share (not by default)",
}
DEFAULT_MODELS = tuple(name for name in MODELS if name != "mlp")

METRICS = {
    "numbers": ("rmse", "mse", "mae"),
    "classes": ("log_loss", "error", "brier"),
    "counts": ("poisson_deviance",),
}
