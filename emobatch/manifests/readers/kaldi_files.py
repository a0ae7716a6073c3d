"""Files of Kaldi's data directories: a key on each line, and what belongs to it after a blank."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from emobatch.errors import ManifestError
from emobatch.tasks.labels import nearest

# Names of the columns of a file that was read: the line's number from 1, its first word, the rest.
LINE, KEY, VALUE = pl.col("line"), pl.col("key"), pl.col("value")
# A letter that no such file has: each line is one field.
NOTHING = "\x1f"
# Fields of a segment after its name, in order.
OF_SEGMENTS = ("a recording", "a start in seconds", "an end in seconds")
# Recordings that a name is compared with for a message.
COMPARED = 1000


def lines(file: Path) -> pl.LazyFrame:
    """Open a file.

    Args:
        file: where it is.

    Returns:
        ``line``, ``key`` and ``value``, which is null where there is nothing after the key. Blank
        lines are left out.
    """
    whole = pl.col("whole")
    if not file.stat().st_size:
        raise ManifestError(f"{file.name}: is empty; each line has a name, and what belongs to it")
    return (
        pl.scan_csv(
            file,
            separator=NOTHING,
            quote_char=None,
            has_header=False,
            schema={"whole": pl.String},
            encoding="utf8-lossy",
            glob=False,
            truncate_ragged_lines=True,
        )
        .with_row_index("line", offset=1)
        .with_columns(whole.str.strip_chars(" \t\r\ufeff"))
        .filter(whole != "")
        .select(
            "line",
            key=whole.str.extract(r"^(\S+)"),
            value=whole.str.extract(r"^\S+\s+(.*)$"),
        )
    )


def pairs(file: Path, what: str | None) -> pl.LazyFrame:
    """Open a file of keys and values.

    Args:
        file: where it is.
        what: what has to stand after each key, None where nothing has to.

    Returns:
        Its lines.

    Raises:
        ManifestError: if something is missing; names the first such line.
    """
    found = lines(file)
    if what is not None:
        _refuse(file, found.filter(VALUE.is_null()), f"has no {what} after it")
    return found


def refuse_commands(file: Path, recordings: pl.LazyFrame) -> None:
    """Refuse recordings that are no files.

    Args:
        file: the wav.scp.
        recordings: its lines.

    Raises:
        ManifestError: names the first that is a command's output or in an archive.
    """
    name = shlex.quote(str(file))
    loop = f'while read -r id cmd; do bash -c "${{cmd%|}}" > "wav/$id.wav"; done < {name}'
    is_command = VALUE.str.ends_with("|") | (VALUE == "-")
    is_archived = VALUE.str.contains(r"\.ark:\d+(\[.*\])?$")
    found = recordings.filter(is_command | is_archived)
    first = found.select(LINE, KEY, is_command.alias("command")).first().collect()
    for number, key, command in first.rows():
        if command:
            what = (
                "the output of a command, and none is ever run; if you trust them all, write "
                f"their output to files: `mkdir wav && {loop}`, and name these"
            )
        else:
            what = (
                "in one of Kaldi's archives, which aren't read; `wav-copy` writes what is in them "
                "to files: name these"
            )
        raise ManifestError(f"{file.name}: line {number}: {key!r} is {what}")


def refuse_doubled(file: Path, found: pl.LazyFrame) -> None:
    """Refuse a key that stands on two lines.

    Args:
        file: where it is.
        found: its lines.

    Raises:
        ManifestError: names the key and its second line.
    """
    # By hash: 8 bytes for each line, and the keys themselves only if something is wrong.
    counts = found.select(keys=KEY.hash().n_unique(), lines=pl.len())
    if not counts.select(pl.col("keys") == pl.col("lines")).collect(engine="streaming").item():
        _refuse(file, found.filter(~KEY.is_first_distinct()), "stands on a line before; leave one")


def refuse_text(file: Path, found: pl.LazyFrame, numbers: Mapping[str, pl.Expr]) -> None:
    """Refuse values that aren't numbers.

    Args:
        file: where they are.
        found: its lines.
        numbers: what each is for a message, with its text.

    Raises:
        ManifestError: names the first line.
    """
    for what, value in numbers.items():
        broken = value.is_null() | value.cast(pl.Float64, strict=False).is_null()
        first = found.filter(broken).select(LINE, KEY, value.alias("value")).first().collect()
        for number, key, text in first.rows():
            given = "nothing" if text is None else repr(text)
            message = f"{file.name}: line {number}: {key!r} has {given}, not {what}; mend it"
            raise ManifestError(message)


def segments(file: Path, recordings: pl.LazyFrame, wav_scp: Path) -> pl.LazyFrame:
    """Open a file of segments.

    Args:
        file: where it is.
        recordings: ``recording`` and ``path``.
        wav_scp: the file that they are from, for a message.

    Returns:
        ``id``, ``recording``, ``start``, ``end``: null where Kaldi's -1 stands for the end.

    Raises:
        ManifestError: if a line makes no sense, or names a recording that isn't there.
    """
    found = pairs(file, None)
    refuse_doubled(file, found)
    fields = VALUE.str.extract_groups(r"^(\S+)(?:\s+(\S+))?(?:\s+(\S+))?(?:\s+(\S+))?\s*$")
    found = found.with_columns(fields=fields).with_columns(
        recording=pl.col("fields").struct[0],
        start=pl.col("fields").struct[1],
        end=pl.col("fields").struct[2],
    )
    start, end = pl.col("start"), pl.col("end")
    _refuse_fields(file, found)
    _refuse_unknown(file, found, recordings, wav_scp)
    seconds = end.cast(pl.Float64)
    return found.select(
        "recording",
        id=KEY,
        start=start.cast(pl.Float64),
        end=pl.when(seconds != -1).then(seconds),
    )


def _refuse_fields(file: Path, found: pl.LazyFrame) -> None:
    # In one pass: a million lines are read in parts no more often than they must be.
    fields = [pl.col(name) for name in ("recording", "start", "end")]
    are_none = [
        fields[0].is_null(),
        *(each.cast(pl.Float64, strict=False).is_null() for each in fields[1:]),
    ]
    first = found.filter(pl.any_horizontal(are_none)).select(LINE, KEY, *fields).first().collect()
    for number, key, *values in first.rows():
        is_wrong = first.select(each.alias(str(n)) for n, each in enumerate(are_none)).row(0)
        place = is_wrong.index(True)
        given = "nothing" if values[place] is None else repr(values[place])
        raise ManifestError(
            f"{file.name}: line {number}: {key!r} has {given}, not {OF_SEGMENTS[place]}; mend it"
        )


def _refuse_unknown(
    file: Path, found: pl.LazyFrame, recordings: pl.LazyFrame, wav_scp: Path
) -> None:
    unknown = found.join(recordings, on="recording", how="anti", maintain_order="left")
    for number, key, name in unknown.select(LINE, KEY, "recording").first().collect().rows():
        names = recordings.select("recording").head(COMPARED).collect()["recording"].to_list()
        near = nearest(name, names)
        meant = f"; did you mean {near!r}?" if near else ""
        raise ManifestError(
            f"{file.name}: line {number}: {key!r} is of recording {name!r}, which isn't in "
            f"{wav_scp.name}{meant}"
        )


def _refuse(file: Path, broken: pl.LazyFrame, what: str) -> None:
    for number, key in broken.select(LINE, KEY).first().collect(engine="streaming").rows():
        raise ManifestError(f"{file.name}: line {number}: {key!r} {what}")
