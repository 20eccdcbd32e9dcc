"""Names that can be said on the command line, known before the work is imported."""

MODELS = {
    "independent": "a linear model for each task alone",
    "pooled": "one linear model for all rows, whatever their task",
    "intercepts": "one slope for all tasks, and a level for each",
    "mean": "slopes and a level for each task, near what the tasks share",
}

METRICS = {
    "numbers": ("rmse", "mse", "mae"),
    "classes": ("log_loss", "error", "brier"),
    "counts": ("poisson_deviance",),
}
