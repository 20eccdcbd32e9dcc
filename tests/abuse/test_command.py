"""Malformed arguments and tables give a one-line error before any work.

A case is a line: arguments or bytes, and the expected message.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pd = pytest.importorskip("pandas", reason="pandas is not installed")
pytest.importorskip("skops", reason="skops is not installed")

import skmtl  # noqa: E402
from skmtl.cli import _compare_command as compare_module  # noqa: E402
from skmtl.cli import main  # noqa: E402
from skmtl.cli._command_models import fit_model, make_models  # noqa: E402
from skmtl.cli._formulas import quote_formula  # noqa: E402
from skmtl.cli._prepared_table import prepare_table  # noqa: E402
from skmtl.cli._store import dump_model  # noqa: E402

LONG = "a" * 300


def make_table(classes=("u", "v"), task="abc"):
    rng = np.random.default_rng(0)
    names = np.repeat(list(task), 20)
    target = np.resize(classes, len(names))
    return pd.DataFrame({"t": names, "x": rng.normal(size=len(names)), "y": target})


@pytest.fixture
def csv(tmp_path, monkeypatch):
    """A table, in the folder that commands run in."""
    monkeypatch.chdir(tmp_path)
    make_table().to_csv("c.csv", index=False)
    return Path("c.csv")


def fail(capsys, argv):
    """Run a command that must fail before any work, and return its one-line error."""
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("skmtl: error: ")
    assert err.count("\n") == 1
    return err


ARGUMENTS = [
    (["--seed", "-1"], "--seed: must be an integer from 0 to 4294967295, got '-1'"),
    (["--seed", "4294967296"], "--seed: must be an integer from 0 to 4294967295"),
    (["--seed", "9" * 5000], "--seed: must be an integer from 0 to 4294967295"),
    (["--seed", "1.5"], "--seed: must be an integer"),
    (["--seed", ""], "--seed: must be an integer"),
    (["--n-jobs", "0"], "--n-jobs: must be a nonzero integer"),
    (["--n-jobs", "x"], "--n-jobs: must be a nonzero integer"),
    (["--save", ""], "--save is empty: name a file that ends with .skops"),
    (["--report", ""], "--report is empty: name a file that ends with .html"),
    (["--date", "x=%d%d"], "--date x=%d%d is not a valid date format, redefinition"),
    (["--cv", "0"], "--cv 0 must be between 2 and"),
    (["--cv", "-3"], "--cv -3 must be between 2 and"),
    (["--models", ""], "--models '' names no model: give at least two"),
    (["--models", " , ,"], "names no model: give at least two"),
    (["--models", "pooled,pooled"], "names one model: give at least two"),
    (["--models", "pooled,\x1b[31m"], r"\x1b[31m"),
    (["--save", f"{LONG}.skops"], "cannot be written (File name too long)"),
    (["--save", f"{LONG}/m.skops"], "cannot be written (File name too long)"),
    (["--report", f"{LONG}.html"], "cannot be written (File name too long)"),
    (["--report", "a\0.html"], "cannot be written ("),
    (["--save", "c.csv/m.skops"], "the folder c.csv does not exist"),
    (["--save", "link.skops"], "is the input file c.csv"),
    (["--report", "loop.html"], "loop.html"),
    (["--report", "folder.html"], "is a folder: name a file in it"),
    (["--report", "lost.html"], "nowhere does not exist: create it first"),
]


@pytest.mark.parametrize(("argv", "said"), ARGUMENTS, ids=range(len(ARGUMENTS)))
def test_bad_arguments_give_a_one_line_error(capsys, csv, argv, said):
    Path("link.skops").symlink_to("c.csv")
    Path("loop.html").symlink_to("loop.html")
    Path("folder.html").mkdir()
    Path("lost.html").symlink_to("nowhere/x.html")
    argv = ["compare", "c.csv", "--task", "t", "--target", "y", *argv]
    assert said in fail(capsys, argv)


COMMANDS = [
    (["predict", "c.csv", "c.csv", "--output", ""], "--output is empty: name a file"),
    (["compare", f"{LONG}.csv", "--task", "t", "--target", "y"], "File name too long"),
    (["predict", f"{LONG}.skops", "c.csv"], "File name too long"),
    (["predict", "nothing.skops", "c.csv", "--output", f"{LONG}.csv"], "too long"),
    (["predict", "c.csv", "c.csv"], "is damaged, or was not saved by skmtl"),
    (["predict", "c.csv", "c.csv", "--output", "c.csv"], "is the input file c.csv"),
    (["predict", ".", "c.csv"], "is not a file: give one written by"),
    (["predict", "", "c.csv"], "is not a file: give one written by"),
    (["\x1b[31m"], r"invalid choice: '\x1b[31m'"),
]


@pytest.mark.parametrize(("argv", "said"), COMMANDS, ids=range(len(COMMANDS)))
def test_bad_commands_give_a_one_line_error(capsys, csv, argv, said):
    assert said in fail(capsys, argv)


CLASSES = [
    (["no"] * 59 + ["yes"], "class 'yes' of --target 'y' has 1 row"),
    (["a", "b"] * 29 + ["a", "rare"], "class 'rare' of --target 'y' has 1 row"),
    ([True] * 59 + [False], "class 'False' of --target 'y' has 1 row"),
    (["no"] * 55 + ["yes"] * 5, "at least 6 rows that are not 'no' to compare models"),
    (["a"] * 59 + ["\x1b[31m"], r"class '\x1b[31m' of --target"),
]


@pytest.mark.parametrize(("classes", "said"), CLASSES, ids=range(len(CLASSES)))
def test_classes_too_rare_to_compare_are_refused_first(capsys, csv, classes, said):
    make_table(classes).to_csv(csv, index=False)
    argv = ["compare", "c.csv", "--task", "t", "--target", "y"]
    assert said in fail(capsys, argv)


@pytest.mark.full
def test_six_rows_of_a_rarer_class_are_enough(capsys, csv):
    make_table(["no"] * 54 + ["yes"] * 6).to_csv(csv, index=False)
    argv = ["compare", "c.csv", "--task", "t", "--target", "y", "--cv", "2"]
    assert main([*argv, "--models", "independent,intercepts"]) == 0
    assert capsys.readouterr().err == ""


def test_a_model_that_fails_in_a_fold_gives_a_one_line_error(capsys, csv, monkeypatch):
    def refuse(*arguments, **options):
        raise ValueError("The model 'pooled' must predict.\nIn fold 0 it failed.")

    monkeypatch.setattr(compare_module, "compare_tasks", refuse)
    assert main(["compare", "c.csv", "--task", "t", "--target", "y"]) == 2
    said = (
        "skmtl: error: c.csv: The model 'pooled' must predict. In fold 0 it failed.\n"
    )
    assert capsys.readouterr().err == said


def test_no_more_processes_are_started_than_there_are_fits(csv, monkeypatch):
    found = {}

    def note(*arguments, n_jobs, **options):
        found["n_jobs"] = n_jobs
        raise KeyboardInterrupt

    monkeypatch.setattr(compare_module, "compare_tasks", note)
    argv = ["compare", "c.csv", "--task", "t", "--target", "y", "--cv", "3"]
    assert main([*argv, "--n-jobs", "1000000"]) == 130
    assert found["n_jobs"] == 12


# Text that a terminal or a spreadsheet would run

FORMULAS = [
    ("=1+1", "'=1+1"),
    ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
    ("-2+3", "'-2+3"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("\t=1", "'\t=1"),
    ("\r=1", "'\r=1"),
    ("\uff1d1", "'\uff1d1"),
    ("-1.5", "-1.5"),
    ("+1e-3", "+1e-3"),
    ("a=1", "a=1"),
    ("'=1", "'=1"),
]


def save_classes(classes, path="m.skops", labels="abc"):
    table = prepare_table(make_table(classes, labels), "", "t", "y", kind="classes")
    model = fit_model(make_models(["pooled"], table)["pooled"], table)
    Path(path).write_bytes(dump_model(model))


@pytest.mark.parametrize(("text", "written"), FORMULAS, ids=range(len(FORMULAS)))
def test_text_that_begins_as_a_formula_is_quoted(text, written):
    assert quote_formula(text) == written


@pytest.mark.full
def test_classes_that_begin_as_formulas_are_quoted(csv):
    save_classes(["=1", "-2"])
    assert main(["predict", "m.skops", "c.csv", "--output", "p.csv"]) == 0
    assert {*pd.read_csv("p.csv")["prediction"]} == {"'=1", "-2"}


@pytest.mark.full
def test_formulas_are_kept_if_asked(csv):
    save_classes(["=1", "-2"])
    argv = ["predict", "m.skops", "c.csv", "--output", "p.csv"]
    assert main([*argv, "--formulas", "keep"]) == 0
    assert {*pd.read_csv("p.csv")["prediction"]} == {"=1", "-2"}


@pytest.mark.full
def test_cells_that_pass_through_are_not_changed(csv):
    save_classes(["u", "v"])
    make_table().assign(note="=1").to_csv(csv, index=False)
    assert main(["predict", "m.skops", "c.csv", "--output", "p.csv"]) == 0
    assert set(pd.read_csv("p.csv")["note"]) == {"=1"}


STEERING = set("\x1b\x07\x9b\u202e")


@pytest.mark.full
def test_control_characters_in_a_table_are_escaped_in_the_terminal(capsys, csv):
    frame = make_table(["u\x1b[31m", "v\u202e"], "abc")
    frame = frame.rename(columns={"x": "x\x1b]0;x\x07", "t": "t\x9b"})
    frame["t\x9b"] += "\x1b[2J"
    frame.to_csv(csv, index=False)
    argv = ["compare", "c.csv", "--task", "t\x9b", "--target", "y", "--cv", "2"]
    assert main([*argv, "--models", "pooled,independent", "--report", "r.html"]) == 0
    out, err = capsys.readouterr()
    assert not STEERING & set(out + err + Path("r.html").read_text())
    assert r"x\x1b]0;x\x07" in out


def test_control_characters_in_errors_are_escaped(capsys, csv):
    frame = make_table().rename(columns={"x": "\x1b[31m"})
    frame.to_csv(csv, index=False)
    said = fail(capsys, ["compare", "c.csv", "--task", "z\x1b", "--target", "y"])
    assert not STEERING & set(said)


# Streams, as a process

PREDICT = "predict m.skops c.csv"
COMPARE = "compare c.csv --task t --target y --cv 2 --models pooled,independent"
STREAMS = [
    (f"{PREDICT} > /dev/full", 2, "skmtl: error: No space left on device"),
    (f"{COMPARE} >&-", 2, "skmtl: error: standard output is closed"),
    (f"{PREDICT} --output p.csv 2>&- > out", 0, ""),
    ("compare c.csv --seed -1 2> /dev/full", 2, ""),
]


@pytest.mark.full
@pytest.mark.parametrize(("line", "code", "said"), STREAMS, ids=range(len(STREAMS)))
def test_unwritable_streams_give_a_one_line_error(csv, line, code, said):
    save_classes(["u", "v"])
    argv = ["sh", "-c", f"{sys.executable} -m skmtl {line}"]
    env = {**os.environ, "PYTHONPATH": str(Path(skmtl.__file__).parents[1])}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=env)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == bool(said)
