"""Numbers that several rooms use, each with its effect."""

import numpy as np

# Keeps a quotient finite where its divisor is zero.
TINY = np.finfo(float).tiny
# Squares of numbers below this underflow, so they count as zero.
TINY_SQUARE = 1e-200
# Strengths beyond this multiple of the problem's scale act as infinite in a search for
# the least strength that changes nothing: higher ones lose too many digits there.
ALPHA_MAX = 1e12
# Strengths beyond this multiple of the largest curvature act as infinite in exact
# solutions, whose factorisations lose no digits to them.
INFINITE = 1e14
# Numbers that fit into the second-level cache.
CACHE = 2**17
# With no more features than this, matrices of the features cost as little as rows.
FEW_FEATURES = 64
# With fewer rows per feature than this, factoring rows is cheaper than factoring
# matrices of the features.
FEW_ROWS_TO_FACTOR = 0.25
# With fewer rows per feature than this, multiplying by rows is cheaper.
FEW_ROWS_TO_MULTIPLY = 0.5
# Stacks of rows are padded with zeros up to this factor of their fewest rows.
PADDING = 1.25
