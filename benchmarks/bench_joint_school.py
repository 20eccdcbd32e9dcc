"""Select features for schools of different sizes (row 5, School).

``--data FILE.npz`` has arrays ``X`` (n_rows, n_features), ``y`` and ``task`` of the
School data, 139 schools and 15362 pupils, which are not in this repository. Without it,
random pupils are generated. As in the literature, a column of ones is the last feature,
nothing is centred, and ``rho`` is 200.

skglm gets a block-diagonal design with a group for each feature, built beforehand.
MALSAR (``--malsar DIR``) runs until its objective is within 1e-6 of the best, or for
20,000 steps. mutar cannot be compared: it needs tasks of equal size.
"""

from _harness import QUICK, Report, installed, option

# isort: split

import numpy as np
from _group_lasso import by_skglm, objective
from _malsar import find_malsar, run_malsar

from skmtl.datasets import make_related_tasks
from skmtl.linear_model import JointFeatureRegressor

RHO = 200.0
SIZE = (6, 30, 27) if QUICK else (139, 110, 27)
TOL, BUDGET = 1e-6, 10.0
# The loosest gradient tolerance at which skglm's objective is about as good.
TOL_OF_SKGLM = 1e-3
ALLOWED = {"skmtl": TOL, "skglm": 3e-6}
MAX_STEPS = 20_000


def read():
    """Return rows, targets and tasks from the file, or random ones."""
    if option("--data") is None:
        print("Pupils are drawn: name those of School by --data FILE.npz")
        X, y = make_related_tasks(*SIZE, random_state=0)
        return X[:, :-1], y, X[:, -1].astype(int)
    with np.load(option("--data")) as data:
        return data["X"], data["y"], data["task"]


def split(values, task):
    """Return the values of each task."""
    return [values[task == t] for t in np.unique(task)]


def compare_with_malsar(malsar, report, X, y, best):
    """Return the seconds of MALSAR until its objective is as good."""
    call, goal = "Least_L21(X, Y, rho, opts)", best * (1 + TOL)
    run = run_malsar(malsar, call, X, y, goal, 1, MAX_STEPS, rho=RHO)
    report.table({"MALSAR": run.seconds})
    excess = objective(X, y, run.coef, RHO) / best - 1
    print(f"objective, MALSAR, {run.n_iter} steps: {excess:.1e} above the best")
    return {"MALSAR": np.median(run.seconds)}


def main():
    """Compare times at equal objective."""
    report = Report("Joint features of schools", *installed("skglm", "numba"))
    malsar = find_malsar()
    X, y, task = read()
    X = np.column_stack([X, np.ones(len(X))])
    own, targets = split(X, task), split(y, task)
    alpha = RHO * len(own) / len(X)  # the loss of skmtl is a mean over all rows
    model = JointFeatureRegressor(alpha, fit_intercept=False, tol=TOL)
    peers = by_skglm(own, targets, RHO, tol=TOL_OF_SKGLM)
    contenders = {"skmtl": lambda: model.fit(X, y, task=task).coef_, **peers}
    for work in contenders.values():
        work()  # the first call compiles skglm
    seconds, coefs = report.time(contenders, 9, slow=tuple(peers))
    values = {name: objective(own, targets, W, RHO) for name, W in coefs.items()}
    best = min(values.values())
    for name, value in values.items():
        report.agree(f"objective, {name}, {value:.4f}", value / best - 1, ALLOWED[name])
    if malsar is not None:
        seconds |= compare_with_malsar(malsar, report, own, targets, best)
    ours = seconds.pop("skmtl")
    for name, taken in seconds.items():
        report.at_least(f"row 5, School, {name} / skmtl", taken / ours, BUDGET)
    report.finish()


if __name__ == "__main__":
    main()
