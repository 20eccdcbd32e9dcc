"""
Unrelated tasks in a shared network
===================================

Twenty farms predict the yield of a field from 20 measurements of its soil and weather.
Twelve of them grow wheat: their yields depend on the same five nonlinear features of
the measurements, with different weights. The other eight each grow another crop, whose
yield depends on features of its own. A network with layers that all farms share helps
the first and hurts the others. :func:`~skmtl.inspection.compare_tasks` measures whom
sharing helps; the others then get networks of their own.
"""

# %%
# The data are generated, so the models can be tested on many new fields. Each farm has
# 100 fields.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl.compose import make_task_pipeline
from skmtl.inspection import compare_tasks
from skmtl.neural_network import MultiTaskMLPRegressor

rng = np.random.default_rng(0)
others = ["apples", "beans", "carrots", "grapes", "hops", "maize", "oats", "peas"]
farms = np.array([f"wheat {number}" for number in range(1, 13)] + others)
mixes = rng.normal(size=(20, 20, 5))
mixes[:12] = mixes[0]
weights = rng.normal(size=(20, 5))


def observe(n_fields):
    """Draw fields of every farm, and their yields."""
    measured = rng.normal(size=(20, n_fields, 20))
    harvest = (np.tanh(measured @ mixes / 2) @ weights[:, :, None]).ravel()
    X = pd.DataFrame(measured.reshape(-1, 20)).add_prefix("measurement ")
    X["farm"] = np.repeat(farms, n_fields)
    return X, harvest + 0.1 * rng.normal(size=len(harvest))


X, y = observe(100)
X_new, y_new = observe(500)

# %%
# The two networks have the same size and differ in their hidden layers: one per farm,
# or one that all farms share.


def network(sharing, make=make_pipeline, **settings):
    """Return a network of 32 hidden units that scales the measurements."""
    model = MultiTaskMLPRegressor(
        32, sharing=sharing, activation="tanh", random_state=0
    )
    return make(StandardScaler(), model, **settings)


models = {"own": network("independent"), "shared": network("hard")}
comparison = compare_tasks(models, X, y, task_column="farm", cv=4, random_state=0)
comparison

# %%
# The average hides that some farms lose. All farms with wheat gain; of the others only
# one gains, by less than a standard error. Red marks the farms whose loss is
# significant.

comparison.plot()
plt.show()

# %%
# The repair: farms whose gain is larger than its standard error share a network, and
# the others have their own.

shared = comparison.find("shared")
gains = comparison.task_gains[shared] > comparison.task_standard_errors[shared]
sharing = X["farm"].isin(comparison.tasks[gains])
print("own networks:", ", ".join(comparison.tasks[~gains]))


def predict(kind, rows):
    """Fit a network to some of the rows, and predict all new fields of their farms."""
    model = network(kind, make_task_pipeline, task_column="farm").fit(X[rows], y[rows])
    new = X_new["farm"].isin(X["farm"][rows])
    return pd.Series(model.predict(X_new[new]), index=X_new.index[new])


everyone = np.full(len(X), True)
predictions = {
    "own": predict("independent", everyone),
    "shared": predict("hard", everyone),
    "repaired": pd.concat([predict("hard", sharing), predict("independent", ~sharing)]),
}
scores = pd.DataFrame(
    {
        name: [
            r2_score(y_new[X_new["farm"] == farm], found[X_new["farm"] == farm])
            for farm in farms
        ]
        for name, found in predictions.items()
    },
    index=farms,
)
scores.groupby(farms.astype("U5") == "wheat").mean().round(2)

# %%
# New fields were not used for this choice. On them, farms with other crops no longer
# lose. They differ a little from their own networks before, because training ends in
# another local optimum. The farms with wheat gain a little more than before, because
# their layer is no longer used for other crops.

figure, axis = plt.subplots(figsize=(7.5, 5), layout="constrained")
places = np.arange(20)
axis.hlines(places, scores.min(axis=1), scores.max(axis=1), color="0.85", zorder=0)
for name, marker, colour in zip(
    scores, ["s", "o", "D"], ["tab:gray", "tab:orange", "tab:blue"], strict=True
):
    axis.plot(scores[name], places, marker, color=colour, label=name, alpha=0.8)
axis.set_yticks(places, farms)
axis.invert_yaxis()
axis.set(xlabel="fraction of the variance explained, new fields")
axis.legend()
plt.show()
