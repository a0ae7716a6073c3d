"""The sets of features there are. A new one is a file and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emobatch.registry import Registry

if TYPE_CHECKING:
    from emobatch.features.feature_set import FeatureSet

FEATURE_SETS: Registry[type[FeatureSet]] = Registry(
    "set of features",
    {
        "egemaps": "emobatch.features.gemaps:ExtendedGemaps",
        "gemaps": "emobatch.features.gemaps:Gemaps",
        "mfcc": "emobatch.features.mfcc:Mfcc",
        "handcrafted": "emobatch.features.handcrafted:Handcrafted",
    },
)
