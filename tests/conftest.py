"""What the tests share: the command, and checkpoints in the hub's own formats."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

# Small models are slower on two threads than on one, the more so under `pytest -n 2`.
os.environ["OMP_NUM_THREADS"] = "1"

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, settings

from emobatch.cli import COLLECT_AFTER
from emobatch.cli.main import main

# As the command has it: with Python's 700 a fifth of the time that collecting tests takes goes into
# looking for garbage among what libraries keep.
gc.set_threshold(COLLECT_AFTER)
# The same examples on each run, however busy the machine is.
settings.register_profile(
    "same", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same")

SHARED = Path(__file__).parents[2] / "shared"


def pytest_collection_finish() -> None:
    """Never look through what was imported again: a million objects, and none of them garbage."""
    gc.freeze()


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Give back the environment as it was: `--offline` sets it for what a process starts."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True, scope="module")
def decoding(request: pytest.FixtureRequest) -> Iterator[None]:
    """Decode files in this process, unless a module says `DECODERS = True`.

    To start another takes as long as most of these runs. Commands in processes of their own decode
    as users have it.
    """
    with pytest.MonkeyPatch.context() as patch:
        if not getattr(request.module, "DECODERS", False):
            patch.setattr("emobatch.manifests.decoders.can_start", lambda: False)
        yield


@pytest.fixture(autouse=True, scope="module")
def silence() -> None:
    """Let a module's clips sound alike whichever modules have spoken before it."""
    import espeak

    espeak.forget()


@pytest.fixture
def cli() -> Callable[..., Result]:
    """Run a command in this process: `cli("apply", path, "-t", file, input=csv)`."""

    def run(*arguments: object, input: str | bytes | None = None) -> Result:
        result = CliRunner().invoke(main, [str(item) for item in arguments], input=input)
        # Anything but an exit is a traceback that a user would see.
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One small checkpoint for each model, by the branch's name."""
    from checkpoints import save_sentiment, save_speech, save_whisper

    folder = tmp_path_factory.mktemp("checkpoints")
    return {
        "speech": save_speech(folder / "speech"),
        "asr": save_whisper(folder / "asr"),
        "text": save_sentiment(folder / "text"),
    }


@pytest.fixture(scope="session")
def model_options(models: dict[str, Path]) -> list[str]:
    """The command line's options that name the small checkpoints."""
    return [f"--{branch}-model={folder}" for branch, folder in models.items()]


@pytest.fixture(scope="module")
def undrawn() -> Iterator[None]:
    """Leave the figures of all reports blank, where no test of a module looks at them."""
    from pages import blank_figures

    with blank_figures():
        yield


@pytest.fixture(scope="module")
def unresampled() -> Iterator[None]:
    """Fit thresholds on two resamples, where no test of a module looks at what resamples say."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("emobatch.fusion.selection.assessment.RESAMPLES", 2)
        yield
