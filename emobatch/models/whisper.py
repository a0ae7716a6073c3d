"""What is said in a clip: Whisper through CTranslate2, in batches across clips.

faster-whisper resolves names and loads model, tokenizer and feature extractor; encoding and
decoding go straight to CTranslate2, which takes many clips at a time. A clip of up to 30 s gets
the transcript that ``faster_whisper.WhisperModel.transcribe`` gives for it alone at temperature 0,
without timestamps and without previous text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from ctranslate2 import DataType, StorageView
from ctranslate2 import Device as Place
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens
from numpy.typing import NDArray

from emobatch.errors import CheckpointError, DeviceError
from emobatch.manifests.blocks import Samples
from emobatch.models import hub
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.devices import CUDA_LIBRARIES_REMEDY, Device
from emobatch.models.embedding import Embedding
from emobatch.models.faults import Fault, ctranslate2_fault

# Whisper's own rule for silence (Radford et al. 2023, section 4.5).
NO_SPEECH_PROBABILITY = 0.6
SILENCE_LOGPROB = -1.0
MOST_TOKENS = 448
# Frames (5 s) that a context is rounded up to where it fits the clip.
CONTEXT_STEP = 500
# Its second convolution goes on by two frames.
FRAMES_TO_A_STATE = 2


@dataclass(frozen=True, slots=True)
class Passage:
    """What was recognised in one window of Whisper's.

    Attributes:
        text: as decoded, with its leading space; empty where nothing is said.
        seconds: duration of the window's audio.
        logprob: mean log-probability of the tokens, nats.
        no_speech: probability that nothing is said.
        language: two-letter code.
        states: (size,) mean of the encoder's states over the window's own frames, where asked for;
            and their standard deviation behind it.
    """

    text: str
    seconds: float
    logprob: float
    no_speech: float
    language: str
    states: NDArray[np.float64] | None = None


class Whisper:
    """A Whisper checkpoint with its decoding options."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: Device,
        *,
        language: str = "en",
        beam_size: int = 1,
        fit_context: bool = False,
        embedding: Embedding | None = None,
    ) -> None:
        """Load the checkpoint.

        Args:
            checkpoint: Whisper in CTranslate2's format.
            device: where to run it.
            language: two-letter code, or ``auto`` to detect it clip by clip.
            beam_size: 1 is greedy.
            fit_context: give the encoder as many seconds as a clip needs, rounded up to five,
                and not the 30 that it was trained on; faster, and can change transcripts.
            embedding: what of the encoder's states is wanted, of whatever layer; None for nothing.

        Raises:
            CheckpointError: if it can't be loaded or doesn't know the language.
            DeviceError: if CTranslate2 lacks a CUDA library.
        """
        self._beam_size = beam_size
        self._fit_context = fit_context
        self._embedding = embedding
        with checkpoint.explained(), hub.closed(), _device_explained():
            self._whisper: Any = WhisperModel(
                str(checkpoint.folder),
                device=device.ctranslate2,
                compute_type=device.compute_type,
                cpu_threads=device.threads,
                num_workers=device.workers,
            )
        supported = self._whisper.supported_languages
        if language != "auto" and language not in supported:
            raise CheckpointError(
                f"{checkpoint.name}: doesn't know the language {language!r}; "
                f"give --language auto or one of {', '.join(supported)}"
            )
        # An English-only checkpoint has nothing to detect.
        self._language = "en" if supported == ["en"] else language
        self._frames = self._whisper.feature_extractor.nb_max_frames

    def padded_seconds(self, seconds: float) -> float:
        """How much audio the encoder is given for a clip.

        Args:
            seconds: the clip's duration.

        Returns:
            Seconds with padding: whole windows, of 30 s for published checkpoints.
        """
        per_frame = self._whisper.feature_extractor.time_per_frame
        whole, rest = divmod(round(seconds / per_frame), self._frames)
        return float((whole * self._frames + (self._context(rest) if rest else 0)) * per_frame)

    def transcribe(self, clips: Sequence[Samples]) -> list[list[Passage]]:
        """Transcribe clips in one batch.

        Args:
            clips: each (samples,) float32, 16 kHz, mono, up to 30 s.

        Returns:
            For each clip the passages recognised in it, one for each of Whisper's windows.

        Raises:
            DeviceError: if CTranslate2 lacks a CUDA library.

        Examples:
            >>> recogniser.transcribe([samples])[0][0].text  # doctest: +SKIP
            ' I told you not to come here.'
        """
        windows = [
            (place, window) for place, clip in enumerate(clips) for window in self._features(clip)
        ]
        passages: list[list[Passage]] = [[] for _ in clips]
        # A window's context follows from the window alone, never from what it is batched with.
        # Sorting is stable: a clip's windows, of which only the last can be shorter, keep order.
        windows.sort(key=lambda item: -self._context(item[1].shape[-1]))
        for context, group in groupby(windows, lambda item: self._context(item[1].shape[-1])):
            places, alike = zip(*group, strict=True)
            with _device_explained():
                for place, passage in zip(places, self._decode(alike, context), strict=True):
                    passages[place].append(passage)
        return passages

    def _context(self, frames: int) -> int:
        if not self._fit_context:
            return int(self._frames)
        return int(min(self._frames, -(-frames // CONTEXT_STEP) * CONTEXT_STEP))

    def _features(self, clip: Samples) -> list[NDArray[np.float32]]:
        # Log-mel frames of the whole clip, cut and padded with zeros as faster-whisper does it.
        frames = self._whisper.feature_extractor(clip)
        content = frames[:, : frames.shape[-1] - 1]
        return [
            content[:, first : first + self._frames]
            for first in range(0, content.shape[-1], self._frames)
        ]

    def _decode(self, windows: Sequence[NDArray[np.float32]], context: int) -> list[Passage]:
        padded = [np.pad(w, ((0, 0), (0, context - w.shape[-1]))) for w in windows]
        model = self._whisper.model
        encoded = model.encode(StorageView.from_array(np.ascontiguousarray(np.stack(padded))))
        if self._language == "auto":
            detected = model.detect_language(encoded)
            languages = [candidates[0][0].strip("<|>") for candidates in detected]
        else:
            languages = [self._language] * len(windows)
        tokenizers = {code: self._tokenizer(code) for code in set(languages)}
        any_tokenizer = tokenizers[languages[0]]
        results = model.generate(
            encoded,
            [
                [*tokenizers[code].sot_sequence, tokenizers[code].no_timestamps]
                for code in languages
            ],
            beam_size=self._beam_size,
            max_length=MOST_TOKENS,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=get_suppressed_tokens(any_tokenizer, [-1]),
        )
        states = self._states(encoded, windows)
        return [
            self._passage(result, tokenizers[code], window, code, pooled)
            for result, window, code, pooled in zip(
                results, windows, languages, states, strict=True
            )
        ]

    def _states(
        self, encoded: StorageView, windows: Sequence[NDArray[np.float32]]
    ) -> Sequence[NDArray[np.float64] | None]:
        if self._embedding is None:
            return [None] * len(windows)
        here = encoded.to_device(Place.cpu).to(DataType.float32)
        pooled: list[NDArray[np.float64] | None] = []
        for window, states in zip(windows, np.array(here, np.float64), strict=True):
            own = states[: -(-window.shape[-1] // FRAMES_TO_A_STATE)]
            parts = [own.mean(axis=0), *([own.std(axis=0)] if self._embedding.deviation else [])]
            pooled.append(np.hstack(parts))
        return pooled

    def _passage(
        self,
        result: Any,
        tokenizer: Any,
        window: NDArray[np.float32],
        language: str,
        states: NDArray[np.float64] | None = None,
    ) -> Passage:
        tokens = result.sequences_ids[0]
        logprob = result.scores[0] * len(tokens) / (len(tokens) + 1)
        silent = result.no_speech_prob > NO_SPEECH_PROBABILITY and logprob < SILENCE_LOGPROB
        text = "" if silent else tokenizer.decode(tokens)
        seconds = window.shape[-1] * self._whisper.feature_extractor.time_per_frame
        return Passage(text, seconds, logprob, result.no_speech_prob, language, states)

    def _tokenizer(self, language: str) -> Any:
        multilingual = self._whisper.model.is_multilingual
        return Tokenizer(self._whisper.hf_tokenizer, multilingual, "transcribe", language)


@contextmanager
def _device_explained() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        fault = ctranslate2_fault(error)
        if fault is Fault.LIBRARY:
            raise DeviceError(
                f"CTranslate2: {error}; it needs the libraries of CUDA 12, whatever PyTorch uses: "
                f"{CUDA_LIBRARIES_REMEDY}, or use --device cpu"
            ) from error
        if fault is Fault.DEVICE:
            raise DeviceError(f"CTranslate2: {error}; use --device cpu") from error
        raise
