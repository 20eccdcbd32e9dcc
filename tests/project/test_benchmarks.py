"""The benchmarks run, on tiny sizes, and their answers agree; nothing is timed."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = sorted([*FOLDER.glob("bench_*.py"), *FOLDER.glob("learning/[!_]*.py")])
NEEDS_STATSMODELS = pytest.mark.skipif(
    importlib.util.find_spec("statsmodels") is None, reason="needs statsmodels"
)
MARKS = {"bench_reml": NEEDS_STATSMODELS}
RUNS = [
    pytest.param(script, id=script.stem, marks=MARKS.get(script.stem, ()))
    for script in SCRIPTS
]


@pytest.mark.full
@pytest.mark.parametrize("script", RUNS)
def test_a_benchmark_runs(script):
    command = [sys.executable, str(script), "--quick"]
    path = os.pathsep.join([str(FOLDER.parent), os.environ.get("PYTHONPATH", "")])
    run = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_benchmark_is_described():
    described = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [script.name for script in SCRIPTS if script.name not in described] == []
