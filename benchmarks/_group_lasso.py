"""Group lasso solvers of other packages, for tasks with their own rows.

The functions take lists of the tasks' rows X and targets y, and ``rho`` of the
objective ``sum_t ||y_t - X_t w_t||^2 / 2 + rho sum_j ||w_j||``, without intercepts.
Coefficients have shape (n_tasks, n_features).
"""

import numpy as np
from scipy import sparse


def objective(X, y, coef, rho):
    """Return the objective from its definition."""
    left = [part - rows @ w for rows, part, w in zip(X, y, coef, strict=True)]
    loss = sum(np.vdot(part, part) for part in left) / 2
    return loss + rho * np.linalg.norm(coef, axis=0).sum()


def by_skglm(X, y, rho, tol=1e-7):
    """Return skglm's fit on a block-diagonal design, or nothing if not installed."""
    try:
        from skglm import GroupLasso
    except ImportError:
        print("skglm is not installed")
        return {}
    n_tasks, n_features = len(X), X[0].shape[1]
    design, target = sparse.block_diag(list(X), format="csc"), np.concatenate(list(y))
    groups = [[j + t * n_features for t in range(n_tasks)] for j in range(n_features)]
    alpha = rho / len(target)  # its loss is the mean over all rows
    model = GroupLasso(groups, alpha, fit_intercept=False, tol=tol, max_iter=500)
    return {"skglm": lambda: model.fit(design, target).coef_.reshape(n_tasks, -1)}


def by_mutar(X, y, rho, tol=1e-6):
    """Return mutar's fit of tasks of equal size, or nothing if not installed."""
    try:
        from mutar import GroupLasso
    except ImportError:
        print("mutar is not installed")
        return {}
    alpha = rho / X.shape[1]  # its loss is the mean over a task's rows
    model = GroupLasso(alpha, fit_intercept=False, tol=tol, max_iter=10_000)
    return {"mutar": lambda: model.fit(X, y).coef_.T}
