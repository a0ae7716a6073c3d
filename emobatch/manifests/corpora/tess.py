"""TESS: two actresses say 200 words (Pichora-Fuller and Dupuis, 2020)."""

from __future__ import annotations

import re
from pathlib import Path

from emobatch.manifests.corpora.corpus import NamedCorpus, Row
from emobatch.manifests.corpora.files import Files

LABELS = {
    **{"angry": "angry", "disgust": "disgust", "fear": "fear", "happy": "happy"},
    **{"ps": "pleasant surprise", "sad": "sad", "neutral": "neutral"},
}


class Tess(NamedCorpus):
    """Reads names as OAF_back_angry: the older actress, the word, the emotion."""

    # One file of the older actress is called OA_bite_neutral.
    name = re.compile(r"(OAF?|YAF)_(.+)_([a-z]+)", re.IGNORECASE)

    def row(self, found: re.Match[str], path: Path, files: Files) -> Row | None:
        """Make one row.

        Args:
            found: the parts of the name.
            path: of the file.
            files: of the corpus.

        Returns:
            Values by column, None where the emotion isn't documented.
        """
        actress, word, emotion = found[1].upper(), found[2].lower(), found[3].lower()
        if emotion not in LABELS:
            return None
        return {
            "label": LABELS[emotion],
            "speaker": "YAF" if actress == "YAF" else "OAF",
            "gender": "female",
            "script": word,
            "transcript": f"Say the word {word}.",
        }
