"""What a training saves, and what becomes of it: kills, restarts, full disks, and others."""

from __future__ import annotations

import json
import re
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import Result
from trainings import corpus, fit, save_base, spare

from emobatch.errors import Interrupted, ResumeError
from emobatch.models.files import RECORD
from emobatch.scoring.folder import HeldFolder
from emobatch.training.work import Work

Cli = Callable[..., Result]
# In the names of files that are written aside.
RANDOM = re.compile(r"\.[0-9a-f]{8}(?=\.tmp$)")
SHORT: dict[str, Any] = {"epochs": 2, "batch": 20.0, "save_every": 0.0, "learning_rate": 1e-2}


@pytest.fixture(scope="module", autouse=True)
def spared() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        spare(patch)
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus(tmp_path_factory.mktemp("corpus"), 12, 4)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_base(tmp_path_factory.mktemp("base") / "base")


def outcome(folder: Path) -> tuple[bytes, pl.DataFrame]:
    """Weights, and figures of each epoch but for how long it took."""
    history = pl.read_csv(folder / "history.csv").drop("seconds")
    return (folder / "model.safetensors").read_bytes(), history


# Kills: nothing is done after one, and what was begun stays as it was


class Killed(BaseException):
    """As good as SIGKILL: nothing of emobatch's or of transformers' makes anything of it."""


@contextmanager
def killed_before_what_is_new(known: set[tuple[str, ...]]) -> Iterator[None]:
    """End a run before the first change to saved work that isn't known; it is from then on.

    What isn't done at once, as removing a folder, is ended half-way.
    """
    is_dead = False

    def guarded(name: str, real: Callable[..., Any], half: Callable[[Path], None]) -> Any:
        def instead(path: Any, *given: Any, **named: Any) -> Any:
            nonlocal is_dead
            folder, _, inside = str(path).rpartition(".parts/")
            there = {
                each for each in ("run.json", "done") if Path(f"{folder}.parts", each).exists()
            }
            change = (name, RANDOM.sub("", inside), *sorted(there))
            # What a lock comes to in a process that is killed decides nothing.
            if ".parts" in str(path) and Path(path).name != "lock":
                # Whether what was written aside is cleared away is seen when it isn't, once dead.
                is_cleared = name == "unlink" and inside.endswith(".tmp")
                if not is_dead and not is_cleared and change not in known:
                    known.add(change)
                    is_dead = True
                    half(Path(path))
                if is_dead:
                    raise Killed
            return real(path, *given, **named)

        return instead

    def remove_half(path: Path) -> None:
        for file in sorted(path.rglob("*"))[::2]:
            if file.is_file():
                unlink(file)

    unlink = Path.unlink
    with pytest.MonkeyPatch.context() as patch:
        for name in ("rename", "replace", "unlink"):
            patch.setattr(Path, name, guarded(name, getattr(Path, name), lambda path: None))
        write = guarded("write", Path.write_text, lambda path: path.write_bytes(b"{") and None)
        patch.setattr(Path, "write_text", write)
        patch.setattr(shutil, "rmtree", guarded("remove", shutil.rmtree, remove_half))
        yield


def test_a_run_may_be_killed_at_any_change_to_what_it_saves(
    data: Path, base: Path, tmp_path: Path
) -> None:
    whole = outcome(fit(data, tmp_path / "whole", base, **SHORT))
    # In the place of another one, as with --restart, which replaces it in the end.
    target = fit(data, tmp_path / "struck", base, **SHORT, seed=1)
    known: set[tuple[str, ...]] = set()
    restart = True
    while True:
        before = len(known)
        with suppress(Killed), killed_before_what_is_new(known):
            fit(data, target, base, **SHORT, restart=restart)
        if len(known) == before:
            break
        # Once it says whose the work is, the same command goes on without it.
        restart = restart and not (tmp_path / "struck.parts" / "run.json").exists()
    weights, history = outcome(target)
    assert weights == whole[0] and history.equals(whole[1])
    assert not list(tmp_path.glob("*.parts"))
    names = {name for _, name, *_ in known}
    steps = {"run.json", "best-new", "best-0", "checkpoint-1", "done", "replaced"}
    assert steps < names


class Named:
    """A model of which nothing is known but its name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def save(self, folder: Path) -> None:
        (folder / "model").write_text(self._name)


def test_the_best_epoch_stays_until_one_that_is_better_is_saved_as_a_whole(tmp_path: Path) -> None:
    work = Work.beside(tmp_path / "out").take({"options": {}}, restart=False)

    def saved(step: int, best: int | None) -> None:
        (work.folder / f"checkpoint-{step}").mkdir()
        work.complete(step, {}, best)

    work.keep_best(Named("first"), 0)  # type: ignore[arg-type]
    saved(1, 0)
    work.keep_best(Named("second"), 1)  # type: ignore[arg-type]
    # Killed, and on a GPU the second epoch isn't the better one any more when it is done again.
    saved(2, 0)
    assert not (work.folder / "best-1").exists()
    work.finish(0, {"run": {}}, "")
    work.release(remove=True)
    assert (tmp_path / "out" / "model").read_text() == "first"
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_what_does_not_say_of_which_run_it_is_counts_for_nothing(tmp_path: Path) -> None:
    left = tmp_path / "out.parts" / "checkpoint-3"
    left.mkdir(parents=True)
    (left / "progress.json").write_text("{}")
    work = Work.beside(tmp_path / "out").take({}, restart=False)
    assert work.last() is None
    work.release()


def test_a_checkpoint_that_was_to_be_thrown_away_is_never_taken_for_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = tmp_path / "out.parts" / "done"
    done.mkdir(parents=True)
    (done / RECORD).write_text('{"run": {}}')
    work = Work.beside(tmp_path / "out")
    assert work.is_whole({}, restart=False)

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(shutil, "rmtree", killed)
        work.take({}, restart=True)
    assert not work.is_whole({}, restart=False)


# What begins anew


def interrupted(data: Path, target: Path, base: Path, **options: Any) -> None:
    """Begin a training that a signal ends once something is saved."""
    parts = target.with_name(f"{target.name}.parts")

    def stop() -> str | None:
        return "interrupted by a test" if (parts / "audio.json").exists() else None

    with pytest.raises(Interrupted, match="goes on from there"):
        fit(data, target, base, stop=stop, **{**SHORT, "batch": 3.0, **options})


def test_a_restart_that_is_interrupted_goes_on_without_it_and_replaces_what_is_there(
    data: Path, base: Path, tmp_path: Path
) -> None:
    target = fit(data, tmp_path / "out", base, **SHORT)
    before = outcome(target)
    interrupted(data, target, base, seed=1, restart=True)
    assert outcome(target)[0] == before[0]
    with pytest.raises(ResumeError, match=r"out\.parts: .* --seed \(was 1\);"):
        fit(data, target, base, **{**SHORT, "batch": 3.0})
    fit(data, target, base, **{**SHORT, "batch": 3.0}, seed=1)
    assert json.loads((target / RECORD).read_text())["run"]["options"]["seed"] == 1
    assert not list(tmp_path.glob("*.parts"))


def test_how_often_is_saved_decides_nothing(data: Path, base: Path, tmp_path: Path) -> None:
    seldom = fit(data, tmp_path / "out", base, **{**SHORT, "batch": 3.0, "save_every": 600.0})
    often = tmp_path / "often"
    interrupted(data, often, base)
    fit(data, often, base, **{**SHORT, "batch": 3.0, "save_every": 600.0})
    assert outcome(seldom)[0] == outcome(often)[0]


def test_it_is_saved_within_an_epoch_as_often_as_is_asked_for(
    data: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []
    complete = Work.complete

    def noted(self: Work, step: int, *said: Any) -> None:
        steps.append(step)
        complete(self, step, *said)

    monkeypatch.setattr(Work, "complete", noted)
    fit(data, tmp_path / "often", base, **{**SHORT, "batch": 3.0, "epochs": 1})
    assert len(steps) > 2 and steps == list(range(1, len(steps) + 1))
    last = steps[-1]
    steps.clear()
    fit(data, tmp_path / "out", base, **{**SHORT, "batch": 3.0, "epochs": 1, "save_every": 600.0})
    assert steps == [last]


def test_saved_work_that_is_damaged_is_never_thrown_away_unasked(
    data: Path, base: Path, tmp_path: Path
) -> None:
    interrupted(data, tmp_path / "out", base)
    run = tmp_path / "out.parts" / "run.json"
    run.write_text("{")
    with pytest.raises(ResumeError, match=r"run\.json: can't be read; begin anew with --restart"):
        fit(data, tmp_path / "out", base, **SHORT)
    fit(data, tmp_path / "out", base, restart=True, **SHORT)


# Others, and full disks


def failure(result: Result) -> str:
    """The last line of a command that failed."""
    assert result.exit_code == 1
    *_, last = result.stderr.splitlines()
    assert last.startswith("Error: ")
    return last


def command(data: Path, base: Path, target: Path) -> list[object]:
    return [
        *("train", "speech", data, "--base", base, "-o", target, "--device", "cpu"),
        *("--epochs", 1, "--batch-seconds", 20),
    ]


def test_two_runs_at_a_time_have_no_folder_in_common(
    cli: Cli, data: Path, base: Path, tmp_path: Path
) -> None:
    held = HeldFolder.take(tmp_path / "out.parts", lambda found: None)
    result = cli(*command(data, base, tmp_path / "out"))
    held.release(remove=True)
    assert result.exit_code == 75
    assert "another run is writing there; wait for it" in result.stderr.splitlines()[-1]


def test_what_comes_to_be_in_the_place_of_the_checkpoint_is_never_replaced(
    cli: Cli, data: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out"
    finish = Work.finish

    def late(self: Work, *given: Any) -> None:
        target.mkdir()
        (target / "thesis.txt").write_text("all of it")
        finish(self, *given)

    monkeypatch.setattr(Work, "finish", late)
    assert "move it elsewhere" in failure(cli(*command(data, base, target)))
    assert (target / "thesis.txt").read_text() == "all of it"
    target.rename(tmp_path / "thesis")
    result = cli(*command(data, base, target))
    assert result.exit_code == 0 and "is whole, nothing to do" in result.stderr
    assert (target / "model.safetensors").exists() and not list(tmp_path.glob("*.parts"))


@pytest.mark.parametrize(
    ("kilobytes", "why"),
    [(30, "File too large"), (100, "(a file ends too early)")],
    ids=["weights", "optimizer"],
)
def test_a_full_disk_costs_one_line_and_nothing_that_was_saved(
    cli: Cli, data: Path, base: Path, tmp_path: Path, kilobytes: int, why: str
) -> None:
    target = tmp_path / "out"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes << 10, hard))
    try:
        said = failure(cli(*command(data, base, target)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "out.parts: can't be written to" in said and why in said and "make space" in said
    assert not target.exists()
    assert cli(*command(data, base, target)).exit_code == 0
    assert not list(tmp_path.glob("*.parts"))
