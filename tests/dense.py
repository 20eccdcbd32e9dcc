"""Naive versions of what skmtl solves by structure: everything in one dense matrix."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Dense:
    """All rows, and all strengths, of tasks around a centre."""

    X: np.ndarray
    y: np.ndarray
    codes: np.ndarray
    n_tasks: int
    weight: np.ndarray
    alpha: np.ndarray
    alpha_shared: float = 0.0
    alpha_intercept: float = 0.0
    fit_intercept: bool = True

    @property
    def n_features(self):
        return self.X.shape[1]

    def variables(self, X, codes):
        """Return the rows that predict X from all w_t, all b_t, w_s and b_s."""
        n_tasks, n_features = self.n_tasks, self.n_features
        design = np.zeros((len(X), (n_tasks + 1) * (n_features + 1)))
        columns = codes[:, None] * n_features + np.arange(n_features)
        np.put_along_axis(design, columns, X, axis=1)
        design[np.arange(len(X)), n_tasks * n_features + codes] = self.fit_intercept
        return design

    @property
    def _kept(self):
        """Map what is free to all variables: what is infinitely pulled is merged."""
        n_tasks, n_features = self.n_tasks, self.n_features
        n_own = n_tasks * n_features
        kept = np.eye((n_tasks + 1) * (n_features + 1))
        shared = n_own + n_tasks + np.tile(np.arange(n_features), n_tasks)
        stiff = np.flatnonzero(np.isinf(np.tile(self.alpha, n_tasks)))
        kept[stiff] = kept[shared[stiff]]
        if np.isinf(self.alpha_intercept):
            kept[n_own : n_own + n_tasks] = kept[-1]
        return kept

    @property
    def penalties(self):
        """Return one row per squared term of the pull."""
        n_tasks, n_features = self.n_tasks, self.n_features
        n_own, n_all = n_tasks * n_features, (n_tasks + 1) * (n_features + 1)
        everything = np.eye(n_all)
        shared = everything[n_own + n_tasks : -1]
        own = everything[:n_own] - np.tile(shared, (n_tasks, 1))
        level = everything[n_own : n_own + n_tasks] - everything[-1]
        alpha = np.where(np.isinf(self.alpha), 0, self.alpha)
        pulls = 0.0 if np.isinf(self.alpha_intercept) else self.alpha_intercept
        return np.vstack(
            [
                np.sqrt(np.tile(alpha, n_tasks))[:, None] * own,
                np.sqrt(self.alpha_shared) * shared,
                np.sqrt(pulls * self.fit_intercept) * level,
            ]
        )

    @property
    def _rows(self):
        root = np.sqrt(self.weight)[:, None]
        return root * self.variables(self.X, self.codes)

    @property
    def _system(self):
        return np.vstack([self._rows, self.penalties]) @ self._kept

    def solve(self):
        """Return coef, intercept, coef_shared, intercept_shared, objective."""
        system = self._system
        target = np.zeros(len(system))
        target[: len(self.y)] = np.sqrt(self.weight) * self.y
        solution = np.linalg.lstsq(system, target, rcond=1e-13)[0]
        everything = self._kept @ solution
        n_own = self.n_tasks * self.n_features
        return (
            everything[:n_own].reshape(self.n_tasks, self.n_features),
            everything[n_own : n_own + self.n_tasks],
            everything[n_own + self.n_tasks : -1],
            everything[-1],
            float(((system @ solution - target) ** 2).sum()),
        )

    def variance(self, X, codes):
        """Return variances of predictions, in units of the noise variance."""
        system = self._system
        rows = self.variables(X, codes) @ self._kept
        covariance = np.linalg.pinv(system.T @ system, rcond=1e-13, hermitian=True)
        return np.einsum("ij,jk,ik->i", rows, covariance, rows)

    def degrees_of_freedom(self):
        """Return the trace of the matrix from targets to predictions."""
        return float((self.weight * self.variance(self.X, self.codes)).sum())

    def without(self, row):
        """Return the same problem without the weight of one row."""
        weight = self.weight.copy()
        weight[row] = 0
        return replace(self, weight=weight)

    def left_out(self):
        """Return the residual of each row in a fit without it."""
        found = []
        for row in range(len(self.y)):
            coef, intercept = self.without(row).solve()[:2]
            t = self.codes[row]
            found.append(self.y[row] - self.X[row] @ coef[t] - intercept[t])
        return np.array(found)

    def criterion(self):
        """Return minus twice the restricted log likelihood, weights being ones."""
        same = self.codes[:, None] == self.codes
        levels = np.eye(self.n_tasks)[self.codes]
        total = np.eye(len(self.y))
        total += same * ((self.X / self.alpha) @ self.X.T)
        fixed = self.X
        if self.alpha_shared > 0:
            total += self.X @ self.X.T / self.alpha_shared
            fixed = self.X[:, :0]
        if self.fit_intercept and self.alpha_intercept > 0:
            total += same / self.alpha_intercept
            fixed = np.column_stack([fixed, np.ones(len(self.y))])
        elif self.fit_intercept:
            fixed = np.column_stack([fixed, levels])
        solved = np.linalg.solve(total, np.column_stack([fixed, self.y]))
        inner = fixed.T @ solved[:, :-1]
        beta = np.linalg.solve(inner, fixed.T @ solved[:, -1])
        left = self.y - fixed @ beta
        n_contrasts = len(self.y) - fixed.shape[1]
        sigma2 = left @ np.linalg.solve(total, left) / n_contrasts
        return float(
            n_contrasts * (1 + np.log(2 * np.pi * sigma2))
            + np.linalg.slogdet(total)[1]
            + np.linalg.slogdet(inner)[1]
        )
