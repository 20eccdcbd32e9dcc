"""The recommended model is saved, and terminal and report agree on it."""

from dataclasses import replace
from html import unescape

import numpy as np
import pytest

pd = pytest.importorskip("pandas", reason="pandas is not installed")
pytest.importorskip("skops", reason="skops is not installed")

from skmtl.cli import _compare_command as compare_module  # noqa: E402
from skmtl.cli import main  # noqa: E402
from skmtl.cli._store import load_model  # noqa: E402
from skmtl.inspection import compare_tasks  # noqa: E402
from skmtl.linear_model import MultiTaskRidgeCV  # noqa: E402

# Errors of independent, pooled and mean-regularised models in three folds, and the
# model to use.
CASES = [
    ([[9, 9.1, 9], [5, 5.5, 5], [5, 5, 5.5]], "pooled", "Sharing helps"),
    ([[9, 9.1, 9], [7, 7.1, 7], [5, 5, 5.1]], "mean-regularised", "Sharing helps"),
    ([[5, 5, 6], [9, 9, 9.1], [5.5, 5, 5]], "independent", "No clear difference"),
    ([[5, 5, 5.1], [9, 9, 9.1], [8, 8, 8]], "independent", "Sharing does not help"),
]


@pytest.fixture
def compare(tmp_path, monkeypatch):
    """Run the command with given errors, and with harmed tasks or without."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(60, 2)), columns=["x", "y"])
    monkeypatch.chdir(tmp_path)
    frame.assign(t=np.repeat(["a", "b", "c"], 20)).to_csv("c.csv", index=False)

    def run(errors, p_values=(1.0, 1.0, 1.0)):
        def pretend(*arguments, **options):
            found["comparison"] = replace(
                compare_tasks(*arguments, **options),
                fold_errors=np.array(errors),
                p_values=np.tile(p_values, (3, 1)),
            )
            return found["comparison"]

        found = {}
        monkeypatch.setattr(compare_module, "compare_tasks", pretend)
        argv = ["compare", "c.csv", "--task", "t", "--target", "y", "--cv", "3"]
        argv += ["--models", "mean,pooled,independent"]
        assert main([*argv, "--save", "m.skops", "--report", "r.html"]) == 0
        return found["comparison"]

    return run


@pytest.mark.parametrize(
    ("errors", "name", "verdict"),
    [CASES[0], *(pytest.param(*case, marks=pytest.mark.full) for case in CASES[1:])],
    ids=range(len(CASES)),
)
def test_terminal_and_report_say_the_same_of_the_model_that_is_saved(
    capsys, tmp_path, compare, errors, name, verdict
):
    found = compare(errors)
    out = capsys.readouterr().out
    page = unescape((tmp_path / "r.html").read_text())
    assert (found.recommended, found.verdict) == (name, verdict)
    assert found.models == ("independent", "pooled", "mean-regularised")
    assert found.recommendation in out.splitlines()
    assert f"<p>{found.recommendation}</p>" in page
    assert f"<strong>{verdict}</strong>" in page
    assert f"Saved {name!r}, fitted to all rows: m.skops" in out
    last = type(load_model("m.skops")[-1])
    assert (last is MultiTaskRidgeCV) == (name == "independent")


@pytest.mark.full
def test_a_saved_model_that_hurts_a_task_says_so(capsys, compare):
    compare(CASES[0][0], p_values=(1.0, 1e-6, 0.5))
    said = "Saved 'pooled', fitted to all rows, which hurts 1 of the 3 tasks ('b'): "
    assert said in capsys.readouterr().out
    compare(CASES[2][0], p_values=(1.0, 1e-6, 0.5))
    assert "Saved 'independent', fitted to all rows: " in capsys.readouterr().out
