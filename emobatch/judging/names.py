"""Names and defaults of options, which help texts need without anything that takes long."""

from __future__ import annotations

ALL, FLAGGED, DISAGREE, UNSURE = ONLY = ("all", "flagged", "disagree", "unsure")
LEAST_CONFIDENCE = 0.8
