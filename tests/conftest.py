"""What holds for every test: one thread, no window, reproducible draws."""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before NumPy: small products on many threads
os.environ.setdefault("MPLBACKEND", "Agg")

from hypothesis import Phase, settings  # noqa: E402 - the threads are set first

# The same examples in every run: few in the short suite, more with
# ``--hypothesis-profile full``, new ones in every run with ``search``.
settings.register_profile("short", deadline=None, derandomize=True, max_examples=6)
settings.register_profile("full", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("search", deadline=None, max_examples=1000)
# For .ci/mutate.py, which does not ask for the simplest example that fails.
settings.register_profile(
    "mutate", settings.get_profile("short"), phases=[Phase.generate]
)
settings.load_profile("short")
