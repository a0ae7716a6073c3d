"""ESD: ten speakers of Mandarin and ten of English (Zhou et al., 2022)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from emobatch.manifests.corpora.corpus import NamedCorpus, Row
from emobatch.manifests.corpora.files import Files

LABELS = {
    **{"angry": "angry", "happy": "happy", "neutral": "neutral", "sad": "sad"},
    "surprise": "surprise",
}
SPLITS = {"train": "train", "evaluation": "val", "test": "test"}
# Speakers up to this one speak Mandarin.
LAST_OF_MANDARIN = 10
# Each says this many sentences in each emotion.
SENTENCES = 350


class Esd(NamedCorpus):
    """Reads files as 0001/Angry/0001_000351.wav, and texts of 0001/0001.txt."""

    name = re.compile(r"(\d{4})_(\d{6})")

    def rows(self, files: Files) -> Iterator[Row]:
        """Make a row of each file, with what is said.

        Args:
            files: of the corpus.

        Yields:
            Values by column; ``split`` where the files are in folders train, evaluation and test.
        """
        said: dict[str, str] = {}
        for name in files.names:
            if re.fullmatch(r"\d{4}\.txt", Path(name).name):
                said |= _said(files, name)
        for row in super().rows(files):
            yield {**row, "transcript": said.get(row["id"])}

    def row(self, found: re.Match[str], path: Path, files: Files) -> Row | None:
        """Make one row.

        Args:
            found: the parts of the name.
            path: of the file.
            files: of the corpus.

        Returns:
            Values by column, None where no folder says the emotion.
        """
        folders = [part.lower() for part in path.parts[:-1]]
        labels = [LABELS[part] for part in folders if part in LABELS]
        if not labels:
            return None
        splits = [SPLITS[part] for part in folders if part in SPLITS]
        return {
            "label": labels[-1],
            "speaker": found[1],
            "language": "zh" if int(found[1]) <= LAST_OF_MANDARIN else "en",
            "script": str((int(found[2]) - 1) % SENTENCES + 1),
            "split": splits[-1] if splits else None,
        }


def _said(files: Files, name: str) -> dict[str, str]:
    # Its owners wrote them on several systems.
    mandarin = int(Path(name).stem) <= LAST_OF_MANDARIN
    lines = files.lines(name, ("gb18030",) if mandarin else ("cp1252",))
    parts = (re.split(r"\t+", line) for _, line in lines)
    return {each[0].strip(): each[1].strip() for each in parts if len(each) > 1}
