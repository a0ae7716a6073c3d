"""The tables of all shards of a manifest, joined again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Self

import polars as pl

from emobatch.errors import TableError
from emobatch.tables import content, reading, score_table, stored, writing
from emobatch.tables.content import CONTENT

# What a shard's table says of it, see Shard.take.
NUMBERS = ("index", "count", "first", "rows", "manifest_rows")
# Missing shards that a message names.
NAMED = 20


@dataclass(frozen=True)
class Piece:
    """A shard's table.

    Attributes:
        name: its file.
        index: of the shard, from 0.
        count: how many shards there are.
        first: number of its first row in the manifest.
        rows: how many it was written with.
        manifest: digest of the whole manifest.
        manifest_rows: how many that has.
        made: all that is stored with it.
    """

    name: str
    index: int
    count: int
    first: int
    rows: int
    manifest: str
    manifest_rows: int
    made: Mapping[str, Any]

    @classmethod
    def read(cls, name: str) -> Self:
        """Read what is stored with a table.

        Args:
            name: its file.

        Returns:
            The shard that it is of.

        Raises:
            TableError: if it is of none, or was replaced or edited since.
        """
        if stored.was_replaced(name):
            raise TableError(f"{name}: was changed since it was scored; score that shard again")
        made = stored.metadata(name)
        if "shard" not in made:
            raise TableError(f"{name}: not written by `emobatch score --shard`; leave it out")
        note = made["shard"]
        numbers = {key: note.get(key) for key in NUMBERS}
        manifest = note.get("manifest")
        known = all(type(number) is int and number >= 0 for number in numbers.values())
        if not known or not isinstance(manifest, str) or numbers["index"] >= numbers["count"]:
            raise TableError(
                f"{name}: what it says of its shard is nothing that `emobatch score --shard` "
                "writes; score that shard again"
            )
        return cls(name, manifest=manifest, made=made, **numbers)

    def refuse_changed(self) -> None:
        """Refuse a table that has other rows than it was written with.

        Raises:
            TableError: says what differs.
        """
        difference = self._difference()
        if difference:
            raise TableError(
                f"{self.name}: not as it was scored: {difference}; merge what `score --shard` "
                "wrote, and choose rows afterwards"
            )

    def _difference(self) -> str | None:
        noted = self.made.get(CONTENT)
        if noted is not None:
            return content.changed(self.name, noted)
        # Tables of before say no more than how many rows there were.
        with reading.explained(self.name):
            count = reading.scan(self.name).select(pl.len()).collect().item()
        return f"{count} rows where {self.rows} were written" if count != self.rows else None


def merge(sources: Sequence[str], target: Path | None) -> None:
    """Join the tables of all shards of a manifest, in its order.

    Args:
        sources: score tables that `score --shard` wrote, or globs of them.
        target: the table, standard output where None.

    Raises:
        TableError: if a table is no shard or of another run, was cut or edited since, or shards
            are missing or doubled.
        OutputError: if the table can't be written.
    """
    writing.check_target(target, sources=sources)
    pieces = _complete([Piece.read(name) for name in reading.expand(sources)])
    for piece in pieces:
        piece.refuse_changed()
        _refuse_other_thresholds(piece, pieces[0])
    # A table without rows has no types in text, and JSON Lines not even columns.
    filled = [piece.name for piece in pieces if piece.rows] or [pieces[0].name]
    scores = score_table.read(filled)
    provenance = {key: value for key, value in scores.provenance.items() if key != "shard"}
    provenance["manifest"] = pieces[0].manifest
    with reading.explained(scores.name):
        if CONTENT in provenance:
            provenance[CONTENT] = content.described_as(scores.rows, provenance[CONTENT])
        writing.write(scores.rows, target, provenance)


def _complete(pieces: Sequence[Piece]) -> list[Piece]:
    first = pieces[0]
    by_index: dict[int, Piece] = {}
    for piece in pieces:
        same = ("manifest", "count", "manifest_rows")
        if any(getattr(piece, key) != getattr(first, key) for key in same):
            raise TableError(f"{piece.name}: a shard of another manifest or split; leave it out")
        if piece.index in by_index:
            twin = by_index[piece.index].name
            raise TableError(f"{piece.name}: the same shard {piece.index} as {twin}; leave one out")
        by_index[piece.index] = piece
    return _in_order(by_index, first)


def _refuse_other_thresholds(one: Piece, other: Piece) -> None:
    # That some of a final table's rows were decided otherwise would not show.
    if one.made.get("thresholds") != other.made.get("thresholds"):
        raise TableError(
            f"{one.name} and {other.name} were not decided by the same thresholds; merge the score "
            "tables, and apply thresholds to the whole"
        )


def _in_order(by_index: Mapping[int, Piece], any_piece: Piece) -> list[Piece]:
    pieces = [by_index[index] for index in sorted(by_index)]
    row = 0
    for piece in pieces:
        if piece.first != row:
            break
        row += piece.rows
    # A shard to which no row fell has no table, and is none the less there.
    if row != any_piece.manifest_rows:
        count = any_piece.count
        missing = (str(index) for index in range(count) if index not in by_index)
        named = ", ".join(islice(missing, NAMED)) or "some rows"
        raise TableError(f"shards missing: {named} of {count}; score them with --shard I/{count}")
    return pieces
