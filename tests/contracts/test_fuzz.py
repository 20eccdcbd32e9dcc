"""Estimators agree on random rows passed in two equivalent ways."""

import subprocess
import sys
from pathlib import Path

import pytest
from fuzz import ALL_KINDS, EXCEPT, N_FIXED, N_SHORT, PREDICTORS, check, draw, pairs

each_way = pytest.mark.parametrize("way", EXCEPT, ids=lambda way: way.__name__)


@each_way
@pytest.mark.parametrize(
    ("n_examples", "n_agreed"),
    [
        (N_SHORT, N_SHORT // 10),
        pytest.param(N_FIXED, N_FIXED // 2, marks=pytest.mark.full),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.filterwarnings("ignore:The symmetric non-negative hollow")
def test_two_ways_to_give_the_same_rows_agree(way, n_examples, n_agreed):
    outcomes = []
    draw(way, lambda case, table: outcomes.append(check(case, way, table)), n_examples)
    assert outcomes.count("agreed") > n_agreed


def test_every_estimator_takes_part_in_some_way():
    assert {case.name for way in EXCEPT for case in pairs(way)} == {
        case.name for case in PREDICTORS
    }
    assert {case.kind for case in PREDICTORS} == ALL_KINDS


def test_exceptions_are_estimators():
    names = {type(case.model).__name__ for case in PREDICTORS}
    assert set().union(*EXCEPT.values()) <= names


@pytest.mark.full
def test_the_script_runs_by_itself():
    script = Path(__file__).with_name("fuzz.py")
    command = [sys.executable, str(script), "--examples", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
