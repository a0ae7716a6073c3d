"""All losses by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emobatch.registry import Registry

# Help texts list the names; what a loss is they needn't import.
if TYPE_CHECKING:
    from emobatch.training.losses.loss import Loss

LOSSES: Registry[type[Loss]] = Registry(
    "loss",
    {
        "cross-entropy": "emobatch.training.losses.cross_entropy:CrossEntropy",
        "focal": "emobatch.training.losses.focal:Focal",
        "ccc": "emobatch.training.losses.ccc:Concordance",
    },
)
# Unless the user says, by whether categories or attributes are learned.
OF_CATEGORIES, OF_ATTRIBUTES = "cross-entropy", "ccc"
