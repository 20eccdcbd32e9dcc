"""Optima that other people's software reached, with strengths as it was given them.

The objectives are those that MALSAR (of February 2017, in Octave 7.3) and RMTL 0.9 (in
R 4.2) reported at a tolerance of 1e-13; an independent solver came to the same within
1e-10. Those of RMTL have ten decimals.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.linalg import norm
from reference_problem import N_TASKS, SIZES, draw_problem
from sklearn.base import BaseEstimator, clone

from skmtl.couplings import Apart, Graph, ToMean
from skmtl.linear_model import (
    ClusteredRegressor,
    DirtyRegressor,
    FusedRegressor,
    GraphRegularizedRegressor,
    JointFeatureRegressor,
    LinearTaskRegressor,
    LowRankRegressor,
    MeanRegularizedRegressor,
    RobustRegressor,
)
from skmtl.penalties import L1, L21
from skmtl.solvers import Fista

PROBLEM = draw_problem()
X, y, task = PROBLEM.X, PROBLEM.y, PROBLEM.task
TIGHT = {"tol": 1e-13, "max_iter": 100_000}
# Our loss is a mean over rows times the number of tasks, theirs are sums: this is what
# a strength beside halved squares is to ours, and one beside whole squares.
HALVED = N_TASKS / SIZES.sum()
WHOLE = HALVED / 2
CHAIN = np.eye(N_TASKS, k=1) + np.eye(N_TASKS, k=-1)


# How a model is fitted: as a sum of squares through the origin, or as a sum of means.


def summed(model):
    return model.set_params(fit_intercept=False)


def averaged(model):
    return model.set_params(task_weight=dict(enumerate(1 / SIZES)))


def combined(penalty, coupling):
    return LinearTaskRegressor(penalty, coupling=coupling, solver=Fista(**TIGHT))


# Losses of raw predictions, as their authors scale them.


def halved_squares(z):
    return ((y - z) ** 2).sum() / 2


def whole_squares(z):
    return ((y - z) ** 2).sum()


def halved_means(z):
    return (np.bincount(task, (y - z) ** 2) / (2 * SIZES)).sum()


# Sizes of coefficients.


def entries(W):
    return abs(W).sum()


def squares(W):
    return (W**2).sum()


def features(W):
    return norm(W, axis=0).sum()


def rows(W):
    return norm(W, axis=1).sum()


def largest(W):
    return abs(W).max(axis=0).sum()


def trace(W):
    return norm(W, "nuc")


def spread(W):
    return squares(W - W.mean(axis=0))


def clustered(W, affinity, rho_1, rho_2):
    ratio = rho_2 / rho_1
    inner = np.linalg.inv(ratio * np.eye(N_TASKS) + affinity)
    return rho_1 * ratio * (1 + ratio) * np.trace(W.T @ inner @ W)


@dataclass(frozen=True)
class Reference:
    """A function and the optimum it reached, and the same objective as ours."""

    source: str
    optimum: float
    model: BaseEstimator
    loss: Callable
    penalty: Callable

    def objective(self):
        """Return the objective, in the scale of the source, where we end."""
        model = clone(self.model).fit(X, y, task=task)
        z = (X * model.coef_[task]).sum(axis=1) + model.intercept_[task]
        return self.loss(z) + self.penalty(model)


REFERENCES = [
    Reference(
        "MALSAR Least_Lasso",
        30.404501824364914,
        summed(combined(L1(3.0 * HALVED), None)),
        halved_squares,
        lambda model: 3.0 * entries(model.coef_),
    ),
    Reference(
        "MALSAR Least_L21",
        34.09480988114369,
        summed(JointFeatureRegressor(5.0 * HALVED, **TIGHT)),
        halved_squares,
        lambda model: 5.0 * features(model.coef_),
    ),
    Reference(
        "MALSAR Least_Trace",
        26.659553281605334,
        summed(LowRankRegressor(5.0 * HALVED, **TIGHT)),
        halved_squares,
        lambda model: 5.0 * trace(model.coef_),
    ),
    # The mean and zero pull by 4 and 0.5: so does a centre that zero pulls.
    Reference(
        "MALSAR Least_SRMTL, to the mean",
        22.218332851810487,
        summed(MeanRegularizedRegressor(9.0, alpha_shared=N_TASKS * 9.0 * 0.5 / 4.0)),
        halved_squares,
        lambda model: 4.0 * spread(model.coef_) + 0.5 * squares(model.coef_),
    ),
    Reference(
        "MALSAR Least_SRMTL, to the mean, sparse",
        36.83249420546014,
        summed(combined(L1(2.0 * HALVED), ToMean(8.0))),
        halved_squares,
        lambda model: 4.0 * spread(model.coef_) + 2.0 * entries(model.coef_),
    ),
    Reference(
        "MALSAR Least_TGL",
        43.837035039517026,
        summed(combined(L21(4.0 * HALVED), Graph(CHAIN, 4.0, alpha_ridge=1.0))),
        halved_squares,
        lambda model: (
            0.5 * squares(model.coef_)
            + 2.0 * squares(np.diff(model.coef_, axis=0))
            + 4.0 * features(model.coef_)
        ),
    ),
    Reference(
        "MALSAR Least_CFGLasso",
        45.216860929124294,
        summed(
            FusedRegressor(
                2.0 * HALVED, alpha_l1=1.0 * HALVED, alpha_joint=3.0 * HALVED, **TIGHT
            )
        ),
        halved_squares,
        lambda model: (
            1.0 * entries(model.coef_)
            + 2.0 * entries(np.diff(model.coef_, axis=0))
            + 3.0 * features(model.coef_)
        ),
    ),
    # Its manual halves the squares, its code does not.
    Reference(
        "MALSAR Least_RMTL",
        31.864332704179812,
        summed(RobustRegressor(5.0 * WHOLE, 5.0 * WHOLE, **TIGHT)),
        whole_squares,
        lambda model: (
            5.0 * trace(model.coef_ - model.coef_outlier_)
            + 5.0 * rows(model.coef_outlier_)
        ),
    ),
    Reference(
        "MALSAR Least_Dirty",
        40.0581302021965,
        summed(DirtyRegressor(10.0 * WHOLE, 4.0 * WHOLE, penalty="linf", **TIGHT)),
        whole_squares,
        lambda model: (
            10.0 * largest(model.coef_ - model.coef_specific_)
            + 4.0 * entries(model.coef_specific_)
        ),
    ),
    Reference(
        "MALSAR Least_rMTFL",
        48.94859285715661,
        summed(RobustRegressor(8.0 * WHOLE, 8.0 * WHOLE, penalty="l21", **TIGHT)),
        whole_squares,
        lambda model: (
            8.0 * features(model.coef_ - model.coef_outlier_)
            + 8.0 * rows(model.coef_outlier_)
        ),
    ),
    Reference(
        "RMTL LS_Lasso",
        1.2897801668,
        averaged(combined(L1(0.1), Apart(0.1))),
        halved_means,
        lambda model: 0.1 * entries(model.coef_) + 0.05 * squares(model.coef_),
    ),
    Reference(
        "RMTL LS_L21",
        1.5563590107,
        averaged(JointFeatureRegressor(0.3, l1_ratio=2 / 3, **TIGHT)),
        halved_means,
        lambda model: 0.2 * features(model.coef_) + 0.05 * squares(model.coef_),
    ),
    Reference(
        "RMTL LS_Trace",
        1.0433020312,
        averaged(LowRankRegressor(0.2, **TIGHT)),
        halved_means,
        lambda model: 0.2 * trace(model.coef_),
    ),
    # Squared differences of all pairs are n_tasks times those from the mean.
    Reference(
        "RMTL LS_Graph, to the mean",
        1.1231194464,
        averaged(GraphRegularizedRegressor("complete", 0.4 / N_TASKS, alpha_ridge=0.1)),
        halved_means,
        lambda model: 0.2 * spread(model.coef_) + 0.05 * squares(model.coef_),
    ),
    Reference(
        "RMTL LS_CMTL",
        0.5600538472,
        averaged(ClusteredRegressor(2, 0.1, 0.3, **TIGHT)),
        halved_means,
        lambda model: clustered(model.coef_, model.task_affinity_, 0.1, 0.05),
    ),
]


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda it: it.source)
def test_we_end_where_other_software_does_and_no_higher(reference):
    assert reference.objective() == pytest.approx(reference.optimum, rel=1e-10)


def test_the_problem_is_the_one_that_the_others_solved():
    """NumPy may change how it draws: then the optima above are of other numbers."""
    assert y[[0, -1]] == pytest.approx(
        [-0.19707788861152387, 0.5171225735925897], rel=1e-14
    )
    assert (
        "".join(np.where(PROBLEM.label > 0, "+", "-")[task == 0])
        == "+---++-+-++-+--+++-+"
    )
    assert np.bincount(task, PROBLEM.label).tolist() == [2.0, 0.0, 4.0, 4.0, 0.0]
    assert PROBLEM.X_shared[-1, -1] == pytest.approx(0.6724788921182383, rel=1e-14)
    assert PROBLEM.Y_shared[-1, -1] == pytest.approx(-0.7154128889344036, rel=1e-13)
