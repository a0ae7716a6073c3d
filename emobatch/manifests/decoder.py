"""What a process does that decodes files, and imports for it: none of the models' libraries."""

from __future__ import annotations

from multiprocessing.connection import Connection

from emobatch.errors import AudioError
from emobatch.manifests.clip import read

# Ends a file's windows; none of them is as short.
END = b""


def serve(line: Connection) -> None:
    """Decode clips, one after the other.

    Args:
        line: gives (clip, most seconds) and takes windows, float32 as bytes; then :data:`END`, and
            what went wrong, None where nothing did.
    """
    line.send(None)  # ready
    while True:
        clip, most_seconds = line.recv()
        cause = None
        try:
            for window in read(clip, most_seconds):
                line.send_bytes(window.tobytes())
        except (BrokenPipeError, ConnectionError):
            raise
        except Exception as error:
            cause = error if isinstance(error, AudioError) else _said(error)
        line.send_bytes(END)
        line.send(cause)


def _said(error: Exception) -> AudioError:
    # Whatever a library raises may not be one that can be sent.
    return AudioError(" ".join(str(error).split()) or type(error).__name__)
