"""Select features of 50 outputs on one design, 1000 rows of 5000 features (row 4).

All contenders get the same rows and a tolerance of 1e-6. The script computes the
duality gap that each reached from its definition. skglm and celer, if installed, get
centred columns in their memory order, which is not timed; skmtl and scikit-learn centre
and check rows in their time. celer is called through its path function, because its
class does not work with the current scikit-learn. skglm is left out at the lowest
strength, where it is too slow.
"""

from _harness import QUICK, Report, installed

# isort: split

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import MultiTaskLasso

from skmtl.linear_model import JointFeatureRegressor

SIZE = (60, 150, 4) if QUICK else (1000, 5000, 50)
N_RELEVANT = 5 if QUICK else 50
# Strength relative to the largest: minimum ratio of the peer's time to ours.
BUDGETS = {0.1: 5.0, 0.01: 1.2}
# Below this strength skglm is left out.
LOWEST_OF_SKGLM = 0.1
GAP = 1e-6
# Peers may end slightly above the tolerance that they are given.
GAP_OF_PEERS = 3e-6


def draw():
    """Return a design and outputs that depend on a few of its features."""
    n_rows, n_features, n_tasks = SIZE
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_features))
    coef = np.zeros((n_features, n_tasks))
    coef[rng.choice(n_features, N_RELEVANT, replace=False)] = rng.normal(
        size=(N_RELEVANT, n_tasks)
    )
    Y = X @ coef
    return X, Y + 0.2 * Y.std() * rng.normal(size=Y.shape)


def gap(X, Y, coef, alpha):
    """Return the duality gap relative to the objective at zero, on centred data."""
    left = Y - X @ coef.T
    size = np.linalg.norm(X.T @ left / len(X), axis=1).max()
    along, square, start = np.vdot(left, Y), np.vdot(left, left), np.vdot(Y, Y)
    k = np.clip(along / square, -alpha / size, alpha / size)
    primal = square / 2 + len(X) * alpha * np.linalg.norm(coef, axis=0).sum()
    return (primal - k * along + k**2 / 2 * square) / (start / 2)


def by_skglm(X, Y, alpha):
    """Return skglm's fit of centred data, or nothing if not installed."""
    try:
        from skglm import MultiTaskLasso as Skglm
    except ImportError:
        print("skglm is not installed")
        return {}
    model = Skglm(alpha, tol=GAP, fit_intercept=False)
    return {"skglm": lambda: model.fit(X, Y).coef_}


def by_celer(X, Y, alpha):
    """Return celer's fit of centred data, or nothing if not installed."""
    try:
        from celer.homotopy import mtl_path
    except ImportError:
        print("celer is not installed")
        return {}

    def fit():
        return mtl_path(X, Y, alphas=[alpha], tol=GAP, max_iter=200)[1][..., 0]

    return {"celer": fit}


def compare(report, X, Y, share, budget):
    """Time contenders at one strength."""
    centred, outputs = X - X.mean(axis=0), Y - Y.mean(axis=0)
    highest = np.linalg.norm(centred.T @ outputs / len(X), axis=1).max()
    alpha = share * highest
    model = JointFeatureRegressor(alpha, tol=GAP)
    lasso = MultiTaskLasso(alpha, tol=GAP, max_iter=10000)
    given = (np.asfortranarray(centred), np.asfortranarray(outputs), alpha)
    skglm = by_skglm(*given) if share >= LOWEST_OF_SKGLM else {}
    contenders = {
        "skmtl": lambda: model.fit(X, Y).coef_,
        "scikit-learn": lambda: lasso.fit(X, Y).coef_,
        **skglm,
        **by_celer(*given),
    }
    for name in {"skmtl", "skglm"}.intersection(contenders):
        contenders[name]()  # the first call compiles skglm
    print(f"\nalpha = {share:g} alpha_max")
    seconds, coefs = report.time(contenders, 7, slow=tuple(contenders)[1:])
    for name, found in coefs.items():
        coef = found if found.shape == (Y.shape[1], X.shape[1]) else found.T
        n_used = np.count_nonzero(coef.any(axis=0))
        allowed = GAP if name == "skmtl" else GAP_OF_PEERS
        reached = gap(centred, outputs, coef, alpha)
        report.agree(f"gap, {name}, {n_used} features", reached, allowed)
    best = min(taken for name, taken in seconds.items() if name != "skmtl")
    report.at_least("row 4, best peer / skmtl", best / seconds["skmtl"], budget)


def main():
    """Compare times at equal duality gap."""
    X, Y = draw()
    peers = installed("skglm", "celer", "numba")
    report = Report("Joint features on one design", *peers)
    for share, budget in BUDGETS.items():
        compare(report, X, Y, share, budget)
    report.finish()


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)
    main()
