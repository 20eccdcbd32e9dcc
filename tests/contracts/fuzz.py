"""Fit every estimator to random rows in two ways that must agree.

To try random cases, and print the simplest failure of each kind::

    python tests/contracts/fuzz.py --examples 2000 --seed 7

To update the counts on the page on reliability::

    python tests/contracts/fuzz.py --report docs/reliability.rst
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before NumPy

import argparse  # noqa: E402 - the threads are set first
import sys  # noqa: E402
import warnings  # noqa: E402
from collections import Counter  # noqa: E402
from dataclasses import dataclass, replace  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import polars as pl  # noqa: E402

# As a script, it finds helpers of all tests one folder up, as pytest does.
sys.path.append(str(Path(__file__).parents[1]))
from discovered import CASES, Rows  # noqa: E402
from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from scipy import sparse  # noqa: E402
from scipy.linalg import LinAlgWarning  # noqa: E402
from sklearn.base import clone  # noqa: E402
from sklearn.exceptions import ConvergenceWarning  # noqa: E402

# Cases per way: fixed ones in the short and the full suite, and random ones.
N_SHORT, N_FIXED, N_RANDOM, SEED = 6, 80, 120, 0
# Tolerance of solvers, for models that have one.
EXACT = {
    "tol": 1e-10,
    "max_iter": 3000,
    "estimator__tol": 1e-10,
    "estimator__solver": "newton-cholesky",
}
# Networks take few steps: long trainings amplify rounding errors. Which rows early
# stopping holds out depends on the order and the number of rows.
OF_NETWORKS = {"early_stopping": False, "activation": "tanh", "tol": 0.1}
# Predictions may differ by the root of the tolerance, relative to the targets.
TOLERANCE = 1e-3

PREDICTORS = [
    case.with_params(
        **(OF_NETWORKS if case.is_network else EXACT),
        losses=dict.fromkeys([*range(10), *"abcdefgh"], "squared"),
    )
    for case in CASES
    if hasattr(case.model, "predict") and not case.has_column
]


@dataclass(frozen=True)
class Table:
    """Parameters of random rows; Hypothesis simplifies failing cases."""

    sizes: list
    n_features: int
    seed: int
    features: frozenset
    targets: str
    weights: str

    @property
    def size(self):
        """Complexity, to choose the simplest case."""
        return sum(self.sizes), self.n_features, len(self.features), repr(self)

    def rows(self, kind):
        rng = np.random.default_rng(self.seed)
        task = rng.permutation(np.repeat(np.arange(len(self.sizes)), self.sizes))
        X = rng.normal(size=(len(task), self.n_features))
        score = X[:, 0] + 0.5 * task + rng.normal(size=len(task))
        for change in sorted(self.features):
            X = CHANGES[change](X)
        y = DRAWN[kind](score)
        y = TARGETS[self.targets](y, task)
        weight = WEIGHTS[self.weights](rng, len(task))
        return Rows(X, y, task, weight)


CHANGES = {
    "a constant column": lambda X: X * np.r_[0.0, np.ones(X.shape[1] - 1)] + 1,
    "a column twice": lambda X: X[:, np.r_[0, np.arange(X.shape[1])]],
    "a column of zeros": lambda X: np.column_stack([X, np.zeros(len(X))]),
    "huge": lambda X: X * 1e6,
    "more columns than rows": lambda X: np.tile(X, 8),
    "tiny": lambda X: X * 1e-8,
}
DRAWN = {
    "numbers": lambda score: score,
    "mixed": lambda score: score,
    "counts": lambda score: np.floor(np.exp(score / 2)),
    "classes": lambda score: (score > np.median(score)).astype(int),
}
TARGETS = {
    "any": lambda y, task: y,
    "all equal": lambda y, task: np.repeat(y[:1], len(y)),
    "equal in one task": lambda y, task: np.where(task == 0, y[0], y),
}
WEIGHTS = {
    "none": lambda rng, n: None,
    "whole": lambda rng, n: rng.integers(1, 4, n).astype(float),
    "some zero": lambda rng, n: np.maximum(rng.integers(-1, 3, n), 0).astype(float),
}
tables = st.builds(
    Table,
    sizes=st.lists(st.sampled_from([1, 2, 5, 12]), min_size=1, max_size=4),
    n_features=st.integers(1, 4),
    seed=st.integers(0, 2**16),
    features=st.frozensets(st.sampled_from(sorted(CHANGES)), max_size=2),
    targets=st.sampled_from(list(TARGETS)),
    weights=st.sampled_from(list(WEIGHTS)),
)


# The ways. Each returns new rows, and a function that maps their predictions back.


def permuted(rows, rng):
    """Permute the rows."""
    order = rng.permutation(len(rows.X))
    return rows.of(order), lambda found: found[np.argsort(order)]


def renamed_in_order(rows, rng):
    """Rename the tasks, in the same order."""
    return replace(rows, task=np.array(list("bdfh"))[rows.task]), _same


def renamed(rows, rng):
    """Rename the tasks, in another order."""
    return replace(rows, task=np.array(list("hdfb"))[rows.task]), _same


def repeated(rows, rng):
    """Repeat rows instead of giving them integer weights."""
    times = np.ones(len(rows.X)) if rows.weight is None else rows.weight
    rows = replace(rows, weight=None).of(
        np.repeat(np.arange(len(times)), times.astype(int))
    )
    return rows, None


def scaled(rows, rng):
    """Rescale and shift the targets."""
    return replace(rows, y=8.0 * rows.y - 3.0), lambda found: (found + 3.0) / 8.0


def moved(rows, rng):
    """Shift the targets."""
    return replace(rows, y=rows.y - 3.0), lambda found: found + 3.0


def shifted(rows, rng):
    """Shift the features."""
    shift = 2.0 * np.abs(rows.X).max(axis=0)
    return replace(rows, X=rows.X + shift), _same


def thinned(rows, rng):
    """Pass the features as a sparse matrix."""
    return replace(rows, X=sparse.csr_array(rows.X)), _same


def contained(rows, rng):
    """Pass features, targets, labels and weights in containers of other libraries."""
    names = [f"x{j}" for j in range(rows.X.shape[1])]
    weight = None if rows.weight is None else pd.Series(rows.weight)
    frame = [pd.DataFrame(rows.X, columns=names), pl.DataFrame(rows.X, schema=names)]
    y = [pd.Series(rows.y), rows.y.tolist()][rng.integers(2)]
    task = [pd.Series(rows.task).astype("category"), pl.Series(rows.task)]
    rows = Rows(frame[rng.integers(2)], y, task[rng.integers(2)], weight)
    return rows, _same


def in_a_column(rows, rng):
    """Pass the labels as the first column of the features."""
    return replace(rows, X=np.column_stack([rows.task, rows.X]), task="column"), _same


def in_outputs(rows, rng):
    """Pass a 2-d y with one observed target per row."""
    Y = np.full((len(rows.X), rows.task.max() + 1), np.nan)
    Y[np.arange(len(rows.X)), rows.task] = rows.y
    row, codes = np.arange(len(rows.X)), rows.task
    return replace(rows, y=Y, task="outputs"), lambda found: (
        found.reshape(len(row), -1)[row, codes]
    )


def _same(found):
    return found


FOLDS = "its folds depend on the order of rows"
LEFT_OUT = "it leaves out single rows, but a repeated row as several"
CHAIN = "neighbours are adjacent in the order of labels"
NORMS = "the penalty is not quadratic"
GONE = "it refuses tasks that are gone without their rows of weight zero"
UNUSED = "a class of rows of weight zero is a class of its task"
UNITS = "its strengths are relative to the target's variance"
SEARCHES = (
    "JointFeatureRegressorCV",
    "LowRankRegressorCV",
    "MeanRegularizedClassifierCV",
    "MeanRegularizedPoissonRegressorCV",
    "NegativeTransferGuard",
    "PathSearchCV",
    "TaskModelSearch",
)
CHAINS = (
    "FusedClassifier",
    "FusedPoissonRegressor",
    "FusedRegressor",
    "GraphRegularizedClassifier",
    "GraphRegularizedPoissonRegressor",
    "GraphRegularizedRegressor",
)
NOT_QUADRATIC = (
    "DirtyRegressor",
    "FusedRegressor",
    "JointFeatureRegressor",
    "JointFeatureRegressorCV",
    "LowRankRegressor",
    "LowRankRegressorCV",
    "RobustRegressor",
)
FLAT = "the likelihood of few rows is flat around its maximum"
# Ways that do not hold for some estimators, and why.
EXCEPT = {
    permuted: dict.fromkeys(SEARCHES, FOLDS),
    renamed_in_order: {},
    renamed: dict.fromkeys(SEARCHES, FOLDS) | dict.fromkeys(CHAINS, CHAIN),
    repeated: dict.fromkeys(SEARCHES, FOLDS)
    | dict.fromkeys(["MeanRegularizedRegressorCV", "MultiTaskRidgeCV"], LEFT_OUT)
    | {"MixedTaskModel": GONE, "MultiTaskMLP": GONE, "MultiTaskMLPClassifier": UNUSED},
    scaled: dict.fromkeys(NOT_QUADRATIC, NORMS)
    | {
        "MeanRegularizedHuberRegressor": UNITS,
        "MeanRegularizedKernelRegressorCV": FLAT,
    },
    moved: {},
    shifted: dict.fromkeys(
        [
            "JointFeatureRegressorCV",
            "LowRankRegressorCV",
            "MeanRegularizedClassifierCV",
            "MeanRegularizedPoissonRegressorCV",
            "MeanRegularizedRegressorCV",
        ],
        "it may pull intercepts together",
    )
    | dict.fromkeys(
        ["MultiTaskMLP", "MultiTaskMLPClassifier", "MultiTaskMLPRegressor"],
        "the biases of hidden layers start at zero",
    ),
    thinned: {},
    contained: {},
    in_a_column: {},
    in_outputs: dict.fromkeys(SEARCHES, FOLDS),
}
# Ways that hold only for some kinds of target.
KINDS = {
    scaled: {"numbers"},
    moved: {"numbers"},
    in_outputs: {"numbers", "counts", "mixed"},
    shifted: {"numbers", "classes", "counts", "mixed"},
}
ALL_KINDS = {"numbers", "classes", "counts", "mixed"}


def takes_part(case, way):
    known = type(case.model).__name__ not in EXCEPT[way]
    return known and case.kind in KINDS.get(way, ALL_KINDS)


def pairs(way):
    return [case for case in PREDICTORS if takes_part(case, way)]


class Refused(Exception):
    """A fit that was refused."""


class Inexact(Exception):
    """A fit that warned that it is not exact."""


def predict(case, rows, asked):
    """Fit a model to rows, and return its predictions."""
    model = clone(case.model)
    fits = {} if rows.weight is None else {"sample_weight": rows.weight}
    labels = {}
    if isinstance(rows.task, str):
        known = model.get_params()
        names = [key for key in known if key.endswith("task_column")]
        name = min(names, key=lambda key: key.count("__"))  # the outermost one
        model.set_params(**{name: 0 if rows.task == "column" else None})
    else:
        fits["task"], labels["task"] = rows.task, asked.task
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        warnings.simplefilter("error", LinAlgWarning)
        warnings.filterwarnings("ignore", "All rows are taken as one task")
        warnings.filterwarnings("ignore", "A column-vector y was passed")
        try:
            model.fit(rows.X, rows.y, **fits)
        except ValueError as error:
            raise Refused(str(error)) from error
        except (ConvergenceWarning, LinAlgWarning) as warning:
            raise Inexact(str(warning)) from warning
    if hasattr(model, "predict_proba") and case.kind == "classes":
        return model.predict_proba(asked.X, **labels)
    return np.asarray(model.predict(asked.X, **labels)).astype(float)


def attempt(case, rows, asked):
    try:
        return predict(case, rows, asked), ""
    except Refused:
        return None, "refused"
    except Inexact:
        return None, "not exact"


def check(case, way, table):
    """Compare two ways, and return the outcome."""
    if case.is_network and "huge" in table.features:
        return "not exact"  # such inputs saturate units: rounding errors decide
    rows = table.rows(case.kind)
    expected, outcome = attempt(case, rows, rows)
    others, back = way(rows, np.random.default_rng(table.seed))
    asked = rows if back is None else others
    found, other_outcome = attempt(case, others, asked)
    if outcome or other_outcome:
        return outcome or other_outcome
    found = found if back is None else back(found)
    unit = 1.0 if case.kind == "classes" else np.abs(rows.y).max()
    limit = TOLERANCE * max(unit, 1e-12)
    apart = np.abs(found - expected)
    if case.name.startswith("MixedTaskModel"):  # NaN for a task without weight
        apart[np.isnan(found) & np.isnan(expected)] = 0.0
    worst = apart.max()
    assert worst <= limit, f"{worst:.2e} apart, of {limit:.2e} allowed"
    return "agreed"


def draw(way, run, n_examples, number=None):
    """Run a check on random cases; without a seed, on the fixed ones."""

    @settings(
        max_examples=n_examples,
        deadline=None,
        database=None,
        derandomize=number is None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=st.sampled_from(pairs(way)), table=tables)
    def each(case, table):
        run(case, table)

    (each if number is None else seed(number)(each))()


def search(n_examples, number):
    """Return counts of outcomes, and the simplest failure of each kind."""
    counts, failures = Counter(), {}
    for way in EXCEPT:

        def run(case, table, way=way):
            name = type(case.model).__name__
            try:
                outcome = check(case, way, table)
            except Exception as error:
                outcome, text = "failed", f"{type(error).__name__}: {error}"
                known = failures.setdefault((way.__name__, name), (table, text))
                if table.size < known[0].size:
                    failures[way.__name__, name] = table, text
            counts[way.__name__, name, outcome] += 1

        draw(way, run, n_examples, number)
    return counts, failures


OUTCOMES = "agreed", "refused", "not exact", "failed"
BEGIN, END = ".. counts begin\n\n", ".. counts end\n"


def tabulate(counts):
    """Return a table of counts by way, and one by estimator, as reStructuredText."""
    lines = []
    for title, place in (("way", 0), ("estimator", 1)):
        rule = " ".join(["=" * 34, *["=" * 9] * 5])
        lines += [rule, _line(title, ["cases", *OUTCOMES]), rule]
        for key in sorted({each[place] for each in counts}):
            some = {each: n for each, n in counts.items() if each[place] == key}
            numbers = [
                sum(n for each, n in some.items() if each[2] == outcome)
                for outcome in OUTCOMES
            ]
            lines.append(_line(key, [sum(numbers), *numbers]))
        lines += [rule, ""]
    return "\n".join(lines)


def _line(name, cells):
    return " ".join([f"{name:<34}", *(f"{cell:>9}" for cell in cells)])


def describe(n_examples, number):
    """Return the counts as reStructuredText, and the failures."""
    counts, failures = search(n_examples, number)
    cases = "the same in every run" if number is None else f"drawn with seed {number}"
    title = "Cases of the suite" if number is None else "Random cases"
    text = (
        f"{title}\n{'-' * len(title)}\n\n"
        f"{sum(counts.values())} cases, {cases}, of {len({e for _, e, _ in counts})} "
        f"estimators in {len(EXCEPT)} ways.\n\n{tabulate(counts)}\n"
    )
    return text, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=N_RANDOM)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--report", type=Path)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    if asked.report is None:
        text, failures = describe(asked.examples, asked.seed)
        print(text)
    else:
        fixed, failures = describe(N_FIXED, None)
        drawn, more = describe(asked.examples, asked.seed)
        failures |= more
        page = asked.report.read_text(encoding="utf-8")
        before, rest = page.split(BEGIN)
        _, after = rest.split(END)
        page = before + BEGIN + fixed + drawn + END + after
        asked.report.write_text(page, encoding="utf-8")
    for (way, name), (table, text) in failures.items():
        print(f"{name} {way}: {text}\n    {table}", file=sys.stderr)


if __name__ == "__main__":
    main()
