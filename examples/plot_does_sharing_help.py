"""
Does sharing help? Two answers
==============================

:func:`~skmtl.inspection.compare_tasks` fits models with and without sharing on the same
folds, recommends one, and names the tasks that sharing hurts. This example applies it
to related tasks with few rows, and to tasks with many rows.
"""

# %%
# Many related tasks
# ------------------
#
# The data are generated: fifty tasks around a shared centre, with 10 to 30 rows each.

import numpy as np
from sklearn.datasets import load_diabetes

from skmtl.datasets import make_related_tasks
from skmtl.inspection import compare_tasks

sizes = np.random.default_rng(0).integers(10, 31, size=50)
X, y = make_related_tasks(
    n_tasks=50, n_samples=sizes, n_features=5, as_frame=True, random_state=0
)
comparison = compare_tasks(None, X, y, task_column="task", random_state=0)
comparison

# %%
# The plot shows the gain of each task with its standard error. The gain of a single
# task is uncertain; use the mean gain, and the tasks that are significantly hurt.

display = comparison.plot()

# %%
# Few tasks with many rows
# ------------------------
#
# The diabetes data of scikit-learn have 442 patients; the target is the progression of
# the disease after a year. The tasks are age groups.

X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
X["decade"] = (X["age"] // 10).clip(2, 6).astype(int)
comparison = compare_tasks(None, X, y, task_column="decade", random_state=0)
comparison

# %%
# Each group has 44 to 125 patients. Models with and without sharing have about the same
# error.

display = comparison.plot()
