"""Numbers of a row: arousal, valence, dominance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.errors import LabelError, ManifestError
from emobatch.evaluation.agreement import CCC, agreement
from emobatch.training.goals.goal import Goal

if TYPE_CHECKING:
    import torch

# As models are trained, in single precision.
MOST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Attributes(Goal):
    """Numbers.

    Attributes:
        names: of them, which are columns of rows too.
    """

    kind: ClassVar[str] = "regression"
    names: tuple[str, ...]

    @property
    def outputs(self) -> tuple[str, ...]:
        """The attributes."""
        return self.names

    @property
    def columns(self) -> tuple[str, ...]:
        """The attributes."""
        return self.names

    def read(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Read columns of numbers.

        Args:
            rows: of a manifest.

        Returns:
            The rows with their attributes, where empty is null.

        Raises:
            ManifestError: if a column is missing, or holds what is no finite number in single
                precision.
        """
        return rows.with_columns(_numbers(rows, name) for name in self.names)

    def told(self, rows: pl.DataFrame) -> str:
        """From where to where the numbers go: a code for a missing one shows.

        Args:
            rows: with a column for each attribute, at least one row.

        Returns:
            As ``arousal 1 to 5``.
        """
        values = {name: rows[name].to_numpy() for name in self.names}
        return ", ".join(
            f"{name} {each.min():g} to {each.max():g}" for name, each in values.items()
        )

    def check(self, train: pl.DataFrame, val: pl.DataFrame) -> None:
        """Refuse an attribute that is the same everywhere, with which nothing agrees.

        Args:
            train: rows that are trained on.
            val: rows that validate.

        Raises:
            LabelError: names the attribute.
        """
        for rows, what in ((train, "train on"), (val, "validate on")):
            for name in self.names:
                if rows[name].n_unique() == 1:
                    raise LabelError(
                        f"{name} is {rows[name][0]:g} in each of the rows to {what}, so that no "
                        "concordance can be measured; choose other rows, or leave it out of "
                        "--attributes"
                    )

    def targets(self, rows: pl.DataFrame) -> NDArray[np.float32]:
        """The numbers themselves.

        Args:
            rows: with a column for each attribute.

        Returns:
            (rows, attributes).
        """
        return rows.select(self.names).to_numpy().astype(np.float32)

    def results(self, logits: torch.Tensor) -> NDArray[np.float64]:
        """What the model says, as it is.

        Args:
            logits: (rows, attributes).

        Returns:
            (rows, attributes).
        """
        return np.asarray(logits.double().cpu().numpy(), np.float64)

    def figures(self, results: NDArray[np.float64], targets: NDArray[Any]) -> dict[str, float]:
        """The concordance of each attribute, their mean, and the sum of what they lack of 1.

        Args:
            results: (rows, attributes).
            targets: (rows, attributes).

        Returns:
            By name; a concordance is 0 where nothing varies.

        Examples:
            >>> goal = Attributes(("arousal",))
            >>> figures = goal.figures(np.array([[2.0], [3.0], [4.0]]), np.array([[1], [2], [3]]))
            >>> {name: round(value, 4) for name, value in figures.items()}
            {'val_loss': 0.4286, 'CCC': 0.5714}
        """
        found = {}
        for place, name in enumerate(self.names):
            wanted = targets[:, place].astype(np.float64)
            found[name] = float(np.nan_to_num(agreement(wanted, results[:, place])[CCC]))
        values = list(found.values())
        each = {f"CCC_{name}": value for name, value in found.items()} if len(found) > 1 else {}
        return {
            "val_loss": float(sum(1 - value for value in values)),
            CCC: float(np.mean(values)),
            **each,
        }

    def as_dict(self) -> dict[str, Any]:
        """The attributes."""
        return {"attributes": list(self.names)}


def _numbers(rows: pl.DataFrame, name: str) -> pl.Series:
    if name not in rows.columns:
        raise ManifestError(
            f"no column {name!r} to learn; the columns are {', '.join(rows.columns)}"
        )
    text = rows[name].cast(pl.String).str.strip_chars()
    values = text.replace("", None).cast(pl.Float64, strict=False)
    is_number = (values.abs() <= MOST).fill_null(value=False)  # of NaN, too, that doesn't hold
    wrong = text.is_not_null() & (text != "") & ~is_number
    if wrong.any():
        row = wrong.arg_max() or 0
        raise ManifestError(
            f"row {rows['id'][row]!r}: {name} is {rows[name][row]!r}, which is no finite number; "
            f"mend it, or leave it empty ({int(wrong.sum())} rows are like that)"
        )
    return values
