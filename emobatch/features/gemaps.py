"""GeMAPS and eGeMAPS functionals, by openSMILE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from emobatch.features.feature_set import FeatureSet
from emobatch.manifests.audio import SAMPLE_RATE
from emobatch.manifests.blocks import Samples


class Gemaps(FeatureSet):
    """The 62 functionals of the Geneva Minimalistic Acoustic Parameter Set, version 01b.

    Eyben et al., *The Geneva Minimalistic Acoustic Parameter Set (GeMAPS) for Voice Research and
    Affective Computing* (2016).
    """

    name = "gemaps"
    title = "GeMAPS v01b, 62 functionals"
    library = "opensmile"
    remedy = "pip install 'emobatch[features]', and see its licence in docs/features.md"
    note = (
        "openSMILE computes these; its licence (audEERING Research License) allows research and "
        "personal use, and no use in commercial products without audEERING's leave"
    )
    of_library: ClassVar[str] = "GeMAPSv01b"

    def load(self) -> None:
        """Import openSMILE and configure it."""
        import opensmile

        self._smile: Any = opensmile.Smile(
            feature_set=getattr(opensmile.FeatureSet, self.of_library),
            feature_level=opensmile.FeatureLevel.Functionals,
        )

    @property
    def features(self) -> Sequence[str]:
        """Names as openSMILE has them."""
        return list(self._smile.feature_names)

    def values(self, samples: Samples) -> Sequence[float]:
        """Compute the functionals of a clip."""
        found = self._smile.process_signal(samples, SAMPLE_RATE)
        return [float(value) for value in np.ravel(found.to_numpy())]


class ExtendedGemaps(Gemaps):
    """The 88 functionals of the extended set, version 02."""

    name = "egemaps"
    title = "eGeMAPS v02, 88 functionals"
    of_library = "eGeMAPSv02"
