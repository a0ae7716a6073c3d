"""The ready manifests of corpora are what their readers make of the corpora themselves."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from emobatch.manifests.corpora.build import build

READY = Path(__file__).parents[1] / "manifests"


@pytest.mark.parametrize(("corpus", "rows"), [("ravdess", 1440), ("savee", 480)])
def test_a_ready_manifest_is_that_of_the_corpus(tmp_path: Path, corpus: str, rows: int) -> None:
    ready = pl.read_csv(READY / f"{corpus}.csv", infer_schema=False)
    assert len(ready) == rows
    for path in ready["path"]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    built = build(corpus, tmp_path)
    assert not built.differences and not built.unknown  # from the counts that its owners publish
    made = built.rows.select(ready.columns).collect()
    assert made.sort("id").equals(ready.sort("id"))
