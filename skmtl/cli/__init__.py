"""Compare models on a table, and predict with them, from the command line."""

from ._columns import TableColumns
from ._dates import DateFeatures
from ._encoder import make_table_encoder
from ._main import main

__all__ = ["DateFeatures", "TableColumns", "main", "make_table_encoder"]
