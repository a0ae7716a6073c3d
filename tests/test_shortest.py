"""Clips, and last windows of recordings, that are too short for a speech model's convolutions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
import transformers
from checkpoints import save_speech
from sounds import save, tone
from trainings import corpus, fit, save_base, spare

import emobatch
from emobatch.errors import OptionError
from emobatch.models.shortest import fewest_samples

RATE = 16_000
# Of the demo's speech model.
DEMO = 950
SCORES = r"^speech_(angry|happy|neutral|sad|embedding)$"
# Three convolutions that need 685 samples.
KERNELS = (10, 16, 16)
TINY = {
    **{"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "num_labels": 2},
    **{"intermediate_size": 16, "conv_dim": (8, 8, 8), "conv_kernel": KERNELS},
    **{"conv_stride": (5, 8, 4), "num_conv_pos_embedding_groups": 2, "num_conv_pos_embeddings": 8},
}


@pytest.mark.parametrize("family", ["Wav2Vec2", "Hubert", "WavLM", "SEW"])
def test_a_model_takes_what_it_is_said_to_take_and_not_a_sample_less(family: str) -> None:
    config = getattr(transformers, f"{family}Config")(**TINY)
    model = getattr(transformers, f"{family}ForSequenceClassification")(config).eval()
    fewest = fewest_samples(config)
    assert fewest == (845 if family == "SEW" else 685)
    assert model(torch.zeros(1, fewest)).logits.isfinite().all()
    with pytest.raises(RuntimeError, match="size"):
        model(torch.zeros(1, fewest - 1))


def test_whole_recordings_are_not_lost_for_their_last_milliseconds(tmp_path: Path) -> None:
    attributes = save_speech(tmp_path / "a", labels=("arousal", "dominance", "valence"))
    scorer = emobatch.Scorer(
        models="demo",
        attribute_model=str(attributes),
        text="none",
        embeddings="speech",
        device="cpu",
    )
    whole = tone(30.0)
    rest = tone(DEMO / RATE, hertz=900)
    clips = [whole, np.append(whole, rest[:-1]), np.append(whole, rest), rest[:-1], rest]
    found = scorer.score([(clip.astype(np.float32), RATE) for clip in clips])
    assert found["status"].to_list() == ["ok", "ok", "ok", "error", "ok"]
    cause = "audio: too short: 949 samples at 16 kHz, the speech model needs 950"
    assert found["error"][3] == f"{cause}: array 3"
    alone = found.select(pl.col(SCORES))
    assert alone[1].equals(alone[0]) and not alone[2].equals(alone[0])
    # The attribute model needs no more than 400 samples, and hears the rest.
    assert found["speech_arousal"].n_unique() == 5


def test_a_training_hears_what_score_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spare(monkeypatch)
    manifest = corpus(tmp_path, 8, 4)
    save(tmp_path / "0.wav", tone(684 / RATE))
    save(tmp_path / "8.wav", tone(30 + 684 / RATE))
    save(tmp_path / "9.wav", tone(685 / RATE))
    save(tmp_path / "10.wav", tone(684 / RATE))
    base = save_base(tmp_path / "base", kernels=KERNELS)
    with pytest.raises(OptionError, match=r"--crop-seconds 0\.03: .* 685 .*; give 0\.043 or more"):
        fit(manifest, tmp_path / "out", base, crop=0.03)
    fit(manifest, tmp_path / "out", base, epochs=1, crop=0.043)
    scorer = emobatch.Scorer(
        models="demo", speech_model=str(tmp_path / "out"), text="none", device="cpu", root=tmp_path
    )
    scores = scorer.score(pl.read_csv(manifest).filter(split="val"))
    assert scores["status"].to_list() == ["ok", "ok", "error", "ok"]
    said = [row[f"speech_{row['label']}"] for row in scores.iter_rows(named=True)]
    lost = -np.log([probability for probability in said if probability is not None]).mean()
    [epoch] = pl.read_csv(tmp_path / "out" / "history.csv").to_dicts()
    assert epoch["val_loss"] == pytest.approx(lost, abs=1e-5)
