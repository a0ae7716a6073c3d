"""Notes and warnings of the library, as lines on standard error."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from emobatch.cli.echo import say

LOGGER = "emobatch"


class Notes(logging.Handler):
    """Prints each record as a line on standard error, wherever that leads by then."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record.

        Args:
            record: of the library.
        """
        say(self.format(record), err=True)


@contextmanager
def notes_shown(level: int = logging.WARNING) -> Iterator[None]:
    """Print what the library notes while the block runs.

    Args:
        level: the least that is printed.

    Yields:
        Nothing.
    """
    logger, handler = logging.getLogger(LOGGER), Notes(level)
    if any(isinstance(each, Notes) for each in logger.handlers):
        yield  # a command within a command: once is enough
        return
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
