"""The command compares, saves and predicts classes and counts."""

import numpy as np
import pytest
from cases import parametrize

pd = pytest.importorskip("pandas", reason="pandas is not installed")
pytest.importorskip("skops", reason="skops is not installed")

from skmtl.cli import main  # noqa: E402
from skmtl.cli._choices import MODELS  # noqa: E402
from skmtl.cli._command_models import fit_model, make_models  # noqa: E402
from skmtl.cli._prepared_table import prepare_table  # noqa: E402
from skmtl.cli._store import dump_model, load_model  # noqa: E402
from skmtl.inspection import compare_tasks  # noqa: E402

NAMES = list(MODELS)
QUICK = ["--cv", "2", "--models", "independent,intercepts"]


def make_patients(n_rows=160):
    """A table of patients, some of whom recover."""
    rng = np.random.default_rng(0)
    clinics = rng.choice(["ash", "birch", "cedar", "elm"], n_rows)
    dose = rng.normal(size=n_rows)
    odds = np.exp(2 * dose + (clinics == "elm"))
    return pd.DataFrame(
        {
            "clinic": clinics,
            "dose": pd.Series(dose).mask(rng.random(n_rows) < 0.1),
            "ward": rng.choice(["north", "south"], n_rows),
            "recovered": np.where(rng.random(n_rows) < odds / (1 + odds), "yes", "no"),
        }
    )


@pytest.fixture
def patients():
    return make_patients()


@pytest.fixture
def csv(tmp_path, patients):
    path = tmp_path / "patients.csv"
    patients.to_csv(path, index=False)
    return path


def compare(path, *more):
    columns = ["--task", "clinic", "--target", "recovered"]
    return main([*map(str, ["compare", path, *columns, *QUICK, *more])])


def read(column, kind="auto"):
    """Return what a table makes of a target."""
    frame = make_patients(len(column)).assign(recovered=column)
    return prepare_table(frame, "patients", "clinic", "recovered", kind=kind)


@pytest.mark.full
def test_classes_are_compared_by_log_loss(capsys, csv, patients):
    assert compare(csv) == 0
    out, err = capsys.readouterr()
    shares = patients["recovered"].value_counts(normalize=True)
    expected = f"to predict recovered: no {shares['no']:.1%}, yes {shares['yes']:.1%}"
    assert expected in out
    assert "log loss   gain over independent" in out
    assert err == ""


@pytest.mark.full
def test_the_numbers_are_those_of_compare_tasks(capsys, csv, patients):
    table = prepare_table(patients, "", "clinic", "recovered")
    models = make_models(["independent", "pooled + task intercepts"], table)
    found = compare_tasks(
        models, table.X, table.y, task_column="clinic", cv=2, random_state=0
    )
    compare(csv)
    assert found.recommendation == capsys.readouterr().out.splitlines()[-1]


@pytest.mark.full
def test_a_saved_model_predicts_classes_and_their_probabilities(
    csv, patients, tmp_path
):
    saved, output = tmp_path / "model.skops", tmp_path / "predictions.csv"
    assert compare(csv, "--save", saved) == 0
    assert main(["predict", str(saved), str(csv), "--output", str(output)]) == 0
    found, model = pd.read_csv(output), load_model(saved)
    assert found.columns.tolist() == [
        *patients.columns,
        "prediction",
        "probability of no",
        "probability of yes",
    ]
    np.testing.assert_allclose(found.iloc[:, -2:], model.predict_proba(patients))
    assert (found["prediction"] == model.predict(patients)).all()


@pytest.mark.full
@parametrize("name", NAMES, short=NAMES[:1])
def test_every_model_of_classes_can_be_saved(name, patients, tmp_path):
    table = prepare_table(patients, "", "clinic", "recovered")
    model = fit_model(make_models([name], table)[name], table)
    (tmp_path / "model.skops").write_bytes(dump_model(model))
    loaded = load_model(tmp_path / "model.skops")
    expected = model.predict_proba(patients)
    np.testing.assert_allclose(loaded.predict_proba(patients), expected)


@pytest.mark.full
def test_new_tasks_are_predicted_and_counted(capsys, csv, patients, tmp_path):
    saved, new = tmp_path / "model.skops", tmp_path / "new.csv"
    compare(csv, "--save", saved)
    patients.assign(clinic="oak").to_csv(new, index=False)
    assert main(["predict", str(saved), str(new)]) == 0
    assert (
        "160 of them from 1 unseen clinic, by the shared part"
        in capsys.readouterr().err
    )


@pytest.mark.full
def test_a_column_that_a_probability_would_take_is_kept(
    capsys, csv, patients, tmp_path
):
    saved, new = tmp_path / "model.skops", tmp_path / "new.csv"
    compare(csv, "--save", saved)
    patients.assign(**{"probability of no": 1}).to_csv(new, index=False)
    assert main(["predict", str(saved), str(new)]) == 2
    assert "already has a column 'probability of no'" in capsys.readouterr().err


@pytest.mark.full
def test_the_report_has_no_centre_of_numbers(csv, tmp_path):
    report = tmp_path / "report.html"
    assert compare(csv, "--report", report) == 0
    page = report.read_text()
    assert '<section id="gains">' in page
    assert '<section id="coefficients">' not in page
    assert "log loss of all 4 tasks" in page


@pytest.mark.parametrize(
    ("values", "kind", "dtype"),
    [
        (["yes", "no"], "classes", "U"),
        ([True, False], "classes", "b"),
        ([1, 0], "classes", "i"),
        ([1, 2], "numbers", "f"),
        ([0.5, 1.0], "numbers", "f"),
    ],
)
def test_the_kind_of_a_target_is_found(values, kind, dtype):
    table = read([*values * 20, None])
    assert (table.kind, table.y.dtype.kind) == (kind, dtype)
    assert set(table.y) == set(values)
    assert len(table.y) == 40


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, 0], "numbers", [0.0, 1.0]),
        ([1, 2], "classes", [1, 2]),
        ([1.5, 2.0], "classes", ["1.5", "2.0"]),
        (["1", "x"], "classes", ["1", "x"]),
    ],
)
def test_the_kind_of_a_target_can_be_said(values, kind, expected):
    table = read(values * 20, kind)
    assert table.kind == kind
    assert np.unique(table.y).tolist() == expected


@pytest.mark.parametrize(
    ("values", "kind", "said"),
    [
        (["low", "high"] * 20, "numbers", "got 'low': leave out --kind"),
        ([True, False] * 20, "numbers", "got 'True': this is a yes or no"),
        ([f"patient {i}" for i in range(40)], "auto", "different in each of 40 rows"),
        (["2024-01-31", "2024-02-01"] * 20, "classes", "must hold classes, got '2024"),
        (["yes"] * 40, "auto", "is yes in every row"),
        ([-1, 2] * 20, "counts", "must not be negative to be counts, got -1 in row 1"),
    ],
)
def test_a_bad_target_is_said_in_one_line(values, kind, said):
    with pytest.raises(ValueError, match=said):
        read(values, kind)


@pytest.mark.full
@pytest.mark.parametrize("kind", ["classes", "counts"])
def test_a_network_is_compared_saved_and_predicts(kind, csv, patients, tmp_path):
    rng = np.random.default_rng(0)
    dose = rng.uniform(-2, 2, len(patients))
    count = rng.poisson(np.exp(2 * abs(dose) - 2))
    target = np.where(count > 1, "many", "few") if kind == "classes" else count
    patients.assign(dose=dose, recovered=target).to_csv(csv, index=False)
    saved, output = tmp_path / "model.skops", tmp_path / "predictions.csv"
    more = ["--kind", kind, "--models", "independent,mlp", "--save", saved]
    assert compare(csv, *more) == 0
    assert "MultiTaskMLP" in type(load_model(saved)[-1]).__name__
    assert main(["predict", str(saved), str(csv), "--output", str(output)]) == 0
    assert len(pd.read_csv(output)["prediction"]) == len(patients)


@pytest.mark.full
def test_counts_are_compared_saved_and_predicted(capsys, csv, patients, tmp_path):
    rng = np.random.default_rng(0)
    saved, output = tmp_path / "model.skops", tmp_path / "predictions.csv"
    falls = rng.poisson(np.exp(0.5 * patients["dose"].fillna(0.0)))
    patients.assign(recovered=falls).to_csv(csv, index=False)
    assert compare(csv, "--kind", "counts", "--save", saved) == 0
    assert "Poisson deviance   gain over independent" in capsys.readouterr().out
    assert main(["predict", str(saved), str(csv), "--output", str(output)]) == 0
    assert (pd.read_csv(output)["prediction"] > 0).all()


def test_a_metric_of_another_kind_is_refused(capsys, csv):
    assert compare(csv, "--metric", "rmse") == 2
    error = capsys.readouterr().err
    assert "--metric rmse is not for classes" in error
    assert "use log_loss or error or brier" in error
