"""Model checkpoints on this machine's disk: a folder, or what the hub's cache has or fetches."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from emobatch.errors import CheckpointError, EmobatchError

# The name of the toys that come with the package.
DEMO = "demo"
DEMO_FOLDER = Path(__file__).parent / "demo" / "checkpoints"
SAFETENSORS = "model*.safetensors"
# What transformers and CTranslate2 call weights of other formats.
OTHER_WEIGHTS = ("pytorch_model*.bin", "model.bin")


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
        others = [file for pattern in OTHER_WEIGHTS for file in self.folder.glob(pattern)]
        return sorted(self.folder.glob(SAFETENSORS)) or sorted(others)

    def provenance(self) -> dict[str, str | None]:
        """Name, revision and SHA-256 digest of the weights."""
        digest = hashlib.sha256()
        for file in self.weights():
            with file.open("rb") as handle:
                digest.update(hashlib.file_digest(handle, "sha256").digest())
        return {
            "name": self.name,
            "revision": self.revision,
            "digest": f"sha256:{digest.hexdigest()}",
        }

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
                f"{self.name}: can't be loaded: {_first_line(error)}; "
                f"give {self.option} another name or a folder"
            ) from error


def find(name: str, branch: str, *, offline: bool) -> Checkpoint:
    """Find a checkpoint on this machine, or fetch it from the hub.

    What the hub's cache has is taken as it is, without asking the hub for a newer one.

    Args:
        name: a folder, a hub name, for Whisper a size that faster-whisper knows (``large-v3``),
            or ``demo``.
        branch: ``speech``, ``asr`` or ``sentiment``.
        offline: look only at what is on this machine.

    Returns:
        The checkpoint.

    Raises:
        CheckpointError: if it can't be had or is in another format.
    """
    option = f"--{branch}-model"
    if name == DEMO:
        return Checkpoint(name, DEMO_FOLDER / branch, None, option)
    if branch == "asr":
        return _find_whisper(name, option, offline)
    return _find_transformer(name, option, offline)


def _find_transformer(name: str, option: str, offline: bool) -> Checkpoint:
    from huggingface_hub import HfApi, snapshot_download

    def fetch(local_only: bool) -> str:
        wanted = None if local_only else _wanted_files(HfApi().list_repo_files(name))
        return snapshot_download(name, local_files_only=local_only, allow_patterns=wanted)

    remedy = f"hf download {name}"
    return _from_folder(name, option) or _from_hub(name, option, fetch, remedy, offline)


def _find_whisper(name: str, option: str, offline: bool) -> Checkpoint:
    from faster_whisper.utils import available_models, download_model

    def fetch(local_only: bool) -> str:
        return str(download_model(name, local_files_only=local_only))

    remedy = f"python -c \"import faster_whisper as f; f.download_model('{name}')\""
    found = None if name in available_models() else _from_folder(name, option)
    found = found or _from_hub(name, option, fetch, remedy, offline)
    if not (found.folder / "model.bin").is_file():
        raise CheckpointError(
            f"{name}: no model.bin, so not in CTranslate2's format; convert it with "
            f"`ct2-transformers-converter --model {name} --output_dir DIR --copy_files "
            f"tokenizer.json preprocessor_config.json` and give {option} DIR"
        )
    return found


def _from_folder(name: str, option: str) -> Checkpoint | None:
    path = Path(name)
    if path.is_dir():
        return Checkpoint(name, path, None, option)
    if path.exists() or path.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1:
        raise CheckpointError(
            f"{name}: no such folder; give {option} a checkpoint's folder or a hub name"
        )
    return None


def _from_hub(
    name: str, option: str, fetch: Callable[[bool], str], remedy: str, offline: bool
) -> Checkpoint:
    from huggingface_hub.errors import LocalEntryNotFoundError

    # It would say six times that there is no network; we say it once.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    with suppress(LocalEntryNotFoundError, ValueError):
        folder = Path(fetch(True))
        cached = Checkpoint(name, folder, folder.name, option)
        # An interrupted download leaves a folder without weights.
        if cached.weights():
            return cached
    remedy = f"`{remedy}` fetches it where the hub can be reached, or give {option} a folder"
    if offline:
        raise CheckpointError(f"{name}: not on this machine; {remedy}")
    try:
        folder = Path(fetch(False))
    except Exception as error:
        raise CheckpointError(
            f"{name}: not on this machine, and can't be fetched: {_first_line(error)}; {remedy}"
        ) from error
    return Checkpoint(name, folder, folder.name, option)


def _wanted_files(files: list[str]) -> list[str]:
    # Weights in one format only: repositories hold the same ones for several frameworks.
    here = [file for file in files if "/" not in file]
    safe = any(file.endswith(".safetensors") for file in here)
    weights = (".safetensors", ".safetensors.index.json") if safe else (".bin", ".bin.index.json")
    return [file for file in here if file.endswith((".json", ".txt", ".model", *weights))]


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
