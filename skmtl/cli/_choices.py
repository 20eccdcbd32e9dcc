"""Names of models and metrics, without importing scikit-learn."""

# Models that can be saved, the simplest first.
MODELS = {
    "independent": "a separate linear model for each task",
    "pooled": "one linear model of all rows, which ignores the task",
    "pooled + task intercepts": "the same coefficients for all tasks, own intercepts",
    "mean-regularised": "partial pooling: a linear model per task, near a shared one",
    "mlp": "a neural network of 32 hidden units that all tasks share (not by default)",
}
DEFAULT_MODELS = tuple(name for name in MODELS if name != "mlp")
# Candidates of TaskModelSearch, compared on request.
CANDIDATES = {
    "same features": "linear models that use the same few features",
    "low rank": "linear models whose coefficients span few directions",
    "groups": "linear models that fall into groups",
    "outlier tasks": "linear models near a shared one, except a few (for numbers)",
    "same features + own": "the same few features, and some of each task (for numbers)",
    "mixed model": "linear models with correlated random coefficients (for numbers)",
    "spline curves": "a curve per feature for each task, near a shared curve",
    "kernel curves": "a smooth function for each task, near a shared one",
    "smooth functions": "the same, exact (for numbers; slow beyond 2,000 rows)",
    "rough functions": "functions that may have corners (for numbers; as slow)",
    "small boosted trees": "few boosted trees with few leaves, the task as one column",
    "boosted trees": "more of them",
    "large boosted trees": "most of them",
    "small boosted trees without task": "few boosted trees that ignore the task",
    "boosted trees without task": "more of them",
    "large boosted trees without task": "most of them",
}
# All, the simplest first.
NAMES = (*DEFAULT_MODELS, *CANDIDATES, "mlp")
# Shorter names, which are typed without quotes.
ALIASES = {"mean": "mean-regularised", "intercepts": "pooled + task intercepts"}

METRICS = {
    "numbers": ("rmse", "mse", "mae"),
    "classes": ("log_loss", "error", "brier"),
    "counts": ("poisson_deviance",),
}
