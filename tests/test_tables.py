from __future__ import annotations

import io
import json
import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.exceptions import PanicException, PolarsError

from emobatch.errors import ManifestError, OutputError, TableError
from emobatch.manifests import manifest
from emobatch.tables import reading, stored, writing
from emobatch.tables.content import describe
from emobatch.tables.replacing import replacing
from emobatch.tables.where import filter_rows

FORMATS = ["csv", "tsv", "parquet", "jsonl", "ndjson"]
TEXT_FORMATS = ["csv", "tsv", "jsonl"]
# What spreadsheets and type guessing spoil.
AWKWARD = pl.DataFrame(
    {
        "path": ["007", "1e5", 'say "hi"', "two\nlines", "=1+1", " padded ", "a,b\tc", "ü😀", "-"],
        "flag": ["true", "NaN", "null", "None", "0x10", "1_000", "2024-01-01", "Inf", "+5"],
        "notes": [None, "x", None, "y", None, None, "z", None, "w"],
        "duration": [0.1, 1 / 3, None, 1e-300, 2.0, 1e17, -0.0, 5e-324, 123456.789],
    }
)


def written(folder: Path, extension: str, table: pl.DataFrame = AWKWARD) -> Path:
    target = folder / f"table.{extension}"
    writing.write(table.lazy(), target, {"made": "here"})
    return target


def numbers(names: Sequence[str]) -> list[str]:
    return [name for name in names if name == "duration"]


def read(path: Path) -> pl.DataFrame:
    return reading.scan(str(path), numbers).collect()


def kept(where: str | None, **columns: list[object]) -> list[object]:
    """Values of the first column in the rows that a filter keeps."""
    rows = filter_rows(pl.LazyFrame(columns, strict=False), where).collect()
    assert rows.columns == list(columns)
    return rows.to_series().to_list()


@contextmanager
def limited(size: int) -> Iterator[None]:
    """Files may have so many bytes."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("extension", FORMATS)
def test_every_format_gives_back_what_was_written(tmp_path: Path, extension: str) -> None:
    found = read(written(tmp_path, extension))
    assert found.equals(AWKWARD)
    assert found.schema == AWKWARD.schema


@pytest.mark.parametrize("extension", ["csv", "tsv", "parquet"])
def test_a_table_without_rows_keeps_its_columns(tmp_path: Path, extension: str) -> None:
    assert read(written(tmp_path, extension, AWKWARD.clear())).equals(AWKWARD.clear())


@pytest.mark.parametrize("extension", ["CSV", "Parquet", "JSONL"])
def test_extensions_are_read_in_any_case(tmp_path: Path, extension: str) -> None:
    assert read(written(tmp_path, extension)).equals(AWKWARD)


def test_empty_text_and_no_text_stay_apart_in_csv(tmp_path: Path) -> None:
    table = pl.DataFrame({"path": ["", None, "x"], "flag": ["a", "b", "c"]})
    assert read(written(tmp_path, "csv", table)).equals(table)


def test_csv_from_windows_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbfpath,flag\r\n007,x\r\n")
    assert read(path).to_dicts() == [{"path": "007", "flag": "x"}]


def test_blank_numbers_are_null_and_spaces_around_numbers_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("path,duration\na, 1.5 \nb,\nc,  \n")
    assert read(path)["duration"].to_list() == [1.5, None, None]


@pytest.mark.parametrize("extension", ["csv", "parquet", "jsonl"])
def test_a_file_named_like_a_pattern_is_that_file(tmp_path: Path, extension: str) -> None:
    decoy = tmp_path / f"a1.{extension}"
    writing.write(AWKWARD.head(1).lazy(), decoy, {})
    path = tmp_path / f"a[1].{extension}"
    writing.write(AWKWARD.lazy(), path, {})
    assert reading.expand([str(path)]) == [str(path)]
    assert read(path).equals(AWKWARD)


def test_patterns_are_expanded_in_sorted_order(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "c.tsv"):
        (tmp_path / name).touch()
    found = reading.expand(["-", str(tmp_path / "*.csv"), "none/x.csv"])
    assert found == ["-", str(tmp_path / "a.csv"), str(tmp_path / "b.csv"), "none/x.csv"]


def test_a_pattern_that_nothing_matches_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"\*\.csv: no file matches"):
        reading.expand([str(tmp_path / "*.csv")])


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("missing.csv", None, "no such file"),
        ("table.xlsx", b"x", "can't read that format; name it .csv, .tsv, .parquet"),
        ("table", b"x", "can't read that format"),
        ("empty.csv", b"", "empty"),
        ("empty.jsonl", b"", "empty"),
        ("empty.parquet", b"", ""),
        ("broken.parquet", b"PAR1 and no more", ""),
        ("broken.jsonl", b'{"path": 1}\n{oops\n', ""),
        ("latin.csv", b"path,flag\ncaf\xe9,x\n", "utf-8"),
        ("ragged.csv", b"path,flag\na,b,c\n", "more fields"),
        ("twice.csv", b"path,flag,path\na,b,c\n", "column 'path' occurs twice"),
        ("number.csv", b"path,duration\na,long\n", "long"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes | None, fault: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TableError) as refusal, reading.explained(str(path)):
        read(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert fault in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    folder = tmp_path / "a.csv"
    folder.mkdir()
    with pytest.raises(TableError, match="is a folder"):
        reading.scan(str(folder))


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        (None, ["a", "b", "c", "d"]),
        ("split != 'test'", ["a", "c"]),
        ("split = 'test' OR split IS NULL", ["b", "d"]),
        ("session = 1", ["a"]),
        ("session >= 2", ["b", "c"]),
        ("session IN (1, 10)", ["a", "c"]),
        ("session BETWEEN 2 AND 10", ["b", "c"]),
        ("session = '02'", ["b"]),
        ("session = 1 OR split = 'test'", ["a", "b"]),
        ("session >= 2 AND split != 'test'", ["c"]),
        ("score > 0.5 AND split = 'train'", ["c"]),
        ("name LIKE '%a%'", ["a"]),
        ("\"split\" = 'test'", ["b"]),
        ("NOT (split = 'test')", ["a", "c"]),
    ],
)
def test_where_compares_csv_text_as_text_and_as_numbers(
    where: str | None, wanted: list[str]
) -> None:
    found = kept(
        where,
        name=["a", "b", "c", "d"],
        split=["train", "test", "train", None],
        session=["1", "02", "10", None],
        score=[0.1, 0.4, 0.6, 0.9],
    )
    assert found == wanted


VALUES = ["1", "2", "10", "0.5", "9.5", "100", "", "-4"]


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("session > 2.0", ["10", "9.5", "100"]),
        ("2.0 < session", ["10", "9.5", "100"]),
        ("session BETWEEN 1 AND 10.5", ["1", "2", "10", "9.5"]),
        ("session NOT BETWEEN 1.0 AND 10", ["0.5", "100", "-4"]),
        ("session IN (1, 2.0)", ["1", "2"]),
        ("session <= -3.5", ["-4"]),
        ("-session >= 3.5", ["-4"]),
        ("(session) = (0.50)", ["0.5"]),
        ("session + 1 > 10.5", ["10", "100"]),
        ("session > 2.0 AND session != '100'", ["10", "9.5"]),
        ("session > limit", ["10", "9.5", "100"]),
        ("length(session) > 2", ["0.5", "9.5", "100"]),
        ("session > '2'", ["9.5"]),
    ],
)
def test_where_compares_decimals_in_csv_text_as_numbers(where: str, wanted: list[str]) -> None:
    assert kept(where, session=VALUES, limit=[3.0] * len(VALUES)) == wanted


@pytest.mark.parametrize(
    "where",
    [
        "name IN (SELECT x FROM read_csv('{file}'))",
        "EXISTS (SELECT 1 FROM read_csv('{file}'))",
        "name = (SELECT name FROM read_csv('{file}') LIMIT 1)",
        "read_csv('{file}') = 'a'",
        "name = 'a'; DROP TABLE name",
    ],
)
def test_where_reads_nothing_but_the_table(tmp_path: Path, where: str) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("x\nclassified\n")
    with pytest.raises(TableError, match="reads more than this table") as refusal:
        kept(where.format(file=secret), name=["a"])
    assert "classified" not in str(refusal.value)


def test_where_takes_no_column_for_numbers_that_has_other_text() -> None:
    with pytest.raises(TableError, match=r"'session' holds text, as 'x': compare.*quotes"):
        kept("session != 1", session=["1", "2", "x"])
    assert kept("session <> '1'", session=["1", "2", "x"]) == ["2", "x"]


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("age < 30 AND session < 10", ["9"]),
        ("session + 1 = age", ["9"]),
        ("age = session + 1", ["9"]),
        ("age * 2 = session - 30", ["70"]),
    ],
)
def test_where_compares_several_columns_of_text_as_numbers(where: str, wanted: list[str]) -> None:
    assert kept(where, session=["9", "10", "70"], age=["10.0", "9", "20"]) == wanted


def test_where_leaves_the_text_that_it_compared_as_numbers() -> None:
    assert kept("session < 3", session=["01", "2.0", " 1 ", "3", "", None]) == ["01", "2.0", " 1 "]


@pytest.mark.parametrize(
    ("where", "fault"),
    [
        ("nope = 1", "no column 'nope'; the columns are name, split"),
        ("other.name = 'a'", "no column 'other.name'"),
        ("split = test", "no column 'test'"),
        ("SELECT", "not a SQL expression|reads more"),
        ("split = ", "not a SQL expression at character 7"),
        ("", "not a SQL expression"),
        ("split", "Boolean|boolean"),
        ("split !! 'x'", "."),
    ],
)
def test_where_with_a_typo_is_refused(where: str, fault: str) -> None:
    with pytest.raises(TableError, match=fault) as refusal:
        kept(where, name=["a"], split=["b"])
    assert str(refusal.value).startswith("--where ")
    assert "\n" not in str(refusal.value)


def test_provenance_stands_in_parquet_and_beside_the_others(tmp_path: Path) -> None:
    for extension in FORMATS:
        target = written(tmp_path, extension)
        assert stored.metadata(str(target)) == {"made": "here"}
        beside = tmp_path / f"table.{extension}.meta.json"
        assert beside.exists() == (extension != "parquet")
    parquet = pl.read_parquet_metadata(tmp_path / "table.parquet")
    assert json.loads(parquet["emobatch"]) == {"made": "here"}


@pytest.mark.parametrize("content", ["", "{", "[1]", "3"])
def test_provenance_that_cannot_be_read_is_not_known(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    target = written(tmp_path, "csv")
    stored.sidecar(target).write_text(content)
    assert stored.metadata(str(target)) == {}
    assert "table.csv.meta.json is nothing that emobatch stores" in caplog.text


@pytest.mark.parametrize(
    "content", ['{"models": "x"}', '{"options": [1]}', '{"models": {"speech": 3}}', '{"task": 1}']
)
def test_provenance_that_emobatch_would_not_store_is_refused(tmp_path: Path, content: str) -> None:
    target = written(tmp_path, "csv")
    stored.sidecar(target).write_text(content)
    with pytest.raises(TableError, match=r"table\.csv\.meta\.json: .* mend or remove it"):
        stored.metadata(str(target))


@pytest.mark.parametrize("extension", TEXT_FORMATS)
def test_provenance_is_of_its_own_content_alone(
    tmp_path: Path, extension: str, caplog: pytest.LogCaptureFixture
) -> None:
    target = written(tmp_path, extension)
    target.write_text(target.read_text() + target.read_text().splitlines()[-1] + "\n")
    assert stored.metadata(target) == {}
    assert "is about another content" in caplog.text


def test_provenance_of_another_content_is_given_on_request(tmp_path: Path) -> None:
    target = written(tmp_path, "csv")
    target.write_text(target.read_text() + target.read_text().splitlines()[-1] + "\n")
    assert stored.metadata(target, edited=True) == {"made": "here"}


def test_provenance_that_names_no_content_is_of_any(tmp_path: Path) -> None:
    target = written(tmp_path, "csv")
    stored.sidecar(target).write_text('{"made": "elsewhere"}')
    assert stored.metadata(target) == {"made": "elsewhere"}


def test_a_fingerprint_sees_either_end_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "f"
    seen = []
    for content in (b"a" * 200_000, b"b" + b"a" * 199_999, b"a" * 199_999 + b"b", b"a" * 199_999):
        file.write_bytes(content)
        seen.append(json.dumps(stored.fingerprint(file)))
    assert len(set(seen)) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="no limits there")
@pytest.mark.parametrize("extension", ["parquet", "csv", "jsonl"])
def test_a_table_beyond_a_limit_of_the_system_is_named_with_the_cause(
    tmp_path: Path, extension: str
) -> None:
    table = pl.DataFrame({"path": [secrets.token_hex(64) for _ in range(1000)]})
    with limited(8192), pytest.raises(OutputError) as refused:
        written(tmp_path, extension, table)
    assert str(refused.value).startswith(f"{tmp_path / 'table'}.{extension}: File too large")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no limits there")
def test_a_manifest_that_cannot_be_copied_is_said_with_the_cause(tmp_path: Path) -> None:
    source = tmp_path / "m.csv"
    source.write_text("path\n" + "".join(f"{secrets.token_hex(64)}.wav\n" for _ in range(1000)))
    with limited(8192), pytest.raises(ManifestError, match=r"no temporary copy .*: File too large"):
        manifest.read(str(source))


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_a_replaced_table_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    target = written(tmp_path, "csv")
    target.chmod(mode)
    written(tmp_path, "csv")
    assert target.stat().st_mode & 0o777 == mode
    assert stored.sidecar(target).stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("extension", ["csv", "tsv"])
def test_durations_have_no_place_in_text(tmp_path: Path, extension: str) -> None:
    table = pl.LazyFrame({"took": [timedelta(seconds=1)]})
    with pytest.raises(OutputError, match="no place for column 'took'"):
        writing.write(table, tmp_path / f"t.{extension}", {})


def test_numbers_that_json_lines_lose_are_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = pl.LazyFrame({"a": [1.0, float("nan"), float("inf"), None], "b": [0.0] * 4})
    writing.write(table, tmp_path / "t.jsonl", {})
    assert "2 values of column 'a' are NaN or infinite" in caplog.text
    assert "'b'" not in caplog.text


def test_tables_made_elsewhere_have_no_provenance(tmp_path: Path) -> None:
    AWKWARD.write_parquet(tmp_path / "theirs.parquet")
    (tmp_path / "theirs.csv").write_text("path\nx\n")
    for source in ("theirs.parquet", "theirs.csv", "missing.parquet"):
        assert stored.metadata(str(tmp_path / source)) == {}
    assert stored.metadata("-") == {}


@pytest.mark.parametrize("extension", ["parquet", "csv"])
def test_what_is_nested_without_end_is_not_used(
    tmp_path: Path, extension: str, caplog: pytest.LogCaptureFixture
) -> None:
    target, text = tmp_path / f"t.{extension}", '{"models":' * 100_000
    if extension == "parquet":
        AWKWARD.write_parquet(target, metadata={"emobatch": text})
    else:
        target.write_text("path\nx\n")
        stored.sidecar(target).write_text(text)
    assert stored.metadata(str(target)) == {}
    assert "nothing that emobatch stores" in caplog.text


def fails_late() -> pl.LazyFrame:
    """A table whose last row can't be computed."""
    column = pl.Series("number", [*map(str, range(1000)), "x"])
    return pl.LazyFrame({"number": column}).select(pl.col("number").cast(pl.Int64))


@pytest.mark.parametrize("extension", FORMATS)
def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, extension: str) -> None:
    target = tmp_path / f"t.{extension}"
    with pytest.raises(PolarsError):
        writing.write(fails_late(), target, {})
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_table(tmp_path: Path) -> None:
    target = written(tmp_path, "csv")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(PolarsError):
        writing.write(fails_late(), target, {})
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_table_may_be_written_over_itself(tmp_path: Path) -> None:
    target = written(tmp_path, "csv")
    writing.write(reading.scan(str(target), numbers), target, {})
    assert read(target).equals(AWKWARD)


def test_text_replaces_a_file_at_once_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "t.toml"
    writing.write_text(target, "old")
    with pytest.raises(RuntimeError), replacing(target) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["t.toml"]
    assert target.read_text() == "old"


def test_files_get_the_permissions_that_the_umask_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_umask, asked = os.umask, []
    old = set_umask(0o027)
    try:
        # To ask for it is to change it for a moment, in all threads.
        monkeypatch.setattr(os, "umask", asked.append)
        writing.write_text(tmp_path / "t.toml", "x")
    finally:
        set_umask(old)
    assert (tmp_path / "t.toml").stat().st_mode & 0o777 == 0o640
    assert asked == []


def test_what_replaces_a_private_file_is_private_from_the_beginning(tmp_path: Path) -> None:
    target = tmp_path / "t.toml"
    target.touch(mode=0o600)
    with replacing(target) as partial:
        assert partial.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("there", [True, False])
def test_a_link_in_the_place_of_what_is_kept_with_a_table_is_replaced(
    tmp_path: Path, there: bool
) -> None:
    """Nobody names that file: a link was put there by somebody, to be written through."""
    folder, precious = tmp_path / "folder", tmp_path / "precious"
    folder.mkdir()
    if there:
        precious.write_text("mine")
        precious.chmod(0o600)
    link = stored.sidecar(folder / "table.csv")
    link.symlink_to(precious)
    target = written(folder, "csv")
    assert precious.exists() == there
    assert not there or precious.read_text() == "mine"
    assert not link.is_symlink()
    assert link.stat().st_mode == target.stat().st_mode
    assert stored.metadata(str(target))["made"] == "here"


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("t.xlsx", "can't write that format; name it .csv"),
        ("t", "can't write that format"),
        ("none/t.csv", "no such folder; make it with mkdir -p"),
        ("folder.csv", "is a folder"),
    ],
)
def test_targets_that_cannot_be_written_are_refused_before_any_work(
    tmp_path: Path, name: str, fault: str
) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(OutputError, match=fault):
        writing.check_target(tmp_path / name)


def test_targets_that_can_be_written_pass(tmp_path: Path) -> None:
    writing.check_target(None)
    for extension in FORMATS:
        writing.check_target(tmp_path / f"t.{extension}")


def test_nested_columns_have_no_place_in_csv(tmp_path: Path) -> None:
    nested = pl.LazyFrame({"a": [[1, 2]]})
    with pytest.raises(OutputError, match=r"t\.csv"):
        writing.write(nested, tmp_path / "t.csv", {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("extension", TEXT_FORMATS)
def test_text_formats_are_what_other_programs_read(tmp_path: Path, extension: str) -> None:
    table = pl.DataFrame({"path": ["007", 'say "hi"'], "duration": [1.5, None]})
    wanted = {
        "csv": 'path,duration\n007,1.5\n"say ""hi""",\n',
        "tsv": 'path\tduration\n007\t1.5\n"say ""hi"""\t\n',
        "jsonl": '{"path":"007","duration":1.5}\n{"path":"say \\"hi\\"","duration":null}\n',
    }
    assert written(tmp_path, extension, table).read_text() == wanted[extension]


@pytest.mark.parametrize("extension", FORMATS)
def test_no_failed_write_leaves_a_file(tmp_path: Path, extension: str) -> None:
    # Polars' writer runs on after an error, and once in twenty times made its file anew.
    numbers = pl.Series("number", [*map(str, range(50_000)), "x"])
    broken = pl.LazyFrame({"number": numbers}).select(pl.col("number").cast(pl.Int64))
    for _ in range(60):
        with pytest.raises(PolarsError):
            writing.write(broken, tmp_path / f"t.{extension}", {})
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_what_is_read_is_not_overwritten_by_another_name(tmp_path: Path, link: str) -> None:
    source, other = tmp_path / "m.csv", tmp_path / "other.csv"
    source.write_text("path\na.wav\n")
    getattr(other, link)(source)
    with pytest.raises(OutputError, match="is what is read, which would be lost"):
        writing.check_target(other, sources=[str(source)])
    writing.check_target(tmp_path / "third.csv", sources=[str(source)])


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    file, link = tmp_path / "disk" / "t.csv", tmp_path / "t.csv"
    file.parent.mkdir()
    file.write_text("before")
    link.symlink_to(file)
    writing.write_text(link, "after")
    assert link.is_symlink() and file.read_text() == "after"


def test_a_table_named_twice_in_any_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id\n1\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "a.csv")
    for other in (tmp_path / "a.csv", f"{tmp_path}/./a.csv", tmp_path / "link.csv"):
        with pytest.raises(TableError, match="named twice, its rows would count twice"):
            reading.expand([str(tmp_path / "a.csv"), str(other)])


@pytest.mark.parametrize("most", [1, 9, 10_000])
def test_standard_input_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Whether it is held in memory or goes to a temporary file."""
    text = "id,entropy\n" + "".join(f"{number},0.5\n" for number in range(200))
    monkeypatch.setattr(reading, "MOST_HELD", most)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    rows = reading.scan("-", lambda names: ["entropy"]).collect()
    assert rows["id"].to_list() == [str(number) for number in range(200)]
    assert rows["entropy"].sum() == 100


def test_what_is_no_number_is_named_with_its_row(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,entropy\n1,0.5\n2,much\n3,more\n")
    with pytest.raises(TableError, match="line 3: entropy is 'much', not a number; mend or drop"):
        reading.scan(str(tmp_path / "t.csv"), lambda names: ["entropy"])


def test_a_damaged_file_on_which_polars_panics_is_named() -> None:
    with (
        pytest.raises(TableError, match=r"^t.parquet: damaged: index out of bounds; check"),
        reading.explained("t.parquet"),
    ):
        raise PanicException("index out of bounds")


def digests(numbers: list[float | None], texts: list[str | None]) -> tuple[str, str]:
    rows = pl.LazyFrame({"n": numbers, "t": texts}, schema={"n": pl.Float64, "t": pl.String})
    found = describe(rows, ["n"], ["t"])
    assert found["rows"] == len(numbers)
    return found["numbers"]["n"], found["texts"]["t"]


def test_what_is_noted_of_a_table_is_its_values_and_not_how_they_are_written() -> None:
    numbers, texts = digests([0.0, None, 1.5], ["ab", "c", None])
    # Text formats have one way to write nothing, and JSON none for NaN and infinity.
    assert digests([0.0, float("nan"), 1.5], ["ab", "c", ""]) == (numbers, texts)
    assert digests([0.0, float("-inf"), 1.5], ["ab", "c", None]) == (numbers, texts)
    # Nothing moves from one row to the next unseen.
    assert digests([0.0, 1.5, None], ["a", "bc", None]) != (numbers, texts)
    assert digests([0.0, 1.5, None], ["a", "bc", None])[0] != numbers
    assert digests([0.0, None, 1.5], ["a", "bc", None])[1] != texts
