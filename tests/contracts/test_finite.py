"""Ugly rows raise a clear error, or give finite numbers."""

import warnings
from dataclasses import replace

import numpy as np
from cases import parametrize
from discovered import CASES, each_of
from scipy.linalg import LinAlgWarning
from sklearn.exceptions import ConvergenceWarning

# A few steps suffice: unconverged results must be finite too.
FEW = {"max_iter": 30, "estimator__max_iter": 30}
CASES_OF_ROWS = [
    case.with_params(**FEW) for case in CASES if hasattr(case.model, "predict")
]
each_case = each_of(CASES_OF_ROWS)
SECOND = np.array([0.0, 1.0, 0.0])
WHAT = "all", "a column"
SIZES = 1e-300, 1e-160, 1e10, 1e150, 1e300
LEARNT = {"coef_", "intercept_", "coef_shared_", "intercept_shared_"}


def scaled(size):
    return lambda rows: replace(rows, X=rows.X * size)


def scaled_column(size):
    return lambda rows: replace(rows, X=rows.X * size**SECOND)


def shifted(offset):
    return lambda rows: replace(rows, X=rows.X + offset * SECOND)


def constant_target(rows):
    return replace(rows, y=np.repeat(rows.y[:1], len(rows.y)))


def one_row_per_task(rows):
    first = np.unique(rows.task, return_index=True)[1]
    return rows.of(first)


def uneven(rows):
    kept = (rows.task == 4) | (np.cumsum(rows.task != 4) <= 2)
    return rows.of(kept)


def weights(value):
    """Give one task a weight of its own."""
    return lambda rows: replace(rows, weight=np.where(rows.task == 5, value, 1.0))


def single_class(rows):
    """Make all rows of one task equal to its first."""
    first = np.flatnonzero(rows.task == 5)[0]
    return replace(rows, y=np.where(rows.task == 5, rows.y[first], rows.y))


UGLY = {
    "a constant column": scaled(1 - SECOND),
    "zeros": scaled(0.0),
    "ones": lambda rows: replace(rows, X=np.ones_like(rows.X)),
    "doubled columns": lambda rows: replace(rows, X=rows.X[:, [0, 0, 1, 1, 0]]),
    "wide": lambda rows: replace(rows, X=np.tile(rows.X, 12)),
    "one row per task": one_row_per_task,
    "uneven tasks": uneven,
    "one task": lambda rows: rows.of(rows.task == 4),
    "one row": lambda rows: rows.of(slice(0, 1)),
    "equal targets": constant_target,
    "one class in a task": single_class,
    "a task without weight": weights(0.0),
    "tiny weights": weights(1e-300),
    "huge weights": weights(1e200),
    "far from zero": shifted(1e8),
    "very far from zero": shifted(1e15),
    **{f"all times {size:g}": scaled(size) for size in SIZES},
    **{f"a column times {size:g}": scaled_column(size) for size in SIZES},
    "float32 near its end": lambda rows: replace(
        rows, X=(rows.X * 1e37).astype(np.float32)
    ),
    "float32 near zero": lambda rows: replace(
        rows, X=(rows.X * 1e-37).astype(np.float32)
    ),
}
BETWEEN = {f"{what} times {size:g}" for what in WHAT for size in SIZES[1:-1]}
SOME = sorted(UGLY.keys() - BETWEEN)[::4]
UGLY_NUMBERS = {f"targets times {size:g}": size for size in SIZES}


def assert_finite(case, rows):
    """Check an accepted fit, and its predictions of known and new rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", LinAlgWarning)
        if case.has_inner:  # which may warn of what it does not mind
            warnings.simplefilter("ignore", RuntimeWarning)
        try:
            model = case.fit(rows)
        except ValueError as error:
            assert len(str(error)) > 20
            return
        answers = case.answer(model, rows)
        if case.kind == "mixed":  # refuses new tasks; NaN is what a task has not
            answers.pop("predict_proba", None)
        else:
            new = replace(rows, task=np.full(len(rows.X), 9))
            answers["new task"] = case.answer(model, new)["predict"]
    for name, values in answers.items():
        assert values.dtype.kind != "f" or np.isfinite(values).all(), name
    for name in LEARNT & vars(model).keys():
        assert all(map(np.all, map(np.isfinite, by_task(vars(model)[name])))), name


def by_task(values):
    """Return the parts of a fitted attribute; MixedTaskModel has dicts of them."""
    return values.values() if isinstance(values, dict) else [values]


@each_case
@parametrize("ugly", list(UGLY), SOME)
def test_ugly_rows_give_finite_numbers_or_are_refused(case, ugly):
    assert_finite(case, UGLY[ugly](case.rows()))


@each_of([case for case in CASES_OF_ROWS if case.kind in ("numbers", "counts")])
@parametrize("ugly", list(UGLY_NUMBERS), short=list(UGLY_NUMBERS)[::4])
def test_ugly_targets_give_finite_numbers_or_are_refused(case, ugly):
    rows = case.rows()
    assert_finite(case, replace(rows, y=rows.y * UGLY_NUMBERS[ugly]))
