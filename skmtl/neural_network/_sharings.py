"""The sharings by name."""

from ._cross_stitch import CrossStitch
from ._experts import MixtureOfExperts
from ._hard import HardSharing
from ._sharing import Sharing
from ._towers import IndependentTowers, SoftSharing

SHARINGS: dict[str, type[Sharing]] = {
    "hard": HardSharing,
    "soft": SoftSharing,
    "cross_stitch": CrossStitch,
    "mmoe": MixtureOfExperts,
    "independent": IndependentTowers,
}
