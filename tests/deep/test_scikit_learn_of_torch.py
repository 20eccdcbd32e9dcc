"""scikit-learn's own checks of the estimators in PyTorch."""

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmtl.deep import (
    TorchMultiTaskClassifier,
    TorchMultiTaskRegressor,
)

# Few passes that suffice for the checks' easy data.
QUICK = {
    "hidden_layer_sizes": 20,
    "learning_rate_init": 0.05,
    "alpha": 0.1,
    "max_iter": 60,
    "tol": 1e9,
    "n_iter_no_change": 50,
    "random_state": 0,
}
MODELS = [TorchMultiTaskRegressor(**QUICK), TorchMultiTaskClassifier(**QUICK)]


@pytest.mark.full
@parametrize_with_checks(MODELS)
def test_scikit_learn_finds_nothing_to_complain_about(estimator, check):
    check(estimator)
