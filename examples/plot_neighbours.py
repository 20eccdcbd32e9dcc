"""
Tasks near their neighbours
===========================

Sixty weeks have twelve rows each. The effect of the price on sales drifts from week to
week. A single week has too few rows, and a model of all weeks cannot show the drift.
With ``graph="chain"``, :class:`~skmtl.linear_model.GraphRegularizedRegressor` shrinks
each week towards the week before and the week after.
"""

# %%
# The data are generated, so the true effect is known.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV

from skmtl.linear_model import (
    GraphRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskRidge,
)
from skmtl.model_selection import TaskKFold

rng = np.random.default_rng(0)
n_weeks, n_rows = 60, 12
week = np.repeat(np.arange(n_weeks), n_rows)
price = rng.normal(size=len(week))
effect = np.sin(np.arange(n_weeks) / 9) + np.arange(n_weeks) / 40 - 2
sales = effect[week] * price + rng.normal(scale=1.5, size=len(week))
X = np.column_stack([week, price])

# %%
# Cross-validation chooses the strength; every fold holds out some rows of each week.

search = GridSearchCV(
    GraphRegularizedRegressor("chain", task_column=0),
    {"alpha": np.geomspace(0.1, 1000, 13)},
    cv=TaskKFold(4, task_column=0),
).fit(X, sales)
models = {
    "independent": MultiTaskRidge(alpha=0, task_column=0).fit(X, sales),
    "near one centre": MeanRegularizedRegressorCV(task_column=0).fit(X, sales),
    "near its neighbours": search.best_estimator_,
}
for name, model in models.items():
    error = np.sqrt(np.mean((model.coef_[:, 0] - effect) ** 2))
    print(f"{name}: RMSE of the effect {error:.2f}")

# %%
# The model with neighbours shows the drift.

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
styles = {"independent": ".", "near one centre": "--", "near its neighbours": "-"}
for (name, model), style in zip(models.items(), styles.values(), strict=True):
    axes.plot(model.coef_[:, 0], style, label=name)
axes.plot(effect, color="black", linewidth=3, alpha=0.3, label="true effect")
axes.set(xlabel="week", ylabel="effect of the price on sales")
axes.legend()
plt.show()
