from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from published import FIXTURE, PUBLISHED
from refusals import refusal
from samples import csv

from emobatch.errors import TableError
from emobatch.splits.folds import assign
from emobatch.splits.schemes import SCHEMES
from emobatch.tables import stored, writing

Cli = Callable[..., Result]
MANIFEST = Path(__file__).parents[1] / "manifests" / "iemocap4.csv"
needs_published = pytest.mark.skipif(
    not PUBLISHED.is_dir(), reason=f"{PUBLISHED} is not on this machine"
)


def divided(result: Result) -> pl.DataFrame:
    assert result.exit_code == 0, result.stderr
    return pl.read_csv(io.BytesIO(result.stdout_bytes), infer_schema=False)


@pytest.fixture(scope="module")
def iemocap() -> pl.DataFrame:
    return pl.read_csv(MANIFEST, infer_schema=False)


def small() -> pl.DataFrame:
    """Three sessions of two speakers, who say four scripts twice each."""
    rows = [
        {"session": str(session), "speaker": f"{session}{who}", "script": f"s{script}"}
        for session in (9, 10, 11)
        for who in "FM"
        for script in range(4)
        for _ in range(2)
    ]
    return pl.DataFrame(rows).with_columns(
        id=pl.int_range(pl.len()).cast(pl.String),
        label=pl.Series(["happy", "sad", "neutral"] * 16),
        note=pl.lit("007"),
    )


def write_fold(cli: Cli, number: int) -> pl.DataFrame:
    return divided(cli("folds", MANIFEST, "--scheme", "iemocap10", "--fold", number))


def test_iemocap10_makes_the_fixtures_split(cli: Cli) -> None:
    # The fixture has no ids: that as many rows of each label are in each split says it.
    published = pl.read_parquet(FIXTURE.table)["split", "label"]
    found = write_fold(cli, 3)["split", "label"]
    assert (
        found.group_by(pl.all())
        .len()
        .sort(pl.all())
        .equals(published.group_by(pl.all()).len().sort(pl.all()))
    )


@needs_published
@pytest.mark.parametrize("number", range(1, 7))
def test_iemocap10_reproduces_the_published_splits(cli: Cli, number: int) -> None:
    published = pl.read_parquet(PUBLISHED / f"fold_{number:02}.parquet")
    found = write_fold(cli, number)["id", "split"].sort("id")
    assert found.equals(published["id", "split"].sort("id"))


def test_every_row_is_there_once_for_each_fold(cli: Cli, iemocap: pl.DataFrame) -> None:
    found = divided(cli("folds", MANIFEST, "--scheme", "iemocap10"))
    assert found["fold"].unique(maintain_order=True).to_list() == [str(n) for n in range(1, 11)]
    for (number,), part in found.group_by("fold", maintain_order=True):
        assert part.drop("fold", "split").equals(iemocap), number


@pytest.mark.parametrize("scheme", [name for name in SCHEMES if name != "last-session"])
def test_every_row_tests_in_exactly_one_fold(iemocap: pl.DataFrame, scheme: str) -> None:
    splits = [fold.split for fold in assign(iemocap, scheme)]
    tested = sum((split == "test").fill_null(False).cast(pl.Int64) for split in splits)
    assert (tested == 1).all()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_order_of_the_rows_makes_no_difference(iemocap: pl.DataFrame, scheme: str) -> None:
    shuffled = iemocap.sample(fraction=1, shuffle=True, seed=1)
    for fold, again in zip(assign(iemocap, scheme), assign(shuffled, scheme), strict=True):
        splits = dict(zip(iemocap["id"], fold.split, strict=True))
        assert dict(zip(shuffled["id"], again.split, strict=True)) == splits


@pytest.mark.parametrize("scheme", ["speaker", "session", "script"])
def test_one_group_tests_and_the_next_validates(scheme: str) -> None:
    rows = small()
    groups = rows[scheme].unique(maintain_order=True).to_list()
    folds = assign(rows, scheme)
    assert len(folds) == len(groups)
    for number, fold in enumerate(folds):
        role = pl.DataFrame({"group": rows[scheme], "split": fold.split}).unique()
        assert len(role) == len(groups)
        by_group = dict(role.iter_rows())
        assert by_group[groups[number]] == "test"
        assert by_group[groups[(number + 1) % len(groups)]] == "val"
        assert list(by_group.values()).count("train") == len(groups) - 2


def test_groups_are_dealt_to_like_sizes(iemocap: pl.DataFrame) -> None:
    folds = assign(iemocap, "script", groups=3)
    sizes = [int((fold.split == "test").sum()) for fold in folds]
    assert len(folds) == 3
    assert sum(sizes) == len(iemocap)
    assert max(sizes) - min(sizes) < 0.1 * len(iemocap)


def test_msp_improv6_holds_out_a_session_and_a_fifth_of_each_label(iemocap: pl.DataFrame) -> None:
    for number, fold in enumerate(assign(iemocap, "msp-improv6"), 1):
        rows = iemocap["session", "label"].with_columns(fold.split)
        assert ((rows["split"] == "test") == (rows["session"] == str(number))).all()
        for (label,), part in rows.filter(pl.col("split") != "test").group_by("label"):
            share = (part["split"] == "val").mean()
            assert share == pytest.approx(0.2, abs=1 / len(part)), label


def test_random_tenths_hold_out_a_tenth_of_each_label_whoever_speaks(
    iemocap: pl.DataFrame,
) -> None:
    for number, fold in enumerate(assign(iemocap, "random-80-10-10"), 1):
        counts = iemocap.with_columns(fold.split).group_by("label", "split").len()
        for label, part in counts.group_by("label"):
            of_label = dict(part.select("split", "len").iter_rows())
            whole = sum(of_label.values())
            assert abs(of_label["test"] - whole / 10) < 1, (number, label)
            assert abs(of_label["val"] - whole / 10) < 1, (number, label)
        # Speakers are on both sides.
        splits = iemocap.with_columns(fold.split).group_by("speaker").agg(pl.col("split").unique())
        assert all(set(found) == {"train", "val", "test"} for found in splits["split"])


def test_random_tenths_are_drawn_by_a_seed() -> None:
    first, same, other = (
        assign(small(), "random-80-10-10", seed=seed)[0].split for seed in (0, 0, 1)
    )
    assert first.equals(same) and not first.equals(other)


def test_the_last_session_tests_its_female_speaker(cli: Cli) -> None:
    (fold,) = assign(small(), "last-session")
    split = small().with_columns(fold.split)
    assert split.select("speaker", "split").unique().sort("speaker").rows() == [
        ("10F", "train"), ("10M", "train"), ("11F", "test"), ("11M", "val"),
        ("9F", "train"), ("9M", "train"),
    ]  # fmt: skip
    found = divided(cli("folds", MANIFEST, "--scheme", "last-session"))
    counts = found.group_by("session", "split", "speaker").len().sort("session", "speaker")
    assert counts.rows()[-2:] == [("5", "test", "Ses05F", 590), ("5", "val", "Ses05M", 651)]
    assert set(counts.filter(pl.col("session") != "5")["split"]) == {"train"}


def test_a_column_says_who_is_female_where_names_do_not() -> None:
    named = pl.col("speaker").replace({"11F": "x", "11M": "y"})
    gender = pl.when(pl.col("speaker") == "11M").then(pl.lit("female")).otherwise(pl.lit("male"))
    rows = small().with_columns(gender=gender, speaker=named)
    (fold,) = assign(rows, "last-session")
    assert set(rows.filter(fold.split == "test")["speaker"]) == {"y"}
    with pytest.raises(TableError, match="by a column 'gender' or by names"):
        assign(rows.drop("gender"), "last-session")


def test_another_seed_draws_other_rows_to_validate() -> None:
    first, same, other = (assign(small(), "msp-improv6", seed=seed)[0].split for seed in (0, 0, 1))
    assert first.equals(same)
    assert not first.equals(other)


tables = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from("stuvw")), min_size=8, max_size=60
).map(lambda rows: pl.DataFrame(rows, schema=["speaker", "script"], orient="row"))


@settings(max_examples=15)
@given(tables, st.integers(3, 6))
def test_no_speaker_and_no_script_of_test_occurs_elsewhere(rows: pl.DataFrame, groups: int) -> None:
    try:
        folds = assign(rows, "speaker+script", groups=groups)
    except TableError as error:
        assert "at least" in str(error) or "no row to train on" in str(error)
        return
    tested = 0
    for fold in folds:
        parts = rows.with_columns(fold.split).partition_by("split", as_dict=True)
        test = parts[("test",)]
        tested += len(test)
        for name in ("train", "val"):
            other = parts.get((name,), test.clear())
            for column in ("speaker", "script"):
                assert not set(other[column]) & set(test[column])
        # Dropped is what has one of the two, and nothing else.
        dropped = parts.get((None,), test.clear())
        either = pl.any_horizontal(
            pl.col(column).is_in(test[column].unique().implode()) for column in rows.columns
        )
        assert dropped.filter(~either).is_empty()
    assert tested == len(rows)


def test_speakers_of_a_session_stay_together_in_speaker_and_script() -> None:
    rows = small()
    for fold in assign(rows, "speaker+script"):
        parts = rows.with_columns(fold.split)
        tested = parts.filter(pl.col("split") == "test")
        assert tested["session"].n_unique() == 1
        others = parts.filter(pl.col("split").is_in(["train", "val"]))
        assert not set(tested["session"]) & set(others["session"])


@pytest.mark.parametrize(
    "session",
    [
        pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("11")).otherwise("session"),
        pl.when(pl.col("speaker") != "9F").then("session"),
    ],
    ids=["one who is in two sessions", "one who is in no session"],
)
def test_speakers_are_dealt_alone_where_sessions_do_not_tell_them_apart(session: pl.Expr) -> None:
    folds = assign(small().with_columns(session=session), "speaker+script")
    assert all(fold.tests.startswith("speaker ") for fold in folds)


def test_speakers_and_scripts_are_dealt_into_five_groups_each() -> None:
    pairs = [(f"p{speaker}", f"s{script}") for speaker in range(6) for script in range(6)]
    rows = pl.DataFrame(pairs, schema=["speaker", "script"], orient="row")
    assert len(assign(rows, "speaker+script")) == 25


def test_spaces_around_a_name_make_no_other_speaker() -> None:
    spaced = small().with_columns(
        speaker=pl.when(pl.int_range(pl.len()) % 2 == 0)
        .then(pl.col("speaker") + " ")
        .otherwise("speaker")
    )
    for fold, plain in zip(assign(spaced, "speaker"), assign(small(), "speaker"), strict=True):
        assert fold.split.equals(plain.split)


def test_rows_without_a_label_are_divided_too() -> None:
    label = pl.when(pl.int_range(pl.len()) % 2 == 0).then("label")
    for fold in assign(small().with_columns(label=label), "msp-improv6"):
        assert fold.split.null_count() == 0


def test_segments_of_one_file_are_drawn_one_by_one() -> None:
    rows = small().drop("id").with_columns(
        path=pl.lit("all.wav"), start=pl.int_range(pl.len()), label=pl.lit("sad")
    )  # fmt: skip
    (split, *_) = (fold.split for fold in assign(rows, "msp-improv6"))
    assert (split == "val").sum() == round(0.2 * (split != "test").sum())


def test_it_is_stored_how_rows_were_divided(cli: Cli, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    writing.write(small().lazy(), source, {"models": {"speech": {"name": "a"}}})
    options = ("--scheme", "msp-improv6", "--seed", 3)
    assert cli("folds", source, *options, "-o", target).exit_code == 0
    found = stored.metadata(target)
    assert found["models"] == {"speech": {"name": "a"}}
    assert {name: found["folds"][name] for name in ("scheme", "seed")} == {
        "scheme": "msp-improv6", "seed": 3,
    }  # fmt: skip


def test_what_speaker_and_script_costs_is_said_for_each_fold(
    cli: Cli, caplog: pytest.LogCaptureFixture
) -> None:
    found = divided(cli("folds", "-", "--scheme", "speaker+script", input=csv(small())))
    lines = caplog.messages
    assert len(lines) == found["fold"].n_unique() == 12
    for line, number in zip(lines, range(1, 13), strict=True):
        left = found.filter(pl.col("fold") == str(number))
        assert line.startswith(f"note: fold {number}: 4 rows test ")
        assert line.endswith(f" {48 - len(left)} can be in neither and are dropped")


def test_one_fold_is_that_fold_of_all(cli: Cli, caplog: pytest.LogCaptureFixture) -> None:
    rows = csv(small())
    every = divided(cli("folds", "-", "--scheme", "session", input=rows))
    caplog.clear()
    one = divided(cli("folds", "-", "--scheme", "session", "--fold", "2", input=rows))
    assert one.equals(every.filter(pl.col("fold") == "2"))
    assert len(caplog.messages) == 1


def test_numbers_in_names_are_ordered_as_numbers() -> None:
    assert [fold.tests for fold in assign(small(), "session")] == [
        "session 9",
        "session 10",
        "session 11",
    ]


@pytest.mark.parametrize("extension", ["csv", "tsv", "parquet", "jsonl"])
def test_any_format_is_read_and_written_untouched(cli: Cli, tmp_path: Path, extension: str) -> None:
    source, target = tmp_path / f"in.{extension}", tmp_path / f"out.{extension}"
    writers = {
        "csv": pl.DataFrame.write_csv,
        "tsv": lambda rows, file: rows.write_csv(file, separator="\t"),
        "parquet": pl.DataFrame.write_parquet,
        "jsonl": pl.DataFrame.write_ndjson,
    }
    writers[extension](small(), source)
    result = cli("folds", source, "--scheme", "iemocap10", "--fold", 1, "-o", target)
    assert (result.exit_code, result.stdout) == (0, "")
    readers = {
        "csv": lambda file: pl.read_csv(file, infer_schema=False),
        "tsv": lambda file: pl.read_csv(file, infer_schema=False, separator="\t"),
        "parquet": pl.read_parquet,
        "jsonl": pl.read_ndjson,
    }
    assert readers[extension](target).drop("fold", "split").equals(small())


# All that c says is held out with a.
NO_TRAIN = pl.DataFrame({"speaker": ["a", "a", "b", "b", "c"], "script": ["s", "t", "s", "t", "s"]})


@pytest.mark.parametrize(
    ("rows", "scheme", "options", "said"),
    [
        (small().drop("session"), "iemocap10", [], "no column 'session'"),
        (small().drop("session", "label"), "msp-improv6", [], "'session', 'label'"),
        (small().drop("id"), "msp-improv6", [], "no column 'id' or 'path'"),
        (small().drop("id"), "random-80-10-10", [], "no column 'id' or 'path'"),
        (small().drop("label"), "random-80-10-10", [], "no column 'label'"),
        (small().with_columns(session=pl.lit("1")), "last-session", [], "needs 2 at least"),
        (
            small().with_columns(speaker=pl.col("speaker").str.slice(-1)),
            *("last-session", [], "give each speaker a name of their own"),
        ),
        (small().with_columns(split=pl.lit("x")), "speaker", [], "column 'split' already"),
        (small().clear(), "speaker", [], "no rows"),
        (small()[:16], "session", [], "has 1 values"),
        (small().with_columns(speaker=pl.lit("a")), "iemocap10", [], "has 1 speakers"),
        (small().with_columns(speaker="script"), "iemocap10", [], "has 4 speakers"),
        (small().with_columns(pl.col("speaker").str.tail(1)), "iemocap10", [], "name of their own"),
        (NO_TRAIN, "speaker+script", ["--groups", "3"], "fold 1 (speaker a; script s tests)"),
        (small().with_columns(script=pl.lit(" ")), "script", [], "line 2: no script"),
        (small(), "speaker", ["--fold", "7"], "no fold 7"),
        (small(), "iemocap10", ["--groups", "3"], "leave --groups out"),
        (small(), "speaker", ["--groups", "2"], "needs 3 at least"),
        (small(), "speaker", ["-o", "out.xlsx"], "name it .csv"),
    ],
)
def test_what_cannot_be_divided_is_refused(
    cli: Cli, rows: pl.DataFrame, scheme: str, options: list[str], said: str
) -> None:
    assert said in refusal(cli("folds", "-", "--scheme", scheme, *options, input=csv(rows)))


def test_an_unknown_scheme_is_status_2(cli: Cli) -> None:
    assert cli("folds", MANIFEST, "--scheme", "random").exit_code == 2
