"""
Which tasks gain by sharing, and which lose
===========================================

Forty wards measure the same thing, many on few patients. Models that share between
wards learn from all of them. But one ward has a device that counts the wrong way round:
what holds elsewhere is false there. :func:`~skmtl.inspection.compare_tasks` tells
whether sharing helps, which kind of it, and finds the ward.
"""

# %%
# The data are generated. The number of patients grows from 12 to 90 along the wards.

import matplotlib.pyplot as plt
import numpy as np

from skmtl.datasets import make_related_tasks
from skmtl.inspection import compare_tasks

X, y = make_related_tasks(
    n_tasks=40,
    n_samples=np.linspace(12, 90, 40).astype(int),
    n_features=6,
    spread=0.2,
    noise=2,
    task_names=[f"ward {number}" for number in range(1, 41)],
    as_frame=True,
    random_state=1,
)
X = X.rename(columns={"task": "ward"})
y = y.where(X["ward"] != "ward 35", -y)

# %%
# With None, four models are compared, from one per ward to one for all. Each is fitted
# on the same five folds, which split every ward.

comparison = compare_tasks(None, X, y, task_column="ward", random_state=0)
comparison

# %%
# *gain* is the part of the error that a model saves, beside its standard error;
# *helped* counts wards that are predicted better than by a model of their own, *hurt*
# those that are predicted worse by more than chance, tested ward by ward and corrected
# for their number. The last line says what to do.
#
# The wards, the ones with the most to lose first:

comparison.tasks_frame().sort_values("gain").head().round(3)

# %%
# The mean-regularised model pulls wards to their centre, and lets them go where their
# own patients say otherwise, so the harm to the ward that differs is limited. The
# pooled model, with common coefficients, has no such way out: look at the red diamond,
# which is drawn at the edge.

comparison.plot(model="pooled + task intercepts")
plt.show()

# %%
# With fewer tasks, all are named. Here the ten wards with fewest patients: it is they
# who gain.

small = X["ward"].isin([f"ward {number}" for number in range(1, 11)])
compare_tasks(None, X[small], y[small], task_column="ward", random_state=0).plot()
plt.show()
