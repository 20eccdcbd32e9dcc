"""
Many small classification tasks
===============================

Eighty clinics predict whether a treatment will work, each with 4 to 19 patients. A
logistic regression per clinic has too few patients; one for all clinics ignores their
differences. :class:`~skmtl.linear_model.MeanRegularizedClassifier` shrinks the clinics
towards a shared centre.
"""

# %%
# The data are generated, so the model can be tested on many new patients. In some
# clinics all patients have the same outcome.

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit

from skmtl.linear_model import MeanRegularizedClassifier
from skmtl.metrics import task_scores

rng = np.random.default_rng(0)
n_clinics = 80
n_patients = rng.integers(4, 20, n_clinics)
coef = [1.0, -1.5, 0.5] + 0.6 * rng.normal(size=(n_clinics, 3))
intercept = 0.8 * rng.normal(size=n_clinics)


def draw(n_rows):
    """Draw patients with their clinic, and the outcomes."""
    clinic = np.repeat(np.arange(n_clinics), n_rows)
    features = rng.normal(size=(len(clinic), 3))
    chance = expit((features * coef[clinic]).sum(axis=1) + intercept[clinic])
    worked = np.where(rng.random(len(clinic)) < chance, "worked", "failed")
    return np.column_stack([features, clinic]), worked


X, y = draw(n_patients)
X_new, y_new = draw(100)
one_outcome = [np.unique(y[X[:, -1] == clinic]).size == 1 for clinic in range(80)]
print(f"{sum(one_outcome)} clinics have one outcome only")

# %%
# As `alpha` increases, from independent models to one model for all clinics, the log
# loss of new patients decreases, then increases. The intercepts are shrunk with the
# same strength.

alphas = np.geomspace(1e-2, 1e4, 13)
losses, clinic_losses = [], []
for alpha in alphas:
    model = MeanRegularizedClassifier(alpha, alpha_intercept=alpha, task_column=-1)
    scores = task_scores(model.fit(X, y), X_new, y_new)
    losses.append(scores.macro["log_loss"])
    clinic_losses.append(scores.columns["log_loss"])
best = int(np.argmin(losses))
print(f"independent      {losses[0]:.3f}")
print(f"near the centre  {losses[best]:.3f} at alpha = {alphas[best]:.2g}")
print(f"pooled           {losses[-1]:.3f}")

# %%
# Sharing helps most clinics and hurts a few.

gain = clinic_losses[0] - clinic_losses[best]
figure, (left, right) = plt.subplots(ncols=2, figsize=(9, 4), layout="constrained")
left.semilogx(alphas, losses, "o-")
left.plot(alphas[best], losses[best], "o", color="C3", label="lowest")
left.set(xlabel="alpha", ylabel="log loss of new patients, mean over clinics")
left.legend()
right.axhline(0, color="0.7", lw=1)
right.scatter(n_patients, gain, c=np.where(one_outcome, "C1", "C0"))
right.scatter([], [], c="C0", label="both outcomes")
right.scatter([], [], c="C1", label="one outcome only")
right.set(xlabel="patients of a clinic", ylabel="log loss saved by sharing")
right.legend()
plt.show()
