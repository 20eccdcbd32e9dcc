"""Classes are coded, weighed and smoothed as scikit-learn and a pseudo-row say."""

import numpy as np
import pandas as pd
import pytest
from bare import Bare, in_order, tasks_of
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, softmax
from sklearn.metrics import log_loss
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.class_weight import compute_sample_weight

from skmtl.losses import Logistic, Multinomial, contrasts
from skmtl.problems.exact import TaskModels
from skmtl.targets import (
    ClassTarget,
    ClassTargets,
    find_classes,
    read_classes,
    target_classes,
)

TASK = np.array([3, 1, 3, 1, 2, 2, 3, 1, 2, 3])
THREE = np.array(["b", "a", "c", "b", "a", "a", "c", "b", "a", "b"])
TWO = np.where(THREE == "a", "a", "b")
WEIGHT = np.array([1.0, 0.5, 2.0, 0.25, 1.0, 3.0, 0.75, 1.0, 2.0, 1.5])

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
# Labels that look alike, and kinds of labels that NumPy would mix up.
UGLY = {
    "leading zeros": st.sampled_from(["007", "07", "7", " 7", "7 ", "7.0"]),
    "empty words": st.sampled_from(["", " ", "nan", "None", "NaN"]),
    "any words": words,
    "accents": st.sampled_from(["é", "e\u0301", "e", "É", "ß", "ss"]),
    "whole numbers": st.integers(-(2**53), 2**53),
    "whole floats": st.integers(-5, 5).map(float),
    "signed zeros": st.sampled_from([0.0, -0.0, 1.0]),
    "truths": st.booleans(),
}


def features(n_rows):
    return np.arange(n_rows, dtype=float)[:, None]


def read(y, task=TASK, **given):
    return read_classes(Bare(), features(len(y)), y, task=task, **given)


# -- read


@pytest.mark.parametrize("kind", UGLY)
@given(data=st.data())
def test_classes_and_codes_are_those_of_label_encoder(kind, data):
    y = data.draw(st.lists(UGLY[kind], min_size=2, max_size=9, unique=True))
    y = np.array(data.draw(st.permutations([*y, *y[:3]])))
    y = y.astype(object) if y.dtype.kind == "U" else y  # keeps NUL and blanks
    encoder = LabelEncoder().fit(y)
    rows, classes = read(y, np.arange(len(y)) % 2)
    assert classes.tolist() == encoder.classes_.tolist()
    assert_array_equal(rows.y, in_order(rows, encoder.transform(y)))


@pytest.mark.parametrize(
    "y",
    [
        pd.Series(THREE, dtype="category"),
        pd.Series(THREE, dtype="string"),
        pd.Series(THREE),
        THREE.tolist(),
        THREE[:, None].tolist(),
    ],
    ids=["category", "string", "series", "list", "column"],
)
@pytest.mark.filterwarnings("ignore:A column-vector y was passed")
def test_classes_may_come_in_any_container(y):
    rows, classes = read(y)
    assert classes.tolist() == ["a", "b", "c"]
    assert_array_equal(rows.y, in_order(rows, LabelEncoder().fit_transform(THREE)))


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_a_missing_class_is_refused_with_its_row(missing):
    y = [*THREE[:4], missing, *THREE[5:]]
    with pytest.raises(ValueError, match="missing label in row 4"):
        read(y)


def test_numbers_on_a_scale_are_no_classes():
    with pytest.raises(ValueError, match="continuous"):
        read(np.linspace(0, 1, 10))


def test_classes_of_no_weight_do_not_count():
    with pytest.raises(ValueError, match=r"weight above 0, got one class: \['a'\]"):
        read(TWO, sample_weight=(TWO == "a") * 1.0)


def test_columns_of_zeros_and_ones_are_tasks_and_nan_is_left_out():
    Y = np.array([[0, 1], [1, np.nan], [np.nan, 0]])
    rows, classes = read_classes(Bare(), features(3), Y)
    assert classes.tolist() == [0, 1]
    assert rows.y.tolist() == [0, 1, 1, 0]
    assert rows.rows.tolist() == [0, 1, 0, 2]


@pytest.mark.parametrize(
    ("Y", "shown"),
    [
        ([[0, 1], [1, 2]], "2.0"),
        ([["no", 1], [0, 1]], "'no'"),
        ([["no", "yes"], ["yes", "no"]], "'no'"),
    ],
)
def test_columns_of_other_classes_are_refused(Y, shown):
    with pytest.raises(ValueError, match=f"must hold 0, 1 and NaN.*got .*{shown}"):
        read_classes(Bare(), features(2), Y)


# -- known classes


def test_a_batch_is_coded_by_its_place_among_known_classes():
    target = ClassTarget("all", None, known=["c", "d", "b", "a"])
    sample = target.read(Bare(), features(3), ["d", "b", "d"], task=[1, 1, 2])
    assert sample.classes.tolist() == ["a", "b", "c", "d"]
    assert sample.rows.y.tolist() == [3, 1, 3]
    assert target.prepare(sample, smooths=True)[1].n_outputs == 3


@pytest.mark.parametrize("known", [[0, 1, 2], [0.0, 1.0, 2.0]])
def test_a_batch_may_have_a_single_known_class(known):
    sample = ClassTarget("all", None, known=known).read(
        Bare(), features(2), [1, 1], task=[1, 2]
    )
    assert sample.rows.y.tolist() == [1, 1]
    _, _, targets = ClassTarget("all", None).prepare(sample, smooths=True)
    assert np.isfinite(targets.rows(np.array([[1]]), np.array([0]))).all()


def test_columns_of_one_known_class_are_accepted():
    rows, classes = read_classes(Bare(), features(2), np.ones((2, 2)), known=[0, 1])
    assert classes.tolist() == [0, 1]
    assert rows.y.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("y", "known", "words"),
    [
        (
            ["a", "z", "y"],
            ["a", "b"],
            r"y must hold classes seen .*\['y', 'z'\].*Begin",
        ),
        ([0, 3, 0], [0, 1], r"others: \[3\]. The classes are \[0, 1\]"),
        (["0", "1", "1"], [0, 1], r"others: \['0', '1'\]"),
        (
            ["a", "a", "a"],
            ["a", "a"],
            r"at least two classes, got classes=\['a'\]. Name",
        ),
        (["a", "a", "b"], ["a", 1], "classes must hold classes of one kind"),
        (np.eye(3), ["a", "b"], "A 2-d y must hold 0, 1 and NaN.*got 'a'"),
        (np.eye(3), [0, 1, 2], "A 2-d y must hold 0, 1 and NaN.*got 2"),
    ],
)
def test_classes_that_are_not_known_are_refused(y, known, words):
    with pytest.raises(ValueError, match=words):
        read_classes(Bare(), features(3), y, known=known)


def test_a_batch_of_known_classes_without_weight_is_refused():
    with pytest.raises(ValueError, match="at least one non-zero number"):
        read_classes(
            Bare(),
            features(2),
            ["a", "a"],
            task=[1, 2],
            known=["a", "b"],
            class_weight={"a": 0.0},
        )


def test_a_later_batch_leaves_the_recorded_columns():
    model = Bare()
    read_classes(model, features(10), TWO, task=TASK)
    with pytest.raises(ValueError, match="expecting 1 features"):
        read_classes(model, np.ones((10, 2)), TWO, task=TASK, reset=False)


# -- weights


@pytest.mark.parametrize("weight", ["balanced", {"a": 3.0, "b": 0.5, "c": 2.0}])
def test_weights_of_classes_are_those_of_scikit_learn(weight):
    rows, _ = read(THREE, class_weight=weight)
    expected = compute_sample_weight(weight, THREE)
    assert_allclose(rows.weight, in_order(rows, expected))


def test_balanced_classes_have_equal_total_weights():
    rows, _ = read(THREE, class_weight="balanced", sample_weight=WEIGHT)
    totals = np.bincount(rows.y.astype(int), rows.weight)
    assert_allclose(totals, WEIGHT.sum() / 3)


def test_a_class_without_a_factor_keeps_its_weight():
    rows, _ = read(THREE, class_weight={"a": 3.0}, sample_weight=WEIGHT)
    assert_allclose(rows.weight, in_order(rows, WEIGHT * np.where(THREE == "a", 3, 1)))


def test_each_column_is_balanced_as_scikit_learn_balances_it():
    Y = (np.random.default_rng(0).random((20, 3)) < [0.2, 0.5, 0.7]) * 1.0
    rows, _ = read_classes(Bare(), features(20), Y, class_weight="balanced")
    expected = [compute_sample_weight("balanced", column) for column in Y.T]
    assert_allclose(rows.weight, np.concatenate(expected))


# -- which classes


@given(seed=st.integers(0, 99))
def test_classes_of_tasks_are_a_cross_table(seed):
    rng = np.random.default_rng(seed)
    task, y = rng.integers(4, size=15), np.append([0, 1, 2], rng.integers(3, size=12))
    rows, _ = read(
        y, task, sample_weight=np.append(np.ones(3), rng.integers(2, size=12))
    )
    assert_array_equal(find_classes(rows, 3), pd.crosstab(task, y).to_numpy() > 0)


def test_a_target_of_two_classes_refuses_three():
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        ClassTarget("all", None, takes_two=True).read(Bare(), features(10), THREE)


def test_a_scope_of_tasks_needs_a_task_with_two_classes():
    rows, _ = read(["a", "a", "b"], [0, 0, 1])
    with pytest.raises(ValueError, match="one class in each of 2 tasks"):
        target_classes(rows, 2, scope="task")


def test_in_the_scope_of_tasks_one_class_has_no_weight_and_others_are_nan():
    rows, classes = read(THREE, sample_weight=WEIGHT)
    found, targets = target_classes(rows, len(classes), scope="task")
    task = tasks_of(rows)
    assert found.weight[task == 1].tolist() == [0, 0, 0]  # task 2 has only a
    assert_allclose(found.weight[task != 1], rows.weight[task != 1])
    codes, ones = np.array([[1], [2]]), np.array([0, 2])
    expected = [[[0, 1, np.nan]], [[np.nan, 0, 1]]]  # a and b; b and c
    assert_array_equal(targets.rows(codes, ones), expected)


# -- loss


def raw(n_rows, n_outputs, seed=0):
    return np.random.default_rng(seed).normal(scale=2.0, size=(n_rows, n_outputs))


def probabilities(z):
    if z.shape[1] == 1:
        return np.column_stack([expit(-z[:, 0]), expit(z[:, 0])])
    return softmax(z @ contrasts(z.shape[1] + 1).T, axis=1)


@pytest.mark.parametrize("y", [TWO, THREE], ids=["two", "three"])
def test_the_loss_is_the_log_loss_of_scikit_learn_with_weights(y):
    target = ClassTarget("all", None)
    sample = target.read(Bare(), features(10), y, task=TASK, sample_weight=WEIGHT)
    rows, loss, targets = target.prepare(sample, smooths=False)
    assert isinstance(loss, Logistic if y is TWO else Multinomial)
    z = raw(10, loss.n_outputs)
    Y = targets.rows(rows.y[:, None], tasks_of(rows))[:, 0]
    found = np.average(loss.value(Y, z), weights=rows.weight)
    labels = sample.classes[rows.y.astype(int)]
    expected = log_loss(labels, probabilities(z), sample_weight=rows.weight)
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("y", [TWO, THREE], ids=["two", "three"])
def test_a_task_that_lacks_a_class_gets_a_pseudo_row_of_all_classes(y):
    """Its loss is that of its rows and of one row of weight 1 of each class's share."""
    target = ClassTarget("all", None)
    sample = target.read(Bare(), features(10), y, task=TASK, sample_weight=WEIGHT)
    rows, loss, targets = target.prepare(sample, smooths=True)
    mine = tasks_of(rows) == 1  # task 2 has only a
    total, z = rows.weight[mine].sum(), raw(1, loss.n_outputs)
    Y = targets.rows(rows.y[mine][:, None], np.ones(3, dtype=int))[:, 0]
    found = rows.weight[mine] @ loss.value(Y, np.tile(z, (3, 1))) * (total + 1) / total
    shares = [WEIGHT[y == label].sum() / WEIGHT.sum() for label in sample.classes]
    labels = np.append(np.full(3, "a"), sample.classes)
    weight = np.append(rows.weight[mine], shares)
    P = np.tile(probabilities(z), (len(labels), 1))
    expected = log_loss(labels, P, normalize=False, sample_weight=weight)
    assert found == pytest.approx(expected)


def test_a_task_of_all_classes_is_not_smoothed():
    y = ["a", "b", "c", "a", "b", "b"]
    rows, _ = read(y, [0, 0, 0, 1, 1, 1])
    targets = target_classes(rows, 3)[1]
    codes = np.array([[0, 1, 2], [0, 1, 1]])
    found = targets.rows(codes, np.arange(2))
    assert_array_equal(found[0], np.eye(3))
    assert ((found[1] > 0) & (found[1] < 1)).all()
    assert_allclose(found.sum(axis=2), 1)


def test_rows_that_lack_a_class_smooth_all_tasks():
    targets = ClassTargets(np.array([0.5, 0.3, 0.2]), np.zeros(2))
    some, _ = read(["a", "b", "a", "b"], [0, 0, 1, 1], sample_weight=[1, 1, 2, 3])
    assert_allclose(targets.smooth_missing(some).mix, [1 / 3, 1 / 6])
    whole, _ = read(["a", "b", "c", "b"], [0, 0, 1, 1])
    assert targets.smooth_missing(whole) is targets


# -- reports


def models(n_tasks, n_outputs, n_features=2):
    rng = np.random.default_rng(0)
    return TaskModels(
        rng.normal(size=(n_tasks, n_outputs, n_features)),
        rng.normal(size=(n_tasks, n_outputs)),
        rng.normal(size=(n_outputs, n_features)),
        rng.normal(size=n_outputs),
    )


@pytest.mark.parametrize(
    ("y", "single", "coef", "intercept", "coef_shared"),
    [
        (TWO, False, (3, 2), (3,), (2,)),
        (TWO, True, (1, 2), (1,), (2,)),
        (THREE, False, (3, 3, 2), (3, 3), (3, 2)),
        (THREE, True, (3, 2), (3,), (3, 2)),
    ],
)
def test_shapes_are_those_of_logistic_regression_with_an_axis_of_tasks(
    y, single, coef, intercept, coef_shared
):
    target = ClassTarget("all", None)
    sample = target.read(Bare(), features(10), y, task=TASK)
    n_outputs = len(sample.classes) - 1
    found = target.shape(sample, models(3, n_outputs), single)
    assert found["coef_"].shape == coef
    assert found["intercept_"].shape == intercept
    assert found["coef_shared_"].shape == coef_shared


def test_scores_of_more_classes_give_the_same_probabilities_and_sum_to_zero():
    target = ClassTarget("all", None)
    sample = target.read(Bare(), features(10), THREE, task=TASK)
    given = models(3, 2)
    found = target.shape(sample, given, single=False)
    x = np.array([0.3, -2.0])
    raw = given.coef @ x + given.intercept
    scores = found["coef_"] @ x + found["intercept_"]
    assert_allclose(softmax(scores, axis=1), probabilities(raw))
    assert_allclose(scores.sum(axis=1), 0, atol=1e-14)


def test_classes_are_reported_per_column_of_a_2d_y():
    Y = np.array([[0, 1], [1, 1], [1, 1.0]])
    target = ClassTarget("all", None)
    found = target.report_kind(target.read(Bare(), features(3), Y))
    assert [each.tolist() for each in found["classes_"]] == [[0, 1], [0, 1]]
    assert found["task_classes_"].tolist() == [[True, True], [False, True]]
