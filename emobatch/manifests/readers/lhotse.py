"""lhotse: cuts in JSON Lines, as ``cuts.jsonl.gz``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from emobatch.errors import ManifestError
from emobatch.manifests.readers.json_rows import JsonReader, ended, others, seconds, text

# By how much a cut may differ from its recording and be the whole of it, in seconds.
CLOSE = 1e-3
# Keys of a supervision's or a cut's own data that hold its label.
LABELS = ("emotion", "label")
OF_SUPERVISION = {"start", "duration", "channel", "recording_id", "text", "speaker", "custom", "id"}


class LhotseReader(JsonReader):
    """Reads cuts: a row for each, or for each supervision where one has several."""

    marks = ("id", "recording", "type")
    endings = (".jsonl", ".jsonl.gz")
    path_key = "recording"

    def rows(self, found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Make the rows of one cut.

        Args:
            found: the object of a line.

        Yields:
            Values by column.

        Raises:
            ManifestError: if its audio isn't that of one file.
        """
        recording = _recording(found)
        start, duration = seconds(found, "start") or 0.0, seconds(found, "duration")
        supervisions = found.get("supervisions") or []
        if not _is_list_of_objects(supervisions):
            raise ManifestError("'supervisions' is no list of objects")
        row = {
            "path": _file(recording),
            "id": text(found, "id"),
            **_bounds(start, duration, seconds(recording, "duration")),
        }
        own = {"recording_id": recording.get("id"), "channel": found.get("channel")}
        own |= _custom(found)
        if len(supervisions) == 1:
            yield {**row, **own, **_said(supervisions[0])}
        elif not supervisions:
            yield {**row, **own}
        for each in supervisions if len(supervisions) > 1 else ():
            begins = round(start + (seconds(each, "start") or 0.0), 5)
            bounds = {"start": begins, "end": ended(begins, seconds(each, "duration"))}
            segment = {"id": text(each, "id"), "cut": row["id"]}
            yield {**row, **bounds, **segment, **own, **_said(each)}


def _recording(found: Mapping[str, Any]) -> Mapping[str, Any]:
    kind = found.get("type")
    if kind not in ("MonoCut", "MultiCut", "Cut"):
        raise ManifestError(
            f"is {repr(kind)[:40] if kind else 'no cut'}, and only cuts of one recording "
            "are read; `lhotse cut simple` makes them, `cuts.save_audios` writes others to files"
        )
    recording = found.get("recording")
    if not isinstance(recording, Mapping):
        raise ManifestError("a cut without 'recording', so that its file isn't known; keep it")
    if recording.get("transforms"):
        raise ManifestError(
            "its recording is changed when it is loaded ('transforms'), which isn't done here; "
            "write it to a file with `cuts.save_audios`"
        )
    return recording


def _file(recording: Mapping[str, Any]) -> str:
    sources = recording.get("sources") or []
    if not _is_list_of_objects(sources) or len(sources) != 1:
        raise ManifestError("its recording is not of one file; write it to one")
    (source,) = sources
    kind = source.get("type")
    if kind == "command":
        raise ManifestError(
            "its recording is the output of a command, which is never run; write it to a file "
            "with `cuts.save_audios`"
        )
    if kind not in ("file", "url"):
        raise ManifestError(
            f"its recording is of type {str(kind)[:40]!r}, no file; write it to one with "
            "`cuts.save_audios`"
        )
    return text(source, "source")


def _bounds(start: float, duration: float | None, whole: float | None) -> dict[str, float | None]:
    if start == 0 and (duration is None or ((whole or 0.0) <= duration + CLOSE and whole)):
        return {"start": None, "end": None}
    return {"start": start, "end": ended(start, duration)}


def _said(supervision: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        "transcript": supervision.get("text"),
        "speaker": supervision.get("speaker"),
        **_custom(supervision),
    }
    return {**found, **others(supervision, OF_SUPERVISION, found)}


def _custom(found: Mapping[str, Any]) -> dict[str, Any]:
    custom = found.get("custom")
    if not isinstance(custom, Mapping):
        return {}
    row = dict(custom)
    for key in LABELS:
        if key in row:
            return {"label": row.pop(key), **row}
    return row


def _is_list_of_objects(value: Any) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and all(isinstance(each, Mapping) for each in value)
    )
