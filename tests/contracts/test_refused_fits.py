"""A fit, partial_fit or adapt that raises leaves every estimator unchanged."""

import inspect
import sys
from copy import copy as shallow_copy
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from cases import parametrize
from discovered import (
    ARGUMENTS,
    CASES,
    ENTRIES,
    LABELS,
    copy,
    each_of,
    explain_lacking,
    first_ones,
    fitted,
    public_estimators,
    refuses,
    state,
)
from numpy.testing import assert_equal
from sklearn.base import BaseEstimator, clone

import skmtl
import skmtl.deep

PACKAGE = str(Path(skmtl.__file__).parent)


def without(frame):
    """Lack a column, and hold no dates."""
    return frame.rename(columns={"x0": "z"}).astype(str)


def spoil(values, value, dtype=float):
    spoilt = np.array(values, dtype=dtype)
    spoilt[3:5] = value
    return spoilt


FAULTS = {
    "X": lambda rows: replace(rows, X=spoil(rows.X, [[np.nan], [np.inf]])),
    "y": lambda rows: replace(rows, y=spoil(rows.y, np.inf)),
    "classes": lambda rows: replace(rows, y=spoil(rows.y, None, object)),
    "lengths": lambda rows: replace(rows, y=rows.y[1:]),
    "labels": lambda rows: replace(rows, task=rows.task + 0.5),
    "weight": lambda rows: replace(rows, weight=-np.ones(len(rows.X))),
    "columns": lambda rows: replace(rows, X=rows.X[:, :2]),
    "frame": lambda rows: replace(rows, X=without(rows.X)),
}
# Faults that some estimators refuse.
PERHAPS = {
    "huge": lambda rows: replace(rows, X=rows.X * 1e200),
    "one class": lambda rows: replace(rows, y=np.repeat(rows.y[:1], len(rows.X))),
    "one row": lambda rows: rows.of(slice(0, 1)),
}
BY_KIND = {
    "numbers": {"X", "y", "lengths", "labels", "weight"},
    "counts": {"X", "y", "lengths", "labels", "weight"},
    "mixed": {"X", "y", "lengths", "labels", "weight"},
    "classes": {"X", "classes", "lengths", "labels", "weight"},
    "nothing": {"X"},
    "frames": {"frame"},
}


def refused(case, method):
    """Return the faults that a method must refuse."""
    known = set() if case.accepts("sample_weight", method) else {"weight"}
    more = {"columns"} if method in ("partial_fit", "adapt") else set()
    return sorted(BY_KIND[case.kind] - known | more)


def other_rows(case, method):
    """Draw rows that would change all attributes: other tasks, and fewer columns."""
    labels = {"adapt": (9, 9, 9)}.get(method, (5, 6, 6))
    width = {"partial_fit": 3, "adapt": 3}.get(method, 2)
    return case.rows(seed=1, n_features=width, labels=labels)


SOME = {case.name for case in first_ones(CASES)}


def entry(name, case, *values):
    """Return a parameter set, in the short suite if its case is."""
    marks = [] if case.name in SOME else pytest.mark.full
    return pytest.param(case, *values, id=name, marks=marks)


EVERY = [
    entry(f"{name}-{fault}", case, method, fault)
    for name, (case, method) in ENTRIES.items()
    for fault in refused(case, method)
]
each_entry = pytest.mark.parametrize(
    ("case", "method"),
    [entry(name, case, method) for name, (case, method) in ENTRIES.items()],
)
each_case = each_of(CASES)
each_case_of_rows = each_of(
    [case for case in CASES if case.kind not in ("frames", "nothing")]
)


def assert_unchanged(case, model, call):
    """Check that a call changes no prediction and no attribute."""
    answers, before = case.answer(model, case.rows()), state(model)
    call()
    assert state(model) == before
    assert_equal(case.answer(model, case.rows()), answers)


@pytest.mark.parametrize(("case", "method", "fault"), EVERY)
def test_what_is_refused_changes_nothing(case, method, fault):
    model, rows = copy(fitted(case)), FAULTS[fault](other_rows(case, method))

    def call():
        with pytest.raises(Exception) as error:  # of any kind
            case.call(model, method, rows)
        assert not isinstance(error.value, NameError)

    assert_unchanged(case, model, call)


@each_case_of_rows
@pytest.mark.parametrize("fault", PERHAPS)
def test_what_may_be_refused_changes_all_or_nothing(case, fault):
    model, rows = copy(fitted(case)), PERHAPS[fault](other_rows(case, "fit"))
    before = state(model)
    was_refused = refuses(case.call, model, "fit", rows)
    assert not was_refused or state(model) == before


@each_case
def test_a_warning_that_is_an_error_changes_nothing(case):
    hasty = case.with_params(max_iter=1, tol=0.0)
    model = copy(fitted(case)).set_params(**hasty.model.get_params(deep=False))
    before, rows = state(model), other_rows(case, "fit")
    was_refused = refuses(hasty.call, model, "fit", rows)
    assert not was_refused or state(model) == before


@each_case
def test_a_refused_first_fit_leaves_nothing(case):
    fault = FAULTS[refused(case, "fit")[0]]
    model, rows = clone(case.model), fault(case.rows())
    before = state(model)
    assert refuses(case.call, model, "fit", rows)
    assert state(model) == before


class Interrupter:
    """Raise KeyboardInterrupt when the package makes its k-th call."""

    def __init__(self, last=None):
        self.last, self.n_calls = last, 0

    def __call__(self, frame, event, arg):
        # Python ignores errors in a generator that it closes.
        code = frame.f_code
        if code.co_flags & inspect.CO_GENERATOR or event != "call":
            return
        if code.co_filename.startswith(PACKAGE):
            self.n_calls += 1
            if self.n_calls == self.last:
                raise KeyboardInterrupt

    def during(self, *args):
        before = sys.getprofile()
        sys.setprofile(self)
        try:
            args[0](*args[1:])
        finally:
            sys.setprofile(before)


@cache
def count_calls(case, method):
    """Count the calls of functions of the package during a fit."""
    rows, counter = other_rows(case, method), Interrupter()
    # The first call fills caches, so that it makes more calls than the others.
    case.call(copy(fitted(case)), method, rows)
    counter.during(case.call, copy(fitted(case)), method, rows)
    return counter.n_calls


@pytest.mark.full
@each_entry
@parametrize("share", [0.2, 0.7, 1.0], short=[0.7])
def test_an_interrupt_at_any_point_changes_nothing(case, method, share):
    rows, model = other_rows(case, method), copy(fitted(case))
    interrupter = Interrupter(max(1, round(share * count_calls(case, method))))

    def call():
        with pytest.raises(KeyboardInterrupt):
            interrupter.during(case.call, model, method, rows)

    assert_unchanged(case, model, call)


@each_of([case for case in CASES if hasattr(case.model, "warm_start")])
def test_the_solution_of_a_warm_start_is_not_written_on(case):
    warm = case.with_params(warm_start=True)
    model = warm.fit(warm.rows())
    before = state(model)
    warm.call(shallow_copy(model), "fit", warm.rows(seed=1))
    assert state(model) == before


@each_case
def test_answers_leave_no_trace(case):
    model = copy(fitted(case))
    names = vars(model).keys()
    before = state(model)
    case.answer(model, case.rows())
    assert vars(model).keys() == names
    assert state(model) == before


# Parameters that say how to read rows, and which `predict` may thus use.
READ = {"task_column", "handle_unknown", "device"}


# Wrappers look at their parts for the methods that they have.
PLAIN = [
    case
    for case in CASES
    if hasattr(case.model, "predict")
    and not case.model.get_params().keys() & {"estimator", "specific", "steps"}
]


@each_of(PLAIN)
def test_parameters_set_after_fit_change_no_prediction(case):
    model = copy(fitted(case))
    answers = case.answer(model, case.rows())
    names = model.get_params(deep=False).keys() - READ
    model.set_params(**dict.fromkeys(names))
    assert_equal(case.answer(model, case.rows()), answers)


def test_every_public_estimator_is_tried():
    assert explain_lacking(public_estimators()) == []
    assert {type(case.model) for case in CASES} >= set(public_estimators())
    of_torch = set(skmtl.deep.__all__)  # found only if PyTorch is installed
    names = {each.__name__ for each in public_estimators()} | of_torch
    assert names >= ARGUMENTS.keys()


def test_a_new_estimator_with_arguments_says_what_to_add():
    class NewModel(BaseEstimator):
        def __init__(self, relation, alpha=1.0):
            self.relation = relation

        def fit(self, X, y):
            return self

    assert explain_lacking([NewModel]) == [
        "Add 'NewModel': [{'relation': ...}] to ARGUMENTS in "
        "tests/contracts/discovered.py."
    ]
    assert set(LABELS) == {4, 5, 6}
