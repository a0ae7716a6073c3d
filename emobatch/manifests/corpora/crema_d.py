"""CREMA-D: 91 actors say twelve sentences (Cao et al., 2014)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from emobatch.manifests.corpora.corpus import NamedCorpus, Row
from emobatch.manifests.corpora.files import Files

LABELS = {
    **{"ANG": "angry", "DIS": "disgust", "FEA": "fear", "HAP": "happy", "NEU": "neutral"},
    "SAD": "sad",
}
VOTES = {"A": "angry", "D": "disgust", "F": "fear", "H": "happy", "N": "neutral", "S": "sad"}
INTENSITIES = {"LO": "low", "MD": "medium", "HI": "high", "XX": None, "X": None}
SENTENCES = {
    "IEO": "It's eleven o'clock.",
    "TIE": "That is exactly what happened.",
    "IOM": "I'm on my way to the meeting.",
    "IWW": "I wonder what this is about.",
    "TAI": "The airplane is almost full.",
    "MTI": "Maybe tomorrow it will be cold.",
    "IWL": "I would like a new alarm clock.",
    "ITH": "I think I have a doctor's appointment.",
    "DFA": "Don't forget a jacket.",
    "ITS": "I think I've seen this before.",
    "TSI": "The surface is slick.",
    "WSI": "We'll stop in a couple of minutes.",
}
# What raters said: processedResults, where it is there.
SUMMARY = "summaryTable.csv"
COLUMNS = {"VoiceVote": "voice_vote", "MultiModalVote": "multimodal_vote"}


class CremaD(NamedCorpus):
    """Reads names as 1001_DFA_ANG_XX: what was to be acted; votes say what was heard."""

    name = re.compile(r"(\d{4})_([A-Z]{3})_([A-Z]{3})_(LO|MD|HI|XX|X)")

    def rows(self, files: Files) -> Iterator[Row]:
        """Make a row of each file, with the votes where there are any.

        Args:
            files: of the corpus.

        Yields:
            Values by column. ``voice_vote`` is what most raters heard without seeing it; several
            where as many heard each, with a colon between.
        """
        votes = _votes(files)
        for row in super().rows(files):
            yield {**row, **votes.get(row["id"], dict.fromkeys(COLUMNS.values()) if votes else {})}

    def row(self, found: re.Match[str], path: Path, files: Files) -> Row | None:
        """Make one row.

        Args:
            found: the parts of the name.
            path: of the file.
            files: of the corpus.

        Returns:
            Values by column, None where a code isn't documented.
        """
        actor, sentence, emotion, intensity = found.groups()
        if emotion not in LABELS or sentence not in SENTENCES:
            return None
        return {
            "label": LABELS[emotion],
            "speaker": actor,
            "script": sentence,
            "transcript": SENTENCES[sentence],
            "intensity": INTENSITIES[intensity],
        }


def _votes(files: Files) -> dict[str, dict[str, str | None]]:
    found = files.called(SUMMARY)
    if not found:
        return {}
    votes = {}
    for _, line in files.records(found[0], ()):
        # Its description calls it fileName, the file itself FileName.
        name = line.get("FileName") or line.get("fileName")
        if name:
            votes[name] = {ours: _words(line.get(theirs)) for theirs, ours in COLUMNS.items()}
    return votes


def _words(vote: str | None) -> str | None:
    return ":".join(VOTES.get(each, each) for each in vote.split(":")) if vote else None
