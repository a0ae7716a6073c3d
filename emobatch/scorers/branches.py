"""Both branches, loaded as the user chose them."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from transformers.utils import logging

from emobatch.fusion.selection.thresholds import Thresholds, to_toml
from emobatch.models import devices
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.choice import Choice
from emobatch.models.devices import Device
from emobatch.scorers.cleaning import NO_STEPS, parse_steps
from emobatch.scorers.sentiment import SentimentClassifier
from emobatch.scorers.speech import SpeechClassifier
from emobatch.scorers.transcription import Recogniser
from emobatch.tables import provenance
from emobatch.tasks.labels import EMOTIONS, SENTIMENTS, parse_label_map


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
        decode_timeout: seconds to wait for more of a file.
        workers: batches that are run at a time.
        chunk_rows: rows that are scored and saved together.
        gate: thresholds by which the text branch is consulted, None for always.
        provenance: versions, models and options, for the score table.
    """

    speech: SpeechClassifier
    recogniser: Recogniser
    sentiment: SentimentClassifier
    clean_steps: tuple[str, ...]
    language: str
    batch_seconds: float
    decode_timeout: float
    workers: int
    chunk_rows: int
    gate: Thresholds | None
    provenance: dict[str, Any]


def load(
    choice: Choice, found: Mapping[str, Checkpoint], gate: Thresholds | None = None
) -> Branches:
    """Load both branches.

    Args:
        choice: models and options.
        found: the checkpoints that it names, by branch.
        gate: thresholds by which the text branch is consulted, None for always.

    Returns:
        Ready to score.

    Raises:
        EmobatchError: if a model can't be used, or the device isn't there.
    """
    silence_libraries()
    steps = parse_steps(choice.clean)
    device = devices.choose(choice.device, choice.precision)
    if device.name == "cpu":
        # Batches side by side, each on one core, outrun one batch on all cores; and sums taken in
        # one order give the same scores on any number of cores.
        torch.set_num_threads(1)
    batch_seconds = choice.batch_seconds or device.batch_seconds
    options = {
        "device": device.name,
        "asr_device": device.ctranslate2,
        "precision": choice.precision,
        "speech_type": str(device.dtype).removeprefix("torch."),
        "asr_type": device.compute_type,
        "language": choice.language,
        "beam_size": choice.beam_size,
        "asr_context": choice.asr_context,
        "clean": ",".join(steps) or NO_STEPS,
        # As the user chose it: what is free on the device may differ when a run goes on.
        "batch_seconds": choice.batch_seconds,
        "chunk_rows": device.chunk_rows,
        "label_map": parse_label_map(choice.label_map, EMOTIONS),
        "sentiment_label_map": parse_label_map(choice.sentiment_label_map, SENTIMENTS),
        "gate": None if gate is None else hashlib.sha256(to_toml(gate).encode()).hexdigest(),
    }
    return Branches(
        speech=load_speech(choice, found["speech"], device),
        recogniser=load_recogniser(choice, found["asr"], device),
        sentiment=load_sentiment(choice, found["sentiment"], device),
        clean_steps=steps,
        language="en" if choice.language == "auto" else choice.language,
        batch_seconds=batch_seconds,
        decode_timeout=choice.decode_timeout,
        workers=device.workers,
        chunk_rows=device.chunk_rows,
        gate=gate,
        provenance={
            "software": provenance.software(provenance.SCORING_PACKAGES),
            "models": {branch: checkpoint.provenance() for branch, checkpoint in found.items()},
            "options": options,
        },
    )


def load_speech(choice: Choice, checkpoint: Checkpoint, device: Device) -> SpeechClassifier:
    """Load the primary branch.

    Args:
        choice: models and options.
        checkpoint: of the speech model.
        device: where it runs.

    Returns:
        Ready to score.

    Raises:
        EmobatchError: if it can't be used.
    """
    return SpeechClassifier(checkpoint, device, parse_label_map(choice.label_map, EMOTIONS))


def load_recogniser(choice: Choice, checkpoint: Checkpoint, device: Device) -> Recogniser:
    """Load the secondary branch's ear.

    Args:
        choice: models and options.
        checkpoint: of Whisper.
        device: where it runs.

    Returns:
        Ready to transcribe.

    Raises:
        EmobatchError: if it can't be used.
    """
    return Recogniser(
        checkpoint,
        device,
        language=choice.language,
        beam_size=choice.beam_size,
        fit_context=choice.asr_context == "fit",
    )


def load_sentiment(choice: Choice, checkpoint: Checkpoint, device: Device) -> SentimentClassifier:
    """Load the secondary branch's judgement.

    Args:
        choice: models and options.
        checkpoint: of the sentiment model.
        device: where it runs.

    Returns:
        Ready to score.

    Raises:
        EmobatchError: if it can't be used.
    """
    label_map = parse_label_map(choice.sentiment_label_map, SENTIMENTS)
    return SentimentClassifier(checkpoint, device, label_map)


def silence_libraries() -> None:
    """Keep the libraries' bars and notes off standard error."""
    logs: Any = logging
    logs.disable_progress_bar()  # of each model's weights, across our own
    logs.set_verbosity_error()
    # WavLM's own attention hands torch masks of two types, which it says at every batch.
    warnings.filterwarnings("ignore", message="Support for mismatched key_padding_mask")
