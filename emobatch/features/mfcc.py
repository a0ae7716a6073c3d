"""Means of 39 mel-frequency cepstral coefficients, by librosa."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from emobatch.features.feature_set import FeatureSet
from emobatch.manifests.audio import SAMPLE_RATE
from emobatch.manifests.blocks import Samples

COUNT = 39
LIBROSA = "pip install 'emobatch[librosa]'"


class Mfcc(FeatureSet):
    """39 coefficients of librosa's defaults (windows of 2048 samples, 512 apart), each its mean."""

    name = "mfcc"
    title = "39 MFCC, mean over time"
    library = "librosa"
    remedy = LIBROSA

    def load(self) -> None:
        """Import librosa."""
        import librosa

        self._mfcc = librosa.feature.mfcc

    @property
    def features(self) -> Sequence[str]:
        """Numbers from 1, the first of which goes with loudness."""
        return [str(number + 1) for number in range(COUNT)]

    def values(self, samples: Samples) -> Sequence[float]:
        """Compute the means of a clip."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of clips shorter than a window
            found = self._mfcc(y=samples, sr=SAMPLE_RATE, n_mfcc=COUNT)
        return [float(value) for value in found.mean(axis=1, dtype=np.float64)]
