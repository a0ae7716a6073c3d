"""Model checkpoints on this machine's disk: a folder, or what the hub's cache has or fetches.

Nothing here imports the libraries that load them, so that what is missing is said at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emobatch.errors import CheckpointError, EmobatchError, first_line
from emobatch.models import ctranslate2_file, files, foreign, hub
from emobatch.models.files import CTRANSLATE2
from emobatch.models.formats import HEARING, check_format, is_whole
from emobatch.models.heads.head import Folder, Head
from emobatch.models.heads.registry import head_of
from emobatch.models.names import BASES, DEMO, kind_of, option_of

DEMO_FOLDER = Path(__file__).parents[1] / "demo" / "checkpoints"
# Where in it each branch's toy is.
DEMO_FOLDERS = {"speech": "speech", "asr": "asr", "text": "sentiment"}
# What configurations call the size of an encoder's hidden states.
SIZES = ("hidden_size", "dim", "d_model", "n_embd")
# What transformers takes a classifier for whose config.json doesn't name its outputs.
DEFAULT_LABEL, DEFAULT_OUTPUTS = "LABEL_{}", 2
MOST_OUTPUTS = 10_000


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint's files.

    Attributes:
        name: hub name or folder, as the user gave it.
        folder: where its files are.
        revision: the hub's commit, None for a folder.
        option: the command line's option that names it, for messages.
    """

    name: str
    folder: Path
    revision: str | None
    option: str

    def weights(self) -> list[Path]:
        """Files of the weights that are loaded: the safetensors where there are any."""
        return files.weights(self.folder)

    def provenance(self) -> dict[str, str | None]:
        """Name, revision, and SHA-256 digests of the weights and of what else decides."""
        beside = files.settings(self.folder, asr=self.option == option_of("asr"))
        return {
            "name": self.name,
            "revision": self.revision,
            "digest": files.digest(self.weights()),
            "settings": files.digest(beside, names=True),
        }

    def training(self) -> Mapping[str, Any]:
        """What `emobatch train` told of its making; empty where it wasn't made by that."""
        with suppress(OSError, ValueError, RecursionError):
            found = json.loads((self.folder / files.RECORD).read_text(encoding="utf-8"))
            return found if isinstance(found, dict) else {}
        return {}

    def size(self) -> int:
        """Bytes of the weights."""
        return sum(file.stat().st_size for file in self.weights())

    def labels(self) -> list[str]:
        """Name a classifier's outputs, as its ``config.json`` does.

        Returns:
            (outputs,) labels; those that transformers makes up where there are none.

        Raises:
            CheckpointError: if the file can't be read, or is of no classifier.
        """
        head = self.head()
        with self.explained():
            if head is not None:
                return head.labels(Folder(self.folder))
            config = json.loads((self.folder / "config.json").read_text(encoding="utf-8"))
            names = config.get("id2label")
            if names:
                return [str(names[output]) for output in sorted(names, key=int)]
            count = config.get("num_labels") or DEFAULT_OUTPUTS
            if not 0 < count <= MOST_OUTPUTS:
                raise ValueError(f"num_labels is {count}, which no classifier has")
            return [DEFAULT_LABEL.format(output) for output in range(count)]

    def states(self) -> int:
        """Size of its encoder's hidden states.

        Returns:
            How many numbers describe a frame, or a token.

        Raises:
            CheckpointError: if nothing says that.
        """
        head = self.head()
        with self.explained():
            if head is not None:
                return head.states(Folder(self.folder))
            if self.option == option_of("asr"):
                return ctranslate2_file.states(self.folder / CTRANSLATE2)
            config = json.loads((self.folder / "config.json").read_text(encoding="utf-8"))
            size = next((config[name] for name in SIZES if config.get(name)), None)
            if not isinstance(size, int):
                raise ValueError("its config.json has no hidden_size, so that it has no embeddings")
            return size

    def head(self) -> type[Head] | None:
        """Of which kind it is that transformers has no class for; None where it has one."""
        return head_of(self.folder)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn whatever a loader raises into one line with a remedy.

        Yields:
            Nothing.

        Raises:
            CheckpointError: in place of any error that isn't emobatch's own.
        """
        try:
            yield
        except EmobatchError:
            raise
        except Exception as error:
            raise CheckpointError(
                f"{self.name}: can't be loaded: {first_line(error)}; "
                f"give {self.option} another name or a folder"
            ) from error


def find(name: str, branch: str) -> Checkpoint | None:
    """Find a checkpoint on this machine.

    What the hub's cache has is taken as it is, without asking the hub for a newer one.

    Args:
        name: a folder, a hub name, for Whisper a size that faster-whisper knows (``large-v3``),
            or ``demo``.
        branch: ``speech``, ``emotional``, ``asr`` or ``text``.

    Returns:
        The checkpoint, or None where the hub may have it, see :mod:`emobatch.models.remote`.

    Raises:
        CheckpointError: if that is no folder and no hub name, in another format, or names code,
            or files and repositories other than its own.
    """
    option = option_of(branch)
    # What `train` begins with is the branch's own.
    toy = DEMO_FOLDERS.get(next((own for own, base in BASES.items() if base == branch), branch))
    if name == DEMO and toy is None:
        raise CheckpointError(
            f"{DEMO}: has no {kind_of(branch)} model; give {option} a folder or a hub name, or "
            "leave it out"
        )
    if name == DEMO and toy is not None:
        return Checkpoint(name, DEMO_FOLDER / toy, None, option)
    repository = repository_of(name, branch)
    if repository == name and _is_folder(name, branch):
        return checked(Checkpoint(name, Path(name), None, option), branch)
    try:
        folder = hub.cached(repository)
    except CheckpointError as error:
        raise CheckpointError(f"{name}: {error}; give {option} one of them") from error
    if folder is None or not is_whole(folder, branch):
        return None
    return checked(Checkpoint(name, folder, folder.name, option), branch)


def checked(checkpoint: Checkpoint, branch: str) -> Checkpoint:
    """Refuse a checkpoint that names code, or files and repositories other than its own.

    Args:
        checkpoint: on this machine.
        branch: ``speech``, ``emotional``, ``asr`` or ``text``.

    Returns:
        The checkpoint.

    Raises:
        CheckpointError: says what it names, and where; or which part it lacks of the kind that it
            says it is.
    """
    head = checkpoint.head() if kind_of(branch) in HEARING else None
    foreign.check(
        checkpoint.folder,
        checkpoint.name,
        checkpoint.option,
        asr=branch == "asr",
        own=checkpoint.revision is None,
        code_unused=head is not None,
    )
    if head is not None:
        with checkpoint.explained():
            head.check(Folder(checkpoint.folder))
    return checkpoint


def _is_folder(name: str, branch: str) -> bool:
    path = Path(name)
    try:
        if path.is_dir():
            check_format(name, branch, [file.name for file in path.iterdir()])
            return True
    except OSError as error:
        raise CheckpointError(
            f"{name}: {first_line(error)}; give {option_of(branch)} a folder that can be read"
        ) from error
    if path.exists() or path.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1:
        what = "is a file" if path.exists() else "no such folder"
        raise CheckpointError(
            f"{name}: {what}; give {option_of(branch)} a checkpoint's folder or a hub name"
        )
    return False


def repository_of(name: str, branch: str) -> str:
    """Say where the hub has a checkpoint.

    Args:
        name: a hub name, or for Whisper a size that faster-whisper knows.
        branch: ``speech``, ``emotional``, ``asr`` or ``text``.

    Returns:
        Name of the repository.
    """
    return hub.WHISPER_SIZES.get(name, name) if branch == "asr" else name
