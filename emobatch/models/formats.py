"""Which files make a checkpoint, by what it is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from emobatch.errors import CheckpointError
from emobatch.models import files
from emobatch.models.files import CTRANSLATE2, TRANSFORMERS
from emobatch.models.heads.registry import head_of
from emobatch.models.names import (
    ATTRIBUTE,
    BASES,
    EMOTIONAL,
    TEXT_ATTRIBUTE,
    kind_of,
    option_of,
)

# Branches by the kind of their checkpoints.
HEARING = ("speech", EMOTIONAL, ATTRIBUTE, BASES["speech"])
READING = ("text", TEXT_ATTRIBUTE, BASES["text"])
FORMATS = {**dict.fromkeys((*HEARING, *READING), TRANSFORMERS), "asr": (CTRANSLATE2,)}
# What a run reads beside the weights. One file of each group must be there.
CONFIGURATION, EXTRACTOR = ("config.json",), ("preprocessor_config.json",)
COMPANIONS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    **dict.fromkeys(HEARING, (CONFIGURATION, EXTRACTOR)),
    "asr": (CONFIGURATION, ("tokenizer.json",), ("vocabulary.*",)),
    **dict.fromkeys(READING, (CONFIGURATION, ("tokenizer.json", "*.model", "vocab.*"))),
}


def is_whole(folder: Path, branch: str) -> bool:
    """Whether a folder has all that a run reads: an interrupted download leaves some of it.

    Args:
        folder: of the hub's cache.
        branch: ``speech``, ``emotional``, ``asr`` or ``text``.

    Returns:
        True where nothing is missing.
    """
    head = head_of(folder) if kind_of(branch) in HEARING else None
    for group in COMPANIONS[kind_of(branch)]:
        if group == EXTRACTOR and head is not None and not head.has_extractor:
            continue
        if not any(any(folder.glob(pattern)) for pattern in group):
            return False
    for weights in FORMATS[kind_of(branch)]:
        if (folder / weights).exists():
            return True
        parts = files.parts(folder, weights)
        if parts:
            return all((folder / part).exists() for part in parts)
    return head is not None and len(files.challenge_parts(folder)) == len(files.CHALLENGE_PARTS)


def check_format(name: str, branch: str, names: Sequence[str]) -> None:
    """Refuse a checkpoint in a format that isn't read.

    Args:
        name: of the checkpoint.
        branch: ``speech``, ``emotional``, ``asr`` or ``text``.
        names: of all its files.

    Raises:
        CheckpointError: says how to convert it, or to name another.
    """
    formats = FORMATS[kind_of(branch)]
    if any(file.startswith(weights) for file in names for weights in formats):
        return
    if kind_of(branch) in HEARING and files.parts_by_name(names):
        return  # whether all three are there is for the head to say
    if branch == "asr":
        raise CheckpointError(
            f"{name}: no model.bin, so not in CTranslate2's format; convert it with "
            f"`ct2-transformers-converter --model {name} --output_dir DIR --copy_files "
            f"tokenizer.json preprocessor_config.json` and give --asr-model DIR"
        )
    raise CheckpointError(
        f"{name}: no weights in {' or '.join(formats)}; give {option_of(branch)} another"
    )
