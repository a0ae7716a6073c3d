"""Figures of the report: each a pure function from data to a matplotlib figure."""
