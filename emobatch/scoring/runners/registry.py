"""All runners, by what ``--engine`` calls them."""

from __future__ import annotations

from emobatch.registry import Registry
from emobatch.scoring.runners.runner import Runner

DEFAULT = "local"
RUNNERS: Registry[type[Runner]] = Registry(
    "engine",
    {
        DEFAULT: "emobatch.scoring.runners.local:LocalRunner",
        "ray": "emobatch.scoring.runners.ray:RayRunner",
    },
)
