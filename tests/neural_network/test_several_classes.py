"""Tasks with more than two classes."""

import numpy as np

from skmtl.neural_network import MultiTaskMLP


def test_a_task_of_three_classes_has_three_probabilities():
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(90, 2)), np.arange(90) % 2
    y = np.where(task == 1, np.digitize(X[:, 0], [-0.5, 0.5]), X[:, 1] > 0)
    losses = {0: "logistic", 1: "multinomial"}
    model = MultiTaskMLP(losses, hidden_layer_sizes=4, alpha=0.1, random_state=0)
    found = model.fit(X, y, task=task).predict_proba(X, task=task)
    np.testing.assert_allclose(found[1][task == 1].sum(axis=1), 1.0)
    assert found[1].shape == (90, 3)
    assert model.score(X, y, task=task) > 0.5
