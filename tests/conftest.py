"""What holds for every test: one thread, no window, reproducible draws."""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before NumPy: small products on many threads
os.environ.setdefault("MPLBACKEND", "Agg")

from hypothesis import settings  # noqa: E402 - the threads are set first

settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
