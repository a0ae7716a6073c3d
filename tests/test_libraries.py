"""Data sets as the formats' own libraries write and read them: our rows are theirs.

Needs `datasets` and `lhotse`, which are no part of the extra `test`.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest
from test_cli_manifest import tree

from emobatch.manifests import manifest
from emobatch.manifests.reading import Reading


def rows_of(source: Path, form: str) -> list[dict[str, Any]]:
    found = manifest.read(str(source))
    assert found.frame(0, 99).equals(manifest.read(str(source), Reading(form=form)).frame(0, 99))
    return found.frame(0, 99).to_dicts()


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Path], Any]:
    """`datasets.load_dataset("audiofolder", …)`, of paths alone."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    # It imports this even where nothing is encoded or decoded.
    stub = ModuleType("torchcodec.encoders")
    stub.AudioEncoder = None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchcodec", ModuleType("torchcodec"))
    monkeypatch.setitem(sys.modules, "torchcodec.encoders", stub)

    def load(folder: Path) -> list[dict[str, Any]]:
        found = []
        options = {"data_dir": str(folder), "cache_dir": str(tmp_path / "cache")}
        for split, part in datasets.load_dataset("audiofolder", **options).items():
            for row in part.cast_column("audio", datasets.Audio(decode=False)):
                path = Path(row.pop("audio")["path"]).relative_to(folder).as_posix()
                found.append({"path": path, "split": str(split), **row})
        return found

    return load


AUDIOFOLDERS: dict[str, Mapping[str, str | None]] = {
    "one": {
        "metadata.csv": (
            'file_name,transcription,emotion\nsub/a.wav,"hello, ""you""\n",sad\nb.wav,,\n'
        ),
        **{"sub/a.wav": None, "b.wav": None},
    },
    "of splits": {
        **{"train/metadata.jsonl": '{"file_name": "x/a.wav", "text": "hi", "n": 1}\n'},
        **{"validation/metadata.jsonl": '{"file_name": "a.wav", "text": "ho", "n": 2}\n'},
        **{"train/x/a.wav": None, "validation/a.wav": None},
    },
    "by other names": {
        **{"data/training/metadata.csv": "audio_file_name,text\na.wav,hi\n"},
        **{"data/eval/metadata.csv": "audio_file_name,text\na.wav,ho\n"},
        **{"data/training/a.wav": None, "data/eval/a.wav": None},
    },
    "of no splits": {
        **{"x/metadata.csv": "file_name,text\na.wav,hi\n", "x/a.wav": None},
        **{"y/metadata.csv": "file_name,text\na.wav,ho\n", "y/a.wav": None},
    },
}
SPLITS = {"train": "train", "validation": "val", "test": "test"}


@pytest.mark.parametrize("name", AUDIOFOLDERS)
def test_an_audiofolder_has_the_rows_that_datasets_reads(
    tmp_path: Path, name: str, load: Callable[[Path], Any]
) -> None:
    folder = tree(tmp_path / "set", dict(AUDIOFOLDERS[name]))
    ours = {row["path"]: row for row in rows_of(folder, "audiofolder")}
    theirs = load(folder)
    assert len(ours) == len(theirs) == 2
    for row in theirs:
        mine, split = ours[row.pop("path")], row.pop("split")
        assert mine.get("split", "train") == SPLITS[split]
        said = row.pop("transcription", row.pop("text", None))
        assert mine["transcript"] == said
        assert {key: mine[key] for key in row} == row


def test_an_audiofolder_in_parquet(tmp_path: Path, load: Callable[[Path], Any]) -> None:
    folder = tree(tmp_path / "set", {"a.wav": None, "b.wav": None})
    written = importlib.import_module("datasets").Dataset.from_dict(
        {"file_name": ["a.wav", "b.wav"], "label": ["sad", None], "rate": [0.5, 2.0]}
    )
    written.to_parquet(folder / "metadata.parquet")
    ours = rows_of(folder, "audiofolder")
    assert [{**row, "path": row["path"], "split": "train"} for row in ours] == [
        {**row, "id": row["path"]} for row in load(folder)
    ]


@pytest.mark.parametrize("name", ["cuts.jsonl.gz", "cuts.jsonl"])
def test_cuts_have_the_bounds_that_lhotse_gives_them(tmp_path: Path, name: str) -> None:
    """Cuts of recordings and supervisions, as its recipes make them; some windows of them."""
    lhotse = pytest.importorskip("lhotse")
    tree(tmp_path, {"a.wav": None, "b.wav": None})
    recordings = [
        lhotse.Recording.from_file(tmp_path / f"{each}.wav", recording_id=each) for each in "ab"
    ]
    said = [
        lhotse.SupervisionSegment("s1", "a", 0.0, 0.1, text="all", speaker="x"),
        lhotse.SupervisionSegment("s2", "b", 0.0, 0.04, text="one", custom={"emotion": "sad"}),
        lhotse.SupervisionSegment("s3", "b", 0.05, 0.05, text="two", language="en"),
    ]
    cuts = lhotse.CutSet.from_manifests(
        recordings=lhotse.RecordingSet.from_recordings(recordings),
        supervisions=lhotse.SupervisionSet.from_segments(said),
    )
    parts = cuts.trim_to_supervisions(keep_overlapping=False)
    (cuts + parts.modify_ids(lambda each: f"{each}-part")).to_file(tmp_path / name)
    found = rows_of(tmp_path / name, "lhotse")
    assert len(found) == 3 + len(list(parts)) == 6
    assert [row["transcript"] for row in found] == ["all", "one", "two"] * 2
    for row, segment, cut in zip(found[3:], said, parts, strict=True):
        assert Path(row["path"]).name == f"{segment.recording_id}.wav"
        assert (row["start"] or 0.0, row["end"] or 0.1) == (cut.start, cut.end)
        assert row["speaker"] == segment.speaker and row["language"] == segment.language
    assert [(row["start"], row["end"]) for row in found[:3]] == [
        *((None, None), (0.0, 0.04), (0.05, 0.1))
    ]
    assert [row["label"] for row in found] == [None, "sad", None] * 2
    assert found[1]["id"] == "s2" and pl.Series(row["id"] for row in found).is_unique().all()
