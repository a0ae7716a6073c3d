"""Checkpoints that the hub has and this machine hasn't: how large they are, and fetching them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.filesize import decimal

from emobatch.errors import CheckpointError, HubUnreachable
from emobatch.models import files, hub
from emobatch.models.checkpoints import Checkpoint, checked, repository_of
from emobatch.models.formats import check_format
from emobatch.models.names import option_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Remote:
    """A checkpoint that the hub has and this machine hasn't.

    Attributes:
        name: hub name, or for Whisper a size, as the user gave it.
        repository: where the hub has it.
        files: what a run needs of it: bytes by name, None where the hub doesn't say.
        branch: ``speech``, ``emotional``, ``asr`` or ``text``.
    """

    name: str
    repository: str
    files: Mapping[str, int | None]
    branch: str

    def size(self) -> int | None:
        """Bytes that are still to be fetched, None where the hub doesn't say."""
        left = [
            size for file, size in self.files.items() if not hub.is_cached(self.repository, file)
        ]
        known = [size for size in left if size is not None]
        return sum(known) if len(known) == len(left) else None

    def fetch(self) -> Checkpoint:
        """Fetch the files that a run needs, and no others.

        Returns:
            The checkpoint.

        Raises:
            CheckpointError: if they can't be had, or name code, or files and repositories other
                than their own.
        """
        option = option_of(self.branch)
        with _named(self.name, option):
            folder = hub.fetch(self.repository, list(self.files))
        return checked(Checkpoint(self.name, folder, folder.name, option), self.branch)


def ask(name: str, branch: str) -> Remote:
    """Ask the hub for a checkpoint.

    Args:
        name: a hub name, or for Whisper a size.
        branch: ``speech``, ``emotional``, ``asr`` or ``text``.

    Returns:
        What there is to be fetched.

    Raises:
        HubUnreachable: if the hub doesn't answer within a few seconds.
        CheckpointError: if the hub hasn't got it, or it is in another format.
    """
    repository = repository_of(name, branch)
    with _named(name, option_of(branch)):
        there = hub.files(repository)
    check_format(name, branch, list(there))
    wanted = files.needed(list(there), branch)
    return Remote(name, repository, {file: there[file] for file in wanted}, branch)


def fetch(
    found: Mapping[str, Checkpoint | None], wanted: Mapping[str, Remote]
) -> dict[str, Checkpoint]:
    """Fetch the checkpoints that aren't on this machine, and note how large they are.

    Args:
        found: checkpoint by branch, None where it isn't on this machine.
        wanted: what is to be fetched, by branch.

    Returns:
        Checkpoint by branch, of all.

    Raises:
        CheckpointError: if one can't be fetched.
    """
    if wanted:
        log.info("note: %s", fetching(list(wanted.values())))
    return {
        branch: wanted[branch].fetch() if checkpoint is None else checkpoint
        for branch, checkpoint in found.items()
    }


def fetching(remotes: Sequence[Remote]) -> str:
    """Say what is about to be fetched from the hub.

    Args:
        remotes: at least one.

    Returns:
        Names with sizes, their sum, and where they will be.
    """
    sizes = [remote.size() for remote in remotes]
    named = [
        f"{remote.name} ({'size unknown' if size is None else decimal(size)})"
        for remote, size in zip(remotes, sizes, strict=True)
    ]
    known = [size for size in sizes if size is not None]
    in_all = f", {decimal(sum(known))} in all" if 1 < len(known) == len(sizes) else ""
    return f"fetching {', '.join(named)}{in_all} from the hub into {hub.cache()}"


@contextmanager
def _named(name: str, option: str) -> Iterator[None]:
    try:
        yield
    except HubUnreachable as error:
        raise HubUnreachable(f"{name}: not on this machine, and {error}") from error
    except CheckpointError as error:
        raise CheckpointError(f"{name}: {error}; give {option} another name or a folder") from error
