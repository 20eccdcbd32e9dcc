"""The type of arrays in contracts."""

from typing import Any

from numpy.typing import NDArray

# Any dtype; numbers are float64 unless stated otherwise.
Array = NDArray[Any]
