"""All forms of segments, by how files of them end."""

from __future__ import annotations

from emobatch.manifests.segments.form import Form
from emobatch.registry import Registry

_HOME = "emobatch.manifests.segments"
FORMS: Registry[type[Form]] = Registry(
    "form of segments",
    {
        ".rttm": f"{_HOME}.rttm:Rttm",
        ".srt": f"{_HOME}.srt:Srt",
        ".ctm": f"{_HOME}.ctm:Ctm",
        ".textgrid": f"{_HOME}.textgrid:TextGrid",
        ".json": f"{_HOME}.whisperx:WhisperX",
    },
)
