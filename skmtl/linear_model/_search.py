"""Search a model's strength along a path, in every fold of the rows."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone

from skmtl.selection import (
    check_has_rows,
    choose,
    fold_moments,
    go_on,
    mean_squared_error,
    read_grid,
    read_splits,
    warn_of_path_end,
)

_N_FOLDS = 5
_EPS = 1e-3


@dataclass(frozen=True)
class Scaled:
    """A model at any strength: the first that it is named by, the others in proportion.

    Parameters
    ----------
    model : MomentRegressor
        The model, not fitted.
    names : list of str
        Parameters that are strengths.
    """

    model: object
    names: list

    def parameters(self, alpha):
        """Return the strengths by name."""
        first, *others = self.names
        given = self.model.get_params()
        factors = {name: given[name] / given[first] for name in others}
        return {first: alpha, **{name: alpha * by for name, by in factors.items()}}

    def at(self, alpha):
        """Return an unfitted model at a strength."""
        return clone(self.model).set_params(**self.parameters(float(alpha)))


@dataclass(frozen=True)
class Grid:
    """How many falling strengths to choose from.

    Parameters
    ----------
    n_alphas : int
        How many.
    eps : float or None
        Lowest relative to the highest; None for one so low that errors do not fall
        there, 1e-3 or less.
    """

    n_alphas: int
    eps: float | None


@dataclass(frozen=True)
class Path:
    """Errors of a model at falling strengths.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Strengths.
    errors : ndarray of shape (n_alphas, n_folds)
        Mean squared errors on rows left out.
    best : int
        Position of the strength that was chosen.
    """

    alphas: np.ndarray
    errors: np.ndarray
    best: int

    @property
    def alpha(self):
        """Strength that was chosen."""
        return float(self.alphas[self.best])

    @property
    def score(self):
        """Mean of its errors, negated."""
        return float(-self.errors[self.best].mean())


def name_strengths(model, param):
    """Return the parameters that are searched, the first given in full."""
    names = model._strengths() if param is None else [param]
    known = model.get_params()
    if not names or any(name not in known for name in names):
        numbers = [name for name in known if "alpha" in name]
        raise ValueError(
            f"param must name a strength of {type(model).__name__}, got {param!r}. "
            f"Choose among {numbers}, or give the estimator a penalty."
        )
    return names


def deal_or_split(cv, data, X, y, task):
    """Return the splits of rows of X, by default of five folds."""
    return read_splits(_N_FOLDS if cv is None else cv, data, X, y, task)


def search_path(scaled, data, splits, grid, one_standard_error):
    """Measure a model at falling strengths in all folds, and choose one.

    Parameters
    ----------
    scaled : Scaled
        The model.
    data : TaskData
        All rows.
    splits : list of (train, test)
        Rows of X.
    grid : ndarray or Grid
        Strengths, or how many.
    one_standard_error : bool
        Whether to choose the largest within one standard error of the best.

    Returns
    -------
    Path
        What was found.
    """

    def measure(alphas):
        models = [scaled.at(alpha)._roughened() for alpha in alphas]
        folds = _folds(scaled.model, data, splits)
        errors = [_errors(models, posed, measure) for posed, measure in folds]
        return np.stack(errors, axis=1)

    alphas = _fall(scaled, data, grid)
    errors = measure(alphas)
    if isinstance(grid, Grid):
        alphas, errors = go_on(alphas, errors, measure, grid.eps is None)
    else:
        warn_of_path_end("alphas", alphas, errors)
    return Path(alphas, errors, choose(errors, one_standard_error))


def _fall(scaled, data, grid):
    """Return falling strengths, those given or those that suit all rows."""
    if not isinstance(grid, Grid):
        return read_grid(grid, "alphas")[::-1].copy()
    model, rows = scaled.model, scaled.model._reads_rows(data)
    posed = model._pose_rows(data) if rows else model._pose_moments(data.moments())
    eps = _EPS if grid.eps is None else grid.eps
    return model._suggest(posed, scaled, grid.n_alphas, eps)


def _folds(model, data, splits):
    """Yield what is solved in each fold, and what measures the models of it."""
    if model._reads_rows(data):
        for train, test in splits:
            training = data.select(train)
            check_has_rows(training, data.X.shape[0])
            yield model._pose_rows(training), _measure_rows(data.select(test))
    else:
        for train, test in fold_moments(data, splits):
            yield model._pose_moments(train), _measure_moments(test)


def _measure_rows(data):
    return lambda models: mean_squared_error(data, models)


def _measure_moments(moments):
    def measure(models):
        squares = moments.squared_errors(models.coef, models.intercept)
        return float(squares.sum() / moments.weight.sum())

    return measure


def _errors(models, posed, measure):
    """Return the error of every model of a path, each solved from the last."""
    fits = []
    for model in models:
        fits.append(model._solve(posed, fits))
    models[0]._warn_of(fits)
    return [measure(fit.unpack()) for fit in fits]
