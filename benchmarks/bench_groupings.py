"""Two crossed groupings by restricted likelihood, at the size of lme4's InstEval.

lmer of lme4 fits the same model, ``y ~ x + (1 | student) + (1 | lecturer)``, in R; it
reads the same rows from a file and measures its own processor time. Without R, only
skmtl is timed.
"""

from _harness import QUICK, Report

# isort: split

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from skmtl.linear_model import MeanRegularizedRegressorCV

# Rows, students and lecturers.
SIZE = (400, 40, 15) if QUICK else (73_421, 2_972, 1_128)
GROUPS = ["student", "lecturer"]
SCRIPT = """
suppressMessages(library(lme4))
rows <- read.csv("{file}")
rows$student <- factor(rows$student); rows$lecturer <- factor(rows$lecturer)
time <- system.time(model <- lmer(y ~ x + (1|student) + (1|lecturer), rows))
cat(format(REMLcrit(model), digits=16), time[["user.self"]] + time[["sys.self"]])
"""


def ratings(n_rows, n_students, n_lecturers):
    """Draw ratings: lecturers have very different numbers of students."""
    rng = np.random.default_rng(0)
    share = rng.gamma(0.7, size=n_lecturers) + 0.05
    student = np.concatenate(
        [np.arange(n_students), rng.integers(0, n_students, n_rows - n_students)]
    )
    lecturer = rng.choice(n_lecturers, n_rows, p=share / share.sum())
    lecturer[:n_lecturers] = np.arange(n_lecturers)
    x = rng.integers(0, 2, n_rows).astype(float)
    y = 3.3 - 0.1 * x + 0.33 * rng.normal(size=n_students)[student]
    y += 0.52 * rng.normal(size=n_lecturers)[lecturer] + 1.18 * rng.normal(size=n_rows)
    return pd.DataFrame({"student": student, "lecturer": lecturer, "x": x, "y": y})


def fit_lmer(rows):
    """Return lmer's criterion and its processor seconds."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"
        rows.to_csv(file, index=False)
        script = SCRIPT.format(file=file.as_posix())
        done = subprocess.run(
            ["Rscript", "-e", script], capture_output=True, text=True, check=True
        )
    return tuple(map(float, done.stdout.split()))


def main():
    """Compare times at equal criterion."""
    rows = ratings(*SIZE)
    X, y = rows.drop(columns="y"), rows["y"].to_numpy()

    def fit(**options):
        model = MeanRegularizedRegressorCV(
            [np.inf], alphas_shared=[0.0], method="reml", task_column=GROUPS
        )
        return model.set_params(**options).fit(X, y)

    report = Report("Two crossed groupings by restricted likelihood")
    contenders = {
        "skmtl, reml": fit,
        "skmtl, loo": lambda: fit(method="loo", alphas_shared=None),
    }
    seconds, models = report.time(contenders, repeats=3)
    criterion = -2 * models["skmtl, reml"].best_score_
    if shutil.which("Rscript") is None:
        print("Rscript is not installed: lmer is not timed.")
        return
    found = [fit_lmer(rows) for _ in range(1 if QUICK else 3)]
    reached, taken = np.median(found, axis=0)
    report.table({"lmer": [each for _, each in found]})
    print(f"criterion: {criterion:.6f} (skmtl), {reached:.6f} (lmer)")
    report.agree("criterion above lmer's", max(0.0, criterion - reached), 1e-5)
    report.at_least("lmer / skmtl, reml", taken / seconds["skmtl, reml"], 1)
    report.finish()


if __name__ == "__main__":
    main()
