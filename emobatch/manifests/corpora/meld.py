"""MELD: dialogues of a television series (Poria et al., 2019)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from emobatch.errors import ManifestError
from emobatch.manifests.corpora.corpus import Corpus, Row
from emobatch.manifests.corpora.files import Files

TABLES = {
    "train_sent_emo.csv": "train",
    "dev_sent_emo.csv": "val",
    "test_sent_emo.csv": "test",
}
# Parts of the names of the folders that the clips of a split are in.
FOLDERS = {"train": "train", "dev": "val", "test": "test"}
NEEDED = ("Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID")


class Meld(Corpus):
    """Reads the three tables, and finds the clips of each split by name."""

    def rows(self, files: Files) -> Iterator[Row]:
        """Make a row of each utterance.

        Args:
            files: of the corpus.

        Yields:
            Values by column. Clips of other splits have the same names, so that ids begin with the
            split. Its sentiments are in ``rated_sentiment``.

        Raises:
            ManifestError: if there is no table, or it lacks a column.
        """
        clips = {(split, Path(name).stem): name for name in files.audio for split in _split(name)}
        tables = files.called(*TABLES)
        if not tables:
            raise ManifestError(f"no {', '.join(TABLES)} in it; give the folder that has them")
        for table in tables:
            for _, found in files.records(table, NEEDED):
                yield _row(TABLES[Path(table).name.lower()], found, clips)


def _row(split: str, found: dict[str, str], clips: dict[tuple[str, str], str]) -> Row:
    dialogue, turn = found["Dialogue_ID"], found["Utterance_ID"]
    name = f"dia{dialogue}_utt{turn}"
    return {
        "path": clips.get((split, name)),
        "id": f"{split}_{name}",
        "label": found["Emotion"],
        "speaker": found["Speaker"],
        "dialogue": f"{split}_dia{dialogue}",
        "turn": int(turn) if turn.isdecimal() else None,
        "split": split,
        "transcript": found["Utterance"],
        "rated_sentiment": found["Sentiment"],
        "season": found.get("Season"),
        "episode": found.get("Episode"),
    }


def _split(name: str) -> list[str]:
    # The nearest folder that says it, as in output_repeated_splits_test.
    for folder in reversed(Path(name).parts[:-1]):
        for part, split in FOLDERS.items():
            if part in folder.lower():
                return [split]
    return []
