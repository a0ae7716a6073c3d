"""What saved work of another run is refused by: the option, and what it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from emobatch.errors import ResumeError
from emobatch.scoring.other_run import refuse_other

SPEECH = {"name": "demo", "digest": "1"}
TRAINED = {"branch": "text", "crop": 128, "batch": 2048.0, "processes": 1}


@pytest.mark.parametrize(
    ("saved", "wanted", "said"),
    [
        ({"task": {"classes": ["a", "b"]}}, {"task": {"classes": ["a"]}}, "--classes (was a,b)"),
        (
            {"task": {"classes": ["a", "b"], "sentiments": {"a": []}}},
            {"task": {"classes": ["a", "c"], "sentiments": {}}},
            "--classes (was a,b)",
        ),
        ({"options": {"prosody": True}}, {"options": {"prosody": None}}, "--prosody (was given)"),
        ({"options": {"gate": "1f"}}, {"options": {"gate": "2e"}}, "--gate"),
        (
            {"models": {"speech": SPEECH}},
            {"models": {"speech": {"name": "other", "digest": "2"}}},
            "--speech-model (was demo)",
        ),
        (
            {"models": {"speech": SPEECH}},
            {"models": {"speech": {**SPEECH, "digest": "2"}}},
            "models.speech.digest",
        ),
        (
            {"options": {"device": "cpu", "asr_device": "cpu", "chunk_rows": 64}},
            {"options": {"device": "cuda", "asr_device": "cuda", "chunk_rows": 256}},
            "--device (was cpu)",
        ),
        ({"options": {"chunk_rows": 64}}, {"options": {"chunk_rows": 9}}, "options.chunk_rows"),
        (
            {"base": {"name": "a", "digest": "1"}, "options": TRAINED},
            {
                "base": {"name": "b", "digest": "2"},
                "options": {**TRAINED, "crop": 64, "batch": 9.0, "processes": 2},
            },
            "--base (was a), --max-tokens (was 128), --batch-tokens (was 2048.0), "
            "options.processes",
        ),
        ({"models": {"emotional": SPEECH}}, {"models": {}}, "--emotional-model"),
        (
            {"models": {"asr": SPEECH}, "options": {"text": None}},
            {"models": {}, "options": {"text": "none"}},
            "--text (was its default)",
        ),
        ({"manifest": "1"}, {"manifest": "2"}, "manifest"),
    ],
)
def test_it_is_named_as_on_the_command_line(
    saved: dict[str, Any], wanted: dict[str, Any], said: str
) -> None:
    refuse_other(Path("s.csv"), saved, saved)
    with pytest.raises(ResumeError) as error:
        refuse_other(Path("s.csv"), saved, wanted)
    assert f"s.csv: holds work of a run that differs in {said}; " in str(error.value)
