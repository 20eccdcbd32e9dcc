"""Estimate memory, and refuse what would not fit."""

import os
from pathlib import Path

# Memory assumed if the system does not report any.
_ASSUMED = 16 * 2**30
# Largest share of the available memory for estimated arrays; factors and copies come on
# top.
_SHARE = 0.5
# Smaller arrays are allocated without checking the available memory.
_SMALL = 2**26
# Exact solvers form one matrix per task up to this many numbers in total,
_LARGE = 2**22
# or up to this multiple of the numbers in the data.
_FACTOR = 2
_REMEDY = (
    "Use MeanRegularizedRegressor, MeanRegularizedClassifier, "
    "GraphRegularizedRegressor or JointFeatureRegressor, whose memory here is of the "
    "order of X, or reduce the columns with TruncatedSVD or feature selection."
)


def is_large(n_numbers, n_data):
    """Return whether matrices are too large compared with the data.

    Parameters
    ----------
    n_numbers : int
        Numbers in the matrices that an exact solver would form.
    n_data : int
        Numbers in the data.

    Returns
    -------
    bool
        Whether they take more than 32 MB, and more than twice as much as the data.
    """
    return n_numbers > max(_LARGE, _FACTOR * n_data)


def refuse_large(n_bytes, what, remedy=_REMEDY):
    """Raise an error if an allocation would not fit in memory.

    Parameters
    ----------
    n_bytes : int
        Bytes that would be allocated.
    what : str
        What they would hold.
    remedy : str
        What the user can do instead.
    """
    if n_bytes < _SMALL:
        return
    available = available_bytes()
    if n_bytes > _SHARE * available:
        raise ValueError(
            f"This needs about {in_words(n_bytes)} of memory for {what}, more than "
            f"half of the {in_words(available)} available. {remedy}"
        )


def available_bytes():
    """Return how many bytes this process can still allocate."""
    return max(0, min(_free_of_machine(), _free_of_group(), _free_of_process()))


def in_words(n_bytes):
    """Format a number of bytes."""
    for unit, size in (("TB", 1e12), ("GB", 1e9)):
        if n_bytes >= size:
            return f"{n_bytes / size:.2g} {unit}"
    return f"{n_bytes / 1e6:.0f} MB"


def _free_of_machine():
    try:
        text = Path("/proc/meminfo").read_text()
    except OSError:
        return _installed()
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    if "MemAvailable" not in lines:
        return _installed()
    return 1024 * int(lines["MemAvailable"].split()[0])


def _installed():
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return _ASSUMED


def _free_of_group():
    """Return the memory left under the cgroup's limit, if there is one."""
    root = Path("/sys/fs/cgroup")
    try:
        limit, used = ((root / f"memory.{name}").read_text() for name in _GROUP)
        return int(limit) - int(used)
    except (OSError, ValueError):  # no such limit
        return _UNLIMITED


_GROUP = "max", "current"
_UNLIMITED = 2**62


def _free_of_process():
    """Return the memory left under the address space limit, if there is one."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit == resource.RLIM_INFINITY:
            return _UNLIMITED
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        return limit - pages * os.sysconf("SC_PAGE_SIZE")
    except (ImportError, OSError, ValueError):
        return _UNLIMITED
