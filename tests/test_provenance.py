"""What older versions stored is read in this version's words, in one place."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from emobatch.errors import ThresholdsError
from emobatch.tables import score_table, stored
from emobatch.tables.provenance import check_models, current, date, run_differences
from emobatch.tasks.four import FOUR

OLD = {
    "software": {"emobatch": "0.1.0"},
    "models": {"speech": {"name": "a"}, "asr": {"name": "b"}, "sentiment": {"name": "c"}},
    "options": {"beam_size": 1, "sentiment_label_map": {"x": None}},
}


def test_a_table_of_before_reads_as_one_of_now(tmp_path: Path) -> None:
    rows = pl.DataFrame({"id": ["x"], **{name: [0.25] for name in FOUR.speech_columns}})
    rows.write_csv(tmp_path / "old.csv")
    (tmp_path / "old.csv.meta.json").write_text(json.dumps(OLD))
    rows.write_parquet(tmp_path / "old.parquet", metadata={"emobatch": json.dumps(OLD)})
    for name in ("old.csv", "old.parquet"):
        made = stored.metadata(tmp_path / name)
        assert list(made["models"]) == ["speech", "asr", "text"]
        assert made["options"] == {"beam_size": 1, "text_label_map": {"x": None}}
        assert score_table.read([str(tmp_path / name)]).task == FOUR
    both = score_table.read([str(tmp_path / "old.csv"), str(tmp_path / "old.parquet")])
    assert both.provenance == current(OLD)


def test_what_is_of_now_stays_as_it_is() -> None:
    made = current(OLD)
    assert current(made) == made
    assert current({"software": {}}) == {"software": {}}


def test_thresholds_of_before_are_held_against_the_text_model() -> None:
    fitted = {"models": {"sentiment": {"name": "c"}}}
    check_models({"text": {"name": "c"}}, fitted, Path("t.toml"), "mend it")
    with pytest.raises(ThresholdsError, match="text model other is not c; mend it"):
        check_models({"text": {"name": "other"}}, fitted, Path("t.toml"), "mend it")


MADE = {
    "software": {"emobatch": "1", "python": "3.11.7", "torch": "2.9"},
    "models": {"speech": {"name": "a", "digest": "sha256:1", "settings": "sha256:2"}},
    "task": {"classes": ["calm", "tense"]},
    "options": {"clean": "none", "language": "en", "beam_size": 1, "gate": None},
}


@pytest.mark.parametrize(
    ("part", "changed", "wanted"),
    [
        ("options", {"clean": "lemmas"}, ["options.clean"]),
        ("options", {"language": "de"}, ["options.language"]),
        ("options", {"beam_size": 2}, ["options.beam_size"]),
        # A gate leaves transcripts out, and changes no score of those that there are.
        ("options", {"gate": "sha256:3"}, []),
        ("software", {"torch": "2.10"}, ["software.torch"]),
        ("software", {"python": "3.12.1"}, []),
        ("task", {"classes": ["tense", "calm"]}, ["classes"]),
        ("models", {"speech": {"name": "b", "digest": "sha256:1"}}, []),
        ("models", {"speech": {"name": "a", "digest": "sha256:4"}}, ["models"]),
        ("models", {"speech": {"name": "a", "digest": "sha256:1", "settings": "x"}}, ["models"]),
        # Without digests there are but names to go by.
        ("models", {"speech": {"name": "b"}}, ["models"]),
    ],
)
def test_what_makes_tables_ones_of_different_runs(
    part: str, changed: dict[str, object], wanted: list[str]
) -> None:
    other = {**MADE, part: {**MADE[part], **changed}}
    assert run_differences(MADE, other) == wanted
    assert run_differences(other, MADE) == wanted


def test_what_is_of_before_and_of_now_at_once_stays_of_now() -> None:
    made = {"models": {"text": {"name": "new"}, "sentiment": {"name": "old"}}}
    assert current(made)["models"]["text"] == {"name": "new"}
    assert "task" not in current(made), "no run says of models and not of options"


def test_a_run_of_before_was_of_the_four_classes() -> None:
    assert current(OLD)["task"] == FOUR.as_dict()
    other = {"classes": ["calm", "tense"]}
    assert current({**OLD, "task": other})["task"] == other


def test_a_date_can_be_given_for_files_to_be_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    assert date() == "2001-09-09"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    assert date() > "2001-09-09"
