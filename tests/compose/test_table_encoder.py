"""A table of numbers, text, dates and gaps becomes numbers."""

import numpy as np
import pytest

pd = pytest.importorskip("pandas", reason="pandas is not installed")

from skmtl.compose import DateFeatures, make_table_encoder  # noqa: E402


def test_rare_and_new_categories_are_one():
    towns = ["a"] * 5 + ["b"] * 5 + ["c", "d"]
    X = pd.DataFrame({"town": pd.Series(towns, dtype=object), "t": 1})
    encoder = make_table_encoder({"town": "category"}, "t").fit(X)
    names = encoder.get_feature_names_out().tolist()
    assert names == ["town=a", "town=b", "town=(rare)", "t"]
    new = pd.DataFrame({"town": ["c", "z"], "t": 1})
    assert encoder.transform(new).to_numpy().tolist() == [[0, 0, 1, 1]] * 2


def test_missing_numbers_are_the_median_and_flagged():
    X = pd.DataFrame({"x": [1.0, 2.0, 9.0, np.nan], "t": 1})
    encoder = make_table_encoder({"x": "number"}, "t").fit(X)
    encoded = encoder.transform(X)
    assert encoded.columns.tolist() == ["x", "missingindicator_x", "t"]
    assert encoded["x"][3] == encoded["x"][1]
    assert encoded["missingindicator_x"].rank().tolist() == [2, 2, 2, 4]


def test_the_task_column_passes_untouched():
    X = pd.DataFrame({"t": ["b", "a"], "x": [1.0, 2.0], "town": ["n", "s"]})
    for kinds in ({"x": "number", "town": "category"}, None):
        encoded = make_table_encoder(kinds, "t").fit_transform(X)
        assert encoded["t"].tolist() == ["b", "a"]
        assert encoded.columns[-1] == "t"


def test_parts_of_dates_are_those_of_the_calendar():
    days = pd.to_datetime(["2023-12-31 00:00", "2024-02-29 12:00", None])
    X = pd.DataFrame({"day": days})
    parts = DateFeatures().fit_transform(X)
    expected = [[2023, 12, 6, 0], [2024, 2, 3, 60.5], [np.nan] * 4]
    np.testing.assert_array_equal(parts, expected)


def test_a_date_before_the_first_has_negative_days():
    X = pd.DataFrame({"day": pd.to_datetime(["2024-01-02", "2024-01-03"])})
    dates = DateFeatures().fit(X)
    earlier = pd.DataFrame({"day": pd.to_datetime(["2024-01-01"])})
    assert dates.transform(earlier).tolist() == [[0, -1]]


def test_the_types_of_columns_tell_their_kinds():
    days = pd.to_datetime(["2024-01-01", "2024-01-02", None, "2024-02-01"], utc=True)
    X = pd.DataFrame({"day": days, "town": ["a", "b", None, "a"]})
    X["rank"] = pd.Categorical([1, 2, 2, None])
    X["paid"] = pd.array([True, False, None, True], dtype="boolean")
    X["count"] = pd.array([1, 2, 3, None], dtype="Int64")
    X["wait"] = pd.to_timedelta([1, 2, 3, 4], unit="s")
    encoded = make_table_encoder().fit_transform(X)
    names = encoded.columns.tolist()
    assert {"town=a", "town=(rare)", "rank=2"} <= {*names}
    assert {"day days", "paid", "count", "missingindicator_count", "wait"} <= {*names}
    assert np.isfinite(encoded.to_numpy()).all()
    by_hand = pd.DataFrame({"wait": [1.0, 2.0, 3.0, 4.0]})
    expected = make_table_encoder({"wait": "number"}).fit_transform(by_hand)
    assert encoded["wait"].tolist() == expected["wait"].tolist()


def test_a_label_of_any_type_is_the_same_category():
    X = pd.DataFrame({"code": pd.Series([1, "1", "x", "x"], dtype=object)})
    encoded = make_table_encoder().fit_transform(X)
    assert encoded.columns.tolist() == ["code=1", "code=x"]


def test_arrays_are_refused():
    with pytest.raises(TypeError, match=r"make it a pandas\.DataFrame"):
        make_table_encoder().fit(np.ones((3, 2)))
