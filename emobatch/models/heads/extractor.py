"""Samples to input by the mean and the deviation of the audio that a model was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import AutoFeatureExtractor, Wav2Vec2FeatureExtractor


def of_folder(folder: Path) -> Any:
    """Load what a checkpoint says of its input.

    Args:
        folder: with ``preprocessor_config.json``.

    Returns:
        A feature extractor of transformers.
    """
    kind: Any = AutoFeatureExtractor
    return kind.from_pretrained(folder, trust_remote_code=False, local_files_only=True)


# Where a `preprocessor_config.json` of transformers says what is subtracted and divided by.
NORMALISE = "emobatch_normalise"


class Extractor:
    """Stands in for a feature extractor of transformers.

    Attributes:
        sampling_rate: of its samples, in Hz.
    """

    sampling_rate = 16_000

    def __init__(self, mean: float, deviation: float) -> None:
        """Begin.

        Args:
            mean: subtracted from samples.
            deviation: that they are then divided by.

        Raises:
            ValueError: if the deviation is no number above 0, or the mean no number.
        """
        if not np.isfinite(mean) or not np.isfinite(deviation) or deviation <= 0:
            raise ValueError(f"its input has a mean of {mean} and a deviation of {deviation}")
        self._mean, self._deviation = mean, deviation
        kind: Any = Wav2Vec2FeatureExtractor
        self._padding = kind(do_normalize=False, return_attention_mask=True)

    def __call__(self, clips: Sequence[NDArray[np.float32]], **options: Any) -> Any:
        """Make input of clips.

        Args:
            clips: each (samples,) float32, full scale ±1.
            options: as of the feature extractors of transformers.

        Returns:
            ``input_values`` (clips, samples) float32, padded with zeros after they were normalised,
            and ``attention_mask`` where it is asked for.
        """
        normal = [((clip - self._mean) / self._deviation).astype(np.float32) for clip in clips]
        return self._padding(normal, **options)


def stored_in(extractor: Any) -> Any:
    """Give what makes input where a feature extractor says that the training audio decides it.

    Args:
        extractor: of transformers, as a folder has it.

    Returns:
        It, or what stands in for it.
    """
    said = getattr(extractor, NORMALISE, None)
    return extractor if said is None else Extractor(said["mean"], said["deviation"])
