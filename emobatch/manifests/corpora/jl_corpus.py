"""JL corpus: four speakers of New Zealand English (James et al., 2018)."""

from __future__ import annotations

import re
from pathlib import Path

from emobatch.manifests.corpora.corpus import NamedCorpus, Row
from emobatch.manifests.corpora.files import Files

PRIMARY = ("angry", "sad", "neutral", "happy", "excited")


class JlCorpus(NamedCorpus):
    """Reads names as female1_angry_10a_1, and the text beside each."""

    name = re.compile(r"((?:fe)?male[12])_([a-z]+)_(\d+[ab])_([12])")

    def row(self, found: re.Match[str], path: Path, files: Files) -> Row | None:
        """Make one row.

        Args:
            found: the parts of the name.
            path: of the file.
            files: of the corpus.

        Returns:
            Values by column.
        """
        speaker, emotion, sentence, session = found.groups()
        beside = path.with_suffix(".txt")
        is_there = (files.folder / beside).is_file()
        return {
            "label": emotion,
            "speaker": speaker,
            "gender": speaker[:-1],
            "session": session,
            "script": sentence,
            "transcript": files.text(beside.as_posix()).strip() if is_there else None,
            "kind": "primary" if emotion in PRIMARY else "secondary",
        }
