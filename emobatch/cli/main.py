"""The command line: parses, calls one library function for each command, and echoes.

A command is imported when it is asked for, and imports torch, transformers, ctranslate2 or polars
when it runs, so that help is there at once.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import click

from emobatch import __version__
from emobatch.cli.lazy import Commands, listed
from emobatch.cli.signals import Signals
from emobatch.cli.verbosity import with_verbosity
from emobatch.errors import EmobatchError, Interrupted, first_line
from emobatch.tables.visible import visible


class EmobatchGroup(click.Group):
    """Prints the errors that a user can mend as one line and ends with their exit status."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Parse what stands before the command.

        Args:
            arguments: as click gives them.
            options: as click gives them.

        Returns:
            The command line as parsed.
        """
        with _usage_errors_visible():
            return super().make_context(*arguments, **options)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them.

        Args:
            ctx: the command line as parsed.
            formatter: takes the list.
        """
        listed().format_commands(ctx, formatter)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command chosen.

        Args:
            ctx: the command line as parsed; its object is the process's signals, or nothing.

        Returns:
            What the command returns.

        Raises:
            click.ClickException: in place of any error that says how to mend it.
        """
        if isinstance(ctx.obj, Signals):
            return ctx.obj.run(partial(self._run, ctx))
        return self._run(ctx)

    def _run(self, ctx: click.Context) -> Any:
        from emobatch.cli.notes import notes_shown  # with logging, which help has no need of

        try:
            with notes_shown(ctx.meta), _usage_errors_visible():
                return super().invoke(ctx)
        except EmobatchError as error:
            raise Failure(str(error), error.exit_code) from error
        except KeyboardInterrupt as error:
            said = str(error) or "interrupted by SIGINT"  # Polars raises one without a message
            raise Failure(said, Interrupted.exit_code) from error
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # whoever reads standard output has had enough: nobody's fault
            raise Failure(first_line(error), 1) from error
        except Exception as error:
            # A value that only shows once a table is read to its end, deep in a streamed query.
            polars = sys.modules.get("polars.exceptions")
            if polars is None or not isinstance(error, polars.PolarsError):
                raise
            raise Failure(f"{first_line(error)}; check the table's values", 1) from error


@contextmanager
def _usage_errors_visible() -> Iterator[None]:
    # Click says what was typed as it was typed.
    try:
        yield
    except click.ClickException as error:
        # A command line without arguments is such an error too: its message is the help text.
        if type(error).__name__ != "NoArgsIsHelpError":
            error.message = visible(error.message)  # type: ignore[misc]
        raise


class Failure(click.ClickException):
    """One line on standard error, and an exit status."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(visible(message.strip()))
        self.exit_code = exit_code  # type: ignore[misc]


@with_verbosity
@click.group(
    cls=EmobatchGroup, commands=Commands(), context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, "-V", "--version", prog_name="emobatch")
def main() -> None:
    """Recognise emotions in speech, in batch.

    Score audio with a speech and a text model, fit on labelled rows where the text decides, and
    apply that to all rows.
    """
