"""Both branches, loaded as the user chose them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from transformers.utils import logging

from emobatch import checkpoints, cleaning, devices, provenance, speech, transcription
from emobatch import sentiment as sentiments
from emobatch.errors import EmobatchError
from emobatch.labels import EMOTIONS, SENTIMENTS, parse_label_map
from emobatch.sentiment import SentimentClassifier
from emobatch.speech import SpeechClassifier
from emobatch.transcription import Recogniser


@dataclass(frozen=True)
class Choice:
    """What the user chose of models and options; all of it can change a score.

    Attributes:
        speech_model: hub name or folder.
        asr_model: hub name, size or folder.
        sentiment_model: hub name or folder.
        device: ``auto``, ``cuda``, ``mps`` or ``cpu``.
        language: two-letter code, or ``auto``.
        beam_size: of the recogniser, 1 is greedy.
        clean: cleaning steps as written on the command line.
        label_map: ``NAME=CLASS`` pairs for the speech model's labels.
        sentiment_label_map: the same for the sentiment model's.
        batch_seconds: padded audio to a batch, in seconds; None leaves it to the device.
        offline: look only at what is on this machine.
    """

    speech_model: str
    asr_model: str
    sentiment_model: str
    device: str = "auto"
    language: str = "en"
    beam_size: int = 1
    clean: str = ",".join(cleaning.STEPS)
    label_map: tuple[str, ...] = ()
    sentiment_label_map: tuple[str, ...] = ()
    batch_seconds: float | None = None
    offline: bool = False


@dataclass(frozen=True)
class Branches:
    """The models and what goes with them.

    Attributes:
        speech: the primary branch.
        recogniser: the secondary branch's ear.
        sentiment: the secondary branch's judgement.
        clean_steps: what happens to a transcript between the two.
        language: of transcripts that the manifest gives.
        batch_seconds: padded audio to a batch, in seconds.
        provenance: versions, models and options, for the score table.
    """

    speech: SpeechClassifier
    recogniser: Recogniser
    sentiment: SentimentClassifier
    clean_steps: tuple[str, ...]
    language: str
    batch_seconds: float
    provenance: dict[str, Any]


def _silence_libraries() -> None:
    logs: Any = logging
    logs.disable_progress_bar()  # of each model's weights, across our own
    logs.set_verbosity_error()
    # WavLM's own attention hands torch masks of two types, which it says at every batch.
    warnings.filterwarnings("ignore", message="Support for mismatched key_padding_mask")


def load(choice: Choice) -> Branches:
    """Load both branches.

    Args:
        choice: models and options.

    Returns:
        Ready to score.

    Raises:
        EmobatchError: if a model can't be had or used, or an option makes no sense.
    """
    _silence_libraries()
    steps = cleaning.parse_steps(choice.clean)
    label_map = parse_label_map(choice.label_map, EMOTIONS)
    sentiment_map = parse_label_map(choice.sentiment_label_map, SENTIMENTS)
    device = devices.choose(choice.device)
    batch_seconds = choice.batch_seconds or device.batch_seconds
    if not 0 < batch_seconds < float("inf"):
        raise EmobatchError(f"--batch-seconds {batch_seconds:g}: give a number above 0")
    # All are found before any is loaded: what is missing is said at once.
    found = {
        "speech": checkpoints.find(
            choice.speech_model, offline=choice.offline, option=speech.OPTION
        ),
        "asr": transcription.find(choice.asr_model, offline=choice.offline),
        "sentiment": checkpoints.find(
            choice.sentiment_model, offline=choice.offline, option=sentiments.OPTION
        ),
    }
    return Branches(
        speech=SpeechClassifier(found["speech"], device, label_map),
        recogniser=Recogniser(
            found["asr"], device, language=choice.language, beam_size=choice.beam_size
        ),
        sentiment=SentimentClassifier(found["sentiment"], device, sentiment_map),
        clean_steps=steps,
        language="en" if choice.language == "auto" else choice.language,
        batch_seconds=batch_seconds,
        provenance={
            "software": provenance.software(provenance.SCORING_PACKAGES),
            "models": {branch: checkpoint.provenance() for branch, checkpoint in found.items()},
            "options": {
                "device": device.name,
                "precision": str(device.dtype).removeprefix("torch."),
                "language": choice.language,
                "beam_size": choice.beam_size,
                "clean": ",".join(steps) or cleaning.NO_STEPS,
                "batch_seconds": batch_seconds,
                "label_map": label_map,
                "sentiment_label_map": sentiment_map,
            },
        },
    )
