"""Select from 1000 features for 50 tasks with 100 rows each (row 5).

The peers, if installed, are mutar, which has the same objective; skglm, on a
block-diagonal design with a group for each feature; and MALSAR (``--malsar DIR``),
until its objective is within 1e-6 of the best. They get centred rows, and skglm its
design; skmtl centres and checks rows in its time. Plain accelerated proximal steps on
batched rows are timed for comparison, without a budget.
"""

from _harness import QUICK, Report, installed

# isort: split

import warnings

import numpy as np
from _group_lasso import by_mutar, by_skglm, objective
from _malsar import find_malsar, run_malsar
from sklearn.exceptions import ConvergenceWarning

from skmtl.linear_model import JointFeatureRegressor, LinearTaskRegressor
from skmtl.penalties import L21
from skmtl.solvers import Fista

SIZE = (4, 20, 40) if QUICK else (50, 100, 1000)
N_RELEVANT = 3 if QUICK else 30
# Strengths relative to the largest; minimum ratio of the peers' time to ours.
SHARES, BUDGET = (0.3, 0.1), 2.5
GAP = 1e-6
# Peers may end slightly above the tolerance that they are given.
GAP_OF_PEERS = 3e-6


def draw():
    """Return rows (n_tasks, n_rows, n_features) and targets of tasks."""
    n_tasks, _, n_features = SIZE
    rng = np.random.default_rng(0)
    X = rng.normal(size=SIZE)
    coef = np.zeros((n_tasks, n_features, 1))
    coef[:, :N_RELEVANT] = rng.normal(size=(n_tasks, N_RELEVANT, 1))
    y = np.matmul(X, coef)[:, :, 0]
    return X, y + 0.2 * y.std() * rng.normal(size=y.shape)


def centre(values):
    """Return values minus their means by task."""
    return values - values.mean(axis=1, keepdims=True)


def gap(X, y, coef, alpha):
    """Return the duality gap relative to the objective at zero, on centred data."""
    left = y - np.matmul(X, coef[:, :, None])[:, :, 0]
    size = np.linalg.norm(gradient(X, left), axis=0).max()
    along, square, start = np.vdot(left, y), np.vdot(left, left), np.vdot(y, y)
    k = np.clip(along / square, -alpha / size, alpha / size)
    primal = square / 2 + X.shape[1] * alpha * np.linalg.norm(coef, axis=0).sum()
    return (primal - k * along + k**2 / 2 * square) / (start / 2)


def gradient(X, left):
    """Return minus the gradient, (n_tasks, n_features)."""
    return np.matmul(left[:, None], X)[:, 0] / X.shape[1]


def compare(report, X, y, share):
    """Time contenders at one strength; return it for MALSAR, and our seconds."""
    n_tasks, n_rows, n_features = X.shape
    rows, target = X.reshape(-1, n_features), y.ravel()
    task = np.repeat(np.arange(n_tasks), n_rows)
    centred, outputs = centre(X), centre(y)
    alpha = share * np.linalg.norm(gradient(centred, outputs), axis=0).max()
    rho = n_rows * alpha
    model = JointFeatureRegressor(alpha, tol=GAP)
    slow = LinearTaskRegressor(L21(alpha), solver=Fista(tol=GAP))
    peers = {**by_skglm(centred, outputs, rho), **by_mutar(centred, outputs, rho)}
    contenders = {
        "skmtl": lambda: model.fit(rows, target, task=task).coef_,
        "accelerated steps": lambda: slow.fit(rows, target, task=task).coef_,
        **peers,
    }
    for name in ("skmtl", *peers):
        contenders[name]()  # the first call compiles some of them
    print(f"\nalpha = {share:g} alpha_max")
    seconds, coefs = report.time(contenders, 9, slow=tuple(contenders)[1:])
    for name, coef in coefs.items():
        n_used = np.count_nonzero(coef.any(axis=0))
        allowed = GAP if name == "skmtl" else GAP_OF_PEERS
        reached = gap(centred, outputs, coef, alpha)
        report.agree(f"gap, {name}, {n_used} features", reached, allowed)
    for name in peers:
        ratio = seconds[name] / seconds["skmtl"]
        report.at_least(f"row 5, {name} / skmtl", ratio, BUDGET)
    return rho, seconds["skmtl"]


def compare_with_malsar(report, malsar, X, y, rho, seconds):
    """Time MALSAR until its objective is as good."""
    n_tasks, n_rows, n_features = X.shape
    rows, task = X.reshape(-1, n_features), np.repeat(np.arange(n_tasks), n_rows)
    close = JointFeatureRegressor(rho / n_rows, tol=1e-10)
    best = objective(X, y, close.fit(rows, y.ravel(), task=task).coef_, rho)
    call, goal = "Least_L21(X, Y, rho, opts)", best * (1 + GAP)
    run = run_malsar(malsar, call, X, y, goal, rho=rho)
    report.table({"MALSAR": run.seconds})
    reached = objective(X, y, run.coef, rho) / best - 1
    report.agree(f"objective, MALSAR, {run.n_iter} steps", reached, GAP)
    ratio = np.median(run.seconds) / seconds
    report.at_least("row 5, MALSAR / skmtl", ratio, BUDGET)


def main():
    """Compare times at equal duality gap."""
    X, y = draw()
    peers = installed("skglm", "mutar", "numba")
    report = Report("Joint features of tasks with own rows", *peers)
    malsar = find_malsar()
    for share in SHARES:
        rho, seconds = compare(report, X, y, share)
        if malsar is not None:
            compare_with_malsar(report, malsar, centre(X), centre(y), rho, seconds)
    report.finish()


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)
    main()
