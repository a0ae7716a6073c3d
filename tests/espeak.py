"""English speech from espeak-ng, for tests: real voices, no download."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from emobatch.demo.synthesis import Delivery, Synthesiser

RATE = 22_050
VOICES = ("en-us", "en", "en-gb-scotland", "en-us+f2", "en-us+m3", "en+f4")


@cache
def _engine() -> Synthesiser:
    return Synthesiser()


def forget() -> None:
    """Begin with an engine that has said nothing: what one says depends on what it said before."""
    _engine.cache_clear()


def speak(
    text: str, voice: str = "en-us", rate: int = 175, engine: Synthesiser | None = None
) -> NDArray[np.int16]:
    """Say a text at so many words a minute: (samples,) int16 at 22,050 Hz."""
    delivery = Delivery(rate=rate, pitch=50, pitch_range=50, volume=100, tilt=0.0)
    return (engine or _engine()).speak(text, voice, delivery)
