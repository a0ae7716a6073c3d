"""Charts that a method may ask for: each kind in a file of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emobatch.registry import Registry

if TYPE_CHECKING:
    from emobatch.reporting.charts.kind import ChartKind

# A new kind is a file and a line here.
CHARTS: Registry[type[ChartKind]] = Registry(
    "kind of chart",
    {"detection-surface": "emobatch.reporting.charts.detection_surface:DetectionSurface"},
)
