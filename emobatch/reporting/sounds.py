"""The first seconds of clips, to be heard inside a page."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import soundfile
from rich.filesize import decimal

from emobatch.errors import AudioError
from emobatch.manifests.audio import SAMPLE_RATE
from emobatch.manifests.blocks import Samples
from emobatch.manifests.clip import Clip
from emobatch.manifests.clips import clips
from emobatch.manifests.decoders import Decoders
from emobatch.manifests.fetching import Fetcher
from emobatch.manifests.orders import windows
from emobatch.models.names import MOST_SECONDS
from emobatch.wording import counted

log = logging.getLogger(__name__)

# Of each clip, and of all of them together in one page.
CLIP_SECONDS = 10.0
MOST_BYTES = 20_000_000
# MP3, which every browser plays, and whose bytes are always the same: Ogg gives each stream a
# number at random. At this level 24 kbit/s, enough for speech of 16 kHz.
LEVEL = 0.9


@dataclass(frozen=True)
class Sounds:
    """What can be heard of rows.

    Attributes:
        sources: of each row a data URI, None where it can't be heard.
        says: how many there are, and why not all.
    """

    sources: list[str | None]
    says: str


def sounds(rows: pl.DataFrame, root: Path, most_bytes: int = MOST_BYTES) -> Sounds:
    """Encode the beginning of clips, until a page is full.

    Args:
        rows: with ``path``, and maybe ``start`` and ``end`` (seconds).
        root: folder that paths are relative to.
        most_bytes: of all that is encoded.

    Returns:
        A sound for each row, as far as there is room; that of a file that can't be read is None.
    """
    numbers = [name for name in ("start", "end") if name in rows.columns]
    rows = rows.with_columns(pl.col(numbers).cast(pl.Float64, strict=False))
    sources: list[str | None] = []
    used, trouble, failed = 0, "", 0
    fetcher = Fetcher()  # finds what is in archives, and fetches nothing
    with Decoders(1) as decoders:
        for clip in clips(rows.select("path", *numbers), root):
            try:
                with fetcher.here(_beginning(clip)) as here:
                    encoded = _encoded(windows(decoders, here, MOST_SECONDS))
            except AudioError as error:
                trouble = trouble or f"{error}: {clip.path}"
                failed += 1
                sources.append(None)
                continue
            if used + len(encoded) > most_bytes:
                break
            used += len(encoded)
            sources.append(f"data:audio/mpeg;base64,{base64.b64encode(encoded).decode()}")
    full = len(rows) - len(sources)
    sources += [None] * full
    return Sounds(sources, _said(len(rows) - full - failed, full, failed, trouble, most_bytes))


def _beginning(clip: Clip) -> Clip:
    end = (clip.start or 0.0) + CLIP_SECONDS
    return replace(clip, end=end if clip.end is None else min(clip.end, end))


def _encoded(decoded: Iterator[Samples]) -> bytes:
    content = io.BytesIO()
    soundfile.write(
        content,
        np.concatenate([*decoded]),
        SAMPLE_RATE,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=LEVEL,
    )
    return content.getvalue()


def _said(heard: int, full: int, failed: int, trouble: str, most_bytes: int) -> str:
    said = f"Of {counted(heard, 'row')} the first {CLIP_SECONDS:g} s can be heard"
    if full:
        said += f"; {full} more are left out, for the page holds {decimal(most_bytes)} of sound"
    if failed:
        said += f"; {failed} can't be read ({trouble}): --root names the folder of the files"
    return f"{said}."
