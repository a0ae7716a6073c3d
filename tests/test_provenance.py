"""What older versions stored is read in this version's words, in one place."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from emobatch.errors import ThresholdsError
from emobatch.tables import score_table, stored
from emobatch.tables.provenance import check_models, current
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
