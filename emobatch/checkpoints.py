"""Model checkpoints: found on the hub, in its cache or in a folder, and loaded without surprises.

Nothing that a checkpoint carries is run: remote code is off, safetensors come first, and pickles
are opened for their weights only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from emobatch.errors import CheckpointError, EmobatchError

WEIGHTS = ("model.safetensors*", "model-*.safetensors", "pytorch_model*.bin*", "model.bin")
# Parameters that only training uses: a checkpoint may lack them.
UNUSED_PARAMETERS = ("masked_spec_embed",)


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on this machine's disk.

    Attributes:
        name: hub name or folder, as the user gave it.
        folder: where its files are.
        revision: the hub's commit, None for a folder.
    """

    name: str
    folder: Path
    revision: str | None

    def provenance(self) -> dict[str, str | None]:
        """Name, revision and digest of the weights."""
        return {"name": self.name, "revision": self.revision, "digest": self.digest()}

    def digest(self) -> str:
        """SHA-256 of the weights that are loaded: the safetensors where there are any."""
        found = [sorted(self.folder.glob(pattern)) for pattern in WEIGHTS]
        safe, pickled = found[0] + found[1], found[2] + found[3]
        digest = hashlib.sha256()
        for file in safe or pickled:
            with file.open("rb") as handle:
                digest.update(hashlib.file_digest(handle, "sha256").digest())
        return f"sha256:{digest.hexdigest()}"


def find(name: str, *, offline: bool, option: str) -> Checkpoint:
    """Find a checkpoint in the format of ``transformers``, fetching it from the hub if need be.

    Args:
        name: a folder, or a hub name.
        offline: look only at what is on this machine.
        option: the command line's option that names it.

    Returns:
        The checkpoint.

    Raises:
        CheckpointError: if it can't be had.
    """
    from huggingface_hub import HfApi, snapshot_download

    local = as_folder(name, option)
    if local is not None:
        return local
    with explained(name, option, offline=offline):
        if offline:
            folder = snapshot_download(name, local_files_only=True)
        else:
            files = HfApi().list_repo_files(name)
            safe = any(file.endswith(".safetensors") and "/" not in file for file in files)
            weights = "*.safetensors" if safe else "*.bin"
            folder = snapshot_download(
                name,
                allow_patterns=["*.json", "*.txt", "*.model", weights, weights + ".index.json"],
                ignore_patterns=["*/*"],
            )
    return Checkpoint(name, Path(folder), Path(folder).name)


def as_folder(name: str, option: str) -> Checkpoint | None:
    """Take a checkpoint's name for a folder, if it is one.

    Args:
        name: a folder, or a hub name.
        option: the command line's option that names it.

    Returns:
        The checkpoint, None where the name is one for the hub.

    Raises:
        CheckpointError: if it is plainly a path, and nothing is there.
    """
    path = Path(name)
    if path.is_dir():
        return Checkpoint(name, path, None)
    if path.exists() or path.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1:
        raise CheckpointError(
            f"{name}: no such folder; give {option} a checkpoint's folder or a hub name"
        )
    return None


@contextmanager
def explained(name: str, option: str, *, offline: bool = False) -> Iterator[None]:
    """Turn what the hub and the loaders raise into one line with a remedy.

    Args:
        name: the checkpoint.
        option: the command line's option that names it.
        offline: whether the network was left alone.

    Yields:
        Nothing.

    Raises:
        CheckpointError: in place of any other error.
    """
    try:
        yield
    except EmobatchError:
        raise
    except Exception as error:
        missing = type(error).__name__ in ("LocalEntryNotFoundError", "OfflineModeIsEnabled")
        if missing and offline:
            raise CheckpointError(
                f"{name}: not on this machine; fetch it on one with a network with "
                f"`hf download {name}`, or give {option} a folder"
            ) from error
        cause = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CheckpointError(
            f"{name}: can't be loaded: {cause}; give {option} another name or a folder"
        ) from error


def load_classifier(
    auto_class: Any, checkpoint: Checkpoint, option: str, dtype: torch.dtype
) -> Any:
    """Load a classifier, with every parameter that it needs.

    Args:
        auto_class: one of the ``AutoModelFor…Classification`` classes.
        checkpoint: what to load.
        option: the command line's option that names it.
        dtype: floating-point type of the parameters.

    Returns:
        The model in evaluation mode.

    Raises:
        CheckpointError: if it can't be loaded, or its classification head was never trained.
    """
    with explained(checkpoint.name, option):
        model, info = auto_class.from_pretrained(
            checkpoint.folder,
            dtype=dtype,
            trust_remote_code=False,
            weights_only=True,
            local_files_only=True,
            output_loading_info=True,
        )
    missing = [key for key in info["missing_keys"] if not key.endswith(UNUSED_PARAMETERS)] + [
        str(key) for key in info.get("mismatched_keys", ())
    ]
    if missing:
        raise CheckpointError(
            f"{checkpoint.name}: not a trained classifier, it has no values for "
            f"{', '.join(sorted(missing)[:4])}; give {option} a fine-tuned checkpoint"
        )
    return model.eval()


def class_probabilities(
    logits: torch.Tensor, classes: Sequence[int | None], count: int
) -> NDArray[np.float64]:
    """Softmax over the outputs that stand for a class, summed by class.

    Args:
        logits: (rows, outputs).
        classes: (outputs,) index of the class of each output, None where it is dropped.
        count: number of classes.

    Returns:
        (rows, count) probabilities in double precision; each row sums to one.

    Examples:
        >>> class_probabilities(torch.tensor([[0.0, 9.0, 0.0]]), [1, None, 0], 2).tolist()
        [[0.5, 0.5]]
    """
    kept = [output for output, target in enumerate(classes) if target is not None]
    shares = logits[:, kept].double().softmax(dim=-1).cpu().numpy()
    probabilities = np.zeros((len(shares), count))
    for column, output in enumerate(kept):
        probabilities[:, classes[output]] += shares[:, column]
    return probabilities
