"""A little of what `tests/endurance/fuzz.py` and `fuzz_sources.py` do at length."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent / "endurance"))

import pytest
from fuzz import run, seeds
from fuzz_seeds import seeds as seeds_of_sources
from fuzz_sources import planned, write
from fuzz_sources import run as run_sources
from hypothesis import given, settings
from hypothesis import strategies as st

from emobatch.errors import EmobatchError
from emobatch.manifests import manifest
from emobatch.manifests.corpora.registry import CORPORA
from emobatch.manifests.readers.registry import READERS
from emobatch.manifests.reading import Reading
from emobatch.manifests.segments.registry import FORMS
from emobatch.tables.decoded import decoded


# Parquet is left to the long run: on some damaged files Polars ends the process.
@pytest.mark.parametrize("place", [0, 1, 2, 4, 5, 6, 8])
def test_broken_files_are_read_or_refused_in_one_line(place: int, tmp_path: Path) -> None:
    assert list(seeds(tmp_path))[place][0] != ".parquet"
    taken = list(run(1, tmp_path, place, range(80)))
    assert len(taken) == 80 and 0 < sum(taken) < 80


# lhotse's own is tried as text; audformat's package takes its time; on some damaged Parquet files
# Polars ends the process.
SLOW = {"lhotse gz", "audformat", "parquet"}


@pytest.mark.parametrize("name", sorted({*seeds_of_sources()} - SLOW))
def test_damaged_data_sets_are_read_or_refused_in_one_line(name: str, tmp_path: Path) -> None:
    taken = list(run_sources(name, 1, range(6), tmp_path / "data"))
    assert len(taken) == 6
    files, _ = seeds_of_sources()[name]
    for path, content in files.items():
        assert (tmp_path / "data" / path).read_bytes() == content, "the next one begins anew"


@pytest.mark.parametrize("name", sorted({*seeds_of_sources()} - SLOW))
def test_what_is_damaged_was_read_before(name: str, tmp_path: Path) -> None:
    files, reader = seeds_of_sources()[name]
    for path, content in files.items():
        write(tmp_path / path, content)
    reader(tmp_path)


def test_every_form_gets_inputs() -> None:
    forms = {*READERS} - {"table"}
    known = {*seeds_of_sources()}
    assert forms | {*CORPORA} <= known
    assert {each.suffix.lower() for each in map(Path, known)} >= {*FORMS}
    plan = planned(1000, sorted(known))
    assert plan.keys() == known and min(plan.values()) > 0
    assert 1000 <= sum(plan.values()) <= 1000 + len(known)


@settings(max_examples=30)
@given(st.sampled_from([*FORMS]), st.text() | st.binary().map(decoded))
def test_any_text_is_segments_or_refused(form: str, text: str) -> None:
    try:
        found = list(FORMS[form]().segments(text))
    except EmobatchError as error:
        assert "\n" not in str(error)
    else:
        assert all(math.isfinite(each.start) and math.isfinite(each.end) for each in found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=30)
@given(st.dictionaries(st.sampled_from(["audio_filepath", "offset", "duration", "x", "*"]), JSON))
def test_any_object_is_a_row_or_refused(found: dict[str, object]) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "m.json"
        file.write_text(json.dumps(found) + "\n")
        try:
            read = manifest.read(str(file), Reading(form="nemo"))
        except EmobatchError as error:
            assert "\n" not in str(error)
        else:
            assert read.frame(0, 9)["path"].to_list() == [found["audio_filepath"]]
