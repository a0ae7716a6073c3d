"""Utterances through both branches: all are heard, and those that may need it are read.

Without a gate every utterance is read. With one, only those are that its thresholds flag and whose
emotion the text branch could still change; `apply` with the same thresholds then decides as if
all had been read.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING

from emobatch.cli.progress import Progress
from emobatch.fusion.selection.algorithm import could_change
from emobatch.fusion.selection.thresholds import Thresholds
from emobatch.scorers.cleaning import clean
from emobatch.scoring import batches
from emobatch.scoring.decoding import decode
from emobatch.scoring.utterances import Utterance, Window, to_frame

if TYPE_CHECKING:
    from emobatch.scorers.branches import Branches

# Decoded audio that is held to be sorted by length, or until it is known whether to read it: 38 MB.
LOOK_AHEAD_SECONDS = 600.0
# Words to a batch of the sentiment model, padding counted.
BATCH_WORDS = 2048


def score_utterances(
    utterances: list[Utterance], models: Branches, pool: Executor, progress: Progress
) -> None:
    """Put utterances through both branches; each takes what they say of it.

    Args:
        utterances: fresh ones.
        models: both branches, and the gate between them.
        pool: runs the models' batches.
        progress: told what is done.
    """
    decoded = decode(utterances, models.decode_timeout)
    held: list[Window] = []
    for group in batches.look_ahead(decoded, _seconds, LOOK_AHEAD_SECONDS):
        _hear(group, models, pool)
        held += group
        _consult(held, models.gate)
        held = _read(held, models, pool, progress)
    _consult(held, models.gate)
    _read(held, models, pool, progress)
    _judge(utterances, models, pool)


def _hear(windows: list[Window], models: Branches, pool: Executor) -> None:
    scores = batches.run(
        lambda batch: models.speech.scores([window.samples for window in batch]),
        windows,
        _seconds,
        models.batch_seconds,
        pool,
    )
    for window, probabilities in zip(windows, scores, strict=True):
        utterance = window.utterance
        if isinstance(probabilities, Exception):
            utterance.fail("speech", probabilities)
        else:
            utterance.seconds += window.seconds
            utterance.evidence += window.seconds * probabilities


def _consult(windows: Sequence[Window], gate: Thresholds | None) -> None:
    # Decides of each utterance whether it is read, as soon as all of it is heard.
    undecided = {id(w.utterance): w.utterance for w in windows if w.utterance.consulted is None}
    if gate is None:
        for utterance in undecided.values():
            utterance.consulted = True
        return
    heard = [each for each in undecided.values() if each.decoded and each.error is None]
    if heard:
        needed = to_frame(heard).select(could_change(gate).fill_null(False)).to_series()
        for utterance, need in zip(heard, needed, strict=True):
            utterance.consulted = need
    # One that is longer than what is held is read unseen: the text does no harm, waiting would.
    for utterance in undecided.values():
        if utterance.consulted is None and utterance.seconds >= LOOK_AHEAD_SECONDS:
            utterance.consulted = True


def _read(
    windows: Sequence[Window], models: Branches, pool: Executor, progress: Progress
) -> list[Window]:
    # Reads what is to be read, and gives back the windows of which that is not known yet.
    settled = [window for window in windows if window.utterance.consulted is not None]
    _transcribe([window for window in settled if window.needs_transcript], models, pool, progress)
    progress.advance([window for window in settled if not window.needs_transcript])
    return [window for window in windows if window.utterance.consulted is None]


def _transcribe(
    windows: list[Window], models: Branches, pool: Executor, progress: Progress
) -> None:
    results = batches.run(
        lambda batch: models.recogniser.transcribe([window.samples for window in batch]),
        windows,
        lambda window: models.recogniser.padded_seconds(window.seconds),
        models.batch_seconds,
        pool,
        progress.advance,
    )
    for window, passages in zip(windows, results, strict=True):
        if isinstance(passages, Exception):
            window.utterance.fail("transcription", passages)
        else:
            window.utterance.passages.extend(passages)


def _judge(utterances: list[Utterance], models: Branches, pool: Executor) -> None:
    for utterance in utterances:
        if utterance.error is None and utterance.transcript is not None:
            language = utterance.language or models.language
            utterance.cleaned = clean(utterance.transcript, models.clean_steps, language)
    said = [utterance for utterance in utterances if utterance.cleaned]
    scores = batches.run(
        lambda batch: models.sentiment.scores([utterance.cleaned or "" for utterance in batch]),
        said,
        lambda utterance: float(len((utterance.cleaned or "").split())),
        BATCH_WORDS,
        pool,
    )
    for utterance, probabilities in zip(said, scores, strict=True):
        if isinstance(probabilities, Exception):
            utterance.fail("sentiment", probabilities)
        else:
            utterance.feeling = probabilities


def _seconds(window: Window) -> float:
    return window.seconds
