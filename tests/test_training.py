"""Parts of a training: losses by their formulas, batches, checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import load_file
from trainings import corpus, fit, save_base, spare

from emobatch.errors import Interrupted, ResumeError, TrainingError
from emobatch.manifests import clip as clips
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.devices import choose
from emobatch.models.files import RECORD
from emobatch.models.outputs import Outputs
from emobatch.models.speech_classifier import SpeechClassifier
from emobatch.training.batches import Batches, Examples, grouped
from emobatch.training.goals.attributes import Attributes
from emobatch.training.losses.loss import LossOptions
from emobatch.training.losses.registry import LOSSES
from emobatch.training.source import Take

RNG = np.random.default_rng(0)
LOGITS, TARGETS = RNG.normal(0, 2, (9, 3)), RNG.integers(0, 3, 9)
COUNTS = [40, 9, 1]


@pytest.fixture(scope="module", autouse=True)
def spared() -> object:
    with pytest.MonkeyPatch.context() as patch:
        spare(patch)
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_base(tmp_path_factory.mktemp("base") / "base")


@pytest.fixture(scope="module")
def whole(data: Path, base: Path) -> Path:
    """A training that nothing disturbed."""
    return fit(data, data.parent / "whole", base, **LONG)


LONG = {"epochs": 3, "accumulate": 2, "batch": 1.5}


def epochs(folder: Path) -> list[dict[str, float]]:
    return json.loads((folder / RECORD).read_text())["epochs"]


def same_weights(one: Path, other: Path) -> bool:
    mine, theirs = (load_file(folder / "model.safetensors") for folder in (one, other))
    return mine.keys() == theirs.keys() and all(torch.equal(mine[k], theirs[k]) for k in mine)


# Losses


def measured(name: str, **options: object) -> float:
    loss = LOSSES[name].of(LossOptions(COUNTS, **options))  # type: ignore[arg-type]
    return loss(torch.from_numpy(LOGITS), torch.from_numpy(TARGETS)).item()


def probabilities() -> np.ndarray:
    shares = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
    return shares[np.arange(len(TARGETS)), TARGETS]


def balanced() -> np.ndarray:
    return np.array([sum(COUNTS) / (len(COUNTS) * COUNTS[target]) for target in TARGETS])


def test_cross_entropy_is_minus_log_p() -> None:
    assert measured("cross-entropy") == pytest.approx(-np.log(probabilities()).mean())


def test_balanced_cross_entropy_weighs_classes_by_how_rare_they_are() -> None:
    weight = balanced()
    expected = (-weight * np.log(probabilities())).sum() / weight.sum()
    assert measured("cross-entropy", class_weights="balanced") == pytest.approx(expected)


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_focal_is_by_its_formula(gamma: float) -> None:
    p, weight = probabilities(), balanced()
    expected = (-weight * (1 - p) ** gamma * np.log(p)).sum() / weight.sum()
    assert measured("focal", gamma=gamma) == pytest.approx(expected)


@pytest.mark.parametrize("weights", ["balanced", "none"])
def test_focal_with_gamma_0_is_cross_entropy(weights: str) -> None:
    focal = measured("focal", gamma=0.0, class_weights=weights)
    assert focal == pytest.approx(measured("cross-entropy", class_weights=weights))


def concordance(said: np.ndarray, wanted: np.ndarray) -> float:
    covariance = np.cov(said, wanted, bias=True)[0, 1]
    return 2 * covariance / (said.var() + wanted.var() + (said.mean() - wanted.mean()) ** 2)


def test_ccc_is_one_minus_concordance_for_each_attribute() -> None:
    said, wanted = RNG.normal(1, 2, (30, 3)), RNG.normal(0, 1, (30, 3))
    lost = 3 - sum(map(concordance, said.T, wanted.T))
    loss = LOSSES["ccc"].of(LossOptions())
    found = loss(torch.from_numpy(said), torch.from_numpy(wanted)).item()
    assert found == pytest.approx(lost)
    figures = Attributes(("arousal", "valence", "dominance")).figures(said, wanted)
    assert figures["val_loss"] == pytest.approx(lost)


def test_a_model_that_says_the_same_of_all_rows_agrees_with_none() -> None:
    figures = Attributes(("arousal",)).figures(np.ones((4, 1)), np.ones((4, 1)))
    assert figures == {"val_loss": 1.0, "CCC": 0.0}


def test_a_row_alone_in_its_batch_has_a_loss_and_a_gradient() -> None:
    outputs = torch.zeros(1, 2, requires_grad=True)
    LOSSES["ccc"].of(LossOptions())(outputs, torch.ones(1, 2)).backward()
    assert torch.isfinite(outputs.grad).all()


# Batches

LENGTHS = np.random.default_rng(1).integers(1_000, 90_000, 203)


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_no_row_is_seen_twice_in_an_epoch_and_none_is_left_out(processes: int) -> None:
    batches = Batches(LENGTHS, 200_000, 3, processes)
    shares = [batches.epoch(4, process) for process in range(processes)]
    assert [len(share) for share in shares] == [len(batches)] * processes
    seen = np.concatenate([rows for share in shares for rows in share])
    assert sorted(seen.tolist()) == list(range(len(LENGTHS)))


def test_batches_stay_within_their_limit_once_padded_and_are_of_like_length() -> None:
    found = Batches(LENGTHS, 200_000, 3).epoch(0)
    padded = [len(rows) * LENGTHS[rows].max() for rows in found]
    assert max(padded) <= 200_000
    assert LENGTHS.sum() / sum(padded) > 0.85


def test_an_epoch_is_the_same_again_and_the_next_another() -> None:
    def drawn(epoch: int) -> list[list[int]]:
        return [rows.tolist() for rows in Batches(LENGTHS, 200_000, 3).epoch(epoch)]

    assert drawn(1) == drawn(1)
    assert {*map(tuple, drawn(1))} != {*map(tuple, drawn(2))}


def test_a_row_beyond_the_limit_is_alone() -> None:
    found = Batches(np.array([500, 90, 80]), 200, 0).epoch(0)
    assert sorted(rows.tolist() for rows in found) == [[0], [1, 2]]


def test_windows_that_validate_are_each_in_one_batch() -> None:
    takes = [Take(row, 0, int(count)) for row, count in enumerate(LENGTHS)]
    batches = grouped(takes, 200_000)
    assert sorted(take for batch in batches for take in batch) == takes


# Checkpoints


def test_five_interruptions_leave_the_weights_and_figures_as_they_are(
    data: Path, base: Path, whole: Path, tmp_path: Path
) -> None:
    rng, kills, target = np.random.default_rng(5), 0, tmp_path / "killed"

    def run() -> bool:
        nonlocal kills
        left = int(rng.integers(1, 3)) if kills < 5 else -1

        def stop() -> str | None:
            nonlocal left
            if not (tmp_path / "killed.parts" / "audio.json").exists():
                return None  # nothing is trained yet
            left -= 1
            return "interrupted by a test" if left == 0 else None

        try:
            fit(data, target, base, **LONG, stop=stop)
        except Interrupted as end:
            assert "the same command goes on from there" in str(end)
            assert not target.exists()
            kills += 1
            return False
        return True

    while not run():
        pass
    assert kills == 5
    assert same_weights(whole, target)
    mine, theirs = ([{**each, "seconds": 0} for each in epochs(f)] for f in (whole, target))
    assert mine == theirs
    assert not list(tmp_path.glob("*.parts"))


def test_a_signal_while_files_are_decoded_ends_it_before_anything_is_trained(
    data: Path, base: Path, tmp_path: Path
) -> None:
    with pytest.raises(Interrupted, match="interrupted by a test; nothing is trained yet"):
        fit(data, tmp_path / "out", base, stop=_after(3))


def test_each_epoch_draws_its_own_batches(
    data: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    begin = Examples.begin
    monkeypatch.setattr(Examples, "begin", lambda self, n: begun.append(n) or begin(self, n))
    fit(data, tmp_path / "out", base, epochs=3)
    assert begun == [0, 0, 1, 2]


def test_another_seed_gives_other_weights(
    data: Path, base: Path, whole: Path, tmp_path: Path
) -> None:
    assert not same_weights(whole, fit(data, tmp_path / "out", base, **LONG, seed=1))


def test_it_learns_and_keeps_the_best_epoch(data: Path, base: Path, tmp_path: Path) -> None:
    folder = fit(data, tmp_path / "out", base, epochs=8, learning_rate=1e-2, patience=3)
    found, record = epochs(folder), json.loads((folder / RECORD).read_text())
    uas = [epoch["UA"] for epoch in found]
    assert uas[0] < max(uas) >= 75
    assert record["best_epoch"] == uas.index(max(uas)) + 1
    assert len(found) == min(8, record["best_epoch"] + 3)


def scored(folder: Path, samples: list[np.ndarray], outputs: Outputs) -> np.ndarray:
    checkpoint = Checkpoint(str(folder), folder, None, "--speech-model")
    return SpeechClassifier(checkpoint, choose("cpu"), outputs).scores(samples)


FOUR_OUTPUTS = Outputs([0, 1, 2, 3], 4)


def heard(folder: Path, root: Path, paths: pl.Series, outputs: Outputs) -> np.ndarray:
    """What `score`'s own model says of files of under 30 s."""
    windows = [list(clips.audio.read_windows(root / path)) for path in paths]
    return scored(folder, [window for [window] in windows], outputs)


def val_loss(folder: Path, data: Path) -> float:
    """The mean of -log p that `score`'s own model has of the rows that validate."""
    rows = pl.read_csv(data).filter(pl.col("split") == "val")
    found = heard(folder, data.parent, rows["path"], FOUR_OUTPUTS)
    places = [["angry", "happy", "neutral", "sad"].index(label) for label in rows["label"]]
    return float(-np.log(found[np.arange(len(found)), places]).mean())


@pytest.mark.parametrize(
    ("family", "kind"), [("wav2vec2", "ForCTC"), ("hubert", "Model"), ("wavlm", "Model")]
)
def test_scores_of_the_checkpoint_are_those_that_it_was_measured_by(
    data: Path, tmp_path: Path, family: str, kind: str
) -> None:
    base = save_base(tmp_path / "base", family, kind)
    folder = fit(data, tmp_path / "out", base, epochs=1, normalise="train")
    [epoch] = epochs(folder)
    assert val_loss(folder, data) == pytest.approx(epoch["val_loss"], abs=1e-5)


def test_an_attentive_head_says_the_same_when_it_is_loaded_again(
    data: Path, base: Path, tmp_path: Path
) -> None:
    folder = fit(
        data, tmp_path / "out", base, head="attentive", loss="focal", normalise="train", epochs=1
    )
    [epoch] = epochs(folder)
    assert val_loss(folder, data) == pytest.approx(epoch["val_loss"], abs=1e-5)
    even = fit(data, tmp_path / "heavy", base, head="attentive", attention_l2=9.0, epochs=1)
    norms = [
        load_file(f / "model.safetensors")["pool_model.sap_linear.weight"] for f in (folder, even)
    ]
    assert norms[1].norm() < norms[0].norm()


@pytest.mark.parametrize("part", ["convolutions", "encoder"])
def test_what_is_frozen_stays_as_it_is(data: Path, base: Path, tmp_path: Path, part: str) -> None:
    folder = fit(data, tmp_path / "out", base, freeze=part, epochs=1)
    before, after = (load_file(f / "model.safetensors") for f in (base, folder))
    changed = {
        name
        for name, tensor in before.items()
        if not torch.equal(tensor, after[f"wav2vec2.{name}"])
    }
    assert not any(name.startswith("feature_extractor.conv") for name in changed)
    assert bool(changed) == (part == "convolutions")


def test_attributes_are_learned_by_concordance(data: Path, base: Path, tmp_path: Path) -> None:
    rows = pl.read_csv(data)
    numbers = pl.col("label").replace_strict(
        ["angry", "happy", "neutral", "sad"], [7.0, 6.0, 3.0, 1.0], return_dtype=pl.Float64
    )
    wide = rows.with_columns(arousal=numbers, valence=numbers.reverse())
    wide.write_csv(data.parent / "numbers.csv")
    folder = fit(
        data.parent / "numbers.csv",
        tmp_path / "out",
        base,
        attributes=("arousal", "valence"),
        epochs=4,
        learning_rate=1e-2,
    )
    config = json.loads((folder / "config.json").read_text())
    assert config["id2label"] == {"0": "arousal", "1": "valence"}
    found = epochs(folder)
    assert max(each["CCC_arousal"] for each in found) > 0.3
    best = max(found, key=lambda epoch: epoch["CCC"])
    assert best["CCC"] == pytest.approx((best["CCC_arousal"] + best["CCC_valence"]) / 2)
    val = wide.filter(pl.col("split") == "val")
    said = heard(folder, data.parent, val["path"], Outputs([None, None], 0, (0, 1)))
    for place, name in enumerate(("arousal", "valence")):
        ccc = concordance(said[:, place], val[name].to_numpy().astype(np.float32))
        assert ccc == pytest.approx(best[f"CCC_{name}"], abs=1e-5)


def test_a_cache_changes_nothing_and_spares_decoding(
    data: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = fit(data, tmp_path / "plain", base, epochs=1)
    cached = fit(data, tmp_path / "first", base, epochs=1, rows={"cache": tmp_path / "c"})
    assert same_weights(plain, cached)

    def refuse(*_: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr(clips, "read", refuse)
    monkeypatch.setattr("emobatch.manifests.decoder.read", refuse)
    again = fit(data, tmp_path / "again", base, epochs=1, rows={"cache": tmp_path / "c"})
    assert same_weights(plain, again)


def test_long_clips_are_cropped_for_training_and_heard_whole_for_validation(
    base: Path, tmp_path: Path
) -> None:
    manifest = corpus(tmp_path, 8, 4)
    from sounds import save
    from trainings import clip

    for number in (0, 8):
        save(tmp_path / f"{number}.wav", clip("angry", 31.5, number))
    folder = fit(manifest, tmp_path / "out", base, epochs=1, crop=1.0, batch=4.0)
    [epoch] = epochs(folder)
    rows = pl.read_csv(manifest).filter(pl.col("split") == "val")
    lost = []
    for path, label in rows.select("path", "label").rows():
        windows = list(clips.audio.read_windows(tmp_path / path))
        said = np.average(
            scored(folder, windows, FOUR_OUTPUTS), axis=0, weights=[len(each) for each in windows]
        )
        lost.append(-np.log(said[["angry", "happy", "neutral", "sad"].index(label)]))
    assert np.mean(lost) == pytest.approx(epoch["val_loss"], abs=1e-5)


def test_work_of_another_run_is_refused_and_restart_begins_anew(
    data: Path, base: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    stop = _after(34)  # 32 files are decoded, and a step is made
    with pytest.raises(Interrupted):
        fit(data, target, base, stop=stop)
    with pytest.raises(ResumeError, match=r"differs in --seed \(was 0\);"):
        fit(data, target, base, seed=1)
    fit(data, target, base, seed=1, restart=True, epochs=1)
    with pytest.raises(ResumeError, match=r"differs in --epochs \(was 1\);"):
        fit(data, target, base, seed=1)
    fit(data, target, base, restart=True, epochs=1)
    assert json.loads((target / RECORD).read_text())["run"]["options"]["seed"] == 0


def test_a_folder_that_is_no_checkpoint_is_never_replaced(
    data: Path, base: Path, tmp_path: Path
) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("all of it")
    with pytest.raises(ResumeError, match="no folder that `emobatch train` wrote"):
        fit(data, tmp_path / "thesis", base, restart=True)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "all of it"


def test_a_loss_that_is_no_number_ends_it(data: Path, base: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="lower --learning-rate"):
        fit(data, tmp_path / "out", base, learning_rate=1e30, clip=0.0, epochs=30)


def _after(steps: int) -> Callable[[], str | None]:
    left = [steps]

    def stop() -> str | None:
        left[0] -= 1
        return "interrupted by a test" if left[0] == 0 else None

    return stop
