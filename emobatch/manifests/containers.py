"""Which files FFmpeg may open: containers that hold their own audio, and nothing that names others.

Playlists (HLS, DASH, concat scripts, SDP) are text that names other files and addresses, which
FFmpeg would fetch. What a file is goes by its content: its name makes no difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import av
from av.container import InputContainer

from emobatch.errors import AudioError

# FFmpeg's names of the formats, most of which nobody meets; each has its audio within the file.
CONTAINERS = (
    *("wav", "w64", "aiff", "au", "caf", "voc", "sox", "ircam", "nistsphere", "pvf", "svs", "avr"),
    *("mp3", "aac", "ac3", "eac3", "ac4", "dts", "dtshd", "truehd", "mlp", "flac", "tta", "tak"),
    *("ape", "wv", "shn", "mpc", "mpc8", "osq", "dsf", "iff", "xa", "oma", "aa", "aax", "aea"),
    *("ogg", "matroska", "webm", "mov", "mp4", "m4a", "asf", "asf_o", "avi", "flv", "nut", "rm"),
    *("mpeg", "mpegts", "loas", "latm", "swf", "dv", "mxf", "gxf", "wtv", "ivf", "iamf", "qoa"),
    *("amr", "gsm", "qcp", "ilbc", "g722", "g723_1", "g729", "codec2", "lc3", "sbc", "aptx", "smk"),
    *("bink", "rso", "wve", "spdif", "wsd", "pmp", "act", "bit", "sln", "ads", "adp", "sds", "mmf"),
)
OPTIONS = {
    # Also keeps away scripts of a few lines that FFmpeg would make hours of sound of.
    "format_whitelist": ",".join(CONTAINERS),
    # No protocol has this name: only the file that is open already can be read.
    "protocol_whitelist": "none",
    # MOV and MP4 can name other files for their tracks. That it is off is FFmpeg's default today.
    "enable_drefs": "0",
}
# A packet of more samples would take more memory than any audio needs.
CODEC_OPTIONS = {"max_samples": str(1 << 24)}
# How files begin that name others instead of holding audio.
REFERENCES = {
    "an HLS playlist": re.compile(rb"\s*#EXTM3U"),
    "a concat script": re.compile(rb"\s*ffconcat version"),
    "a DASH manifest": re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<MPD\b", re.DOTALL),
    "a session description (SDP)": re.compile(rb"v=0\r?\n[a-z]="),
    "a playlist": re.compile(rb"(?i)\s*(\[playlist\]|<asx\b|<smil\b|RTSPtext|\[Reference\])"),
}
HEAD = 4096


@contextmanager
def opened(handle: IO[bytes]) -> Iterator[InputContainer]:
    """Open a file with FFmpeg, without letting it read anything else.

    Args:
        handle: the file, at its beginning.

    Yields:
        The container.

    Raises:
        AudioError: if it is a playlist of some kind, or no container of audio that is known.
    """
    refuse_references(handle.read(HEAD))
    handle.seek(0)
    try:
        container = av.open(handle, "r", metadata_errors="ignore", container_options=OPTIONS)
    except av.error.ArgumentError as error:
        raise AudioError(
            "no audio in this file, or in a format that isn't read; convert it to WAV or FLAC"
        ) from error
    with container:
        yield container


def refuse_references(head: bytes) -> None:
    """Refuse a file that names others instead of holding audio.

    Args:
        head: how it begins.

    Raises:
        AudioError: says what it is.

    Examples:
        >>> refuse_references(b"RIFF")
        >>> refuse_references(b"#EXTM3U")
        Traceback (most recent call last):
        emobatch.errors.AudioError: is an HLS playlist, which names other files; give these
    """
    for kind, beginning in REFERENCES.items():
        if beginning.match(head):
            raise AudioError(f"is {kind}, which names other files; give these")
