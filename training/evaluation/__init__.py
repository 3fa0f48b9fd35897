"""A run and a corpus → measured error rates, and whether two evaluations differ."""
