"""The report: one page of figures, and what was run."""
