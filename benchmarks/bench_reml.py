"""Estimate variance components of 1000 tasks by restricted likelihood (row 2).

statsmodels' MixedLM fits the same model: an independent random intercept and five
random slopes per task, each with its own variance.
"""

from _harness import QUICK, Report, related_tasks

# isort: split

import warnings

import numpy as np
from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams

from skmtl.linear_model import MeanRegularizedRegressorCV

SIZE = (30, 20, 2) if QUICK else (1000, 200, 5)


def fit_peer(rows, target, task):
    """Fit random coefficients with a diagonal covariance."""
    design = np.column_stack([np.ones(len(rows)), rows])
    n = design.shape[1]
    free = MixedLMParams.from_components(np.ones(n), np.eye(n))
    model = MixedLM(target, design, task, exog_re=design)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # variances near zero, on tiny data
        return model.fit(reml=True, free=free, method="lbfgs")


def criterion(X, y, alpha, alpha_intercept):
    """Return -2 times the profiled restricted log likelihood, from its definition."""
    n_tasks, n_rows, _ = X.shape
    design = np.concatenate([np.ones((n_tasks, n_rows, 1)), X], axis=2)
    spread = design / np.sqrt(np.append(alpha_intercept, alpha))
    covariance = np.eye(n_rows) + spread @ spread.transpose(0, 2, 1)
    solved = np.linalg.solve(covariance, np.dstack([design, y]))
    product = (np.dstack([design, y]).transpose(0, 2, 1) @ solved).sum(axis=0)
    curvature, cross, square = product[:-1, :-1], product[:-1, -1], product[-1, -1]
    n_left = n_tasks * n_rows - len(curvature)
    noise = (square - cross @ np.linalg.solve(curvature, cross)) / n_left
    determinants = np.linalg.slogdet(covariance)[1].sum()
    determinants += np.linalg.slogdet(curvature)[1]
    return n_left * (1 + np.log(2 * np.pi * noise)) + determinants


def main():
    """Compare times at equal criterion."""
    X, y = related_tasks(*SIZE)
    rows, target = X.reshape(-1, X.shape[2]), y.ravel()
    task = np.repeat(np.arange(len(X)), X.shape[1])

    def fit():
        model = MeanRegularizedRegressorCV(method="reml", alpha_structure="per_feature")
        return model.fit(rows, target, task=task)

    report = Report("Variance components by restricted likelihood", "statsmodels")
    name, other = "skmtl", "statsmodels MixedLM(lbfgs)"
    contenders = {name: fit, other: lambda: fit_peer(rows, target, task)}
    seconds, models = report.time(contenders, repeats=11, slow=[other])
    ours, peer = models[name], models[other]
    values = criterion(X, y, ours.alpha_, ours.alpha_intercept_)
    variances = peer.scale / np.diag(peer.cov_re)
    reached = criterion(X, y, variances[1:], variances[0])
    print(f"criterion: {values:.4f} (skmtl), {reached:.4f} (statsmodels)")
    report.agree("criterion above statsmodels'", max(0, values - reached), 1e-3)
    report.at_least("row 2, MixedLM / skmtl", seconds[other] / seconds[name], 200)
    report.finish()


if __name__ == "__main__":
    main()
