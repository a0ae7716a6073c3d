"""Writes the data sets of this folder that need a library of their own: `python write.py`.

Needs `audformat` and `lhotse`; what they wrote is kept here, so that tests don't.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path

import audformat
import numpy as np
import soundfile
from lhotse import CutSet, MonoCut, Recording, SupervisionSegment

HOME = Path(__file__).parent


def silence(file: Path, seconds: float) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(file, np.zeros(round(seconds * 16_000), np.float32), 16_000)
    return file


def write_audformat(folder: Path) -> None:
    """As in the package's documentation: files, a table of segments, schemes with labels."""
    shutil.rmtree(folder, ignore_errors=True)
    base = audformat.Database("emodb-like", source="made up", languages=["de"])
    base.schemes["emotion"] = audformat.Scheme(labels=["anger", "neutral"])
    base.schemes["speaker"] = audformat.Scheme(
        labels={3: {"gender": "male"}, 8: {"gender": "female"}}
    )
    base.schemes["transcription"] = audformat.Scheme(
        labels={"a01": "Der Lappen liegt auf dem Eisschrank."}
    )
    base.schemes["confidence"] = audformat.Scheme("float", minimum=0, maximum=1)
    base.splits["test"] = audformat.Split("test")
    files = ["wav/03a01Fa.wav", "wav/08a01Na.wav", "wav/long.wav"]
    base["files"] = audformat.Table(audformat.filewise_index(files))
    base["files"]["speaker"] = audformat.Column(scheme_id="speaker")
    base["files"]["speaker"].set([3, 8, 3])
    base["files"]["transcription"] = audformat.Column(scheme_id="transcription")
    base["files"]["transcription"].set(["a01", "a01", None])
    index = audformat.segmented_index(
        ["wav/long.wav", "wav/long.wav"], ["0s", "1.5s"], ["1.5s", "3s"]
    )
    base["emotion"] = audformat.Table(audformat.filewise_index(files[:2]), split_id="test")
    base["emotion"]["emotion"] = audformat.Column(scheme_id="emotion")
    base["emotion"]["emotion"].set(["anger", "neutral"])
    base["emotion"]["emotion.confidence"] = audformat.Column(scheme_id="confidence")
    base["emotion"]["emotion.confidence"].set([0.9, 1.0])
    base["segments"] = audformat.Table(index)
    base["segments"]["emotion"] = audformat.Column(scheme_id="emotion")
    base["segments"]["emotion"].set(["neutral", "anger"])
    base.save(str(folder), storage_format="csv")


def write_lhotse(file: Path) -> None:
    """A cut that is a whole recording, one of a part, and one of two supervisions."""
    recording = Recording.from_file(silence(Path("rec-1.wav"), 4.0), recording_id="rec-1")

    def said(name: str, start: float, duration: float, text: str, who: str) -> SupervisionSegment:
        return SupervisionSegment(
            name,
            "rec-1",
            start,
            duration,
            text=text,
            language="en",
            speaker=who,
            gender="F",
            custom={"emotion": "sad", "rater": 7},
        )

    whole = MonoCut(
        "cut-1", 0, 4.0, 0, [said("sup-1", 0, 4, "all of it", "anna")], recording=recording
    )
    part = MonoCut(
        "cut-2", 1.0, 1.5, 0, [said("sup-2", 0, 1.5, "a part", "anna")], recording=recording
    )
    two = MonoCut(
        "cut-3",
        2.0,
        2.0,
        0,
        [said("sup-3", 0, 1, "one", "anna"), said("sup-4", 1.2, 0.8, "two", "bo")],
        recording=recording,
    )
    CutSet.from_cuts([whole, part, two]).to_file(file)


def main() -> None:
    """Write them all."""
    write_audformat(HOME / "audformat")
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        write_lhotse(HOME / "cuts.jsonl.gz")


if __name__ == "__main__":
    main()
