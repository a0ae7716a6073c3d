"""IEMOCAP: dyadic sessions, improvised and scripted (Busso et al., 2008)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from emobatch.errors import ManifestError
from emobatch.manifests.corpora.corpus import Corpus, Row
from emobatch.manifests.corpora.files import Files

# xxx is where the raters didn't agree.
LABELS = {
    **{"neu": "neutral", "fru": "frustrated", "ang": "angry", "sad": "sad", "hap": "happy"},
    **{"exc": "excited", "sur": "surprised", "fea": "fearful", "dis": "disgusted", "oth": "other"},
    "xxx": None,
}
# As in: [6.2901 - 8.2357]  Ses01F_impro01_F000  neu  [2.5000, 2.5000, 2.5000]
NUMBER = r"(\d+(?:\.\d+)?)"
LINE = re.compile(
    rf"\[{NUMBER} - {NUMBER}\]\t(\S+)\t(\w+)\t\[{NUMBER}, {NUMBER}, {NUMBER}\]", re.ASCII
)
# A scene that was played in parts has a letter behind its number.
DIALOGUE = re.compile(r"Ses0?(\d)([FM])_(impro\d+|script\d+_\d+)[a-z]?")
# As in: Ses01F_impro01_F000 [006.2901-008.2357]: Excuse me.
SAID = re.compile(r"(\S+) \[[\d.-]+\]:\s*(.*)")


class Iemocap(Corpus):
    """Reads EmoEvaluation and the transcriptions of each session."""

    def rows(self, files: Files) -> Iterator[Row]:
        """Make a row of each turn that was rated.

        Args:
            files: of the corpus.

        Yields:
            Values by column; valence, arousal and dominance from 1 to 5.

        Raises:
            ManifestError: if there is no EmoEvaluation, or a line of it makes no sense.
        """
        evaluations = [
            name
            for name in files.names
            if Path(name).parent.name == "EmoEvaluation" and name.endswith(".txt")
        ]
        if not evaluations:
            raise ManifestError(
                "no dialog/EmoEvaluation/*.txt in it; give IEMOCAP_full_release, which has Session1"
            )
        for name in evaluations:
            dialogue = Path(name).stem
            said = dict(_said(files, dialogue))
            rows = [_row(name, *line, files) for line in files.lines(name) if _is_turn(line[1])]
            # In the order in which they were said, by the clock.
            for turn, (_, row) in enumerate(sorted(rows, key=lambda each: each[0])):
                yield {**row, "turn": turn, "transcript": said.get(row["id"])}


def _is_turn(line: str) -> bool:
    # Above them stands what their columns are called: % [START_TIME - END_TIME] ...
    return line.startswith("[") and not line.startswith("[START")


def _row(file: str, number: int, line: str, files: Files) -> tuple[float, Row]:
    found = LINE.fullmatch(line)
    dialogue = DIALOGUE.fullmatch(Path(file).stem)
    if found is None or dialogue is None or found[4] not in LABELS:
        raise ManifestError(
            f"{file}: line {number}: not as IEMOCAP's owners ship it: {line[:80]!r}; unpack again"
        )
    start, end, name, code, valence, activation, dominance = found.groups()
    session, _, script = dialogue.groups()
    return float(start), {
        "path": files.by_stem.get(name),
        "id": name,
        "label": LABELS[code],
        # Of the two in the session, the one whose turn it is; a name ends in F000 or M000.
        "speaker": f"Ses0{session}{name.rpartition('_')[2][0]}",
        "gender": {"F": "female", "M": "male"}.get(name.rpartition("_")[2][0]),
        "session": session,
        "dialogue": Path(file).stem,
        "script": script,
        "condition": "impro" if script.startswith("impro") else "script",
        "valence": float(valence),
        "arousal": float(activation),
        "dominance": float(dominance),
        "duration": round(float(end) - float(start), 4),
    }


def _said(files: Files, dialogue: str) -> Iterator[tuple[str, str]]:
    for name in files.called(f"{dialogue}.txt"):
        if Path(name).parent.name == "transcriptions":
            for _, line in files.lines(name):
                found = SAID.fullmatch(line)
                if found is not None:
                    yield found[1], found[2]
