"""Which models differ from the baseline in sharing, and in nothing else that counts."""

from sklearn.pipeline import Pipeline

_INNER = ("estimator", "regressor")  # parameters of meta-estimators


def find_contrasts(models, baseline):
    """Return for each model whether its gain over the baseline is due to sharing.

    It is not if the baseline shares too, if the model does not, or if only one of them
    is a network. Estimators of other packages count as sharing, except the baseline.
    """
    base = models[baseline]
    if baseline != "independent" and _read_trait(base, "_shares_tasks"):
        return (False,) * len(models)
    is_network = bool(_read_trait(base, "_is_network"))
    return tuple(
        _read_trait(model, "_shares_tasks") is not False
        and bool(_read_trait(model, "_is_network")) == is_network
        for model in models.values()
    )


def _read_trait(estimator, name):
    """Return an attribute of an estimator or of the one that it wraps, or None."""
    if isinstance(estimator, Pipeline):
        return _read_trait(estimator.steps[-1][1], name)
    found = getattr(estimator, name, None)
    params = getattr(estimator, "__dict__", {})
    inner = [params[key] for key in _INNER if key in params]
    return _read_trait(inner[0], name) if found is None and inner else found
