"""The example of docs/extending.md does what that page says."""

from __future__ import annotations

import io
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from published import DATA

from emobatch.evaluation.measures import MEASURES
from emobatch.features.registry import FEATURE_SETS
from emobatch.fusion.methods import METHODS
from emobatch.manifests.corpora.registry import CORPORA
from emobatch.manifests.readers.registry import READERS
from emobatch.manifests.segments.registry import FORMS
from emobatch.models.heads.registry import HEADS
from emobatch.reporting.charts import CHARTS
from emobatch.scorers.registry import SCORERS
from emobatch.scoring.runners.registry import RUNNERS
from emobatch.splits.schemes import SCHEMES
from emobatch.tasks.choose import CLASS_SETS
from emobatch.training.losses.registry import LOSSES

Cli = Callable[..., Result]
ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
# As many folds as show that there are several; each fits both methods.
FEW = ("--where", "speaker IN ('en+m3', 'en+m7', 'en+linda', 'en+Michael')")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REGISTRIES = {
    "METHODS": METHODS, "MEASURES": MEASURES, "SCORERS": SCORERS, "READERS": READERS,
    "CORPORA": CORPORA, "FORMS": FORMS, "FEATURE_SETS": FEATURE_SETS,
    "HEADS": HEADS, "LOSSES": LOSSES,
    "RUNNERS": RUNNERS, "CLASS_SETS": CLASS_SETS, "SCHEMES": SCHEMES, "CHARTS": CHARTS,
}  # fmt: skip


def block(language: str, number: int = 0) -> str:
    """The page's blocks of a language, by number."""
    return [text for found, text in BLOCK.findall(PAGE) if found == language][number]


@pytest.fixture
def trusting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The method, registered as the page has it, with its file elsewhere."""
    (tmp_path / "trusting.py").write_text(block("python"), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    name, place = re.fullmatch(r'"(\w+)": "([\w.:]+)",\n', block("python", 1)).groups()
    METHODS.register(name, place.removeprefix("emobatch.fusion."))
    yield
    METHODS.remove(name)


@pytest.mark.usefixtures("trusting", "undrawn")
def test_the_example_of_a_method_runs(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    monkeypatch.chdir(tmp_path)
    shown = {}
    for line in block("sh").splitlines():
        command, *arguments = re.findall(r'"[^"]*"|\S+', line)
        few = FEW if arguments[0] == "crossval" else ()
        result = cli(*(argument.strip('"') for argument in arguments), *few)
        assert command == "emobatch" and result.exit_code == 0, result.stderr
        shown[arguments[0]] = result.stdout
    assert (tmp_path / "trusting.toml").read_text().startswith(block("toml").rstrip())
    before, after = re.search(r"UA goes from ([\d.]+) % to ([\d.]+) %", PAGE).groups()
    figures = {line.split()[0]: line.split()[1] for line in shown["evaluate"].splitlines()[4:8]}
    assert (figures["before"], figures["after"]) == (before, after)
    assert "trusting" in shown["crossval"]
    assert "score ≥" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert pl.read_parquet(tmp_path / "final.parquet")["decided_by"].unique().sort().to_list() == [
        "speech", "text",
    ]  # fmt: skip


@pytest.mark.usefixtures("trusting")
def test_its_file_is_checked_as_it_is_read(cli: Cli, tmp_path: Path) -> None:
    text = block("toml")
    assert tomllib.loads(text)["format"] == 2
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(text.replace("score =", "scor ="))
    scores = pl.read_parquet(DATA / "demo_scores.parquet").head(5)
    table = io.StringIO()
    scores.write_csv(table)
    result = cli("apply", "-t", wrong, input=table.getvalue())
    assert result.exit_code == 1 and "[trust] has no number" in result.stderr


def test_all_registries_are_listed_with_files_that_are_there() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")][2:]
    found = {name for row in rows for name in REGISTRIES if f"`{name}`" in row}
    assert found == set(REGISTRIES) and len(rows) == len(REGISTRIES)
    for path in re.findall(r"`((?:emobatch|tests)/[\w/]+\.py)`", PAGE):
        assert (ROOT / path).is_file() or path.endswith("/trusting.py"), path
    for row in rows:
        name, path = re.search(r"`([A-Z_]+)` in `([\w/.]+)`", row).groups()
        assert f"\n{name}: Registry[" in (ROOT / path).read_text(encoding="utf-8")
