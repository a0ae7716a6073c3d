"""Early fusion fitted on labelled rows (Pepino, Riera, Ferrer and Gravano, ICASSP 2020)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.errors import CalibrationError
from emobatch.fusion.early.inputs import FEATURES, SPEECH, TEXT, Numbers, Scaling, known, read
from emobatch.fusion.early.network import Network
from emobatch.fusion.early.training import Sample, train
from emobatch.fusion.evidence import Floats
from emobatch.fusion.logistic.row_weights import row_weights
from emobatch.splits.roles import SPLIT_COLUMN, canonical
from emobatch.tasks.task import Task

COLD, PRETRAINED, WARM = STARTS = ("cold", "pretrained", "warm")
SPEAKER = "speaker"
SEED = 0
# One part in five of the speakers, by rows, tells when to stop.
PARTS = 5
# With fewer rows neither learning nor stopping means anything.
FEWEST_ROWS = 10
# The networks: of rows that have all inputs, and of those without text.
BOTH, NO_TEXT = "both", "no-text"


@dataclass(frozen=True)
class Networks:
    """What was fitted.

    Attributes:
        scalings: by input.
        networks: ``both``, and ``no-text`` for rows without text.
        epochs: that each took; of a start that trains inputs first, those of these as well.
        rows: learnt from, and validated on.
        speakers: whose rows validate; None where rows of all speakers do.
    """

    scalings: Mapping[str, Scaling]
    networks: Mapping[str, Network]
    epochs: Mapping[str, int] = field(default_factory=dict)
    rows: tuple[int, int] = (0, 0)
    speakers: int | None = None

    def logits(self, inputs: Mapping[str, Numbers]) -> tuple[Floats, NDArray[np.bool_]]:
        """Score rows, each by the network for what is known of it.

        Args:
            inputs: (rows, numbers) of each, NaN where missing.

        Returns:
            (rows, classes), NaN throughout a row without an embedding of speech; and (rows,)
            whether it has text.
        """
        heard, said = known(inputs[SPEECH]), known(inputs[TEXT])
        scaled = {name: each.scaled(inputs[name]) for name, each in self.scalings.items()}
        classes = len(self.networks[BOTH].output.offsets)
        found = np.full((len(heard), classes), np.nan)
        for name, mine in ((BOTH, heard & said), (NO_TEXT, heard & ~said)):
            if mine.any():
                found[mine] = self.networks[name].logits(
                    {each: values[mine] for each, values in scaled.items()}
                )
        return found, said


def fit(
    rows: pl.DataFrame,
    task: Task,
    inputs: Mapping[str, Sequence[str]],
    start: str,
    trained_on: Collection[str],
) -> Networks:
    """Fit the networks.

    Args:
        rows: labelled and scored, with the inputs' columns, maybe with ``speaker`` and ``split``.
        task: the classes.
        inputs: columns by input.
        start: ``cold``, ``pretrained`` or ``warm``.
        trained_on: splits that the speech model was trained on; their rows count less, see
            :func:`emobatch.fusion.logistic.row_weights.row_weights`.

    Returns:
        The networks, the same in whatever order the rows are.

    Raises:
        CalibrationError: if there are too few rows, or all of one class.
    """
    values = read(rows, inputs)
    order = _in_order(rows, values)
    order = order[known(values[SPEECH])[order]]
    rows, values = rows[order], {name: each[order] for name, each in values.items()}
    labels = rows["label"].cast(pl.Enum(task.classes)).to_physical().to_numpy().astype(np.int64)
    said = known(values[TEXT])
    _refuse_few(labels, said)
    validates, speakers = _validating(rows, said)
    scalings = {name: Scaling.of(each) for name, each in values.items()}
    seen = np.zeros(len(rows), bool)
    if trained_on and SPLIT_COLUMN in rows.columns:
        split = rows.select(canonical(SPLIT_COLUMN)).to_series()
        seen = split.is_in(list(trained_on)).fill_null(value=False).to_numpy()
    sample = Sample(
        {name: scalings[name].scaled(each) for name, each in values.items()},
        labels,
        row_weights(labels, seen, len(task.classes)),
        validates,
    )
    networks, epochs = _trained(sample, said, start, len(task.classes))
    learnt = (int((~validates).sum()), int(validates.sum()))
    return Networks(scalings, networks, epochs, learnt, speakers)


def _trained(
    sample: Sample, said: NDArray[np.bool_], start: str, classes: int
) -> tuple[dict[str, Network], dict[str, int]]:
    epochs: dict[str, int] = {}

    def trained(
        name: str, inputs: tuple[str, ...], begun: Network | None = None, *, frozen: bool = False
    ) -> Network:
        mine = sample.take(said if TEXT in inputs else np.ones(len(said), bool), inputs)
        random = np.random.default_rng([SEED, *name.encode()])
        widths = {each: mine.inputs[each].shape[1] for each in inputs}
        network = begun or Network.drawn(widths, classes, random)
        found, epochs[name] = train(network, mine, random, frozen=frozen)
        return found

    everything = tuple(sample.inputs)
    alone = trained(NO_TEXT, tuple(name for name in everything if name != TEXT))
    begun = None
    if start != COLD:
        branches = {}
        for name in everything:
            # Without features the network for rows without text is that of speech alone.
            is_alone = name == SPEECH and FEATURES not in everything
            network = alone if is_alone else trained(name, (name,))
            branches[name] = network.branches[name]
        widths = {name: each.shape[1] for name, each in sample.inputs.items()}
        drawn = Network.drawn(widths, classes, np.random.default_rng(SEED))
        begun = Network(branches, drawn.joined, drawn.output)
    both = trained(BOTH, everything, begun, frozen=start == PRETRAINED)
    return {BOTH: both.grained(), NO_TEXT: alone.grained()}, epochs


def _in_order(rows: pl.DataFrame, values: Mapping[str, Numbers]) -> NDArray[np.intp]:
    # By what the rows hold: the same whatever order they come in. Rows of the same digest are the
    # same, for all that training goes by.
    about = [name for name in ("label", SPEAKER, SPLIT_COLUMN) if name in rows.columns]
    texts = rows.select(pl.concat_str(pl.col(about).cast(pl.String).fill_null(""), separator="\0"))
    digests = []
    for number, (text,) in enumerate(texts.iter_rows()):
        digest = hashlib.blake2b(text.encode(), digest_size=16)
        for each in values.values():
            digest.update(each[number].tobytes())
        digests.append(digest.digest())
    return np.array(sorted(range(len(digests)), key=digests.__getitem__), dtype=np.intp)


def _validating(
    rows: pl.DataFrame, said: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], int | None]:
    # Every fifth row, of those with text and of the others.
    any_rows = np.zeros(len(rows), bool)
    for mine in (said, ~said):
        any_rows[np.flatnonzero(mine)[::PARTS]] = True
    names = rows[SPEAKER].cast(pl.String) if SPEAKER in rows.columns else pl.Series([None])
    if names.n_unique() < 2 or names.has_nulls():
        return any_rows, None
    counts = names.value_counts(name="rows").sort("rows", SPEAKER, descending=[True, False])
    wanted, found, taken = len(rows) / PARTS, 0, list[str]()
    # The largest that still fit, and at least one; the rest learn.
    for name, count in counts.iter_rows():
        if found + count <= wanted and len(taken) < len(counts) - 1:
            taken.append(name)
            found += count
    taken = taken or [counts[SPEAKER][-1]]
    of_speakers = names.is_in(taken).to_numpy()
    # A network that no row validates would never be learnt.
    if len(np.unique(of_speakers[said])) < 2:
        return any_rows, None
    return of_speakers, len(taken)


def _refuse_few(labels: NDArray[np.int64], said: NDArray[np.bool_]) -> None:
    for mine, what in (
        (np.ones(len(labels), bool), "an embedding of speech"),
        (said, "embeddings of both branches"),
    ):
        count, classes = int(mine.sum()), len(np.unique(labels[mine]))
        if count < FEWEST_ROWS or classes < 2:
            raise CalibrationError(
                f"early fusion is fitted on {FEWEST_ROWS} labelled rows of two classes at least, "
                f"and {count} of {classes} have {what}; score with --embeddings, or label more rows"
            )
