"""The errors that a user can mend. Each message says what is wrong and what to do about it."""

from __future__ import annotations

from typing import Self


class EmobatchError(Exception):
    """Base of all errors raised on purpose; the command line prints it as one line.

    Attributes:
        exit_code: status that the command line ends with.
        source: the file that its message begins with, None where it names none.
    """

    exit_code = 1
    source: str | None = None

    def named(self, source: str) -> Self:
        """The same error with the name of a file before it.

        Args:
            source: the file.

        Returns:
            An error of the same kind.
        """
        error = type(self)(f"{source}: {self}")
        error.source = source
        return error


class TableError(EmobatchError):
    """A table can't be read or written, or lacks what is needed of it."""


class OutputError(EmobatchError):
    """An output file can't be written."""


class ManifestError(TableError):
    """A manifest's rows make no sense."""


class UnknownName(EmobatchError):  # noqa: N818 - says what is the matter
    """There is no part of that name."""


class OptionError(EmobatchError):
    """An option's value makes no sense, or not with the others."""


class TaskError(EmobatchError):
    """Classes that can't be told apart, or that nothing stands for."""


class LabelError(EmobatchError):
    """A label is outside the classes."""


class ProbabilityError(EmobatchError):
    """Probabilities are NaN, negative or don't sum to one."""


class StorageError(TableError):
    """A file that isn't on this machine can't be fetched, or may not be."""


class AudioError(EmobatchError):
    """An audio file can't be read; costs its own row and nothing else."""


class CheckpointError(EmobatchError):
    """A model checkpoint can't be found, loaded or used for this task."""


class HubUnreachable(CheckpointError):  # noqa: N818 - says what is the matter
    """The hub doesn't answer; what it has can be fetched where it does."""


class DeviceError(EmobatchError):
    """A device or a library that it needs is missing."""


class ThresholdsError(EmobatchError):
    """A thresholds file can't be read, or doesn't fit the table."""


class CalibrationError(EmobatchError):
    """Thresholds can't be fitted on the rows given."""


class TrainingError(EmobatchError):
    """A training can't go on, or lacks what it needs of this machine."""


class LeakageError(EmobatchError):
    """Rows that test have something in common with rows that were trained on."""


class ResumeError(EmobatchError):
    """Saved work belongs to another manifest, model or option."""


class HeldError(ResumeError):
    """Another run holds the folder of saved work; where it has ended, the same command goes on."""

    exit_code = 75


class WorkerError(EmobatchError):
    """A process that scores is lost; what it had finished is saved."""


class ExaminationError(EmobatchError):
    """This machine isn't ready for a run."""


class VerificationError(EmobatchError):
    """Rows of a score table don't come out again."""


class PromptError(EmobatchError):
    """A prompt's template can't be read, or names what no row has."""


class EndpointError(EmobatchError):
    """A language model can't be reached, or takes no request."""


class AnswerError(EmobatchError):
    """An answer of a language model can't be read; its row keeps its emotion."""


class TooManyErrors(EmobatchError):  # noqa: N818 - the run is done, this reports how it went
    """More rows failed than the user allows; the table is written all the same."""

    exit_code = 3


class Interrupted(KeyboardInterrupt):
    """A signal ended the run; finished work is saved and the same command goes on.

    Not an Exception, so that nothing that survives a bad file survives a signal as well.
    """

    exit_code = 75


def first_line(error: BaseException) -> str:
    """The first line of an error's message, which is all that a user needs of it.

    Args:
        error: what a library raised.

    Returns:
        One line.
    """
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).strip() or type(error).__name__).splitlines()[0]
