"""Which files of a checkpoint a run needs: its weights, and what beside them decides a score."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path

SAFETENSORS = "model*.safetensors"
PICKLES = "pytorch_model*.bin"
CTRANSLATE2 = "model.bin"
# Weights that can be loaded, the preferred first; large ones are cut into what an index names.
TRANSFORMERS = ("model.safetensors", "pytorch_model.bin")
CTRANSLATE2_FILES = ("*config.json", "tokenizer.json", "vocabulary.*", CTRANSLATE2)
TRANSFORMERS_FILES = ("*.json", "*.txt", "*.model", "vocab.*", "bpe.codes")
# What transformers lays over the weights where it finds it and has the library for it.
ADAPTERS = "adapter_model.*"
# What `emobatch train` tells of a checkpoint's making.
RECORD = "emobatch_training.json"
# Weights as the training of MSP-Podcast's challenge writes them, in three files, and beside them
# mean and deviation of the audio.
CHALLENGE = re.compile(r"(?:.*[_-])?(ssl|pool|ser)(?:_model)?\.(?:safetensors|pt|pth|bin)")
CHALLENGE_PARTS = ("ssl", "pool", "ser")
NORM_STAT = "train_norm_stat.pkl"
# What is named like that and decides nothing.
ASIDE = (
    RECORD,
    *("readme*", "licen[cs]e*", "notice*", "copying*", "requirements*.txt"),
    *("*_results.json", "trainer_state.json", "training_args.json"),
)


def weights(folder: Path) -> list[Path]:
    """Find the weights that are loaded.

    Args:
        folder: a checkpoint's.

    Returns:
        The safetensors where there are any, with the parts that an index names.
    """
    found = transformers_weights(folder)
    if not any(file.match(SAFETENSORS) for file in found):
        found = sorted([*found, *folder.glob(CTRANSLATE2)])
    return found or sorted(challenge_parts(folder).values())


def transformers_weights(folder: Path) -> list[Path]:
    """Find weights as transformers names them.

    Args:
        folder: a checkpoint's.

    Returns:
        The safetensors where there are any, else pickles, with the parts that an index names.
    """
    safe, pickled = (
        _named_like(folder, pattern, whole)
        for pattern, whole in zip((SAFETENSORS, PICKLES), TRANSFORMERS, strict=True)
    )
    return safe or pickled


def challenge_parts(folder: Path) -> Mapping[str, Path]:
    """Find weights in three files, as the training of MSP-Podcast's challenge writes them.

    Args:
        folder: a checkpoint's.

    Returns:
        Those of ``ssl``, ``pool`` and ``ser`` that are there.
    """
    names = parts_by_name(file.name for file in folder.iterdir() if file.is_file())
    return {part: folder / name for part, name in names.items()}


def parts_by_name(names: Iterable[str]) -> dict[str, str]:
    """Tell which of files are the three that weights of MSP-Podcast's challenge are in.

    Args:
        names: of files.

    Returns:
        Name by ``ssl``, ``pool`` and ``ser``; safetensors go first.

    Examples:
        >>> parts_by_name(["final_pool.pt", "final_ssl.pt", "README.md"])
        {'pool': 'final_pool.pt', 'ssl': 'final_ssl.pt'}
    """
    found: dict[str, str] = {}
    for name in sorted(names, key=lambda each: (not each.endswith(".safetensors"), each)):
        if part := CHALLENGE.fullmatch(name):
            found.setdefault(part[1], name)
    return found


def settings(folder: Path, *, asr: bool) -> list[Path]:
    """Find what beside the weights decides a score: configuration, vocabulary and the like.

    Of a folder with all of a repository these are the files that would be fetched of it, so that
    both count as one model.

    Args:
        folder: a checkpoint's.
        asr: whether it is Whisper in CTranslate2's format.

    Returns:
        The files in order.
    """
    patterns = CTRANSLATE2_FILES if asr else (*TRANSFORMERS_FILES, ADAPTERS, NORM_STAT)
    others = weights(folder)
    return [
        file
        for file in sorted(folder.iterdir())
        if any(fnmatch(file.name, pattern) for pattern in patterns)
        and not any(fnmatch(file.name.lower(), pattern) for pattern in ASIDE)
        and file not in others
        and file.is_file()
    ]


def digest(files: Sequence[Path], *, names: bool = False) -> str:
    """Say in a few characters what files hold.

    Args:
        files: in an order that is always the same.
        names: whether what they are called counts too.

    Returns:
        ``sha256:`` and the digest of their contents.
    """
    whole = hashlib.sha256()
    for file in files:
        if names:
            whole.update(file.name.encode() + b"\0")
        with file.open("rb") as handle:
            whole.update(hashlib.file_digest(handle, "sha256").digest())
    return f"sha256:{whole.hexdigest()}"


def needed(names: Sequence[str], branch: str) -> list[str]:
    """Pick what a run needs of a repository: weights in one format, and what describes them.

    Args:
        names: of all its files.
        branch: ``speech``, ``emotional``, ``asr`` or ``text``.

    Returns:
        Those of the files, in order.

    Examples:
        >>> names = ["README.md", "config.json", "model.safetensors", "pytorch_model.bin"]
        >>> needed(names, "speech")
        ['config.json', 'model.safetensors']
    """
    safe = any(fnmatch(name, SAFETENSORS) for name in names)
    weights_there: tuple[str, ...] = (SAFETENSORS if safe else PICKLES,)
    if not any(fnmatch(name, weights_there[0]) for name in names):
        weights_there = (*parts_by_name(names).values(), NORM_STAT)
    patterns = CTRANSLATE2_FILES if branch == "asr" else (*TRANSFORMERS_FILES, *weights_there)
    return [
        name
        for name in names
        if "/" not in name and any(fnmatch(name, pattern) for pattern in patterns)
    ]


def parts(folder: Path, whole: str) -> list[str]:
    """Read which files weights are cut into.

    Args:
        folder: a checkpoint's.
        whole: the file that they would be in one piece.

    Returns:
        Names of the parts that its index lists; none where there is no index, or a broken one,
        of which its loader says what is wrong.
    """
    with suppress(OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        index = json.loads((folder / f"{whole}.index.json").read_text(encoding="utf-8"))
        return sorted({str(part) for part in index["weight_map"].values()})
    return []


def _named_like(folder: Path, pattern: str, whole: str) -> list[Path]:
    # Parts are mostly named like the whole, but an index may name them anything.
    files = sorted(folder.glob(pattern))
    if folder / whole in files:
        return files
    named = [folder / part for part in parts(folder, whole)]
    return files + [part for part in named if part not in files and part.is_file()]
