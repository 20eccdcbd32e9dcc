"""Each kind of a task's target is read, predicted and scored as by scikit-learn."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from bare import Bare
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, softmax
from sklearn.metrics import (
    d2_log_loss_score,
    d2_tweedie_score,
    log_loss,
    mean_poisson_deviance,
    r2_score,
)
from sklearn.preprocessing import LabelEncoder

from skmtl.losses import Logistic, Multinomial, Poisson, Squared, contrasts
from skmtl.targets import PerTaskTarget, read_kinds

LOSSES = {
    "price": "squared",
    "visits": "poisson",
    "paid": "logistic",
    "shop": "multinomial",
}
LABELS = [*LOSSES]
VALUES = [
    np.array([1.5, -2.0, 0.0, 4.0]),
    np.array([0, 3, 1, 2]),
    np.array(["yes", "no", "no", "yes"], dtype=object),
    np.array(["007", "7", "07", "7"], dtype=object),
]
KINDS, NUMBERS = read_kinds(LOSSES, LABELS, VALUES)
PRICE, VISITS, PAID, SHOP = KINDS
WEIGHT = np.array([1.0, 0.5, 2.0, 3.0])
seeds = st.integers(0, 99)


def draw(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


# -- read


def test_numbers_are_kept_and_classes_are_the_codes_of_label_encoder():
    coded = [LabelEncoder().fit_transform(values.tolist()) for values in VALUES[2:]]
    assert_array_equal(NUMBERS, np.concatenate([*VALUES[:2], *coded]))
    assert [kind.classes is None for kind in KINDS] == [True, True, False, False]
    assert SHOP.classes.tolist() == ["007", "07", "7"]


@pytest.mark.parametrize(
    ("kind", "loss"),
    [(PRICE, Squared), (VISITS, Poisson), (PAID, Logistic), (SHOP, Multinomial)],
)
def test_the_name_of_a_loss_chooses_it(kind, loss):
    assert isinstance(kind.loss, loss)


def test_a_multinomial_task_of_two_classes_has_the_logistic_loss():
    kinds, _ = read_kinds({"a": "multinomial"}, ["a"], [np.array([1, 0])])
    assert isinstance(kinds[0].loss, Logistic)


def test_labels_of_nested_tasks_are_tuples_or_their_joined_words():
    for label in (("north", 3), "north/3"):
        kinds, _ = read_kinds({label: "squared"}, ["north/3"], [np.array([1.0])])
        assert kinds[0].label == "north/3"


@pytest.mark.parametrize(
    ("losses", "values", "words"),
    [
        ({}, [1.0], r"got none for \['a'\]"),
        ({"a": "absolute"}, [1.0], "one of .*got {'a': 'absolute'}"),
        ({"a": "logistic"}, [0, 1, 2], "must have two classes.*Use 'multinomial'"),
        ({"a": "poisson"}, [1, -1], "must be 0 or more.*got -1"),
        ({"a": "squared"}, ["b", "c"], "must be numbers.*got 'b'"),
        ({"a": "logistic"}, [0.5, 0.7, 0.1], "must be classes, got continuous"),
    ],
)
def test_a_loss_that_does_not_fit_its_target_is_refused(losses, values, words):
    values = np.array(values, dtype=object)
    with pytest.raises(ValueError, match=words):
        read_kinds(losses, ["a"], [values])


# -- predict


@given(seed=seeds)
def test_numbers_are_predicted_by_their_means(seed):
    raw = draw(seed, 6)
    assert_array_equal(PRICE.predict(raw), raw)
    assert_allclose(VISITS.predict(raw), np.exp(raw))


@given(seed=seeds)
def test_classes_are_predicted_by_the_largest_probability(seed):
    raw, scores = draw(seed, 6), draw(seed + 1, 6, 3)
    assert PAID.predict(raw).tolist() == np.where(raw > 0, "yes", "no").tolist()
    assert SHOP.predict(scores).tolist() == SHOP.classes[scores.argmax(axis=1)].tolist()
    assert_allclose(PAID.probabilities(raw)[:, 1], expit(raw))
    assert_allclose(SHOP.probabilities(scores), softmax(scores, axis=1))


def test_a_task_of_one_class_is_certain_of_it():
    kinds, _ = read_kinds({"a": "logistic"}, ["a"], [np.array(["yes", "yes"])])
    assert kinds[0].predict(np.array([-5.0, 5.0])).tolist() == ["yes", "yes"]
    assert kinds[0].probabilities(np.zeros(2)).tolist() == [[1], [1]]
    assert kinds[0].report_models(np.ones((1, 3))).tolist() == [0, 0, 0]


def test_a_task_of_classes_without_rows_predicts_nothing():
    kinds, _ = read_kinds({"a": "logistic"}, ["a"], [np.array([], dtype=object)])
    assert kinds[0].predict(np.zeros(2)).tolist() == [None, None]
    assert np.isnan(kinds[0].score(VALUES[2], np.zeros(4), None))


def test_reported_models_give_the_probabilities_of_raw_predictions():
    model, x = draw(0, 2, 3), draw(1, 3)
    loss, scores = SHOP.loss, SHOP.report_models(model) @ x
    assert_allclose(softmax(scores), loss.mean((model @ x)[None])[0])
    assert_allclose(scores, contrasts(3) @ model @ x)


# -- loss and score


@given(seed=seeds)
def test_losses_are_those_of_scikit_learn_with_weights(seed):
    raw = draw(seed, 4)
    codes = PAID.read(VALUES[2])
    found = np.average(PAID.loss.cost(codes, raw), weights=WEIGHT)
    P = PAID.probabilities(raw)
    assert found == pytest.approx(log_loss(VALUES[2].tolist(), P, sample_weight=WEIGHT))
    y = VISITS.read(VALUES[1]) + 1
    costs = VISITS.loss.cost(y, raw) - VISITS.loss.cost(y, np.log(y))
    expected = mean_poisson_deviance(y, np.exp(raw), sample_weight=WEIGHT)
    assert 2 * np.average(costs, weights=WEIGHT) == pytest.approx(expected)


@given(seed=seeds)
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_scores_are_the_explained_deviances_of_scikit_learn(weight, seed):
    raw, scores = draw(seed, 4), draw(seed, 4, 3)
    given = {"sample_weight": weight}
    price, visits, paid, shop = (values.tolist() for values in VALUES)
    assert PRICE.score(VALUES[0], raw, weight) == pytest.approx(
        r2_score(price, raw, **given)
    )
    assert VISITS.score(VALUES[1], raw, weight) == pytest.approx(
        d2_tweedie_score(visits, np.exp(raw), power=1, **given)
    )
    assert PAID.score(VALUES[2], raw, weight) == pytest.approx(
        d2_log_loss_score(paid, PAID.probabilities(raw), **given)
    )
    assert SHOP.score(VALUES[3], scores, weight) == pytest.approx(
        d2_log_loss_score(shop, softmax(scores, axis=1), **given)
    )


def test_a_class_that_was_not_seen_is_scored_as_impossible():
    values, raw = np.array(["yes", "no", "late"], dtype=object), np.zeros(3)
    P = [[0, 0.5, 0.5]] * 3
    expected = d2_log_loss_score(values.tolist(), P, labels=["late", "no", "yes"])
    assert PAID.score(values, raw, None) == pytest.approx(expected)


@pytest.mark.parametrize("kind", [PRICE, VISITS])
def test_a_constant_number_has_no_score(kind):
    assert np.isnan(kind.score(np.ones(3), np.arange(3.0), None))


def test_a_constant_class_has_no_score():
    assert np.isnan(PAID.score(np.array(["no", "no"]), np.zeros(2), None))


def test_means_that_are_zero_have_a_finite_score():
    raw = np.array([-1000.0, 0.0, 0.0, 0.0])
    assert np.isfinite(VISITS.score(VALUES[1], raw, None))


# -- all tasks


def sample():
    rng = np.random.default_rng(0)
    return PerTaskTarget(LOSSES).read(
        Bare(),
        rng.normal(size=(16, 2)),
        np.concatenate(VALUES).astype(object).tolist(),
        task=np.repeat(LABELS, 4),
    )


def test_targets_of_several_kinds_are_grouped_by_task():
    found = sample()
    rows, losses, kinds = PerTaskTarget(LOSSES).prepare(found, smooths=True)
    assert rows.tasks.tolist() == sorted(LABELS)
    assert [kind.label for kind in kinds] == rows.tasks.tolist()
    assert [loss.n_outputs for loss in losses] == [1, 1, 2, 1]


def test_models_are_reported_by_label_in_the_shape_of_their_kind():
    found = sample()
    models = [draw(0, kind.loss.n_outputs, 3) for kind in found.kinds]
    described = PerTaskTarget(LOSSES).describe(found, models)
    shapes = {label: coef.shape for label, coef in described["coef_"].items()}
    assert shapes == {"paid": (2,), "price": (2,), "shop": (3, 2), "visits": (2,)}
    assert described["intercept_"]["shop"].shape == (3,)
    assert described["intercept_"]["price"] == models[1][0, -1]
    assert {k: v.tolist() for k, v in described["classes_"].items()} == {
        "paid": ["no", "yes"],
        "shop": ["007", "07", "7"],
    }
    assert described["n_tasks_"] == 4


# -- known kinds

FIRST = dict(zip(LABELS, KINDS, strict=True))


def read_batch(y, task, known=FIRST, losses=LOSSES):
    target = PerTaskTarget(losses, known)
    return target.read(Bare(), np.ones((len(y), 1)), y, task=task)


@pytest.mark.parametrize("losses", [LOSSES, "auto"], ids=["named", "auto"])
def test_a_batch_is_read_by_the_kinds_of_an_earlier_one(losses):
    y, task = ["7", 2, "07", 5], ["shop", "price", "shop", "visits"]
    found = read_batch(y, task, losses=losses)
    assert [kind is FIRST[kind.label] for kind in found.kinds] == [True] * 3
    assert found.rows.y.tolist() == [2, 2, 1, 5]


def test_a_task_that_no_earlier_batch_had_is_read_by_its_loss():
    found = read_batch(
        [1, 0, "no"], ["new", "new", "paid"], losses={**LOSSES, "new": "poisson"}
    )
    assert [kind.name for kind in found.kinds] == ["poisson", "logistic"]
    assert found.kinds[1] is PAID


@pytest.mark.parametrize(
    ("y", "task", "words"),
    [
        (
            ["no", "late"],
            ["paid", "paid"],
            r"target of task 'paid' must hold classes seen .*others: \['late'\]. The "
            r"classes are \['no', 'yes'\]. Begin with all classes, or leave out",
        ),
        ([7, 7], ["shop", "shop"], r"others: \[7\]"),
        (["few", 1], ["visits", "price"], "must be numbers.*got 'few'"),
        ([-1, 1], ["visits", "price"], "must be 0 or more.*got -1"),
    ],
)
def test_targets_of_another_kind_than_an_earlier_batch_are_refused(y, task, words):
    with pytest.raises(ValueError, match=words):
        read_batch(y, task)


# -- losses by the targets

RECOGNISED = {
    "words": (["yes", "no", "yes"], "logistic"),
    "one word": (["yes", "yes", "yes"], "logistic"),
    "three words": (["a", "b", "c"], "multinomial"),
    "truths": ([True, False, True], "logistic"),
    "one truth": ([True, True, True], "logistic"),
    "NumPy's truths": ([*np.array([True, False, True])], "logistic"),
    "zeros and ones": ([0, 1, 1], "logistic"),
    "two whole floats": ([0.0, 1.0, 0.0], "logistic"),
    "two other numbers": ([-1, 1, 1], "logistic"),
    "one whole number": ([3, 3, 3], "squared"),
    "three whole numbers": ([0, 1, 2], "squared"),
    "two fractions": ([0.5, 1.5, 0.5], "squared"),
    "fractions": ([0.5, 1.5, 7], "squared"),
}


@pytest.mark.parametrize(("y", "loss"), RECOGNISED.values(), ids=RECOGNISED)
def test_auto_recognises_the_loss_of_each_task(y, loss):
    task = ["this"] * 3 + ["that"] * 3
    found = read_batch([*y, 0.5, 1.5, 2.5], task, None, "auto")
    assert [kind.name for kind in found.kinds] == ["squared", loss]


FRAME = pd.DataFrame(
    {
        "price": [0.5, 1.5, np.nan, 2.0],
        "grade": pd.Categorical([1, 2, 3, None]),
        "paid": [True, False, None, True],
        "count": [0, 3, 1, 2],
        "flag": [0, 1, np.nan, 1],
    }
)


@pytest.mark.parametrize("convert", [lambda y: y, pd.DataFrame.convert_dtypes])
def test_auto_recognises_the_columns_of_a_frame(convert):
    found = read_batch(convert(FRAME), None, None, "auto")
    assert {kind.label: kind.name for kind in found.kinds} == {
        "price": "squared",
        "grade": "multinomial",
        "paid": "logistic",
        "count": "squared",
        "flag": "logistic",
    }


def test_auto_takes_categories_of_polars_as_classes():
    y = pl.DataFrame(
        {"n": [1, 2, 3], "c": pl.Series(["a", "b", "c"], dtype=pl.Enum("abc"))}
    )
    found = read_batch(y, None, None, "auto")
    assert [kind.name for kind in found.kinds] == ["squared", "multinomial"]


def test_auto_takes_categories_of_numbers_in_a_series_as_classes():
    y = pd.Series([1, 2, 3, 3, 2, 1], dtype="category")
    found = read_batch(y, [1, 1, 1, 2, 2, 2], None, "auto")
    assert [kind.name for kind in found.kinds] == ["multinomial", "multinomial"]


def test_auto_looks_at_rows_with_weight_only():
    found = PerTaskTarget("auto").read(
        Bare(),
        np.ones((4, 1)),
        [0, 1, 2, 0],
        task=["a", "a", "a", "b"],
        sample_weight=[1.0, 1.0, 0.0, 0.0],
    )
    assert [kind.name for kind in found.kinds] == ["logistic", "squared"]


def test_words_beside_numbers_in_one_task_are_refused():
    with pytest.raises(ValueError, match="must be all strings or all numbers"):
        read_batch(["yes", 1, 0.5], ["a", "a", "b"], None, "auto")


def test_another_word_than_auto_is_refused():
    with pytest.raises(
        ValueError, match=r"'auto' or a mapping from each .*got 'squared'"
    ):
        read_batch([1, 2], ["a", "b"], None, "squared")
