"""Tables that are damaged, hostile or odd end in one line, before memory is taken.

A case is a file, or an edit of a genuine one, and what the command must say of it.
"""

import gzip
import io
import tracemalloc
import zipfile

import numpy as np
import pytest

pd = pytest.importorskip("pandas", reason="pandas is not installed")
openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed")

from skmtl.cli import _archive, _excel, _read_file  # noqa: E402
from skmtl.cli._command_errors import CommandError  # noqa: E402
from skmtl.cli._read_file import read_table  # noqa: E402
from skmtl.cli._table_columns import TableColumns  # noqa: E402
from skmtl.cli._task_labels import describe_labels  # noqa: E402

SHEET, STYLES = "xl/worksheets/sheet1.xml", "xl/styles.xml"
END = b"</sheetData>"


@pytest.fixture(scope="module")
def workbook():
    """The files in a small workbook, by name."""
    book = openpyxl.Workbook()
    for row in [["t", "x"], ["a", 1], ["b", 2]]:
        book.active.append(row)
    with io.BytesIO() as buffer:
        book.save(buffer)
        with zipfile.ZipFile(buffer) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


def zipped(files):
    with io.BytesIO() as buffer:
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return buffer.getvalue()


def refuse(path, content):
    """Read a table, and return what is said of it; little memory is taken."""
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(CommandError) as caught:
        read_table(path, ["t"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**27
    assert str(caught.value).startswith(f"{path} ")
    return str(caught.value)


@pytest.fixture
def small(monkeypatch):
    """Limits a thousand times smaller, so that what exceeds them is small too."""
    monkeypatch.setattr(_archive, "_ANY_SIZE", 2**17)
    monkeypatch.setattr(_archive, "_ANY_CELLS", 2**14)
    monkeypatch.setattr(_excel, "_MOST_ROWS", 2**10)


def add(rows):
    return lambda files: {**files, SHEET: files[SHEET].replace(END, rows + END)}


def declare(entities, cell):
    def edit(files):
        content = files[SHEET].replace(
            b"<worksheet", b"<!DOCTYPE x [" + entities + b"]><worksheet"
        )
        row = b'<row r="9"><c r="A9" t="str"><v>' + cell + b"</v></c></row>"
        return {**files, SHEET: content.replace(END, row + END)}

    return edit


LAUGHS = b'<!ENTITY a "aaaaaaaaaaaaaaaaaaaa">' + b"".join(
    b'<!ENTITY %c "%s">' % (letter, b"&%c;" % (letter - 1) * 20)
    for letter in range(ord("b"), ord("j"))
)
FAR = b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>'
WORKBOOKS = [
    ("a bomb", lambda f: {**f, "x": bytes(2**19)}, "is too large to open: "),
    ("a far row", add(b'<row r="100000000"><c/></row>'), "more than 1,024 rows"),
    ("many rows", add(b"<row/>" * 2000), "more than 1,024 rows"),
    ("far cells", add(b"".join(FAR % (i, i) for i in range(9, 12))), "16,384 cells"),
    (
        "a far cell, then rows",
        add(FAR % (9, 9) + b"<row><c><v>1</v></c></row>" * 50),
        "padded rows would have more than 16,384 cells",
    ),
    ("entities", declare(LAUGHS, b"&i;"), "is not a readable Excel file"),
    ("a file in it", declare(b'<!ENTITY a SYSTEM "a">', b"&a;"), "not a readable Exc"),
    ("half a sheet", lambda f: {**f, SHEET: f[SHEET][:-9]}, "not a readable Excel"),
    ("half of its styles", lambda f: {**f, STYLES: b"<x"}, "not a readable Excel"),
    ("no sheet", lambda f: {**f, SHEET: b""}, "is not a readable Excel file"),
    ("a row without number", add(b'<row r="x"><c/></row>'), "not a readable Excel"),
    ("a strange number", add(b"<row><c><v>1e</v></c></row>"), "not a readable Excel"),
]


@pytest.mark.full
@pytest.mark.parametrize(
    ("edit", "said"),
    [each[1:] for each in WORKBOOKS],
    ids=[each[0] for each in WORKBOOKS],
)
@pytest.mark.usefixtures("small")
def test_workbooks_that_cannot_be_read_are_refused(tmp_path, workbook, edit, said):
    assert said in refuse(tmp_path / "a.xlsx", zipped(edit(workbook)))


def replace(old, new):
    return lambda content: content.replace(old, new)


ARCHIVES = [
    (
        "encrypted",
        replace(b"PK\x01\x02\x14\x03\x14\0\0", b"PK\x01\x02\x14\x03\x14\0\1"),
    ),
    ("packed otherwise", replace(b"\x14\0\0\0\x08\0", b"\x14\0\0\0\x63\0")),
    ("cut off", lambda content: content[: len(content) // 2]),
]


@pytest.mark.parametrize(
    "edit", [each[1] for each in ARCHIVES], ids=[each[0] for each in ARCHIVES]
)
def test_archives_that_cannot_be_read_are_refused(tmp_path, workbook, edit):
    content = edit(zipped(workbook))
    assert content != zipped(workbook)
    assert "is not a readable Excel file" in refuse(tmp_path / "a.xlsx", content)


@pytest.mark.usefixtures("small")
def test_a_gzip_file_is_unpacked_no_further_than_its_limit(tmp_path):
    bomb = gzip.compress(b"t,x\n" + bytes(2**24))
    said = refuse(tmp_path / "a.csv.gz", bomb * 10)
    assert "that unpack to more than 8 MB: if it is a table of yours, unpack" in said
    assert "that unpack to more than" in refuse(tmp_path / "a.csv.gz", bomb)


def test_a_table_is_not_filled_up_far_beyond_what_it_holds(tmp_path):
    content = b"t,x" + b"," * 10**4 + b"\n" + b"a,1\n" * 10**4
    said = refuse(tmp_path / "a.csv", content)
    assert "have more than 16,777,216 cells, as its first row has 10,0" in said


def test_a_parquet_file_holds_no_more_cells_than_its_limit(tmp_path, monkeypatch):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    monkeypatch.setattr(_read_file, "_ANY_CELLS", 2**17)
    frame = pd.DataFrame({"t": ["a"] * 2**20, "x": 1.0})
    frame.to_parquet(tmp_path / "whole.parquet")
    content = (tmp_path / "whole.parquet").read_bytes()
    said = refuse(tmp_path / "a.parquet", content)
    assert "is too large to open: 2,097,152 cells in" in said


@pytest.mark.full
def test_names_in_a_line_longer_than_the_sample_are_told_apart(tmp_path):
    names = ["t", *(f"measurement_{i}" for i in range(20_000))]
    rows = [";".join(names), *(";".join(["a"] + ["1"] * 20_000) for _ in range(2))]
    (tmp_path / "a.csv").write_text("\n".join(rows))
    sheet = read_table(tmp_path / "a.csv", ["t"])
    assert sheet.frame.columns.tolist() == names
    assert sheet.notes == ["separated by semicolons"]


def test_a_closed_standard_input_is_said(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(CommandError, match="standard input is closed: add <FILE"):
        read_table("-")


@pytest.mark.parametrize("space", [" ", "\t", "\N{NO-BREAK SPACE}", "\u2009"])
def test_spaces_around_a_number_are_not_part_of_it(space):
    frame = pd.DataFrame({"x": ["1", f"{space}2{space}", "-"]}, dtype=object)
    values = TableColumns({"x": "number"}).fit_transform(frame)["x"]
    np.testing.assert_array_equal(values, [1, 2, np.nan])


@pytest.mark.parametrize(
    "twin", ["S\N{LATIN SMALL LETTER U}\u0308d", "\ufeffSüd", "SÜD", "S\u200büd"]
)
def test_labels_that_look_alike_are_said(twin):
    labels = pd.Series(["Süd", twin], name="t")
    (_, said), *_ = describe_labels(labels, labels)
    assert said.endswith("read as different tasks")
