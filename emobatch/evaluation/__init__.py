"""Figures of labelled rows, what stands behind them, and how sure they are."""
