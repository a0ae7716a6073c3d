"""Objects kept in step with files: nothing is removed before what takes its place is stored."""

from __future__ import annotations

from pathlib import Path

import fsspec
import pytest

from emobatch.errors import HeldError, StorageError
from emobatch.storage import hold
from emobatch.storage.address import Address
from emobatch.storage.hold import Hold
from emobatch.storage.mirror import Concerns, Mirror
from emobatch.storage.objects import Objects

CONCERNS = Concerns(frozenset({"t.csv"}), "t.csv.parts", frozenset({"lock"}), "whole")


class Service(fsspec.get_filesystem_class("memory")):
    """Notes what it is told to change."""

    store: dict[str, object] = {}  # noqa: RUF012 - as the class that it is made of has it

    cachable = False  # one for each test

    def __init__(self) -> None:
        super().__init__()
        self.store.clear()
        self.pseudo_dirs[:] = [""]
        self.changes: list[str] = []

    def put_file(self, lpath: str, rpath: str, **options: object) -> None:
        self.changes.append(f"+{Path(rpath).name}")
        super().put_file(lpath, rpath, **options)

    def pipe_file(self, path: str, value: bytes, **options: object) -> None:
        super().pipe_file(path, value, **options)
        self.changes.append(f"+{Path(path).name}")

    def rm_file(self, path: str) -> None:
        self.changes.append(f"-{Path(path).name}")
        super().rm_file(path)

    def taken(self) -> list[str]:
        changes, self.changes = self.changes, []
        return changes


@pytest.fixture
def service() -> Service:
    return Service()


class Systems:
    def __init__(self, service: Service) -> None:
        self.service = service

    def of(self, address: Address) -> Service:
        return self.service


@pytest.fixture
def mirror(service: Service, tmp_path: Path) -> Mirror:
    (tmp_path / "t.csv.parts").mkdir()
    return Mirror(Systems(service), Address("memory://run"), tmp_path, CONCERNS)  # type: ignore[arg-type]


def write(mirror: Mirror, *names: str) -> None:
    for name in names:
        (mirror.here / "t.csv.parts" / name).write_text(name)


def remove(mirror: Mirror, *names: str) -> None:
    for name in names:
        (mirror.here / "t.csv.parts" / name).unlink()


def test_what_is_new_is_stored_before_what_is_gone_is_removed(
    mirror: Mirror, service: Service
) -> None:
    write(mirror, "0-1", "1-2", "run.json", "lock", ".0-1.tmp")
    (mirror.here / "other.csv").write_text("nobody's")
    mirror.store()
    assert service.taken() == ["+0-1", "+1-2", "+run.json"]
    mirror.store()
    assert service.taken() == []
    write(mirror, "0-2")
    remove(mirror, "0-1", "1-2")
    mirror.store()
    assert service.taken() == ["+0-2", "-0-1", "-1-2"]


def test_a_file_that_was_made_anew_is_stored_anew(mirror: Mirror, service: Service) -> None:
    write(mirror, "0-1")
    mirror.store()
    (mirror.here / "t.csv.parts" / "0-1").write_text("scored again")
    mirror.store()
    assert service.taken() == ["+0-1", "+0-1"]


def test_a_file_that_is_gone_as_its_turn_comes_is_left_out(
    mirror: Mirror, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was joined with others, which are stored next time."""
    write(mirror, "0-1", "1-2")
    put = service.put_file

    def join_meanwhile(lpath: str, rpath: str, **options: object) -> None:
        monkeypatch.setattr(service, "put_file", put)
        write(mirror, "0-2")
        remove(mirror, "0-1", "1-2")
        put(lpath, rpath, **options)

    monkeypatch.setattr(service, "put_file", join_meanwhile)
    mirror.store()
    mirror.store()
    assert [change for change in service.taken() if change.startswith("+")][-1] == "+0-2"
    assert service.find("memory://run") == ["/run/t.csv.parts/0-2"]


def test_nothing_is_removed_while_files_come(
    mirror: Mirror, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder isn't read in one instant: the old are gone, and the new are not seen yet."""
    write(mirror, "0-1", "1-2")
    mirror.store()
    service.taken()
    write(mirror, "0-2")
    remove(mirror, "0-1", "1-2")
    look = mirror._files

    def look_too_early() -> dict[str, tuple[int, int]]:
        monkeypatch.setattr(mirror, "_files", look)
        return {}

    monkeypatch.setattr(mirror, "_files", look_too_early)
    mirror.store()
    assert service.taken() == []
    mirror.store()
    assert service.taken() == ["+0-2", "-0-1", "-1-2"]


def test_saved_work_is_marked_as_rubbish_while_it_is_removed(
    mirror: Mirror, service: Service, tmp_path: Path
) -> None:
    write(mirror, "0-1", "run.json")
    mirror.store()
    service.taken()
    (mirror.here / "t.csv").write_text("whole")
    remove(mirror, "0-1", "run.json")
    mirror.store()
    assert service.taken() == ["+t.csv", "+whole", "-0-1", "-run.json", "-whole"]
    again = Mirror(Systems(service), Address("memory://run"), tmp_path / "new", CONCERNS)  # type: ignore[arg-type]
    again.fetch()
    files = [file for file in again.here.rglob("*") if file.is_file()]
    assert [file.name for file in files] == ["t.csv"]


def test_a_file_that_cant_be_stored_is_said_and_is_not_taken_for_gone(
    mirror: Mirror, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(lpath: str, rpath: str, **options: object) -> None:
        raise FileNotFoundError("the bucket is gone")

    write(mirror, "0-1")
    with monkeypatch.context() as patch:
        patch.setattr(service, "put_file", refuse)
        with pytest.raises(StorageError):
            mirror.store()
    mirror.store()
    assert service.taken() == ["+0-1"]


def test_one_run_holds_it_until_it_gives_no_sign(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = Objects(service, Address("memory://run"))
    one, other = Hold(objects, "lock"), Hold(objects, "lock")
    one.take()
    with pytest.raises(HeldError, match=r"another run is writing there, process \d+ on "):
        other.take()
    assert one.renew() and not other.renew()
    other.release()
    assert one.renew()
    monkeypatch.setattr(hold, "GONE", 0.0)
    other.take()
    assert other.renew() and not one.renew()
    one.release()
    assert other.renew()
    other.release()
    assert objects.names("") == []
