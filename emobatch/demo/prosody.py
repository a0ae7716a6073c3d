"""How each emotion sounds: pitch, pitch range, rate, loudness and spectral tilt.

The directions follow what reviews of vocal expression agree on: anger is fast, loud, raised in
pitch and strong at high frequencies; happiness is raised and wide in pitch, fast and fairly loud;
sadness is low and narrow in pitch, slow, quiet and weak at high frequencies. See

- R. Banse and K. R. Scherer, "Acoustic profiles in vocal emotion expression", Journal of
  Personality and Social Psychology 70(3), 1996;
- K. R. Scherer, "Vocal communication of emotion: a review of research paradigms", Speech
  Communication 40, 2003;
- P. N. Juslin and P. Laukka, "Communication of emotions in vocal expression and music
  performance: different channels, same code?", Psychological Bulletin 129(5), 2003.

The sizes of the differences are this project's own. Listeners confuse emotions of like arousal,
above all when they are weakly expressed, and take weak expression for none. So part of the
emotional clips is spoken half-heartedly, in one of two manners that two emotions share: "lively"
(angry or happy) and "subdued" (sad or happy). Nothing in the sound of such a clip tells which.
"""

from dataclasses import astuple, dataclass
from typing import Final, Literal

import numpy as np

from emobatch.demo.synthesis import Delivery

Emotion = Literal["angry", "happy", "neutral", "sad"]
Manner = Literal["clear", "lively", "subdued"]

EMOTIONS: Final[tuple[Emotion, ...]] = ("angry", "happy", "neutral", "sad")


@dataclass(frozen=True)
class Profile:
    """The mean of a delivery, or its spread; units as in `Delivery`."""

    rate: float
    pitch: float
    pitch_range: float
    volume: float
    tilt: float


_CLEAR: Final[dict[Emotion, Profile]] = {
    "angry": Profile(rate=226, pitch=60, pitch_range=50, volume=165, tilt=0.85),
    "happy": Profile(rate=192, pitch=84, pitch_range=95, volume=125, tilt=0.22),
    "neutral": Profile(rate=164, pitch=42, pitch_range=42, volume=100, tilt=-0.05),
    "sad": Profile(rate=126, pitch=18, pitch_range=8, volume=60, tilt=-0.80),
}
_SHARED: Final[dict[Manner, Profile]] = {
    "lively": Profile(rate=208, pitch=62, pitch_range=60, volume=130, tilt=0.54),
    "subdued": Profile(rate=146, pitch=32, pitch_range=26, volume=85, tilt=-0.42),
}
_CLEAR_SPREAD: Final = Profile(rate=7, pitch=4, pitch_range=6, volume=12, tilt=0.05)
_SHARED_SPREAD: Final = Profile(rate=4, pitch=3, pitch_range=5, volume=10, tilt=0.04)
_LOWEST: Final = Profile(rate=110, pitch=3, pitch_range=0, volume=30, tilt=-0.95)
_HIGHEST: Final = Profile(rate=240, pitch=99, pitch_range=99, volume=190, tilt=0.95)

_MANNERS: Final[dict[Emotion, dict[Manner, float]]] = {
    "angry": {"clear": 0.74, "lively": 0.26, "subdued": 0.00},
    "happy": {"clear": 0.48, "lively": 0.26, "subdued": 0.26},
    "neutral": {"clear": 1.00, "lively": 0.00, "subdued": 0.00},
    "sad": {"clear": 0.74, "lively": 0.00, "subdued": 0.26},
}
"""How often each emotion is spoken in each manner; emotions that share one do so equally."""

_HEARD_AS_NEUTRAL: Final = 0.55
"""How often a listener who goes by the sound alone takes a half-hearted clip for neutral."""


def draw_manner(emotion: Emotion, rng: np.random.Generator) -> Manner:
    """Draw whether an emotion is spoken clearly or in a manner that it shares with others."""
    manners = list(_MANNERS[emotion])
    chances = [_MANNERS[emotion][manner] for manner in manners]
    return manners[int(rng.choice(len(manners), p=chances))]


def draw_heard(emotion: Emotion, manner: Manner, rng: np.random.Generator) -> Emotion:
    """Draw what a listener who cannot follow the words takes an emotion for."""
    if manner != "clear" and rng.random() < _HEARD_AS_NEUTRAL:
        return "neutral"
    return emotion


def draw_delivery(emotion: Emotion, manner: Manner, rng: np.random.Generator) -> Delivery:
    """Draw how an emotion is spoken in a manner.

    Args:
        emotion: The emotion; it matters only where the manner is "clear".
        manner: "clear", or a manner that several emotions share.
        rng: The source of randomness.

    Returns:
        The delivery, within the limits at which espeak-ng stays intelligible.
    """
    mean = _CLEAR[emotion] if manner == "clear" else _SHARED[manner]
    spread = _CLEAR_SPREAD if manner == "clear" else _SHARED_SPREAD
    drawn = rng.normal(astuple(mean), astuple(spread))
    rate, pitch, pitch_range, volume, tilt = np.clip(drawn, astuple(_LOWEST), astuple(_HIGHEST))
    return Delivery(
        rate=round(rate),
        pitch=round(pitch),
        pitch_range=round(pitch_range),
        volume=round(volume),
        tilt=round(float(tilt), 3),
    )
