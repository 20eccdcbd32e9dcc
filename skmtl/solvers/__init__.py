"""Algorithms: exact solutions of structured quadratics, and iterative solvers."""

from ._adam import Adam
from ._blocks import BlockQuadratic, HasQuadraticModel, Restrictable, Shrunk
from ._conjugate_gradients import conjugate_gradients, solve_coupled_blocks
from ._elimination import eliminate, plan_elimination
from ._fista import Fista
from ._harmonic import extend
from ._inverse import Inverse
from ._newton import Newton, NewtonObjective
from ._prox_newton import ProxNewton
from ._spectral import Spectral
from ._support import WorkingSet
from ._variance_newton import VarianceNewton

__all__ = [
    "Adam",
    "BlockQuadratic",
    "Fista",
    "HasQuadraticModel",
    "Inverse",
    "Newton",
    "NewtonObjective",
    "ProxNewton",
    "Restrictable",
    "Shrunk",
    "Spectral",
    "VarianceNewton",
    "WorkingSet",
    "conjugate_gradients",
    "eliminate",
    "extend",
    "plan_elimination",
    "solve_coupled_blocks",
]
