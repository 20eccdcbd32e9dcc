"""Estimate variance components of classes by Laplace's method (row 14).

glmer of lme4 fits the same model in R, ``y ~ x + (1 + x || task)``, with ``nAGQ=1``,
and with ``nAGQ=0``, which does not optimise the fixed effects. It reads the same rows
from a file and measures its own processor time. skmtl integrates over the fixed
effects, which glmer maximises: both criteria are computed here, at the variances that
each found. Without R, only skmtl is timed.
"""

from _harness import QUICK, Report

# isort: split

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit

from skmtl.linear_model import MeanRegularizedClassifierCV

# Tasks, rows per task and features.
SIZES = [(15, 30, 2)] if QUICK else [(50, 60, 3), (500, 40, 3)]
BUDGETS = {1: 20, 0: 5}
SCRIPT = """
suppressMessages(library(lme4))
rows <- read.csv("{file}"); rows$task <- factor(rows$task)
cat(R.version.string, as.character(packageVersion("lme4")), sep="|"); cat("\\n")
for (nodes in c(1, 0)) {{
  start <- proc.time()
  model <- suppressMessages(suppressWarnings(
    glmer(y ~ {x} + (1 + {x} || task), rows, binomial, nAGQ=nodes)))
  time <- proc.time() - start
  cat(sprintf("%.12g", c(time[["user.self"]] + time[["sys.self"]], logLik(model),
    fixef(model), as.data.frame(VarCorr(model))$vcov)), "\\n")
}}
"""


def draw(n_tasks, n_rows, n_features):
    """Draw rows (n_tasks, n_rows, 1 + n_features) with ones, and classes."""
    rng = np.random.default_rng(n_tasks)
    X = rng.normal(size=(n_tasks, n_rows, n_features))
    own = rng.normal(size=(n_tasks, n_features + 1)) * np.linspace(
        0.4, 1, n_features + 1
    )
    X = np.concatenate([np.ones((n_tasks, n_rows, 1)), X], axis=2)
    raw = np.matmul(X, (own + 0.3)[:, :, None])[:, :, 0]
    return X, (rng.random(raw.shape) < expit(raw)).astype(float)


class Criteria:
    """Log likelihoods of variances of intercepts and features, by Laplace's method."""

    def __init__(self, X, y, variances):
        self.X, self.y, self.variances = X, y, np.asarray(variances)
        self.own = np.zeros((len(X), X.shape[2]))

    def _solve(self, centre):
        """Return the loss at the best own parts, its gradient and its Hessians."""
        X, precisions = self.X, 1 / self.variances
        for _ in range(50):
            z = np.matmul(X, (centre + self.own)[:, :, None])[:, :, 0]
            mean = expit(z)
            slope = np.einsum("tij,ti->tj", X, mean - self.y)
            hessians = np.einsum("tij,ti,tik->tjk", X, mean * (1 - mean), X)
            blocks = hessians + np.diag(precisions)
            gradient = slope + precisions * self.own
            if np.abs(gradient).max() < 1e-9:
                break
            self.own -= np.linalg.solve(blocks, gradient[:, :, None])[:, :, 0]
        loss = np.logaddexp(0, z).sum() - (self.y * z).sum()
        loss += (precisions * self.own**2).sum() / 2
        return loss, slope.sum(axis=0), hessians, blocks

    def given(self, centre):
        """Return the log likelihood of fixed effects, which is that of glmer."""
        loss, _, _, blocks = self._solve(centre)
        determinants = np.linalg.slogdet(blocks * self.variances)[1]
        return -loss - determinants.sum() / 2

    def maximised(self, centre):
        """Return its maximum over fixed effects."""
        return -minimize(lambda x: -self.given(x), centre, method="BFGS").fun

    def integrated(self, centre):
        """Return the log likelihood after integration over fixed effects."""
        for _ in range(50):
            _, slope, hessians, blocks = self._solve(centre)
            curved = np.linalg.solve(blocks, hessians) / self.variances[:, None]
            total = curved.sum(axis=0)
            centre = centre - np.linalg.solve(total, slope)
        flat = len(centre) * np.log(2 * np.pi) - np.linalg.slogdet(total)[1]
        return self.given(centre) + flat / 2


def run_glmer(X, y):
    """Return versions, and by nAGQ: seconds, log likelihood, effects and variances."""
    n_tasks, n_rows, n_columns = X.shape
    names = [f"x{j}" for j in range(1, n_columns)]
    table = pd.DataFrame(X.reshape(-1, n_columns)[:, 1:], columns=names)
    table = table.assign(y=y.ravel(), task=np.repeat(np.arange(n_tasks), n_rows))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"
        table.to_csv(file, index=False)
        script = SCRIPT.format(file=file.as_posix(), x=" + ".join(names))
        done = subprocess.run(
            ["Rscript", "-e", script], capture_output=True, text=True, check=True
        )
    versions, *lines = done.stdout.strip().split("\n")
    found = {}
    for nodes, line in zip((1, 0), lines, strict=True):
        seconds, value, *rest = map(float, line.split())
        found[nodes] = seconds, value, rest[:n_columns], rest[n_columns:]
    return versions, found


def compare(report, size):
    """Compare times and criteria at one size."""
    X, y = draw(*size)
    rows, task = (
        X.reshape(-1, X.shape[2])[:, 1:],
        np.repeat(np.arange(size[0]), size[1]),
    )

    def fit():
        model = MeanRegularizedClassifierCV(
            alphas_shared=[0.0], method="laplace", alpha_structure="per_feature"
        )
        return model.fit(rows, y.ravel(), task=task)

    title = "{} tasks x {} rows x {}".format(*size)
    print(f"{title}\n")
    seconds, models = report.time({"skmtl": fit}, repeats=7)
    ours = models["skmtl"]
    if shutil.which("Rscript") is None:
        print("Rscript is not installed: glmer is not timed.\n")
        return
    versions, found = run_glmer(X, y)
    print(f"glmer: {versions.replace('|', ', lme4 ')}")
    variances = [ours.tau2_intercept_, *ours.tau2_]
    centre = np.append(ours.intercept_shared_, ours.coef_shared_)
    at_ours = Criteria(X, y, variances)
    best, ours_maximised = at_ours.integrated(centre), at_ours.maximised(centre)
    report.agree("skmtl's criterion, by other code", abs(best - ours.best_score_), 1e-3)
    print(f"skmtl: maximised {ours_maximised:.5f}, integrated {best:.5f}")
    for nodes, (taken, value, effects, theirs) in found.items():
        at = Criteria(X, y, np.maximum(theirs, 1e-10))
        known = at.given(np.array(effects))
        integrated = at.integrated(np.array(effects))
        print(f"nAGQ={nodes}: {taken:.3f} s, log likelihood {value:.5f}")
        print(f"  by other code {known:.5f}, integrated {integrated:.5f}")
        error = abs(known - value) / abs(value)
        report.agree("  glmer's criterion, by other code, relatively", error, 1e-5)
        report.agree("  criterion below glmer's", max(0.0, integrated - best), 1e-3)
        ratio = taken / seconds["skmtl"]
        report.at_least(f"row 14, glmer(nAGQ={nodes}) / skmtl", ratio, BUDGETS[nodes])
    print()


def main():
    """Compare times at equal criterion."""
    report = Report("Variance components of classes by Laplace's method")
    for size in SIZES:
        compare(report, size)
    report.finish()


if __name__ == "__main__":
    main()
