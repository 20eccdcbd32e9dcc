"""Constants of several subpackages."""

import numpy as np

# Lower bound of divisors: keeps a quotient finite where its divisor is zero.
TINY = np.finfo(float).tiny
# Squares of numbers below this underflow, so they count as zero.
TINY_SQUARE = 1e-200
# Strengths beyond this multiple of the problem's scale act as infinite in the search
# for `alpha_max`: higher ones lose too many digits there.
ALPHA_MAX = 1e12
# Strengths beyond this multiple of the largest curvature act as infinite in exact
# solvers: their factorisations lose no digits.
INFINITE = 1e14
# Size of blocks, in numbers: they fit in the L2 cache.
CACHE = 2**17
# With at most this many features, matrices of the features cost as little as rows.
FEW_FEATURES = 64
# With fewer rows per feature than this, factoring rows is cheaper than factoring
# matrices of the features.
FEW_ROWS_TO_FACTOR = 0.25
# With fewer rows per feature than this, multiplying by rows is cheaper than by
# matrices of the features.
FEW_ROWS_TO_MULTIPLY = 0.5
# Tasks whose numbers of rows differ by at most this factor share a stack, padded with
# zeros: fewer stacks at the cost of up to a quarter more rows.
PADDING = 1.25
