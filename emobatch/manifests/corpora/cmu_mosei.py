"""CMU-MOSEI: sentences of monologues on the web, rated by three each (Zadeh et al., 2018)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from emobatch.errors import ManifestError
from emobatch.manifests.corpora.corpus import Corpus, Row
from emobatch.manifests.corpora.files import Files

# In the owners' order. Each is rated from 0 (no evidence of it) to 3, several may be there at once.
EMOTIONS = ("happiness", "sadness", "anger", "surprise", "disgust", "fear")
# From -3 to 3. The column `sentiment` is one that `score` writes.
SENTIMENT, RATED_SENTIMENT = "sentiment", "rated_sentiment"
VIDEO, CLIP, ANSWER = "Input.VIDEO_ID", "Input.CLIP", "Answer."
NEEDED = (VIDEO, CLIP, *(ANSWER + name for name in (*EMOTIONS, SENTIMENT)))
# As in: -3g5yACwYnA___2___4.84___14.052___Well then.
NUMBER = r"(-?\d{1,9}(?:\.\d+)?(?:[eE]-\d{1,2})?)"
LINE = re.compile(rf"(.+?)___(\d+)___{NUMBER}___{NUMBER}___(.*)", re.ASCII)
# Of the owners' SDK; it is no part of the corpus, and is never run.
FOLDS_FILE = "cmu_mosei_std_folds.py"
FOLD = re.compile(r"\bstandard_(train|valid|test)_fold\s*=\s*\[([^\]]*)\]")
SPLITS = {"train": "train", "valid": "val", "test": "test"}

Ratings = dict[str, list[float]]


class CmuMosei(Corpus):
    """Reads what raters said, and the transcripts, which say where in a video a sentence is."""

    def rows(self, files: Files) -> Iterator[Row]:
        """Make a row of each sentence that was rated.

        Args:
            files: of the corpus.

        Yields:
            Values by column: each emotion's mean of all raters, and the one that is highest as
            ``label``, None where there is none or two are. ``split`` where the SDK's file of folds
            is beside it.

        Raises:
            ManifestError: if there are no labels or transcripts, or a line of them makes no sense.
        """
        places = dict(_places(files))
        splits = dict(_splits(files))
        for (video, clip), rated in sorted(_rated(files).items(), key=_order):
            place = places.get((video, clip), {})
            yield {
                "path": files.by_stem.get(video) if place else None,
                "id": f"{video}_{clip}",
                **_labels(rated),
                "dialogue": video,
                "turn": int(clip) if clip.isdecimal() else None,
                **place,
                **({"split": splits.get(video)} if splits else {}),
            }


def _order(item: tuple[tuple[str, str], Ratings]) -> tuple[str, int, str]:
    (video, clip), _ = item
    return video, int(clip) if clip.isdecimal() else 0, clip


def _rated(files: Files) -> dict[tuple[str, str], Ratings]:
    tables = _in_folder(files, "Labels", ".csv")
    if not tables:
        raise ManifestError("no Labels/*.csv in it; give the folder Raw of CMU_MOSEI.zip")
    found: dict[tuple[str, str], Ratings] = {}
    for table in tables:
        for line, row in files.records(table, NEEDED):
            # One of the tables has a folder before each name.
            video, clip = row[VIDEO].rpartition("/")[2].strip(), row[CLIP].strip()
            ratings = found.setdefault((video, clip), {}) if video and clip else {}
            for name in (*EMOTIONS, SENTIMENT):
                text = row[ANSWER + name].strip()
                if text:
                    ratings.setdefault(name, []).append(_number(table, line, ANSWER + name, text))
    return found


def _number(table: str, line: int, column: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ManifestError(f"{table}: line {line}: {column} is {text[:40]!r}, no rating")
    return value


def _labels(rated: Ratings) -> Row:
    means = {name: _mean(rated.get(name, ())) for name in (*EMOTIONS, SENTIMENT)}
    there = {name: mean for name in EMOTIONS if (mean := means[name]) is not None and mean > 0}
    highest = [name for name, mean in there.items() if mean == max(there.values())]
    return {
        "label": highest[0] if len(highest) == 1 else None,
        **{name: means[name] for name in EMOTIONS},
        RATED_SENTIMENT: means[SENTIMENT],
        "raters": max((len(each) for each in rated.values()), default=0),
    }


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 6) if values else None


def _places(files: Files) -> Iterator[tuple[tuple[str, str], Row]]:
    names = _in_folder(files, "Segmented/Combined", ".txt")
    if not names:
        raise ManifestError("no Transcript/Segmented/Combined/*.txt in it; give the folder Raw")
    for name in names:
        for number, line in files.lines(name):
            found = LINE.fullmatch(line)
            if found is None:
                raise ManifestError(
                    f"{name}: line {number}: {line[:80]!r} where VIDEO___CLIP___START___END___TEXT "
                    "belongs; unpack it again"
                )
            # Some begin a little before their video does.
            start, end = max(0.0, float(found[3])), float(found[4])
            if end > start:
                said = {"start": start, "end": end, "transcript": found[5].strip() or None}
                yield (found[1], found[2]), said


def _splits(files: Files) -> Iterator[tuple[str, str]]:
    for name in files.called(FOLDS_FILE)[:1]:
        folds: Mapping[str, str] = dict(FOLD.findall(files.text(name)))
        if folds.keys() != SPLITS.keys():
            raise ManifestError(f"{name}: not the three folds of the owners' SDK; fetch it again")
        for fold, listed in folds.items():
            for video in re.findall(r"""['"]([^'"]+)['"]""", listed):
                yield video, SPLITS[fold]


def _in_folder(files: Files, folder: str, ending: str) -> list[str]:
    wanted = tuple(folder.split("/"))
    return [
        name
        for name in files.names
        if name.endswith(ending) and Path(name).parts[:-1][-len(wanted) :] == wanted
    ]
