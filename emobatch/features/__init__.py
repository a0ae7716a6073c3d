"""Features of sound that are computed and not learnt: a set of them a file."""
