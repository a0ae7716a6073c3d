"""What no file of a corpus says of it: ``corpora.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Facts:
    """What is known of a corpus; empty where it isn't.

    Attributes:
        title: its name in full.
        languages: codes of what is spoken.
        licence: what may be done with it.
        home: where it is to be had.
        citation: who made it.
        size: how large it is, in words.
        source: where the counts are from.
        rows: how many utterances there are.
        speakers: how many people speak.
        labels: utterances by label.
    """

    title: str
    languages: tuple[str, ...]
    licence: str = ""
    home: str = ""
    citation: str = ""
    size: str = ""
    source: str = ""
    rows: int | None = None
    speakers: int | None = None
    labels: Mapping[str, int] = field(default_factory=dict)


@cache
def all_facts() -> Mapping[str, Facts]:
    """Read all there is.

    Returns:
        What is known, by the corpus's name.

    Examples:
        >>> all_facts()["emodb"].rows
        535
    """
    text = files("emobatch.manifests.corpora").joinpath("corpora.toml").read_text("utf-8")
    return {
        name: Facts(**{**found, "languages": tuple(found["languages"])})
        for name, found in tomllib.loads(text).items()
    }
