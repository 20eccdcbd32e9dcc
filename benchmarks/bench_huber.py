"""Mean-regularised Huber regression with as many rows as features in each task."""

from _harness import QUICK, Report, related_tasks

# isort: split

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skmtl.linear_model import MeanRegularizedHuberRegressor, MeanRegularizedRegressor

SIZE = (5, 12, 4) if QUICK else (100, 100, 100)
ALPHAS = 0.1, 1.0, 30.0
SECONDS = 2.0


def value(model, X, y, task, scale):
    """Return the objective at the coefficients of a fit, by its definition."""
    residual = np.abs(y - model.predict(X, task)) / scale
    inside = np.minimum(residual, model.epsilon)
    losses = inside * (2 * residual - inside) / 2 + 0.5
    penalty = model.alpha * ((model.coef_ - model.coef_shared_) ** 2).sum()
    penalty += model.alpha_shared * (model.coef_shared_**2).sum()
    return scale * losses.sum() + penalty / scale / 2


def main():
    """Print times and steps for three strengths."""
    warnings.simplefilter("error", ConvergenceWarning)
    report = Report("Huber regression, 100 tasks x 100 rows x 100 features")
    X, y = related_tasks(*SIZE)
    y = y + 20 * (np.random.default_rng(1).random(y.shape) < 0.1)  # outliers
    task = np.repeat(np.arange(SIZE[0]), SIZE[1])
    X, y = X.reshape(-1, SIZE[2]), y.ravel()
    models = {"squared loss": MeanRegularizedRegressor()}
    models |= {
        f"Huber, {alpha}": MeanRegularizedHuberRegressor(alpha) for alpha in ALPHAS
    }
    contenders = {
        name: lambda model=model: model.fit(X, y, task=task)
        for name, model in models.items()
    }
    times, found = report.time(contenders, 3)
    for alpha in ALPHAS:
        model = found[f"Huber, {alpha}"]
        found_value = value(model, X, y, task, model.scale_)
        report.agree(
            f"alpha {alpha}: objective by its definition",
            abs(found_value / model.objective_ - 1),
            1e-6,
        )
        print(f"alpha {alpha}: {model.n_iter_} steps")
    report.at_most("seconds at the default alpha", times["Huber, 1.0"], SECONDS)
    report.finish()


if __name__ == "__main__":
    main()
