"""SAVEE: four men say 15 sentences for each emotion (Haq and Jackson, 2010)."""

from __future__ import annotations

import re
from pathlib import Path

from emobatch.manifests.corpora.corpus import NamedCorpus, Row
from emobatch.manifests.corpora.files import Files

LABELS = {
    **{"a": "anger", "d": "disgust", "f": "fear", "h": "happiness", "n": "neutral"},
    **{"sa": "sadness", "su": "surprise"},
}
SPEAKERS = ("DC", "JE", "JK", "KL")


class Savee(NamedCorpus):
    """Reads names as DC/a01, or DC_a01 where all are in one folder."""

    name = re.compile(r"(?:(DC|JE|JK|KL)_)?(sa|su|[adfhn])(\d\d)")

    def row(self, found: re.Match[str], path: Path, files: Files) -> Row | None:
        """Make one row.

        Args:
            found: the parts of the name.
            path: of the file.
            files: of the corpus.

        Returns:
            Values by column, None where neither name nor folder says who speaks.
        """
        speaker = found[1] or path.parent.name
        if speaker not in SPEAKERS:
            return None
        return {
            "id": f"{speaker}_{found[2]}{found[3]}",
            "label": LABELS[found[2]],
            "speaker": speaker,
            "gender": "male",
            "take": found[3],
        }
