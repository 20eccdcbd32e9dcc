"""Estimate variance components by restricted likelihood (rows 2 and 13).

statsmodels' MixedLM fits the same model of 1000 tasks with 200 rows: an independent
random intercept and five random slopes per task, each with its own variance. lmer of
lme4 fits those of 1500 ragged tasks with few rows, ``y ~ x + (1 + x || task)``, and a
full covariance, ``(1 + x | task)``; it reads the same rows from a file and measures its
own processor time in R. Without R, lmer is left out.
"""

from _harness import QUICK, Report, draw_sizes, related_tasks

# isort: split

import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams

from skmtl.linear_model import MeanRegularizedRegressorCV

SIZE = (30, 20, 2) if QUICK else (1000, 200, 5)

# Tasks, mean number of rows, and features; bars of the formula and its budget.
RAGGED = (70, 8) if QUICK else (1500, 20)
FORMULAS = [(3, "||", 30), (3, "|", 10), (1, "|", 10)]
STRUCTURES = {"||": "per_feature", "|": "covariance"}
SCRIPT = """
suppressMessages(library(lme4))
rows <- read.csv("{file}"); rows$task <- factor(rows$task)
cat(R.version.string, ", lme4 ", as.character(packageVersion("lme4")), "\\n", sep="")
for (run in 1:{repeats}) {{
  start <- proc.time()
  model <- suppressMessages(suppressWarnings(
    lmer(y ~ {x} + (1 + {x} {bars} task), rows)))
  time <- proc.time() - start
  cat(sprintf("%.12g", c(time[["user.self"]] + time[["sys.self"]], REMLcrit(model))),
    "\\n")
}}
"""


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


def draw_ragged(n_tasks, n_rows, n_features):
    """Draw rows, targets and tasks; features are correlated, and offset."""
    rng = np.random.default_rng(n_features)
    sizes = draw_sizes(rng, n_tasks, n_rows, is_ragged=True)
    task = np.repeat(np.arange(n_tasks), sizes)
    noise = rng.normal(size=(len(task), n_features + 1))
    X = noise[:, 1:] + 0.6 * noise[:, :-1] + rng.normal(size=n_features)
    own = rng.normal(size=(n_tasks, n_features + 1))
    own[:, 1:] += 0.5 * own[:, :1]
    own *= np.linspace(0.7, 0.4, n_features + 1)
    y = 1 + own[task, 0] + (X * (own[task, 1:] + 0.5)).sum(axis=1)
    return X, y + rng.normal(size=len(y)), task


def fit_lmer(X, y, task, bars):
    """Return versions, and the median seconds and the criterion of lmer."""
    names = [f"x{j}" for j in range(X.shape[1])]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"
        pd.DataFrame(X, columns=names).assign(y=y, task=task).to_csv(file, index=False)
        script = SCRIPT.format(
            file=file.as_posix(), x=" + ".join(names), bars=bars, repeats=3
        )
        done = subprocess.run(
            ["Rscript", "-e", script], capture_output=True, text=True, check=True
        )
    versions, *lines = done.stdout.strip().split("\n")
    found = np.array([line.split() for line in lines], dtype=float)
    return versions, *np.median(found, axis=0)


def compare_ragged(report, n_features, bars, budget):
    """Compare with lmer at few, ragged rows."""
    X, y, task = draw_ragged(*RAGGED, n_features)

    def fit():
        model = MeanRegularizedRegressorCV(
            alphas_shared=[0.0], method="reml", alpha_structure=STRUCTURES[bars]
        )
        return model.fit(X, y, task=task)

    x = " + ".join(f"x{j}" for j in range(n_features))
    title = f"{RAGGED[0]} ragged tasks x {RAGGED[1]} rows, (1 + {x} {bars} task)"
    print(f"\n{title}\n")
    seconds, models = report.time({"skmtl": fit}, repeats=11)
    if shutil.which("Rscript") is None:
        print("Rscript is not installed: lmer is not timed.")
        return
    versions, taken, reached = fit_lmer(X, y, task, bars)
    ours = -2 * models["skmtl"].best_score_
    print(f"{versions}: {taken:.3f} s")
    print(f"criterion: {ours:.6f} (skmtl), {reached:.6f} (lmer)")
    report.agree("criterion above lmer's", max(0.0, ours - reached), 1e-5)
    report.at_least(f"row 13, lmer / skmtl, {title}", taken / seconds["skmtl"], budget)


def main():
    """Compare times at equal criterion."""
    report = Report("Variance components by restricted likelihood", "statsmodels")
    compare_many_rows(report)
    for n_features, bars, budget in FORMULAS:
        compare_ragged(report, n_features, bars, budget)
    report.finish()


def compare_many_rows(report):
    """Compare with MixedLM."""
    X, y = related_tasks(*SIZE)
    rows, target = X.reshape(-1, X.shape[2]), y.ravel()
    task = np.repeat(np.arange(len(X)), X.shape[1])

    def fit():
        model = MeanRegularizedRegressorCV(method="reml", alpha_structure="per_feature")
        return model.fit(rows, target, task=task)

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


if __name__ == "__main__":
    main()
