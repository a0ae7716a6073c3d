"""Ridge as a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.errors import CalibrationError, TableError, ThresholdsError
from emobatch.fusion import evidence
from emobatch.fusion.checks import check_names, is_number, table
from emobatch.fusion.description import Section, Table, Value
from emobatch.fusion.evidence import Floats
from emobatch.fusion.method import Method
from emobatch.fusion.pooling import FUSION, NO_TEXT
from emobatch.fusion.ridge.regression import Line, choose_strength
from emobatch.fusion.ridge.rows import inputs, label_of
from emobatch.splits.scheme import deal
from emobatch.tables.attributes import DECIDED_BY, SPEECH, TEXT
from emobatch.tasks.spellings import ATTRIBUTES
from emobatch.tasks.task import Task

GRID, SPEAKER = "grid", "speaker"
PARTS = 5
FEWEST_ROWS = 5
BOTH, ALONE = "both", "no-text"
OFFSET = "offset"
_Fit = tuple[Line, float, Mapping[float, float]]


@dataclass(frozen=True)
class Ridge(Method):
    """Attributes of both branches, fused by a linear regression with an L2 penalty.

    Attributes:
        task: the classes of the table; it decides none of them.
        lines: by ``both`` (of rows of which both branches say something) and ``no-text``, and by
            attribute; ``both`` has none where no labelled row had text.
        read: by ``both`` and ``no-text``, the columns that each line is of, in order.
        strengths: of the penalty, by ``both`` and ``no-text`` and by attribute.
        tried: CCC of each strength, where one was chosen.
    """

    name = "ridge"
    header = (
        "Each attribute is the sum of its weights times these columns, and of its offset. Rows of\n"
        "which the text branch says nothing go by [ridge.no-text]."
    )
    reads_text = False
    score_options = ("attribute_range",)
    of_attributes = True
    beside: ClassVar[tuple[str, ...]] = ()

    task: Task
    lines: Mapping[str, Mapping[str, Line]]
    read: Mapping[str, Sequence[str]]
    strengths: Mapping[str, Mapping[str, float]]
    tried: Mapping[str, Mapping[str, Mapping[float, float]]] = field(default_factory=dict)

    @cached_property
    def columns(self) -> Mapping[str, type[pl.DataType]]:  # type: ignore[override]
        """What :meth:`decide` adds: the attributes, and what decided them."""
        return {**dict.fromkeys(self.lines[ALONE], pl.Float64), DECIDED_BY: pl.String}

    @classmethod
    def fit(cls, rows: pl.DataFrame, task: Task, **options: Any) -> Self:
        """Fit a line for each attribute that has labels.

        Args:
            rows: see :func:`emobatch.fusion.ridge.rows.attribute_rows`; ``speaker`` where the
                penalty is to be chosen.
            task: the classes of the table.
            options: ``alpha`` as on the command line.

        Returns:
            The method, the same in whatever order the rows are.

        Raises:
            CalibrationError: if there are too few rows, or speakers.
        """
        mine = inputs(rows.columns)
        labels = [name for name in ATTRIBUTES if label_of(name) in rows.columns]
        read = {BOTH: [*mine[SPEECH], *mine[TEXT]], ALONE: mine[SPEECH]}
        by = [*read[BOTH], *(label_of(name) for name in labels)]
        # In one order, whatever order the table is in: sums then have the same bits.
        rows = rows.sort([*by, *([SPEAKER] if SPEAKER in rows.columns else [])], nulls_last=True)
        fitted: dict[str, dict[str, _Fit]] = {BOTH: {}, ALONE: {}}
        for name, columns in read.items():
            values = _numbers(rows, columns)
            for attribute in labels:
                label = _numbers(rows, [label_of(attribute)])[:, 0]
                known = np.isfinite(label) & np.isfinite(values).all(axis=1)
                if name == BOTH and (not mine[TEXT] or known.sum() < FEWEST_ROWS):
                    continue
                part = _parts(rows.filter(pl.Series(known)), options.get("alpha", GRID))
                fitted[name][attribute] = _line(values[known], label[known], part, attribute)
        lines, strengths, tried = (
            {
                name: {each: fit[place] for each, fit in mine.items()}
                for name, mine in fitted.items()
            }
            for place in range(3)
        )
        return cls(task, lines, read, strengths, tried)  # type: ignore[arg-type]

    def decide(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Predict the attributes of each row.

        Args:
            rows: a score table whose attributes are numbers, see
                :func:`emobatch.tables.attributes.with_numbers`.

        Returns:
            The rows with ``arousal``, ``valence``, ``dominance``, as far as they were fitted, and
            ``attributes_by``: ``fusion``, ``no-text``, or null where the speech branch says
            nothing.

        Raises:
            TableError: if a column is missing.
        """
        names = rows.collect_schema().names()
        wanted = list(dict.fromkeys([*self.read[BOTH], *self.read[ALONE]]))
        for name in wanted:
            if name not in names:
                raise TableError(
                    f"no column {name!r}, which the method was fitted on; score with the same "
                    "--attribute-model and --text-attribute-model, or calibrate on this table"
                )
        return evidence.with_computed(rows, wanted, self._decided, self.columns)

    def needs_text(self) -> pl.Expr:
        """Say that any row's attributes can depend on the text branch."""
        return pl.col(self.task.speech_columns[0]).is_not_null()

    def to_document(self) -> dict[str, Any]:
        """Lay out each attribute's weights by column, and its offset."""
        parts = {
            name: {
                attribute: {
                    **dict(zip(self.read[name], line.weights.tolist(), strict=True)),
                    OFFSET: line.offset,
                    "alpha": self.strengths[name][attribute],
                }
                for attribute, line in lines.items()
            }
            for name, lines in self.lines.items()
            if lines
        }
        return {self.name: parts}

    @classmethod
    def from_document(cls, document: Mapping[str, Any], task: Task) -> Self:
        """Read what :meth:`to_document` gave, maybe edited by hand.

        Args:
            document: the file.
            task: the classes.

        Returns:
            The method.

        Raises:
            ThresholdsError: names what is misspelt, missing or no number.
        """
        check_names(document, (cls.name, "fitted"), "the file")
        section = table(document, cls.name)
        check_names(section, (BOTH, ALONE), f"[{cls.name}]")
        lines: dict[str, dict[str, Line]] = {}
        read: dict[str, list[str]] = {}
        strengths: dict[str, dict[str, float]] = {}
        known = [f"{prefix}{name}" for prefix in (SPEECH, TEXT) for name in ATTRIBUTES]
        for name in (BOTH, ALONE):
            where = f"{cls.name}.{name}"
            part = table(section, name, f"{cls.name}.")
            check_names(part, ATTRIBUTES, f"[{where}]")
            rows = {each: table(part, each, f"{where}.") for each in part}
            for each, row in rows.items():
                check_names(row, (*known, OFFSET, "alpha"), f"[{where}.{each}]")
                for column, value in row.items():
                    if not is_number(value) or not np.isfinite(value):
                        raise ThresholdsError(
                            f"{where}.{each}.{column} is {value!r}; a number is wanted"
                        )
            read[name] = [each for each in known if any(each in row for row in rows.values())]
            lines[name] = {
                each: Line(
                    np.array([float(row.get(column, 0.0)) for column in read[name]]),
                    float(row.get(OFFSET, 0.0)),
                )
                for each, row in rows.items()
            }
            strengths[name] = {each: float(row.get("alpha", 1.0)) for each, row in rows.items()}
        if not lines[ALONE]:
            raise ThresholdsError(f"no [{cls.name}.{ALONE}.ATTRIBUTE] in it; calibrate again")
        return cls(task, lines, read, strengths)

    def describe(self) -> Sequence[Section]:
        """Show the penalties, and what they were chosen by."""
        rows = []
        for name, lines in self.lines.items():
            for attribute in lines:
                strength = self.strengths[name][attribute]
                tried = self.tried.get(name, {}).get(attribute, {})
                left_out = Value(tried[strength], 3) if strength in tried else None
                rows.append((f"{attribute}, {name}", f"{strength:g}", left_out))
        heading = ("attribute, rows", "alpha", "CCC, leaving speakers out")
        return [Section("Ridge", (Table("Ridge", heading, tuple(rows)),))]

    def predicted(self, rows: pl.DataFrame) -> tuple[dict[str, Floats], NDArray[np.bool_]]:
        """Predict attributes as arrays.

        Args:
            rows: with the columns that the lines are of.

        Returns:
            By attribute (rows,), NaN where nothing is known; and (rows,) whether both branches
            count.
        """
        both, alone = (_numbers(rows, self.read[name]) for name in (BOTH, ALONE))
        told = np.asarray(np.isfinite(both).all(axis=1) & bool(self.lines[BOTH]))
        heard = np.isfinite(alone).all(axis=1)
        found = {}
        for attribute, line in self.lines[ALONE].items():
            values = line.of(alone)
            if attribute in self.lines[BOTH]:
                values = np.where(told, self.lines[BOTH][attribute].of(both), values)
            found[attribute] = np.where(heard, values, np.nan)
        return found, told

    def _decided(self, rows: pl.DataFrame) -> Mapping[str, Any]:
        found, told = self.predicted(rows)
        heard = np.isfinite(next(iter(found.values())))
        by = np.where(heard, np.where(told, 0, 1), 2)
        return {
            **{name: pl.Series(values, nan_to_null=True) for name, values in found.items()},
            DECIDED_BY: pl.Series([FUSION, NO_TEXT, None]).gather(by),
        }


def _line(
    values: Floats, labels: Floats, penalty: float | NDArray[np.intp], attribute: str
) -> _Fit:
    if len(labels) < FEWEST_ROWS:
        raise CalibrationError(
            f"{len(labels)} rows have a label of {attribute} and scores, {FEWEST_ROWS} are needed; "
            "label more rows, or leave that column out"
        )
    if isinstance(penalty, float):
        return Line.fit(values, labels, penalty), penalty, {}
    strength, tried = choose_strength(values, labels, penalty)
    return Line.fit(values, labels, strength), strength, tried


def _parts(rows: pl.DataFrame, alpha: float | str) -> float | NDArray[np.intp]:
    # The penalty, or the parts that rows are left out in to choose it.
    if alpha != GRID:
        return float(alpha)
    names = rows[SPEAKER].cast(pl.String) if SPEAKER in rows.columns else pl.Series([None])
    if names.drop_nulls().n_unique() < 2:
        raise CalibrationError(
            "--alpha grid leaves speakers out, and labelled rows name fewer than two; add a column "
            "'speaker', or give a number"
        )
    found = np.full(len(rows), -1)  # whose a row is that names nobody can't be said
    for number, group in enumerate(deal(names.drop_nulls(), PARTS, 2)):
        found[names.is_in(group).fill_null(value=False).to_numpy()] = number
    return found


def _numbers(rows: pl.DataFrame, names: Sequence[str]) -> Floats:
    taken = rows.select(pl.col(list(names)).cast(pl.Float64).fill_null(float("nan")))
    return np.array(taken.to_numpy(), dtype=np.float64)
