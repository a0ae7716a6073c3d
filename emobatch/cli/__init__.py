"""The command line: parses, calls one library function for each command, and echoes.

Signals are heeded first. Then comes :mod:`emobatch.cli.main` with click, which takes a while.
"""

from emobatch.cli.signals import Signals


def run() -> None:
    """Entry point of the process."""
    signals = Signals()
    signals.heed()
    from emobatch.cli.main import main

    main(obj=signals)
