"""Use scikit-learn estimators and transformers on data of several tasks."""

from ._augmenter import TaskFeatureAugmenter
from ._bases import KernelBasis, SplineBasis
from ._conformal import ConformalTasks
from ._curved import CurvedTasks
from ._date_features import DATE_PARTS as DATE_PARTS
from ._date_features import DateFeatures
from ._fit import find_keyword as find_keyword
from ._fit import name_of_weight as name_of_weight
from ._independent import IndependentTasks
from ._observations import read_query as read_query
from ._observations import take_rows as take_rows
from ._pipeline import make_task_pipeline
from ._pipeline import move_to_end as move_to_end
from ._pooled import PooledTasks
from ._shared_plus_specific import SharedPlusSpecific
from ._table_encoder import encode_columns as encode_columns
from ._table_encoder import make_table_encoder
from ._table_encoder import name_category as name_category
from ._table_encoder import needs_encoder as needs_encoder
from ._table_transformer import TableTransformer as TableTransformer
from ._task_aware import TaskAware
from ._wrapper import TaskWrapper as TaskWrapper

__all__ = [
    "ConformalTasks",
    "CurvedTasks",
    "DateFeatures",
    "IndependentTasks",
    "KernelBasis",
    "PooledTasks",
    "SharedPlusSpecific",
    "SplineBasis",
    "TaskAware",
    "TaskFeatureAugmenter",
    "make_table_encoder",
    "make_task_pipeline",
]
