"""Detect features that are copies of the target."""

import warnings

import numpy as np

_UNEXPLAINED = 1e-5  # of the variance of the target; rounded copies are below it
_ENOUGH = 5  # rows; fewer may fit a line by chance


def warn_of_copies(X, y, kinds):
    """Warn of features that equal the target, up to unit and rounding."""
    copies = [name for name, kind in kinds.items() if _is_copy(X[name], y, kind)]
    if copies:
        names = ", ".join(map(repr, copies))
        warnings.warn(
            f"{names} {'equals' if len(copies) == 1 else 'equal'} the target, perhaps "
            "in another unit. If it is unknown when you predict, leave it out: --drop "
            f"{' '.join(copies)}",
            UserWarning,
            stacklevel=2,
        )


def _is_copy(column, y, kind):
    known = column.notna().to_numpy()
    if known.sum() < _ENOUGH:
        return False
    values, target = column.to_numpy()[known], y[known]
    if y.dtype.kind != "f" or kind == "category":
        return _correspond_one_to_one(values, target)
    if kind == "date":
        values = values.astype("datetime64[us]").astype(np.int64)
    return _are_affine(values.astype(float), target)


def _are_affine(x, y):
    """Return whether one is an affine function of the other, up to rounding."""
    x, y = _standardise(x), _standardise(y)
    return 1 - np.mean(x * y) ** 2 < _UNEXPLAINED


def _standardise(x):
    x = x / max(np.abs(x).max(), np.finfo(float).tiny)
    spread = x.std()
    return (x - x.mean()) / spread if spread > 0 else np.zeros_like(x)


def _correspond_one_to_one(values, target):
    """Return whether values and targets correspond one to one."""
    pairs = set(zip(values.tolist(), target.tolist(), strict=True))
    n_values, n_targets = len(set(values.tolist())), len(set(target.tolist()))
    return 1 < n_values == n_targets == len(pairs) < len(target)
