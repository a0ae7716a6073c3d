"""The command line: parses, calls one library function for each command, and echoes.

Signals are heeded first. Then comes :mod:`emobatch.cli.main` with click, which takes a while.
"""

import gc

from emobatch.cli.signals import Signals

# New objects after which garbage is looked for. With Python's 700 a tenth of what `score` takes to
# start goes into that: torch and transformers make half a million objects, which stay.
COLLECT_AFTER = 10_000


def run() -> None:
    """Entry point of the process."""
    gc.set_threshold(COLLECT_AFTER)
    signals = Signals()
    signals.heed()
    from emobatch.cli.main import main

    main(obj=signals)
