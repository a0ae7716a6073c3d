"""Early fusion: neither branch suffices; order, batches and threads make no difference."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from click.testing import Result
from embedded import embeddings, exclusive_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from emobatch.fusion.early.method import Early
from emobatch.fusion.early.network import MOST_HIDDEN, MOST_INPUT, Network, grained
from emobatch.fusion.early.training import Sample, _Run, train
from emobatch.tables import writing
from emobatch.tasks.task import Task

Cli = Callable[..., Result]
TASK = Task.of(["calm", "tense"])
STARTS = ("cold", "pretrained", "warm")
LEARNT, TESTED = "speaker NOT IN ('s6', 's7')", "speaker IN ('s6', 's7')"


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    return exclusive_rows(each=28, noise=0.2)


@pytest.fixture
def table(rows: pl.DataFrame, tmp_path: Path) -> Path:
    return written(rows, tmp_path)


def written(rows: pl.DataFrame, folder: Path, name: str = "scores") -> Path:
    file = folder / f"{name}.parquet"
    rows.write_parquet(file)
    return file


def calibrated(cli: Cli, table: Path, *options: object, name: str = "early.toml") -> Path:
    target = table.parent / name
    result = cli("calibrate", table, "--method", "early", *options, "-o", target)
    assert result.exit_code == 0, result.stderr
    return target


def applied(cli: Cli, table: Path, fitted: Path, *options: object) -> pl.DataFrame:
    target = table.parent / "final.parquet"
    result = cli("apply", table, "-t", fitted, *options, "-o", target)
    assert result.exit_code == 0, result.stderr
    return pl.read_parquet(target)


def found(rows: pl.DataFrame) -> float:
    """Share of rows whose final emotion is their label."""
    return float((rows["label"] == rows["emotion"]).mean())  # type: ignore[arg-type]


def by_sound(rows: pl.DataFrame) -> pl.DataFrame:
    """The same with classes that are heard, which a few epochs learn."""
    heard = rows["speech_embedding"].to_numpy()
    tense = heard @ heard[0] > 0
    return rows.with_columns(label=pl.Series(np.where(tense, "tense", "calm")))


def without(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    return rows.with_columns(pl.lit(None, dtype=rows.schema[column]).alias(column))


@pytest.fixture(scope="module")
def fitted(rows: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from click.testing import CliRunner

    from emobatch.cli.main import main

    folder = tmp_path_factory.mktemp("fitted")
    table, target = written(rows, folder), folder / "early.toml"
    arguments = ["calibrate", str(table), "--method", "early", "--where", LEARNT]
    result = CliRunner().invoke(main, [*arguments, "-o", str(target)])
    assert result.exit_code == 0, result.stderr
    return target


@pytest.fixture(scope="module")
def alone(rows: pl.DataFrame) -> float:
    """What the better of both branches finds by itself: the other says the same of every row."""
    shares = []
    for column in ("speech_embedding", "text_embedding"):
        one = rows.with_columns(embeddings(np.zeros((len(rows), 6))).alias(column))
        test = one["speaker"].is_in(["s6", "s7"])
        method = Early.fit(one.filter(~test), TASK)
        shares.append(found(method.decide(one.filter(test).lazy()).collect()))
    return max(shares)


@pytest.mark.parametrize("start", STARTS)
def test_every_start_beats_both_branches(cli: Cli, table: Path, start: str, alone: float) -> None:
    target = calibrated(cli, table, "--start", start, "--where", LEARNT)
    assert tomllib.loads(target.read_text())["early"]["start"] == start
    final = applied(cli, table, target, "--where", TESTED)
    assert found(final) > 0.95
    assert alone < 0.65


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training of a few epochs, where nothing has to be learnt."""
    monkeypatch.setattr("emobatch.fusion.early.training.MOST_EPOCHS", 5)


@pytest.mark.usefixtures("brief")
def test_inputs_that_were_trained_first_stay_as_they_were(rows: pl.DataFrame) -> None:
    for start, same in (("pretrained", True), ("warm", False)):
        networks = Early.fit(by_sound(rows), TASK, start=start).fitted.networks
        one, other = (networks[name].branches["speech"].weights for name in ("both", "no-text"))
        assert np.array_equal(one, other) is same


@pytest.mark.usefixtures("brief")
def test_neither_the_order_of_rows_nor_threads_matter(
    cli: Cli, rows: pl.DataFrame, tmp_path: Path
) -> None:
    before, rows = torch.get_num_threads(), by_sound(rows)
    numbers = set()
    try:
        for name, threads in (("one", before), ("other", before + 2)):
            torch.set_num_threads(threads)
            file = written(rows, tmp_path, name)
            fitted = calibrated(cli, file, "--start", "warm", name=f"{name}.toml")
            assert torch.get_num_threads() == threads  # whoever calls keeps what they had
            numbers.add(fitted.with_suffix(".safetensors").read_bytes())
            rows = rows.sample(fraction=1, shuffle=True, seed=1)
    finally:
        torch.set_num_threads(before)
    assert len(numbers) == 1


def test_a_row_is_decided_the_same_whatever_is_beside_it(
    cli: Cli, rows: pl.DataFrame, table: Path, fitted: Path
) -> None:
    whole = applied(cli, table, fitted)
    backwards = applied(cli, written(rows.reverse(), table.parent, "backwards"), fitted)
    assert backwards.reverse().equals(whole)
    alone = [applied(cli, table, fitted, "--where", f"id = '{row:04}'") for row in (0, 7, 223)]
    assert pl.concat(alone).equals(whole[[0, 7, 223]])
    assert np.allclose(whole.select("final_calm", "final_tense").sum_horizontal(), 1)


def test_what_becomes_of_rows_that_lack_an_embedding(
    cli: Cli, rows: pl.DataFrame, table: Path, fitted: Path
) -> None:
    whole = applied(cli, table, fitted)
    assert whole["decided_by"].unique().to_list() == ["fusion"]
    silent = applied(cli, written(without(rows, "text_embedding"), table.parent), fitted)
    assert silent["decided_by"].unique().to_list() == ["no-text"]
    assert not silent["final_calm"].equals(whole["final_calm"])
    unheard = applied(cli, written(without(rows, "speech_embedding"), table.parent), fitted)
    assert unheard["decided_by"].unique().to_list() == ["speech"]
    assert unheard["final_calm"].to_list() == pytest.approx(rows["speech_calm"].to_list())
    failed = rows
    for column in ("speech_calm", "speech_tense", "speech_embedding", "text_embedding"):
        failed = without(failed[:1], column)
    both = applied(cli, written(pl.concat([failed, rows[1:]]), table.parent), fitted)
    assert both.row(0)[-2:] == (None, None)
    assert both[1:].equals(whole[1:])
    broken = rows["speech_embedding"].to_numpy().copy()
    broken[0, 3] = np.nan
    odd = rows.with_columns(speech_embedding=embeddings(broken))
    odd = applied(cli, written(odd, table.parent), fitted)
    assert odd["decided_by"].to_list()[:2] == ["speech", "fusion"]


def test_rows_without_text_are_learnt_from_as_such(
    cli: Cli, rows: pl.DataFrame, table: Path
) -> None:
    # Where a row has no text, its class is what is heard.
    quiet, label = np.arange(len(rows)) % 2 == 0, by_sound(rows)["label"]
    mixed = rows.with_columns(
        label=pl.when(pl.Series(quiet)).then(label).otherwise("label"),
        text_embedding=pl.when(pl.Series(~quiet)).then("text_embedding"),
    )
    target = calibrated(cli, written(mixed, table.parent), "--where", LEARNT)
    decided = applied(cli, table, target, "--where", TESTED)
    assert found(decided.filter(decided["decided_by"] == "no-text")) > 0.6


def test_text_of_some_speakers_alone_is_learnt_from(
    cli: Cli, rows: pl.DataFrame, table: Path
) -> None:
    # s0 would tell when to stop, and says nothing: what joins both would never be learnt.
    some = rows.with_columns(
        text_embedding=pl.when(pl.col("speaker") != "s0").then("text_embedding")
    )
    target = table.with_name("some.toml")
    file = written(some, table.parent, "some")
    fit = ("calibrate", file, "--method", "early", "--where", LEARNT, "-o", target)
    result = cli(*fit)
    assert result.exit_code == 0 and "only some have text" in result.stderr
    assert found(applied(cli, table, target, "--where", TESTED)) > 0.9


def test_the_numbers_stand_beside_the_file_and_are_checked(
    cli: Cli, table: Path, fitted: Path
) -> None:
    document = tomllib.loads(fitted.read_text())
    assert document["arrays"]["file"] == "early.safetensors"
    toml, beside = (table.parent / name for name in ("early.toml", "early.safetensors"))
    toml.write_bytes(fitted.read_bytes())
    missing = cli("apply", table, "-t", toml)
    assert missing.exit_code == 1 and "move both files together" in missing.stderr
    content = bytearray(fitted.with_suffix(".safetensors").read_bytes())
    content[-1] ^= 1
    beside.write_bytes(content)
    changed = cli("apply", table, "-t", toml)
    assert changed.exit_code == 1 and "other arrays" in changed.stderr
    toml.write_text(fitted.read_text().replace('"early.safetensors"', '"../early.safetensors"'))
    outside = cli("apply", table, "-t", toml)
    assert outside.exit_code == 1 and "beside it" in outside.stderr
    nowhere = cli("calibrate", table, "--method", "early")
    assert nowhere.exit_code == 1 and "name one with -o" in nowhere.stderr


def test_tables_that_do_not_fit_are_refused(
    cli: Cli, rows: pl.DataFrame, table: Path, fitted: Path
) -> None:
    wide = rows.with_columns(text_embedding=embeddings(np.zeros((len(rows), 9))))
    refused = cli("apply", written(wide, table.parent, "wide"), "-t", fitted)
    assert refused.exit_code == 1
    assert "'text_embedding' has 9 numbers a row, the method was fitted on 6" in refused.stderr
    bare = written(rows.drop("text_embedding"), table.parent, "bare")
    fit = ("calibrate", "--method", "early", "-o", table.parent / "t.toml")
    for command in (fit, ("apply", "-t", fitted)):
        refused = cli(*command, bare)
        assert refused.exit_code == 1 and "no column 'text_embedding'" in refused.stderr
    few = cli(*fit, table, "--where", "id < '0005'")
    assert few.exit_code == 1 and "label more rows" in few.stderr


@pytest.mark.usefixtures("brief")
def test_embeddings_of_another_layer_are_refused(
    cli: Cli, rows: pl.DataFrame, tmp_path: Path
) -> None:
    for name, layer in (("last", None), ("ninth", 9)):
        made = {
            **{"models": {"speech": {"name": "a"}}, "options": {"layer": layer}},
            "task": TASK.as_dict(),
        }
        writing.write(rows[:60].lazy(), tmp_path / f"{name}.parquet", made)
    fitted = calibrated(cli, tmp_path / "ninth.parquet")
    assert tomllib.loads(fitted.read_text())["fitted"]["scored_with"] == {"layer": 9}
    assert applied(cli, tmp_path / "ninth.parquet", fitted)["emotion"].null_count() == 0
    refused = cli("apply", tmp_path / "last.parquet", "-t", fitted)
    assert refused.exit_code == 1 and "with --layer 9, and here it is left out" in refused.stderr
    assert len(applied(cli, tmp_path / "last.parquet", fitted, "--force")) == 60


def test_features_are_a_third_input(cli: Cli, rows: pl.DataFrame, table: Path) -> None:
    random = np.random.default_rng(7)
    bit = random.integers(0, 2, len(rows))
    three = rows.with_columns(
        label=pl.Series(np.where(bit, "calm", "tense")),
        toy_a=pl.Series(2.0 * bit),
        toy_b=pl.Series([None, *random.normal(size=len(rows) - 1)]),
    )
    file = written(three, table.parent, "three")
    options = ("--where", LEARNT, "--start", "pretrained")
    target = calibrated(cli, file, "--features", "toy", *options)
    assert tomllib.loads(target.read_text())["early"]["columns"]["features"] == ["toy_a", "toy_b"]
    with_features = found(applied(cli, file, target, "--where", TESTED))
    assert with_features > 0.95  # nothing else has to do with the label
    lacking = cli("apply", table, "-t", target)
    assert lacking.exit_code == 1 and "no column 'toy_a'" in lacking.stderr
    unknown = cli("calibrate", file, "--method", "early", "--features", "tony", "-o", target)
    assert unknown.exit_code == 1 and "no column of that name" in unknown.stderr


def test_folds_of_speakers_and_scripts_show_what_leaks(cli: Cli, tmp_path: Path) -> None:
    # What is said is the script's; each script has a label of its own.
    rows = exclusive_rows(speakers=6, each=30)
    random = np.random.default_rng(0)
    scripts = [f"t{number // 6 % 6}" for number in range(len(rows))]
    vectors = {name: random.normal(size=12) for name in sorted(set(scripts))}
    said = np.stack([vectors[name] for name in scripts])
    planted = rows.with_columns(
        script=pl.Series(scripts),
        label=pl.Series(["calm" if int(name[1]) % 2 else "tense" for name in scripts]),
        text_embedding=embeddings(said + random.normal(scale=0.1, size=said.shape)),
    )
    table = written(planted, tmp_path)
    gains = {}
    for scheme in ("speaker", "speaker+script"):
        divided = tmp_path / f"{scheme}.parquet"
        assert cli("folds", table, "--scheme", scheme, "--groups", 3, "-o", divided).exit_code == 0
        few = ("--where", "fold = 1")
        result = cli("crossval", divided, "--method", "early", *few, "--json")
        assert result.exit_code == 0, result.stderr
        gains[scheme] = json.loads(result.stdout)["methods"]["early"]["UA"]["mean"]
    assert gains["speaker"] > 90
    assert gains["speaker+script"] < 70


def test_folds_keep_their_numbers_beside_their_files(
    cli: Cli, table: Path, rows: pl.DataFrame
) -> None:
    folder = table.parent / "folds"
    small = written(rows.with_columns(half=pl.int_range(pl.len()) % 2), table.parent, "small")
    options = ("--by", "half", "--method", "early,speech", "--thresholds-out", folder)
    result = cli("crossval", small, *options, "--control", "--json")
    assert result.exit_code == 0, result.stderr
    gain = json.loads(result.stdout)["control"]["methods"]["early"]["UA"]
    assert gain["gain"] > 30 and abs(gain["shuffled"]["mean"]) < 10  # it goes by text
    names = {file.name for file in folder.iterdir()}
    assert {"half_0_early.toml", "half_0_early.safetensors"} < names
    assert (
        cli("apply", small, "-t", folder / "half_1_early.toml").exit_code == 1
    )  # CSV has no place
    assert applied(cli, small, folder / "half_1_early.toml")["emotion"].null_count() == 0


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 40))
def test_figures_of_a_row_are_exact(seed: int, count: int, width: int) -> None:
    random = np.random.default_rng(seed)
    network = Network.drawn({"speech": width}, 3, random).grained()
    assert network.fault({"speech": width}, 3) is None
    values = grained(random.normal(scale=20, size=(count, width)), MOST_INPUT)
    whole = network.logits({"speech": values})
    order = random.permutation(count)
    assert np.array_equal(network.logits({"speech": values[order]}), whole[order])
    one = int(order[0])
    assert np.array_equal(network.logits({"speech": values[one : one + 1]})[0], whole[one])
    # Against sums that are taken one after the other.
    hidden = values[one]
    for layer in network.layers().values():
        products = (hidden[:, None] * layer.weights).tolist()
        sums = [sum(column) for column in zip(layer.offsets, *products, strict=True)]
        hidden = grained(np.maximum(np.array(sums), 0), MOST_HIDDEN)
    assert sums == whole[one].tolist()


@settings(max_examples=10)
@given(st.integers(0, 1000))
def test_the_loss_weighs_rows(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels, weights = random.integers(0, 3, 12), random.uniform(0.1, 2, 12)
    values = {"speech": grained(random.normal(size=(12, 4)), 32).astype(np.float32)}
    sample = Sample(values, labels, weights, np.ones(12, bool))
    network = Network.drawn({"speech": 4}, 3, random).grained()
    parameters = {
        (name, part): torch.tensor(getattr(layer, part))
        for name, layer in network.layers().items()
        for part in ("weights", "offsets")
    }
    logits = network.logits(values)
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    expected = -(weights * logs[np.arange(12), labels]).sum() / weights.sum()
    assert _Run(sample, ("speech",), parameters).loss() == pytest.approx(expected, abs=1e-3)


def test_training_stops_where_other_speakers_gain_nothing() -> None:
    random = np.random.default_rng(0)
    values = {"speech": random.normal(size=(120, 4)).astype(np.float32)}
    labels = random.integers(0, 2, 120)  # noise: nothing to learn
    sample = Sample(values, labels, np.ones(120), np.arange(120) % 3 == 0)
    begun = Network.drawn({"speech": 4}, 2, random)
    kept, epochs = train(begun, sample, random)
    assert epochs < 60
    flat, _ = train(kept, sample, np.random.default_rng(1))
    assert flat.output.weights.shape == (32, 2)
