"""Record what every estimator fits, and compare with an earlier record.

A change of the code that should not change results runs this before and after:

    python .ci/golden.py record before.pkl
    python .ci/golden.py compare before.pkl

Each estimator that can be made without parameters is fitted to rows with a task label
and to one y per task, with and without weights, dense and sparse, with more and with
fewer rows than columns. The comparison prints the largest relative difference of each
estimator and ends with 1 if one exceeds ``--tol``.
"""

import argparse
import inspect
import itertools
import pickle
import sys
import warnings

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, is_classifier

import skmtl.linear_model

LEARNT = ["coef_", "intercept_", "coef_shared_", "intercept_shared_", "alpha_"]
# Fits are compared far beyond their usual tolerance, where they have one.
SETTINGS = {"tol": 1e-10, "max_iter": 20_000, "random_state": 0, "n_alphas": 8}
STRENGTHS = {
    "alpha": 3.0,
    "alpha_joint": 3.0,
    "alpha_l1": 2.0,
    "alpha_related": 2.0,
    "alpha_outlier": 3.0,
    "alpha_mean": 0.3,
    "alpha_within": 1.0,
    "alpha_between": 0.5,
}
N_TASKS = 5


def estimators():
    """Make every public estimator that needs only strengths and a graph."""
    for name in sorted(skmtl.linear_model.__all__):
        cls = getattr(skmtl.linear_model, name)
        if inspect.isclass(cls) and issubclass(cls, BaseEstimator):
            model = made(cls)
            if model is not None:
                yield name, model


def made(cls):
    """Make the class with its strengths; None if it needs another object."""
    names = inspect.signature(cls).parameters
    known = {
        "graph": np.diag(np.ones(N_TASKS - 1), 1) + np.diag(np.ones(N_TASKS - 1), -1)
    }
    known |= SETTINGS | STRENGTHS
    given = {name: known[name] for name in names if name in known}
    needed = {name for name, p in names.items() if p.default is p.empty}
    return cls(**given) if needed <= given.keys() else None


def problems(model):
    """Draw data of every layout that the kind of target allows."""
    shapes = {"tall": (24, 4), "wide": (6, 9)}
    for (shape, (rows, columns)), weighted, dense in itertools.product(
        shapes.items(), (False, True), (True, False)
    ):
        rng = np.random.default_rng(rows)
        n = rows * N_TASKS
        task = np.repeat(np.arange(N_TASKS), rows)
        X = rng.standard_normal((n, columns)) + 0.5
        raw = X @ rng.standard_normal(columns) + task / 4 + rng.standard_normal(n)
        weight = rng.uniform(0.5, 2, n) if weighted else None
        y = target(model, raw)
        name = f"{shape}{' weighted' * weighted}{' sparse' * (not dense)}"
        table = X if dense else sparse.csr_array(X)
        yield name, table, y, {"task": task, "sample_weight": weight}
        Y = target(model, raw.reshape(N_TASKS, -1).T)
        shared = {"sample_weight": None if weight is None else weight[:rows]}
        yield f"{name} outputs", table[:rows], Y, shared


def target(model, raw):
    """Turn numbers into the kind of target that the model fits."""
    if is_classifier(model):
        return (raw > np.median(raw)).astype(int)
    if "Poisson" in type(model).__name__:
        return np.floor(np.exp(np.clip(raw / 3, -3, 2)))
    return raw


def fitted(model, X, y, given):
    """Return the learnt arrays and the predictions, or the kind of error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X, y, **given)
    except (ValueError, TypeError) as error:
        return {"error": type(error).__name__}
    found = {name: getattr(model, name) for name in LEARNT if hasattr(model, name)}
    task = {"task": given["task"]} if "task" in given else {}
    found["predict"] = model.predict(X, **task)
    return {name: np.asarray(value) for name, value in found.items()}


def record(only):
    """Fit everything; return a mapping (estimator, problem) -> learnt arrays."""
    return {
        (name, data): fitted(model, X, y, given)
        for name, model in estimators()
        if not only or name in only
        for data, X, y, given in problems(model)
    }


def difference(old, new):
    """Return the largest difference of two fits, relative to arrays' maxima."""
    if old.keys() != new.keys():
        return np.inf
    return max(map(distance, old.values(), new.values()), default=0.0)


def distance(a, b):
    """Return the largest difference of two arrays, relative to the first."""
    if isinstance(a, str) or a.dtype.kind not in "fiu":
        return 0.0 if np.array_equal(a, b) else np.inf
    if a.shape != b.shape:
        return np.inf
    apart = (a != b) & ~(np.isnan(a) & np.isnan(b))
    unit = np.abs(a[np.isfinite(a)]).max(initial=1.0)
    return float(np.abs(a[apart] - b[apart]).max(initial=0.0) / unit)


def main():
    """Record or compare, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["record", "compare"])
    parser.add_argument("file")
    parser.add_argument("--tol", type=float, default=1e-12)
    parser.add_argument("--only", nargs="*", help="names of estimators")
    given = parser.parse_args()
    now = record(given.only)
    if given.command == "record":
        with open(given.file, "wb") as file:
            pickle.dump(now, file)
        print(f"{len(now)} fits of {len({name for name, _ in now})} estimators")
        return 0
    with open(given.file, "rb") as file:
        before = pickle.load(file)
    worst = {}
    for key in sorted(before.keys() & now.keys()):
        worst[key[0]] = max(
            worst.get(key[0], (0.0, "")), (difference(before[key], now[key]), key[1])
        )
    for name, (apart, where) in worst.items():
        print(f"{name:40} {apart:8.1e} {where}")
    if not given.only:
        print("only before:", sorted({k[0] for k in before.keys() - now.keys()}))
        print("only now:", sorted({k[0] for k in now.keys() - before.keys()}))
    return int(max(apart for apart, _ in worst.values()) > given.tol)


if __name__ == "__main__":
    sys.exit(main())
