"""The type of arrays in contracts."""

from typing import Any

from numpy.typing import NDArray

# Numbers, float64 unless the room says otherwise.
Array = NDArray[Any]
