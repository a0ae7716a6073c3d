"""What a user chooses of models and options."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from emobatch.errors import CheckpointError, EmobatchError, HubUnreachable
from emobatch.models import checkpoints, hub
from emobatch.models.checkpoints import MODEL_SETS, PUBLISHED, Checkpoint
from emobatch.scorers.cleaning import STEPS, parse_steps
from emobatch.tasks.labels import EMOTIONS, SENTIMENTS, parse_label_map


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
        precision: see :func:`emobatch.models.devices.choose`.
        clean: cleaning steps as written on the command line.
        label_map: ``NAME=CLASS`` pairs for the speech model's labels.
        sentiment_label_map: the same for the sentiment model's.
        batch_seconds: padded audio to a batch, in seconds; None leaves it to the device.
        decode_timeout: seconds to wait for more of a file before its row fails.
        offline: look only at what is on this machine.
        gate: thresholds file; the text branch is only consulted where these could need it.
    """

    models: str = PUBLISHED
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

    def names(self) -> dict[str, str]:
        """What the checkpoints are called, by branch: ``speech``, ``asr`` and ``sentiment``."""
        defaults = MODEL_SETS[self.models]
        return {
            branch: defaults[branch] if name is None else name
            for branch, name in self._named().items()
        }

    def look_up(self) -> dict[str, Checkpoint | None]:
        """Find all checkpoints on this machine; never asks the hub.

        Returns:
            Checkpoint by branch, None where the hub may have it.

        Raises:
            CheckpointError: if a name is none, or a checkpoint is in another format.
        """
        return {branch: checkpoints.find(name, branch) for branch, name in self.names().items()}

    def find_checkpoints(self) -> dict[str, Checkpoint]:
        """Find all checkpoints, fetching them if need be, before any is loaded.

        Returns:
            Checkpoint by branch: ``speech``, ``asr`` and ``sentiment``.

        Raises:
            CheckpointError: if one can't be had.
        """
        found = self.look_up()
        missing = [branch for branch, here in found.items() if here is None]
        if missing and (self.offline or hub.is_offline()):
            raise self.missing(missing)
        names = self.names()
        try:
            return {
                branch: here or checkpoints.fetch(names[branch], branch)
                for branch, here in found.items()
            }
        except HubUnreachable as error:
            raise HubUnreachable(f"{error}; {self._remedy()}") from error

    def missing(self, branches: Collection[str]) -> CheckpointError:
        """Say that checkpoints are not on this machine.

        Args:
            branches: whose checkpoint isn't.

        Returns:
            An error to be raised: which are missing, and how to fetch them.
        """
        names = ", ".join(self.names()[branch] for branch in branches)
        forbidden = not self.offline and hub.is_offline()
        why = f", and {hub.OFFLINE_SETTING} is set" if forbidden else ""
        return CheckpointError(f"{names}: not on this machine{why}; {self._remedy()}")

    def _named(self) -> dict[str, str | None]:
        return {
            "speech": self.speech_model,
            "asr": self.asr_model,
            "sentiment": self.sentiment_model,
        }

    def _remedy(self) -> str:
        options = [
            f"--{branch}-model={name}" for branch, name in self._named().items() if name is not None
        ]
        if self.models != PUBLISHED:
            options.insert(0, f"--models={self.models}")
        command = shlex.join(["emobatch", "models", "--fetch", *options])
        return f"`{command}` fetches what is missing where the hub can be reached"
