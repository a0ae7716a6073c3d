"""Entropy-aware score selection (Chua et al.)."""
