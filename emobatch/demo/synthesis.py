"""Speech from text with espeak-ng, called through ctypes.

The shared library and its data come with the `espeakng-loader` package. espeak-ng keeps state in
static variables (the phase of the pitch's flutter, for one) that nothing resets, so the same text
spoken twice differs a little. Each `Synthesiser` therefore loads a copy of the library of its own:
what it speaks depends on what it has spoken before, and on nothing else in the process.
"""

import ctypes
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from emobatch.errors import EmobatchError

_AUDIO_OUTPUT_SYNCHRONOUS: Final = 2
_CHARS_UTF8: Final = 1
_POS_CHARACTER: Final = 1
_RATE: Final = 1
_VOLUME: Final = 2
_PITCH: Final = 3
_RANGE: Final = 4
_BUFFER_MS: Final = 200
_CALLBACK_TYPE: Final = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class SynthesisError(EmobatchError):
    """espeak-ng could not be started or refused a voice or a text."""


@dataclass(frozen=True)
class Delivery:
    """How a sentence is spoken, in espeak-ng's units.

    Attributes:
        rate: Words per minute (80 to 450).
        pitch: Base pitch, 0 to 99; 50 is the voice's own.
        pitch_range: Pitch range, 0 (monotone) to 99; 50 is the voice's own.
        volume: Loudness, 0 to 200; 100 is the voice's own.
        tilt: Spectral tilt, -0.9 (dull: relaxed voice) to 0.9 (bright: pressed voice).
    """

    rate: int
    pitch: int
    pitch_range: int
    volume: int
    tilt: float


def _loader() -> Any:
    """Import the package that carries espeak-ng, an extra that not every user has."""
    try:
        import espeakng_loader
    except ModuleNotFoundError as error:
        raise SynthesisError(
            "the demo speaks through espeak-ng, which isn't installed: pip install 'emobatch[demo]'"
        ) from error
    return espeakng_loader


def _private_library() -> Any:
    """Load a fresh copy of the espeak-ng library, with static variables of its own."""
    original = Path(_loader().get_library_path())
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / original.name
        shutil.copyfile(original, copy)
        return ctypes.CDLL(str(copy))


class Synthesiser:
    """An espeak-ng engine, for use from one thread.

    Two engines that are given the same texts in the same order give the same samples. An engine
    stays in memory for good, so make one per data set, not one per clip.
    """

    def __init__(self) -> None:
        """Start the engine.

        Raises:
            SynthesisError: The library did not start.
        """
        self._library: Any = _private_library()
        data = _loader().get_data_path().encode()
        self.sample_rate: int = self._library.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS, _BUFFER_MS, data, 0
        )
        if self.sample_rate <= 0:
            raise SynthesisError("espeak-ng did not start")
        self._blocks: list[npt.NDArray[np.int16]] = []
        # The callback object must outlive every synthesis, or espeak-ng calls freed memory.
        self._callback: Callable[..., int] = _CALLBACK_TYPE(self._receive)
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, samples: Any, count: int, _events: Any) -> int:
        """Take a block of samples from espeak-ng; returns 0 to go on."""
        if count > 0:
            self._blocks.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        return 0

    def _set(self, parameter: int, value: int) -> None:
        self._library.espeak_SetParameter(parameter, value, 0)

    def speak(self, text: str, voice: str, delivery: Delivery) -> npt.NDArray[np.int16]:
        """Speak a text.

        Args:
            text: What to say.
            voice: An espeak-ng voice name, such as "en-us+m3".
            delivery: How to say it.

        Returns:
            The samples at `sample_rate`, shape (samples,).

        Raises:
            SynthesisError: The voice does not exist, or nothing was spoken.
        """
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SynthesisError(f"espeak-ng has no voice {voice!r}")
        self._set(_RATE, delivery.rate)
        self._set(_PITCH, delivery.pitch)
        self._set(_RANGE, delivery.pitch_range)
        self._set(_VOLUME, delivery.volume)
        self._blocks.clear()
        spoken = text.encode()
        self._library.espeak_Synth(
            spoken, len(spoken) + 1, 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None
        )
        self._library.espeak_Synchronize()
        if not self._blocks:
            raise SynthesisError(f"espeak-ng said nothing for {text!r}")
        return _tilted(np.concatenate(self._blocks), delivery.tilt)


def _tilted(samples: npt.NDArray[np.int16], tilt: float) -> npt.NDArray[np.int16]:
    """Brighten or dulls a sound with a first-order filter, keeping its level.

    espeak-ng's loudness only scales its output; a human voice raised in effort also gains at
    high frequencies, which this supplies.
    """
    sound = samples.astype(np.float64)
    level = np.sqrt(np.mean(sound**2))
    shaped = sound.copy()
    shaped[1:] -= tilt * sound[:-1]
    shaped *= level / max(np.sqrt(np.mean(shaped**2)), 1e-9)
    return np.clip(np.round(shaped), -32768, 32767).astype(np.int16)
