"""English speech from espeak-ng, for tests: real voices, no download."""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

RATE = 22_050
VOICES = ("en-us", "en", "en-gb-scotland", "en-us+f2", "en-us+m3", "en+f4")

_SYNCHRONOUS, _UTF8 = 2, 1
_PARAMETERS = {"rate": 1, "volume": 2, "pitch": 3, "range": 4}
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.cdll.LoadLibrary(espeakng_loader.get_library_path())
    data = str(Path(espeakng_loader.get_data_path())).encode()
    if library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0) != RATE:
        raise RuntimeError("espeak-ng didn't start")
    return library


def speak(text: str, voice: str = "en-us", **parameters: int) -> NDArray[np.int16]:
    """Say a text: (samples,) int16 at 22,050 Hz; parameters are rate, pitch, range, volume."""
    library = _library()
    blocks: list[NDArray[np.int16]] = []

    def collect(samples, count: int, events) -> int:
        if samples and count:
            blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    callback = _CALLBACK(collect)
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(voice.encode()):
        raise ValueError(f"no voice {voice}")
    for name, default in {"rate": 175, "pitch": 50, "range": 50, "volume": 100}.items():
        library.espeak_SetParameter(_PARAMETERS[name], parameters.get(name, default), 0)
    content = text.encode()
    library.espeak_Synth(content, len(content) + 1, 0, 1, 0, _UTF8, None, None)
    library.espeak_Synchronize()
    return np.concatenate(blocks)
