"""Audio in tar archives: found by one index, read where it is, and never unpacked."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import Result
from sounds import save, tone

from emobatch.errors import AudioError
from emobatch.manifests import archives, audio, manifest
from emobatch.manifests.archives import Archives, Part
from emobatch.manifests.clip import Clip, read
from emobatch.manifests.clips import clips
from emobatch.manifests.fetching import Fetcher
from emobatch.scoring.decoding import decode
from emobatch.scoring.utterances import Utterance

FORMATS = (".wav", ".flac", ".mp3", ".ogg", ".m4a")


def archive(file: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(file, "w") as written:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            written.addfile(member, io.BytesIO(content))
    return file


def sound(folder: Path, name: str = "clip.wav", seconds: float = 1.0) -> bytes:
    return save(folder / name, tone(seconds)).read_bytes()


def heard(path: str, root: Path, start: float | None = None) -> np.ndarray:
    rows = pl.DataFrame({"path": [path], "start": [start]}, schema_overrides={"start": pl.Float64})
    [clip] = clips(rows, root)
    with Fetcher().here(clip) as here:
        return np.concatenate(list(read(here, 1e9)))


@pytest.mark.parametrize("ending", FORMATS)
def test_a_member_is_heard_as_its_file_is(tmp_path: Path, ending: str) -> None:
    file = save(tmp_path / f"clip{ending}", tone(2.0))
    members = {"before.wav": sound(tmp_path), f"a/clip{ending}": file.read_bytes(), "z": b"zz"}
    archive(tmp_path / "shard.tar", members)
    for start in (None, 0.7):
        whole = np.concatenate(list(audio.read_windows(file, start)))
        assert np.array_equal(heard(f"shard.tar!a/clip{ending}", tmp_path, start), whole)
    [clip] = clips(pl.DataFrame({"path": [f"shard.tar!a/clip{ending}"]}), tmp_path)
    with Fetcher().here(clip) as here:
        assert audio.length(here.located()) == audio.length(file)


def test_an_archive_is_indexed_once_for_all_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = sound(tmp_path, seconds=0.1)
    archive(tmp_path / "shard.tar", {f"{n}.wav": content for n in range(40)})
    indexed = []
    index = archives._indexed
    monkeypatch.setattr(archives, "_indexed", lambda file: indexed.append(file) or index(file))
    rows = pl.DataFrame({"path": [f"shard.tar!{n}.wav" for n in range(40)]})
    asked = [Utterance(clip, clip.path) for clip in clips(rows, tmp_path)]
    windows = [window.utterance.id for window in decode(asked, 60, fetcher=Fetcher())]
    assert windows == rows["path"].to_list()
    assert indexed == [tmp_path / "shard.tar"]


def test_hostile_members_are_text_and_nothing_is_unpacked(tmp_path: Path) -> None:
    content = sound(tmp_path)
    (tmp_path / "clip.wav").unlink()
    inside = tmp_path / "in"
    inside.mkdir()
    secret = save(tmp_path / "secret.wav", tone(1.0, hertz=200))
    with tarfile.open(inside / "shard.tar", "w") as written:
        for name in ("/etc/absolute.wav", "../up.wav", "ok.wav"):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            written.addfile(member, io.BytesIO(content))
        for name, kind in (
            *(("link.wav", tarfile.SYMTYPE), ("hard.wav", tarfile.LNKTYPE)),
            *(("device.wav", tarfile.CHRTYPE), ("pipe.wav", tarfile.FIFOTYPE)),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, str(secret)
            written.addfile(member)
    for name in ("/etc/absolute.wav", "../up.wav", "ok.wav"):
        assert len(heard(f"shard.tar!{name}", inside)) == 16_000
    for name, says in (
        *(("link.wav", "a link"), ("hard.wav", "a link")),
        *(("device.wav", "a device"), ("pipe.wav", "a device")),
    ):
        with pytest.raises(AudioError, match=f"is {says} in its archive"):
            heard(f"shard.tar!{name}", inside)
    assert [*inside.iterdir()] == [inside / "shard.tar"]
    assert sorted(tmp_path.iterdir()) == [inside, secret]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("shard.tar!b.wav", "no such file in its archive"),
        ("none.tar!a.wav", "no such file"),
        ("shard.tar.gz!a.wav", "its archive is compressed.*gunzip"),
        ("text.tar!a.wav", "its archive is no tar file"),
        ("cut.tar!b.wav", "damaged.* after 1 files"),
        ("empty.tar!a.wav", "empty file"),
    ],
)
def test_a_row_says_what_is_wrong_with_its_archive(tmp_path: Path, path: str, says: str) -> None:
    content = sound(tmp_path)
    whole = archive(tmp_path / "shard.tar", {"a.wav": content}).read_bytes()
    (tmp_path / "shard.tar.gz").write_bytes(whole)
    (tmp_path / "text.tar").write_text("path\n" * 500)
    both = archive(tmp_path / "cut.tar", {"a.wav": content, "b.wav": content})
    both.write_bytes(both.read_bytes()[: len(content) + 10_000])
    archive(tmp_path / "empty.tar", {"a.wav": b""})
    with pytest.raises(AudioError, match=says):
        heard(path, tmp_path)
    if path.startswith("cut"):
        assert len(heard("cut.tar!a.wav", tmp_path)) == 16_000


def test_confined_rows_read_no_archive_elsewhere(tmp_path: Path) -> None:
    archive(tmp_path / "shard.tar", {"a.wav": sound(tmp_path)})
    root = tmp_path / "root"
    root.mkdir()
    rows = pl.DataFrame({"path": ["../shard.tar!a.wav"]})
    [clip] = clips(rows, root, confine=True)
    with pytest.raises(AudioError, match="--confine forbids"), Fetcher().here(clip):
        pass


def test_a_part_ends_where_it_does(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(range(100)))
    with Part(file, 10, 20).open() as part:
        assert part.read() == bytes(range(10, 30))
        assert part.seek(-5, io.SEEK_END) == 15
        assert part.read(100) == bytes(range(25, 30))
        assert part.seek(50) == 50
        assert part.read() == b""
        with pytest.raises((ValueError, OSError)):
            part.seek(-1)


def test_an_archive_is_a_source_with_what_stands_beside(
    tmp_path: Path, cli: Callable[..., Result]
) -> None:
    content = sound(tmp_path)
    described = json.dumps({"speaker": "f1", "path": "hostile", "label": "sad", "n": 2}).encode()
    archive(
        tmp_path / "shard.tar",
        {
            **{"a/1.wav": content, "a/1.txt": b"hello there\n", "a/1.cls": b"happy"},
            **{"a/2.flac": content, "a/2.json": described, "a/notes.md": b"-"},
        },
    )
    result = cli("manifest", tmp_path / "shard.tar", "-o", tmp_path / "manifest.csv")
    assert result.exit_code == 0, result.stderr
    rows = pl.read_csv(tmp_path / "manifest.csv").drop("id").to_dicts()
    assert rows == [
        {
            **{"path": "shard.tar!a/1.wav", "label": "happy", "transcript": "hello there"},
            **{"speaker": None, "n": None},
        },
        {
            **{"path": "shard.tar!a/2.flac", "label": "sad", "transcript": None},
            **{"speaker": "f1", "n": 2},
        },
    ]


def test_a_pattern_of_archives_is_one_source(tmp_path: Path) -> None:
    for n in range(2):
        (tmp_path / "shards").mkdir(exist_ok=True)
        archive(tmp_path / f"shards/{n}.tar", {"a.wav": sound(tmp_path)})
    read_rows = manifest.read(str(tmp_path / "shards/*.tar"))
    assert read_rows.frame(0, 9)["path"].to_list() == ["0.tar!a.wav", "1.tar!a.wav"]
    assert read_rows.root == tmp_path / "shards"


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"a.txt": b"hello"}, "no audio files in it"),
        ({"a.wav": b"-", "a.json": b"[1]"}, "a.json is no JSON object"),
        ({"a.wav": b"-", "a.json": b"{"}, "a.json is no JSON: "),
        ({"a.wav": b"-", "a.txt": b"x" * (1 << 20 | 1)}, "has 1048577 bytes"),
    ],
)
def test_a_bad_archive_is_refused_in_one_line(
    tmp_path: Path, cli: Callable[..., Result], members: dict[str, bytes], says: str
) -> None:
    file = archive(tmp_path / "shard.tar", members)
    result = cli("manifest", file)
    assert result.exit_code == 1
    assert says in result.stderr and str(file) in result.stderr
    # After what it was taken for.
    assert len(result.stderr.splitlines()) == 2


def test_a_clip_in_memory_needs_no_archive() -> None:
    clip = Clip("array 0", Path(), None, None, None)
    assert Fetcher().fetch(clip).clip is clip
    assert Archives()._kept == {}
