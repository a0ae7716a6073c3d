"""EmoV-DB: four speakers read CMU Arctic's sentences (Adigwe et al., 2018)."""

from __future__ import annotations

import re
from pathlib import Path

from emobatch.manifests.corpora.corpus import NamedCorpus, Row
from emobatch.manifests.corpora.files import Files

# By what folders are called, and by the words that files begin with.
LABELS = {
    **{"amused": "amused", "angry": "anger", "anger": "anger", "disgusted": "disgust"},
    **{"disgust": "disgust", "neutral": "neutral", "sleepy": "sleepiness"},
    "sleepiness": "sleepiness",
}
GENDERS = {"bea": "female", "jenie": "female", "josh": "male", "sam": "male"}


class EmovDb(NamedCorpus):
    """Reads files as bea_Amused/amused_1-15_0001.wav, or bea/Amused/amused_1-15_0001.wav."""

    name = re.compile(r"([A-Za-z]+)_\d+-\d+_(\d{4})")

    def row(self, found: re.Match[str], path: Path, files: Files) -> Row | None:
        """Make one row.

        Args:
            found: the parts of the name.
            path: of the file.
            files: of the corpus.

        Returns:
            Values by column, None where neither folder nor name says speaker and emotion.
        """
        words = [word for part in path.parts[:-1] for word in part.lower().split("_")]
        speakers = [word for word in words if word in GENDERS]
        emotion = found[1].lower()
        if not speakers or emotion not in LABELS:
            return None
        return {
            "id": f"{speakers[-1]}_{path.stem}",
            "label": LABELS[emotion],
            "speaker": speakers[-1],
            "gender": GENDERS[speakers[-1]],
            "script": found[2],
        }
