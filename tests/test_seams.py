"""A scorer, a runner, a gate and a progress are parts: each is one class and one line."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import Result
from forked import Forked
from sounds import save, tone
from toys import Loudness, OneByOne, ToyGate

from emobatch.cli.progress import Bar
from emobatch.errors import EmobatchError, Interrupted
from emobatch.manifests.clip import Clip
from emobatch.manifests.decoders import Decoders
from emobatch.models.choice import Choice
from emobatch.scorers.loaded import Loaded, load
from emobatch.scorers.plan import Plan
from emobatch.scorers.registry import SCORERS
from emobatch.scoring import score as scoring
from emobatch.scoring.cascade import Cascade
from emobatch.scoring.parts import Parts
from emobatch.scoring.progress import Silent, Tally
from emobatch.scoring.runners.registry import RUNNERS
from emobatch.scoring.utterances import Utterance
from emobatch.tasks.choose import named

Cli = Callable[..., Result]
DEMO = Choice(models="demo", device="cpu")
# One in four rows of the manifest below has no file.
score = partial(scoring.score, max_error_rate=0.5)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    for number in range(3):
        save(tmp_path / f"{number}.wav", tone(0.4, hertz=200 + 300 * number) / (number + 1))
    (tmp_path / "m.csv").write_text("path,peak_of\n0.wav,a\n1.wav,b\n2.wav,c\nno.wav,d\n")
    return tmp_path / "m.csv"


@pytest.fixture
def loudness() -> Iterator[None]:
    SCORERS.register("loudness", Loudness)
    yield
    SCORERS.remove("loudness")


@pytest.mark.usefixtures("loudness")
def test_a_scorer_is_one_class_and_one_line(cli: Cli, manifest: Path) -> None:
    target = manifest.with_name("s.csv")
    command = ("score", manifest, "--models=demo", "-o", target, "--max-error-rate=0.5")
    assert cli(*command).exit_code == 0
    table = pl.read_csv(target)
    assert table.columns[table.columns.index("varentropy") + 1] == "peak"
    for number, peak in enumerate(table["peak"].head(3)):
        assert peak == pytest.approx(0.5 / (number + 1), rel=0.02)
    assert table["peak"][3] is None
    # What verify compares, and how closely.
    assert cli("verify", target).exit_code == 0
    table.with_columns(pl.col("peak") + 0.1).write_csv(target)
    result = cli("verify", target)
    assert result.exit_code == 1 and result.stdout.count(": peak is ") == 3
    assert cli("verify", target, "--tolerance", 0.11).exit_code == 0
    # What doctor tries.
    said = cli("doctor", "--models=demo", "--device=cpu").stdout
    assert "pass  loudness scores: loaded and used" in said
    # What no manifest may bring along.
    pl.DataFrame({"path": ["0.wav"], "peak": [1]}).write_csv(manifest)
    result = cli("score", manifest, "--models=demo")
    assert result.exit_code == 1 and "itself writes: peak" in result.stderr


@pytest.mark.usefixtures("loudness")
def test_what_a_scorer_fails_on_costs_its_own_columns(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_broken(self: Loudness, device: object) -> object:
        model = load_sound(self, device)

        def fail(batch: list[np.ndarray]) -> list[float]:
            if any(np.abs(samples).max() < 0.2 for samples in batch):
                raise ValueError("too quiet")
            return list(model.score(batch))

        return type(model)(fail)

    load_sound = Loudness.load
    monkeypatch.setattr(Loudness, "load", load_broken)
    target = manifest.with_name("s.parquet")
    score(str(manifest), target, DEMO, max_error_rate=1)
    table = pl.read_parquet(target)
    assert table["status"].to_list() == ["ok", "ok", "error", "error"]
    assert table["error"][2] == "loudness: too quiet"
    assert table["peak"].null_count() == 2 and table["speech_emotion"].null_count() == 1
    assert table["transcript_source"].null_count() == 2


def test_a_runner_is_one_class_and_one_line(manifest: Path) -> None:
    RUNNERS.register("one by one", OneByOne)
    try:
        one, other = manifest.with_name("one.parquet"), manifest.with_name("other.parquet")
        rows = "".join(f"{number % 3}.wav,{number}\n" for number in range(70))
        manifest.write_text("path,id\n" + rows)
        score(str(manifest), one, DEMO, engine="one by one")
        score(str(manifest), other, DEMO, engine="local")
    finally:
        RUNNERS.remove("one by one")
    assert OneByOne.asked == [0, 64]
    assert pl.read_parquet(one).equals(pl.read_parquet(other))
    assert pl.read_parquet_metadata(one)["emobatch"] == pl.read_parquet_metadata(other)["emobatch"]


def test_the_files_of_a_run_go_through_the_same_decoders(
    manifest: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where their headers are read before models are fetched."""
    begun: list[Decoders] = []

    class Counted(Decoders):
        def __init__(self, cores: int) -> None:
            super().__init__(cores)
            begun.append(self)

    there = DEMO.look_up()
    monkeypatch.setattr(scoring, "Decoders", Counted)
    monkeypatch.setattr(Choice, "look_up", lambda choice: {**there, "speech": None})
    monkeypatch.setattr(Choice, "ask_hub", lambda choice, here: {"speech": object()})
    monkeypatch.setattr(scoring.remote, "fetch", lambda here, missing: there)
    with caplog.at_level("INFO", "emobatch"):
        score(str(manifest), manifest.with_name("s.parquet"), DEMO)
    (decoders,) = begun
    assert decoders.is_closed and caplog.text.count("of audio") == 1


def test_an_engine_that_isnt_there_is_named_with_those_that_are(manifest: Path) -> None:
    with pytest.raises(EmobatchError, match=r"no engine 'locale'; did you mean 'local'"):
        score(str(manifest), None, DEMO, engine="locale")


def test_a_gate_leaves_transcripts_out_and_nothing_else(manifest: Path) -> None:
    full, part = manifest.with_name("full.parquet"), manifest.with_name("part.parquet")
    gate = ToyGate(lambda rows: rows["id"] == "1.wav")
    score(str(manifest), full, DEMO)
    score(str(manifest), part, DEMO, gate=gate)
    whole, gated = pl.read_parquet(full), pl.read_parquet(part)
    assert gated["transcript_source"].to_list() == [
        "gated", whole["transcript_source"][1], "gated", None,
    ]  # fmt: skip
    heard = gated.columns[: gated.columns.index("transcript")]
    assert gated.select(heard).equals(whole.select(heard))
    assert gated[1].equals(whole[1])
    made = json.loads(pl.read_parquet_metadata(part)["emobatch"])
    assert made["options"]["gate"] == gate.digest
    (rows,) = gate.seen
    assert rows["id"].to_list() == ["0.wav", "1.wav", "2.wav"]
    assert rows.columns[-3:] == ["speech_emotion", "entropy", "varentropy"]


def test_null_from_a_gate_is_no(manifest: Path) -> None:
    target = manifest.with_name("s.parquet")
    score(str(manifest), target, DEMO, gate=ToyGate(lambda rows: pl.Series([None, True, False])))
    sources = pl.read_parquet(target)["transcript_source"].to_list()
    assert [sources[0], sources[2], sources[3]] == ["gated", "gated", None]


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ({"task": named("calm,tense")}, "toy.toml: decides between calm, tense"),
        ({"models": {"speech": {"name": "other"}}}, "toy.toml: fitted on scores of other models"),
        # As thresholds files of before call the text branch.
        ({"models": {"sentiment": {"name": "other"}}}, "text model demo .* is not other"),
    ],
)
def test_a_gate_for_something_else_is_refused_before_models_are_loaded(
    manifest: Path, monkeypatch: pytest.MonkeyPatch, gate: dict[str, object], message: str
) -> None:
    monkeypatch.setattr("emobatch.scorers.loaded.load", lambda *_: pytest.fail("loaded"))
    with pytest.raises(EmobatchError, match=message):
        score(str(manifest), None, DEMO, gate=ToyGate(lambda rows: rows["entropy"] > 0, **gate))


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    from emobatch.models import devices

    return load(Plan.of(DEMO, DEMO.find_checkpoints()), devices.choose("cpu"))


def test_windows_of_a_failed_utterance_are_let_go_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loaded: Loaded
) -> None:
    """With a gate they used to wait, undecided, for the chunk's end."""
    monkeypatch.setattr("emobatch.scoring.cascade.LOOK_AHEAD_SECONDS", 1.0)
    files = [save(tmp_path / f"{n}.wav", tone(1.2, hertz=200 + 20 * n)) for n in range(6)]
    utterances = [Utterance(Clip(f.name, f, None, None, None), f.name) for f in files]
    speech = loaded.models["speech"]

    def fail(batch: list[np.ndarray]) -> object:
        raise ValueError("no")

    broken = {**loaded.models, "speech": type(speech)(fail)}
    gate = ToyGate(lambda rows: rows["entropy"] >= 0)
    with ThreadPoolExecutor(1) as pool:
        cascade = Cascade(Loaded(**{**vars(loaded), "models": broken}), gate, pool)
        held: list[int] = []
        transcribe = Cascade._transcribe_settled

        def look(self: Cascade, windows: list, tally: Tally) -> list:
            held.append(len(transcribe(self, windows, tally)))
            return []

        monkeypatch.setattr(Cascade, "_transcribe_settled", look)
        cascade.score(utterances, Tally(Silent()))
    assert held == [0] * 7
    assert gate.seen == []
    assert {each.error for each in utterances} == {"speech: no"}


def test_an_interruption_that_says_nothing_is_one_all_the_same(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While Polars is at work, SIGINT comes as Python's own KeyboardInterrupt."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Parts, "add", interrupt)
    with pytest.raises(Interrupted, match="interrupted by SIGINT; 0 of 4 rows are saved"):
        score(str(manifest), manifest.with_name("s.parquet"), DEMO)


class Noted:
    """Progress that is written down."""

    is_shown = True

    def __init__(self) -> None:
        self.events: list[str] = []
        self.rows, self.errors, self.seconds = 0, 0, 0.0
        self.lock = threading.Lock()

    def start(self, rows: int, done: int = 0) -> None:
        self.events.append(f"start {rows} {done}")

    def begin(self) -> None:
        self.events.append("begin")

    def advance(self, *, rows: int = 0, errors: int = 0, seconds: float = 0.0) -> None:
        with self.lock:
            self.rows, self.errors = self.rows + rows, self.errors + errors
            self.seconds += seconds


@pytest.mark.parametrize("gated", [False, True])
def test_progress_counts_every_row_once(
    manifest: Path, gated: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    progress = Noted()
    gate = ToyGate(lambda rows: rows["id"] == "1.wav") if gated else None
    score(str(manifest), manifest.with_name("s.parquet"), DEMO, gate=gate, progress=progress)
    assert progress.events == ["start 4 0", "begin"]
    assert (progress.rows, progress.errors) == (4, 1)
    assert progress.seconds == pytest.approx(1.2)
    assert capfd.readouterr().out == ""
    again = Noted()
    score(str(manifest), manifest.with_name("s.parquet"), DEMO, gate=gate, retry_errors=True,
          progress=again)  # fmt: skip
    assert again.events == ["start 1 0", "begin"] and again.rows == 1


def test_the_bar_shows_what_it_is_told() -> None:
    bar = Bar()
    (task,) = bar._bar.tasks
    bar.start(10, done=3)
    assert (task.description, task.total, task.completed) == ("loading models", 10, 3)
    bar.begin()
    bar.advance(rows=2, errors=1, seconds=3600.0)
    bar.advance(rows=1)
    assert (task.description, task.completed, task.fields["errors"]) == ("scoring", 6, 1)
    assert task.fields["speed"].endswith(" h audio/h, left")


def test_where_no_audio_is_counted_the_bar_shows_rows() -> None:
    bar = Bar("starting", "computing")
    (task,) = bar._bar.tasks
    bar.start(10**9, done=10**9 - 10)
    assert task.description == "starting"
    bar.begin()
    bar.advance(rows=1)
    speed = task.fields["speed"]
    assert task.description == "computing" and speed.endswith(" rows/s, left")
    assert float(speed.split()[0]) < 10**6  # those of an earlier run cost nothing


def test_scoring_knows_neither_fusion_nor_the_command_line(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "import emobatch.doctor, emobatch.scorers.loaded, emobatch.scorers.registry\n"
        "import emobatch.scoring.cascade, emobatch.scoring.score, emobatch.scoring.verify\n"
        "known = ('emobatch.fusion', 'emobatch.cli', 'rich.progress')\n"
        "print([name for name in sys.modules if name.startswith(known)])\n"
    )
    with Forked(tmp_path / "said", code=code) as run:
        assert run.wait() == 0 and run.said == "[]\n"
