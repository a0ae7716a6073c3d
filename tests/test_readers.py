"""Each form of data set that a manifest is read from: rows, one in full, and a broken one."""

from __future__ import annotations

import builtins
import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import Result
from refusals import refusal
from sounds import save, tone

from emobatch.errors import EmobatchError
from emobatch.manifests import manifest
from emobatch.manifests.readers.registry import READERS
from emobatch.manifests.reading import Reading

Cli = Callable[..., Result]
SOURCES = Path(__file__).parent / "data" / "sources"


def write(folder: Path, **files: str | bytes) -> Path:
    """Files by name; ``wav_scp`` stands for wav.scp."""
    for name, content in files.items():
        file = folder / name.replace("wav_scp", "wav.scp").replace("__", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def rows_of(source: object, **options: Any) -> list[dict[str, Any]]:
    read = manifest.read(str(source), Reading(**options))
    return read.frame(0, len(read)).to_dicts()


def refused(source: object, **options: Any) -> str:
    with pytest.raises(EmobatchError) as error:
        manifest.read(str(source), Reading(**options))
    message = str(error.value)
    assert message.startswith(f"{source}: ") and "\n" not in message
    assert not message.startswith(f"{source}: {source}"), message
    return message.removeprefix(f"{source}: ")


# Tables as other programs write them.
DIALECTS = {
    "semicolons": ("path;label;start\r\n", 'a.wav;"x, y";1,5\r\n', "utf-8", "semicolons"),
    "tabs": ("path\tlabel\tstart\n", "a.wav\tx, y\t1.5\n", "utf-8", "tabs"),
    "bars": ("path|label|start\n", "a.wav|x, y|1.5\n", "utf-8", "bars (|)"),
    "UTF-16": ("path,label,start\r\n", 'a.wav,"x, y",1.5\r\n', "utf-16", "text in UTF-16"),
    "UTF-16, no mark": ("path,label,start\n", 'a.wav,"x, y",1.5\n', "utf-16-be", "UTF-16"),
    "old Mac": ("path,label,start\r", 'a.wav,"x, y",1.5\r', "utf-8", "end in CR alone"),
    "sep=": ("sep=;\r\npath;label;start\r\n", 'a.wav;"x, y";1.5\r\n', "utf-8", "(sep=), left out"),
    "empty columns": ("path,label,start,,\n", 'a.wav,"x, y",1.5,,\n', "utf-8-sig", "2 columns"),
}


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("stdin", [False, True])
def test_a_table_as_spreadsheets_write_it_is_read_with_a_note(
    cli: Cli, tmp_path: Path, name: str, stdin: bool
) -> None:
    header, row, encoding, note = DIALECTS[name]
    content = (header + row).encode(encoding)
    source = write(tmp_path, m__csv=content) / "m.csv"
    done = cli("manifest", *(["-"] if stdin else [source]), input=content if stdin else None)
    assert done.exit_code == 0, done.stderr
    found = pl.read_csv(done.stdout.encode()).drop("id")
    path = "a.wav" if stdin else str(tmp_path / "a.wav")
    assert found.to_dicts() == [{"path": path, "label": "x, y", "start": 1.5}]
    assert note in done.stderr
    assert ("decimal commas" in done.stderr) == (name == "semicolons")


def test_a_plain_table_has_nothing_to_note(cli: Cli, tmp_path: Path) -> None:
    source = write(tmp_path, m__csv="path,label\na.wav,sad\n") / "m.csv"
    assert "read" not in cli("manifest", source).stderr


def test_what_may_be_meant_two_ways_is_not_guessed(tmp_path: Path) -> None:
    assert "no column 'path'" in refused(write(tmp_path, m__csv="path;a|b\nx;y|z\n") / "m.csv")
    no_sign = "sep=\ufeff\npath\ufefflabel\n".encode()  # no separator is longer than a byte
    assert "no column 'path'" in refused(write(tmp_path, s__csv=no_sign) / "s.csv")
    message = refused(write(tmp_path, n__csv="path,,x\na.wav,1,2\n") / "n.csv")
    assert "column 2 has values and no name" in message
    message = refused(write(tmp_path, o__csv='path,start\na.wav,"1,5"\n') / "o.csv")
    assert "line 2: start is '1,5', not a number" in message


def test_a_column_that_is_nearly_known_is_noted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows_of(write(tmp_path, m__csv="path,trancript,ids\na.wav,x,y\n") / "m.csv")
    assert "column 'trancript' is carried through" in caplog.text
    assert "did you mean 'transcript'?" in caplog.text and "ids" not in caplog.text


def test_a_folder_is_a_row_for_each_file_sorted(cli: Cli, tmp_path: Path) -> None:
    for name in ("b.wav", "a/c.FLAC", "a/._c.wav", ".trash/x.wav", "it's, ä.mp3", "notes.txt"):
        write(tmp_path / "rec", **{name: b""})
    found = rows_of(tmp_path / "rec")
    assert [row["path"] for row in found] == ["a/c.FLAC", "b.wav", "it's, ä.mp3"]
    assert manifest.read(str(tmp_path / "rec")).root == tmp_path / "rec"
    done = cli("manifest", tmp_path / "rec", "-o", tmp_path / "m.csv")
    assert "1 files that aren't audio by their names (.txt) left out" in done.stderr
    assert rows_of(tmp_path / "m.csv")[0]["path"] == "rec/a/c.FLAC"
    assert [row["path"] for row in rows_of(tmp_path / "rec", pattern="*.txt")] == ["notes.txt"]
    assert [row["path"] for row in rows_of(tmp_path / "rec", pattern="**/*.FLAC")] == ["a/c.FLAC"]
    assert "no audio files in it (*.ogg)" in refused(tmp_path / "rec", pattern="*.ogg")
    (tmp_path / "empty").mkdir()
    assert "no audio files in it (.wav, .flac" in refused(tmp_path / "empty")


def test_a_pattern_and_a_file(tmp_path: Path) -> None:
    for name in ("x/1/a.wav", "x/2/b.wav", "x/2/c.txt"):
        write(tmp_path, **{name: b""})
    read = manifest.read(str(tmp_path / "x" / "*" / "*"))
    assert read.root == tmp_path / "x"
    assert read.frame(0, 9)["path"].to_list() == ["1/a.wav", "2/b.wav"]
    read = manifest.read(str(tmp_path / "x" / "2" / "b.wav"))
    assert (read.root, read.frame(0, 9)["path"].to_list()) == (tmp_path / "x" / "2", ["b.wav"])
    assert "no audio files in it" in refused(tmp_path / "y" / "*.wav")


def test_a_folder_is_scored(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "rec").mkdir()
    save(tmp_path / "rec" / "a.wav", tone(0.3))
    done = cli("score", tmp_path / "rec", "--models=demo", "--text=none")
    assert done.exit_code == 0, done.stderr
    assert pl.read_csv(done.stdout.encode()).select("path", "status").rows() == [("a.wav", "ok")]


KALDI = {
    "wav_scp": "b sub dir/b.wav\na a.wav\r\n\n",
    "segments": "u1 a 0.0 1.5\nu2 b 0.5 -1\n",
    "text": "u1 hello there\nu2\n",
    "utt2spk": "u1 s1\nu2 s2\n",
    "utt2dur": "u1 1.5\nu2 3\n",
    "utt2emo": "u1 sad\n",
    "utt2lang": "u1 en\nu2 de\n",
    "spk2gender": "s1 f\ns2 m\n",
}


def test_a_kaldi_directory(tmp_path: Path) -> None:
    folder = write(tmp_path / "train", **KALDI)
    first, second = rows_of(folder)
    assert first == {
        **{"id": "u1", "path": "a.wav", "start": 0.0, "end": 1.5, "recording": "a"},
        **{"speaker": "s1", "transcript": "hello there", "duration": 1.5, "label": "sad"},
        **{"lang": "en", "gender": "f"},
    }
    assert (second["path"], second["end"], second["transcript"]) == ("sub dir/b.wav", None, None)
    (folder / "segments").unlink()
    assert [row["id"] for row in rows_of(folder / "wav.scp")] == ["b", "a"]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        (
            "wav_scp",
            "a a.wav\nb sph2pipe -f wav b.sph |\n",
            "wav.scp: line 2: 'b' is the output",
        ),
        ("wav_scp", "a a.wav\nb data/raw.ark:5\n", "line 2: 'b' is in one of Kaldi's archives"),
        ("wav_scp", "a a.wav\n\nb\n", "wav.scp: line 3: 'b' has no path after it"),
        ("wav_scp", "a a.wav\nb b.wav\na c.wav\n", "line 3: 'a' stands on a line before"),
        ("segments", "u1 a 0.0 x\n", "segments: line 1: 'u1' has 'x', not an end in seconds"),
        ("segments", "u1 a 0.0\n", "segments: line 1: 'u1' has nothing, not an end in seconds"),
        ("segments", "u1\n", "segments: line 1: 'u1' has nothing, not a recording"),
        ("segments", "u1 a 0 1\nu2 bb 0 1\n", "line 2: 'u2' is of recording 'bb', which isn't in"),
        ("segments", "u1 a 2 1\n", "segments: line 1: start is not before end (2.0 to 1.0)"),
        ("utt2dur", "u1 long\n", "utt2dur: line 1: 'u1' has 'long', not a number of seconds"),
        ("text", "u1 x\nu1 y\n", "text: line 2: 'u1' stands on a line before"),
    ],
)
def test_a_broken_kaldi_directory(tmp_path: Path, file: str, content: str, message: str) -> None:
    assert message in refused(write(tmp_path, **{**KALDI, file: content}))


def test_a_pipe_is_never_run(tmp_path: Path) -> None:
    made = tmp_path / "made"
    message = refused(write(tmp_path / "data", wav_scp=f"a touch {made}; cat a.wav |\n"))
    assert "none is ever run" in message
    assert not made.exists()


def test_a_near_recording_is_named(tmp_path: Path) -> None:
    content = {**KALDI, "segments": "u1 rec-10 0 1\n", "wav_scp": "rec_10 a.wav\n"}
    assert "did you mean 'rec_10'?" in refused(write(tmp_path, **content))


def test_paths_from_where_recipes_are_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "emobatch")
    folder = write(tmp_path / "data" / "train", wav_scp="a data/wav/a.wav\n")
    monkeypatch.chdir(tmp_path)
    assert manifest.read(str(folder)).root == folder
    write(tmp_path / "data" / "wav", **{"a.wav": b""})
    assert manifest.read(str(folder)).root == Path()
    assert "paths are relative to the working folder, where the first is" in caplog.text


NEMO = (
    '{"audio_filepath": "a.wav", "duration": 2.5, "offset": 0.5, "text": "hi", "label": "sad", '
    '"rttm": null, "tags": ["x"]}\n\n'
    '{"audio_filepath": "b.wav", "duration": 1, "text": "-"}\n'
)


@pytest.mark.parametrize("name", ["m__json", "m__jsonl"])
def test_nemo(tmp_path: Path, name: str) -> None:
    first, second = rows_of(write(tmp_path, **{name: NEMO}) / name.replace("__", "."))
    assert first == {
        **{"path": "a.wav", "start": 0.5, "end": 3.0, "label": "sad", "transcript": "hi"},
        **{"duration": 2.5, "rttm": None, "tags": '["x"]', "id": "a.wav#0.5-3"},
    }
    assert (second["id"], second["end"], second["transcript"]) == ("b.wav", None, None)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"audio_filepath": "b.wav"', "line 2: no JSON: Expecting ',' delimiter at character 27"),
        ("[1]", "line 2: no JSON object"),
        ('{"audio_file": "b.wav"}', "line 2: no 'audio_filepath'; did you mean 'audio_file'?"),
        ('{"audio_filepath": 3}', "line 2: 'audio_filepath' is 3, no text"),
        ('{"audio_filepath": "b.wav", "offset": "1,5"}', "line 2: 'offset' is '1,5', no number"),
        ('{"audio_filepath": "b.wav", "offset": 1e999}', "line 2: 'offset' is 'inf', no number"),
        ('{"audio_filepath": "b.wav", "duration": NaN}', "line 2: no JSON: NaN is no number"),
    ],
)
def test_a_broken_nemo_manifest(tmp_path: Path, line: str, message: str) -> None:
    good = '{"audio_filepath": "a.wav", "duration": 1}\n'
    assert message in refused(write(tmp_path, m__json=good + line + "\n") / "m.json")


EMOBOX = [
    {"key": f"aesdd-a0{n}", "dataset": "aesdd", "wav": f"downloads/aesdd/anger/a0{n} (5)b.wav"}
    | {"type": "raw", "sample_rate": 44100, "num_frame": 237054.0, "task": "category"}
    | {"length": 5.375374149659864, "emo": "a", "channel": 1}
    for n in (6, 7)
]


def test_emobox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(json.dumps(row) + "\n" for row in EMOBOX)
    name = "aesdd_valid_fold_2.jsonl"
    folder = write(tmp_path / "data" / "aesdd" / "fold_2", **{name: text})
    first, _ = rows_of(folder / name)
    assert first == {
        **{"path": "downloads/aesdd/anger/a06 (5)b.wav", "id": "aesdd-a06", "start": None},
        **{"end": None, "label": "a", "duration": 5.375374149659864, "dataset": "aesdd"},
        **{"type": "raw", "sample_rate": 44100, "num_frame": 237054.0, "task": "category"},
        **{"channel": 1, "fold": "2", "split": "val"},
    }
    write(tmp_path, **{first["path"]: b""})
    assert manifest.read(str(folder / name)).root == tmp_path, "some folders above"
    broken = write(tmp_path, b__jsonl=text + '{"key": 1, "wav": "x.wav"}\n') / "b.jsonl"
    assert "line 3: 'key' is 1, no text" in refused(broken)


def test_lhotse(tmp_path: Path) -> None:
    """As the library wrote it, see data/sources/write.py."""
    found = rows_of(SOURCES / "cuts.jsonl.gz")
    assert [row["id"] for row in found] == ["cut-1", "cut-2", "sup-3", "sup-4"]
    bounds = [(row["start"], row["end"]) for row in found]
    assert bounds == [(None, None), (1.0, 2.5), (2.0, 3.0), (3.2, 4.0)]
    assert found[3] == {
        **{"path": "rec-1.wav", "id": "sup-4", "start": 3.2, "end": 4.0, "label": "sad"},
        **{"speaker": "bo", "transcript": "two", "recording_id": "rec-1", "channel": 0},
        **{"rater": 7, "language": "en", "gender": "F", "cut": "cut-3"},
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "MixedCut"}, "line 1: is 'MixedCut', and only cuts of one recording are read"),
        ({"recording": None}, "line 1: a cut without 'recording'"),
        ({"duration": "long"}, "line 1: 'duration' is 'long', no number of seconds"),
        ({"supervisions": 3}, "line 1: 'supervisions' is no list"),
    ],
)
def test_a_broken_cut(tmp_path: Path, change: dict[str, object], message: str) -> None:
    cut = json.loads(gzip.decompress((SOURCES / "cuts.jsonl.gz").read_bytes()).splitlines()[0])
    write(tmp_path, **{"c.jsonl": json.dumps({**cut, **change}) + "\n"})
    assert message in refused(tmp_path / "c.jsonl", form="lhotse")


@pytest.mark.parametrize("kind", ["command", "memory"])
def test_a_cut_that_is_no_file(tmp_path: Path, kind: str) -> None:
    text = gzip.decompress((SOURCES / "cuts.jsonl.gz").read_bytes()).decode()
    broken = text.replace('"type": "file"', f'"type": "{kind}"')
    write(tmp_path, **{"c.jsonl": broken})
    assert "save_audios" in refused(tmp_path / "c.jsonl")


def test_a_cut_file_that_was_cut_short(tmp_path: Path) -> None:
    whole = (SOURCES / "cuts.jsonl.gz").read_bytes()
    write(tmp_path, **{"c.jsonl.gz": whole[: len(whole) // 2]})
    assert "damaged: " in refused(tmp_path / "c.jsonl.gz", form="lhotse")


def test_audiofolder(tmp_path: Path) -> None:
    text = "file_name,transcription,label\nsub/a.wav,hello,sad\nb.wav,,\n"
    first, _ = rows_of(write(tmp_path / "one", metadata__csv=text))
    assert first == {
        **{"path": "sub/a.wav", "transcript": "hello", "label": "sad", "id": "sub/a.wav"},
    }
    lines = '{"file_name": "a.wav", "text": "hi", "n": 1}\n'
    write(tmp_path / "two" / "train", metadata__jsonl=lines)
    write(tmp_path / "two" / "validation", metadata__jsonl=lines)
    found = [(row["path"], row["split"], row["transcript"]) for row in rows_of(tmp_path / "two")]
    assert found == [("train/a.wav", "train", "hi"), ("validation/a.wav", "val", "hi")]
    write(tmp_path / "three", metadata__csv="filename,label\na.wav,sad\n")
    message = refused(tmp_path / "three", form="audiofolder")
    assert "no column 'file_name'; did you mean 'filename'?" in message


def test_audformat() -> None:
    """As the package wrote it, see data/sources/write.py."""
    pytest.importorskip("audformat")
    found = rows_of(SOURCES / "audformat")
    assert [row["id"] for row in found] == [
        *("wav/03a01Fa.wav", "wav/08a01Na.wav", "wav/long.wav#0-1.5", "wav/long.wav#1.5-3")
    ]
    assert found[0] == {
        **{"path": "wav/03a01Fa.wav", "start": None, "end": None, "label": "anger"},
        **{"emotion.confidence": 0.9, "split": "test", "speaker": 3, "id": "wav/03a01Fa.wav"},
        "transcript": "Der Lappen liegt auf dem Eisschrank.",
    }
    assert (found[3]["label"], found[3]["speaker"]) == ("anger", 3), "the file's speaker"


def test_a_broken_audformat_database(tmp_path: Path) -> None:
    pytest.importorskip("audformat")
    shutil.copytree(SOURCES / "audformat", tmp_path / "base")
    (tmp_path / "base" / "db.files.csv").unlink()
    assert "can't be read by audformat: " in refused(tmp_path / "base")


def test_audformat_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "audformat":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert "`pip install 'emobatch[audformat]'`" in refused(write(tmp_path, db__yaml="name: x\n"))


def test_a_form_that_was_named_wins(cli: Cli, tmp_path: Path) -> None:
    folder = write(tmp_path, wav_scp="a a.wav\n", **{"b.wav": b""})
    assert [row["path"] for row in rows_of(folder)] == ["a.wav"]
    assert [row["path"] for row in rows_of(folder, form="audio")] == ["b.wav"]
    assert "read as kaldi" in cli("manifest", folder).stderr
    assert "no wav.scp in it" in refused(write(tmp_path / "x", y=""), form="kaldi")
    done = cli("manifest", folder, "--format", "kaldi", "--glob", "*.wav")
    assert refusal(done).startswith("--glob is for --format audio, not for kaldi")


def test_every_form_refuses_what_isnt_there(tmp_path: Path) -> None:
    for form in READERS:
        refused(tmp_path / "nothing", form=form)
    assert "did you mean " in refused(write(tmp_path, m__csv="x") / "m.cvs")


def test_a_bad_line_of_json_lines_is_named(tmp_path: Path) -> None:
    text = '{"path": "a.wav"}\n{"path": "b.wav"\n'
    assert "line 2: no JSON: " in refused(write(tmp_path, m__jsonl=text) / "m.jsonl")


def test_what_folds_and_leakage_read(cli: Cli, tmp_path: Path) -> None:
    three = {"wav_scp": "a a.wav\nb b.wav\nc c.wav\n", "utt2spk": "a x\nb y\nc z\n"}
    folder = write(tmp_path / "k", **three)
    done = cli("folds", folder, "--scheme", "speaker", "-o", tmp_path / "f.csv")
    assert done.exit_code == 0, done.stderr
    made = pl.read_csv(tmp_path / "f.csv")
    assert len(made) == 9 and made["path"][0] == "k/a.wav", "where the new table finds it"
    lines = '{"file_name": "a.wav", "speaker": "x"}\n'
    for split in ("train", "test"):
        write(tmp_path / "af" / split, metadata__jsonl=lines)
    done = cli("leakage", tmp_path / "af", "--json")
    assert done.exit_code == 0 and json.loads(done.stdout), done.stderr
    assert refusal(cli("leakage", tmp_path / "af", "--format", "kaldi")).endswith("has")
