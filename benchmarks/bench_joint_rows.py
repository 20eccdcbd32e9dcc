"""Select features of 50 tasks with 100 rows of their own, 1000 features (row 5).

skglm's GroupLasso poses the same objective on the block-diagonal design, with a group
for each feature; its sparse matrix is built beforehand, as is centring. skmtl's own
accelerated proximal steps on batched rows are a yardstick, and no peer: no budget is
held against them. mutar and MALSAR, the peers of the budget, need an old Python and
Octave; the figures they had against the prototype are in the design notes.
"""

from _harness import QUICK, Report

# isort: split

import warnings

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from skmtl.linear_model import JointFeatureRegressor, LinearTaskRegressor
from skmtl.penalties import L21
from skmtl.solvers import Fista

SIZE = (4, 20, 40) if QUICK else (50, 100, 1000)
N_RELEVANT = 3 if QUICK else 30
# Strength in units of the largest, and how many times faster skmtl must be.
BUDGETS = {0.3: 2.5, 0.1: 2.5}
GAP = 1e-6
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


def by_skglm(X, y, alpha):
    """Return skglm's fit of the block-diagonal design, or None."""
    try:
        from skglm import GroupLasso
    except ImportError:
        print("skglm is not installed")
        return None
    n_tasks, _, n_features = X.shape
    design = sparse.block_diag(list(X), format="csc")
    groups = [[j + t * n_features for t in range(n_tasks)] for j in range(n_features)]
    # Its loss is the mean over all rows, ours the mean over the rows of a task.
    model = GroupLasso(groups, alpha / n_tasks, fit_intercept=False, tol=1e-7)
    return lambda: model.fit(design, y.ravel()).coef_.reshape(n_tasks, n_features)


def compare(report, X, y, share, budget):
    """Time contenders at one strength."""
    n_tasks, n_rows, n_features = X.shape
    rows, target = X.reshape(-1, n_features), y.ravel()
    task = np.repeat(np.arange(n_tasks), n_rows)
    centred, outputs = X - X.mean(axis=1)[:, None], y - y.mean(axis=1)[:, None]
    alpha = share * np.linalg.norm(gradient(centred, outputs), axis=0).max()
    model = JointFeatureRegressor(alpha, tol=GAP)
    slow = LinearTaskRegressor(L21(alpha), solver=Fista(tol=GAP))
    contenders = {
        "skmtl": lambda: model.fit(rows, target, task=task).coef_,
        "accelerated steps": lambda: slow.fit(rows, target, task=task).coef_,
    }
    peer = by_skglm(centred, outputs, alpha)
    if peer is not None:
        contenders["skglm"] = peer
    for name in {"skmtl", "skglm"}.intersection(contenders):
        contenders[name]()  # skglm compiles when it is first called
    print(f"\nalpha = {share:g} alpha_max")
    seconds, coefs = report.time(contenders, 9, slow=tuple(contenders)[1:])
    for name, coef in coefs.items():
        n_used = np.count_nonzero(coef.any(axis=0))
        allowed = GAP if name == "skmtl" else GAP_OF_PEERS
        reached = gap(centred, outputs, coef, alpha)
        report.agree(f"gap, {name}, {n_used} features", reached, allowed)
    if peer is not None:
        ratio = seconds["skglm"] / seconds["skmtl"]
        report.at_least("row 5, skglm / skmtl", ratio, budget)


def main():
    """Compare times at equal duality gap."""
    X, y = draw()
    report = Report("Joint features of tasks with own rows")
    for share, budget in BUDGETS.items():
        compare(report, X, y, share, budget)
    report.finish()


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)
    main()
