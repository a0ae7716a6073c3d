"""The Hugging Face hub: what its cache on this machine has, and what is fetched from it."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from emobatch.errors import CheckpointError, HubUnreachable, first_line

if TYPE_CHECKING:
    from huggingface_hub import ModelInfo

# Seconds in which the hub must have answered; the hub's own setting goes first. Its library would
# try again and again, and a name server or an address that never answers has no limit there.
ANSWER_SECONDS = 5
ANSWER_SETTING = "HF_HUB_ETAG_TIMEOUT"
OFFLINE_SETTING = "HF_HUB_OFFLINE"
# Sizes that faster-whisper knows, and where it finds them; asking it is a slow import.
WHISPER_SIZES: Mapping[str, str] = {
    **{
        size: f"Systran/faster-whisper-{size}"
        for size in (
            *("tiny.en", "tiny", "base.en", "base", "small.en", "small", "medium.en", "medium"),
            *("large-v1", "large-v2", "large-v3"),
        )
    },
    "large": "Systran/faster-whisper-large-v3",
    "distil-large-v2": "Systran/faster-distil-whisper-large-v2",
    "distil-medium.en": "Systran/faster-distil-whisper-medium.en",
    "distil-small.en": "Systran/faster-distil-whisper-small.en",
    "distil-large-v3": "Systran/faster-distil-whisper-large-v3",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5-ct2",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
}


def is_offline() -> bool:
    """Whether the environment forbids asking the hub (``HF_HUB_OFFLINE``)."""
    from huggingface_hub import constants

    return constants.HF_HUB_OFFLINE


def go_offline() -> None:
    """Forbid asking the hub, for this process and what it starts."""
    # Read when the hub's library is imported, which must not have happened yet.
    os.environ[OFFLINE_SETTING] = "1"


@contextmanager
def closed() -> Iterator[None]:
    """Keep the hub's library from asking the hub, whoever calls it: what is loaded is here.

    Yields:
        Nothing.
    """
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def cached(repository: str) -> Path | None:
    """Find a repository's newest files in the hub's cache, without asking the hub.

    Args:
        repository: for example ``superb/wav2vec2-base-superb-er``.

    Returns:
        Their folder, named by the commit, or None where the cache hasn't got them.

    Raises:
        CheckpointError: if that is no name of a repository.
    """
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(repository, "config.json")
    except HFValidationError as error:
        raise CheckpointError("neither a folder nor a hub name") from error
    return Path(found).parent if isinstance(found, str) else None


def files(repository: str) -> dict[str, int | None]:
    """Ask the hub for the names and sizes of a repository's files.

    Args:
        repository: its name.

    Returns:
        Bytes by name, of all its files; None where the hub doesn't say.

    Raises:
        HubUnreachable: if the hub doesn't answer within a few seconds.
        CheckpointError: if the hub hasn't got it.
    """
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    answer = _ask(repository)
    if isinstance(answer, GatedRepoError):
        raise CheckpointError(
            "the hub gives it only to those who asked for access, known by `hf auth login`"
        ) from answer
    if isinstance(answer, RepositoryNotFoundError):
        raise CheckpointError("the hub has no such model, or wants `hf auth login`") from answer
    if isinstance(answer, Exception):
        raise HubUnreachable(f"the hub can't be reached: {first_line(answer)}") from answer
    return {each.rfilename: each.size for each in answer.siblings or ()}


def is_cached(repository: str, file: str) -> bool:
    """Whether a file is in the hub's cache already, as of a fetch that was interrupted.

    Args:
        repository: its name.
        file: a name in it.

    Returns:
        True where it is.
    """
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(repository, file), str)


def cache() -> Path:
    """Folder of the hub's cache on this machine."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def fetch(repository: str, wanted: Sequence[str]) -> Path:
    """Bring files of a repository into the hub's cache; those that are there stay.

    Args:
        repository: its name.
        wanted: names of files.

    Returns:
        Folder of the files, named by the commit.

    Raises:
        CheckpointError: if one can't be fetched or written.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()
    try:
        return Path(snapshot_download(repository, allow_patterns=list(wanted)))
    except Exception as error:
        raise CheckpointError(f"can't be fetched: {first_line(error)}") from error


def _ask(repository: str) -> ModelInfo | Exception:
    # In a thread, and left behind there if it hangs: looking a name up can't be given a limit.
    seconds = float(os.environ.get(ANSWER_SETTING) or ANSWER_SECONDS)
    answers: list[ModelInfo | Exception] = []

    def ask() -> None:
        from huggingface_hub import HfApi

        # It would say several times that there is no network; we say it once.
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        try:
            answers.append(HfApi().model_info(repository, timeout=seconds, files_metadata=True))
        except Exception as error:
            answers.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(seconds)
    return answers[0] if answers else TimeoutError(f"no answer in {seconds:g} s")
