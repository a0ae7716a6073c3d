"""Rows of whole recordings, cut into rows of their segments."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.errors import AudioError, ManifestError
from emobatch.manifests.clips import clips
from emobatch.manifests.decoders import Decoders
from emobatch.manifests.fetching import Fetcher
from emobatch.manifests.orders import windows
from emobatch.manifests.readers.spool import spooled
from emobatch.manifests.segments import voice_activity
from emobatch.manifests.segments.form import Segment
from emobatch.manifests.segments.registry import FORMS
from emobatch.storage.address import Place
from emobatch.tables.decoded import decoded
from emobatch.tasks.labels import MOST_COMPARED, nearest

log = logging.getLogger(__name__)

VAD = "vad"
NAMED = 3


@dataclass(frozen=True)
class Cutting:
    """How recordings are cut.

    Attributes:
        file: a file or a folder of segments, None without.
        by: ``vad``: by voice activity; None without.
    """

    file: Path | None = None
    by: str | None = None

    def __bool__(self) -> bool:
        """Whether anything is cut."""
        return self.file is not None or self.by is not None

    def cut(
        self, rows: pl.LazyFrame, root: Place, fetcher: Fetcher, *, confine: bool
    ) -> pl.LazyFrame:
        """Cut recordings.

        Args:
            rows: a manifest's, of whole files.
            root: folder that their paths are relative to.
            fetcher: fetches files that aren't here.
            confine: let files fail that are outside of it.

        Returns:
            A row for each segment, in the recordings' order, with ``start`` and ``end``, and
            ``speaker`` and ``transcript`` where the segments have them; all other columns are
            those of the recording.

        Raises:
            ManifestError: if rows are segments already, or segments are of no recording.
        """
        names = rows.collect_schema().names()
        frame = rows.collect()
        bounds = [name for name in ("start", "end") if name in names]
        if frame.select(
            pl.any_horizontal(pl.lit(False), pl.col(bounds).is_not_null()).any()
        ).item():
            raise ManifestError("its rows are segments already, and can't be cut; leave that out")
        if self.file is not None:
            found = _of_file(self.file, frame["path"].cast(pl.String).to_list())
        else:
            found = _by_voice(frame, root, fetcher, confine=confine)
        return spooled(_rows(frame.drop(bounds), found), names)


def _rows(
    frame: pl.DataFrame, found: Iterator[Sequence[Segment] | None]
) -> Iterator[dict[str, Any]]:
    silent: list[str] = []
    for row, segments in zip(frame.iter_rows(named=True), found, strict=True):
        if segments is None:
            # Whatever is wrong with it is said where it is scored.
            yield {**row, "id": row.get("id") or row["path"]}
        elif not segments:
            silent.append(row["path"])
        for each, number in _numbered(segments or ()):
            bounds = "-".join(str(float(t)).removesuffix(".0") for t in (each.start, each.end))
            again = f":{number}" if number > 1 else ""
            whole = row.get("id") or row["path"]
            cut: dict[str, Any] = {
                "start": each.start,
                "end": each.end,
                "id": f"{whole}#{bounds}{again}",
            }
            if each.speaker is not None:
                cut["speaker"] = each.speaker
            if each.text is not None:
                cut["transcript"] = each.text
            yield {**row, **cut}
    if silent:
        log.warning(
            "note: %d recordings without a segment left out: %s",
            len(silent),
            ", ".join(silent[:NAMED]) + (", …" if len(silent) > NAMED else ""),
        )


def _numbered(segments: Sequence[Segment]) -> Iterator[tuple[Segment, int]]:
    # Two may speak from and to the very same moment.
    seen: Counter[tuple[float, float]] = Counter()
    for each in segments:
        seen[each.start, each.end] += 1
        yield each, seen[each.start, each.end]


def _of_file(source: Path, paths: Sequence[str]) -> Iterator[Sequence[Segment] | None]:
    by_name = _by_name(paths)
    found: dict[int, list[Segment]] = {}
    for file in _files(source):
        try:
            segments = [*FORMS[file.suffix.lower()]().segments(decoded(file.read_bytes()))]
        except ManifestError as error:
            raise ManifestError(f"{file}: {error}") from error
        for each in segments:
            if each.end <= each.start:
                raise ManifestError(
                    f"{file}: {each.place}: ends at {each.end:g} s, not after its start at "
                    f"{each.start:g} s; mend or drop it"
                )
            only = 0 if len(paths) == 1 and file == source and each.recording is None else None
            name = each.recording or file.stem
            place = by_name.get(name) if only is None else only
            if place is None:
                near = nearest(name, list(by_name)[:MOST_COMPARED])
                meant = f"; did you mean {near!r}?" if near else ""
                raise ManifestError(f"{file}: no recording is called {name!r}{meant}")
            found.setdefault(place, []).append(each)
    return iter([sorted(found.get(n, []), key=_when) for n in range(len(paths))])


def _when(segment: Segment) -> tuple[float, float]:
    return segment.start, segment.end


def _by_name(paths: Sequence[str]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for place, path in enumerate(paths):
        for name in {Path(path).stem, Path(path).name, path}:
            if found.setdefault(name, place) != place:
                raise ManifestError(
                    f"{paths[found[name]]} and {path} are both called {name!r}, so that segments "
                    "don't say which they are of; cut them one at a time"
                )
    return found


def _files(source: Path) -> list[Path]:
    known = ", ".join(FORMS)
    if source.is_dir():
        files = sorted(each for each in source.rglob("*") if each.suffix.lower() in FORMS)
        if not files:
            raise ManifestError(f"{source}: no segments in it, in files that end in {known}")
        return files
    if not source.is_file():
        raise ManifestError(f"{source}: no such file or folder of segments")
    if source.suffix.lower() not in FORMS:
        raise ManifestError(f"{source}: segments are read of files that end in {known}")
    return [source]


def _by_voice(
    frame: pl.DataFrame, root: Place, fetcher: Fetcher, *, confine: bool
) -> Iterator[Sequence[Segment] | None]:
    paths = frame.with_columns(pl.col("path").cast(pl.String))
    with Decoders(1) as decoders:  # each recording is decoded while it is looked at
        for clip in clips(paths, root, confine=confine):
            try:
                with fetcher.here(clip) as here:
                    spoken = voice_activity.utterances(windows(decoders, here))
                    segments = [Segment(start, end) for start, end in spoken]
                yield segments
            except AudioError as error:
                log.warning("note: %s: not cut: %s", clip.path, error)
                yield None
