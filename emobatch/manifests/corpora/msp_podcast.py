"""MSP-Podcast: turns of podcasts, rated by many (Lotfian and Busso, 2019)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from emobatch.errors import ManifestError
from emobatch.manifests.corpora.corpus import Corpus, Row
from emobatch.manifests.corpora.files import Files

LABELS_FILE = ("labels_consensus.csv", "labels_concensus.csv")
# X is where the raters didn't agree.
LABELS = {
    **{"A": "angry", "S": "sad", "H": "happy", "U": "surprise", "F": "fear", "D": "disgust"},
    **{"C": "contempt", "N": "neutral", "O": "other", "X": None},
}
NEEDED = ("FileName", "EmoClass", "EmoAct", "EmoVal", "EmoDom")
SPLITS = {"train": "train", "development": "val", "validation": "val"}


class MspPodcast(Corpus):
    """Reads labels_consensus.csv, and transcripts where there are any."""

    def rows(self, files: Files) -> Iterator[Row]:
        """Make a row of each turn of the consensus labels.

        Args:
            files: of the corpus.

        Yields:
            Values by column; arousal, valence and dominance from 1 to 7. ``split`` is train, val
            or test; ``partition`` which of its test sets.

        Raises:
            ManifestError: if the labels lack a column, or have a class that isn't documented.
        """
        name = files.one(*LABELS_FILE)
        said = {
            Path(each).stem: each
            for each in files.names
            if each.endswith(".txt") and "transcripts" in Path(each).parent.as_posix().lower()
        }
        for number, found in files.records(name, NEEDED):
            yield _row(name, number, found, files, said)


def _row(name: str, number: int, found: dict[str, str], files: Files, said: dict[str, str]) -> Row:
    stem, code = Path(found["FileName"]).stem, found["EmoClass"]
    if code not in LABELS:
        raise ManifestError(
            f"{name}: line {number}: EmoClass is {code!r}; the classes are {', '.join(LABELS)}"
        )
    partition = found.get("Split_Set") or None
    speaker = found.get("SpkrID") or None
    return {
        "path": files.by_stem.get(stem),
        "id": stem,
        "label": LABELS[code],
        "speaker": None if speaker in ("Unknown", "unknown") else speaker,
        "gender": (found.get("Gender") or "").lower() or None,
        "split": None if partition is None else SPLITS.get(partition.lower(), "test"),
        "partition": partition,
        "arousal": _number(name, number, found, "EmoAct"),
        "valence": _number(name, number, found, "EmoVal"),
        "dominance": _number(name, number, found, "EmoDom"),
        "transcript": files.text(said[stem]).strip() if stem in said else None,
    }


def _number(name: str, line: int, found: dict[str, str], column: str) -> float | None:
    try:
        return float(found[column]) if found[column] else None
    except ValueError as error:
        raise ManifestError(
            f"{name}: line {line}: {column} is {found[column]!r}, no number; unpack again"
        ) from error
