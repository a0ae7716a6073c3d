"""What a user chooses of models and options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from emobatch import checkpoints
from emobatch.checkpoints import DEMO, Checkpoint
from emobatch.cleaning import STEPS, parse_steps
from emobatch.errors import EmobatchError
from emobatch.labels import EMOTIONS, SENTIMENTS, parse_label_map

# Models that go together, by the branch.
MODEL_SETS: Mapping[str, Mapping[str, str]] = {
    "published": {
        "speech": "superb/wav2vec2-base-superb-er",
        "asr": "large-v3",
        "sentiment": "cardiffnlp/twitter-xlm-roberta-base-sentiment",
    },
    DEMO: {"speech": DEMO, "asr": DEMO, "sentiment": DEMO},
}


@dataclass(frozen=True)
class Choice:
    """What the user chose of models and options.

    Attributes:
        models: the set that models which aren't named come from.
        speech_model: hub name or folder.
        asr_model: hub name, size or folder.
        sentiment_model: hub name or folder.
        device: ``auto``, ``cuda``, ``mps`` or ``cpu``.
        language: two-letter code, or ``auto``.
        beam_size: of the recogniser, 1 is greedy.
        asr_context: ``full``, the 30 s that Whisper was trained on, or ``fit`` to the clip.
        precision: see :func:`emobatch.devices.choose`.
        clean: cleaning steps as written on the command line.
        label_map: ``NAME=CLASS`` pairs for the speech model's labels.
        sentiment_label_map: the same for the sentiment model's.
        batch_seconds: padded audio to a batch, in seconds; None leaves it to the device.
        decode_timeout: seconds to wait for more of a file before its row fails.
        offline: look only at what is on this machine.
        gate: thresholds file; the text branch is only consulted where these could need it.
    """

    models: str = "published"
    speech_model: str | None = None
    asr_model: str | None = None
    sentiment_model: str | None = None
    device: str = "auto"
    language: str = "en"
    beam_size: int = 1
    asr_context: str = "full"
    precision: str = "auto"
    clean: str = ",".join(STEPS)
    label_map: tuple[str, ...] = ()
    sentiment_label_map: tuple[str, ...] = ()
    batch_seconds: float | None = None
    decode_timeout: float = 120.0
    offline: bool = False
    gate: Path | None = None

    def __post_init__(self) -> None:
        """Refuse options that make no sense, before anything slow begins.

        Raises:
            EmobatchError: names the option.
        """
        parse_steps(self.clean)
        parse_label_map(self.label_map, EMOTIONS)
        parse_label_map(self.sentiment_label_map, SENTIMENTS)
        for option, seconds in (
            ("--batch-seconds", self.batch_seconds),
            ("--decode-timeout", self.decode_timeout),
        ):
            if seconds is not None and not 0 < seconds < float("inf"):
                raise EmobatchError(f"{option} {seconds:g}: give a number above 0")

    def find_checkpoints(self) -> dict[str, Checkpoint]:
        """Find all checkpoints, fetching them if need be, before any is loaded.

        Returns:
            Checkpoint by branch: ``speech``, ``asr`` and ``sentiment``.

        Raises:
            CheckpointError: if one can't be had.
        """
        named = {
            "speech": self.speech_model,
            "asr": self.asr_model,
            "sentiment": self.sentiment_model,
        }
        return {
            branch: checkpoints.find(
                name or MODEL_SETS[self.models][branch], branch, offline=self.offline
            )
            for branch, name in named.items()
        }
