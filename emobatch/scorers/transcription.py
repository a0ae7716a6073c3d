"""What is said in a clip, and how far Whisper trusts itself in that."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from emobatch.manifests.blocks import Samples
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.names import FITTING_CONTEXT
from emobatch.scorers.beside import Beside
from emobatch.scorers.columns import FIGURES, PROBABILITIES, Column
from emobatch.scorers.scorer import Model, Recogniser, Row, Setup, Transcript, WindowScore, noise

if TYPE_CHECKING:
    from emobatch.models.devices import Device
    from emobatch.models.whisper import Passage

COLUMNS = {
    "asr_logprob": FIGURES,
    "asr_no_speech": PROBABILITIES,
    "asr_compression": FIGURES,
}
# Full scale is 1: -66 dB, about the last four of a 16-bit sample's bits.
SILENCE = 0.0005


@dataclass(frozen=True)
class WhisperScorer(Recogniser["list[Passage]"]):
    """Transcribes, and adds ``asr_logprob``, ``asr_no_speech`` and ``asr_compression``.

    Attributes:
        checkpoint: Whisper in CTranslate2's format.
        language: two-letter code, or ``auto``.
        beam_size: 1 is greedy.
        fit_context: see :class:`emobatch.models.whisper.Whisper`.
        beside: what is kept of its encoder's states.
    """

    stage: ClassVar[str] = "transcription"
    branch: ClassVar[str] = "asr"
    checkpoint: Checkpoint
    language: str
    beam_size: int
    fit_context: bool
    beside: Beside

    @classmethod
    def columns_left_out(cls, setup: Setup) -> Mapping[str, Column]:
        """All that it would add."""
        return COLUMNS

    @classmethod
    def planned(cls, setup: Setup) -> Self:
        """Take the options of decoding.

        Args:
            setup: options, checkpoints and classes.

        Returns:
            The scorer.
        """
        choice = setup.choice
        fit = choice.asr_context == FITTING_CONTEXT
        beside = Beside.of(setup, "asr")
        return cls(setup.found["asr"], choice.language, choice.beam_size, fit, beside)

    @property
    def columns(self) -> Mapping[str, Column]:
        """What it adds to a row, beside the transcript."""
        return {**COLUMNS, **self.beside.columns}

    def load(self, device: Device) -> Model[Samples, list[Passage]]:
        """Load Whisper.

        Args:
            device: where it runs.

        Returns:
            What gives the passages recognised in each window.
        """
        from emobatch.models.whisper import Whisper

        whisper = Whisper(
            self.checkpoint,
            device,
            language=self.language,
            beam_size=self.beam_size,
            fit_context=self.fit_context,
            embedding=self.beside.embedding,
        )
        return Model(whisper.transcribe, whisper.padded_seconds)

    def trial(self, model: Model[Samples, list[Passage]]) -> NDArray[np.float64]:
        """Transcribe a second of noise.

        Args:
            model: loaded.

        Returns:
            Probabilities that nothing is said.
        """
        (passages,) = model.score([noise()])
        return np.array([passage.no_speech for passage in passages])

    def hears(self, samples: Samples) -> bool:
        """Whether a window is more than silence, for which Whisper invents words.

        Args:
            samples: (samples,) float32, full scale ±1.

        Returns:
            True where some sample is above -66 dB.
        """
        return float(np.abs(samples).max()) > SILENCE

    def transcript(self, windows: Sequence[WindowScore[list[Passage]]]) -> Transcript:
        """Join passages; figures are averaged, each with the weight of its passage's duration.

        Args:
            windows: the passages of each.

        Returns:
            The clip's transcript.
        """
        passages = [passage for window in windows for passage in window.result]
        if not passages:
            return Transcript(None, None, {})
        # With Whisper in memory already; before that, what can fail fast doesn't wait for it.
        from faster_whisper.transcribe import get_compression_ratio

        text = "".join(passage.text for passage in passages).strip() or None
        figures: Row = {
            "asr_logprob": _mean(passages, "logprob"),
            "asr_no_speech": _mean(passages, "no_speech"),
            "asr_compression": text and get_compression_ratio(text),
        }
        states = [passage.states for passage in passages if passage.states is not None]
        if text and states:
            seconds = [passage.seconds for passage in passages]
            figures |= self.beside.row(np.average(states, axis=0, weights=seconds))
        return Transcript(text, text and _language(passages), figures)


def _language(passages: Sequence[Passage]) -> str:
    # That of most of the clip, as far as something is said in it; of equals the first.
    seconds: dict[str, float] = {}
    for passage in passages:
        if passage.text.strip():
            seconds[passage.language] = seconds.get(passage.language, 0.0) + passage.seconds
    return max(seconds, key=lambda code: seconds[code])


def _mean(passages: Sequence[Passage], figure: str) -> float | None:
    # The mean log-probability of no tokens is no number.
    known = [passage for passage in passages if math.isfinite(getattr(passage, figure))]
    if not known:
        return None
    values = [getattr(passage, figure) for passage in known]
    return float(np.average(values, weights=[passage.seconds for passage in known]))
