"""
Numbers, classes and counts together
====================================

Sixty patients have ten measurements each, and three targets: the blood pressure,
whether the patient returns within a month, and the number of days in hospital. All
three depend on how ill the patient is. :class:`~skmtl.linear_model.MixedTaskModel` fits
a regression, a classification and a count together. It scales each loss, and shrinks
the coefficients towards a common centre.
"""

# %%
# The data are generated, so the model can be tested on many new patients. Some outcomes
# are missing.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV

from skmtl.linear_model import MixedTaskModel

rng = np.random.default_rng(0)
weight = rng.normal(size=10) / np.sqrt(10)


def observe(n_patients):
    """Draw measurements of patients, and their outcomes."""
    measured = rng.normal(size=(n_patients, 10))
    ill = measured @ weight
    own = 0.5 * measured[:, :3]
    returns = 2 * ill + own[:, 1] + rng.logistic(size=n_patients) > 0
    outcome = pd.DataFrame(
        {
            "pressure": 130 + 15 * (ill + own[:, 0] + rng.normal(size=n_patients)),
            "returns": np.where(returns, "yes", "no"),
            "days": rng.poisson(np.exp(1 + 0.5 * (ill + own[:, 2]))),
        }
    )
    return measured, outcome


X, y = observe(60)
y = y.astype(object).mask(rng.random(y.shape) < 0.3)
X_new, y_new = observe(5000)
print(y.head())

# %%
# Each task has a loss; missing values are ignored. Cross-validation chooses the
# strength of sharing by the mean fraction of deviance explained. Predictions are in the
# units of the targets.

losses = {"pressure": "squared", "returns": "logistic", "days": "poisson"}
strengths = np.geomspace(0.3, 3000, 17)
search = GridSearchCV(MixedTaskModel(losses), {"alpha": strengths}, cv=5).fit(X, y)
model = search.best_estimator_
print(f"chosen: alpha = {model.alpha:.0f}")
print(model.predict_frame(X_new[:3]).round(1))

# %%
# For comparison, each task is fitted alone and shrunk towards zero, at all strengths.
# Even at the best strength it explains less deviance of new patients.


def explain(fitted, task):
    """Return the fraction of deviance explained in one task of new patients."""
    others = dict.fromkeys(set(losses) - {task})
    return fitted.score(X_new, y_new.assign(**others))


alone = {task: [] for task in losses}
together = {task: [] for task in losses}
for strength in strengths:
    shared = MixedTaskModel(losses, alpha=strength).fit(X, y)
    for task in losses:
        others = dict.fromkeys(set(losses) - {task})
        own = MixedTaskModel(losses, alpha=np.inf, alpha_shared=strength)
        own.fit(X, y.assign(**others))
        alone[task].append(explain(own, task))
        together[task].append(explain(shared, task))

figure, axes = plt.subplots(1, 3, figsize=(9, 3.5), layout="constrained", sharey=True)
for axis, task in zip(axes, losses, strict=True):
    axis.semilogx(strengths, alone[task], "--", color="tab:gray", label="alone")
    axis.semilogx(strengths, together[task], color="tab:blue", label="together")
    axis.axvline(model.alpha, color="tab:blue", linewidth=0.5, label="chosen")
    axis.set(title=f"{task} ({losses[task]})", xlabel="strength")
axes[0].set(ylim=(-0.15, 0.42), ylabel="deviance explained, new patients")
axes[0].legend()
plt.show()
