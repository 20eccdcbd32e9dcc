"""Displays look as they did. To store new pictures, run this file as a script."""

from pathlib import Path

import numpy as np
import pytest

from skmtl.inspection import (
    CalibrationByTaskDisplay,
    CoefficientHeatmapDisplay,
    ExplanationDisplay,
    ResidualsByTaskDisplay,
    ShrinkagePathDisplay,
    TaskCoefficientsDisplay,
    TaskCovarianceDisplay,
    TaskMapDisplay,
    TaskPartialDependenceDisplay,
)
from skmtl.linear_model import CoefficientPath

matplotlib = pytest.importorskip("matplotlib")

PICTURES = Path(__file__).parent / "pictures"
VERSION = "3.11"  # of matplotlib, which moves text a little from one to the next
TOLERANCE = 8  # root mean square of differences, of 255

TASKS = np.array([f"task {t}" for t in range(8)])
FEATURES = np.array(["age", "income", "size"])
W = np.add.outer(np.linspace(-1, 2, 8) ** 3, [0.5, 1.0, -2.0]) * [1.0, -0.3, 0.2]
LABELS, NOISE = np.repeat(TASKS, 10), np.sin(np.arange(80.0) ** 2)

DRAW = {
    "coefficients": lambda: TaskCoefficientsDisplay(
        tasks=TASKS,
        values=W[:, 0],
        intervals=W[:, [0]] + [-0.5, 0.7],
        shared=1.0,
        name="age",
    ),
    "path": lambda: ShrinkagePathDisplay(
        path=_make_path(), features=FEATURES, alpha=1.0
    ),
    "heat": lambda: CoefficientHeatmapDisplay(tasks=TASKS, features=FEATURES, values=W),
    "map": lambda: TaskMapDisplay(
        tasks=TASKS,
        points=W[:, :2],
        directions=np.eye(2, 3),
        shares=np.array([0.7, 0.2]),
    ),
    "covariance": lambda: TaskCovarianceDisplay(
        names=FEATURES,
        correlations=np.array([[1.0, 0.5, -0.4], [0.5, 1.0, 0.2], [-0.4, 0.2, 1.0]]),
        of="features",
    ),
    "calibration": lambda: CalibrationByTaskDisplay.from_predictions(
        NOISE > 0.2, 1 / (1 + np.exp(-2 * np.cos(np.arange(80.0)))), task=LABELS
    ),
    "residuals": lambda: ResidualsByTaskDisplay.from_predictions(
        NOISE * np.repeat(np.arange(1, 9), 10), np.zeros(80), task=LABELS
    ),
    "dependence": lambda: TaskPartialDependenceDisplay(
        tasks=TASKS,
        grid=np.linspace(0, 1, 5),
        curves=np.outer(W[:, 0], np.linspace(0, 1, 5) ** 2),
        name="age",
        deciles=np.linspace(0.1, 0.9, 9) ** 2,
    ),
    "explanation": lambda: ExplanationDisplay(
        names=FEATURES, shared=W[0], own=W[1], row=3
    ),
}


def _make_path():
    alphas = np.logspace(-3, 3, 13)
    share = 1 / (1 + alphas)[:, None, None]
    centre = W.mean(axis=0)
    return CoefficientPath(
        alphas=alphas,
        tasks=TASKS,
        coef=centre + share * (W - centre),
        intercept=np.zeros((13, 8)),
        coef_shared=np.tile(centre, (13, 1)),
        intercept_shared=np.zeros(13),
    )


def _save(name, folder):
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    with plt.style.context("default"):
        figure = DRAW[name]().plot().figure_
        figure.savefig(folder / f"{name}.png", dpi=40, metadata={"Software": None})
        plt.close("all")
    return str(folder / f"{name}.png")


@pytest.mark.full
@pytest.mark.skipif(
    not matplotlib.__version__.startswith(f"{VERSION}."),
    reason="the stored pictures are of another version of matplotlib",
)
@pytest.mark.parametrize("name", DRAW)
def test_a_picture_looks_like_the_stored_one(name, tmp_path):
    from matplotlib.testing.compare import compare_images

    actual, stored = _save(name, tmp_path), str(PICTURES / f"{name}.png")
    assert compare_images(stored, actual, TOLERANCE) is None


if __name__ == "__main__":
    for each in DRAW:
        print(_save(each, PICTURES))
