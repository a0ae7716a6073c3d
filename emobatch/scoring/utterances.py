"""One utterance on its way through the scorers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from emobatch.manifests.audio import SAMPLE_RATE
from emobatch.manifests.blocks import Samples
from emobatch.manifests.clip import Clip
from emobatch.manifests.fetching import Fetched
from emobatch.scorers.scorer import Transcript, WindowScore

AUDIO_STAGE = "audio"


@dataclass
class Utterance:
    """A clip, and what the scorers have said of it so far.

    Attributes:
        clip: the manifest's row.
        id: of that row.
        seconds: of audio scored.
        window_scores: what each scorer of audio says of its windows, by the scorer's stage; the
            recogniser too, of those that were transcribed.
        transcript: what is said, once it is known.
        cleaned: what text models are given.
        text_scores: what each scorer of text says, by its stage.
        failed: stages that failed.
        error: the first of them, and its cause.
        windows_left: windows that are decoded and not yet through.
        decoded: whether there are no more windows to come.
        needs_text: whether what is said is wanted, None while that isn't known.
        lent: its file, where that was fetched and has to stay until it is decoded.
    """

    clip: Clip
    id: str
    seconds: float = 0.0
    window_scores: dict[str, list[WindowScore[Any]]] = field(default_factory=dict)
    transcript: Transcript | None = None
    cleaned: str | None = None
    text_scores: dict[str, Any] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    error: str | None = None
    windows_left: int = 0
    decoded: bool = False
    needs_text: bool | None = None
    lent: Fetched | None = None

    def fetched(self, lent: Fetched) -> None:
        """Take the file that came for it.

        Args:
            lent: the clip as it is here.
        """
        self.clip, self.lent = lent.clip, lent

    def end_decoding(self) -> None:
        """Note that there are no more windows to come, and let go of the file."""
        self.decoded = True
        if self.lent is not None:
            self.lent.release()

    def given_language(self, otherwise: str | None) -> str | None:
        """Language of the transcript that the manifest gives.

        Args:
            otherwise: of rows of which the manifest doesn't say it.

        Returns:
            A code, None where it isn't known.
        """
        return self.clip.language or otherwise

    def fail(self, stage: str, error: Exception) -> None:
        """Note that something went wrong; a row says what went wrong first, and has no text.

        Args:
            stage: where.
            error: what.
        """
        self.failed.add(stage)
        self.needs_text = False
        if self.error is None:
            cause = " ".join(str(error).split()) or type(error).__name__
            self.error = f"{stage}: {cause}"
            if stage == AUDIO_STAGE:
                self.error += f": {self.clip.path}"


@dataclass(frozen=True)
class Window:
    """Up to 30 s of an utterance.

    Attributes:
        utterance: whose.
        samples: (samples,) float32, 16 kHz, mono.
        follows: whether there are windows of the clip before it, which are of 30 s.
    """

    utterance: Utterance
    samples: Samples
    follows: bool = False

    @property
    def seconds(self) -> float:
        """Duration."""
        return len(self.samples) / SAMPLE_RATE
