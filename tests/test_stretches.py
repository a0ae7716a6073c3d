"""Files of saved work are joined as they come, and at any instant every row counts once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from emobatch.errors import ResumeError
from emobatch.scoring import stretches
from emobatch.scoring.stretches import Stretches

CHUNK = 4


@pytest.fixture(autouse=True)
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "JOINED_ROWS", 4 * CHUNK)


def rows(first: int, count: int = CHUNK, failed: int | None = None) -> pl.DataFrame:
    numbers = range(first, first + count)
    status = ["error" if number == failed else "ok" for number in numbers]
    score = [number / 7 for number in numbers]
    return pl.DataFrame({"id": [str(each) for each in numbers], "score": score, "status": status})


def names(folder: Path) -> list[str]:
    return sorted(file.stem for file in folder.iterdir())


def saved(folder: Path) -> list[str]:
    """Ids as a later run finds them."""
    files = Stretches(folder).files()
    return pl.concat([pl.read_parquet(file) for file in files])["id"].to_list() if files else []


def test_files_that_follow_each_other_are_joined(tmp_path: Path) -> None:
    held = Stretches(tmp_path)
    order = [0, 1, 3, 4, 5, 6, 7, 8, 2, 9, 10, 11, 12, 13]
    for chunk in order:
        held.add(chunk * CHUNK, rows(chunk * CHUNK))
        done = [n for n in range(16) if held.has(n * CHUNK)]
        assert done == sorted(order[: order.index(chunk) + 1])
        assert held.rows == len(done) * CHUNK
        assert len(names(tmp_path)) <= 9
    assert names(tmp_path) == [
        f"{first:012d}-{end:012d}"
        for first, end in ((0, 16), (16, 32), (32, 48), (48, 52), (52, 56))
    ]
    assert saved(tmp_path) == [str(number) for number in range(14 * CHUNK)]
    joined = pl.read_parquet(tmp_path / "000000000000-000000000016.parquet")
    assert joined.equals(rows(0, 16))


def test_files_of_earlier_versions_are_gone_on_with(tmp_path: Path) -> None:
    for chunk in range(6):
        rows(chunk * CHUNK).write_parquet(tmp_path / f"{chunk * CHUNK:012d}.parquet")
    held = Stretches(tmp_path)
    assert held.has(20) and not held.has(24) and held.rows == 24
    held.add(24, rows(24))
    assert names(tmp_path)[0] == "000000000000-000000000016"
    assert len(names(tmp_path)) == 4
    assert saved(tmp_path) == [str(number) for number in range(28)]


class Killed(BaseException):
    pass


def strikes(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Ends the run at the given one of its changes to the folder."""
    left = [after]

    def struck(change: Callable[..., None]) -> Callable[..., None]:
        def changed(self: Path, *arguments: object, **options: object) -> None:
            if self.suffix in (".parquet", ".tmp") and self.exists():
                left[0] -= 1
                if left[0] < 0:
                    raise Killed
            change(self, *arguments, **options)

        return changed

    for name in ("unlink", "replace"):
        monkeypatch.setattr(Path, name, struck(getattr(Path, name)))


@pytest.mark.parametrize("after", range(14))
def test_killed_at_any_instant_no_row_is_lost_or_doubled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """As it saves, joins, and drops what failed."""
    order, told = [0, 1, 3, 2, 4], []
    with monkeypatch.context() as patch:
        strikes(patch, after)
        held = Stretches(tmp_path)
        try:
            for chunk in order:
                held.add(chunk * CHUNK, rows(chunk * CHUNK, failed=9))
                told.append(chunk)
            held.drop_failed(CHUNK)
            finished = True
        except Killed:
            finished = False
    found = saved(tmp_path)
    assert found == sorted(found, key=int) and len(set(found)) == len(found)
    sure = {str(row) for chunk in told for row in range(chunk * CHUNK, (chunk + 1) * CHUNK)}
    if finished:
        assert len(told) == 5 and after == 13  # all of them are tried
        sure -= {"8", "9", "10", "11"}
    assert sure <= set(found)
    # What a kill left behind is gone once the folder is listed.
    again = Stretches(tmp_path)
    for chunk in order:
        if not again.has(chunk * CHUNK):
            again.add(chunk * CHUNK, rows(chunk * CHUNK))
    assert saved(tmp_path) == [str(number) for number in range(20)]


def test_only_chunks_with_failed_rows_are_dropped(tmp_path: Path) -> None:
    held = Stretches(tmp_path)
    for chunk in range(6):
        held.add(chunk * CHUNK, rows(chunk * CHUNK, failed=21 if chunk == 5 else 5))
    held.drop_failed(CHUNK)
    assert names(tmp_path) == [
        f"{first:012d}-{end:012d}" for first, end in ((0, 4), (8, 16), (16, 20))
    ]
    assert [held.has(first) for first in range(0, 24, CHUNK)] == [
        True,
        False,
        True,
        True,
        True,
        False,
    ]
    assert saved(tmp_path) == [str(n) for n in (*range(4), *range(8, 20))]


def test_a_file_that_was_cut_shows_as_it_is_joined(tmp_path: Path) -> None:
    held = Stretches(tmp_path)
    for chunk in range(4):
        held.add(chunk * CHUNK, rows(chunk * CHUNK))
    rows(0, 2).write_parquet(tmp_path / "000000000000-000000000004.parquet")
    with pytest.raises(ResumeError, match="cut or were changed"):
        held.add(16, rows(16))
    assert not (tmp_path / "000000000000-000000000016.parquet").exists()
    assert len(names(tmp_path)) == 5


def test_files_that_have_some_rows_in_common_are_refused(tmp_path: Path) -> None:
    for first, end in ((0, 8), (4, 12)):
        rows(first, end - first).write_parquet(tmp_path / f"{first:012d}-{end:012d}.parquet")
    with pytest.raises(ResumeError, match=r"000000000004-000000000012.parquet: has some rows of"):
        Stretches(tmp_path).has(0)


@pytest.mark.skipif(os.name != "posix", reason="links")
@pytest.mark.parametrize("as_found", [True, False])
def test_a_link_is_neither_joined_nor_written_through(tmp_path: Path, as_found: bool) -> None:
    folder, elsewhere = tmp_path / "parts", tmp_path / "mine.parquet"
    folder.mkdir()
    rows(0).write_parquet(elsewhere)
    held = Stretches(folder)
    assert held.rows == 0
    if as_found:
        held = Stretches(folder)
    (folder / "000000000000-000000000004.parquet").symlink_to(elsewhere)
    with pytest.raises(ResumeError, match="is a link"):
        held.add(0, rows(0, failed=0))
    assert pl.read_parquet(elsewhere).equals(rows(0))
