"""Restricted likelihood of several groupings is that of lme4 and of statsmodels."""

import io
import shutil
import subprocess
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmtl.linear_model import MeanRegularizedRegressorCV

pytestmark = pytest.mark.peers

REML = {"alphas_shared": [0.0], "method": "reml"}
NONE = [np.inf]


def waves():
    """Return rows of 13 and 9 labels, most of them crossed, without random numbers."""
    i = np.arange(240)

    def wave(k, frequency):
        return np.sin(frequency * k + 0.3 * k**2)

    a, b, x = (7 * i) % 13, (i * i + 3 * i) % 9, 2 * wave(i, 1.7) + 0.5
    y = 3 + 0.8 * x + 1.2 * wave(a, 2.1) + 0.7 * wave(b, 0.9)
    y += 0.4 * x * wave(a, 1.3) + 0.6 * wave(i, 5.3) + 0.4 * wave(i, 2.9)
    return pd.DataFrame({"a": a, "b": b, "x": x}), y


# Of lme4 1.1-31 with bobyqa and rhoend=1e-11: columns, groupings with slopes, REML
# criterion, variances of own intercepts and of the noise.
KNOWN = {
    "y ~ x + (1|a) + (1|b)": (
        ["a", "b"], [], 540.0078873457869, [0.8753483835, 0.1095540048], 0.433368421446
    ),
    "y ~ x + (1|a) + (1|a:b)": (
        ["a", ("a", "b")],
        [],
        561.6058173298686,
        [0.8547194342, 0.1265577316],
        0.427028054584,
    ),
    "y ~ x + (1 + x||a) + (1|b)": (
        ["a", "b"], ["a"], 453.8834660803639, [0.678111424, 0.1213876168], 0.25998734942
    ),
    "y ~ x + (1|a) + (1|b) + (1|a:b)": (
        ["a", "b", ("a", "b")],
        [],
        539.9800362339732,
        [0.875167795167, 0.109081691347, 0.004025273275],
        0.430415828948,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "slopes", "criterion", "variances", "noise"), KNOWN.values(), ids=KNOWN
)
def test_numbers_of_lme4(columns, slopes, criterion, variances, noise):
    X, y = waves()
    alphas = {name: None if name in slopes else NONE for name in columns}
    model = MeanRegularizedRegressorCV(alphas, task_column=columns, **REML).fit(X, y)
    assert -2 * model.best_score_ == pytest.approx(criterion, abs=1e-6)
    assert_allclose(list(model.tau2_intercept_.values()), variances, rtol=2e-3)
    assert model.sigma2_ == pytest.approx(noise, rel=1e-4)


SETS = {
    "Penicillin": ("diameter", ["plate", "sample"]),
    "Pastes": ("strength", ["batch", "sample"]),
    "InstEval": ("y", ["s", "d"]),
}
SCRIPT = """
suppressMessages(library(lme4))
control <- lmerControl(optimizer="bobyqa", optCtrl=list(rhoend=1e-10),
                       calc.derivs=FALSE)
data <- {name}
model <- lmer({y} ~ 1 + (1|{a}) + (1|{b}), data, control=control)
cat(format(REMLcrit(model), digits=16), "\\n")
write.csv(data, row.names=FALSE)
"""


@pytest.mark.full
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
@pytest.mark.parametrize(("name", "y", "groups"), [(k, *v) for k, v in SETS.items()])
def test_data_of_lme4(name, y, groups):
    script = SCRIPT.format(name=name, y=y, a=groups[0], b=groups[1])
    ran = subprocess.run(
        ["Rscript", "-e", script], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    criterion, _, table = ran.stdout.partition("\n")
    table = pd.read_csv(io.StringIO(table))
    X = table[groups].assign(nothing=0.0)
    model = MeanRegularizedRegressorCV(NONE, task_column=groups, **REML)
    model.fit(X, table[y])
    assert -2 * model.best_score_ == pytest.approx(float(criterion), abs=1e-6)


@pytest.mark.full
def test_variances_of_statsmodels():
    api = pytest.importorskip(
        "statsmodels.formula.api", reason="statsmodels is missing"
    )
    X, y = waves()
    components = {"a": "0 + C(a)", "b": "0 + C(b)"}
    table = X.assign(y=y, everything=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = api.mixedlm(
            "y ~ x", table, groups="everything", vc_formula=components, re_formula="0"
        ).fit(reml=True, gtol=1e-10)
    model = MeanRegularizedRegressorCV(NONE, task_column=["a", "b"], **REML).fit(X, y)
    assert_allclose(peer.vcomp, list(model.tau2_intercept_.values()), rtol=1e-3)
    assert peer.scale == pytest.approx(model.sigma2_, rel=1e-4)
    assert_allclose(peer.fe_params["x"], model.coef_shared_[0], rtol=1e-5)
