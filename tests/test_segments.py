"""Segments of long recordings: each form of file, and voice activity."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import Result
from espeak import RATE, speak
from refusals import refusal
from sounds import save, tone

from emobatch.manifests.audio import read_windows
from emobatch.manifests.segments import voice_activity
from emobatch.manifests.segments.registry import FORMS

Cli = Callable[..., Result]

RTTM = """\
SPKR-INFO a 1 <NA> <NA> <NA> unknown anna <NA> <NA>
SPEAKER a 1 0.50 1.25 <NA> <NA> anna <NA> <NA>
SPEAKER a 1 0.50 1.25 <NA> <NA> bo <NA> <NA>
SPEAKER b 1 2.00 0.75 <NA> <NA> anna <NA> <NA>
"""
CTM = """\
;; words
a 1 0.50 0.25 well 0.9
a 1 0.80 0.20 then
a 1 2.00 0.75 yes
b A 0.10 0.10 no
"""
SRT = """\
1
00:00:00,500 --> 00:00:01,750
[SPEAKER_00]: <i>Well</i> then,
she said.

2
00:01:02.000 --> 00:01:03.5
Yes: no?
"""
# As in Praat's manual, with text.
GRID = """\
File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 2.3
tiers? <exists>
size = 4
item []:
    item [1]:
        class = "IntervalTier"
        name = "Mary"
        xmin = 0
        xmax = 2.3
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 1
            text = ""
        intervals [2]:
            xmin = 1
            xmax = 2.3
            text = "she said ""no"" 3 [1]"
    item [2]:
        class = "TextTier"
        name = "bell"
        xmin = 0
        xmax = 2.3
        points: size = 1
        points [1]:
            number = 1.5
            mark = "ding"
    item [3]:
        class = "IntervalTier"
        name = "bo - words"
        xmin = 0
        xmax = 2.3
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = "oh"
        intervals [2]:
            xmin = 0.5
            xmax = 0.75
            text = "well"
        intervals [3]:
            xmin = 2
            xmax = 2.25
            text = "yes"
    item [4]:
        class = "IntervalTier"
        name = "bo - phones"
        xmin = 0
        xmax = 2.3
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = "OW1"
"""
SHORT_GRID = (
    'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n2.3\n<exists>\n1\n"IntervalTier"\n'
    '"Mary"\n0\n2.3\n1\n1\n2.3\n"no"\n'
)
WHISPERX = json.dumps(
    {
        "segments": [
            {
                "start": 0.5,
                "end": 1.75,
                "text": " Well then.",
                "speaker": "SPEAKER_00",
                "words": [],
            },
            {"start": 2, "end": 3.5, "text": ""},
        ],
        "language": "en",
    }
)
Found = tuple[str, float, float, str | None, str | None]
FILES: dict[str, tuple[str | bytes, list[Found]]] = {
    "x.rttm": (
        RTTM,
        [
            ("a.wav", 0.5, 1.75, "anna", None),
            ("a.wav", 0.5, 1.75, "bo", None),
            ("b.wav", 2.0, 2.75, "anna", None),
        ],
    ),
    "x.ctm": (
        CTM,
        [
            ("a.wav", 0.5, 1.0, None, "well then"),
            ("a.wav", 2.0, 2.75, None, "yes"),
            ("b.wav", 0.1, 0.2, None, "no"),
        ],
    ),
    "a.srt": (
        SRT,
        [
            ("a.wav", 0.5, 1.75, "SPEAKER_00", "Well then, she said."),
            ("a.wav", 62.0, 63.5, None, "Yes: no?"),
        ],
    ),
    "a.TextGrid": (
        GRID,
        [
            ("a.wav", 0.0, 0.75, "bo", "oh well"),
            ("a.wav", 1.0, 2.3, "Mary", 'she said "no" 3 [1]'),
            ("a.wav", 2.0, 2.25, "bo", "yes"),
        ],
    ),
    "b.TextGrid": (SHORT_GRID.encode("utf-16"), [("b.wav", 1.0, 2.3, "Mary", "no")]),
    "a.json": (
        WHISPERX,
        [
            ("a.wav", 0.5, 1.75, "SPEAKER_00", "Well then."),
            ("a.wav", 2.0, 3.5, None, None),
        ],
    ),
}


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Two recordings, and what else is known of them."""
    (tmp_path / "m.csv").write_text("path,label,note\na.wav,sad,007\nb.wav,,x\n")
    return tmp_path / "m.csv"


def put(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


@pytest.mark.parametrize("name", FILES)
def test_segments_of_a_file(cli: Cli, recordings: Path, name: str) -> None:
    content, expected = FILES[name]
    file = put(recordings.parent, name, content)
    target = recordings.parent / "cut.csv"
    done = cli("manifest", recordings, "--segments", file, "-o", target)
    assert done.exit_code == 0, done.stderr
    rows = pl.read_csv(target, infer_schema=False)
    for column in ("speaker", "transcript"):
        if column not in rows.columns:
            rows = rows.with_columns(pl.lit(None).alias(column))
    found = [
        (row["path"], float(row["start"]), float(row["end"]), row["speaker"], row["transcript"])
        for row in rows.iter_rows(named=True)
    ]
    assert found == expected
    notes = {"a.wav": ("sad", "007"), "b.wav": (None, "x")}
    assert all((row["label"], row["note"]) == notes[row["path"]] for row in rows.to_dicts())
    assert rows["id"].n_unique() == len(rows)
    left_out = {"a.wav", "b.wav"} - {path for path, *_ in expected}
    for path in left_out:
        assert f"1 recordings without a segment left out: {path}" in done.stderr


def test_a_folder_of_segments(cli: Cli, recordings: Path) -> None:
    folder = recordings.parent / "said"
    folder.mkdir()
    put(folder, "a.srt", SRT)
    put(folder, "b.TextGrid", SHORT_GRID)
    done = cli("manifest", recordings, "--segments", folder)
    rows = pl.read_csv(done.stdout.encode())
    assert [Path(path).name for path in rows["path"]] == ["a.wav", "a.wav", "b.wav"]


def test_a_file_of_one_recording_may_be_called_otherwise(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("path,id\na.wav,A\n")
    file = put(tmp_path, "other.srt", SRT)
    done = cli("manifest", tmp_path / "m.csv", "--segments", file)
    assert pl.read_csv(done.stdout.encode())["id"].to_list() == ["A#0.5-1.75", "A#62-63.5"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.rttm", "SPEAKER a 1 x 1 <NA> <NA> s\n", "line 1: the start is 'x', no number of"),
        ("x.rttm", "\nSPEAKER a 1\n", "line 2: 3 fields where 8 belong"),
        ("x.rttm", RTTM.replace(" b ", " rec_b "), "no recording is called 'rec_b'"),
        ("x.rttm", RTTM.replace(" b ", " b.wave "), "did you mean 'b.wav'?"),
        ("x.ctm", "a 1 0 1\n", "line 1: 4 fields where 5 belong"),
        ("x.ctm", "a 1 0 -1 x\n", "line 1: the duration is '-1'"),
        ("a.srt", SRT.replace("-->", "->"), "line 1: no times as 00:00:01,000 --> "),
        ("a.srt", SRT.replace("00:01:02.000 -->", "x -->"), "line 6: no times"),
        (
            "a.srt",
            SRT.replace("00:01:02.000 -->", f"{'9' * 400}:00:00,000 -->"),
            "line 6: no times",
        ),
        ("a.srt", "", "no subtitles in it"),
        ("a.TextGrid", GRID[:700], "ends before its last tier does"),
        ("a.TextGrid", "x", "no TextGrid in text"),
        ("a.TextGrid", SHORT_GRID.replace("\n1\n", f"\n{'9' * 400}\n", 1), "inf where a number"),
        ("a.TextGrid", GRID.replace("IntervalTier", "Tier"), "a tier of kind 'Tier'"),
        ("a.json", "[1]", "no list 'segments' in it"),
        ("a.json", '{"segments": [{"start": "1", "end": 2}]}', "segment 1: 'start' is '1'"),
        ("a.json", '{"segments": [{"text": "x"}]}', "segment 1 has no start and end"),
        ("a.json", "{", "no JSON: "),
        ("c.srt", SRT, "no recording is called 'c'"),
        ("a.txt", "x", "segments are read of files that end in .rttm, .srt"),
    ],
)
def test_broken_segments_name_the_file_and_the_line(
    cli: Cli, recordings: Path, name: str, content: str, message: str
) -> None:
    file = put(recordings.parent, name, content)
    said = refusal(cli("manifest", recordings, "--segments", file))
    assert message in said and str(file) in said


def test_what_cant_be_cut(cli: Cli, tmp_path: Path) -> None:
    file = put(tmp_path, "x.rttm", RTTM)
    (tmp_path / "m.csv").write_text("path,start,end\na.wav,1,2\n")
    assert "rows are segments already" in refusal(
        cli("manifest", tmp_path / "m.csv", "--segments", file)
    )
    (tmp_path / "n.csv").write_text("path\nx/a.wav\ny/a.wav\n")
    assert "both called 'a" in refusal(cli("manifest", tmp_path / "n.csv", "--segments", file))
    (tmp_path / "n.csv").write_text("path\na.wav\n")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no segments in it" in refusal(cli("manifest", tmp_path / "n.csv", "--segments", empty))
    both = cli("manifest", tmp_path / "n.csv", "--segments", file, "--segment", "vad")
    assert both.exit_code == 2 and "give one of them" in both.stderr


def test_every_form_has_a_case() -> None:
    assert {Path(name).suffix.lower() for name in FILES} == set(FORMS)


def test_segments_are_scored(cli: Cli, tmp_path: Path) -> None:
    save(tmp_path / "a.wav", tone(3.0))
    file = put(tmp_path, "a.json", WHISPERX)
    done = cli("score", tmp_path / "a.wav", "--segments", file, "--models=demo", "--text=none")
    rows = pl.read_csv(done.stdout.encode())
    assert rows["status"].to_list() == ["ok", "ok"], done.stderr
    assert rows["duration"].to_list() == [1.25, 1.0], "what the file lacks is left out"


def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Speech is what is loud, so that it is known where it is."""

    def loud(samples: np.ndarray) -> list[tuple[int, int]]:
        edges = np.flatnonzero(np.diff(np.r_[0, np.abs(samples) > 0.1, 0]))
        runs = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
        return [(int(a), int(b)) for a, b in runs]

    monkeypatch.setattr(voice_activity, "_speech", loud)


def test_utterances_go_on_where_a_block_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked(monkeypatch)
    monkeypatch.setattr(voice_activity, "BLOCK_WINDOWS", 1)
    samples = np.zeros(100 * 16_000, np.float32)
    for first, last in ((5, 8), (28, 33), (45, 59.9), (95, 100)):
        samples[int(first * 16_000) : int(last * 16_000)] = 0.5
    file = save(tmp_path / "long.wav", samples)
    found = [*voice_activity.utterances(read_windows(file))]
    assert np.allclose(found, [(5, 8), (28, 33), (45, 59.9), (95, 100)], atol=1e-3)


def test_no_utterance_is_longer_than_a_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked(monkeypatch)
    file = save(tmp_path / "long.wav", np.full(40 * 16_000, 0.5, np.float32))
    found = [*voice_activity.utterances(read_windows(file))]
    assert found and max(end - start for start, end in found) <= 30


def test_voice_activity_finds_speech_and_no_silence(cli: Cli, tmp_path: Path) -> None:
    """By the model itself: two sentences with two seconds between them, and nothing else."""
    said = speak("I told you this a hundred times.").astype(np.float32) / 32768
    silence = np.zeros(2 * RATE, np.float32)
    samples = np.concatenate([silence, said, silence, said, silence])
    (tmp_path / "rec").mkdir()
    save(tmp_path / "rec" / "a.wav", samples, RATE)
    save(tmp_path / "rec" / "b.wav", silence, RATE)
    (tmp_path / "rec" / "c.wav").write_bytes(b"x")
    target = tmp_path / "m.csv"
    done = cli("manifest", tmp_path / "rec", "--segment", "vad", "-o", target)
    assert done.exit_code == 0, done.stderr
    rows = pl.read_csv(target)
    assert rows["path"].to_list() == ["rec/a.wav", "rec/a.wav", "rec/c.wav"]
    spoken = len(said) / RATE
    for start, first in zip(rows["start"], (2, 4 + spoken), strict=False):
        assert abs(start - first) < 0.5
    assert "1 recordings without a segment left out: b.wav" in done.stderr
    assert "note: c.wav: not cut: " in done.stderr
