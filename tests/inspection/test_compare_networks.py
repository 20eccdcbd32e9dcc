"""Networks among the models compared: does a network pay?"""

from dataclasses import replace

import numpy as np
import pytest
from cases import parametrize
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl.compose import IndependentTasks, PooledTasks
from skmtl.inspection import compare_tasks
from skmtl.inspection._contrasts import find_contrasts
from skmtl.linear_model import (
    MeanRegularizedClassifier,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskRidge,
)
from skmtl.neural_network import MultiTaskMLPClassifier, MultiTaskMLPRegressor

SMALL = {"hidden_layer_sizes": 16, "activation": "tanh", "random_state": 0}


def _make_curves(n_tasks=4, n_rows=40):
    """Rows of tasks that share a curve, with the task in the last column."""
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(n_tasks), n_rows)
    x = rng.uniform(-2, 2, len(task))
    curve = np.cos(2 * x) + 0.2 * task
    return np.column_stack([x, task]), curve, rng


def _scale(net):
    return make_pipeline(StandardScaler(), net)


def test_a_network_beats_linear_models_of_a_curve():
    X, curve, rng = _make_curves()
    y = curve + 0.3 * rng.normal(size=len(X))
    models = [MeanRegularizedRegressorCV(), _scale(MultiTaskMLPRegressor(**SMALL))]
    found = compare_tasks(models, X, y, task_column=-1, cv=3, random_state=0)
    assert found.recommended == "MultiTaskMLPRegressor"
    assert found.verdict == "'MultiTaskMLPRegressor' predicts better"
    assert found.recommendation.startswith("Use 'MultiTaskMLPRegressor': its MSE of")
    assert "below that of 'MeanRegularizedRegressorCV'" in found.recommendation
    assert "haring" not in found.recommendation


NETWORKS = {
    "mse": (MeanRegularizedRegressor(), MultiTaskMLPRegressor(**SMALL)),
    "poisson_deviance": (
        MeanRegularizedPoissonRegressor(),
        MultiTaskMLPRegressor(**SMALL, loss="poisson"),
    ),
    "log_loss": (MeanRegularizedClassifier(), MultiTaskMLPClassifier(**SMALL)),
    "error": (MeanRegularizedClassifier(), MultiTaskMLPClassifier(**SMALL)),
}


def _draw(metric, curve, rng):
    counts = rng.poisson(np.exp(curve)).astype(float)
    kinds = {"mse": curve, "poisson_deviance": counts}
    return kinds.get(metric, (curve > 0.3).astype(float))


@parametrize("metric", list(NETWORKS), short=["poisson_deviance"])
def test_a_column_and_the_keyword_declare_the_same_tasks(metric):
    X, curve, rng = _make_curves()
    y = _draw(metric, curve, rng)
    options = {"cv": 2, "random_state": 0, "metric": metric}
    column = compare_tasks(NETWORKS[metric], X, y, task_column=-1, **options)
    keyword = compare_tasks(NETWORKS[metric], X[:, :1], y, task=X[:, 1], **options)
    np.testing.assert_allclose(column.errors, keyword.errors, rtol=1e-8)
    assert column.errors[1] < column.errors[0]


@parametrize("metric", list(NETWORKS), short=["log_loss"])
def test_networks_predict_observed_cells_of_a_2d_target(metric):
    X, curve, rng = _make_curves(1, 90)
    Y = np.column_stack([_draw(metric, curve + shift, rng) for shift in (0, 0.2)])
    Y[rng.random(Y.shape) < 0.2] = np.nan
    models = NETWORKS[metric]
    found = compare_tasks(models, X[:, :1], Y, cv=2, random_state=0, metric=metric)
    np.testing.assert_array_equal(found.n_rows, (~np.isnan(Y)).sum(axis=0))
    assert found.errors[1] < found.errors[0]


APART = MultiTaskMLPRegressor(sharing="independent")
CONTRASTS = {
    "networks": (APART, [(MultiTaskMLPRegressor(), True)]),
    "a search": (
        GridSearchCV(APART, {"alpha": [1.0]}),
        [(_scale(MultiTaskMLPRegressor()), True), (MultiTaskRidge(), False)],
    ),
    "linear": (
        MultiTaskRidge(),
        [
            (MeanRegularizedRegressor(), True),
            (MultiTaskMLPRegressor(), False),
            (MultiTaskRidge(2.0), False),
        ],
    ),
    "a shared network": (MultiTaskMLPRegressor(), [(MultiTaskRidge(), False)]),
    "a shared model": (
        MeanRegularizedRegressor(),
        [(MultiTaskMLPRegressor(), False), (MeanRegularizedRegressor(2.0), False)],
    ),
    "a wrapper": (
        IndependentTasks(KNeighborsRegressor()),
        [(PooledTasks(KNeighborsRegressor()), True)],
    ),
    "other packages": (KNeighborsRegressor(), [(MeanRegularizedRegressor(), True)]),
}


@pytest.mark.parametrize("name", CONTRASTS)
def test_only_like_models_differ_by_sharing(name):
    base, others = CONTRASTS[name]
    models = {"base": base, **{str(i): each for i, (each, _) in enumerate(others)}}
    found = find_contrasts(models, "base")
    assert found[1:] == tuple(expected for _, expected in others)


def test_a_model_named_independent_does_not_share():
    apart = MeanRegularizedClassifier(alpha_shared=1e12)
    models = {"independent": apart, "shared": MeanRegularizedClassifier()}
    assert find_contrasts(models, "independent")[1]


@pytest.fixture(scope="module")
def of_sharing():
    """Networks with and without sharing."""
    X, curve, _ = _make_curves(3, 12)
    nets = {
        name: MultiTaskMLPRegressor(2, sharing=name, tol=1.0)
        for name in ("independent", "hard")
    }
    return compare_tasks(nets, X, curve, task_column=-1, cv=3, random_state=0)


# Errors of both models in three folds, and the verdict on sharing and on a model.
VERDICTS = [
    ([[9, 9.1, 9], [5, 5, 5]], "Sharing helps", "'hard' predicts better"),
    (
        [[5, 5.5, 6], [4.9, 5.2, 5.5]],
        "Sharing seems to help",
        "'hard' seems to predict better",
    ),
    ([[5, 5, 6], [5.5, 5, 5.4]], "No clear difference", "No clear difference"),
    (
        [[4.9, 5.2, 5.5], [5, 5.5, 6]],
        "Sharing seems not to help",
        "'hard' seems not to predict better",
    ),
    ([[5, 5, 5], [9, 9.1, 9]], "Sharing does not help", "'hard' does not predict"),
]


@pytest.mark.parametrize(("errors", "sharing", "other"), VERDICTS)
def test_the_recommendation_names_what_a_gain_is_due_to(
    of_sharing, errors, sharing, other
):
    assert of_sharing.differs_by_sharing == (False, True)
    by_sharing = replace(of_sharing, fold_errors=np.array(errors))
    by_model = replace(by_sharing, differs_by_sharing=(False, False))
    assert by_sharing.verdict == sharing
    assert by_model.verdict.startswith(other)
    assert "haring" in by_sharing.recommendation
    assert "haring" not in by_model.recommendation
    assert by_model.recommended == by_sharing.recommended
