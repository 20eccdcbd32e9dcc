"""Join rows, a loss and a relation into a problem, and solve it."""
