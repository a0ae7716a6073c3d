"""One module for each command; each parses, calls one library function and echoes.

A new command is a module here, named as the command is, and its name in ``NAMES``.
"""

# In the order in which data passes through them.
NAMES = (
    *("demo", "models", "doctor", "manifest", "folds", "leakage", "features", "train", "plan"),
    *("score", "merge", "verify", "calibrate", "apply", "judge", "evaluate", "crossval", "report"),
)
