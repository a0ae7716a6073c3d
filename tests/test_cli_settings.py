"""What beside a model's weights decides a score: with other settings it is another model."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from refusals import refusal
from safetensors.torch import load_file, save_file
from samples import LOOSE, toml
from sounds import save, tone

from emobatch.models import files
from emobatch.models.checkpoints import DEMO_FOLDER, DEMO_FOLDERS, Checkpoint
from emobatch.tables import stored

Cli = Callable[..., Result]


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table, the checkpoints it was scored with, and thresholds fitted on their scores."""
    from click.testing import CliRunner

    from emobatch.cli.main import main

    folder = tmp_path_factory.mktemp("settings")
    for branch, name in DEMO_FOLDERS.items():
        shutil.copytree(DEMO_FOLDER / name, folder / branch)
    save(folder / "a.wav", tone(0.5))
    (folder / "m.csv").write_text("path,transcript\na.wav,so happy\n")
    arguments = ["score", folder / "m.csv", "-o", folder / "s.parquet", *options(folder)]
    assert CliRunner().invoke(main, [*map(str, arguments)]).exit_code == 0
    models = stored.metadata(folder / "s.parquet")["models"]
    (folder / "t.toml").write_text(toml(LOOSE, models=models))
    return folder


@pytest.fixture
def folder(scored: Path) -> Iterator[Path]:
    """The same, each file to be put back after the test."""
    before = {file: file.read_bytes() for file in scored.rglob("*") if file.is_file()}
    yield scored
    for file in scored.rglob("*"):
        if file.is_file() and file not in before:
            file.unlink()
    for file, content in before.items():
        file.write_bytes(content)


def options(folder: Path) -> list[str]:
    return [f"--{branch}-model={folder / branch}" for branch in DEMO_FOLDERS]


def exchange(file: Path) -> None:
    """Two outputs change their names: every score is of another class."""
    config = json.loads(file.read_text())
    names = config["id2label"]
    names["0"], names["1"] = names["1"], names["0"]
    file.write_text(json.dumps(config))


def add_key(file: Path) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), "do_normalize": False}))


def add_word(file: Path) -> None:
    words = json.loads(file.read_text())
    words[5], words[6] = words[6], words[5]
    file.write_text(json.dumps(words))


def write_otherwise(file: Path) -> None:
    """The same to whoever reads it: what a file means isn't known here, only what it holds."""
    file.write_text(json.dumps(json.loads(file.read_text()), indent=3))


def appear(file: Path) -> None:
    file.write_text("{}")


CHANGES: dict[str, Callable[[Path], None]] = {
    "speech/config.json": exchange,
    "text/config.json": exchange,
    "speech/preprocessor_config.json": add_key,
    "text/tokenizer.json": write_otherwise,
    "text/tokenizer_config.json": add_key,
    "asr/vocabulary.json": add_word,
    "asr/tokenizer.json": write_otherwise,
    "asr/generation_config.json": appear,
    "text/added_tokens.json": appear,
    "text/vocab.bpe": appear,
    "text/adapter_model.bin": appear,
}


@pytest.mark.parametrize("name", CHANGES)
def test_other_settings_are_another_model(cli: Cli, folder: Path, name: str) -> None:
    branch = name.partition("/")[0]
    CHANGES[name](folder / name)
    table = folder / "s.parquet"
    again = refusal(cli("score", folder / "m.csv", "-o", table, *options(folder)))
    assert f"differs in models.{branch}.settings;" in again
    other = folder / "other.parquet"
    assert cli("score", folder / "m.csv", "-o", other, *options(folder)).exit_code == 0
    applied = refusal(cli("apply", other, "-t", folder / "t.toml"))
    assert f"{branch} model {folder / branch} (settings sha256:" in applied
    assert cli("apply", other, "-t", folder / "t.toml", "--force").exit_code == 0
    gated = refusal(cli("score", folder / "m.csv", *options(folder), "--gate", folder / "t.toml"))
    assert f"{branch} model" in gated and "settings" in gated
    both = refusal(cli("apply", table, other, "-t", folder / "t.toml"))
    assert "scored with different models" in both
    assert "other settings than the table's" in refusal(cli("verify", table))


@pytest.mark.parametrize(
    "name", ["README.md", "README.txt", "LICENSE", "LICENSE.txt", ".gitattributes", "optimizer.pt"]
)
def test_what_decides_nothing_makes_no_other_model(cli: Cli, folder: Path, name: str) -> None:
    for branch in DEMO_FOLDERS:
        (folder / branch / name).write_text("other words")
    done = cli("score", folder / "m.csv", "-o", folder / "s.parquet", *options(folder))
    assert done.exit_code == 0
    assert cli("apply", folder / "s.parquet", "-t", folder / "t.toml").exit_code == 0


def test_tables_and_thresholds_of_before_are_held_against_weights_alone(
    cli: Cli, folder: Path
) -> None:
    made = stored.metadata(folder / "s.parquet")
    for model in made["models"].values():
        del model["settings"]
    old = folder / "old.parquet"
    rows = pl.read_parquet(folder / "s.parquet")
    rows.write_parquet(old, metadata={"emobatch": json.dumps(made)})
    (folder / "old.toml").write_text(toml(LOOSE, models=made["models"]))
    assert cli("apply", old, "-t", folder / "t.toml").exit_code == 0
    assert cli("apply", folder / "s.parquet", "-t", folder / "old.toml").exit_code == 0
    assert cli("score", folder / "m.csv", "-o", old, *options(folder)).exit_code == 0
    assert cli("verify", old).exit_code == 0


def digest(folder: Path, key: str = "digest") -> str | None:
    return Checkpoint("x", folder, None, "--speech-model").provenance()[key]


@pytest.mark.parametrize("name", ["part-of-it.safetensors", "model-00002-of-00002.safetensors"])
def test_weights_are_all_parts_that_an_index_names(tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(DEMO_FOLDER / "speech", tmp_path / "speech"))
    weights = load_file(folder / "model.safetensors")
    whole = digest(folder)
    keys = sorted(weights)
    parts = {"model-00001-of-00002.safetensors": keys[:9], name: keys[9:]}
    (folder / "model.safetensors").unlink()
    for part, names in parts.items():
        save_file({key: weights[key] for key in names}, folder / part, {"format": "pt"})
    where = {key: part for part, names in parts.items() for key in names}
    index = {"metadata": {}, "weight_map": where}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    before, settings = digest(folder), digest(folder, "settings")
    assert before != whole
    with (folder / name).open("ab") as handle:
        handle.write(b"\0")
    assert digest(folder) != before and digest(folder, "settings") == settings


def test_the_digest_of_weights_is_as_it_was() -> None:
    """Thresholds files and tables of before know it."""
    weights = (DEMO_FOLDER / "speech" / "model.safetensors").read_bytes()
    inner = hashlib.sha256(weights).digest()
    assert digest(DEMO_FOLDER / "speech") == f"sha256:{hashlib.sha256(inner).hexdigest()}"


def test_settings_are_every_file_that_decides_and_none_other(tmp_path: Path) -> None:
    names = (
        *("config.json", "tokenizer.json", "bpe.codes", "vocab.txt", "merges.txt"),
        *("adapter_model.safetensors", "model.safetensors", "model.bin", "README.txt"),
    )
    for name in names:
        (tmp_path / name).write_text(name)
    (tmp_path / "sub.json").mkdir()
    found = {asr: [f.name for f in files.settings(tmp_path, asr=asr)] for asr in (False, True)}
    assert found[False] == sorted([*names[:6]])
    (tmp_path / "model.safetensors").unlink()
    assert [f.name for f in files.settings(tmp_path, asr=True)] == ["config.json", "tokenizer.json"]


def test_settings_that_change_places_are_other_settings(tmp_path: Path) -> None:
    checkpoint = Checkpoint("x", tmp_path, None, "--text-model")
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (tmp_path / name).write_text(name)
    before = checkpoint.provenance()["settings"]
    (tmp_path / "config.json").rename(tmp_path / "generation_config.json")
    assert checkpoint.provenance()["settings"] != before


def test_what_lies_in_a_repositorys_folders_is_not_fetched() -> None:
    there = ["config.json", "onnx/config.json", "model.safetensors", "old/model.safetensors"]
    assert files.needed(there, "text") == ["config.json", "model.safetensors"]
