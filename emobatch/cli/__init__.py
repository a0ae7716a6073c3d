"""The command line: parses, calls one library function for each command, and echoes."""

from emobatch.cli.main import main, run

__all__ = ["main", "run"]
