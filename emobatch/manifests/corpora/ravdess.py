"""RAVDESS: 24 actors say, and sing, two sentences (Livingstone and Russo, 2018)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emobatch.manifests.corpora.corpus import NamedCorpus, Row
from emobatch.manifests.corpora.files import Files

LABELS = {
    **{"01": "neutral", "02": "calm", "03": "happy", "04": "sad", "05": "angry"},
    **{"06": "fearful", "07": "disgust", "08": "surprised"},
}
MODALITIES = {"01": "audio-video", "02": "video", "03": "audio"}
VOICES = {"01": "speech", "02": "song"}
INTENSITIES = {"01": "normal", "02": "strong"}
SENTENCES = {"01": "Kids are talking by the door.", "02": "Dogs are sitting by the door."}


class Ravdess(NamedCorpus):
    """Reads names as 03-01-06-01-02-01-12: the fearful one of actor 12, a woman."""

    name = re.compile(r"(0[13])-(0[12])-(0[1-8])-(0[12])-(0[12])-(0[12])-(\d\d)")

    def row(self, found: re.Match[str], path: Path, files: Files) -> Row | None:
        """Make one row.

        Args:
            found: the parts of the name.
            path: of the file.
            files: of the corpus.

        Returns:
            Values by column.
        """
        modality, voice, emotion, intensity, sentence, repetition, actor = found.groups()
        return {
            "label": LABELS[emotion],
            "speaker": actor,
            "gender": "male" if int(actor) % 2 else "female",
            "script": sentence,
            "transcript": SENTENCES[sentence],
            "intensity": INTENSITIES[intensity],
            "repetition": repetition,
            "voice": VOICES[voice],
            "modality": MODALITIES[modality],
        }

    def counts(self, row: Mapping[str, Any]) -> bool:
        """Whether it is of the 1,440 files of speech that its owners name.

        Args:
            row: one of the corpus's.

        Returns:
            False for songs and videos.
        """
        return (row["voice"], row["modality"]) == ("speech", "audio")
