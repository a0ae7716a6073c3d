"""Decoded audio on disk: an epoch after the first reads samples, and no file is decoded again."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from emobatch.errors import OutputError, first_line
from emobatch.manifests.blocks import Samples
from emobatch.manifests.clip import Clip

SAMPLES = "samples"


@dataclass(frozen=True)
class Cache:
    """A folder of samples, which several trainings may share and fill at a time.

    A file is safetensors, not NumPy's own format: its header is Python's syntax, and several
    threads that parse that at a time fail at random up to Python 3.11.7 and 3.12.1
    (python/cpython, issue 106905).

    Attributes:
        folder: where they are; one file for each clip, named by where it is and when it was
            changed last, so that an edited file is decoded anew.
    """

    folder: Path

    def get(self, clip: Clip) -> Samples | None:
        """Look a clip up.

        Args:
            clip: in a file.

        Returns:
            (samples,) float32, 16 kHz; None where it isn't there, or is broken.
        """
        with (
            suppress(OSError, SafetensorError),
            safe_open(self._file(clip), framework="numpy") as kept,
        ):
            found: Samples = kept.get_tensor(SAMPLES)
            if found.dtype == np.float32 and found.ndim == 1:
                return found
        return None

    def put(self, clip: Clip, samples: Samples) -> None:
        """Keep a clip.

        Args:
            clip: in a file.
            samples: all of it.

        Raises:
            OutputError: if it can't be written.
        """
        try:
            file = self._file(clip)
            file.parent.mkdir(parents=True, exist_ok=True)
            partial = file.with_name(f"{file.name}.{os.getpid()}")
            partial.write_bytes(save({SAMPLES: np.ascontiguousarray(samples)}))
            partial.replace(file)  # whole, or not at all
        except OSError as error:
            raise OutputError(
                f"--cache {self.folder}: {first_line(error)}; name a folder with space, or none"
            ) from error

    def _file(self, clip: Clip) -> Path:
        file = clip.place()
        found = file.stat()
        segment = (clip.member, clip.start, clip.end)
        told = (os.path.realpath(file), found.st_mtime_ns, found.st_size, *segment)
        name = hashlib.sha256(repr(told).encode(errors="surrogateescape")).hexdigest()
        return self.folder / name[:2] / f"{name}.safetensors"
