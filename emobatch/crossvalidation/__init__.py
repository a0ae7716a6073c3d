"""Folds of a corpus, what they leak, and thresholds fitted and tested in each."""
