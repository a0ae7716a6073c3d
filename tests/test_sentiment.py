"""The sentiment model against `transformers` run on each text alone."""

from __future__ import annotations

from pathlib import Path

import alone
import numpy as np
import pytest
from checkpoints import TEXT, save_sentiment

from emobatch.errors import LabelError
from emobatch.models import devices
from emobatch.models.checkpoints import Checkpoint
from emobatch.scorers.sentiment import SentimentClassifier

TEXTS = [*TEXT, "no", "sad " * 200, "zürich 漢字"]


def classifier(folder: Path, **label_map: str) -> SentimentClassifier:
    return SentimentClassifier(
        Checkpoint(str(folder), folder, None, "--sentiment-model"), devices.choose("cpu"), label_map
    )


def test_a_batch_scores_as_each_text_alone(models: dict[str, Path]) -> None:
    folder = models["sentiment"]
    single = alone.sentiment(folder, TEXTS)
    batch = classifier(folder).scores(TEXTS)
    assert np.std(single, axis=0).max() > 0.05
    np.testing.assert_allclose(batch, single, atol=1e-5)


def test_numbered_labels_are_refused_and_can_be_named(tmp_path: Path) -> None:
    folder = save_sentiment(tmp_path / "numbered", ("LABEL_0", "LABEL_1", "LABEL_2"))
    with pytest.raises(LabelError, match="--sentiment-label-map"):
        classifier(folder)
    named = classifier(folder, label_0="positive", label_1="neutral", label_2="negative")
    plain = classifier(save_sentiment(tmp_path / "plain"))
    np.testing.assert_array_equal(named.scores(TEXTS), plain.scores(TEXTS)[:, ::-1])
