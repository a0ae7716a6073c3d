"""The main job: a manifest's clips through both branches into a score table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from emobatch import audio, batches, manifest, outputs
from emobatch.choice import Choice
from emobatch.cleaning import clean
from emobatch.errors import AudioError, Interrupted, TooManyErrors
from emobatch.manifest import Manifest
from emobatch.parts import Parts
from emobatch.progress import Progress
from emobatch.score_table import COLUMNS
from emobatch.transcription import Passage
from emobatch.utterances import Utterance, Window, to_frame

if TYPE_CHECKING:
    from emobatch.branches import Branches

# Work is saved in chunks of this many rows. Batches never reach across a chunk's end, so that a
# run that was interrupted forms the same batches as one that was not.
CHUNK_ROWS = 256
# Decoded audio that is held to be sorted by length: 19 MB.
LOOK_AHEAD_SECONDS = 300.0
# A manifest may give an id, a duration and a transcript; the other columns are `score`'s own.
RESERVED = COLUMNS.keys() - {"id", "duration", "transcript"}
# Words to a batch of the sentiment model, padding counted.
BATCH_WORDS = 2048


def score(
    source: str,
    target: Path | None,
    choice: Choice,
    *,
    root: Path | None = None,
    restart: bool = False,
    max_error_rate: float = 1.0,
) -> None:
    """Score every clip of a manifest.

    Args:
        source: the manifest, ``-`` for standard input.
        target: the score table; None streams CSV to standard output.
        choice: models and options.
        root: folder that the manifest's paths are relative to.
        restart: throw saved work of an earlier run away.
        max_error_rate: share of rows, 0 to 1, that may fail.

    Raises:
        TooManyErrors: if more rows failed; the table is written all the same.
        EmobatchError: if the run can't begin, or its table not be written.
    """
    outputs.check_target(target)
    rows = manifest.read(source, root, choice.label_map, RESERVED)
    found = choice.find_checkpoints()
    with Progress(len(rows)) as progress:
        from emobatch import branches  # torch, which takes seconds: after all that can fail fast

        models = branches.load(choice, found)
        if target is None:
            errors = _score_to_stream(rows, models, progress)
        else:
            saved = Parts.open(target, rows, models.provenance, restart=restart)
            errors = _score_to_file(rows, models, progress, saved)
    if errors == len(rows) or errors > max_error_rate * len(rows):
        raise TooManyErrors(
            f"{errors} of {len(rows)} rows failed, more than --max-error-rate allows; "
            "column 'error' says why"
        )


def score_clips(utterances: list[Utterance], models: Branches, progress: Progress) -> None:
    """Put utterances through both branches; each takes what they say of it.

    Args:
        utterances: fresh ones.
        models: both branches.
        progress: told what is done.
    """
    windows = _decode(utterances)
    for group in batches.look_ahead(windows, _seconds, LOOK_AHEAD_SECONDS):
        _hear(group, models)
        _transcribe(group, models, progress)
    _judge(utterances, models)


def _score_to_stream(rows: Manifest, models: Branches, progress: Progress) -> int:
    progress.begin()
    frames = (frame for _, frame in _score_chunks(rows, models, progress, _chunks(rows)))
    outputs.write_csv_stream(frames, _join(rows.rows.clear(), []).schema)
    return progress.errors


def _score_to_file(rows: Manifest, models: Branches, progress: Progress, saved: Parts) -> int:
    progress.begin(saved.rows_done())
    todo = [first for first in _chunks(rows) if not saved.has(first)]
    try:
        for first, frame in _score_chunks(rows, models, progress, todo):
            saved.add(first, frame)
    except Interrupted as signal:
        raise Interrupted(
            f"{signal}; {saved.rows_done()} of {len(rows)} rows are saved in {saved.folder}, "
            "the same command goes on from there"
        ) from signal
    return saved.finish(models.provenance)


def _chunks(rows: Manifest) -> range:
    return range(0, len(rows), CHUNK_ROWS)


def _score_chunks(
    rows: Manifest, models: Branches, progress: Progress, chunks: Iterable[int]
) -> Iterator[tuple[int, pl.DataFrame]]:
    for first in chunks:
        chunk = rows.rows.slice(first, CHUNK_ROWS)
        clips = rows.clips(first, CHUNK_ROWS)
        utterances = [Utterance(clip, name) for clip, name in zip(clips, chunk["id"], strict=True)]
        score_clips(utterances, models, progress)
        progress.finished(utterances)
        yield first, _join(chunk, utterances)


def _join(rows: pl.DataFrame, utterances: list[Utterance]) -> pl.DataFrame:
    carried = rows.select(name for name in rows.columns if name not in COLUMNS)
    return pl.concat([carried, to_frame(utterances)], how="horizontal")


def _decode(utterances: list[Utterance]) -> Iterator[Window]:
    for utterance in utterances:
        clip = utterance.clip
        try:
            for samples in audio.read_windows(clip.file, clip.start, clip.end):
                utterance.windows_left += 1
                yield Window(utterance, samples)
        except AudioError as error:
            utterance.fail("audio", error)
        utterance.decoded = True


def _hear(windows: list[Window], models: Branches) -> None:
    scores = batches.run(
        lambda batch: models.speech.scores([window.samples for window in batch]),
        windows,
        _seconds,
        models.batch_seconds,
    )
    for window, probabilities in zip(windows, scores, strict=True):
        utterance = window.utterance
        if isinstance(probabilities, Exception):
            utterance.fail("speech", probabilities)
        else:
            utterance.seconds += window.seconds
            utterance.evidence += window.seconds * probabilities


def _transcribe(windows: list[Window], models: Branches, progress: Progress) -> None:
    unread = [window for window in windows if window.utterance.clip.transcript is None]
    progress.advance([window for window in windows if window.utterance.clip.transcript is not None])

    def recognise(batch: list[Window]) -> list[list[Passage]]:
        heard = models.recogniser.transcribe([window.samples for window in batch])
        progress.advance(batch)
        return heard

    # Whisper sees windows of one length, so that a clip takes a whole number of them.
    step = models.recogniser.window_seconds
    results = batches.run(
        recognise, unread, lambda window: step * ceil(window.seconds / step), models.batch_seconds
    )
    for window, passages in zip(unread, results, strict=True):
        if isinstance(passages, Exception):
            window.utterance.fail("transcription", passages)
        else:
            window.utterance.passages.extend(passages)


def _judge(utterances: list[Utterance], models: Branches) -> None:
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
    )
    for utterance, probabilities in zip(said, scores, strict=True):
        if isinstance(probabilities, Exception):
            utterance.fail("sentiment", probabilities)
        else:
            utterance.feeling = probabilities


def _seconds(window: Window) -> float:
    return window.seconds
