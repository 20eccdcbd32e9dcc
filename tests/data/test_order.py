"""The order of tasks along a chain: by container, else by numbers and dates."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmtl.data import order_labels, place_labels
from skmtl.linear_model import (
    FusedRegressor,
    GraphRegularizedClassifier,
    GraphRegularizedRegressor,
)

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun"]
SIZES = ["small", "medium", "large", "huge"]
ORDERED = {
    "mixed lengths": ["week1", "week2", "week9", "week10", "week100"],
    "several numbers": ["s0c1", "s0c2", "s0c10", "s1c1"],
    "numbers as text": ["-10", "-1", "0", "2.25", "2.5", "10"],
    "decimals": ["dose 0.25", "dose 0.5", "dose 1", "dose 1.5", "dose 10"],
    "powers": ["1e-05", "0.0001", "1e-3", "2"],
    "thousands": ["$200", "$1,000", "$10,000"],
    "leading zeros": ["001", "01", "1", "2"],
    "versions": ["v1.8", "v1.9", "v1.10"],
    "parts": ["1.1", "1.2", "1.10"],
    "three parts": ["1.2.9", "1.2.10", "1.10.0"],
    "hyphens": ["week-1", "week-2", "week-10"],
    "signs": ["T-10", "T-2", "T0", "T+1", "T+10"],
    "signs after a space": ["day -3", "day -1", "day 0", "day 2", "day 12"],
    "intervals": ["(-5, 0]", "(0, 5]", "(5, 10]", "(10, 20]"],
    "ranges": ["0-4", "5-9", "10-14", "100+"],
    "year first": ["2023-12-31", "2024-1-9", "2024-01-10", "2024-10-1"],
    "day first": ["31/12/2023", "15/1/2024", "1/2/2024"],
    "month first": ["12/31/2023", "2/1/2024"],
    "dots": ["10.12.2023", "9.1.2024", "8.2.2024"],
    "times": ["9/1/2024 09:30", "31/1/2024 08:00", "31/1/2024 10:00"],
    "months": ["Jan", "Feb", "April", "december"],
    "weekdays": ["Mon", "Tue", "Wed", "Sun"],
    "months of years": ["Dec 2023", "Jan 2024", "February 2024"],
    "short years": ["Dec-23", "Jan-24", "Apr-24"],
    "days of months": ["9 Jan", "10 Jan", "1 Feb"],
    "days in words": ["10 Dec 2023", "9 Jan 2024", "1st Feb 2024"],
    "quarters": ["Q2 2023", "Q4 2023", "Q1 2024"],
    "quarters last": ["2023Q2", "2023Q4", "2024Q1"],
    "case": ["a", "B", "c"],
    "very long": ["1" + "0" * 5000, "2" + "0" * 5000],
}


@pytest.mark.parametrize("labels", ORDERED.values(), ids=ORDERED.keys())
def test_labels_follow_the_numbers_and_dates_in_them(labels):
    assert order_labels(np.sort(labels)).tolist() == labels


def test_whole_numbers_are_numbers():
    assert order_labels(np.array([10, -1, 2])).tolist() == [-1, 2, 10]


@pytest.mark.parametrize(
    ("known", "new", "place"),
    [
        (["week1", "week3", "week10"], ["week0", "week2", "week11"], [0, 1, 3]),
        (["Jan", "Mar", "Apr"], ["Feb", "Dec", "Jupiter"], [1, 3, -1]),
        (["31/12/2023", "15/1/2024"], ["1/1/2024", "40/1/2024", "x"], [1, -1, -1]),
    ],
)
def test_a_new_label_has_its_place_among_those_that_are_known(known, new, place):
    assert place_labels(np.array(known), np.array(new)).tolist() == place


def test_dates_with_ambiguous_day_and_month_are_refused_if_it_matters():
    with pytest.raises(ValueError, match="day and month are ambiguous"):
        order_labels(np.array(["01/02/2024", "02/01/2024"]))
    same = np.array(["01/01/2024", "02/02/2024"])
    assert_array_equal(order_labels(same), same)


def test_orders_of_batches_are_merged_whichever_comes_first():
    first, second = ("Jan", "Feb", "Apr"), ("Feb", "Mar", "Apr")
    labels = np.array(["Apr", "Jan", "Mar"])
    for orders in [(first, second), (second, first)]:
        assert order_labels(labels, orders).tolist() == MONTHS[:4]


def test_orders_that_contradict_each_other_are_refused():
    with pytest.raises(ValueError, match=r"contradict each other on \['a', 'b'\]"):
        order_labels(np.array(["a", "b"]), (("a", "b"), ("b", "a")))


def test_a_label_missing_from_the_order_is_refused():
    with pytest.raises(ValueError, match=r"missing: \['c'\]"):
        order_labels(np.array(["a", "c"]), (("a", "b"),))


@pytest.fixture(scope="module")
def drift():
    """Six tasks whose slope rises from one to the next."""
    rng = np.random.default_rng(0)
    place = np.arange(48) % 6
    X = rng.normal(size=(48, 2))
    return X, X[:, 0] * place + place + 0.3 * rng.normal(size=48), place


MODELS = [
    GraphRegularizedRegressor(alpha=3.0),
    FusedRegressor(0.2, tol=1e-10),
    GraphRegularizedClassifier(alpha=3.0),
]
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)


def target_of(model, y):
    return y > 0 if hasattr(model, "predict_proba") else y


@each_model
@pytest.mark.parametrize("name", ["week{}", "week{:02d}"])
def test_the_names_of_weeks_do_not_change_the_model(drift, model, name):
    X, y, place = drift
    y, weeks = target_of(model, y), np.array([9, 10, 11, 100, 101, 1000])
    names = np.array([name.format(week) for week in weeks])
    numbers = model.fit(X, y, task=weeks[place]).coef_nodes_
    named = model.fit(X, y, task=names[place])
    assert named.order_.tolist() == names.tolist()
    assert named.tasks_.tolist() == sorted(names)
    assert_allclose(named.coef_[np.argsort(np.argsort(names))], numbers, atol=1e-7)


def frames():
    """Yield frames that hold an ordered column, by the package they are of."""
    pandas = pytest.importorskip("pandas")
    polars = pytest.importorskip("polars")
    pyarrow = pytest.importorskip("pyarrow")

    def of_pandas(X, labels):
        column = pandas.Categorical(labels, categories=SIZES, ordered=True)
        return pandas.DataFrame(X, columns=["a", "b"]).assign(size=column)

    def of_polars(X, labels):
        frame = polars.DataFrame({"a": X[:, 0], "b": X[:, 1]})
        return frame.with_columns(polars.Series("size", labels, polars.Enum(SIZES)))

    def of_pyarrow(X, labels):
        return pyarrow.Table.from_pandas(of_pandas(X, labels))

    def of_index(X, labels):
        frame = of_pandas(X, labels)
        return frame.set_index("size", append=True)

    return [of_pandas, of_polars, of_pyarrow, of_index]


@each_model
def test_ordered_categories_are_the_order_in_every_container(drift, model):
    X, y, place = drift
    kept = place < 4
    X, y, labels = X[kept], target_of(model, y[kept]), np.array(SIZES)[place[kept]]
    numbers = model.fit(X, y, task=place[kept]).coef_nodes_
    model = type(model)(**{**model.get_params(), "task_column": "size"})
    for make in frames():
        fitted = model.fit(make(X, labels), y)
        assert fitted.order_.tolist() == SIZES
        assert fitted.tasks_.tolist() == sorted(SIZES)
        along = [fitted.tasks_.tolist().index(size) for size in SIZES]
        assert_allclose(fitted.coef_[along], numbers, atol=1e-7)


def test_an_ordered_keyword_is_the_order(drift):
    pandas = pytest.importorskip("pandas")
    X, y, place = drift
    labels = np.array(["f", "b", "e", "a", "d", "c"])
    task = pandas.Categorical(labels[place], categories=labels, ordered=True)
    model = GraphRegularizedRegressor().fit(X, y, task=task)
    assert model.order_.tolist() == labels.tolist()
    numbered = pandas.Categorical(
        np.array([5, 1, 4, 0, 3, 2])[place], categories=[5, 1, 4, 0, 3, 2], ordered=True
    )
    assert model.fit(X, y, task=numbered).order_.tolist() == [5, 1, 4, 0, 3, 2]


def test_unordered_categories_define_no_order(drift):
    pandas = pytest.importorskip("pandas")
    X, y, place = drift
    names = [f"week{k}" for k in (10, 2, 1, 3, 4, 5)]
    task = pandas.Categorical(np.array(names)[place], categories=names)
    model = GraphRegularizedRegressor().fit(X, y, task=task)
    assert model.order_.tolist() == [f"week{k}" for k in (1, 2, 3, 4, 5, 10)]


@each_model
def test_columns_of_y_are_in_their_order(drift, model):
    pandas = pytest.importorskip("pandas")
    X, y, place = drift
    names = ["f", "b", "e", "a", "d", "c"]
    values = target_of(model, y).astype(float)
    cells = np.where(place[:, None] == np.arange(6), values[:, None], np.nan)
    fitted = model.fit(X, pandas.DataFrame(cells, columns=names))
    assert fitted.order_.tolist() == names
    columns = fitted.coef_
    assert_allclose(columns, model.fit(X, values, task=place).coef_, atol=1e-7)


def test_orders_of_batches_are_merged_in_partial_fit(drift):
    pandas = pytest.importorskip("pandas")
    X, y, place = drift
    labels, early = np.array(MONTHS)[place], place < 3
    whole = GraphRegularizedRegressor(MONTHS).fit(X, y, task=labels)
    early_months = pandas.Categorical(labels[early], MONTHS[:3], ordered=True)
    late_months = pandas.Categorical(labels[~early], MONTHS[2:], ordered=True)
    model = GraphRegularizedRegressor()
    model.partial_fit(X[~early], y[~early], task=late_months)
    model.partial_fit(X[early], y[early], task=early_months)
    assert model.order_.tolist() == MONTHS
    assert_allclose(model.coef_, whole.coef_, atol=1e-9)
