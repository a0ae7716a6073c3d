"""How rows are scored, in a process of its own."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import polars as pl
from pytest import approx
from sounds import save, tone

from emobatch.fusion.gate import read_gate
from emobatch.models import devices
from emobatch.models.choice import Choice
from emobatch.scorers.plan import Plan
from emobatch.scoring.progress import Count
from emobatch.scoring.recipe import Recipe

DEMO = Choice(models="demo", device="cpu")
FITTED = Path(__file__).parents[1] / "thresholds" / "iemocap" / "fold_03.toml"
UNPICKLED = """
import pickle, sys
recipe = pickle.load(open(sys.argv[1], "rb"))
print(type(recipe).__name__, "transformers" in sys.modules)
"""


def recipe(folder: Path) -> Recipe:
    plan = Plan.of(DEMO, DEMO.find_checkpoints())
    return Recipe(plan, devices.choose("cpu"), read_gate(FITTED), folder, confine=True)


def test_a_recipe_that_was_sent_elsewhere_does_the_same(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / f"{number}.wav", tone(0.4, hertz=200 + 300 * number))
    names = [f"{number}.wav" for number in range(3)]
    rows = pl.DataFrame({"path": [*names, "../no.wav"], "id": [*"abcd"], "mine": [1, 2, 3, 4]})
    here = recipe(tmp_path)
    count = Count()
    with here.open() as scorer:
        expected = scorer.score(rows, count)
    assert pickle.loads(pickle.dumps(count)) == Count(rows=4, errors=1, seconds=approx(1.2))
    assert expected["status"].to_list() == ["ok", "ok", "ok", "error"]
    assert expected.columns[:3] == ["path", "mine", "id"] and "--confine" in expected["error"][3]
    sent = pickle.dumps(here)
    with pickle.loads(sent).open() as scorer:
        assert scorer.score(rows).equals(expected)
    # What it needs is imported where it is opened; test_cli_score_workers.py has processes do that.
    (tmp_path / "recipe").write_bytes(sent)
    command = [sys.executable, "-c", UNPICKLED, str(tmp_path / "recipe")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "Recipe False\n"
