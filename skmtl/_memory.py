"""How much memory work would take, and whether it is there."""

import os
from pathlib import Path

# Where the system does not say how much memory is available, this much is assumed.
_ASSUMED = 16 * 2**30
# Share of the available memory that one fit may plan for: factors and copies come on
# top of what is estimated.
_SHARE = 0.5
# Arrays below this size are allocated without asking the system.
_SMALL = 2**26
# Exact solvers that form a matrix per task are used up to this many numbers in all.
_LARGE = 2**22
# And up to this many times the numbers in the data.
_FACTOR = 2
_REMEDY = (
    "Use MeanRegularizedRegressor, MeanRegularizedClassifier, "
    "GraphRegularizedRegressor or JointFeatureRegressor, which need memory of the "
    "order of X here, or reduce the columns, with TruncatedSVD or by selecting "
    "features."
)


def is_large(n_numbers, n_data):
    """Return whether matrices of so many numbers are too large beside the data.

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
    """Refuse work before it starts, if it would not fit in memory.

    Parameters
    ----------
    n_bytes : int
        Bytes that would be allocated.
    what : str
        What they would hold.
    remedy : str
        What to do instead.
    """
    if n_bytes < _SMALL:
        return
    available = available_bytes()
    if n_bytes > _SHARE * available:
        raise ValueError(
            f"This would need about {in_words(n_bytes)} of memory for {what}, and "
            f"about {in_words(available)} are available, half of which may be "
            f"planned for. {remedy}"
        )


def available_bytes():
    """Return how much memory this process may still take, in bytes."""
    return max(0, min(_free_of_machine(), _free_of_group(), _free_of_process()))


def in_words(n_bytes):
    """Return a size as people say it."""
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
    """Return what a container leaves, if one limits the process."""
    root = Path("/sys/fs/cgroup")
    try:
        limit, used = ((root / f"memory.{name}").read_text() for name in _GROUP)
        return int(limit) - int(used)
    except (OSError, ValueError):  # no such limit
        return _ENDLESS


_GROUP = "max", "current"
_ENDLESS = 2**62


def _free_of_process():
    """Return what the limit of the address space leaves, if there is one."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit == resource.RLIM_INFINITY:
            return _ENDLESS
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        return limit - pages * os.sysconf("SC_PAGE_SIZE")
    except (ImportError, OSError, ValueError):
        return _ENDLESS
