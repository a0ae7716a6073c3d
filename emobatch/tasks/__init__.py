"""The classes of a run: what a label, a score and a sentiment stand for."""
