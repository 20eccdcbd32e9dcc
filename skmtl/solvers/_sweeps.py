"""Block coordinate descent with Anderson extrapolation."""

import numpy as np

# Proximal steps per block and sweep; all but the first read no rows.
_N_STEPS = 4
# Differences of iterates that an extrapolation combines.
_DEPTH = 5
# Ridge on the products of differences, relative to their trace: it keeps them regular.
_RIDGE = 1e-12
# Sweeps alone are fast if they lower the optimality to this share.
_FAST = 0.3
# Sweeps between measurements of optimality, if a measurement must read the rows.
_CHECK_EVERY = 3


class Sweeps:
    """Block coordinate descent of a quadratic term and a penalty.

    Parameters
    ----------
    part : BlockQuadratic
        The quadratic term.
    penalty : Penalty
        The penalty.
    start : ndarray of shape (n_tasks, n_features)
        First iterate.
    newton : VarianceNewton or None
        Newton steps for the penalty.
    measure : callable
        Returns the optimality of a Point of the term.

    References
    ----------
    Bertrand, Q., Massias, M. (2021). Anderson acceleration of coordinate descent.
    AISTATS, PMLR 130, 1288-1296.
    """

    def __init__(self, part, penalty, start, newton, measure):
        self.part = part
        self.penalty = penalty
        self.measure = measure
        self.newton = newton
        self.check_every = 1 if part.is_compact else _CHECK_EVERY
        self.hessians = [part.hessian(block) for block in part.blocks]
        self.steps = [_step_length(hessian) for hessian in self.hessians]
        self.iterates = []
        self._move_to(np.array(start, order="C"))

    def _move_to(self, W):
        self.W, self.state = W, self.part.state_at(W)

    def run(self, tol, max_iter):
        """Sweep until the optimality is at most `tol`; return the number of sweeps."""
        is_fast, before = True, np.inf
        for n_sweeps in range(1, max_iter + 1):
            self.sweep()
            if n_sweeps % self.check_every == 0:
                optimality = self.optimality()
                if optimality <= tol:
                    return n_sweeps
                is_fast, before = optimality <= _FAST * before, optimality
            if is_fast or not self._newton_step():
                self._extrapolate()
        return max_iter

    def optimality(self):
        """Return the optimality of the current iterate."""
        return self.measure(self.part.point(self.W, self.state))

    def sweep(self):
        """Take proximal steps in every block.

        Within a block the gradient is updated by the block's Hessian, so rows are read
        only twice, however many steps are taken.
        """
        for block, hessian, step in zip(
            self.part.blocks, self.hessians, self.steps, strict=True
        ):
            before = self.W[:, block]
            gradient = self.part.block_gradient(self.W, self.state, block)
            after = self.penalty.prox(before - step * gradient, step)
            if not (after.any() or before.any()):
                continue
            previous = before
            for _ in range(_N_STEPS - 1):
                gradient += _times(after - previous, hessian)
                previous = after
                after = self.penalty.prox(after - step * gradient, step)
            self.part.update(self.state, block, after - before)
            self.W[:, block] = after

    def _newton_step(self):
        """Try a Newton step; return success."""
        better = self.newton and self.newton.step(self.part, self.W)
        if better is None:
            return False
        self.iterates.clear()
        self._move_to(better)
        return True

    def _extrapolate(self):
        """Move to a combination of the last iterates if that is better."""
        self.iterates.append((self.W.copy(), self.state.copy()))
        if len(self.iterates) <= _DEPTH:
            return
        pairs, self.iterates = self.iterates, []
        weights = _anderson_weights([W for W, _ in pairs])
        W = np.tensordot(weights, [W for W, _ in pairs[1:]], 1)
        state = np.tensordot(weights, [state for _, state in pairs[1:]], 1)
        if self._objective(W, state) < self._objective(self.W, self.state):
            self.W, self.state = W, state

    def _objective(self, W, state):
        return self.part.value_at(W, state) + self.penalty.value(W)


def _anderson_weights(iterates):
    """Return weights, summing to 1, that make the combined difference smallest."""
    moves = np.diff(np.reshape(iterates, (len(iterates), -1)), axis=0)
    products = moves @ moves.T
    ridge = _RIDGE * np.trace(products)
    if ridge == 0:
        return np.full(len(moves), 1 / len(moves))
    regular = products + ridge * np.eye(len(moves))
    weights = np.linalg.solve(regular / ridge, np.ones(len(moves)))
    return weights / weights.sum()


def _step_length(hessian):
    """Return one over a bound on the eigenvalues of all matrices, 1 if they are zero.

    The Frobenius norm of the fourth power bounds the fourth power of the largest
    eigenvalue; it is at most ``size ** 0.5`` times as large.
    """
    largest = np.abs(hessian).max(axis=(1, 2), initial=0.0)
    power = hessian / np.where(largest > 0, largest, 1.0)[:, None, None]
    power = power @ power
    power = power @ power
    bound = (largest * (power * power).sum(axis=(1, 2)) ** 0.125).max(initial=0.0)
    return float(1 / bound) if bound > 0 else 1.0


def _times(step, hessian):
    if len(hessian) == 1:
        return step @ hessian[0]
    return np.matmul(step[:, None], hessian)[:, 0]
