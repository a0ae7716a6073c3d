"""One utterance on its way through both branches, and the row that it becomes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.manifests.audio import SAMPLE_RATE, Samples
from emobatch.manifests.clips import Clip
from emobatch.tables.score_table import COLUMNS, TEXT_COLUMNS
from emobatch.tables.uncertainty import SPEECH_COLUMNS, with_uncertainty
from emobatch.tasks.labels import SENTIMENTS

if TYPE_CHECKING:
    from emobatch.scorers.transcription import Passage

# Without one of these there are no probabilities to decide by; without the others, no text.
SPEECH_STAGES = ("audio", "speech")
# Full scale is 1: -66 dB, about the last four of a 16-bit sample's bits.
SILENCE = 0.0005


@dataclass
class Utterance:
    """A clip, and what the branches have said of it so far.

    Attributes:
        clip: the manifest's row.
        id: of that row.
        seconds: of audio scored.
        evidence: (4,) sum over windows of speech probabilities times seconds.
        passages: what was recognised, in order.
        cleaned: what the sentiment model is given.
        feeling: (3,) sentiment probabilities.
        stage: at which it failed.
        error: stage and cause.
        windows_left: windows that are decoded and not yet through both branches.
        decoded: whether there are no more windows to come.
        consulted: whether the text branch is, None while that isn't known.
    """

    clip: Clip
    id: str
    seconds: float = 0.0
    evidence: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(SPEECH_COLUMNS)))
    passages: list[Passage] = field(default_factory=list)
    cleaned: str | None = None
    feeling: NDArray[np.float64] | None = None
    stage: str | None = None
    error: str | None = None
    windows_left: int = 0
    decoded: bool = False
    consulted: bool | None = None

    def fail(self, stage: str, error: Exception) -> None:
        """Note the first thing that went wrong.

        Args:
            stage: where.
            error: what.
        """
        if self.error is None:
            cause = " ".join(str(error).split()) or type(error).__name__
            self.stage = stage
            self.error = f"{stage}: {cause}"
            if stage == "audio":
                self.error += f": {self.clip.path}"

    @property
    def transcript(self) -> str | None:
        """What is said, None where nothing is or nobody listened."""
        if self.clip.transcript is not None:
            return self.clip.transcript
        return "".join(passage.text for passage in self.passages).strip() or None

    @property
    def language(self) -> str | None:
        """Of what was recognised."""
        return self.passages[0].language if self.passages else None

    def row(self) -> dict[str, Any]:
        """The score table's columns but for those that follow from the others."""
        row: dict[str, Any] = dict.fromkeys(COLUMNS)
        row["id"] = self.id
        row["status"] = "ok" if self.error is None else "error"
        row["error"] = self.error
        if self.stage not in SPEECH_STAGES:
            row["duration"] = self.seconds
            row |= zip(SPEECH_COLUMNS, self.evidence / self.seconds, strict=True)
        return row | self._heard() | self._felt()

    def _heard(self) -> dict[str, Any]:
        if self.clip.transcript is not None:
            return {"transcript": self.transcript, "transcript_source": "manifest"}
        if self.consulted is False and self.error is None:
            return {"transcript_source": "gated"}
        if self.error is not None:
            return {}
        if not self.passages:
            return {"transcript_source": "none"}
        # With Whisper in memory already; before that, what can fail fast doesn't wait for it.
        from faster_whisper.transcribe import get_compression_ratio

        return {
            "transcript": self.transcript,
            "transcript_source": "none" if self.transcript is None else "asr",
            "asr_logprob": self._mean_over_passages("logprob"),
            "asr_no_speech": self._mean_over_passages("no_speech"),
            "asr_compression": self.transcript and get_compression_ratio(self.transcript),
        }

    def _mean_over_passages(self, name: str) -> float | None:
        # By duration. The mean log-probability of no tokens is no number.
        known = [passage for passage in self.passages if math.isfinite(getattr(passage, name))]
        if not known:
            return None
        values = [getattr(passage, name) for passage in known]
        return float(np.average(values, weights=[passage.seconds for passage in known]))

    def _felt(self) -> dict[str, Any]:
        felt: dict[str, Any] = {"cleaned_text": self.cleaned}
        if self.feeling is not None:
            felt |= zip(TEXT_COLUMNS, self.feeling, strict=True)
            felt["sentiment"] = SENTIMENTS[int(self.feeling.argmax())]
            felt["sentiment_score"] = float(self.feeling.max())
        return felt


@dataclass(frozen=True)
class Window:
    """Up to 30 s of an utterance.

    Attributes:
        utterance: whose.
        samples: (samples,) float32, 16 kHz, mono.
    """

    utterance: Utterance
    samples: Samples

    @property
    def seconds(self) -> float:
        """Duration."""
        return len(self.samples) / SAMPLE_RATE

    @property
    def needs_transcript(self) -> bool:
        """Whether it is to be transcribed: Whisper invents words for silence."""
        return (
            bool(self.utterance.consulted)
            and self.utterance.clip.transcript is None
            and float(np.abs(self.samples).max()) > SILENCE
        )


def to_frame(utterances: Sequence[Utterance]) -> pl.DataFrame:
    """Make rows of the score table.

    Args:
        utterances: scored, in order.

    Returns:
        The columns that `score` adds to a manifest, one row for each utterance.
    """
    rows = pl.DataFrame([utterance.row() for utterance in utterances], schema=dict(COLUMNS))
    return with_uncertainty(rows.lazy()).collect()
