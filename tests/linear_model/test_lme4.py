"""Restricted likelihood is that of mixed models, with lme4 as the oracle."""

import shutil
import subprocess

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmtl.linear_model import MeanRegularizedRegressorCV

SLEEPSTUDY = "lme4::sleepstudy[, c('Subject', 'Reaction', 'Days')]"
OXBOYS = (
    "cbind(nlme::Oxboys[, c('Subject', 'height', 'age')], square = nlme::Oxboys$age^2)"
)
# Prints the criterion, and the rows: task, target and features.
SCRIPT = """
suppressMessages(library(lme4))
rows <- as.data.frame({data})
names(rows)[1:2] <- c("task", "y")
rows$task <- as.integer(factor(as.character(rows$task)))
x <- paste(names(rows)[-(1:2)], collapse = " + ")
model <- as.formula(paste("y ~", x, "+ (1 +", x, "{bars} task)"))
tight <- lmerControl("bobyqa", optCtrl = list(rhobeg = 2e-3, rhoend = 1e-11))
cat(sprintf("%.17g\\n", REMLcrit(lmer(model, rows, control = tight))))
for (row in 1:nrow(rows)) cat(sprintf("%.17g", unlist(rows[row, ])), "\\n")
"""


def run_r(script):
    command = ["Rscript", "-e", script]
    return subprocess.run(command, capture_output=True, text=True, check=False)


each_structure = pytest.mark.parametrize(
    ("structure", "bars"), [("covariance", "|"), ("per_feature", "||")]
)


def fit(X, y, task, structure):
    """Return a mixed model with a fixed centre."""
    model = MeanRegularizedRegressorCV(
        method="reml", alphas_shared=[0.0], alpha_structure=structure
    )
    return model.fit(X, y, task=task)


def rows_of_a_formula():
    task, row = np.repeat(np.arange(20), 8), np.tile(np.arange(8), 20)
    X = np.column_stack(
        [np.sin(1.7 * task + 2.3 * row), np.cos(0.9 * task + 1.1 * row)]
    )
    first, second = np.sin(5.1 * task), np.cos(7.3 * task)
    own = np.column_stack([first, 0.4 * second + 0.5 * first])
    y = 1 + X @ [1, -1] + (X * own).sum(axis=1) + np.sin(3.7 * task) + 0.7 * first
    return X, y + 0.5 * np.sin(11.3 * task + 4.9 * row**2), task


# Of lme4 1.1-31, REMLcrit and VarCorr of y ~ a + b + (1 + a + b | task), and || task.
@pytest.mark.parametrize(
    ("structure", "criterion", "variances"),
    [
        ("covariance", 275.42580724, [0.54040534, 0.097384965, 0.89347913]),
        ("per_feature", 291.95657396, [0.54353932, 0.09565458, 0.89298652]),
    ],
)
def test_the_criterion_is_that_of_stored_mixed_models(structure, criterion, variances):
    model = fit(*rows_of_a_formula(), structure)
    assert_allclose(-2 * model.best_score_, criterion, atol=1e-6)
    assert_allclose(np.diag(model.coef_covariance_), variances, rtol=1e-4)


def test_the_covariance_is_that_of_a_stored_mixed_model():
    model = fit(*rows_of_a_formula(), "covariance")
    covariances = model.coef_covariance_[np.triu_indices(3, 1)]
    assert_allclose(covariances, [0.13371653, 0.47870173, 0.15080867], rtol=1e-5)
    assert_allclose(model.sigma2_**0.5, 0.355581385, rtol=1e-6)


@pytest.mark.peers
@each_structure
@pytest.mark.parametrize(
    ("data", "stored"), [(SLEEPSTUDY, {"|": 1743.6283}), (OXBOYS, {})]
)
def test_no_mixed_model_of_lme4_is_likelier(data, stored, structure, bars):
    if shutil.which("Rscript") is None or run_r("library(lme4)").returncode:
        pytest.skip("R's lme4 is not installed")
    first, *rest = run_r(SCRIPT.format(data=data, bars=bars)).stdout.splitlines()
    table = np.array([line.split() for line in rest], dtype=float)
    model = fit(table[:, 2:], table[:, 1], table[:, 0].astype(int), structure)
    assert_allclose(-2 * model.best_score_, float(first), atol=1e-6)
    assert_allclose(float(first), stored.get(bars, float(first)), atol=1e-4)
