"""What is wrong with a row is said with its line, as an editor counts them."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from refusals import refusal
from test_readers import refused, write

from emobatch.manifests.columns import ManifestColumns
from emobatch.manifests.segments.cutting import Cutting

Cli = Callable[..., Result]

QUOTED = 'path,label,start,end\na.wav,"sad\nand\r\nlong",0,1\nb.wav,,0,1\nPATH,x,START,1\n'
# Tables, how they are written, and the line that their last row begins at.
TABLES: dict[str, tuple[str, str, int]] = {
    "a value of three lines": (QUOTED, "utf-8", 6),
    "CR LF": ("path,start,end\r\na.wav,0,1\r\nb.wav,,\r\nPATH,START,1\r\n", "utf-8", 4),
    "a name of two lines": ('path,"a\nb",start,end\na.wav,,,\nPATH,"\n",START,1', "utf-8", 4),
    "blank lines above": ("\n\npath,start,end\na.wav,,\nPATH,START,1\n", "utf-8", 5),
    "sep=": ("sep=;\r\npath;start;end\r\na.wav;;\r\nPATH;START;1\r\n", "utf-8-sig", 4),
    "UTF-16": (QUOTED, "utf-16", 6),
    "an old Mac's": ("path,start,end\ra.wav,0,1\rPATH,START,1\r", "utf-8", 3),
}
WRONG = {
    ("c.wav", "2"): "start is not before end (2.0 to 1.0); mend",
    ("c.wav", "-1"): "start is negative (-1.0 to 1.0); mend",
    ("c.wav", "x"): "start is 'x', not a number; mend",
    (" ", "0.5"): "no path; mend",
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("stdin", [False, True])
def test_a_row_of_a_table_is_named_by_the_line_it_begins_at(
    cli: Cli, tmp_path: Path, name: str, stdin: bool
) -> None:
    text, encoding, line = TABLES[name]
    for (path, start), message in WRONG.items():
        content = text.replace("PATH", path).replace("START", start).encode(encoding)
        source = write(tmp_path, m__csv=content) / "m.csv"
        given = {"input": content} if stdin else {}
        done = cli("manifest", "-" if stdin else source, "--quiet", **given)
        where = "standard input" if stdin else source
        assert refusal(done).startswith(f"{where}: line {line}: {message}")


def test_each_line_of_an_id_that_occurs_twice_is_named(tmp_path: Path) -> None:
    text = 'path,id,label\na.wav,1,"x\ny"\nb.wav,2,\nc.wav,1,\n'
    message = refused(write(tmp_path, m__csv=text) / "m.csv")
    assert message.startswith("id '1' occurs more than once: line 2, line 5; give each row an id")


UNREADABLE = {
    "a quote that isn't closed": (
        'path,x\na.wav,"1\n2"\nb.wav,"\nc.wav,\n',
        "utf-8",
        "line 4: its",
    ),
    "a quote inside of a value": ('path,x\na.wav,"1\n2"\nb"x.wav,"\n"\n', "utf-8", "line 4: its"),
    "text behind a quote": ('path,x\na.wav,"1\n2"\nb.wav,"h"x\n', "utf-8", "line 4: its"),
    "too many values": ('path,x\na.wav,"1\n2"\nb.wav,1,2\n', "utf-8", "line 4 has more fields (3)"),
    "no UTF-16": ("path,x\na.wav,1\nb.wav,\udc00\n", "utf-16", "line 3: begins as text in UTF-16"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_line_that_cant_be_read(tmp_path: Path, name: str) -> None:
    text, encoding, message = UNREADABLE[name]
    content = text.encode(encoding, "surrogatepass")
    assert refused(write(tmp_path, m__csv=content) / "m.csv").startswith(message)
    write(tmp_path / "train", metadata__csv=content)
    said = refused(tmp_path, form="audiofolder")
    assert said.startswith(f"train/metadata.csv: {message}")


def test_values_of_two_kinds_in_one_column(tmp_path: Path) -> None:
    lines = '{"path": "a", "x": null}\n\n{"path": "b", "x": {"y": 1}}\n{"path": "c", "x": [1]}\n'
    message = refused(write(tmp_path, m__jsonl=lines) / "m.jsonl")
    assert message.startswith("line 4: 'x' is a list, and an object on line 3; give all rows")


def test_an_empty_file_of_kaldis_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path, wav_scp="a a.wav\n", utt2spk="")
    assert refused(folder).startswith("utt2spk: is empty; each line has a name")


def test_rows_that_are_left_out_count_as_lines(tmp_path: Path) -> None:
    text = 'file,label,start\na.wav,"x\ny",\nb.wav,z,\nc.wav,x,-1\n~/d.wav,x,\n'
    source = write(tmp_path, m__csv=text) / "m.csv"
    columns = ManifestColumns(path="file")
    message = refused(source, columns=columns, where="label = 'x' AND path != 'b.wav'")
    assert message.startswith("line 5: start is negative")
    message = refused(source, columns=columns, where="file = '~/d.wav'")
    assert "1 of 1 paths begin with ~" in message and "(line 6: ~/d.wav)" in message


def test_a_row_of_parquet_has_a_number(tmp_path: Path) -> None:
    pl.DataFrame({"path": ["a.wav", "b.wav"], "end": [1.0, -1.0]}).write_parquet(
        tmp_path / "m.parquet"
    )
    assert refused(tmp_path / "m.parquet").startswith("row 2: start is not before end (None to -1.")


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ("-1", "start is negative (-1.0 to None)"),
        ('"soon"', "column 'start' holds 'soon', no number; give seconds"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_row_of_json_lines(tmp_path: Path, start: str, message: str, encoding: str) -> None:
    first, last = '{"path": "a.wav", "start": 0.5}', f'{{"path": "b.wav", "start": {start}}}'
    source = write(tmp_path, m__jsonl=f"\n{first}\n\n  \n{last}\n".encode(encoding)) / "m.jsonl"
    assert refused(source).startswith(f"line 5: {message}")


def test_a_row_of_other_json_lines(tmp_path: Path) -> None:
    rows = [{"audio_filepath": f"{n}.wav", "offset": n - 1, "duration": 1} for n in (1, 0)]
    nemo = "\n\n".join(map(json.dumps, rows))
    assert refused(write(tmp_path, m__json=nemo) / "m.json").startswith("line 3: start is negative")
    # Of two supervisions, each is a row: the second cut's first one is the third.
    source = {"type": "file", "channels": [0], "source": "a.wav"}
    cut = {"type": "MonoCut", "start": 0, "recording": {"id": "r", "sources": [source]}}
    parts = [
        {"id": f"{n}-{start}", "start": start, "duration": 1} for n in (1, 2) for start in (0, 1)
    ]
    parts[2]["duration"] = 0
    cuts = [{**cut, "id": n, "supervisions": parts[2 * n : 2 * n + 2]} for n in (0, 1)]
    text = "".join(json.dumps({**each, "id": str(each["id"])}) + "\n" for each in cuts)
    file = write(tmp_path, **{"c.jsonl.gz": gzip.compress(text.encode())}) / "c.jsonl.gz"
    assert refused(file).startswith("line 2: start is not before end (0.0 to 0.0)")


def test_a_row_of_kaldi(tmp_path: Path) -> None:
    scp = "a a.wav\n\nb  http://x/b.wav\n"
    folder = write(tmp_path, wav_scp=scp, segments="\nu1 a 0 1\nu2 a -3 -2\n")
    assert refused(folder).startswith("segments: line 3: start is negative (-3.0 to -2.0)")
    (folder / "segments").write_text("u b 0 1\n")
    assert "(segments: line 1: http://x/b.wav)" in refused(folder)
    (folder / "segments").unlink()
    write(tmp_path, wav_scp="\nb  http://x/b.wav\n")
    assert "(wav.scp: line 2: http://x/b.wav)" in refused(folder)


def test_a_row_of_an_audiofolder_has_a_file_as_well(tmp_path: Path) -> None:
    write(tmp_path / "train", metadata__csv='file_name,id\na.wav,"x\ny"\nb.wav,2\n')
    lines = '{"file_name": "c.wav", "id": "2"}\n\n{"file_name": " ", "id": "1"}\n'
    write(tmp_path / "test", metadata__jsonl=lines)
    message = refused(tmp_path, form="audiofolder")
    places = "train/metadata.csv: line 4, test/metadata.jsonl: line 1"
    assert message.startswith(f"id '2' occurs more than once: {places}; give")


def test_a_row_of_an_archive_is_named_by_its_file(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "s.tar", "w") as archive:
        for name, text in {"a.wav": b"", "b.wav": b"", "b.json": b'{"start": -1}'}.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    assert refused(tmp_path / "s.tar").startswith("s.tar!b.wav: start is negative (-1.0 to None)")


SEGMENTS = {
    "x.rttm": (
        "\nSPEAKER a 1 0.5 1 <NA> <NA> x\nSPEAKER a 1 2 0 <NA> <NA> x\n",
        "line 3",
        "2",
        "2",
    ),
    "x.ctm": ("a 1 0.5 1 yes\na 1 9 0 no\n", "line 2", "9", "9"),
    "a.srt": (
        *("1\n00:00:01,000 --> 00:00:02,000\nYes\n\n2\n00:00:03,500 --> 00:00:03,000\nNo\n",),
        *("line 5", "3", "3.5"),
    ),
    "a.json": ('{"segments": [{"start": 1, "end": 1}]}', "segment 1", "1", "1"),
    "a.TextGrid": (
        'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n3\n<exists>\n1\n'
        '"IntervalTier"\n"Mary"\n0\n3\n2\n0\n1\n"a"\n3\n2\n"no"\n',
        *("interval 2 of tier 'Mary'", "2", "3"),
    ),
}


@pytest.mark.parametrize("name", SEGMENTS)
def test_a_segment_that_ends_before_it_starts(tmp_path: Path, name: str) -> None:
    text, place, end, start = SEGMENTS[name]
    source = write(tmp_path, **{"m.csv": "path\na.wav\n", name: text}) / "m.csv"
    message = f"{tmp_path / name}: {place}: ends at {end} s, not after its start at {start} s; mend"
    assert refused(source, cutting=Cutting(tmp_path / name)).startswith(message)


def test_a_recording_without_a_path_is_named_before_it_is_cut(tmp_path: Path) -> None:
    source = write(tmp_path, **{"m.csv": "path,x\na.wav,\n,1\n", "a.rttm": ""}) / "m.csv"
    message = refused(source, cutting=Cutting(tmp_path / "a.rttm"))
    assert message.startswith("line 3: no path; mend or drop it")


def test_folds_name_the_line_too(cli: Cli, tmp_path: Path) -> None:
    text = 'path,speaker,note\na.wav,x,"1\n2"\nb.wav,,\n'
    source = write(tmp_path, m__csv=text) / "m.csv"
    done = cli("folds", source, "--scheme", "speaker", "-o", tmp_path / "f.csv")
    assert refusal(done) == f"{source}: line 4: no speaker; give it one, or drop the row"
    write(tmp_path, wav_scp="a a.wav\nb b.wav\n", utt2spk="a x\n")
    done = cli("folds", tmp_path / "wav.scp", "--scheme", "speaker", "-o", tmp_path / "f.csv")
    assert f"{tmp_path / 'wav.scp'}: wav.scp: line 2: no speaker; give" in done.stderr
