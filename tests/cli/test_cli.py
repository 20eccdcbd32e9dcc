"""The command compares, saves and predicts, and says in one line what is wrong."""

import io
import json
import subprocess
import sys
import warnings
import zipfile

import numpy as np
import pytest
from cases import parametrize

pd = pytest.importorskip("pandas", reason="pandas is not installed")
pytest.importorskip("skops", reason="skops is not installed")

import skmtl  # noqa: E402
from skmtl.cli import TableColumns, main  # noqa: E402
from skmtl.cli import _compare_command as compare_module  # noqa: E402
from skmtl.cli._choices import (  # noqa: E402
    DEFAULT_MODELS,
    METRICS,
    MODELS,
    NAMES,
)
from skmtl.cli._column_kinds import find_kind  # noqa: E402
from skmtl.cli._command_models import fit_model, make_models, read_names  # noqa: E402
from skmtl.cli._prepared_table import prepare_table  # noqa: E402
from skmtl.cli._store import dump_model, load_model  # noqa: E402
from skmtl.model_selection import list_candidates, read_comparison  # noqa: E402

FAST = ["--models", "independent,pooled", "--cv", "2"]


def make_pupils(n_rows=120, seed=0):
    """A table with every kind of column, and holes in it."""
    rng = np.random.default_rng(seed)
    hours = rng.normal(size=n_rows)
    town = rng.choice(["north", "south", "west"], n_rows)
    schools = rng.choice(["ash", "birch", "cedar", "elm"], n_rows)
    days = pd.Timestamp("2023-01-30") + pd.to_timedelta(np.arange(n_rows), "D")
    return pd.DataFrame(
        {
            "school": schools,
            "hours": pd.Series(hours).mask(rng.random(n_rows) < 0.1),
            "town": pd.Series(town).mask(rng.random(n_rows) < 0.1),
            "tested": days.strftime("%Y-%m-%d"),
            "free_meals": rng.random(n_rows) < 0.3,
            "country": "UK",
            "name": [f"pupil {i}" for i in range(n_rows)],
            "nothing": np.nan,
            "score": 2 * hours + (schools == "elm") + (town == "west"),
        }
    )


@pytest.fixture
def pupils():
    return make_pupils()


@pytest.fixture
def csv(tmp_path, pupils):
    path = tmp_path / "pupils.csv"
    pupils.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """The content of a model file that the command saved."""
    folder = tmp_path_factory.mktemp("saved")
    csv, path = folder / "pupils.csv", folder / "model.skops"
    make_pupils().to_csv(csv, index=False)
    argv = ["compare", csv, "--task", "school", "--target", "score", "--save", path]
    assert run(*argv, *FAST) == 0
    return path.read_bytes()


@pytest.fixture
def saved(tmp_path, content):
    """A model saved by the command."""
    path = tmp_path / "model.skops"
    path.write_bytes(content)
    return path


def run(*argv):
    return main([str(each) for each in argv])


def fail(capsys, *argv):
    """Run what must fail, and return the one line that it says."""
    capsys.readouterr()
    assert run(*argv) == 2
    error = capsys.readouterr().err
    assert error.startswith("skmtl: error: ")
    assert error.count("\n") == 1
    return error


def compare_with(path, *more, task="school", target="score"):
    return ["compare", path, "--task", task, "--target", target, *FAST, *more]


# compare


def test_without_a_file_it_runs_on_embedded_data_and_says_so(capsys):
    assert run("compare", *FAST) == 0
    out, err = capsys.readouterr()
    assert "About: no file was named" in out
    assert "442 diabetes patients (embedded data: load_diabetes of scikit-learn)" in out
    assert err == ""


@pytest.mark.full
def test_the_table_has_a_line_per_model_and_the_recommendation(capsys, csv):
    assert run(*compare_with(csv)) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert sum(line.startswith(("independent", "pooled")) for line in lines) == 2
    assert "'pooled'" in lines[-1]


def test_it_tells_which_rows_and_columns_were_used(capsys, pupils, tmp_path):
    pupils.loc[:2, "score"] = np.nan
    pupils.loc[5, "school"] = None
    pupils.to_csv(tmp_path / "holes.csv", index=False)
    assert run(*compare_with(tmp_path / "holes.csv", "--drop", "town")) == 0
    out = capsys.readouterr().out
    assert "Rows: 116, to predict score" in out
    assert "Tasks: 4 of school" in out
    assert "1 number (hours); 1 yes/no column (free_meals); 1 date (tested)" in out
    assert "name (text that differs in every row)" in out
    assert "town (--drop), country (the same in every row)" in out
    assert "nothing (empty)" in out
    assert "Left out: 1 row without school and 3 rows without score" in out


@pytest.mark.full
def test_csv_and_parquet_give_the_same(capsys, csv, pupils, tmp_path):
    pupils.to_parquet(tmp_path / "pupils.parquet")
    run(*compare_with(csv))
    from_csv = capsys.readouterr().out.partition("\n")[2]
    run(*compare_with(tmp_path / "pupils.parquet"))
    assert capsys.readouterr().out.partition("\n")[2] == from_csv


@pytest.mark.full
def test_a_level_of_the_index_of_a_parquet_file_is_a_column(pupils, tmp_path):
    pupils.set_index("school").to_parquet(tmp_path / "pupils.parquet")
    assert run(*compare_with(tmp_path / "pupils.parquet")) == 0


@pytest.mark.full
@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_are_found(pupils, tmp_path, separator):
    pupils.to_csv(tmp_path / "pupils.csv", index=False, sep=separator)
    assert run(*compare_with(tmp_path / "pupils.csv")) == 0


@pytest.mark.full
def test_the_seed_decides_the_folds(capsys, csv):
    outputs = []
    for seed in (1, 1, 2):
        run(*compare_with(csv, "--seed", seed))
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1] != outputs[2]


def test_a_network_is_compared_only_on_request(capsys, csv):
    assert (
        *("independent", "pooled", "pooled + task intercepts"),
        "mean-regularised",
    ) == DEFAULT_MODELS
    assert run("compare", "--help") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "by default independent,pooled,pooled" in out
    assert "mlp a neural network" in out


@pytest.mark.parametrize("kind", METRICS)
def test_all_candidates_of_the_search_have_a_name(pupils, kind):
    pupils["score"] = np.arange(len(pupils)) % 3
    table = prepare_table(pupils, "", "school", "score", kind=kind)
    metric = METRICS[kind][0]
    data = read_comparison(table.X, table.y, "school", None, None, metric)
    names = [each.name for each in list_candidates(data)]
    assert set(names) <= set(NAMES)
    found = [read_names(f"independent, {name}") for name in names[2:]]
    models = make_models({name for pair in found for name in pair}, table)
    assert all(hasattr(each, "predict") for each in models.values())


def test_json_is_the_only_output(capsys, csv):
    argv = ["--models", "independent,pooled", "--cv", "2", "--json", "--quiet"]
    assert run(*compare_with(csv, *argv)) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["model"] for each in found["models"]] == ["independent", "pooled"]
    assert found["recommended"] in ("independent", "pooled")


def test_the_errors_of_tasks_are_written(capsys, csv, tmp_path):
    path = tmp_path / "tasks.csv"
    assert run(*compare_with(csv, *FAST, "--tasks-csv", path)) == 0
    tasks = pd.read_csv(path)
    assert set(tasks["task"]) == set(pd.read_csv(csv)["school"])
    assert tasks["p_value"].is_monotonic_increasing
    assert "Wrote the tasks: " in capsys.readouterr().out


@pytest.mark.full
def test_errors_of_new_tasks_stand_beside_those_of_known_ones(capsys, csv):
    assert run(*compare_with(csv, *FAST, "--new-tasks")) == 0
    both = capsys.readouterr().out
    assert run(*compare_with(csv, *FAST, "--cv", "new-tasks")) == 0
    alone = capsys.readouterr().out
    assert "Folds: 2 of whole tasks, each predicted as a new one" in alone
    lines = [line.split() for line in both.splitlines() if line.startswith("pooled")]
    (new,) = [line.split() for line in alone.splitlines() if line.startswith("pooled")]
    place = 2 if lines[0][1] == "*" else 1
    assert lines[0][place + 1] == new[2 if new[1] == "*" else 1]


@pytest.mark.full
def test_ends_of_intervals_are_those_of_the_model(capsys, csv, tmp_path):
    saved, out = tmp_path / "m.skops", tmp_path / "p.csv"
    table = prepare_table(pd.read_csv(csv), "", "school", "score")
    (model,) = make_models(["mean-regularised"], table).values()
    saved.write_bytes(dump_model(fit_model(model, table)))
    assert run("predict", saved, csv, "--interval", "0.8", "--output", out) == 0
    model, written = load_model(saved), pd.read_csv(out)
    rows = model[:-1].transform(pd.read_csv(csv))
    ends = model[-1].predict_interval(rows, 0.8)
    np.testing.assert_allclose(written[["lower end", "upper end"]], ends)
    error = fail(capsys, "predict", saved, csv, "--interval", "90")
    assert "must be a number above 0 and below 1, such as 0.9, got '90'" in error


def test_candidates_for_another_kind_of_target_are_refused(capsys, pupils, tmp_path):
    pupils.assign(score=range(len(pupils))).to_csv(tmp_path / "p.csv", index=False)
    argv = ["--models", "mean,smooth functions", "--kind", "counts"]
    error = fail(capsys, *compare_with(tmp_path / "p.csv", *argv))
    assert "--models 'smooth functions' cannot predict counts: leave it out" in error


@pytest.mark.full
def test_candidates_of_the_search_are_compared(capsys, pupils, tmp_path):
    pupils["town"] = pupils["town"].fillna("").str.cat(["[1], a"] * len(pupils))
    pupils.to_csv(tmp_path / "pupils.csv", index=False)
    argv = ["--models", "spline curves,small boosted trees,mean-regularised"]
    assert run(*compare_with(tmp_path / "pupils.csv", *argv)) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [line.partition("  ")[0].removesuffix(" *") for line in lines]
    order = ["mean-regularised", "spline curves", "small boosted trees"]
    assert [name for name in names if name in order] == order


@pytest.mark.full
def test_a_network_is_compared_reported_saved_and_predicts(capsys, csv, tmp_path):
    """Scores of all schools follow a curve that no line explains."""
    rng = np.random.default_rng(0)
    hours = rng.uniform(-2, 2, 200)
    score = 5 * abs(hours) + rng.normal(size=200)
    frame = pd.DataFrame({"hours": hours, "score": score})
    frame.assign(school=np.repeat(list("abcd"), 50)).to_csv(csv, index=False)
    files = tmp_path / "m.skops", tmp_path / "r.html", tmp_path / "p.csv"
    argv = ["--models", "mlp,independent", "--save", files[0], "--report", files[1]]
    assert run(*compare_with(csv, *argv)) == 0
    assert "Saved 'mlp', fitted to all rows" in capsys.readouterr().out
    assert "a neural network of 32 hidden units" in files[1].read_text()
    assert run("predict", files[0], csv, "--output", files[2]) == 0
    predictions = pd.read_csv(files[2])["prediction"]
    expected = load_model(files[0]).predict(pd.read_csv(csv))
    np.testing.assert_allclose(predictions, expected)
    # The noise has standard deviation 1, and the curve 2.9.
    assert np.std(predictions - score) < 1.3


@pytest.mark.full
def test_the_metric_heads_the_table(capsys, csv):
    run(*compare_with(csv, "--metric", "mae"))
    head = capsys.readouterr().out.splitlines()[-5]
    assert head.split()[:4] == ["model", "MAE", "gain", "over"]


@pytest.mark.full
def test_integers_with_gaps_are_tasks(capsys, pupils, tmp_path):
    codes = pupils["school"].map({"ash": 1, "birch": 2, "cedar": 10, "elm": 20})
    pupils["school"] = codes.astype(float)
    pupils.loc[3, "school"] = np.nan
    pupils.to_csv(tmp_path / "pupils.csv", index=False)
    model = tmp_path / "model.skops"
    assert run(*compare_with(tmp_path / "pupils.csv", "--save", model)) == 0
    assert load_model(model)[-1].tasks_.tolist() == ["1", "10", "2", "20"]


@pytest.mark.full
def test_warnings_are_lines_of_their_own(capsys, csv, monkeypatch):
    def warn(facts):
        warnings.warn("take\ncare", UserWarning, stacklevel=2)
        return ""

    monkeypatch.setattr(compare_module, "draw_facts", warn)
    assert run(*compare_with(csv)) == 0
    assert capsys.readouterr().err == "skmtl: warning: take care\n"


# predict


def test_a_saved_model_predicts_as_the_one_in_memory(pupils, saved, tmp_path):
    table = prepare_table(pupils, "", "school", "score")
    best = type(load_model(saved)[-1])
    models = make_models(["independent", "pooled"], table).values()
    (model,) = (each for each in models if type(each[-1]) is best)
    expected = model.fit(table.X, table.y).predict(pupils)
    output = tmp_path / "predictions.csv"
    pupils.to_csv(tmp_path / "new.csv", index=False)
    assert run("predict", saved, tmp_path / "new.csv", "--output", output) == 0
    written = pd.read_csv(output)
    # pandas reads a float from text to within a unit in the last place
    np.testing.assert_allclose(written["prediction"], expected, rtol=1e-9, atol=1e-12)
    assert written.columns.tolist() == [*pupils.columns, "prediction"]


def test_predictions_are_printed_and_the_summary_is_not_among_them(capsys, saved, csv):
    capsys.readouterr()
    assert run("predict", saved, csv) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 121
    assert err == "Predicted 120 rows\n"


def test_the_order_of_columns_and_other_columns_do_not_matter(pupils, saved, tmp_path):
    model = load_model(saved)
    moved = pupils[pupils.columns[::-1]].assign(more="x").drop(columns="score")
    assert (model.predict(moved) == model.predict(pupils)).all()


@parametrize("name", list(MODELS), short=DEFAULT_MODELS)
def test_every_model_predicts_tasks_never_seen(name, pupils):
    table = prepare_table(pupils, "", "school", "score")
    model = make_models([name], table)[name].fit(table.X, table.y)
    new = model.predict(pupils.assign(school="oak"))
    other = model.predict(pupils.assign(school="yew"))
    assert np.isfinite(new).all()
    assert (new == other).all()


def test_tasks_never_seen_are_counted(capsys, pupils, saved, tmp_path):
    pupils.loc[:9, "school"] = "oak"
    pupils.to_csv(tmp_path / "new.csv", index=False)
    assert (
        run("predict", saved, tmp_path / "new.csv", "--output", tmp_path / "p.csv") == 0
    )
    assert (
        "10 of them from 1 unseen school, by the shared part" in capsys.readouterr().err
    )


@pytest.mark.full
def test_text_that_looks_like_a_number_stays_text(tmp_path):
    frame = make_pupils().assign(town=lambda X: X["town"].replace("west", "007"))
    table = prepare_table(frame, "", "school", "score")
    model = make_models(["pooled"], table)["pooled"].fit(table.X, table.y)
    expected = model.predict(frame.assign(town="007"))
    path = tmp_path / "new.csv"
    frame.assign(town="007").to_csv(path, index=False)
    (tmp_path / "model.skops").write_bytes(dump_model(model))
    output = tmp_path / "predictions.csv"
    assert run("predict", tmp_path / "model.skops", path, "--output", output) == 0
    np.testing.assert_allclose(pd.read_csv(output)["prediction"], expected)


# progress


class Terminal(io.StringIO):
    """What a person looks at."""

    def isatty(self):
        return True


@pytest.mark.full
def test_progress_is_shown_on_a_terminal(csv, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    run(*compare_with(csv))
    assert "Comparing 2 models over 2 folds" in sys.stderr.getvalue()


@pytest.mark.full
def test_progress_is_shown_without_rich(csv, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setitem(sys.modules, "rich.console", None)
    run(*compare_with(csv))
    lines = ["Reading the table ...", "Comparing 2 models over 2 folds ..."]
    assert sys.stderr.getvalue().splitlines() == lines


def test_quiet_is_quiet(csv, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    run(*compare_with(csv, "--quiet"))
    assert sys.stderr.getvalue() == ""


# what goes wrong when a table is read


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", None, "a.csv does not exist"),
        ("a.ods", b"", "must be a .csv, .tsv, .csv.gz, .xlsx or .parquet file"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"school,score\n", "has no rows"),
        ("a.csv", b"school,score,x\na,1,2\nb,2,3,4,5\n", "line 3"),
        ("a.csv", b"school,score\na,1,2\nb,2,3\n", "more fields"),
        ("a.csv", b"school,score,x,x \na,1,2,3\n", "two columns named 'x'"),
        ("a.parquet", b"PAR1 and no more", "not a readable Parquet file"),
        ("a.csv", b"School,score,x\na,1,2\n", "did you mean 'School'"),
        ("a.csv", b"schol,score,x\na,1,2\n", "did you mean 'schol'"),
        ("a.csv", b"u,score,x\na,1,2\n", "it has 3 columns, u, score, x"),
        ("a.csv", b"school,score,x\na,,2\n,1,3\n", "no row in which both"),
        ("a.csv", b"school,score,x\na,1,2\na,2,3\n", "at least two tasks"),
        ("a.csv", b"school,score,x\na,1,2\nb,2,3\n", "different in each of 2 rows"),
        ("a.csv", b"school,score,x\na,1,2\nb,n.n.,3\n", "got 'n.n.' among numbers"),
        (
            "a.csv",
            b"school,score,x\na,2024-01-31,2\nb,2024-01-31,3\n",
            "number of days",
        ),
        ("a.csv", b"school,score,x\na,1,2\na,1,3\nb,1,3\n", "nothing to predict"),
        ("a.csv", b"school,score,x\na,1,2\na,2,2\nb,2,2\n", "no column to predict"),
        (
            "a.csv",
            b"school,score,x\na,1,2\na,2,inf\nb,2,2\n",
            "column 'x' holds inf in row 2",
        ),
        (
            "a.csv",
            b"school,score,x\na,1,2\na,inf,1\nb,2,2\n",
            "column 'score' holds inf in row 2",
        ),
    ],
)
def test_a_bad_table_is_said_in_one_line(capsys, tmp_path, name, content, said):
    path = tmp_path / name
    [path.write_bytes(each) for each in [content] if each is not None]
    assert said in fail(capsys, *compare_with(path))


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--task", "school", "--target", "school"], "must be two columns"),
        (["--task", "school"], "--target is missing: add --target COLUMN"),
        (["--target", "score"], "--task is missing: add --task COLUMN"),
        (["--task", "school", "--target", "score", "--drop", "toun"], "'town'"),
        (["--task", "school", "--target", "score", "--drop", "score"], "keep it"),
        (["--task", "school", "--target", "score", "--cv", "1"], "between 2 and"),
        (["--task", "school", "--target", "score", "--cv", "121"], "rows, 120"),
        (["--task", "school", "--target", "score", "--cv", "x"], "a number of folds"),
        (
            ["--models", "independent,forest"],
            "among independent, pooled, pooled + task intercepts, mean-regularised, "
            "same features,",
        ),
        (
            ["--models", "mean,boosted trees", "--save", "model.skops"],
            "--save cannot save 'boosted trees': leave out --save, or choose --models "
            "among independent, pooled, pooled + task intercepts, mean-regularised, "
            "mlp",
        ),
        (["--models", "forest,mlp"], "'forest' is not a model"),
        (["--models", "mean"], "give at least two"),
        (["--cv", "new-tasks", "--new-tasks"], "exclude each other: give one"),
        (["--metric", "r2"], "invalid choice"),
        (["--report", "report.pdf"], "must end with .html"),
        (["--save", "model.pkl"], "must end with .skops"),
        (["--save", "nowhere/model.skops"], "the folder nowhere does not exist"),
        (["--unknown"], "unrecognized arguments: --unknown"),
    ],
)
def test_bad_options_are_said_in_one_line(capsys, csv, argv, said):
    assert said in fail(capsys, "compare", csv, *argv)


def test_columns_without_a_file_are_refused(capsys):
    assert "name the table too" in fail(capsys, "compare", "--task", "school")


def test_no_command_is_refused(capsys):
    assert "see skmtl --help" in fail(capsys)


def test_a_folder_is_no_table_and_no_output(capsys, csv, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "folder.html").mkdir()
    assert "is a folder" in fail(capsys, *compare_with(tmp_path / "folder.csv"))
    argv = compare_with(csv, "--report", tmp_path / "folder.html")
    assert "is a folder: name a file in it" in fail(capsys, *argv)


# what goes wrong when a model is used


def test_a_missing_column_is_named(capsys, pupils, saved, tmp_path):
    pupils.drop(columns=["hours", "school"]).to_csv(tmp_path / "n.csv", index=False)
    error = fail(capsys, "predict", saved, tmp_path / "n.csv")
    assert "n.csv: the table must have the columns" in error
    assert "missing: 'hours', 'school'" in error


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("hours", "many", "column 'hours' must hold numbers, got 'many' in row 5"),
        ("tested", "spring", "column 'tested' must hold dates as 2024-01-31"),
        ("free_meals", "perhaps", "column 'free_meals' must hold true or false"),
        ("school", None, "task column 'school' is empty in 1 row, first in row 5"),
    ],
)
def test_a_value_of_another_kind_is_shown(capsys, saved, tmp_path, column, value, said):
    frame = make_pupils().astype({column: object})
    frame.loc[4, column] = value
    frame.to_csv(tmp_path / "new.csv", index=False)
    assert said in fail(capsys, "predict", saved, tmp_path / "new.csv")


def test_a_file_that_is_no_model_is_refused(capsys, csv, tmp_path):
    path = tmp_path / "model.skops"
    assert "does not exist" in fail(capsys, "predict", path, csv)
    path.write_bytes(b"no model")
    assert "is damaged, or was not saved by skmtl" in fail(capsys, "predict", path, csv)


def test_a_damaged_model_is_refused(capsys, csv, saved):
    content = saved.read_bytes()
    saved.write_bytes(content[: len(content) // 2])
    assert "is damaged" in fail(capsys, "predict", saved, csv)


def test_a_model_of_other_types_is_refused(capsys, csv, saved):
    with zipfile.ZipFile(saved) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(files["schema.json"])
    schema["__class__"], schema["__module__"] = "Popen", "subprocess"
    files["schema.json"] = json.dumps(schema).encode()
    with zipfile.ZipFile(saved, "w") as archive:
        [archive.writestr(*each) for each in files.items()]
    assert "not save: subprocess.Popen" in fail(capsys, "predict", saved, csv)


def test_a_model_that_the_command_did_not_save_is_refused(capsys, csv, tmp_path):
    from sklearn.linear_model import Ridge
    from skops import io

    io.dump(Ridge(), tmp_path / "ridge.skops")
    error = fail(capsys, "predict", tmp_path / "ridge.skops", csv)
    assert "holds a Ridge that skmtl did not save" in error


def test_the_table_is_not_overwritten_by_its_predictions(capsys, csv, saved):
    assert "write to another" in fail(capsys, "predict", saved, csv, "--output", csv)


def test_a_column_named_prediction_is_refused(capsys, pupils, saved, tmp_path):
    pupils.assign(prediction=1).to_csv(tmp_path / "new.csv", index=False)
    assert "rename it" in fail(capsys, "predict", saved, tmp_path / "new.csv")


# whole or not at all


@pytest.mark.full
def test_a_failure_leaves_what_was_there(capsys, csv, tmp_path, monkeypatch):
    path = tmp_path / "model.skops"
    path.write_bytes(b"before")

    def refuse(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", refuse)
    error = fail(capsys, *compare_with(csv, "--save", path))
    assert "cannot be written: No space left on device" in error
    assert path.read_bytes() == b"before"
    assert sorted(each.name for each in tmp_path.iterdir()) == [path.name, csv.name]


def test_an_interruption_is_no_traceback(capsys, csv, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(compare_module, "compare_tasks", interrupt)
    assert run(*compare_with(csv)) == 130
    assert capsys.readouterr().err == "skmtl: error: interrupted\n"


@pytest.mark.parametrize(
    ("package", "argv"),
    [
        ("pandas", []),
        ("skops", ["--save", "model.skops"]),
    ],
)
def test_a_package_that_is_not_there_is_named(capsys, csv, monkeypatch, package, argv):
    names = [name for name in sys.modules if name.partition(".")[0] == package]
    for name in names:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    error = fail(capsys, *compare_with(csv, *argv))
    assert f'the package {package} is not installed: pip install "skmtl[cli]"' in error


# as a process


def test_the_version_is_printed(capsys):
    assert run("--version") == 0
    assert capsys.readouterr().out == f"skmtl {skmtl.__version__}\n"


@pytest.mark.full
def test_it_runs_as_a_module(csv):
    argv = [sys.executable, "-m", "skmtl", *map(str, compare_with(csv))]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "independent" in done.stdout


@pytest.mark.full
def test_a_reader_that_stops_early_is_no_error(csv, saved):
    command = f"{sys.executable} -m skmtl predict --quiet {saved} {csv}"
    argv = ["bash", "-c", f"set -o pipefail; {command} | true"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.stderr == ""


# the parts


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], "number"),
        ([1.5, None], "number"),
        ([True, False], "flag"),
        ([True, None], "flag"),
        (["a", None], "category"),
        (["a", 1], "category"),
        (["2024-01-31", None], "date"),
        (["2024-01-31T10:00:00+01:00"], "date"),
        (["2024-01-31 10:00"], "date"),
        (["2024-13-31"], "category"),
        ([[1], [2]], None),
        ([1 + 2j], None),
    ],
)
def test_the_kind_of_a_column_is_found(values, kind):
    assert find_kind(pd.Series(values)) == kind


@pytest.mark.parametrize(
    ("values", "dtype", "kind"),
    [
        ([1, None], "Int64", "number"),
        ([True, None], "boolean", "flag"),
        (["a", "b"], "category", "category"),
        (["a", None], "string", "category"),
        (["2024-01-31"], "datetime64[ns, UTC]", "date"),
    ],
)
def test_the_kind_of_a_typed_column_is_found(values, dtype, kind):
    assert find_kind(pd.Series(values, dtype=dtype)) == kind


def test_casting_twice_changes_nothing(pupils):
    kinds = {
        "hours": "number",
        "town": "category",
        "tested": "date",
        "free_meals": "flag",
        "school": "text",
    }
    columns = TableColumns(kinds).fit(pupils)
    once = columns.transform(pupils)
    pd.testing.assert_frame_equal(columns.transform(once), once)


def test_large_integers_are_labels_to_the_last_digit():
    labels = pd.DataFrame({"task": [2**60, 2**60 + 1]})
    cast = TableColumns({"task": "integer"}).fit_transform(labels)
    assert cast["task"].tolist() == [2**60, 2**60 + 1]


@pytest.mark.full
def test_several_task_columns_are_groupings(tmp_path, capsys, pupils):
    pupils = pupils[["school", "hours", "score"]]
    table = pupils.assign(**{"class": pupils["school"].astype(str) + "a"})
    table.loc[::2, "class"] = table["school"].astype(str) + "b"
    data, model, out = (tmp_path / name for name in ("p.csv", "m.skops", "o.csv"))
    table.to_csv(data, index=False)
    argv = ["compare", data, "--task", "school, class", "--target", "score"]
    message = "--task 'klass' is not a column"
    assert message in fail(capsys, *argv[:3], "school,klass", *argv[4:])
    assert run(*argv, "--models", "pooled,mean", "--cv", 2, "--save", model) == 0
    assert " of school and class, with " in capsys.readouterr().out
    table.assign(**{"class": "new"}).drop(columns="score").to_csv(data, index=False)
    assert run("predict", model, data, "--output", out) == 0
    expected = f"{len(table)} of them from 1 unseen class, by the other columns"
    assert expected in capsys.readouterr().err
    assert len(pd.read_csv(out)) == len(table)
    both = table.assign(**{"class": "new"}).drop(columns="score")
    both["school"] = "new"
    both.to_csv(data, index=False)
    assert run("predict", model, data, "--output", out) == 0
    n_rows, found = len(both), capsys.readouterr().err
    assert f"{n_rows} of them from 1 unseen school, by the shared part" in found
    assert f"{n_rows} of them from 1 unseen class, by the shared part" in found
    both.loc[3:, "school"] = table["school"]
    both.to_csv(data, index=False)
    assert run("predict", model, data, "--output", out) == 0
    found = capsys.readouterr().err
    assert "3 of them from 1 unseen school, by the shared part" in found
    expected = "class, by the other columns, or the shared part if all are unseen (3 "
    assert expected in found


@pytest.mark.parametrize("columns", ["school,school", ",", "school, ,score", "school,"])
def test_task_columns_are_named_once(tmp_path, capsys, pupils, columns):
    data = tmp_path / "p.csv"
    pupils.to_csv(data, index=False)
    found = fail(capsys, "compare", data, "--task", columns, "--target", "score")
    assert f"--task '{columns.replace(' ', '')}' must name each column once" in found
