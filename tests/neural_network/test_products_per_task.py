"""Products per task are the same by copies of weights and task by task."""

import numpy as np
import pytest

from skmtl.neural_network import _batches

N_TASKS, N_OUTPUTS, N_FEATURES = 5, 3, 4


def _products(monkeypatch, least):
    monkeypatch.setattr(_batches, "_MANY_NUMBERS", least)
    rng = np.random.default_rng(0)
    # Task 3 has no row.
    codes = np.array([0, 0, 0, 1, 2, 2, 4])
    weight = rng.normal(size=(N_TASKS, N_OUTPUTS, N_FEATURES))
    features = rng.normal(size=(len(codes), N_FEATURES))
    outputs = rng.normal(size=(len(codes), N_OUTPUTS))
    batch = _batches.OwnRows(features, codes)
    return (
        batch.apply(weight, features),
        batch.weight_gradient(outputs, features, N_TASKS),
        batch.feature_gradient(weight, outputs, shared=False),
    )


@pytest.mark.parametrize("number", range(3))
def test_products_by_copies_are_those_task_by_task(monkeypatch, number):
    by_copies = _products(monkeypatch, np.inf)[number]
    by_task = _products(monkeypatch, 0)[number]
    # Sums of at most four products in another order.
    np.testing.assert_allclose(by_copies, by_task, rtol=0, atol=1e-13)
