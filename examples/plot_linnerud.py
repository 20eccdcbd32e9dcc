"""
Tasks as columns: three outputs of the same people
==================================================

scikit-learn ships the Linnerud data: twenty men, how many chin-ups, sit-ups and jumps
each made, and their weight, waist and pulse. The three measures are three tasks on the
same rows, so they are the columns of `Y`, and need not all be observed.
"""

# %%
# The measures have different units. Divided by their spread, they can have a common
# centre. Some are hidden, as if they had not been taken.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_linnerud
from sklearn.preprocessing import scale

from skmtl.linear_model import MeanRegularizedRegressorCV, MultiTaskRidge

men = load_linnerud(as_frame=True)
X = men.data.apply(scale)
Y = men.target.apply(scale)
Y = Y.mask(np.random.default_rng(0).random(Y.shape) < 0.2)
Y.head()

# %%
# Twenty rows say little about each measure alone. Near their centre, the three differ
# by as much as the rows support.

apart = MultiTaskRidge(alpha=0).fit(X, Y)
shared = MeanRegularizedRegressorCV().fit(X, Y)

figure, axes = plt.subplots(1, 2, figsize=(8, 3.5), sharey=True, layout="constrained")
for axis, model, title in zip(
    axes, [apart, shared], ["tasks apart", "near a shared centre"], strict=True
):
    for place, task, coef in zip([-0.25, 0, 0.25], Y.columns, model.coef_, strict=True):
        axis.bar(np.arange(3) + place, coef, width=0.25, label=task)
    axis.set_xticks(np.arange(3), X.columns)
    axis.set_title(title)
axes[0].set_ylabel("coefficient")
axes[0].legend(loc="lower right")
plt.show()
