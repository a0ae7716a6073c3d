"""Centring by speaker: what is common to all rows of a speaker says nothing of a single one.

Batch scoring knows all rows of a speaker, labelled or not; a live recogniser doesn't.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.fusion.evidence import Floats

# The column that names them.
SPEAKER = "speaker"
# Rows of the overall mean that a speaker's own mean is joined with.
PRIOR_ROWS = 10.0
# Rows of each class that a speaker's composition begins with.
CLASS_ROWS = 5.0
# A speaker whose composition comes to fewer than this share of the classes has few of them.
FEW_CLASSES = 0.8
MOST_STEPS, TOLERANCE = 1000, 1e-9
# A verdict is clear where this many more steps like the last would not change it.
CLEAR = 50
# Sums are of whole multiples of 1 / UNITS, which have the same bits in whatever order rows come.
UNITS = 2.0**26
# Speakers whose numbers fit 16 bits.
SHORT = 2**16

log = logging.getLogger(__name__)


def numbered(names: pl.Series) -> tuple[NDArray[np.intp], list[str]]:
    """Number speakers.

    Args:
        names: (rows,) of the speakers, null where a row names none.

    Returns:
        (rows,) numbers from 0, and the name of each number. Rows that name no speaker are taken for
        one, and a note says how many.
    """
    unnamed = names.null_count()
    if unnamed:
        log.warning("note: %d rows name no speaker, and are centred as if they were one's", unnamed)
    named = names.cast(pl.String).fill_null("")
    known = named.unique().sort()
    numbers = named.cast(pl.Enum(known)).to_physical().to_numpy().astype(np.intp)
    return numbers, known.to_list()


@dataclass(frozen=True)
class Speakers:
    """The rows of each speaker.

    Attributes:
        number: (rows,) number of the row's speaker, from 0.
        rows: (speakers,) how many rows each has.
    """

    number: NDArray[np.intp]
    rows: Floats

    @classmethod
    def of(cls, number: NDArray[np.intp]) -> Speakers:
        """Count rows.

        Args:
            number: (rows,) of the speaker, from 0 and without gaps.

        Returns:
            The speakers.
        """
        return cls(number, np.bincount(number).astype(np.float64))

    def sums(self, values: Floats) -> Floats:
        """Sums over each speaker's rows, the same in whatever order these are.

        Args:
            values: (rows, columns).

        Returns:
            (speakers, columns).
        """
        whole = np.rint(np.ascontiguousarray(values.T) * UNITS)
        count = len(self.rows)
        sums = [np.bincount(self.number, column, minlength=count) for column in whole]
        return np.stack(sums, axis=1) / UNITS

    def means(self, values: Floats) -> Floats:
        """Means over each speaker's rows.

        Args:
            values: (rows, columns).

        Returns:
            (speakers, columns).

        Examples:
            >>> Speakers.of(np.array([0, 1, 1])).means(np.array([[1.0], [2.0], [4.0]])).tolist()
            [[1.0], [3.0]]
        """
        return self.sums(values) / self.rows[:, None]

    def centred(self, logs: Floats, usual: Floats) -> Floats:
        """Take each speaker's mean away, joined with the usual one as 10 more rows.

        ``l - (n m_s + k m_0) / (n + k)``, with k = 10.

        Args:
            logs: (rows, classes) log-probabilities in nats.
            usual: (classes,) m_0, the mean of the labelled speakers' means.

        Returns:
            (rows, classes).
        """
        rows = self.rows[:, None]
        joined = (rows * self.means(logs) + PRIOR_ROWS * usual) / (rows + PRIOR_ROWS)
        return logs - joined[self.number]

    def centred_by_composition(
        self, logs: Floats, usual: Floats, class_means: Floats, shares: Floats
    ) -> Floats:
        """Take away only what of a speaker's mean the classes that it has don't explain.

        ``l - m_0 - n / (n + k) (m_s - sum_c pi_c mu_c)``, with k = 10.

        Args:
            logs: (rows, classes) log-probabilities in nats.
            usual: (classes,) m_0.
            class_means: (classes, classes) mu_c, the mean of each class's rows.
            shares: (speakers, classes) pi_c, how much of a speaker's rows each class is.

        Returns:
            (rows, classes).
        """
        rows = self.rows[:, None]
        unexplained = self.means(logs) - shares @ class_means
        return logs - usual - (rows / (rows + PRIOR_ROWS) * unexplained)[self.number]

    def composition(self, posteriors: Floats) -> Floats:
        """Say how much of each speaker's rows each class is, by expectation maximisation.

        Saerens, Latinne and Decaestecker (2002), from a uniform start and with 5 more rows of each
        class.

        Args:
            posteriors: (rows, classes), of a model that takes all classes for equally likely.

        Returns:
            (speakers, classes), each row sums to 1.

        Examples:
            >>> posteriors = np.array([[0.9, 0.1]] * 40)
            >>> Speakers.of(np.zeros(40, int)).composition(posteriors).round(2).tolist()
            [[0.89, 0.11]]
        """
        return self._composition(posteriors, lambda before, now: np.abs(now - before).max(axis=1))

    def has_few_classes(self, posteriors: Floats) -> NDArray[np.bool_]:
        """Say which speakers' rows are of few classes, where centring would do harm.

        A speaker's composition is left as it is once 50 more steps like the last could not change
        what is said of it.

        Args:
            posteriors: see :meth:`composition`.

        Returns:
            (speakers,) true where exp of the composition's entropy (nats) is below 0.8 times the
            number of classes.
        """
        least = FEW_CLASSES * posteriors.shape[1]

        def step(before: Floats, now: Floats) -> Floats:
            found = effective_classes(now)
            moved = np.abs(found - effective_classes(before))
            return np.where(CLEAR * moved < np.abs(found - least), 0.0, moved)

        return np.asarray(effective_classes(self._composition(posteriors, step)) < least)

    def _composition(self, posteriors: Floats, step: Callable[[Floats, Floats], Floats]) -> Floats:
        # Rows by speaker, and of each class together: every pass is then over neighbours in memory.
        # Of short numbers the sort is one of digits, which takes a tenth of the time.
        short = self.number.astype(np.uint16) if len(self.rows) <= SHORT else self.number
        order = np.argsort(short, kind="stable")
        columns = np.ascontiguousarray(posteriors[order].T)
        going, rows = np.arange(len(self.rows)), self.rows.astype(np.intp)
        shares = np.full((len(rows), len(columns)), 1 / len(columns))
        for _ in range(MOST_STEPS):
            if not len(going):
                break
            before = shares[going]
            now = _expected(columns, rows[going], before)
            shares[going] = now
            moving = step(before, now) > TOLERANCE
            if not moving.all():
                columns = columns[:, np.repeat(moving, rows[going])]
                going = going[moving]
        return shares


def effective_classes(shares: Floats) -> Floats:
    """Say to how many equally frequent classes compositions come.

    Args:
        shares: (speakers, classes) above 0, each row sums to 1.

    Returns:
        (speakers,) exp of the entropy in nats, 1 to the number of classes.

    Examples:
        >>> effective_classes(np.array([[0.5, 0.5], [0.9, 0.1]])).round(2).tolist()
        [2.0, 1.38]
    """
    return np.asarray(np.exp(-(shares * np.log(shares)).sum(axis=1)))


def _expected(columns: Floats, rows: NDArray[np.intp], shares: Floats) -> Floats:
    # One step of the expectation maximisation: (classes, rows) posteriors, rows of a speaker
    # together; (speakers,) rows; (speakers, classes) shares. Sums are of whole numbers, see UNITS.
    joint = columns * np.repeat(shares.T, rows, axis=1)
    joint *= UNITS / joint.sum(axis=0)
    np.rint(joint, out=joint)
    starts = np.cumsum(rows) - rows
    counts = np.add.reduceat(joint, starts, axis=1).T / UNITS + CLASS_ROWS
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))
