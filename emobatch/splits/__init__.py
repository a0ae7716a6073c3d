"""Folds, splits, and what they leak."""
