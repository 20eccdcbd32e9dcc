"""Reading tables: labels, codes, dates, decimals, encodings."""

import gzip
import io
import subprocess
import sys

import numpy as np
import pytest

pd = pytest.importorskip("pandas", reason="pandas is not installed")
pytest.importorskip("skops", reason="skops is not installed")
pytest.importorskip("openpyxl", reason="openpyxl is not installed")

from skmtl.cli import TableColumns, main  # noqa: E402
from skmtl.cli._column_kinds import find_kind, read_kind  # noqa: E402
from skmtl.cli._prepared_table import prepare_table  # noqa: E402
from skmtl.cli._read_file import read_table  # noqa: E402

LABELS = ["01", "1", "001", "TRUE", "True", "9" * 20, "8" * 20, "1e3", "1000", "NA"]


def write(path, text, **options):
    path.write_text(text, newline="", **options)
    return path


def write_table(path, **columns):
    rows = zip(*columns.values(), strict=True)
    lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
    return write(path, "\n".join(lines) + "\n")


def prepare(path, **options):
    sheet = read_table(path, ["task"])
    return prepare_table(sheet.frame, "", "task", "y", typed=sheet.typed, **options)


def prepare_column(tmp_path, cells, name="x", n_tasks=3, **options):
    """Make a table of a column, with one to predict from."""
    rng = np.random.default_rng(0)
    n_rows = len(cells)
    tasks = [f"t{i % n_tasks}" for i in range(n_rows)]
    columns = {"task": tasks, name: cells, "z": rng.normal(size=n_rows).round(4)}
    columns["y"] = rng.normal(size=n_rows).round(4)
    return prepare(write_table(tmp_path / "table.csv", **columns), **options)


def run(*argv):
    return main([str(each) for each in argv])


def save_model(path, *more, task="task"):
    """Compare two models on a table, and save one."""
    model = path.with_name("model.skops")
    argv = ["--task", task, "--target", "y", "--models", "independent,mean"]
    assert run("compare", path, *argv, "--cv", 2, "--save", model, *more) == 0
    return model


def predict(model, path):
    """Return predictions as a list."""
    output = model.with_name("predictions.csv")
    assert run("predict", model, path, "--output", output) == 0
    return pd.read_csv(output, dtype=str)["prediction"].astype(float)


@pytest.fixture
def table(tmp_path):
    """A table with the variants that programs write."""
    rng = np.random.default_rng(0)
    n_rows = 40
    x = rng.normal(size=n_rows).round(3)
    frame = pd.DataFrame(
        {
            "task": [f"{i % 4:02d}" for i in range(n_rows)],
            "größe": x.astype(str),
            "zip": [f"{i % 7:05d}" for i in range(n_rows)],
            "born": [f"{i % 28 + 1:02d}/03/2024" for i in range(n_rows)],
            "paid": np.where(np.arange(n_rows) % 2, "TRUE", "FALSE"),
            "y": (3 * x + np.arange(n_rows) % 4).round(3).astype(str),
        }
    )
    frame.loc[3, "größe"] = "-"
    frame.loc[5, "zip"] = ""
    return frame


# labels of tasks


def test_labels_of_tasks_stay_what_they_are(tmp_path):
    path = write_table(
        tmp_path / "a.csv",
        task=LABELS * 3,
        x=np.arange(30) % 7,
        y=np.arange(30) ** 2 % 11,
    )
    assert sorted(prepare(path).labels.unique()) == sorted(LABELS)


@pytest.mark.full
def test_each_label_gets_the_predictions_of_its_own_task(tmp_path):
    levels = np.repeat(10.0 * np.arange(len(LABELS)), 8)
    x = np.random.default_rng(0).normal(size=levels.size).round(3)
    labels = np.repeat(LABELS, 8)
    path = write_table(
        tmp_path / "a.csv", **{" task ": labels, "x": x, "y": levels + x}
    )
    model = save_model(path)
    new = write_table(tmp_path / "new.csv", task=LABELS, x=[0.0] * len(LABELS))
    expected = 10.0 * np.arange(len(LABELS))
    np.testing.assert_allclose(predict(model, new), expected, atol=0.1)
    frame = pd.DataFrame({"x": 0.0, "task ": LABELS})
    frame.to_excel(tmp_path / "new.xlsx", index=False)
    np.testing.assert_allclose(
        predict(model, tmp_path / "new.xlsx"), expected, atol=0.1
    )


def test_typed_labels_are_those_that_a_csv_file_has(tmp_path):
    large = 2**53 + np.arange(3)
    frame = pd.DataFrame(
        {"task": [*large, *large], "x": [1, 2, 3, 4, 5, 5], "y": range(6)}
    )
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_csv(tmp_path / "a.csv", index=False)
    labels = prepare(tmp_path / "a.parquet").labels
    assert labels.tolist() == prepare(tmp_path / "a.csv").labels.tolist()
    assert labels.tolist() == [*map(str, large)] * 2


def test_integers_that_gaps_made_floats_are_the_same_labels(tmp_path):
    columns = {"x": [1, 2, 3, 5], "y": [1, 2, 3, 4]}
    path = write_table(tmp_path / "a.csv", task=["1.0", "10.0"] * 2, **columns)
    assert prepare(path).labels.tolist() == ["1", "10"] * 2
    path = write_table(tmp_path / "a.csv", task=["1.0", "1"] * 2, **columns)
    assert prepare(path).labels.tolist() == ["1.0", "1"] * 2


def test_floats_too_large_to_be_exact_are_refused_as_labels(tmp_path):
    frame = pd.DataFrame(
        {"task": [2.0**53, 2.0**54, 1.5], "x": [1, 2, 2], "y": range(3)}
    )
    frame.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ValueError, match="got the float 9007199254740992 in row 1"):
        prepare(tmp_path / "a.parquet")


@pytest.mark.full
def test_labels_that_differ_in_spelling_are_reported(capsys, table, tmp_path):
    table.to_csv(tmp_path / "a.csv", index=False)
    model = save_model(tmp_path / "a.csv")
    capsys.readouterr()
    table["task"] = table["task"].str.lstrip("0").replace("", "0")
    table.to_csv(tmp_path / "new.csv", index=False)
    predict(model, tmp_path / "new.csv")
    assert "('0' is not '00': labels are text)" in capsys.readouterr().err


def test_odd_labels_are_reported(tmp_path):
    cells = ["NA", "ash", "Ash", "elm ", "elm"] * 2
    path = write_table(tmp_path / "a.csv", task=cells, x=range(10), y=[1, 2] * 5)
    assert prepare(path).notes["Labels"] == [
        "task: surrounding spaces removed from some",
        "task 'NA' read as a task; only empty cells are missing",
        "task 'Ash', 'ash' read as different tasks",
    ]


# columns of one name, and copies of the target


def test_two_columns_of_one_name_in_a_parquet_file_are_refused(tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    names = ["task", "x", "y", "y"]
    table = pa.table([["a"], [1], [2], [2]], names=names)
    parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(ValueError, match="two columns named 'y': rename one"):
        read_table(tmp_path / "a.parquet")


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_two_columns_of_one_name_are_refused(tmp_path, name):
    frame = pd.DataFrame([["a", 1, 2, 2]], columns=["task", "x", "y", " y"])
    writers = {"a.csv": frame.to_csv, "a.xlsx": frame.to_excel}
    writers[name](tmp_path / name, index=False)
    with pytest.raises(ValueError, match="two columns named 'y': rename one"):
        read_table(tmp_path / name)


@pytest.mark.parametrize(
    "copy", [lambda y: y, lambda y: 32 - 1.8 * y, lambda y: (y / 7).round(3)]
)
def test_a_copy_of_the_target_is_warned_of(copy):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(30, 2)), columns=["x", "y"])
    frame = frame.assign(task=["a", "b", "c"] * 10, leak=copy(frame["y"]))
    with pytest.warns(UserWarning, match="'leak' equals the target.*--drop leak"):
        prepare_table(frame, "", "task", "y")


def test_a_copy_of_classes_is_warned_of():
    frame = pd.DataFrame(
        {"task": ["a", "b"] * 10, "x": range(20), "code": [4, 4, 9, 9] * 5}
    )
    frame["y"] = frame["code"].map({4: "no", 9: "yes"})
    with pytest.warns(UserWarning, match="'code' equals the target"):
        prepare_table(frame, "", "task", "y")


# cells that only pass through


@pytest.mark.full
def test_cells_are_written_as_they_were_read(tmp_path, table):
    table.to_csv(tmp_path / "a.csv", index=False)
    model = save_model(tmp_path / "a.csv")
    lines = [
        ' task,größe ,zip,born,paid,"a ""note"""',
        '"01",1.10,00123,01/03/2024,TRUE,"x, y"',
        "02, 1e1,00123,31/03/2024,false,NA",
        '03,,"",2024-03-31,True,"two\nlines"',
        "00,-,n/a,,,007",
    ]
    new = write(tmp_path / "new.csv", "\r\n".join(lines) + "\r\n\r\n", encoding="utf-8")
    output = tmp_path / "out.csv"
    assert run("predict", model, new, "--output", output) == 0
    written = output.read_text(encoding="utf-8")
    for line in lines:
        assert f"{line}," in written
    assert pd.read_csv(output)["prediction"].notna().all()


@pytest.mark.full
def test_cells_of_other_files_keep_their_content(tmp_path, table):
    table.to_csv(tmp_path / "a.csv", index=False)
    model = save_model(tmp_path / "a.csv")
    head = "task;größe;zip;born;paid"
    new = write(tmp_path / "new.csv", f'{head}\n01;1,10;00123;"1/3/2024";TRUE\n')
    assert run("predict", model, new, "--output", tmp_path / "out.csv") == 0
    cells = pd.read_csv(tmp_path / "out.csv", dtype=str).iloc[0, :5]
    assert cells.tolist() == ["01", "1,10", "00123", "1/3/2024", "TRUE"]


def test_integers_with_gaps_of_a_parquet_file_stay_integers(tmp_path):
    frame = pd.DataFrame({"n": pd.array([1, None], dtype="Int64"), "a": "b"})
    frame.to_parquet(tmp_path / "a.parquet")
    records = read_table(tmp_path / "a.parquet", keep=True).records
    assert records == ["n,a", "1,b", ",b"]


# kinds of columns


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2.5", "-"], "number"),
        (["1", "2.5", "?"], "number"),
        (["1", " 2.5", "n/a"], "number"),
        (["1e5", "-3", ""], "number"),
        ([*map(str, range(20)), "<low"], "number"),
        (["1", "x"], "category"),
        (["1", "07"], "category"),
        (["0.5", "0"], "number"),
        (["TRUE", "false", "-"], "flag"),
        (["none", "mild"], "category"),
        (["2024-01-31", "?"], "date"),
        (["31/12/2024", "1/1/2024"], "date"),
        (["12/31/2024", "01/01/2024"], "date"),
        (["31.12.2024 10:30", "01.01.2024 00:00"], "date"),
        (["31/12/24", "01/01/24"], "date"),
        (["31 Dec 2024", "1 Jan 2025"], "date"),
        (["2024/12/31", "2024/01/01"], "date"),
        (["2024-11", "2024-12"], "date"),
        ([f"202401{day}" for day in range(10, 20)], "date"),
        (["2023-24", "2024-25"], "category"),
        (["31/12/2024", "12/31/2024"], "category"),
        (["1.2.24", "1.2.10"], "category"),
        (["20249999"] * 5, "number"),
    ],
)
def test_the_kind_of_a_column_of_text_is_found(cells, kind):
    column = pd.Series(cells, dtype=object).replace("", np.nan)
    assert find_kind(column, typed=False) == kind


@pytest.mark.parametrize(
    ("cells", "day"),
    [
        (["31/12/2024", "03/04/2024"], "2024-04-03"),
        (["12/31/2024", "03/04/2024"], "2024-03-04"),
        (["03/04/2024", "05/06/2024"], "2024-04-03"),
        (["31.12.24", "2024-04-03"], None),
    ],
)
def test_day_and_month_are_told_apart(cells, day):
    column = pd.Series(cells, name="day", dtype=object)
    reading = read_kind(column, typed=False)
    columns = TableColumns({"day": reading.kind}, {"day": reading.form})
    found = columns.transform(column.to_frame())["day"].astype(str).tolist()
    assert day is None or day in found
    assert (reading.kind == "date") == (day is not None)


def test_dates_are_read_as_in_training_or_as_iso():
    columns = TableColumns({"day": "date"}, {"day": "%d/%m/%Y"})
    cells = pd.DataFrame({"day": ["03/04/2024", "2024-04-03", "-"]})
    found = columns.transform(cells)["day"]
    assert found[:2].eq(pd.Timestamp("2024-04-03")).all()
    assert found.isna().tolist() == [False, False, True]
    with pytest.raises(ValueError, match="dates as 31/01/2024, got '04/31/2024'"):
        columns.transform(pd.DataFrame({"day": ["04/31/2024"]}))


def test_words_that_were_missing_in_training_are_missing_later(tmp_path):
    cells = [*map(str, np.arange(29) ** 2 / 2), "<low"]
    table = prepare_column(tmp_path, cells)
    assert table.notes["Missing"] == ["x ('<low' in 1 row)"]
    columns = TableColumns(table.kinds, words=table.words)
    new = pd.DataFrame({"x": ["<low", "2"], "z": ["?", "1"]})
    assert columns.transform(new).isna().to_numpy().tolist() == [
        [True] * 2,
        [False] * 2,
    ]
    with pytest.raises(ValueError, match="must hold numbers, got '<5'"):
        columns.transform(new.replace("?", "<5"))


@pytest.mark.parametrize(
    ("name", "cells", "kind", "said"),
    [
        ("childid", range(1000, 1030), None, "an id, unique per row"),
        ("x", range(1000, 1030), None, "an id, unique per row"),
        ("userId", [i // 2 * 7919 for i in range(60)], None, "an id with few rows"),
        ("areacode", [100 + i % 5 for i in range(30)], "category", "Codes"),
        ("zip", [f"{i % 5:03d}" for i in range(30)], "category", "Codes"),
        ("income", [(i * 7919) % 99991 for i in range(30)], "number", "Maybe ids"),
        ("head", ["Ash", "Bea", "Cy"] * 10, None, "names the same tasks as task"),
        ("office", [11, 12, 13] * 10, None, "names the same tasks as task"),
        ("note", [f"n{i // 2}" for i in range(60)], "category", "Many"),
        ("mix", ["1", "2", "3", "x", "y", "z"] * 5, "category", "Mixed"),
    ],
)
def test_codes_and_ids_are_detected_and_reported(tmp_path, name, cells, kind, said):
    table = prepare_column(tmp_path, cells, name)
    assert table.kinds.get(name) == kind
    assert said in f"{table.unused_columns.get(name)} {list(table.notes)}"


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("paid", [100 + i % 5 for i in range(30)]),
        ("rooms", [1 + i % 5 for i in range(30)]),
        ("group size", [1 + i % 5 for i in range(30)]),
        ("size", [110, 470, 1000] * 10),
        ("child_id", [i / 2 for i in range(30)]),
    ],
)
def test_numbers_that_count_something_stay_numbers(tmp_path, name, cells):
    table = prepare_column(tmp_path, cells, name)
    assert table.kinds == {name: "number", "z": "number"}
    assert table.notes == {}


@pytest.mark.parametrize(
    ("name", "cells", "requested", "expected"),
    [
        ("childid", range(30), ("number", None), 2.0),
        ("childid", range(30), ("category", None), "2"),
        ("zip", [f"{i % 5:03d}" for i in range(30)], ("number", None), 2.0),
        ("day", ["03/04/2024"] * 29 + ["3/5/2024"], ("date", "%m/%d/%Y"), "2024-03-04"),
        (
            "day",
            [f"2024 {i % 12 + 1}" for i in range(30)],
            ("date", "%Y %m"),
            "2024-03-01",
        ),
        ("x", ["a", "b", "2"] * 10, ("number", None), 2.0),
        ("born", [f"202401{i + 10}" for i in range(20)], ("number", None), 20240112.0),
    ],
)
def test_the_user_says_what_a_column_is(tmp_path, name, cells, requested, expected):
    table = prepare_column(tmp_path, cells, name, requested_kinds={name: requested})
    found = table.X[name][2]
    assert str(found).removesuffix(" 00:00:00") == str(expected)
    assert table.kinds[name] == requested[0]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--number", "zap"], "--number 'zap' is not a column"),
        (["--number", "task"], "is the --task column"),
        (["--number", "zip", "--drop", "zip"], "is also given in --drop"),
        (["--date", "zip", "--category", "zip"], "is also given in --category"),
        (["--date", "zip"], "give the format, as in --date zip=%d/%m/%Y"),
        (["--date", "born=%Q"], "is not a valid date format"),
        (["--number", "born"], "must hold numbers, got '01/03"),
        (["--cv", "time"], "must be a number of folds, new-tasks or time COLUMN"),
        (["--cv", "time", "zip"], "--cv time 'zip' must hold dates or numbers"),
        (["--cv", "time", "day"], "--cv time 'day' is not a column"),
        (["--cv", "39", "--cv", "time", "born"], "too few distinct values"),
    ],
)
def test_options_that_cannot_be_followed_are_refused(
    capsys, table, tmp_path, argv, said
):
    table.to_csv(tmp_path / "a.csv", index=False)
    argv = ["compare", tmp_path / "a.csv", "--task", "task", "--target", "y", *argv]
    assert run(*argv) == 2
    assert said in capsys.readouterr().err


@pytest.mark.full
def test_new_categories_and_missing_words_are_counted(capsys, table, tmp_path):
    table.to_csv(tmp_path / "a.csv", index=False)
    model = save_model(tmp_path / "a.csv")
    table.loc[:2, "zip"] = ["99999", "88888", "99999"]
    table.to_csv(tmp_path / "new.csv", index=False)
    capsys.readouterr()
    predict(model, tmp_path / "new.csv")
    assert capsys.readouterr().err.splitlines()[1:] == [
        "3 rows with 2 unseen zip ('99999', '88888'), treated as rare categories",
        "1 row of größe read as missing ('-')",
    ]


def test_classes_stay_what_they_are(tmp_path):
    cells = ["01", "1", "001"] * 10
    path = write_table(
        tmp_path / "a.csv", task=["a", "b"] * 15, x=np.arange(30) % 7, y=cells
    )
    assert prepare(path).y.tolist() == cells
    path = write_table(
        tmp_path / "a.csv",
        task=["a", "b"] * 15,
        x=np.arange(30) % 7,
        y=["TRUE", "FALSE"] * 15,
    )
    assert set(prepare(path).y) == {"TRUE", "FALSE"}


# times


@pytest.mark.full
def test_folds_in_time_train_on_the_past(capsys, table, tmp_path):
    table["day"] = [f"2024-{i // 4 + 1:02d}-01" for i in range(40)]
    table.sample(frac=1, random_state=0).to_csv(tmp_path / "a.csv", index=False)
    argv = ["compare", tmp_path / "a.csv", "--task", "task", "--target", "y"]
    argv += ["--models", "independent,mean", "--cv", 3]
    assert run(*argv) == 0
    assert "Folds: 3 random folds, although rows have a time" in capsys.readouterr().out
    outputs = []
    for time in (["time:day"], ["time", "day"]):
        assert run(*argv, "--cv", *time, "--seed", len(time)) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    assert "Folds: 3 in the order of day, tested on later rows, all tasks" in outputs[0]


def test_tasks_that_do_not_overlap_are_split_separately(tmp_path):
    from skmtl.cli._folds import make_folds

    path = write_table(
        tmp_path / "a.csv",
        task=np.repeat(["a", "b"], 12),
        x=range(24),
        y=[1.5, 2.0, 3.0] * 8,
    )
    table = prepare(path, time="x", requested_kinds={"x": ("number", None)})
    folds, same_times = make_folds(table, 3)
    assert not same_times
    assert [len(test) for _, test in folds] == [6, 6, 6]


def test_rows_without_a_time_are_left_out_and_counted(tmp_path):
    days = ["2024-01-01", "", "2024-01-03", "2024-01-04"] * 3
    table = prepare_column(tmp_path, days, "day", time="day")
    assert table.unused_rows["day"] == 3
    assert len(table.times) == len(table.y) == 9


# files


def test_a_table_is_the_same_in_every_file(table, tmp_path, monkeypatch):
    commas = table.assign(
        größe=table["größe"].str.replace(".", ","), y=table["y"].str.replace(".", ",")
    )
    text = table.to_csv(index=False)
    semicolons = commas.to_csv(index=False, sep=";")
    contents = {
        "a.csv": text.encode(),
        "a.tsv": table.to_csv(index=False, sep="\t").encode(),
        "a.csv.gz": gzip.compress(text.encode()),
        "a.txt": text.replace("\n", "\r\n").encode("utf-8-sig"),
        "latin.csv": semicolons.encode("latin-1"),
        "utf16.csv": semicolons.encode("utf-16"),
        "sep.csv": f"sep=;\n{semicolons}".encode(),
    }
    paths = [tmp_path / name for name in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        path.write_bytes(content)
    book = table.assign(
        größe=pd.to_numeric(table["größe"], errors="coerce").astype(object),
        y=table["y"].astype(float),
        paid=table["paid"] == "TRUE",
        born=pd.to_datetime(table["born"], format="%d/%m/%Y"),
    )
    book.to_excel(tmp_path / "a.xlsx", index=False)
    stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    expected = prepare(tmp_path / "a.csv")
    for path in [*paths, tmp_path / "a.xlsx", "-"]:
        found = prepare(path)
        pd.testing.assert_frame_equal(found.X, expected.X)
        np.testing.assert_array_equal(found.y, expected.y)


@pytest.mark.parametrize(
    ("content", "notes"),
    [
        (b"a,b\n1,2\n", []),
        (b"a;b\n1,5;2\n", ["separated by semicolons", "decimals with a comma"]),
        (b"a|b\n1|2\n", ["separated by bars"]),
        (b"a\tb\n1\t2\n", ["separated by tabs"]),
        ("a,b\né,2\n".encode("cp1252"), ["encoded as cp1252"]),
        ("a,b\n1,2\n".encode("utf-16"), ["encoded as utf-16"]),
        (b'a,b\n"1,234.5",2\n', ["thousands with a comma (a)"]),
        (b"a,b\n1\n", ["1 row with fewer fields than names, first row 1"]),
    ],
)
def test_assumptions_in_reading_are_reported(tmp_path, content, notes):
    (tmp_path / "a.csv").write_bytes(content)
    assert read_table(tmp_path / "a.csv").notes == notes


@pytest.mark.parametrize(
    ("content", "numbers"),
    [
        ("a;b\n1,5;2\n1.234,5;3\n", [1.5, 1234.5]),
        ("a;b\n1,234;2\n2,345;3\n", [1.234, 2.345]),
        ("a;b\n1.234;2,5\n12.345;3,5\n", [1234, 12345]),
        ("a;b\n1.5;2,5\n-;3,5\n", [1.5, np.nan]),
        ('a,b\n"1,5",2\n2,3\n', [1.5, 2]),
        ('a,b\n"1,234",2.5\n2,3\n', [1234, 2]),
        ('a,b\n"1,234,567",2\n2,3\n', [1234567, 2]),
        ("a;b\n0,5;2\n,5;3\n", [0.5, 0.5]),
    ],
)
def test_commas_in_numbers_are_understood(tmp_path, content, numbers):
    path = write(tmp_path / "a.csv", content)
    column = TableColumns({"a": "number"}).transform(read_table(path).frame)["a"]
    np.testing.assert_array_equal(column, numbers)


def test_ambiguous_commas_are_not_numbers(tmp_path):
    path = write(tmp_path / "a.csv", 'a,b\n"1,234",2\n"2,345",3\n')
    with pytest.raises(ValueError, match="must hold numbers, got '1,234'"):
        TableColumns({"a": "number"}).transform(read_table(path).frame)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b'a,b\n1,"2\n', "not a readable CSV file"),
        ("a.csv", b"a,b\n1,\x002\n", "NUL characters"),
        ("a.csv", "a,b\né,ö\nü,ß\n".encode() + b"\xff,1\n", "not valid UTF-8, but"),
        ("a.csv", b"\xff\xfea", "byte 2 is not valid utf-16"),
        ("a.csv.gz", b"\x1f\x8b\x08no gzip", "not a readable gzip file"),
        ("a.xlsx", b"no workbook", "not a readable Excel file"),
        ("a.xlsx", b"PK\x03\x04no workbook", "not a readable Excel file"),
        ("a.csv", b"\xd0\xcf\x11\xe0", "old Excel file: save it as .xlsx"),
        ("a.json", b"{}", "must be a .csv, .tsv, .csv.gz, .xlsx or .parquet file"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=said):
        read_table(tmp_path / name)


def test_leading_zeros_of_an_excel_format_are_kept(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["zip", "n"])
    book.active.append([123, 1.0])
    book.active["A2"].number_format = "00000"
    book.create_sheet("more")
    book.save(tmp_path / "a.xlsx")
    sheet = read_table(tmp_path / "a.xlsx")
    assert sheet.frame.iloc[0].tolist() == ["00123", "1"]
    assert sheet.notes == ["the first of 2 sheets, 'Sheet'"]


# speed


@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["compare", "--help"]])
def test_help_imports_nothing_heavy(argv):
    code = (
        "import sys\nfrom skmtl.cli import main\n"
        f"main({argv})\nprint(*{{'numpy', 'scipy', 'sklearn'}} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == ""
