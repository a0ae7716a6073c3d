from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from emobatch.errors import EmobatchError, ManifestError
from emobatch.manifests import manifest
from emobatch.manifests.clip import Clip
from emobatch.manifests.clips import clips
from emobatch.manifests.readers.reader import Reader
from emobatch.manifests.readers.registry import READERS
from emobatch.manifests.reading import Reading


def save(folder: Path, text: str, name: str = "manifest.csv") -> str:
    file = folder / name
    file.write_text(text)
    return str(file)


def clips_of(read: manifest.Manifest) -> list[Clip]:
    return list(clips(read.frame(0, len(read)), read.root))


def test_ids_default_to_the_path_and_the_segment(tmp_path: Path) -> None:
    text = "path,start,end\na.wav,,\na.wav,1.5,3\na.wav,,2.0\na.wav,4,\n"
    rows = manifest.read(save(tmp_path, text)).frame(0, 9)
    assert rows["id"].to_list() == ["a.wav", "a.wav#1.5-3", "a.wav#-2", "a.wav#4-"]


def test_paths_are_relative_to_the_manifest_or_the_root(tmp_path: Path) -> None:
    source = save(tmp_path, "path\nsub/a.wav\n/abs/b.wav\n")
    assert [clip.file for clip in clips_of(manifest.read(source))] == [
        tmp_path / "sub/a.wav",
        Path("/abs/b.wav"),
    ]
    (clip, _) = clips_of(manifest.read(source, Reading(Path("corpus"))))
    assert clip.file == Path("corpus/sub/a.wav")


@pytest.mark.parametrize("name", ["m.csv", "m.tsv", "m.jsonl", "m.parquet"])
def test_every_format_reads_the_same(name: str, tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {"path": ["a.wav", 'b, "b".wav'], "start": [0.5, None], "label": ["ang", None]}
    )
    file = tmp_path / name
    {
        ".csv": rows.write_csv,
        ".tsv": lambda target: rows.write_csv(target, separator="\t"),
        ".jsonl": rows.write_ndjson,
        ".parquet": rows.write_parquet,
    }[file.suffix](file)
    read = manifest.read(str(file))
    assert [(c.path, c.start) for c in clips_of(read)] == [("a.wav", 0.5), ('b, "b".wav', None)]
    assert read.frame(0, len(read))["label"].to_list() == ["ang", None]


def test_columns_of_text_files_stay_text(tmp_path: Path) -> None:
    rows = manifest.read(save(tmp_path, "path,code,sum\na.wav,007,=1+1\n")).frame(0, 9)
    assert rows.select("code", "sum").row(0) == ("007", "=1+1")


def test_a_blank_transcript_is_none(tmp_path: Path) -> None:
    clips = clips_of(manifest.read(save(tmp_path, "path,transcript\na.wav,hello\nb.wav, \n")))
    assert [clip.transcript for clip in clips] == ["hello", None]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file\na.wav\n", "no column 'path'.*columns are file"),
        ("path\n", "no rows"),
        ("", "empty CSV"),
        ("path,id\na.wav,x\nb.wav,x\n", r"id 'x' occurs more than once: line 2, line 3"),
        ("path\na.wav\na.wav\n", r"id 'a.wav' occurs more than once: line 2, line 3"),
        ("path,id\na.wav,\nb.wav,x\n", "line 2: no id"),
        ("path,x\n,1\nb.wav,2\n", "line 2: no path"),
        ("path,x\na.wav,1\n  ,2\n", "line 3: no path"),
        ("path,start,end\na.wav,2,1\n", "line 2: start is not before end"),
        ("path,start,end\na.wav,2,2\n", "line 2: start is not before end"),
        ("path,start\na.wav,-1\n", "line 2: start is negative"),
        ("path,start\na.wav,nan\n", "line 2: start or end is NaN"),
        ("path,end\na.wav,1\nb.wav,inf\n", "line 3: start or end is NaN or infinite"),
        ("path,end\na.wav,0\n", "line 2: start is not before end"),
        ("path,start\na.wav,-0.5\n", "line 2: start is negative"),
        ("path,start\na.wav,soon\n", "soon|start"),
        ("path,path\na.wav,b.wav\n", "column 'path' occurs twice"),
        ("path\na.wav,more\n", "more fields"),
    ],
)
def test_rows_that_make_no_sense_are_named(text: str, message: str, tmp_path: Path) -> None:
    source = save(tmp_path, text)
    with pytest.raises(EmobatchError, match=message) as error:
        manifest.read(source)
    assert str(error.value).startswith(f"{source}: ")
    assert "\n" not in str(error.value)


def test_columns_that_will_be_written_are_named(tmp_path: Path) -> None:
    source = save(tmp_path, "path,entropy,note\na.wav,1,x\n")
    read = manifest.read(source)
    read.refuse_columns({"speech_sad"})
    with pytest.raises(EmobatchError, match="that emobatch itself writes: entropy; drop") as error:
        read.refuse_columns({"entropy", "speech_sad"})
    assert str(error.value).startswith(f"{source}: ")


def test_labels_are_carried_as_they_are(tmp_path: Path) -> None:
    source = save(tmp_path, "path,label\na.wav, Fru\nb.wav,\nc.wav,007\n")
    assert manifest.read(source).frame(0, 9)["label"].to_list() == [" Fru", None, "007"]
    rows = pl.DataFrame({"path": ["a.wav", "b.wav"], "label": [3, None]})
    rows.write_parquet(tmp_path / "m.parquet")
    read = manifest.read(str(tmp_path / "m.parquet")).frame(0, 9)
    assert read["label"].equals(rows["label"])


class ListReader(Reader):
    """Reads a text file with a path on each line."""

    def takes(self, source: str) -> bool:
        return source.endswith(".list")

    def scan(self, source: str) -> pl.LazyFrame:
        return pl.LazyFrame({"path": Path(source).read_text().split()})


def test_a_form_of_manifests_is_one_class_and_one_line(tmp_path: Path) -> None:
    source = save(tmp_path, "a.wav\nsub/b.wav\n", "clips.list")
    with pytest.raises(EmobatchError, match="can't read that format"):
        manifest.read(source)
    READERS.register("list", ListReader)
    try:
        found = clips_of(manifest.read(source))
        assert [clip.file for clip in found] == [tmp_path / "a.wav", tmp_path / "sub/b.wav"]
        odd = save(tmp_path, "a.wav\n", "clips.txt")
        assert len(manifest.read(odd, Reading(form="list"))) == 1
        with pytest.raises(EmobatchError, match=r"clips\.list: can't read that format"):
            manifest.read(source, Reading(form="table"))
    finally:
        READERS.remove("list")


def test_an_unknown_form_is_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(EmobatchError, match=r"no manifest format 'tabel'.*did you mean 'table'"):
        manifest.read(save(tmp_path, "path\na.wav\n"), Reading(form="tabel"))


def test_a_missing_manifest_and_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(EmobatchError, match="no such file"):
        manifest.read(str(tmp_path / "nothing.csv"))
    with pytest.raises(EmobatchError, match=r"can't read that format.*\.csv"):
        manifest.read(save(tmp_path, "path\na.wav\n", "manifest.text"))


def test_the_corpus_that_comes_with_the_package() -> None:
    read = manifest.read(str(Path(__file__).parents[1] / "manifests" / "iemocap4.csv"))
    assert len(read) == 5_531
    counts = dict(read.frame(0, len(read))["label"].value_counts().iter_rows())
    # Busso et al. 2008, excited merged with happy, as in Chua et al.
    assert counts == {"angry": 1_103, "happy": 1_636, "neutral": 1_708, "sad": 1_084}


def test_the_rows_are_those_of_when_it_was_read(tmp_path: Path) -> None:
    source = save(tmp_path, "path,label\na.wav,ang\nb.wav,\nc.wav,hap\n")
    read = manifest.read(source)
    save(tmp_path, "path\nother.wav\n")
    assert read.frame(1, 9)["path"].to_list() == ["b.wav", "c.wav"]
    assert read.frame(0, 1)["label"].to_list() == ["ang"]


def test_the_digest_is_of_the_rows_and_not_of_their_format(tmp_path: Path) -> None:
    text = "path,label\na.wav,ang\nb.wav,\n"
    one, same = manifest.read(save(tmp_path, text)), manifest.read(save(tmp_path, text, "n.csv"))
    tabs = manifest.read(save(tmp_path, text.replace(",", "\t"), "m.tsv"))
    other = manifest.read(save(tmp_path, text.replace("hap", "sad") + "c.wav,sad\n"))
    assert one.digest() == same.digest() == tabs.digest() != other.digest()


def test_ten_thousand_columns_are_carried(tmp_path: Path) -> None:
    names = ["path", *(f"c{n}" for n in range(10_000))]
    read = manifest.read(save(tmp_path, ",".join(names) + "\na.wav" + ",x" * 10_000 + "\n"))
    assert read.frame(0, 1).width == 10_002


@pytest.mark.parametrize("start", ["\ufeff", ""])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_byte_order_mark_and_line_ends_of_windows_are_nothing(
    tmp_path: Path, start: str, end: str
) -> None:
    file = tmp_path / "manifest.csv"
    file.write_bytes(f"{start}path,note{end}a.wav,x{end}b.wav,y{end}".encode())
    rows = manifest.read(str(file)).frame(0, 9)
    assert rows["path"].to_list() == ["a.wav", "b.wav"]
    assert rows["note"].to_list() == ["x", "y"]


def test_bytes_that_are_not_utf_8_are_counted_in_a_note(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "manifest.csv"
    file.write_bytes(b"path,note\na\xe9.wav,x\nb.wav,y\n")
    rows = manifest.read(str(file)).frame(0, 9)
    assert rows["path"].to_list() == ["a\ufffd.wav", "b.wav"]
    assert "1 rows of the manifest have text that isn't UTF-8" in caplog.text


def test_every_row_of_a_large_manifest_counts(tmp_path: Path) -> None:
    """Rows are copied and read back by so many at a time; these are one more."""
    count = manifest.SPOOL_ROWS + 1
    rows = [f"{number}.wav,{number}" for number in range(count)]
    read = manifest.read(save(tmp_path, "path,note\n" + "\n".join(rows)))
    assert len(read) == count
    assert read.frame(count - 2, 9)["note"].to_list() == [str(count - 2), str(count - 1)]
    for row in (0, count - 1):
        other = [*rows]
        other[row] += "!"
        changed = manifest.read(save(tmp_path, "path,note\n" + "\n".join(other), "other.csv"))
        assert changed.digest() != read.digest()


def test_columns_without_any_value_are_seconds_too(tmp_path: Path) -> None:
    """In JSON Lines they have no type."""
    lines = '{"path": "a.wav", "start": null, "end": null}\n'
    read = manifest.read(save(tmp_path, lines, "m.jsonl"))
    assert read.frame(0, 9)["id"].to_list() == ["a.wav"]
    with pytest.raises(EmobatchError, match="line 1: column 'end' holds '1', no number"):
        manifest.read(save(tmp_path, lines.replace('"end": null', '"end": "1"'), "text.jsonl"))


def test_no_room_for_a_copy_names_the_folder_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.LazyFrame, "sink_parquet", full)
    with pytest.raises(EmobatchError, match="No space left on device; set TMPDIR to a folder"):
        manifest.read(save(tmp_path, "path\na.wav\n"))


def test_a_name_that_isnt_utf_8_is_the_one_file_that_looks_like_it(tmp_path: Path) -> None:
    def located(name: str) -> bytes:
        return os.fsencode(Clip(name, tmp_path / name, None, None, None).located().name)

    (tmp_path / os.fsdecode(b"a\xe9.wav")).touch()
    assert located("a\ufffd.wav") == b"a\xe9.wav"
    (tmp_path / os.fsdecode(b"a\xe8.wav")).touch()
    assert located("a\ufffd.wav") == "a\ufffd.wav".encode(), "either may be meant"
    (tmp_path / os.fsdecode(b"b\xe9.wav")).touch()
    (tmp_path / "b\ufffd.wav").touch()
    assert located("b\ufffd.wav") == "b\ufffd.wav".encode(), "it has that very name"


def test_a_root_that_is_a_link_confines_to_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "in.wav").touch()
    (tmp_path / "out.wav").touch()
    root = tmp_path / "link"
    root.symlink_to(tmp_path / "disk")
    rows = pl.DataFrame({"path": ["in.wav", "../out.wav"]})
    inside, outside = clips(rows, root, confine=True)
    assert inside.located() == root / "in.wav"
    with pytest.raises(EmobatchError, match="which --confine forbids"):
        outside.located()


@pytest.mark.parametrize("twice", [None, 0, 1, 17, 98])
def test_ids_are_compared_in_parts_where_there_are_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, twice: int | None
) -> None:
    from emobatch.manifests import checked

    monkeypatch.setattr(checked, "IDS_AT_A_TIME", 10)
    names = [str(number) for number in range(99)] + ([] if twice is None else [str(twice)])
    (tmp_path / "m.csv").write_text("path,id\n" + "".join(f"a.wav,{name}\n" for name in names))
    if twice is None:
        assert len(manifest.read(str(tmp_path / "m.csv"))) == 99
        return
    with pytest.raises(
        ManifestError, match=f"id '{twice}' occurs more than once: line {twice + 2}, line 101"
    ):
        manifest.read(str(tmp_path / "m.csv"))


@pytest.mark.parametrize("firsts", [[0, 3, 6], [3, 6], [0, 6], [3], [9], []])
def test_chunks_that_are_left_are_cut_out(tmp_path: Path, firsts: list[int]) -> None:
    (tmp_path / "m.csv").write_text("path,id\n" + "".join(f"a.wav,{n}\n" for n in range(10)))
    cut = manifest.read(str(tmp_path / "m.csv")).cut(firsts, 3)
    wanted = [str(n) for n in range(10) if n // 3 * 3 in firsts]
    assert cut.rows.collect()["id"].to_list() == wanted and len(cut) == len(wanted)
