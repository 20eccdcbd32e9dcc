"""
Coefficients that change rarely
===============================

Forty weeks have twelve rows each. The effect of a feature stays constant for many
weeks, then jumps. :class:`~skmtl.linear_model.FusedRegressor` finds the jumps. Each
feature has its own segments, and the weeks of a segment have exactly the same
coefficient.
"""

# %%
# The coefficients of two features jump, in different weeks; the third is always zero.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV

from skmtl.linear_model import FusedRegressor, MultiTaskRidgeCV
from skmtl.model_selection import TaskKFold

rng = np.random.default_rng(0)
n_weeks, n_rows = 40, 12
true = np.stack(
    [
        np.repeat([1.0, 3.0, 2.0], [12, 15, 13]),
        np.repeat([-1.0, -2.5], [25, 15]),
        np.zeros(n_weeks),
    ],
    axis=1,
)
week = np.repeat(np.arange(n_weeks), n_rows)
features = rng.normal(size=(len(week), 3))
y = (features * true[week]).sum(axis=1) + 1.5 * rng.normal(size=len(week))
X = np.column_stack([week, features])

# %%
# Cross-validation on the rows of each week chooses the strength. Independent models of
# the weeks are fitted for comparison.

search = GridSearchCV(
    FusedRegressor(task_column=0),
    {"alpha_fused": np.geomspace(0.05, 5, 9)},
    cv=TaskKFold(4, task_column=0),
    scoring="neg_mean_squared_error",
).fit(X, y)
fused = search.best_estimator_
independent = MultiTaskRidgeCV(np.geomspace(0.1, 100, 13), task_column=0).fit(X, y)
{
    name: np.sqrt(np.mean((model.coef_ - true) ** 2)).round(2)
    for name, model in {"independent": independent, "fused": fused}.items()
}

# %%
# Each colour is a feature. Dots are independent models, solid steps the fused model,
# and dashed steps the truth. The fused model finds all jumps, and adds a few small ones
# that are false.

figure, axis = plt.subplots(figsize=(8, 4), layout="constrained")
weeks = np.arange(n_weeks)
for feature, colour in enumerate(["tab:blue", "tab:orange", "tab:green"]):
    axis.plot(weeks, independent.coef_[:, feature], ".", color=colour, alpha=0.5)
    axis.step(weeks, fused.coef_[:, feature], where="mid", color=colour, linewidth=2)
    axis.step(weeks, true[:, feature], "--", where="mid", color="black", linewidth=0.8)
    axis.annotate(
        f"feature {feature}: {fused.segments_[:, feature].max() + 1} segments",
        (n_weeks - 0.5, fused.coef_[-1, feature]),
        color=colour,
        annotation_clip=False,
        va="center",
    )
axis.set(xlabel="week", ylabel="coefficient", xlim=(-0.5, n_weeks - 0.5))
axis.spines[["top", "right"]].set_visible(False)
plt.show()
