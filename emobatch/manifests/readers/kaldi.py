"""Kaldi data directories: wav.scp, and segments, utt2spk, text, utt2dur and others if there."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from emobatch.errors import ManifestError
from emobatch.manifests.readers import kaldi_files
from emobatch.manifests.readers.kaldi_files import KEY, VALUE
from emobatch.manifests.readers.reader import Reader, where_first_is

WAV_SCP, SEGMENTS = "wav.scp", "segments"
# Columns of files that Kaldi itself names; any other utt2NAME becomes a column NAME.
COLUMNS = {"utt2spk": "speaker", "text": "transcript", "utt2dur": "duration"}
LABELS = ("utt2emo", "utt2emotion", "utt2label")
OF_UTTERANCES = re.compile(r"utt2([A-Za-z]\w*)")
OF_SPEAKERS = re.compile(r"spk2([A-Za-z]\w*)")
# What says the same again, or belongs to features.
LEFT_OUT = ("spk2utt", "utt2num_frames", "utt2uniq")
NUMBERS = ("duration",)


class KaldiReader(Reader):
    """Reads a data directory: a row for each segment, or for each recording without segments."""

    def takes(self, source: str) -> bool:
        """Whether there is a wav.scp.

        Args:
            source: a folder, or a wav.scp itself.

        Returns:
            True where there is.
        """
        return (Path(source) / WAV_SCP).is_file() or Path(source).name == WAV_SCP

    def scan(self, source: str) -> pl.LazyFrame:
        """Open the folder's files; they are joined as they are read.

        Args:
            source: the folder, or its wav.scp.

        Returns:
            ``id``, ``path``, ``start``, ``end``, and a column for each other file.

        Raises:
            ManifestError: if a line makes no sense, or names a command; names file and line.
        """
        folder = _folder(source)
        recordings = kaldi_files.pairs(folder / WAV_SCP, "path")
        kaldi_files.refuse_commands(folder / WAV_SCP, recordings)
        kaldi_files.refuse_doubled(folder / WAV_SCP, recordings)
        recordings = recordings.select(recording=KEY, path=VALUE)
        if (folder / SEGMENTS).is_file():
            segments = kaldi_files.segments(folder / SEGMENTS, recordings, folder / WAV_SCP)
            rows = segments.join(recordings, on="recording", how="left", maintain_order="left")
        else:
            rows = recordings.rename({"recording": "id"})
        for name, file in _files(folder).items():
            rows = _joined(rows, file, name)
        known = [name for name in ("id", "path", "start", "end") if name in rows.collect_schema()]
        return rows.select(*known, pl.exclude(known))

    def root(self, source: str) -> Path:
        """Say what paths are relative to.

        Args:
            source: the folder, or its wav.scp.

        Returns:
            The folder, or the working folder where the first path is only there: Kaldi's own
            recipes write paths from where they are run.
        """
        folder = _folder(source)
        try:
            first = kaldi_files.lines(folder / WAV_SCP).select(VALUE).first().collect().item()
        except (pl.exceptions.PolarsError, OSError, ValueError, ManifestError):
            return folder  # said by whoever reads it
        return where_first_is(source, first, [folder])

    def place(self, source: str, row: int) -> str:
        """Say where a row is, for a message.

        Args:
            source: the folder, or its wav.scp.
            row: the row's number, from 0.

        Returns:
            The line of ``segments``, or without it of ``wav.scp``.
        """
        folder = _folder(source)
        file = folder / (SEGMENTS if (folder / SEGMENTS).is_file() else WAV_SCP)
        number = kaldi_files.lines(file).select("line").slice(row, 1).collect().item()
        return f"{file.name}: line {number}"


def _folder(source: str) -> Path:
    path = Path(source)
    if path.name == WAV_SCP and not path.is_dir():
        path = path.parent
    if not (path / WAV_SCP).is_file():
        raise ManifestError(f"no {WAV_SCP} in it, which each of Kaldi's data directories has")
    return path


def _files(folder: Path) -> dict[str, Path]:
    found = {name: folder / file for file, name in COLUMNS.items() if (folder / file).is_file()}
    for file in sorted(folder.iterdir()):
        named = OF_UTTERANCES.fullmatch(file.name)
        if named is None or not file.is_file() or file.name in (*COLUMNS, *LEFT_OUT):
            continue
        name = "label" if file.name in LABELS else named[1]
        if name in found or name in ("id", "path", "start", "end", "recording"):
            raise ManifestError(f"{file.name}: a second file for the column {name!r}; move one")
        found[name] = file
    # After those of utterances: they go by the speaker.
    for file in sorted(folder.iterdir()):
        named = OF_SPEAKERS.fullmatch(file.name)
        if named and file.is_file() and file.name not in LEFT_OUT and "speaker" in found:
            found.setdefault(named[1], file)
    return found


def _joined(rows: pl.LazyFrame, file: Path, name: str) -> pl.LazyFrame:
    # An utterance without words has a line with its name alone.
    pairs = kaldi_files.pairs(file, None)
    kaldi_files.refuse_doubled(file, pairs)
    value = VALUE
    if name in NUMBERS:
        kaldi_files.refuse_text(file, pairs, {"a number of seconds": VALUE})
        value = VALUE.cast(pl.Float64)
    on = "speaker" if file.name.startswith("spk2") else "id"
    return rows.join(
        pairs.select(KEY.alias(on), value.alias(name)), on=on, how="left", maintain_order="left"
    )
