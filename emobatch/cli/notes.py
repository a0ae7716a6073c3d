"""Notes and warnings of the library, as lines on standard error and in a file."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from emobatch.cli.echo import say
from emobatch.cli.verbosity import LOG_FILE, QUIET, VERBOSE, check_log_file
from emobatch.errors import first_line
from emobatch.tables.visible import visible

LOGGER = "emobatch"
NOTE = "note: "


class Notes(logging.Handler):
    """Prints each record as a line on standard error, wherever that leads by then.

    How much it prints, and in which file besides, is read anew for each record: a command's own
    options are known only once it is parsed.
    """

    def __init__(self, meta: MutableMapping[str, Any]) -> None:
        """Print as options say.

        Args:
            meta: of click's context, see :mod:`emobatch.cli.verbosity`.
        """
        super().__init__(logging.DEBUG)
        self._meta = meta
        self._is_full = False
        self._noted: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record.

        Args:
            record: of the library.
        """
        line = self.format(record)
        self.keep(line)
        if line.startswith(NOTE):
            if line in self._noted:
                return  # of each fold the same: once is enough
            self._noted.add(line)
        least = logging.DEBUG if self._meta.get(VERBOSE) else logging.INFO
        if record.levelno >= least and not self._meta.get(QUIET):
            say(line, err=True)

    def keep(self, line: str) -> None:
        """Add a line to the file, if there is one.

        Args:
            line: whatever values are in it, it stays one line.
        """
        file: Path | None = self._meta.get(LOG_FILE)
        if file is None or self._is_full:
            return
        now = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        try:
            with file.open("a", encoding="utf-8") as log:
                log.write(f"{now} {visible(line)}\n")
        except OSError as error:
            # No run ends for want of a place for its notes.
            self._is_full = True
            say(f"note: {file}: {first_line(error)}; nothing more is kept there", err=True)


@contextmanager
def notes_shown(meta: MutableMapping[str, Any]) -> Iterator[None]:
    """Print what the library notes while the block runs, and keep what ends it.

    Args:
        meta: of click's context, see :mod:`emobatch.cli.verbosity`.

    Yields:
        Nothing.

    Raises:
        OutputError: if the file that they are to be kept in can't be written.
    """
    logger, handler = logging.getLogger(LOGGER), Notes(meta)
    if any(isinstance(each, Notes) for each in logger.handlers):
        yield  # a command within a command: once is enough
        return
    check_log_file(meta)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    except BaseException as error:
        _keep_end(handler, error)
        raise
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def _keep_end(handler: Notes, error: BaseException) -> None:
    if isinstance(error, SystemExit | click.exceptions.Exit):
        return  # how a command ends that has nothing to complain of
    said = error.format_message() if isinstance(error, click.ClickException) else str(error)
    handler.keep(f"Error: {said.strip() or type(error).__name__}")
