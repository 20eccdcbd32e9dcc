"""Estimate memory, and refuse allocations that would not fit."""

import os
from pathlib import Path

# Bytes assumed if the system does not report its memory.
_ASSUMED = 16 * 2**30
# Refuse arrays beyond this fraction of the available memory: solvers need room for
# factors and copies.
_SHARE = 0.5
# Allocate up to this many bytes without reading the available memory.
_SMALL = 2**26
# Exact solvers form one matrix per task up to this many numbers in total,
_LARGE = 2**22
# or up to this multiple of the numbers in the data.
_FACTOR = 2
# Files of a cgroup with its limit and its use of memory.
_GROUP = "max", "current"
# Stands for no limit.
_UNLIMITED = 2**62
_REMEDY = (
    "Use MeanRegularizedRegressor, MeanRegularizedClassifier, "
    "GraphRegularizedRegressor or JointFeatureRegressor, which need about as much "
    "memory as X, or reduce the columns with TruncatedSVD or feature selection."
)


def is_large(n_numbers: int, n_data: int) -> bool:
    """Return whether matrices are too large, compared with the data.

    Parameters
    ----------
    n_numbers : int
        Numbers in the matrices that an exact solver would form.
    n_data : int
        Numbers in the data.

    Returns
    -------
    bool
        Whether they take more than 32 MB, and more than twice the memory of the data.
    """
    return n_numbers > max(_LARGE, _FACTOR * n_data)


def refuse_large(n_bytes: float, what: str, remedy: str = _REMEDY) -> None:
    """Raise an error if an allocation would not fit in memory.

    Parameters
    ----------
    n_bytes : int
        Size of the allocation.
    what : str
        Its purpose, for the message.
    remedy : str
        Advice for the user.
    """
    if n_bytes < _SMALL:
        return
    available = available_bytes()
    if n_bytes > _SHARE * available:
        raise ValueError(
            f"This needs about {in_words(n_bytes)} of memory for {what}, more than "
            f"half of the {in_words(available)} available. {remedy}"
        )


def available_bytes() -> int:
    """Return the number of bytes that this process can still allocate."""
    return max(0, min(_machine_bytes(), _group_bytes(), _process_bytes()))


def in_words(n_bytes: float) -> str:
    """Format a number of bytes with its unit."""
    for unit, size in (("TB", 1e12), ("GB", 1e9)):
        if n_bytes >= size:
            return f"{n_bytes / size:.2g} {unit}"
    return f"{n_bytes / 1e6:.0f} MB"


def _machine_bytes() -> int:
    """Return the memory that the machine has available."""
    try:
        text = Path("/proc/meminfo").read_text()
    except OSError:
        return _installed_bytes()
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    if "MemAvailable" not in lines:
        return _installed_bytes()
    return 1024 * int(lines["MemAvailable"].split()[0])


def _installed_bytes() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return _ASSUMED


def _group_bytes() -> int:
    """Return the memory left under the limit of the cgroup."""
    root = Path("/sys/fs/cgroup")
    try:
        limit, used = ((root / f"memory.{name}").read_text() for name in _GROUP)
        return int(limit) - int(used)
    except (OSError, ValueError):  # no such limit
        return _UNLIMITED


def _process_bytes() -> int:
    """Return the memory left under the limit of the address space."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit == resource.RLIM_INFINITY:
            return _UNLIMITED
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        return limit - pages * os.sysconf("SC_PAGE_SIZE")
    except (ImportError, OSError, ValueError):
        return _UNLIMITED
