"""The speakers of the demo: espeak-ng accents and voice variants, split by variant.

A variant sets what tells one speaker from another (formants, base pitch, breathiness); an accent
sets the pronunciation. No variant occurs in both parts, so the test speakers are new.
"""

from typing import Final

import numpy as np

from emobatch.demo.sentences import Part

_ACCENTS: Final[dict[Part, tuple[str, ...]]] = {
    "train": (
        "en-us",
        "en-us",
        "en",
        "en",
        "en-gb-x-rp",
        "en-us-nyc",
        "en-029",
        "en-gb-scotland",
    ),
    "test": ("en-us", "en", "en-gb-x-rp"),
}
"""Accents by part; one that occurs twice is drawn twice as often."""

_VARIANTS: Final[dict[Part, tuple[str, ...]]] = {
    "train": (
        *("m1", "m2", "m4", "m5", "m6", "m8", "Alex", "Andy", "Lee", "Mario", "john", "max"),
        *("rob", "robert", "edward", "boris", "pablo", "michel", "travis", "klatt3", "Mike"),
        *("f1", "steph", "belinda", "aunty", "Andrea", "quincy", "anika", "grandma", "steph2"),
        *("zac", "grandpa"),
    ),
    "test": ("m3", "m7", "Michael", "marcelo", "f4", "Annie", "linda", "shelby"),
}
"""Variants by part; those with breath noise are left out: espeak-ng draws it irreproducibly."""


def draw_speaker(part: Part, rng: np.random.Generator) -> str:
    """Draw a speaker of a part: an espeak-ng voice name."""
    return f"{rng.choice(_ACCENTS[part])}+{rng.choice(_VARIANTS[part])}"
