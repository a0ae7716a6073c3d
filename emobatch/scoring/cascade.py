"""Utterances through the scorers: all are heard, and those are transcribed that may need it.

Without a gate every utterance is transcribed. With one, only those are whose emotion the text
branch could still change, so that `apply` with the same method then decides as if all had been.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from emobatch.manifests.blocks import Samples
from emobatch.manifests.decoders import Decoders
from emobatch.manifests.fetching import Fetcher
from emobatch.models.shortest import too_short
from emobatch.scorers.cleaning import clean
from emobatch.scorers.scorer import AudioScorer, Model, Recogniser, Results, Transcript, WindowScore
from emobatch.scoring import batches
from emobatch.scoring.decoding import decode
from emobatch.scoring.gate import Gate
from emobatch.scoring.progress import Tally
from emobatch.scoring.rows import to_frame
from emobatch.scoring.utterances import AUDIO_STAGE, Utterance, Window

if TYPE_CHECKING:
    from emobatch.scorers.loaded import Loaded

# Decoded audio that is held to be sorted by length, or until it is known whether to transcribe it:
# 38 MB.
LOOK_AHEAD_SECONDS = 600.0
# Words to a batch of a text model, padding counted.
BATCH_WORDS = 2048
# Characters to a word, at most, on average.
LONGEST_WORD = 10


@dataclass(frozen=True)
class Cascade:
    """The way of utterances through the scorers.

    Attributes:
        loaded: the models.
        gate: says of which rows the text could matter, None for all.
        pool: runs the models' batches.
        decoders: processes that decode files, None to decode them in this one.
        fetcher: fetches files that aren't here, None where all are.
    """

    loaded: Loaded
    gate: Gate | None
    pool: Executor
    decoders: Decoders | None = None
    fetcher: Fetcher | None = None

    def score(self, utterances: list[Utterance], tally: Tally) -> None:
        """Put utterances through all scorers; each takes what they say of it.

        Args:
            utterances: fresh ones.
            tally: told what is through.
        """
        held: list[Window] = []
        limits = (self.loaded.decode_timeout, self.loaded.max_seconds)
        decoded = decode(utterances, *limits, self.decoders, self.fetcher)
        for group in batches.look_ahead(decoded, _seconds, LOOK_AHEAD_SECONDS):
            self._score_audio(group)
            held = self._transcribe_settled([*held, *group], tally)
        self._transcribe_settled(held, tally)
        self._score_texts(utterances)

    def _score_audio(self, windows: Sequence[Window]) -> None:
        for scorer in self.loaded.plan.audio:
            self._score_windows(scorer, windows)
        for window in windows:
            window.utterance.seconds += window.seconds

    def _transcribe_settled(self, windows: Sequence[Window], tally: Tally) -> list[Window]:
        # Gives back the windows of which it isn't known yet whether they are to be transcribed.
        self._settle([window.utterance for window in windows])
        chosen = [window for window in windows if self._is_transcribed(window)]
        others = [
            window
            for window in windows
            if window.utterance.needs_text is not None and not self._is_transcribed(window)
        ]
        if self.loaded.plan.recogniser is not None:
            self._score_windows(self.loaded.plan.recogniser, chosen, tally.through)
        tally.through(others)
        return [window for window in windows if window.utterance.needs_text is None]

    def _settle(self, utterances: Sequence[Utterance]) -> None:
        # Decides of each utterance whether it is transcribed, as soon as all of it is heard.
        undecided = {id(each): each for each in utterances if each.needs_text is None}.values()
        if self.gate is None:
            for utterance in undecided:
                utterance.needs_text = True
        heard = [each for each in undecided if each.needs_text is None and each.decoded]
        if heard and self.gate is not None:
            plan = self.loaded.plan
            rows = to_frame(heard, plan).select(*plan.audio_columns)
            needed = self.gate.needs_text(rows).fill_null(False)
            for utterance, need in zip(heard, needed, strict=True):
                utterance.needs_text = need
        for utterance in undecided:
            # One that is longer than what is held isn't waited for: the text does no harm.
            if utterance.needs_text is None and utterance.seconds >= LOOK_AHEAD_SECONDS:
                utterance.needs_text = True

    def _is_transcribed(self, window: Window) -> bool:
        utterance, recogniser = window.utterance, self.loaded.plan.recogniser
        return (
            bool(utterance.needs_text)
            and utterance.clip.transcript is None
            and recogniser is not None
            and recogniser.hears(window.samples)
        )

    def _score_windows(
        self,
        scorer: AudioScorer[Any] | Recogniser[Any],
        windows: Sequence[Window],
        done: Callable[[list[Window]], None] = lambda batch: None,
    ) -> None:
        model = self.loaded.models[scorer.stage]
        _fail_too_short(windows, model.fewest, scorer.branch)
        out_of_it = {AUDIO_STAGE, scorer.stage}
        asked = [
            window
            for window in windows
            # A rest too short for the model is left out of what it says of the clip.
            if len(window.samples) >= model.fewest and not window.utterance.failed & out_of_it
        ]
        results = batches.run(
            partial(_hear, model),
            asked,
            lambda window: model.padded(window.seconds),
            self.loaded.batch_seconds,
            self.pool,
            done,
        )
        for window, result in zip(asked, results, strict=True):
            utterance = window.utterance
            if isinstance(result, Exception):
                utterance.fail(scorer.stage, result)
            else:
                scores = utterance.window_scores.setdefault(scorer.stage, [])
                scores.append(WindowScore(window.seconds, result))

    def _score_texts(self, utterances: Sequence[Utterance]) -> None:
        for utterance in utterances:
            if utterance.error is None:
                self._take_transcript(utterance)
        for scorer in self.loaded.plan.text:
            said = [each for each in utterances if each.cleaned]
            model = self.loaded.models[scorer.stage]
            results = batches.run(partial(_read, model), said, _words, BATCH_WORDS, self.pool)
            for utterance, result in zip(said, results, strict=True):
                if isinstance(result, Exception):
                    utterance.fail(scorer.stage, result)
                else:
                    utterance.text_scores[scorer.stage] = result

    def _take_transcript(self, utterance: Utterance) -> None:
        given, recogniser = utterance.clip.transcript, self.loaded.plan.recogniser
        if given is not None:
            language = utterance.given_language(self.loaded.plan.setup.choice.given_language)
            utterance.transcript = Transcript(given, language, {})
        elif recogniser is not None:
            windows = utterance.window_scores.get(recogniser.stage, [])
            utterance.transcript = recogniser.transcript(windows)
        transcript = utterance.transcript
        if transcript is not None and transcript.text is not None and self.loaded.plan.text:
            steps = self.loaded.clean_steps
            utterance.cleaned = clean(transcript.text, steps, transcript.language)


def _fail_too_short(windows: Sequence[Window], fewest: int, branch: str) -> None:
    for window in windows:
        if len(window.samples) < fewest and not window.follows:
            error = too_short(len(window.samples), fewest, f"{branch} model")
            window.utterance.fail(AUDIO_STAGE, error)


def _hear(model: Model[Samples, Any], batch: list[Window]) -> Results[Any]:
    return model.score([window.samples for window in batch])


def _read(model: Model[str, Any], batch: list[Utterance]) -> Results[Any]:
    return model.score([utterance.cleaned or "" for utterance in batch])


def _words(utterance: Utterance) -> float:
    # In languages that put no spaces between words a text would be one of them.
    text = utterance.cleaned or ""
    return max(len(text.split()), len(text) / LONGEST_WORD)


def _seconds(window: Window) -> float:
    return window.seconds
