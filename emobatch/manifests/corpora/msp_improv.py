"""MSP-IMPROV: pairs of actors improvise scenes around fixed sentences (Busso et al., 2017)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from emobatch.errors import ManifestError
from emobatch.manifests.corpora.corpus import Corpus, Row
from emobatch.manifests.corpora.files import Files

# The owners' own spelling comes first. X is where the raters didn't agree.
EVALUATION = ("Evalution.txt", "Evaluation.txt")
LABELS = {"A": "angry", "H": "happy", "S": "sad", "N": "neutral", "O": "other", "X": None}
INTENDED = {"A": "angry", "H": "happy", "S": "sad", "N": "neutral"}
CONDITIONS = {
    **{"P": "natural interaction", "R": "target read"},
    **{"S": "other improvised", "T": "target improvised"},
}
NUMBER = r"(\d+(?:\.\d+)?|NaN)"
# As in: UTD-IMPROV-S01A-F01-P-FM01.avi; N; A:3.000000; V:3.200000; D:2.600000 ; N:5.000000;
LINE = re.compile(
    rf"UTD-IMPROV-(\S+)\.avi;\s*(\w);\s*A:{NUMBER}\s*;\s*V:{NUMBER}\s*;\s*D:{NUMBER}\s*;"
    rf"\s*N:{NUMBER}\s*;?",
    re.ASCII,
)
NAME = re.compile(r"S(\d\d)([AHNS])-([FM])(\d\d)-([PRST])-(\w+)")


class MspImprov(Corpus):
    """Reads the evaluation file, and transcriptions where there are any."""

    def rows(self, files: Files) -> Iterator[Row]:
        """Make a row of each turn that was rated.

        Args:
            files: of the corpus.

        Yields:
            Values by column; arousal, valence, dominance and naturalness from 1 to 5.

        Raises:
            ManifestError: if there is no evaluation file, or a line of it makes no sense.
        """
        evaluation = files.one(*EVALUATION)
        said = {Path(name).stem: name for name in files.names if name.endswith(".txt")}
        for number, line in files.lines(evaluation):
            if not line.startswith("UTD-IMPROV-"):
                continue  # what each rater said
            found = LINE.fullmatch(line)
            parts = None if found is None else NAME.fullmatch(found[1])
            if found is None or parts is None or found[2] not in LABELS:
                raise ManifestError(
                    f"{evaluation}: line {number}: not as MSP-IMPROV's owners ship it: "
                    f"{line[:80]!r}; unpack again"
                )
            name = f"MSP-IMPROV-{found[1]}"
            sentence, intended, gender, session, condition, turn = parts.groups()
            transcript = files.text(said[name]).strip() if name in said else None
            yield {
                "path": files.by_stem.get(name),
                "id": name,
                "label": LABELS[found[2]],
                "speaker": f"{gender}{session}",
                "gender": {"F": "female", "M": "male"}[gender],
                "session": session,
                "script": f"S{sentence}",
                "turn": turn,
                "condition": CONDITIONS[condition],
                "intended": INTENDED[intended],
                "arousal": _number(found[3]),
                "valence": _number(found[4]),
                "dominance": _number(found[5]),
                "naturalness": _number(found[6]),
                "transcript": transcript,
            }


def _number(text: str) -> float | None:
    return None if text == "NaN" else float(text)
