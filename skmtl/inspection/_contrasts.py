"""Which models differ from the baseline in sharing, and in nothing else that counts."""

from sklearn.pipeline import Pipeline

from skmtl.compose import CurvedTasks

_INNER = ("estimator", "regressor")  # parameters of meta-estimators
_KINDS = (
    *(("lightgbm", "trees"), ("sklearn.ensemble", "trees"), ("sklearn.tree", "trees")),
    ("skmtl.kernel", "kernel"),
)


def find_contrasts(models, baseline):
    """Return for each model whether its gain over the baseline is due to sharing.

    It is not if the baseline shares too, if the model does not, or if they are of
    different kinds: networks, trees, curves, kernel models and others. Estimators of
    other packages count as sharing, except the baseline.
    """
    base = models[baseline]
    if baseline != "independent" and _read_trait(base, "_shares_tasks"):
        return (False,) * len(models)
    kind = _find_kind(base)
    return tuple(
        _read_trait(model, "_shares_tasks") is not False and _find_kind(model) == kind
        for model in models.values()
    )


def _find_kind(estimator):
    """Return the kind of the innermost estimator, or "curves" if it is fitted to them.

    Kinds are told apart by the package of the class; "other" has the linear models.
    """
    if isinstance(estimator, Pipeline):
        return _find_kind(estimator.steps[-1][1])
    if isinstance(estimator, CurvedTasks):
        return "curves"
    params = getattr(estimator, "__dict__", {})
    inner = [params[key] for key in _INNER if params.get(key) is not None]
    if inner:
        return _find_kind(inner[0])
    if getattr(estimator, "_is_network", False):
        return "network"
    package = type(estimator).__module__
    return next((kind for start, kind in _KINDS if package.startswith(start)), "other")


def _read_trait(estimator, name):
    """Return an attribute of an estimator or of the one that it wraps, or None."""
    if isinstance(estimator, Pipeline):
        return _read_trait(estimator.steps[-1][1], name)
    found = getattr(estimator, name, None)
    params = getattr(estimator, "__dict__", {})
    inner = [params[key] for key in _INNER if key in params]
    return _read_trait(inner[0], name) if found is None and inner else found
