"""Solutions of joint feature selection along its strengths."""

from dataclasses import dataclass, replace

from skmtl.penalties import L21, L1Inf, Positive, RowMCP, RowSCAD
from skmtl.problems.proximal import DivisibleLoss, minimize
from skmtl.solvers import SupportNewton, WorkingSet

PENALTIES = {"l21": L21, "linf": L1Inf, "mcp": RowMCP, "scad": RowSCAD}


@dataclass(frozen=True)
class JointKind:
    """Say which features are selected how, whatever the strength.

    Parameters
    ----------
    penalty : {"l21", "linf", "mcp", "scad"}
        How the coefficients of a feature count.
    l1_ratio : float
        Share of the strength that selects.
    positive : bool
        Whether coefficients must be 0 or more.
    """

    penalty: str
    l1_ratio: float
    positive: bool

    def ridge(self, alpha):
        """Return the strength of the quadratic pull to zero."""
        return alpha * (1 - self.l1_ratio)

    def at(self, alpha):
        """Return the penalty of a strength."""
        penalty = PENALTIES[self.penalty](alpha * self.l1_ratio)
        return Positive(penalty) if self.positive else penalty

    def solver(self, alpha, tol, max_iter):
        """Return the solver, with Newton steps if the penalty bends smoothly."""
        is_smooth = self.penalty == "l21" and not self.positive
        newton = SupportNewton(alpha * self.l1_ratio) if is_smooth else None
        return WorkingSet(tol, max_iter, newton)

    def alpha_max(self, loss):
        """Return the least strength at which all coefficients are zero."""
        return self.at(1.0).alpha_max(loss) / self.l1_ratio


@dataclass(frozen=True)
class JointPath:
    """Solve for many strengths, each from the solution of the last.

    Parameters
    ----------
    kind : JointKind
        Which features are selected how.
    tol : float
        Optimality to be reached.
    max_iter : int
        Largest number of iterations per strength.
    """

    kind: JointKind
    tol: float
    max_iter: int

    def fits(self, loss, alphas):
        """Yield the PenalizedFit of each strength, in their order."""
        start = None
        for alpha in alphas:
            fit = self.fit(loss, alpha, start)
            start = fit.solution.variable
            yield fit

    def fit(self, loss, alpha, start=None):
        """Return the PenalizedFit of one strength."""
        ridged = replace(loss.loss, alpha_ridge=self.kind.ridge(alpha))
        solver = self.kind.solver(alpha, self.tol, self.max_iter)
        return minimize(DivisibleLoss(ridged), self.kind.at(alpha), solver, start)
