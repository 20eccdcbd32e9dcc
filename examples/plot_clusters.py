"""
Tasks in unknown groups
=======================

Thirty shops have sixteen sales each. Sales depend on the neighbourhood. There are three
neighbourhoods, but it is unknown which shop is in which.
:class:`~skmtl.linear_model.ClusteredRegressor` learns the coefficients and the groups
together. It predicts better than a model that shrinks all shops towards one centre.
"""

# %%
# The data are generated: coefficients differ much between groups, and little within.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV

from skmtl.linear_model import (
    ClusteredRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskRidgeCV,
)
from skmtl.model_selection import TaskKFold

rng = np.random.default_rng(0)
n_shops, n_features = 30, 10
neighbourhood = rng.integers(0, 3, n_shops)
centres = 2 * rng.normal(size=(3, n_features))
coefficients = centres[neighbourhood] + 0.2 * rng.normal(size=(n_shops, n_features))
intercepts = 5 * rng.normal(size=n_shops)


def sell(n_rows):
    """Draw rows of every shop (number in the last column), targets and their means."""
    shop = np.repeat(np.arange(n_shops), n_rows)
    X = rng.normal(size=(len(shop), n_features))
    signal = intercepts[shop] + (X * coefficients[shop]).sum(axis=1)
    noise = 2 * rng.normal(size=len(shop))
    return np.column_stack([X, shop]), signal + noise, signal


X, y, _ = sell(16)
X_new, y_new, truth = sell(200)

# %%
# The strengths are chosen by cross-validation on the rows of each shop.

clustered = GridSearchCV(
    ClusteredRegressor(3, task_column=-1),
    {"alpha_between": [0.01, 0.03, 0.1], "alpha_within": [10.0, 30.0, 100.0]},
    cv=TaskKFold(5, task_column=-1),
    scoring="neg_mean_squared_error",
).fit(X, y)
models = {
    "independent": MultiTaskRidgeCV(np.geomspace(0.1, 100, 13), task_column=-1).fit(
        X, y
    ),
    "one centre": MeanRegularizedRegressorCV(task_column=-1).fit(X, y),
    "groups": clustered.best_estimator_,
    "the truth": None,
}
errors = [
    np.sqrt(np.mean((y_new - (truth if model is None else model.predict(X_new))) ** 2))
    for model in models.values()
]

# %%
# With shops sorted by true neighbourhood (white lines), the learnt affinity shows three
# blocks.

order = np.argsort(neighbourhood, kind="stable")
affinity = clustered.best_estimator_.task_affinity_[np.ix_(order, order)]
ends = np.cumsum(np.bincount(neighbourhood))[:-1] - 0.5

figure, (left, right) = plt.subplots(
    1, 2, figsize=(8, 3.8), width_ratios=[3, 2], layout="constrained"
)
image = left.imshow(affinity, cmap="viridis")
for end in ends:
    left.axhline(end, color="white", linewidth=1)
    left.axvline(end, color="white", linewidth=1)
left.set(title="affinity between shops", xlabel="shop", ylabel="shop")
figure.colorbar(image, ax=left)
bars = right.barh(
    list(models), errors, color=["tab:gray", "tab:gray", "tab:blue", "lightgray"]
)
right.bar_label(bars, fmt="%.2f", padding=3)
right.set(xlabel="error on new rows (RMSE)", xlim=(0, 1.2 * max(errors)))
right.invert_yaxis()
right.spines[["top", "right"]].set_visible(False)
plt.show()
