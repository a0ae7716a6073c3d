"""EmoDB, the Berlin database: ten actors say ten sentences (Burkhardt et al., 2005)."""

from __future__ import annotations

import re
from pathlib import Path

from emobatch.manifests.corpora.corpus import NamedCorpus, Row
from emobatch.manifests.corpora.files import Files

# By the first letter of the German word: Wut, Langeweile, Ekel, Angst, Freude, Trauer.
LABELS = {
    **{"W": "anger", "L": "boredom", "E": "disgust", "A": "fear", "F": "happiness"},
    **{"T": "sadness", "N": "neutral"},
}
WOMEN = ("08", "09", "13", "14", "16")
SENTENCES = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}


class EmoDb(NamedCorpus):
    """Reads names as 03a01Fa: speaker 03, sentence a01, Freude, the first of several takes."""

    name = re.compile(r"(\d\d)([ab]\d\d)([WLEAFTN])([a-z])")

    def row(self, found: re.Match[str], path: Path, files: Files) -> Row | None:
        """Make one row.

        Args:
            found: the parts of the name.
            path: of the file.
            files: of the corpus.

        Returns:
            Values by column.
        """
        speaker, sentence, emotion, take = found.groups()
        return {
            "label": LABELS[emotion],
            "speaker": speaker,
            "gender": "female" if speaker in WOMEN else "male",
            "script": sentence,
            "transcript": SENTENCES.get(sentence),
            "take": take,
        }
