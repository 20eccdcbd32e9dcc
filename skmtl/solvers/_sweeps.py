"""Visit blocks of features in turn, and extrapolate."""

import numpy as np

# Proximal steps that a visit to a block takes within its Hessian.
_N_STEPS = 4
# Iterates whose differences are combined.
_DEPTH = 5
# What makes their products invertible, in units of their trace.
_RELIEF = 1e-12
# Where rows must be read for it, optimality is measured after so many sweeps.
_CHECK_EVERY = 3


class Sweeps:
    """Minimise a quadratic term and a penalty over the features of a working set.

    Parameters
    ----------
    part : BlockQuadratic
        The quadratic term.
    penalty : Penalty
        The penalty.
    start : ndarray of shape (n_tasks, n_features)
        Where to start.
    newton : SupportNewton or None
        Newton steps that suit the penalty.
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
        self.newton = newton if part.is_compact else None
        self.every = 1 if part.is_compact else _CHECK_EVERY
        self.hessians = [part.hessian(block) for block in part.blocks]
        self.steps = [_step_within(hessian) for hessian in self.hessians]
        self.iterates = []
        self.n_support = -1
        self._go_to(np.array(start, order="C"))

    def _go_to(self, W):
        self.W, self.state = W, self.part.state_at(W)

    def run(self, goal, max_iter):
        """Sweep until optimality is reached; return how often."""
        for k in range(1, max_iter + 1):
            self.sweep()
            if k % self.every == 0 and self.optimality() <= goal:
                return k
            if not self._polish():
                self._extrapolate()
        return max_iter

    def optimality(self):
        """Return the optimality of where the sweeps have come to."""
        return self.measure(self.part.point(self.W, self.state))

    def sweep(self):
        """Take proximal steps in every block.

        Within a block the gradient follows from its Hessian, so that rows are read
        twice a visit, however many steps are taken.
        """
        for block, hessian, step in zip(
            self.part.blocks, self.hessians, self.steps, strict=True
        ):
            before = self.W[:, block]
            slope = self.part.block_gradient(self.W, self.state, block)
            after = self.penalty.prox(before - step * slope, step)
            if not (after.any() or before.any()):
                continue
            last = before
            for _ in range(_N_STEPS - 1):
                slope += _times(after - last, hessian)
                last, after = after, self.penalty.prox(after - step * slope, step)
            self.part.update(self.state, block, after - before)
            self.W[:, block] = after

    def _polish(self):
        """Take a Newton step if the support is settled; return whether one was."""
        before = self.n_support
        self.n_support = np.count_nonzero(self.W.any(axis=0))
        if self.newton is None or self.n_support != before or not before:
            return False
        better = self.newton.step(self.part, self.W)
        if better is None:
            return False
        self.iterates.clear()
        self._go_to(better)
        return True

    def _extrapolate(self):
        """Combine the last iterates if that is better."""
        self.iterates.append((self.W.copy(), self.state.copy()))
        if len(self.iterates) <= _DEPTH:
            return
        pairs, self.iterates = self.iterates, []
        share = _shares([W for W, _ in pairs])
        W = np.tensordot(share, [W for W, _ in pairs[1:]], 1)
        state = np.tensordot(share, [state for _, state in pairs[1:]], 1)
        if self._objective(W, state) < self._objective(self.W, self.state):
            self.W, self.state = W, state

    def _objective(self, W, state):
        return self.part.value_at(W, state) + self.penalty.value(W)


def _shares(iterates):
    """Return shares, summing to 1, that would stop a map that is affine."""
    moves = np.diff(np.reshape(iterates, (len(iterates), -1)), axis=0)
    products = moves @ moves.T
    relief = _RELIEF * np.trace(products)
    if relief == 0:
        return np.full(len(moves), 1 / len(moves))
    relieved = products + relief * np.eye(len(moves))
    share = np.linalg.solve(relieved / relief, np.ones(len(moves)))
    return share / share.sum()


def _step_within(hessian):
    """Return a step that a Hessian of every task allows, 1 if these are zero.

    The Frobenius norm of the fourth power bounds that of the largest eigenvalue; it is
    at most ``size ** 0.5`` times as large.
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
