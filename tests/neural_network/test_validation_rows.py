"""Validation rows have targets with weight, and leave each task some to train on."""

import numpy as np
import pytest

from skmtl.neural_network import MultiTaskMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore:The loss still falls")


def stopped(**parameters):
    return MultiTaskMLPRegressor(
        4, early_stopping=True, max_iter=30, tol=1.0, **parameters
    )


@pytest.mark.parametrize("seed", range(5))
def test_rows_without_targets_are_not_held_out(seed):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(90, 3)), rng.normal(size=(90, 2))
    Y[6:] = np.nan
    model = stopped(random_state=seed).fit(X, Y)
    assert np.isfinite(model.validation_loss_curve_).all()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("layout", ["labels", "columns"])
def test_a_task_keeps_a_target_to_train_on(layout, seed):
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=(40, 3)), np.full((40, 2), np.nan)
    Y[:, 0], Y[:2, 1] = rng.normal(size=40), 500.0
    model = stopped(random_state=seed, normalize_y=False, alpha=1e-3, activation="tanh")
    y, task = np.r_[Y[:, 0], 500.0, 500.0], np.repeat([0, 1], [40, 2])
    given = {
        "columns": {"X": X, "y": Y},
        "labels": {"X": np.concatenate([X, X[:2]]), "y": y, "task": task},
    }[layout]
    model.set_params(max_iter=300, tol=1e-6).fit(**given)
    assert model.parameters_["head_bias"][1] != 0  # it was trained


def test_tasks_of_one_row_cannot_be_held_out():
    X = np.arange(6.0).reshape(3, 2)
    with pytest.raises(ValueError, match="early_stopping=True holds out rows"):
        stopped().fit(X, [1.0, 2.0, 3.0], task=[0, 1, 2])
