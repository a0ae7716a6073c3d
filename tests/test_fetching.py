"""Files of rows that aren't on this machine: what is fetched, how often, and what never is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import web_server
from sounds import save, tone
from web_server import Web

from emobatch.errors import AudioError, TableError
from emobatch.manifests import manifest
from emobatch.manifests.clip import Clip, read
from emobatch.manifests.clips import clips
from emobatch.manifests.fetching import Fetcher
from emobatch.scoring import ahead
from emobatch.scoring.decoding import decode
from emobatch.scoring.utterances import Utterance
from emobatch.storage import download, systems
from emobatch.storage.access import Access
from emobatch.storage.address import Address, Place

pytest.importorskip("aiohttp")


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setattr(download, "PAUSE", 0.001)
    with web_server.serving() as server:
        yield server


@pytest.fixture
def wav(tmp_path: Path) -> bytes:
    return save(tmp_path / "clip.wav", tone(1.0)).read_bytes()


def clip(path: str, root: Place | None = None, *, confine: bool = False) -> Clip:
    [found] = clips(pl.DataFrame({"path": [path]}), root or Path(), confine=confine)
    return found


def fetched(path: str, access: Access, root: Place | None = None, *, confine: bool = False) -> int:
    """Fetch a clip, and count its samples."""
    with Fetcher(access) as fetcher, fetcher.here(clip(path, root, confine=confine)) as here:
        return sum(map(len, read(here, 1e9)))


ALLOWED = Access(allowed=True)


def test_a_file_is_fetched_once_and_kept(web: Web, wav: bytes, tmp_path: Path) -> None:
    web.files["/a b.wav"] = wav
    access = Access(allowed=True, cache=tmp_path / "cache")
    for _ in range(2):
        assert fetched(f"{web.address}/a b.wav", access) == 16_000
    assert web.fetched("/a b.wav") == 1
    web.files["/a b.wav"] = save(tmp_path / "new.wav", tone(2.0)).read_bytes()
    assert fetched(f"{web.address}/a b.wav", access) == 32_000


def test_nothing_is_fetched_that_is_not_allowed(web: Web, wav: bytes) -> None:
    web.files["/a.wav"] = wav
    with pytest.raises(AudioError, match="fetched only with --allow-remote"):
        fetched(f"{web.address}/a.wav", Access())
    assert web.requests == []


@pytest.mark.parametrize("home", ["https://example.org/m.csv", "http://127.0.0.1/m.csv"])
def test_a_manifest_elsewhere_reaches_private_networks_only_at_its_own_host(
    web: Web, wav: bytes, home: str
) -> None:
    web.files["/a.wav"] = wav
    access = Access(home=Address(home))
    if "127.0.0.1" in home:
        assert fetched(f"{web.address}/a.wav", access) == 16_000
    for host in ("localhost", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "2130706433"):
        address = f"http://{host}:{web.server_port}/a.wav"
        with pytest.raises(AudioError, match=r"private network|fetched"):
            fetched(address, access)
    assert len(web.requests) == (2 if "127.0.0.1" in home else 0)


def test_no_row_reaches_where_a_cloud_tells_passwords() -> None:
    with pytest.raises(AudioError, match="leads to a private network"):
        fetched("http://169.254.169.254/latest/meta-data/a.wav", ALLOWED)


def test_a_redirect_leads_to_no_private_network(
    web: Web, wav: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    # This server's number passes for a public one, and that of the next for a private one.
    web.files["/a.wav"] = wav
    web.redirects["/moved.wav"] = f"http://localhost:{web.server_port}/a.wav"
    monkeypatch.setattr(systems, "leads_to_private", lambda host: False)
    seen: list[str] = []

    def is_public(number: str) -> bool:
        seen.append(number)
        return len(seen) == 1

    monkeypatch.setattr(systems, "is_public", is_public)
    with pytest.raises(AudioError, match="leads to a private network"):
        fetched(f"{web.address}/moved.wav", ALLOWED)
    assert "GET /a.wav" not in web.requests and "HEAD /a.wav" not in web.requests


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/a.wav"])
def test_a_redirect_leads_to_no_other_scheme(web: Web, target: str) -> None:
    web.redirects["/a.wav"] = target
    with pytest.raises(AudioError, match="can't be fetched"):
        fetched(f"{web.address}/a.wav", ALLOWED)


def test_a_redirect_is_followed(web: Web, wav: bytes) -> None:
    web.files["/b.wav"] = wav
    web.redirects["/a.wav"] = "/b.wav"
    assert fetched(f"{web.address}/a.wav", ALLOWED) == 16_000


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/secret.wav\n",
        b"ffconcat version 1.0\nfile 'secret.wav'\n",
        b"[playlist]\nFile1=http://127.0.0.1/secret.wav\n",
    ],
)
@pytest.mark.parametrize("name", ["a.wav", "a.m3u8", "a.ffconcat"])
def test_a_playlist_is_never_played(web: Web, content: bytes, name: str) -> None:
    web.files[f"/{name}"] = content
    with pytest.raises(AudioError, match="which names other files"):
        fetched(f"{web.address}/{name}", ALLOWED)
    assert {request.split()[1] for request in web.requests} == {f"/{name}"}


@pytest.mark.parametrize(
    "path",
    [
        *("concat:a.wav|b.wav", "subfile,,start,0,end,9,,:a.wav", "file:///etc/hostname"),
        *("data://audio/wav;base64,AAAA", "ftp://127.0.0.1/a.wav", "cache:http://127.0.0.1/a"),
        *("simplecache::http://127.0.0.1/a.wav", "memory://a.wav", "zip://a.wav::http://h/b"),
        *("github://a:b@c/d.wav", "rtmp://127.0.0.1/a", "http:///a.wav", "s3://", "pipe:0"),
    ],
)
def test_no_other_protocol_is_known(path: str, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"isn't read|no whole address|no such file"):
        fetched(path, ALLOWED, tmp_path)


def test_passing_trouble_is_waited_out(web: Web, wav: bytes) -> None:
    web.files["/a.wav"] = web.files["/cut.wav"] = wav
    web.answers["/a.wav"] = [503, 503, 429]
    web.cut["/cut.wav"] = 2
    assert fetched(f"{web.address}/a.wav", ALLOWED) == 16_000
    assert fetched(f"{web.address}/cut.wav", ALLOWED) == 16_000
    assert web.fetched("/cut.wav") == 3


def test_an_answer_that_breaks_off_is_passing_trouble() -> None:
    # aiohttp raises now one error and now the other, this one with a number of its own.
    from aiohttp.http_exceptions import ContentLengthError

    assert download._may_pass(ContentLengthError("16 of 32 bytes"))


@pytest.mark.parametrize(
    ("answer", "says", "asked"),
    [
        (404, "no such file", 2),
        (403, "no permission for it to be fetched", 2),
        (410, "its server answers 410", 2),
        (503, r"its server answers 503 \(5 times\)", 10),
    ],
)
def test_lasting_trouble_is_said_at_once(web: Web, answer: int, says: str, asked: int) -> None:
    web.answers["/a.wav"] = [answer] * 100
    with pytest.raises(AudioError, match=says):
        fetched(f"{web.address}/a.wav", ALLOWED)
    assert len(web.requests) == asked  # each time by HEAD, and then by GET


def test_a_server_that_is_gone_is_given_up(web: Web) -> None:
    with web_server.serving() as other:
        gone = other.address
    with pytest.raises(AudioError, match=r"can't be fetched: .*\(5 times\)"):
        fetched(f"{gone}/a.wav", ALLOWED)


def test_a_file_larger_than_the_cache_is_refused(web: Web, wav: bytes) -> None:
    web.files["/a.wav"] = wav
    with pytest.raises(AudioError, match=r"larger than the 1000 bytes.*--cache-size"):
        fetched(f"{web.address}/a.wav", Access(allowed=True, cache_bytes=1000))
    assert web.fetched("/a.wav") == 0


def test_confined_rows_stay_below_their_address(web: Web, wav: bytes) -> None:
    web.files["/in/a.wav"] = web.files["/out/a.wav"] = wav
    root = Address(f"{web.address}/in")
    assert fetched("a.wav", ALLOWED, root, confine=True) == 16_000
    for path in ("../out/a.wav", f"{web.address}/out/a.wav", f"{web.address}/in/%2e%2e/out/a.wav"):
        with pytest.raises(AudioError, match="--confine forbids"):
            fetched(path, ALLOWED, root, confine=True)
    with pytest.raises(AudioError, match="--confine forbids"):
        fetched(f"{web.address}/in/a.wav", ALLOWED, Path(), confine=True)
    for path, says in (("../../a.wav", "leads out of"), ("/etc/a.wav", "give --root /")):
        with pytest.raises(AudioError, match=says):
            fetched(path, ALLOWED, root)


def test_files_are_fetched_ahead_many_at_a_time(web: Web, wav: bytes) -> None:
    web.files |= {f"/{n}.wav": wav for n in range(40)}
    web.seconds = 0.05
    asked = [Utterance(clip(f"{web.address}/{n}.wav"), str(n)) for n in range(40)]
    with Fetcher(ALLOWED) as fetcher:
        order = [window.utterance.id for window in decode(asked, 60, fetcher=fetcher)]
    assert order == [str(n) for n in range(40)]
    assert 4 < web.most_at_once <= ahead.FETCHED_AHEAD
    assert all(each.lent is not None and each.lent.lease.handle == -1 for each in asked)


def test_a_row_that_cannot_be_fetched_fails_alone(web: Web, wav: bytes) -> None:
    web.files |= {"/0.wav": wav, "/2.wav": wav}
    asked = [Utterance(clip(f"{web.address}/{n}.wav"), str(n)) for n in range(3)]
    with Fetcher(ALLOWED) as fetcher:
        order = [window.utterance.id for window in decode(asked, 60, fetcher=fetcher)]
    assert order == ["0", "2"]
    assert asked[1].error == f"audio: no such file: {web.address}/1.wav"
    assert all(each.decoded for each in asked)


def test_segments_of_one_recording_fetch_it_once(web: Web, wav: bytes) -> None:
    web.files["/a.wav"] = wav
    rows = pl.DataFrame({"path": [f"{web.address}/a.wav"] * 8, "start": [n / 10 for n in range(8)]})
    asked = [Utterance(each, str(n)) for n, each in enumerate(clips(rows, Path()))]
    with Fetcher(ALLOWED) as fetcher:
        assert len([*decode(asked, 60, fetcher=fetcher)]) == 8
    assert web.fetched("/a.wav") == 1


def test_what_nobody_waits_for_is_dropped(web: Web, wav: bytes) -> None:
    web.files["/a.wav"] = wav
    web.files["/b.wav"] = wav * 1000
    web.held.add("/b.wav")
    asked = [Utterance(clip(f"{web.address}/{name}.wav"), name) for name in "ab"]
    fetcher = Fetcher(ALLOWED)
    walked = ahead.fetched(asked, fetcher)
    assert next(walked).id == "a"
    assert web.begun.wait(60)
    fetcher.close()
    walked.close()  # without waiting for b


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("s3fs", "gcsfs"):
        monkeypatch.setitem(sys.modules, package, None)
    for scheme, says in (("s3", "s3fs.*remote"), ("gs", "gcsfs.*gcs")):
        with pytest.raises(AudioError, match=rf"{scheme}:// needs the package {says}\]"):
            fetched(f"{scheme}://bucket/a.wav", ALLOWED)


def test_a_manifest_elsewhere_is_read_with_its_own_folder(web: Web) -> None:
    web.files["/set/m.csv"] = b"path,label\na b.wav,sad\n../up.wav,happy\n"
    rows = manifest.read(f"{web.address}/set/m.csv")
    assert rows.frame(0, 9)["path"].to_list() == ["a b.wav", "../up.wav"]
    assert rows.root == Address(f"{web.address}/set")
    found = [str(each.file) for each in clips(rows.frame(0, 9), rows.root)]
    assert found == [f"{web.address}/set/a%20b.wav", f"{web.address}/up.wav"]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/none.csv", "no such file"),
        ("/bad.csv", "no column 'path'"),
        ("/folder", "web servers don't list folders"),
        ("/broken.jsonl", "line 2"),
        ("/ragged.csv", "line 3 has more fields"),
    ],
)
def test_a_bad_manifest_elsewhere_is_named_as_the_user_named_it(
    web: Web, path: str, says: str
) -> None:
    web.files |= {"/bad.csv": b"a,b\n1,2\n", "/ragged.csv": b"path,b\n1,2\n1,2,3\n"}
    web.files |= {"/folder": b"", "/broken.jsonl": b'{"path": "a"}\n{\n'}
    with pytest.raises(TableError, match=says) as caught:
        manifest.read(f"{web.address}{path}")
    assert str(caught.value).count(web.address) == 1
    assert "/tmp" not in str(caught.value)
