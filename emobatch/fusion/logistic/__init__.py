"""Logistic fusion: a regression on both branches' log-probabilities, centred by speaker."""
