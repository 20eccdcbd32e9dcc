"""Training of networks: when it stops, what it keeps, and where it goes on."""

import logging

import numpy as np
import pytest
from cases import parametrize
from drawn_networks import KINDS_OF_CELLS, draw_problem, evaluate
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logit
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skmtl.neural_network import (
    MultiTaskMLP,
    MultiTaskMLPClassifier,
    MultiTaskMLPRegressor,
)
from skmtl.neural_network._sharings import SHARINGS
from skmtl.neural_network._training import LBFGS, Objective, Progress, Stochastic

RNG = np.random.default_rng(0)
TASK = np.repeat(["a", "b", "c"], 40)
X = RNG.normal(size=(120, 3))
Y = np.repeat([1.0, 2.0, -1.0], 40) * np.sin(2 * X[:, 0]) + RNG.normal(size=120)
SMALL = {"hidden_layer_sizes": (8,), "activation": "tanh", "alpha": 0.1}
SMALL["random_state"] = 0
TRAINERS = {"lbfgs": LBFGS(30), "adam": Stochastic(0.03, 10, 30)}
each_solver = pytest.mark.parametrize("solver", TRAINERS)


def stop_at(number):
    return lambda iteration, loss, validation_loss: iteration == number


def recorder(calls, number):
    """Return a callback that records its arguments, and stops at an iteration."""

    def call(*arguments):
        calls.append(arguments)
        return arguments[0] == number

    return call


@each_solver
@pytest.mark.parametrize("cells", KINDS_OF_CELLS)
def test_the_parameters_with_the_lowest_validation_loss_are_kept(solver, cells):
    problem = draw_problem("soft", cells, n_rows=60)
    rows, held = problem.cells.split(0.3, np.random.RandomState(0))
    network = problem.network

    def validate(vector):
        return network.loss(network.parameters(vector).named, *held.batch(None))

    progress = Progress(validate, None, patience=100, tol=0.0)
    objective = Objective(network, rows, problem.strengths)
    rng = np.random.RandomState(0)
    trained = TRAINERS[solver].train(objective, problem.vector, progress, rng)
    losses = trained.validation_losses
    assert len(losses) == 30
    assert validate(trained.vector) == min(losses)
    assert np.argmin(losses) < 29


@pytest.mark.parametrize("cells", KINDS_OF_CELLS)
def test_the_loss_of_a_pass_is_the_mean_over_rows(cells):
    """At a rate of about zero, the batches of 7, 7, 7, 7 and 2 rows are all rows."""
    problem = draw_problem("hard", cells)
    objective = Objective(problem.network, problem.cells, problem.strengths)
    still, rng = Stochastic(1e-300, 7, 1), np.random.RandomState(0)
    progress = Progress(None, None, patience=1, tol=0.0)
    trained = still.train(objective, problem.vector, progress, rng)
    assert_allclose(trained.losses, [evaluate(problem)[0]])


@pytest.mark.parametrize("cells", KINDS_OF_CELLS)
def test_rows_held_out_are_a_fraction_of_each_task(cells):
    problem = draw_problem("hard", cells, n_rows=60)
    rows, held = problem.cells.split(0.3, np.random.RandomState(0))
    assert len(rows) + len(held) == 60
    assert 12 <= len(held) <= 18  # a fraction of the rows with weight
    both = np.concatenate([rows.X, held.X])
    assert_array_equal(np.sort(both, axis=0), np.sort(problem.cells.X, axis=0))
    for part in (rows, held):
        assert_allclose(sum(each.sum() for each in part.weights), 1)


@each_solver
def test_early_stopping_ends_when_the_validation_loss_rises(solver):
    model = MultiTaskMLPRegressor(
        **SMALL,
        solver=solver,
        early_stopping=True,
        n_iter_no_change=5,
        tol=0.0,
        learning_rate_init=0.03,
    )
    model.fit(X, Y, task=TASK)
    losses = model.validation_loss_curve_
    assert len(losses) == model.n_iter_ < 500
    assert np.argmin(losses) == model.n_iter_ - 6
    # The same training, stopped at the lowest validation loss.
    model.set_params(callback=stop_at(model.n_iter_ - 5))
    best = model.predict(X, task=TASK)
    assert_allclose(model.fit(X, Y, task=TASK).predict(X, task=TASK), best)


@each_solver
def test_training_stops_when_the_loss_no_longer_falls_by_tol(solver):
    model = MultiTaskMLPRegressor(
        **SMALL, solver=solver, tol=1e-2, n_iter_no_change=4, learning_rate_init=0.01
    )
    losses = model.fit(X, Y, task=TASK).loss_curve_
    assert min(losses[-4:]) > min(losses[:-4]) - 1e-2
    assert min(losses[-5:-1]) <= min(losses[:-5]) - 1e-2
    assert model.loss_ == losses[-1]


@each_solver
def test_the_callback_gets_losses_and_stops(solver):
    calls = []
    model = MultiTaskMLPRegressor(**SMALL, solver=solver, callback=recorder(calls, 3))
    model.fit(X, Y, task=TASK)
    assert calls == [(k + 1, loss, None) for k, loss in enumerate(model.loss_curve_)]
    assert model.n_iter_ == len(calls) == 3
    calls.clear()
    model.set_params(early_stopping=True).fit(X, Y, task=TASK)
    pairs = zip(model.loss_curve_, model.validation_loss_curve_, strict=True)
    assert calls == [(k + 1, *pair) for k, pair in enumerate(pairs)]


def test_losses_are_logged(caplog):
    model = MultiTaskMLPRegressor(**SMALL, callback=stop_at(2))
    with caplog.at_level(logging.INFO, logger="skmtl"):
        model.fit(X, Y, task=TASK)
    lines = [
        f"iteration {k + 1}: loss {loss:.6g}"
        for k, loss in enumerate(model.loss_curve_)
    ]
    assert caplog.messages == lines


def test_too_few_iterations_warn():
    model = MultiTaskMLPRegressor(**SMALL, max_iter=2, solver="adam")
    with pytest.warns(ConvergenceWarning, match="still falls after max_iter=2"):
        model.fit(X, Y, task=TASK)
    assert model.n_iter_ == 2


@each_solver
def test_a_warm_start_goes_on(solver):
    model = MultiTaskMLPRegressor(
        **SMALL, solver=solver, warm_start=True, callback=stop_at(10)
    )
    first = model.fit(X, Y, task=TASK).loss_curve_
    second = model.fit(X, Y, task=TASK).loss_curve_
    assert second[0] < first[-1]
    assert second[-1] < second[0]
    cold = model.set_params(warm_start=False).fit(X, Y, task=TASK)
    assert_allclose(cold.loss_curve_, first)


def test_a_warm_start_with_other_tasks_starts_again():
    model = MultiTaskMLPRegressor(**SMALL, warm_start=True, callback=stop_at(5))
    model.fit(X, Y, task=TASK)
    other = np.repeat(["a", "b", "d"], 40)
    found = model.fit(X, Y, task=other).loss_curve_
    model.set_params(warm_start=False)
    assert_allclose(found, model.fit(X, Y, task=other).loss_curve_)


@parametrize("sharing", list(SHARINGS), ["mmoe"])
def test_batches_of_all_rows_are_iterations_of_fit(sharing):
    given = {**SMALL, "sharing": sharing, "batch_size": 120, "solver": "adam"}
    fitted = MultiTaskMLPRegressor(**given, callback=stop_at(20)).fit(X, Y, task=TASK)
    batches = MultiTaskMLPRegressor(**given)
    for _ in range(20):
        batches.partial_fit(X, Y, task=TASK)
    assert_allclose(batches.loss_curve_, fitted.loss_curve_, rtol=1e-10)
    assert_allclose(
        batches.predict(X, task=TASK), fitted.predict(X, task=TASK), rtol=1e-8
    )


MODELS = {
    "numbers": (MultiTaskMLPRegressor(**SMALL), Y),
    "counts": (MultiTaskMLPRegressor(loss="poisson", **SMALL), np.exp(Y).round()),
    "two classes": (MultiTaskMLPClassifier(**SMALL), 1 * (Y > 0)),
    "three classes": (MultiTaskMLPClassifier(**SMALL), np.digitize(Y, [-0.5, 0.5])),
    "mixed": (MultiTaskMLP(**SMALL), Y),
}


@pytest.mark.full
@pytest.mark.parametrize("name", MODELS)
def test_shuffled_batches_reach_the_score_of_fit(name):
    model, y = MODELS[name]
    model = clone(model).set_params(learning_rate_init=0.03, batch_size=40)
    fitted = clone(model).set_params(solver="adam", callback=stop_at(100))
    fitted.fit(X, y, task=TASK)
    # The penalty is divided by the weight of a batch, a third of that of all rows.
    batches = clone(model).set_params(alpha=model.alpha / 3)
    batches.partial_fit(X, y, task=TASK)
    start, rng = batches.score(X, y, task=TASK), np.random.default_rng(0)
    for _ in range(100):
        for rows in rng.permutation(120).reshape(3, 40):
            batches.partial_fit(X[rows], y[rows], task=TASK[rows])
    score = fitted.score(X, y, task=TASK)
    assert batches.score(X, y, task=TASK) > score - 0.1 > start + 0.1


def test_batches_of_columns_are_batches_of_rows():
    """The second batch lacks a task and a row of another."""
    columns, rows = (MultiTaskMLPRegressor(**SMALL) for _ in range(2))
    Z = Y.reshape(3, 40).T
    columns.partial_fit(X[:40], Z)
    rows.partial_fit(np.tile(X[:40], (3, 1)), Y, task=np.repeat([0, 1, 2], 40))
    Z = np.column_stack([Z[:, 0], np.full(40, np.nan), Z[:, 2]])
    columns.partial_fit(X[40:80], Z)
    rows.partial_fit(
        np.tile(X[40:80], (2, 1)), np.append(Y[:40], Y[80:]), task=np.repeat([0, 2], 40)
    )
    assert_allclose(columns.loss_curve_, rows.loss_curve_, rtol=1e-10)


@parametrize("sharing", list(SHARINGS), ["soft"])
def test_unseen_tasks_are_predicted_by_the_mean_of_all_tasks(sharing):
    given = {**SMALL, "sharing": sharing, "callback": stop_at(10)}
    model = MultiTaskMLPRegressor(**given).fit(X, Y, task=TASK)
    mean = np.mean([model.predict(X, task=label) for label in "abc"], axis=0)
    assert_allclose(model.predict(X, task="new"), mean, atol=1e-12)


def test_unseen_tasks_of_counts_and_classes_average_raw_predictions():
    counts = clone(MODELS["counts"][0]).fit(X, np.exp(Y).round(), task=TASK)
    logs = [np.log(counts.predict(X, task=label)) for label in "abc"]
    assert_allclose(np.log(counts.predict(X, task="new")), np.mean(logs, axis=0))
    classes = clone(MODELS["two classes"][0]).fit(X, 1 * (Y > 0), task=TASK)
    odds = [logit(classes.predict_proba(X, task=label)[:, 1]) for label in "abc"]
    found = classes.predict_proba(X, task="new")[:, 1]
    assert_allclose(logit(found), np.mean(odds, axis=0), rtol=1e-6, atol=1e-6)


def test_unseen_tasks_as_inputs_get_the_mean_encoding():
    given = {**SMALL, "task_encoding": True, "activation": "identity"}
    model = MultiTaskMLPRegressor(**given, callback=stop_at(10)).fit(X, Y, task=TASK)
    weights = model.parameters_
    encoding = weights["trunk_encoding"][0]
    assert encoding.shape == (3, 8)
    features = X @ weights["trunk_weight_0"][0].T + weights["trunk_bias_0"][0]
    assert_allclose(
        model.shared_features(X, TASK), features + encoding.repeat(40, axis=0)
    )
    assert_allclose(
        model.shared_features(X, "new"), features + encoding.mean(axis=0), atol=1e-12
    )


def test_learnt_variances_find_the_noise_of_tasks():
    noise = np.repeat([0.1, 0.3, 1.0], 40)
    y = X[:, 0] + noise * np.random.default_rng(1).normal(size=120)
    model = MultiTaskMLPRegressor(
        **{**SMALL, "activation": "identity"},
        weighting="uncertainty",
        normalize_y=False,
        learning_rate_init=0.01,
        max_iter=3000,
    )
    model.fit(X, y, task=TASK)
    residuals = (y - model.predict(X, task=TASK)).reshape(3, 40)
    expected = np.log((residuals**2).mean(axis=1))
    # Variances are parameters that Adam has not fully trained.
    assert_allclose(model.task_log_variances_, expected, atol=0.1)


@pytest.mark.full
def test_learnt_variances_of_large_counts_are_bounded():
    """Losses of counts above e are negative, and would all be divided by zero."""
    counts = np.random.default_rng(1).poisson(20, size=120)
    model = MultiTaskMLPRegressor(**SMALL, loss="poisson", learning_rate_init=0.01)
    model.set_params(weighting="uncertainty", max_iter=2000)
    variances = np.exp(model.fit(X, counts, task=TASK).task_log_variances_)
    means = model.predict(X, task=TASK), counts.reshape(3, 40).mean(axis=1).repeat(40)
    deviance, of_constant = (
        (counts * np.log(counts / mean) - counts + mean).reshape(3, 40).mean(axis=1)
        for mean in means
    )
    # Variances are parameters that Adam has not fully trained.
    assert_allclose(variances, deviance / of_constant, rtol=0.1)
