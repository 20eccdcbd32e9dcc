"""Names of models and metrics, without importing scikit-learn."""

MODELS = {
    "independent": "a linear model for each task alone",
    "pooled": "one linear model for all rows, ignoring the task",
    "intercepts": "the same slopes for all tasks, and an intercept for each",
    "mean": "slopes and an intercept for each task, shrunk towards their mean",
}

METRICS = {
    "numbers": ("rmse", "mse", "mae"),
    "classes": ("log_loss", "error", "brier"),
    "counts": ("poisson_deviance",),
}
