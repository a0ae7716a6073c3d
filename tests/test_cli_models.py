"""`emobatch models`, and models that are not on this machine: fetched, or refused at once."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest
from checkpoints import save_sentiment
from click.testing import Result
from faster_whisper import tokenizer
from faster_whisper import utils as faster_whisper
from hub_server import COMMIT, Hub, serve
from rich.filesize import decimal
from sounds import save, tone

from emobatch.models.hub import WHISPER_SIZES
from emobatch.models.languages import LANGUAGES

SPEECH = "superb/wav2vec2-base-superb-er"
ASR = "Systran/faster-whisper-large-v3"
SENTIMENT = "cardiffnlp/twitter-xlm-roberta-base-sentiment"


def emobatch(*arguments: object, **settings: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own: the hub's library reads its settings once.

    The hub of a busy machine may take longer to answer than a run waits unless told.
    """
    patient = {"HF_HUB_ETAG_TIMEOUT": "50"}
    return subprocess.run(
        [sys.executable, "-m", "emobatch", *map(str, arguments)],
        env={**os.environ, **patient, **settings},
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.fixture(scope="module")
def hub(models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub that has the default models with all that clutters the real ones."""
    folder = tmp_path_factory.mktemp("repositories")
    for branch, source in models.items():
        shutil.copytree(source, folder / branch)
        for name in ("README.md", "tf_model.h5", "training_args.bin"):
            (folder / branch / name).write_text("nothing that a run needs")
    (folder / "speech" / "pytorch_model.bin").write_bytes(b"the same weights as a pickle")
    names = {SPEECH: "speech", ASR: "asr", SENTIMENT: "text"}
    with serve({name: folder / branch for name, branch in names.items()}) as hub:
        yield hub


@pytest.fixture(scope="module")
def fetched(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that `emobatch models --fetch` filled."""
    cache = tmp_path_factory.mktemp("cache")
    done = emobatch("models", "--fetch", HF_ENDPOINT=hub.address, HF_HOME=str(cache))
    assert done.returncode == 0
    size = r"[\d.]+ .B"
    sizes = [rf"{name} \({size}\), " for name in (SPEECH, "large-v3", SENTIMENT)]
    said = rf"note: fetching {''.join(sizes)}{size} in all from the hub into {cache}/hub\n"
    assert re.fullmatch(said, done.stderr)
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["speech", SPEECH],
        ["asr", "large-v3"],
        ["text", SENTIMENT],
    ]
    return cache


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    save(tmp_path / "a.wav", tone(1.0))
    (tmp_path / "manifest.csv").write_text("path\na.wav\n")
    return tmp_path / "manifest.csv"


def test_fetch_brings_the_files_that_a_run_needs_and_no_others(hub: Hub, fetched: Path) -> None:
    assert hub.fetched(SPEECH) == {"config.json", "model.safetensors", "preprocessor_config.json"}
    whisper = {"config.json", "model.bin", "preprocessor_config.json", "tokenizer.json"}
    assert hub.fetched(ASR) == {*whisper, "vocabulary.json"}
    texts = {"config.json", "sentencepiece.bpe.model", "tokenizer_config.json"}
    assert hub.fetched(SENTIMENT) == {*texts, "pytorch_model.bin"}


def test_the_list_says_where_what_revision_and_which_weights(
    fetched: Path, models: dict[str, Path]
) -> None:
    done = emobatch("models", "--json", HF_HOME=str(fetched))
    assert done.returncode == 0
    listed = json.loads(done.stdout)
    assert list(listed) == ["speech", "asr", "text"]
    assert {entry["revision"] for entry in listed.values()} == {COMMIT}
    weights = models["asr"] / "model.bin"
    assert listed["asr"]["bytes"] == weights.stat().st_size
    assert (Path(listed["asr"]["folder"]) / "model.bin").read_bytes() == weights.read_bytes()
    assert all(entry["digest"].startswith("sha256:") for entry in listed.values())


def test_what_is_here_is_not_asked_for_again(hub: Hub, fetched: Path) -> None:
    before = len(hub.requests)
    done = emobatch("models", "--fetch", HF_ENDPOINT=hub.address, HF_HOME=str(fetched))
    assert done.returncode == 0
    assert len(hub.requests) == before


def test_an_interrupted_fetch_is_taken_up_again(hub: Hub, fetched: Path, tmp_path: Path) -> None:
    cache = Path(shutil.copytree(fetched, tmp_path / "cache", symlinks=True))
    (lost,) = cache.glob("hub/models--Systran*/snapshots/*/vocabulary.json")
    lost.unlink()
    listed = emobatch("models", HF_HOME=str(cache))
    assert listed.returncode == 1
    assert "asr     large-v3" in listed.stdout and "not here" in listed.stdout
    assert (
        emobatch("models", "--fetch", HF_ENDPOINT=hub.address, HF_HOME=str(cache)).returncode == 0
    )
    assert lost.exists()


def test_a_missing_model_is_named_with_the_command_that_fetches_it(
    hub: Hub, fetched: Path, tmp_path: Path
) -> None:
    done = emobatch("models", "--asr-model", "tiny", HF_HOME=str(fetched))
    assert done.returncode == 1
    assert done.stdout.splitlines()[1].split() == ["asr", "tiny", "not", "here"]
    assert done.stderr == (
        "Error: tiny: not on this machine; `emobatch models --fetch --asr-model=tiny` fetches what "
        "is missing where the hub can be reached\n"
    )


def test_a_model_that_the_hub_hasnt_got_is_one_line(hub: Hub, tmp_path: Path) -> None:
    settings = {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path)}
    done = emobatch("models", "--fetch", "--speech-model", "no/such", **settings)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: no/such: the hub has no such model")
    assert done.stderr.count("\n") == 1


def test_a_repository_without_weights_that_load_is_refused_before_it_is_fetched(
    hub: Hub, tmp_path: Path
) -> None:
    settings = {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path)}
    done = emobatch("models", "--fetch", "--models=demo", "--asr-model", SENTIMENT, **settings)
    assert done.returncode == 1
    assert "not in CTranslate2's format" in done.stderr
    assert not list(tmp_path.rglob("snapshots"))


NO_SOCKETS = """\
import runpy, socket, sys
def refuse(*_, **__):
    raise SystemExit("asked the network")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
sys.argv[0] = "emobatch"
runpy.run_module("emobatch", run_name="__main__")
"""


@pytest.mark.parametrize("how", ["option", "HF_HUB_OFFLINE"])
def test_offline_fails_before_anything_slow_and_opens_no_socket(
    tmp_path: Path, manifest: Path, how: str
) -> None:
    # Not by the clock, which says more of the machine: nothing that takes seconds is imported.
    option, setting = (["--offline"], {}) if how == "option" else ([], {"HF_HUB_OFFLINE": "1"})
    command = [sys.executable, "-X", "importtime", "-c", NO_SOCKETS, "score", str(manifest)]
    environment = {**os.environ, **setting, "HF_HOME": str(tmp_path / "cache")}
    done = subprocess.run([*command, *option], env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == ""
    imports, said = [], []
    for line in done.stderr.splitlines():
        (imports if line.startswith("import time:") else said).append(line)
    loaded = {line.rpartition("|")[2].strip() for line in imports}
    assert "polars" in loaded
    assert not loaded & {"torch", "transformers", "ctranslate2", "faster_whisper"}
    assert said[0].startswith(f"Error: {SPEECH}, large-v3, {SENTIMENT}: not on this machine")
    assert "`emobatch models --fetch` fetches what is missing" in said[0]
    assert len(said) == 1


@pytest.fixture(scope="module")
def offline(
    fetched: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A manifest that was scored with what was fetched, into `s.csv`, and what the run said."""
    folder = tmp_path_factory.mktemp("offline")
    save(folder / "a.wav", tone(1.0))
    (folder / "m.csv").write_text("path\na.wav\n")
    files = [str(folder / "m.csv"), "-o", str(folder / "s.csv")]
    command = [sys.executable, "-c", NO_SOCKETS, "score", *files, "--offline"]
    environment = {**os.environ, "HF_HOME": str(fetched)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    return folder / "m.csv", done


def test_what_was_fetched_is_scored_offline_and_no_socket_is_opened(
    offline: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    manifest, done = offline
    assert done.returncode == 0 and "fetching" not in done.stderr
    assert ",ok," in manifest.with_name("s.csv").read_text()
    provenance = json.loads(manifest.with_name("s.csv.meta.json").read_text())
    assert provenance["models"]["speech"]["name"] == SPEECH
    assert {model["revision"] for model in provenance["models"].values()} == {COMMIT}


def test_before_it_fetches_a_run_says_how_much_of_what(
    hub: Hub, fetched: Path, manifest: Path, tmp_path: Path
) -> None:
    """Of what an interrupted fetch left, only the rest counts."""
    cache = Path(shutil.copytree(fetched, tmp_path / "cache", symlinks=True))
    (lost,) = cache.glob("hub/models--Systran*/snapshots/*/vocabulary.json")
    size = lost.stat().st_size
    lost.unlink()
    settings = {"HF_ENDPOINT": hub.address, "HF_HOME": str(cache)}
    # Ends once all is there, before models are loaded.
    done = emobatch("score", manifest, "--classes=eight", **settings)
    assert done.returncode == 1 and lost.exists()
    audio, fetching, *_, end = done.stderr.splitlines()
    assert audio == "note: 1 row, 1.0 s of audio"
    assert fetching == f"note: fetching large-v3 ({decimal(size)}) from the hub into {cache}/hub"
    assert end.startswith("Error: ") and "--classes" in end


def test_a_whole_table_has_no_models_fetched(
    hub: Hub, offline: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    manifest = offline[0]
    table = manifest.with_name("s.csv")
    before, asked = table.read_bytes(), len(hub.requests)
    nothing = {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "empty")}
    again = emobatch("score", manifest, "-o", table, **nothing)
    assert again.returncode == 0 and "is whole, nothing to do" in again.stderr
    other = emobatch("score", manifest, "-o", table, "--beam-size=2", **nothing)
    assert other.returncode == 1 and "differs in --beam-size (was 1); " in other.stderr
    named = emobatch("score", manifest, "-o", table, "--asr-model=tiny", **nothing)
    assert named.returncode == 1 and "differs in --asr-model (was " in named.stderr
    assert table.read_bytes() == before and len(hub.requests) == asked


@contextmanager
def unanswered(calls: list[object], *, listening: bool) -> Iterator[str]:
    """An address where nobody answers: calls are taken and counted, or refused."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        if listening:
            deaf.listen()
            Thread(target=count, args=(deaf, calls), daemon=True).start()
        yield f"http://127.0.0.1:{deaf.getsockname()[1]}"
        if listening:
            deaf.shutdown(socket.SHUT_RDWR)  # else whoever waits for calls waits for ever


def count(deaf: socket.socket, calls: list[object]) -> None:
    with suppress(OSError):  # closed, as the test is over
        while True:
            calls.append(deaf.accept())


@pytest.mark.parametrize("listening", [True, False])
def test_a_hub_that_cant_be_reached_is_given_up_at_once(
    tmp_path: Path, manifest: Path, listening: bool
) -> None:
    calls: list[object] = []
    with unanswered(calls, listening=listening) as address:
        done = emobatch(
            "score",
            manifest,
            HF_ENDPOINT=address,
            HF_HOME=str(tmp_path / "cache"),
            HF_HUB_ETAG_TIMEOUT="1",
        )
    # Each call to a silent hub takes its whole timeout: it isn't tried for every file or model.
    assert len(calls) == (1 if listening else 0)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {SPEECH}: not on this machine, and the hub can't be rea")
    assert "`emobatch models --fetch` fetches what is missing" in done.stderr
    assert done.stderr.count("\n") == 1


def test_fetching_and_staying_offline_exclude_each_other(
    cli: Callable[..., Result], tmp_path: Path
) -> None:
    assert cli("models", "--fetch", "--offline").exit_code == 2
    done = emobatch("models", "--fetch", HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "HF_HUB_OFFLINE is set" in done.stderr


def test_models_are_listed_without_what_takes_long_to_import() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "emobatch", "models", "--models=demo"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("speech  demo")
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "emobatch.cli.console" in loaded
    assert not loaded & {"polars", "numpy", "torch", "huggingface_hub"}


@pytest.mark.parametrize("name", ["a/b/c", "a b", "..", "x--y/z", ""])
def test_what_is_no_name_of_a_model_is_one_line(cli: Callable[..., Result], name: str) -> None:
    result = cli("models", "--speech-model", name, "--asr-model=demo", "--sentiment-model=demo")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1
    assert "--speech-model" in result.stderr


def test_a_size_of_whisper_is_no_folder(
    cli: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny").mkdir()
    result = cli("models", "--models=demo", "--asr-model=tiny", "--json")
    assert json.loads(result.stdout)["asr"]["folder"] != "tiny"


def test_sharded_weights_are_here_when_every_shard_is(
    cli: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    folder = tmp_path / "models--some--one" / "snapshots" / COMMIT
    save_sentiment(folder)
    refs = tmp_path / "models--some--one" / "refs"
    refs.mkdir()
    (refs / "main").write_text(COMMIT)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    (folder / "pytorch_model.bin").rename(folder / "pytorch_model-00001-of-00002.bin")
    shards = {"a": "pytorch_model-00001-of-00002.bin", "b": "pytorch_model-00002-of-00002.bin"}
    index = folder / "pytorch_model.bin.index.json"
    arguments = ("models", "--models=demo", "--sentiment-model=some/one")
    for content in (json.dumps({"weight_map": shards}), "[]", "{", '{"weight_map": [1]}'):
        index.write_text(content)
        assert "not here" in cli(*arguments).stdout
    index.write_text(json.dumps({"weight_map": shards}))
    (folder / shards["b"]).write_bytes(b"more")
    assert cli(*arguments).exit_code == 0


def test_languages_of_whisper_are_those_that_faster_whisper_knows() -> None:
    assert set(LANGUAGES) == set(tokenizer._LANGUAGE_CODES)


def test_sizes_of_whisper_are_where_faster_whisper_finds_them() -> None:
    assert WHISPER_SIZES.items() <= faster_whisper._MODELS.items()
