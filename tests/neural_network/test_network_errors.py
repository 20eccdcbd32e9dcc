"""Bad input of networks is refused, with the reason and a remedy."""

import numpy as np
import pytest

from skmtl.neural_network import (
    MultiTaskMLP,
    MultiTaskMLPClassifier,
    MultiTaskMLPRegressor,
)

RNG = np.random.default_rng(0)
X, TASK = RNG.normal(size=(30, 2)), np.tile(["a", "b", "c"], 10)
Y = RNG.normal(size=30)
CLASSES = np.tile(["u", "v", "w"], 10)[RNG.permutation(30)]
# One number and one of three classes in every row.
MIXED = np.array([*zip(Y, CLASSES, strict=True)], dtype=object)
SMALL = {"hidden_layer_sizes": 3, "activation": "tanh"}


def refuses(match, X=X, y=Y, weight=None, task=TASK, model=None, **given):
    """Assert that a fit raises an error with given words."""
    model = MultiTaskMLPRegressor() if model is None else model
    with pytest.raises(ValueError, match=match):
        model.set_params(**{**SMALL, **given}).fit(X, y, weight, task=task)


@pytest.mark.parametrize(
    "model, y",
    [
        (MultiTaskMLPRegressor(**SMALL, handle_unknown="error"), Y),
        (MultiTaskMLPClassifier(**SMALL, handle_unknown="error"), CLASSES),
    ],
    ids=["numbers", "classes"],
)
def test_predictions_for_unseen_tasks_can_be_refused(model, y):
    model.fit(X, y, task=TASK)
    match = r"task has labels not seen in fit: \['q'\]. This model has 3 tasks"
    with pytest.raises(ValueError, match=match):
        model.predict(X, task="q")


def test_mixed_tasks_refuse_unseen_ones():
    model = MultiTaskMLP(**SMALL).fit(X, Y, task=TASK)
    with pytest.raises(ValueError, match="Every task must be seen in fit"):
        model.predict(X, task="q")


def test_a_task_without_targets_is_refused():
    match = r"Every task must have a target with weight above 0, got none for \[{}\]"
    refuses(match.format("'b'"), weight=1.0 * (TASK != "b"))
    columns = np.column_stack([Y, np.full(30, np.nan), Y])
    refuses(match.format("1"), y=columns, task=None)
    refuses(match.format("1"), y=columns, task=None, model=MultiTaskMLP())


def test_weights_with_sum_zero_are_refused():
    refuses("must contain at least one non-zero number", weight=np.zeros(30))


def test_negative_weights_are_refused():
    refuses(
        "sample_weight must not be negative, got -1.0 in row 0", weight=-np.ones(30)
    )


@pytest.mark.parametrize("model", [MultiTaskMLPRegressor(), MultiTaskMLPClassifier()])
def test_missing_targets_of_rows_are_refused(model):
    y = np.where(np.arange(30) == 3, np.nan, 1.0 * (Y > 0))
    refuses(r"y has a missing \w+ in row 3", y=y, model=model)


def test_learnt_variances_need_adam():
    match = (
        "weighting='uncertainty' needs solver='adam', got 'lbfgs'.* Use solver='adam'"
    )
    refuses(match, weighting="uncertainty", solver="lbfgs")


def test_equal_heads_are_needed_to_penalise_their_differences():
    mixed = {"y": MIXED, "task": None, "model": MultiTaskMLP()}
    match = r"head_penalty needs tasks with equally many raw predictions, got \[1, 2\]"
    refuses(f"{match}. Use head_penalty=0", **mixed, head_penalty=1.0)
    match = r"'soft' without hidden layers needs .* \[1, 2\]. Use sharing='hard'"
    refuses(match, **mixed, sharing="soft", hidden_layer_sizes=())


@pytest.mark.parametrize(
    "task_weight, match",
    [
        ("heavy", "'task_weight' parameter of MultiTaskMLPRegressor must be a str"),
        ([1.0, 2.0, 1.0], "'task_weight' parameter of MultiTaskMLPRegressor must be"),
        ({"a": 1.0}, r"each of the 3 tasks, missing: \['b', 'c'\]"),
        ({"a": 1.0, "b": -1.0, "c": 1.0}, "a finite number of 0 or more, got"),
        ({"a": 1.0, "b": np.nan, "c": 1.0}, "a finite number of 0 or more, got"),
    ],
)
def test_unknown_task_weights_are_refused(task_weight, match):
    refuses(match, task_weight=task_weight)


@pytest.mark.parametrize("y", [Y, np.column_stack([Y, Y])], ids=["one", "columns"])
def test_tasks_as_inputs_need_labels(y):
    match = "task_encoding=True needs a task label for each row: a task_column or task="
    refuses(match, y=y, task=None, task_encoding=True)


@pytest.mark.parametrize("sharing", ["soft", "independent"])
def test_tasks_as_inputs_need_shared_layers(sharing):
    match = f"task_encoding=True needs layers that tasks share, got sharing='{sharing}'"
    refuses(match, task_encoding=True, sharing=sharing)


@pytest.mark.parametrize("name", ["hidden_layer_sizes", "head_hidden_layer_sizes"])
@pytest.mark.parametrize("size", [0, -1, 2.5, np.nan, "few", None], ids=repr)
def test_a_number_of_units_is_a_positive_integer(name, size):
    refuses(f"'{name}' parameter .* must be an array-like or an int", **{name: size})
    match = f"{name} must be a list of positive integers, one per layer, got "
    refuses(match, **{name: [3, size]})


@pytest.mark.parametrize("name", ["hidden_layer_sizes", "head_hidden_layer_sizes"])
def test_a_list_of_layers_has_one_dimension(name):
    refuses(f"{name} must be a list of positive integers", **{name: [[3, 2]]})


@pytest.mark.parametrize("sharing", ["cross_stitch", "mmoe"])
def test_layers_are_needed_to_share_them(sharing):
    match = f"sharing='{sharing}' needs at least one hidden layer, got .*Use 'hard' or"
    refuses(match, sharing=sharing, hidden_layer_sizes=())


def test_negative_counts_are_refused():
    refuses("y must be 0 or more, got -", loss="poisson")
    losses = {"a": "poisson", "b": "squared", "c": "squared"}
    refuses("task 'a' must be 0 or more", model=MultiTaskMLP(losses))


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_diverging_training_is_refused(solver):
    match = "The training diverges: the loss must be finite, got .*StandardScaler"
    far = {"X": 1e200 * X, "activation": "identity", "solver": solver}
    refuses(match, **far, alpha=0.0)


def test_a_later_batch_has_the_tasks_of_the_first():
    model = MultiTaskMLPRegressor(**SMALL).partial_fit(X, Y, task=TASK)
    other = np.tile(["a", "b", "q"], 10)
    match = r"The first batch decides the tasks: got rows of \['q'\]; .*has 3 tasks"
    with pytest.raises(ValueError, match=match):
        model.partial_fit(X, Y, task=other)


def test_a_later_batch_has_the_classes_of_the_first():
    model = MultiTaskMLPClassifier(**SMALL).partial_fit(X, CLASSES, task=TASK)
    match = r"classes seen in the first batch, got others: \['z'\]"
    with pytest.raises(ValueError, match=match):
        model.partial_fit(X, np.full(30, "z"), task=TASK)


def test_batches_need_adam():
    model = MultiTaskMLPRegressor(**SMALL, solver="lbfgs")
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError) as caught:
        model.partial_fit(X, Y, task=TASK)
    match = "partial_fit needs solver='adam' or 'auto', got 'lbfgs'"
    assert match in str(caught.value.__cause__)


@pytest.mark.parametrize("given", [{"sharing": "soft"}, {"hidden_layer_sizes": ()}])
def test_shared_features_need_a_trunk(given):
    model = MultiTaskMLPRegressor(**{**SMALL, **given}).fit(X, Y, task=TASK)
    with pytest.raises(ValueError, match="shared_features needs a trunk"):
        model.shared_features(X, TASK)
