"""Whoever reads the tasks, the same mistake in declaring them is the same error."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor

from skmtl.compose import IndependentTasks, PooledTasks
from skmtl.inspection import compare_tasks
from skmtl.linear_model import (
    MeanRegularizedPoissonRegressor,
    MeanRegularizedRegressor,
    MixedTaskModel,
)
from skmtl.metrics import make_task_scorer, task_scores

N_ROWS = 12
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N_ROWS, 2))
y = RNG.poisson(2.0, size=N_ROWS).astype(float)
Y = np.column_stack([y, y])
NAMES = np.repeat(["ash", "elm"], N_ROWS // 2)
FRAME = pd.DataFrame(X, columns=["p", "q"]).assign(school=NAMES)
TWICE = pd.DataFrame(Y, columns=["a", "a"])


def _fit(Model, **options):
    def door(X, y, task_column=None, task=None):
        Model(task_column=task_column, **options).fit(X, y, task=task)

    return door


def _compare(X, y, task_column=None, task=None):
    models = {"apart": IndependentTasks(), "pooled": PooledTasks()}
    compare_tasks(models, X, y, task_column=task_column, task=task)


def _score(X, y, task_column=None, task=None):
    fitted = DummyRegressor().fit(X, np.zeros((N_ROWS, 2)))
    task_scores(fitted, X, y, task_column=task_column, task=task)


FITS = {
    "numbers": _fit(MeanRegularizedRegressor),
    "counts": _fit(MeanRegularizedPoissonRegressor),
    "mixed": _fit(MixedTaskModel, losses={0: "squared"}),
    "independent": _fit(IndependentTasks),
    "pooled": _fit(PooledTasks),
}
TABLES = {"comparison": _compare, "scores": _score}
DOORS = FITS | TABLES

WRONG = {
    "two ways": (
        (FRAME, y, "school", NAMES),
        r"The tasks must be declared in one way, got both task= and "
        r"task_column='school'\. Drop one of them\.$",
    ),
    "labels and outputs": (
        (X, Y, None, NAMES),
        r"y must be 1-d when the task of each row is given, got shape \(12, 2\)\. Give "
        r"the labels or a 2-d y, whose columns are the tasks, not both\.$",
    ),
    "column and outputs": (
        (FRAME, Y, "school", None),
        r"y must be 1-d when the task of each row is given, got shape \(12, 2\)\. Give "
        r"the labels or a 2-d y, whose columns are the tasks, not both\.$",
    ),
    "no such column": (
        (FRAME, y, "scool", None),
        r"task_column='scool' must be a column of X, or a level of its pandas index\. "
        r"X has 3 columns: p, q, school, index levels \[None\]\. Did you mean "
        r"'school'\? Keep the task column in every earlier step\.$",
    ),
    "no such position": (
        (X, y, 7, None),
        r"task_column must be a position between -2 and 1, got 7: X has 2 columns\.$",
    ),
    "a table of labels": (
        (X, y, None, NAMES[:, None]),
        r"task must be 1-d, one label per row, got shape \(12, 1\)\. Pass one column\.",
    ),
    "mixed labels": (
        (X, y, None, ["ash", 1] * 6),
        r"task labels must be all booleans, all integers or all strings, got both: "
        r"'ash' and 1\. Convert them to one kind\.$",
    ),
    "missing labels": (
        (X, y, None, [*NAMES[1:], None]),
        r"Input task contains NaN: every row must belong to a task\. Drop the rows "
        r"without a label, or give them a label of their own\.$",
    ),
    "a name as the label": (
        (FRAME[["p", "q"]], y, None, "q"),
        r"task must be a label for each row or for all rows, got 'q', the name of a "
        r"column of X\. Set task_column='q' instead\. If all rows are of one task of "
        r"this name, give a list with a label for each\.$",
    ),
    "a level as the label": (
        (FRAME.set_index("school"), y, None, "school"),
        r"got 'school', the name of a column of X\. Set task_column='school' instead",
    ),
    "few labels": (
        (X, y, None, NAMES[:5]),
        r"Found input variables with inconsistent numbers of samples: \[12,.* 5\]$",
    ),
    "outputs of one name": (
        (X, TWICE, None, None),
        r"The columns of y are the tasks and must have different names, got twice: "
        r"\['a'\]\. Rename them\.$",
    ),
    "nothing observed": (
        (X, Y * np.nan, None, None),
        r"must have an observed value, got NaN in all 24 cells\.$",
    ),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@pytest.mark.parametrize(("given", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_declaration_is_the_same_error_everywhere(door, given, message):
    with pytest.raises(ValueError, match=message):
        door(*given)


@pytest.mark.parametrize("door", TABLES.values(), ids=TABLES)
def test_comparing_tasks_needs_tasks(door):
    message = (
        r"The task of each row must be known, got a 1-d y and no labels\. Declare "
        r"tasks with task_column=, with task=, or as the columns of a 2-d y\.$"
    )
    with pytest.raises(ValueError, match=message):
        door(X, y)


def test_a_scorer_needs_tasks_too():
    fitted = DummyRegressor().fit(X, y)
    with pytest.raises(ValueError, match=r"The task of each row must be known, got a "):
        make_task_scorer("rmse")(fitted, X, y)


@pytest.mark.parametrize("Model", [MeanRegularizedRegressor, IndependentTasks])
def test_predict_takes_labels_as_fit_did(Model):
    name = Model.__name__
    with pytest.raises(
        ValueError,
        match=rf"This {name} was fitted with task=, so it needs task= here too, got "
        r"None\. GridSearchCV, .* it: make the labels a column of X and set task_col",
    ):
        Model().fit(X, y, task=NAMES).predict(X)
    with pytest.raises(
        ValueError,
        match=rf"task must be given to this {name} only if it was given to fit, which "
        r"had a task column in X\. Leave task= out, or fit with it\.$",
    ):
        Model(task_column="school").fit(FRAME, y).predict(FRAME, task=NAMES)


@pytest.mark.parametrize("Model", [MeanRegularizedRegressor, IndependentTasks])
def test_unseen_tasks_are_refused_on_request(Model):
    model = Model(handle_unknown="error").fit(X, y, task=NAMES)
    message = (
        r"task has labels not seen in fit: \['oak'\]\. This model has 2 tasks: "
        r"\['ash', 'elm'\]\.\.\. Use handle_unknown='shared' to predict them"
    )
    with pytest.raises(ValueError, match=message):
        model.predict(X, task="oak")


@pytest.mark.parametrize("Model", [MeanRegularizedRegressor, PooledTasks])
def test_weights_of_zero_are_refused(Model):
    with pytest.raises(
        ValueError, match="at least one non-zero number that belongs to"
    ):
        Model().fit(X, y, task=NAMES, sample_weight=0.0)


def test_one_label_stands_for_all_rows_in_a_table_of_scores():
    fitted = DummyRegressor().fit(X, y)
    assert task_scores(fitted, X, y, task="ash").tasks.tolist() == ["ash"]


@pytest.mark.parametrize("door", ["predict", "score"])
def test_the_name_of_a_column_is_no_unseen_task(door):
    frame, given = FRAME[["p", "q"]], {"score": [y], "predict": []}[door]
    for model in (MeanRegularizedRegressor(), IndependentTasks()):
        model.fit(frame, y, task=np.where(NAMES == "ash", "p", "elm"))
        getattr(model, door)(frame, *given, task="p")  # a label that fit had
        with pytest.raises(ValueError, match=r"got 'q', the name of a column of X\."):
            getattr(model, door)(frame, *given, task="q")


GAP = pd.Series(["u", "v"] * 6, dtype=object)
GAP[7] = None


@pytest.mark.parametrize("kind", [object, "category", "string"])
def test_a_missing_label_of_several_columns_is_named(kind):
    frame = FRAME.assign(room=GAP.astype(kind))
    message = r"Input task contains NaN in column 'room', at position 7: every row must"
    for door in DOORS.values():
        with pytest.raises(ValueError, match=message):
            door(frame, y, ["school", "room"])
    labels = frame[["school", "room"]]
    with pytest.raises(ValueError, match=message):
        MeanRegularizedRegressor().fit(X, y, task=labels)
    with pytest.raises(ValueError, match="NaN in column 1, at position 7"):
        MeanRegularizedRegressor().fit(X, y, task=labels.to_numpy(dtype=object))


def test_the_error_of_a_missing_label_comes_back_from_a_process():
    with pytest.raises(ValueError, match="NaN in column 0") as raised:
        MeanRegularizedRegressor().fit(X, y, task=list(zip(GAP, NAMES, strict=True)))
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_a_missing_number_of_several_columns_is_named():
    frame = FRAME.assign(room=np.where(np.arange(12) == 3, np.nan, 1.0))
    with pytest.raises(ValueError, match="NaN in column 'room', at position 3"):
        IndependentTasks(task_column=["school", "room"]).fit(frame, y)
