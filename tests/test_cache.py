"""Fetched files are kept up to a size, whole or not at all, by several processes at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest

from emobatch.errors import StorageError
from emobatch.storage import cache as cache_module
from emobatch.storage.cache import PART, Cache, Lease


def writes(content: bytes, asked: list[bytes] | None = None) -> Callable[[Path], None]:
    def fetch(target: Path) -> None:
        if asked is not None:
            asked.append(content)
        target.write_bytes(content)

    return fetch


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    asked: list[bytes] = []
    for _ in range(3):
        cache = Cache(tmp_path / "cache", 1000)
        lease = cache.get("a", ".wav", writes(b"abc", asked))
        assert lease.path.read_bytes() == b"abc" and lease.path.suffix == ".wav"
        lease.release()
    assert asked == [b"abc"]
    assert [path.suffix for path in cache.folder.iterdir()] == [".wav"]  # and no part of it
    assert cache.get("another", ".wav", writes(b"z", asked)).path.read_bytes() == b"z"


def test_those_used_least_recently_go_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 100)
    mine = tmp_path / "notes.txt"
    mine.write_bytes(b"n" * 1000)
    paths = {}
    for name in ("a", "b", "c"):
        lease = cache.get(name, "", writes(name.encode() * 30))
        paths[name] = lease.path
        lease.release()
        os.utime(lease.path, ns=(10**9 * ord(name), 0))
    cache.get("a", "", writes(b"never")).release()
    cache.get("d", "", writes(b"d" * 30)).release()
    assert {name: path.exists() for name, path in paths.items()} == {
        **{"a": True, "b": False, "c": True},
    }
    assert mine.exists()
    kept = [path for path in tmp_path.iterdir() if path != mine]
    assert sum(path.stat().st_size for path in kept) <= 100


def test_a_file_that_is_read_stays(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 100)
    held = cache.get("a", "", writes(b"a" * 60))
    os.utime(held.path, ns=(0, 0))
    cache.get("b", "", writes(b"b" * 60)).release()
    assert held.path.read_bytes() == b"a" * 60
    held.release()
    cache.get("c", "", writes(b"c" * 60)).release()
    assert not held.path.exists()


def test_a_fetch_that_fails_leaves_nothing(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 100)

    def fail(target: Path) -> None:
        target.write_bytes(b"half")
        raise StorageError("no such file")

    with pytest.raises(StorageError):
        cache.get("a", "", fail)
    assert [*tmp_path.iterdir()] == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="--cache"):
        Cache(tmp_path / "file", 100)


def test_only_one_fetches_and_the_others_wait(tmp_path: Path) -> None:
    begun, release = Event(), Event()
    asked: list[str] = []
    found: list[bytes] = []

    def slowly(target: Path) -> None:
        asked.append("once")
        target.write_bytes(b"ha")
        begun.set()
        release.wait(60)
        target.write_bytes(b"half and half")

    def use() -> None:
        # A cache of its own, as another process has.
        lease = Cache(tmp_path, 100).get("a", "", slowly)
        found.append(lease.path.read_bytes())
        lease.release()

    users = [Thread(target=use) for _ in range(4)]
    users[0].start()
    assert begun.wait(60)
    for user in users[1:]:
        user.start()
    release.set()
    for user in users:
        user.join(60)
    assert found == [b"half and half"] * 4
    assert asked == ["once"]


def test_what_a_killed_process_left_is_not_read(tmp_path: Path) -> None:
    half = (
        "import sys, time; from pathlib import Path; from emobatch.storage.cache import Cache\n"
        "def fetch(target):\n"
        "    target.write_bytes(b'half'); print('begun', flush=True); time.sleep(600)\n"
        f"Cache(Path({str(tmp_path)!r}), 100).get('a', '.wav', fetch)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", half], stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline() == b"begun\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert [path.suffix for path in tmp_path.iterdir()] == [PART]
    lease = Cache(tmp_path, 100).get("a", ".wav", writes(b"whole"))
    assert lease.path.read_bytes() == b"whole"
    assert [path.suffix for path in tmp_path.iterdir()] == [".wav"]


def test_without_locks_files_are_still_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no locks")

    monkeypatch.setattr("fcntl.flock", refuse)
    cache = Cache(tmp_path, 50)
    for name in ("a", "b"):
        lease = cache.get(name, "", writes(name.encode() * 40))
        assert lease.path.read_bytes() == name.encode() * 40
        lease.release()
    # The other was used just now, and nobody can tell whether it still is.
    assert len([*tmp_path.iterdir()]) == 2


def test_a_temporary_folder_goes(tmp_path: Path) -> None:
    with Cache(None, 100) as cache:
        lease = cache.get("a", "", writes(b"a"))
        lease.release()
        assert lease.path.exists()
    assert not cache.folder.exists()


def test_whoever_waits_has_a_file_that_others_read(tmp_path: Path) -> None:
    begun, release, read = Event(), Event(), Event()
    leases = []

    def slowly(target: Path) -> None:
        begun.set()
        release.wait(60)
        target.write_bytes(b"whole")

    def use() -> None:
        leases.append(Cache(tmp_path, 100).get("a", "", slowly))
        if len(leases) == 3:
            read.set()

    for _ in range(3):
        Thread(target=use, daemon=True).start()
    assert begun.wait(60)
    release.set()
    assert read.wait(60)  # though none of them lets go of it
    for lease in leases:
        lease.release()


def test_a_file_that_came_since_it_was_looked_for_leaves_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, asked = cache_module._leased, list[bytes]()

    def look_too_early(path: Path) -> Lease | None:
        monkeypatch.setattr(cache_module, "_leased", look)
        Cache(tmp_path, 1000).get("a", ".wav", writes(b"abc", asked)).release()
        return None

    monkeypatch.setattr(cache_module, "_leased", look_too_early)
    lease = Cache(tmp_path, 1000).get("a", ".wav", writes(b"xyz", asked))
    assert lease.path.read_bytes() == b"abc" and asked == [b"abc"]
    assert [path.suffix for path in tmp_path.iterdir()] == [".wav"]
