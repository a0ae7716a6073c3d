"""What `import emobatch` gives: the same scores and figures as the command line's, on frames."""

from __future__ import annotations

import json
import logging
import pickle
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import Result
from forked import FRESH, Forked
from sounds import save, tone
from torch.utils.data import DataLoader

import emobatch
from emobatch.api.options import Options
from emobatch.cli.commands.score import score as command

Cli = Callable[..., Result]
DECODERS = True
SCORES = Path(__file__).parent / "data" / "demo_scores.parquet"
LABELLED = {"label_column": "truth"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for number in range(4):
        save(folder / f"{number}.wav", tone(0.3, hertz=200 + 300 * number))
    return folder


@pytest.fixture(scope="module")
def scorer(folder: Path) -> emobatch.Scorer:
    return emobatch.Scorer(models="demo", device="cpu", root=folder)


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    """More than a chunk of them; one has no file."""
    paths = [f"{number % 5}.wav" for number in range(70)]
    return pl.DataFrame({"path": paths, "id": [str(n) for n in range(70)], "mine": range(70)})


@pytest.fixture(scope="module")
def scores(scorer: emobatch.Scorer, rows: pl.DataFrame) -> pl.DataFrame:
    return scorer.score(rows)


def test_a_frame_is_scored_as_the_command_does(
    cli: Cli, folder: Path, rows: pl.DataFrame, scores: pl.DataFrame
) -> None:
    rows.write_parquet(folder / "m.parquet")
    target = folder / "s.parquet"
    options = ("--models=demo", "--device=cpu", "--max-error-rate=1", "-o", target)
    assert cli("score", folder / "m.parquet", *options).exit_code == 0
    assert scores.equals(pl.read_parquet(target))
    assert scores["mine"].to_list() == [*range(70)]
    assert scores["status"].value_counts().filter(status="error")["count"].item() == 14


def test_paths_and_no_rows_at_all(scorer: emobatch.Scorer, folder: Path) -> None:
    listed = scorer.score([folder / "1.wav", "0.wav"])
    assert listed["id"].to_list() == [str(folder / "1.wav"), "0.wav"]
    assert scorer.score([]).schema == listed.schema
    assert scorer.score(pl.DataFrame({"path": []}, schema={"path": pl.String})).is_empty()


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (22_050, 2), (8_000, 1)])
def test_samples_are_scored_as_in_a_file(
    scorer: emobatch.Scorer, tmp_path: Path, rate: int, channels: int
) -> None:
    samples = tone(5.3, rate, channels)  # longer than a block
    file = save(tmp_path / "clip.wav", samples, rate, "FLOAT")
    heard, read = scorer.score([(samples, rate)]), scorer.score([file])
    assert heard["status"].item() == "ok" and "path" not in heard.columns
    assert heard.drop("id").equals(read.drop("id", "path"))


def test_integers_are_samples_of_their_own_scale(scorer: emobatch.Scorer, tmp_path: Path) -> None:
    whole = (tone(0.5) * 32767).astype(np.int16)
    file = save(tmp_path / "clip.wav", whole, 16_000, "PCM_16")
    heard, read = scorer.score([(whole, 16_000)]), scorer.score([file])
    assert heard.drop("id").equals(read.drop("id", "path"))


def test_a_bad_array_costs_its_own_row(scorer: emobatch.Scorer) -> None:
    good, bad = tone(0.3), tone(0.3)
    bad[100] = np.nan
    sounds = [(good, 16_000), (bad, 16_000), (good.reshape(2, -1), 16_000), (good[:9], 16_000)]
    found = scorer.score([*sounds, (good[:0], 16_000), (good > 0, 16_000)])
    assert found["id"].to_list() == [*"012345"]
    assert found["status"].to_list() == ["ok", *["error"] * 5]
    errors = found["error"].to_list()
    assert errors[1] == "audio: NaN or infinite samples: array 1"
    assert errors[2].startswith("audio: 2400 channels;")
    assert errors[3].startswith("audio: too short: 9 samples")
    assert errors[4].startswith("audio: too short: 0 samples")
    assert errors[5].startswith("audio: an array of shape (4800,) of bool;")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("clip.wav", "clip.wav: one path; give a DataFrame with a column 'path', a list of paths"),
        ([3], "row 1 is a int; give a DataFrame"),
        (["a.wav", (np.zeros(9), 16_000)], "row 1 is a str; give a DataFrame"),
        ([(np.zeros(9), 16e3)], "row 1 is a tuple; give a DataFrame"),
        ([([0.0], 16_000)], "row 1 has a list for samples; give a DataFrame"),
        (["a.wav", "a.wav"], "the rows: id 'a.wav' occurs more than once: row 1, row 2"),
        (pl.DataFrame({"file": ["a"]}), "the rows: .*path"),
        (pl.DataFrame({"path": ["a"], "entropy": [1.0]}), "the rows: columns that emobatch itself"),
    ],
)
def test_rows_that_make_no_sense_are_refused(
    scorer: emobatch.Scorer, given: object, message: str
) -> None:
    with pytest.raises(emobatch.EmobatchError, match=message):
        scorer.score(given)


def test_scores_are_the_same_from_several_threads(
    scorer: emobatch.Scorer, rows: pl.DataFrame, scores: pl.DataFrame
) -> None:
    fresh = pickle.loads(pickle.dumps(scorer))
    with ThreadPoolExecutor(4) as pool:
        # Four that all find no models loaded.
        assert all(found.equals(scores) for found in pool.map(fresh.score, [rows] * 4))
    fresh.close()
    assert fresh.score(["0.wav"])["status"].item() == "ok", "not to be used again"


def test_models_are_loaded_once_and_when_they_are_needed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from emobatch.scorers import loaded

    count, load = [], loaded.load
    monkeypatch.setattr(loaded, "load", lambda *given: count.append(1) or load(*given))
    with emobatch.Scorer(models="demo", device="cpu", root=folder, text="none") as scorer:
        assert not count
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(scorer.score, [["0.wav"], ["1.wav"]]))
        scorer.score(["2.wav"])
    assert len(count) == 1


def test_nothing_is_said_and_no_signal_is_taken(
    folder: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    before = [signal.getsignal(number) for number in numbers]
    with emobatch.Scorer(models="demo", root=folder, label_map="ang=angry") as scorer:
        scorer.score(["0.wav", "no.wav"])
    assert [signal.getsignal(number) for number in numbers] == before
    assert capfd.readouterr() == ("", "")
    assert any(isinstance(h, logging.NullHandler) for h in logging.getLogger("emobatch").handlers)


class Clips:
    """A data set, as torch's loaders take it."""

    def __init__(self, scorer: emobatch.Scorer) -> None:
        self.scorer = scorer

    def __len__(self) -> int:
        return 2

    def __getitem__(self, number: int) -> list[dict[str, object]]:
        return self.scorer.score([f"{number}.wav"]).to_dicts()


def test_a_worker_of_a_data_loader_loads_its_own(scorer: emobatch.Scorer) -> None:
    """Models are not pickled."""
    # As one that is started anew: it is forked where nothing of emobatch has been loaded.
    options = {"num_workers": 1, "batch_size": None, "timeout": 300}
    loader = DataLoader(Clips(scorer), **options, multiprocessing_context=FRESH)
    assert list(loader) == [Clips(scorer)[number] for number in range(2)]


FORKING = """
import emobatch
from torch.utils.data import DataLoader
scorer = emobatch.Scorer(models="demo", device="cpu")
class Clips:
    def __len__(self): return 1
    def __getitem__(self, number): return scorer.score(["0.wav"])
options = {"num_workers": 1, "batch_size": None, "timeout": 300}
try:
    list(DataLoader(Clips(), **options, multiprocessing_context="fork"))
except emobatch.EmobatchError as error:
    print(error)
"""


def test_a_forked_worker_which_would_wait_for_ever_says_what_to_do(tmp_path: Path) -> None:
    with Forked(tmp_path / "said", code=FORKING) as run:
        assert run.wait() == 0, run.said
    assert "multiprocessing_context='spawn'" in run.said


def test_options_are_those_of_the_command() -> None:
    here = set(Options.__annotations__)
    theirs = {parameter.name for parameter in command.params}
    # Of files, and of many processes.
    files = {"manifest", "output", "form", "pattern", "segments", "cut_by", "shard"}
    many = {"engine", "address", "workers", "cpus_per_worker", "gpus_per_worker"}
    ends = {"restart", "retry_errors", "max_error_rate"}
    console = {"verbose", "quiet", "log_file"}  # which the group adds to each command
    assert theirs - here - console == files | many | ends and here <= theirs
    with pytest.raises(emobatch.EmobatchError, match=r"no option 'sped'; did you mean 'speech'\?"):
        emobatch.Scorer(sped="none")
    with pytest.raises(emobatch.EmobatchError, match="nowhere: no such folder"):
        emobatch.Scorer(speech_model="./nowhere", offline=True)


def test_a_gate_is_heeded(folder: Path) -> None:
    gate = folder / "gate.toml"
    gate.write_text("format = 1\n[thresholds.angry]\nentropy = 99.0\nvarentropy = 99.0\n")
    with emobatch.Scorer(models="demo", root=folder, gate=gate) as scorer:
        assert scorer.score(["0.wav"])["transcript_source"].item() == "gated"


def test_frames_are_fitted_decided_and_measured_as_files_are(cli: Cli, tmp_path: Path) -> None:
    scores = pl.read_parquet(SCORES)
    toml, final = tmp_path / "t.toml", tmp_path / "f.parquet"
    where, columns = "speaker != 'en+m7'", ("--label-column=truth",)
    fit = (
        "calibrate",
        SCORES,
        *columns,
        "--method=selection-entropy",
        "--where",
        where,
        "-o",
        toml,
    )
    assert cli(*fit).exit_code == 0
    assert cli("apply", SCORES, "-t", toml, "-o", final).exit_code == 0
    measured = json.loads(cli("evaluate", final, *columns, "--json", "--by=speaker").stdout)

    calibration = emobatch.calibrate(scores, method="selection-entropy", where=where, **LABELLED)
    decided = emobatch.apply(scores, calibration)
    assert decided.equals(pl.read_parquet(final))
    assert emobatch.apply(scores, toml).equals(decided)
    figures = json.loads(json.dumps(emobatch.evaluate(decided, by="speaker", **LABELLED)))
    assert {name: figures[name] for name in measured if name != "in_sample"} == {
        name: measured[name] for name in measured if name != "in_sample"
    }
    with pytest.raises(emobatch.EmobatchError, match="the frame: no column 'label'"):
        emobatch.evaluate(decided.drop("truth", "label"), label_column="label")


def test_the_package_imports_nothing_before_it_is_asked() -> None:
    code = (
        "import sys, emobatch\n"
        "print(sorted({'numpy', 'polars', 'torch'} & {*sys.modules}), *emobatch.__all__)\n"
        "emobatch.Scorer\n"
        "print('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] EmobatchError Scorer apply calibrate evaluate\nFalse\n"
    assert not hasattr(emobatch, "score")


def test_the_examples_of_the_documentation_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Path(emobatch.__file__).parents[1] / "docs" / "python.md"
    blocks = re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "clips").mkdir()
    for number in range(2):
        save(tmp_path / "clips" / f"{number}.wav", tone(0.3, hertz=200 + 300 * number))
    rows = pl.read_parquet(SCORES).with_row_index("n")
    split = pl.when(pl.col("n") % 2 == 0).then(pl.lit("train")).otherwise(pl.lit("test"))
    rows.with_columns(split=split).write_parquet(tmp_path / "scores.parquet")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "docs"}
    for block in blocks:
        exec(compile(block, "python.md", "exec"), names)
    assert names["figures"]["rows"] == 300
    # What its actors do, without Ray.
    table = names["Score"]()(pl.DataFrame({"path": ["clips/0.wav"]}).to_arrow())
    assert table["status"].to_pylist() == ["ok"]
    assert len(names["loader"](["clips/0.wav"]).dataset) == 1
