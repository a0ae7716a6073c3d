"""Audio of rows: decoded once before the first epoch, and read again in each."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from emobatch.errors import AudioError
from emobatch.manifests import clip as clips
from emobatch.manifests.audio import SAMPLE_RATE, WINDOW_SECONDS
from emobatch.manifests.blocks import Samples
from emobatch.manifests.clip import Clip
from emobatch.manifests.decoders import PATIENCE, Decoders
from emobatch.manifests.fetching import Fetcher
from emobatch.models.cores import available_cores
from emobatch.models.names import MOST_SECONDS
from emobatch.models.shortest import too_short
from emobatch.scoring.decoding import decode
from emobatch.scoring.utterances import AUDIO_STAGE, Utterance
from emobatch.training.cache import Cache
from emobatch.training.source import Lengths, Source, Take

log = logging.getLogger(__name__)
WINDOW = WINDOW_SECONDS * SAMPLE_RATE
# Broken files that are named; the others are counted.
MOST_NAMED = 20


@dataclass
class Survey:
    """What is known of clips once all are decoded.

    Attributes:
        lengths: samples by row; 0 where it can't be read, or is too short.
        errors: what is wrong, by the row's id.
        sums: of the training rows: samples, their sum, and the sum of their squares.
    """

    lengths: list[int] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    sums: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])

    @property
    def scale(self) -> tuple[float, float]:
        """Mean and standard deviation of the training audio."""
        count, total, squares = self.sums
        mean = total / count
        return mean, math.sqrt(max(squares / count - mean**2, 0.0)) or 1.0

    def as_dict(self) -> dict[str, Any]:
        """What is saved, so that a run that goes on decodes nothing again."""
        return {"lengths": self.lengths, "errors": self.errors, "sums": self.sums}

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Survey:
        """Read what :meth:`as_dict` gave.

        Args:
            found: the same.

        Returns:
            The survey.
        """
        return cls(list(found["lengths"]), dict(found["errors"]), list(found["sums"]))


def survey(
    rows: Sequence[tuple[str, Clip]],
    trained: int,
    fewest: int,
    cache: Cache | None,
    check: Callable[[], None],
) -> Survey:
    """Decode all clips, in processes: one that crashes or hangs costs its own row.

    Args:
        rows: ids and clips, those that are trained on first.
        trained: how many these are.
        fewest: samples that the model needs of each.
        cache: filled with what isn't in it; None for none.
        check: called between clips; raises where the run is to end.

    Returns:
        How long they are, and which can't be read or are too short; these are noted, too.
    """
    found = Survey()
    decoders = Decoders(available_cores())
    try:
        heard = zip(rows, _decoded(rows, cache, decoders), strict=True)
        for place, ((_, clip), (name, samples)) in enumerate(heard):
            check()
            if len(samples) < fewest and not isinstance(samples, str):
                short = Utterance(clip, name)
                short.fail(AUDIO_STAGE, too_short(len(samples), fewest, "base"))
                samples = str(short.error)
            if isinstance(samples, str):
                found.errors[name] = samples
                found.lengths.append(0)
                continue
            found.lengths.append(len(samples))
            if place < trained:
                exact = np.asarray(samples, np.float64)
                for number, value in enumerate((len(exact), exact.sum(), np.square(exact).sum())):
                    found.sums[number] += float(value)
    finally:
        decoders.close()
    _note(found.errors, len(rows))
    return found


def _decoded(
    rows: Sequence[tuple[str, Clip]], cache: Cache | None, decoders: Decoders
) -> Iterator[tuple[str, Samples | str]]:
    kept = [cache is not None and _looked_up(cache, clip) is not None for _, clip in rows]
    heard = _joined(
        [
            Utterance(clip, name)
            for (name, clip), known in zip(rows, kept, strict=True)
            if not known
        ],
        decoders,
    )
    for (name, clip), known in zip(rows, kept, strict=True):
        samples = _looked_up(cache, clip) if known and cache is not None else None
        if samples is not None:
            yield name, samples
            continue
        new = next(heard)
        if cache is not None and not isinstance(new, str):
            cache.put(clip, new)
        yield name, new


def _looked_up(cache: Cache, clip: Clip) -> Samples | None:
    try:
        return cache.get(clip)
    except AudioError:
        return None  # said when it is decoded


def _joined(utterances: Sequence[Utterance], decoders: Decoders) -> Iterator[Samples | str]:
    # In order; of one that fails, why.
    waiting = iter(utterances)
    current: Utterance | None = None
    parts: list[Samples] = []
    for window in decode(utterances, PATIENCE, MOST_SECONDS, decoders):
        while window.utterance is not current:
            if current is not None:
                yield _whole(current, parts)
            current, parts = next(waiting), []
        parts.append(window.samples)
    for last in [current] if current is not None else []:
        yield _whole(last, parts)
    for silent in waiting:
        yield _whole(silent, [])


def _whole(utterance: Utterance, parts: Sequence[Samples]) -> Samples | str:
    return utterance.error if utterance.error is not None else np.concatenate(parts)


def _note(errors: Mapping[str, str], rows: int) -> None:
    if not errors:
        return
    named = list(errors.items())[:MOST_NAMED]
    log.warning(
        "warning: %d of %d rows can't be read and are left out%s",
        *(len(errors), rows),
        "" if len(named) == len(errors) else f"; the first {len(named)}:",
    )
    for name, error in named:
        log.warning("note: row %r: %s", name, error)


class Sounds(Source):
    """Clips that can be read."""

    unit = SAMPLE_RATE

    def __init__(
        self, rows: Iterable[Clip], lengths: Lengths, fewest: int, cache: Cache | None
    ) -> None:
        """Take clips.

        Args:
            rows: as surveyed.
            lengths: (rows,) samples, at least as many as the model needs.
            fewest: samples that it needs.
            cache: where they are decoded already, None for nowhere.
        """
        self.lengths = lengths
        self._clips, self._fewest, self._cache = list(rows), fewest, cache
        self._fetcher = Fetcher()  # of archives; from elsewhere it fetches nothing

    def read(self, take: Take) -> Samples:
        """Read a part of a clip.

        Args:
            take: which.

        Returns:
            (count,) float32, 16 kHz.

        Raises:
            AudioError: if it can't be read any more, or is another one now.
        """
        clip = self._clips[take.row]
        try:
            samples = None if self._cache is None else self._cache.get(clip)
            if samples is None:
                with self._fetcher.here(clip) as here:
                    samples = np.concatenate(list(clips.read(here, MOST_SECONDS)))
        except AudioError as error:
            raise AudioError(f"{clip.path}: could be read before, and now: {error}") from error
        if len(samples) != self.lengths[take.row]:
            raise AudioError(f"{clip.path}: was changed since the training began; begin anew")
        return np.array(samples[take.first : take.first + take.length])

    def windows(self, row: int) -> list[Take]:
        """Cut a clip into windows, as `score` does.

        Args:
            row: its place.

        Returns:
            Windows of 30 s, the last one shorter; a rest too short for the model is left out.
        """
        length = int(self.lengths[row])
        firsts = range(0, length, WINDOW)
        takes = [Take(row, first, min(WINDOW, length - first)) for first in firsts]
        return [take for take in takes if take.length >= self._fewest]
