"""Neural networks of several tasks, in NumPy: shared layers and a head per task."""

from ._batches import AllTasks as AllTasks
from ._batches import Batch as Batch
from ._batches import OwnRows as OwnRows
from ._cells import Cells as Cells
from ._cells import Parts as Parts
from ._design import arrange_cells as arrange_cells
from ._heads import Head as Head
from ._mlp import (
    NETWORK_CONSTRAINTS as NETWORK_CONSTRAINTS,
)
from ._mlp import (
    MultiTaskMLP,
    MultiTaskMLPClassifier,
    MultiTaskMLPRegressor,
)
from ._shared_features import SharedFeatures
from ._stacked_inputs import stack_inputs
from ._task_network import FittedHeads as FittedHeads
from ._task_network import NetworkClassifier as NetworkClassifier
from ._task_network import NetworkMixedModel as NetworkMixedModel
from ._task_network import NetworkRegressor as NetworkRegressor
from ._task_network import Reading as Reading
from ._task_network import TaskNetwork as TaskNetwork
from ._task_network import read_sizes as read_sizes
from ._training import Progress as Progress
from ._training import Trained as Trained
from ._training import refuse_infinite as refuse_infinite
from ._training import warn_of_iterations as warn_of_iterations

__all__ = [
    "MultiTaskMLP",
    "MultiTaskMLPClassifier",
    "MultiTaskMLPRegressor",
    "SharedFeatures",
    "stack_inputs",
]
