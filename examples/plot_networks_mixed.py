"""
A network for numbers, classes and counts
=========================================

Each of 150 patients has six measurements and three targets: a score of symptoms,
whether the patient relapses within a year, and the number of visits to a doctor. All
three depend on the same risk, which grows with absolute differences and sums of
measurements, so no linear model describes it.
:class:`~skmtl.neural_network.MultiTaskMLP` learns it from all three targets together.
"""

# %%
# The data are generated, so the models can be tested on many new patients. Some targets
# are missing.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV

from skmtl.linear_model import MixedTaskModel
from skmtl.neural_network import MultiTaskMLP

rng = np.random.default_rng(2)


def observe(n_patients):
    """Draw measurements of patients, and their targets."""
    measured = rng.normal(size=(n_patients, 6))
    risk = np.abs(measured[:, 0] - measured[:, 1]) - 1
    risk += np.abs(measured[:, 2] + measured[:, 3]) - 1 + 0.5 * measured[:, 4]
    relapses = 1.5 * risk + rng.logistic(size=n_patients) > 0
    targets = pd.DataFrame(
        {
            "score": 50 + 8 * risk + rng.normal(scale=8, size=n_patients),
            "relapse": np.where(relapses, "yes", "no"),
            "visits": rng.poisson(np.exp(0.7 + 0.5 * risk)),
        }
    )
    return measured, targets


X, y = observe(150)
y = y.astype(object).mask(rng.random(y.shape) < 0.2)
X_new, y_new = observe(4000)
print(y.head())

# %%
# Each task has a loss; missing values are ignored. Cross-validation chooses the
# strength of the penalty by the mean fraction of deviance explained. For numbers, this
# is the fraction of the variance. Predictions are in the units of the targets.

losses = {"score": "squared", "relapse": "logistic", "visits": "poisson"}
strengths = np.geomspace(1, 100, 9)
shared = MultiTaskMLP(losses, 32, random_state=0)
search = GridSearchCV(shared, {"alpha": strengths}, cv=5).fit(X, y)
print(f"chosen: alpha = {search.best_params_['alpha']:.1f}")
print(search.best_estimator_.predict_frame(X_new[:3]).round(1))

# %%
# The comparison is with a network per task, and with a linear model that shares between
# tasks. All are fitted at all strengths.


def explain(model):
    """Return the fraction of deviance explained in each task of new patients."""
    model.fit(X, y)
    others = {task: dict.fromkeys(set(losses) - {task}) for task in losses}
    return [model.score(X_new, y_new.assign(**others[task])) for task in losses]


own = MultiTaskMLP(losses, 32, sharing="independent", random_state=0)
models = {
    "shared network": shared,
    "own networks": own,
    "linear model": MixedTaskModel(losses),
}
explained = {
    name: np.array([explain(model.set_params(alpha=alpha)) for alpha in strengths])
    for name, model in models.items()
}
best = {name: values.max(axis=0) for name, values in explained.items()}
pd.DataFrame(best, index=losses).round(2)

# %%
# The table has the best strength of each task. The shared network explains more of the
# relapse and of the visits than own networks, and about as much of the score, which
# says most about the risk of a patient. The linear model explains almost nothing.

figure, axes = plt.subplots(1, 3, figsize=(9, 3.5), layout="constrained", sharey=True)
styles = {
    "shared network": {"color": "tab:blue"},
    "own networks": {"color": "tab:green", "linestyle": "--"},
    "linear model": {"color": "tab:gray", "linestyle": ":"},
}
for place, (axis, task) in enumerate(zip(axes, losses, strict=True)):
    for name, style in styles.items():
        axis.semilogx(strengths, explained[name][:, place], label=name, **style)
    axis.axvline(search.best_params_["alpha"], color="tab:blue", lw=0.5, label="chosen")
    axis.set(title=f"{task} ({losses[task]})", xlabel="alpha")
axes[0].set(ylim=(-0.15, 0.65), ylabel="deviance explained, new patients")
axes[1].legend()
plt.show()
