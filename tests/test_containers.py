"""A file is read for its own audio alone: nothing is fetched, and no other file is heard."""

from __future__ import annotations

import http.server
import socketserver
import struct
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import polars as pl
import pytest
import soundfile
from click.testing import Result
from sounds import save, tone

from emobatch.errors import AudioError
from emobatch.manifests import containers
from emobatch.manifests.audio import read_windows

Cli = Callable[..., Result]
DASH = (
    '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT10S"><BaseURL>{url}/</BaseURL><Period><AdaptationSet '
    'mimeType="audio/mp4"><Representation id="1" bandwidth="1"><BaseURL>x.mp4</BaseURL>'
    "<SegmentBase/></Representation></AdaptationSet></Period></MPD>"
)
HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{target}\n#EXT-X-ENDLIST\n"
CONCAT = "ffconcat version 1.0\nfile '{target}'\n"
SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 45678 RTP/AVP 0\n"


@pytest.fixture
def requests() -> Iterator[list[str]]:
    """What a server of this machine was asked for; its address comes first."""
    seen: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None: ...

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        seen.append(f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield seen
        server.shutdown()


@pytest.mark.parametrize("suffix", [".wav", ".m3u8", ".txt", ""])
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (HLS, "an HLS playlist"),
        (CONCAT, "a concat script"),
        (DASH, "a DASH manifest"),
        (SDP, r"a session description \(SDP\)"),
    ],
    ids=["hls", "concat", "dash", "sdp"],
)
def test_playlists_are_refused_and_nothing_is_fetched(
    tmp_path: Path, requests: list[str], content: str, kind: str, suffix: str
) -> None:
    file = tmp_path / f"clip{suffix}"
    file.write_text(content.format(url=requests[0], target=f"{requests[0]}/segment.ts"))
    with pytest.raises(AudioError, match=f"is {kind}, which names other files"):
        list(read_windows(file))
    assert requests[1:] == []


@pytest.mark.parametrize(
    "content",
    ["\n \n" + HLS, "#comment\n" + CONCAT, CONCAT, HLS],
    ids=["hls behind lines", "concat behind a comment", "concat", "hls"],
)
def test_the_formats_are_refused_even_where_their_beginning_is_not_known(
    tmp_path: Path, requests: list[str], content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emobatch.manifests.containers.REFERENCES", {})
    file = tmp_path / "clip.wav"
    file.write_text(content.format(target=f"{requests[0]}/segment.ts"))
    with pytest.raises(AudioError):
        list(read_windows(file))
    assert requests[1:] == []


@pytest.mark.parametrize("content", [HLS, CONCAT])
def test_a_file_outside_the_root_is_not_heard(
    cli: Cli, tmp_path: Path, model_options: list[str], content: str
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    save(tmp_path / "secret.wav", tone(1.0))
    (root / "link.wav").symlink_to(tmp_path / "secret.wav")
    for number, target in enumerate(("link.wav", "../secret.wav", f"file://{tmp_path}/secret.wav")):
        (root / f"{number}.wav").write_text(content.format(target=target))
    (root / "manifest.csv").write_text("path\n0.wav\n1.wav\n2.wav\n")
    target = tmp_path / "scores.parquet"
    result = cli("score", root / "manifest.csv", "--confine", "-o", target, *model_options)
    assert result.exit_code == 3, result.stderr
    scores = pl.read_parquet(target)
    assert scores["duration"].is_null().all()
    assert scores["error"].str.contains("which names other files").all()


def test_a_movie_that_names_another_file_is_not_followed(tmp_path: Path) -> None:
    save(tmp_path / "own.m4a", tone(1.0))
    content = (tmp_path / "own.m4a").read_bytes()
    # The reference "in this file" becomes an alias to another one.
    assert content.count(b"url \x00\x00\x00\x01") == 1
    (tmp_path / "names.m4a").write_bytes(
        content.replace(b"url \x00\x00\x00\x01", b"alis\x00\x00\x00\x00")
    )
    windows = list(read_windows(tmp_path / "names.m4a"))
    assert sum(map(len, windows)) > 0  # its own samples, for references are off


def save_packet(file: Path, content: bytes, codec: str, container: str) -> None:
    """One packet of mono 16 kHz samples."""
    with av.open(str(file), "w", format=container) as target:
        stream = target.add_stream(codec, rate=16_000, layout="mono")
        packet = av.Packet(content)
        packet.stream, packet.time_base = stream, Fraction(1, 16_000)
        packet.pts = packet.dts = 0
        target.mux(packet)


def alias(path: str, levels: int) -> bytes:
    """A movie's reference to a file: by its path, or so many levels from the movie's own."""
    told = path.encode() + bytes(len(path) % 2)
    record = bytes(130) + struct.pack(">HH", levels, levels) + bytes(16)
    record += struct.pack(">HH", 2, len(told)) + told + struct.pack(">hH", -1, 0)
    return struct.pack(">I4sI", len(record) + 12, b"alis", 0) + record


def address(path: str, _: int) -> bytes:
    """A movie's reference by an address."""
    told = f"file://{path}".encode() + b"\0"
    return struct.pack(">I4sI", len(told) + 12, b"url ", 0) + told


def with_reference(movie: bytes, entry: bytes) -> bytes:
    """The movie, whose track is said to be in another file."""
    own = b"\0\0\0\x0curl \0\0\0\x01"  # in this file
    at = movie.index(own)
    grown = bytearray(movie[:at] + entry + movie[at + len(own) :])
    for name in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        start = movie.rindex(name, 0, at) - 4
        size = int.from_bytes(movie[start : start + 4], "big") + len(entry) - len(own)
        struct.pack_into(">I", grown, start, size)
    return bytes(grown)


FOLLOWING = {"enable_drefs": "1", "use_absolute_path": "1"}
ANY_FILE = {"protocol_whitelist": "file"}


@pytest.mark.parametrize("lifted", [{}, FOLLOWING, ANY_FILE], ids=["none", "drefs", "protocols"])
@pytest.mark.parametrize(
    ("reference", "path", "levels"),
    [(alias, "folder:secret.mov", 1), (alias, "{}/secret.mov", 0), (address, "{}/secret.mov", 0)],
    ids=["relative", "absolute", "address"],
)
def test_a_movie_never_plays_another_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reference: Callable[[str, int], bytes],
    path: str,
    levels: int,
    lifted: dict[str, str],
) -> None:
    """References are off, and were they on, no file could be opened: each is enough alone."""

    def heard(file: Path) -> float:
        windows = read_windows(file)
        try:
            return float(max(abs(window).max() for window in windows))
        except AudioError:
            return 0.0

    loud, silent = tmp_path / "secret.mov", tmp_path / "own.mov"
    save_packet(loud, (tone(1.0) * 32_000).astype("<i2").tobytes(), "pcm_s16le", "mov")
    save_packet(silent, bytes(32_000), "pcm_s16le", "mov")
    entry = reference(path.format(tmp_path), levels)
    (tmp_path / "names.mov").write_bytes(with_reference(silent.read_bytes(), entry))
    for option, value in lifted.items():
        monkeypatch.setitem(containers.OPTIONS, option, value)
    assert heard(loud) > 0.1
    assert heard(tmp_path / "names.mov") == 0.0
    for option, value in {**FOLLOWING, **ANY_FILE}.items():
        monkeypatch.setitem(containers.OPTIONS, option, value)
    # That it would be heard; FFmpeg follows no addresses.
    assert (heard(tmp_path / "names.mov") > 0.1) == (reference is alias)


@pytest.mark.parametrize("left", ["format_whitelist", "protocol_whitelist"])
@pytest.mark.parametrize("content", [HLS, CONCAT, "s=x\n" + SDP], ids=["hls", "concat", "sdp"])
def test_each_of_the_two_lists_is_enough_alone(
    tmp_path: Path,
    requests: list[str],
    content: str,
    left: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(containers, "REFERENCES", {})
    monkeypatch.setattr(containers, "OPTIONS", {left: containers.OPTIONS[left]})
    file = tmp_path / "clip.wav"
    file.write_text(content.format(target=f"{requests[0]}/segment.ts"))
    with pytest.raises(AudioError):
        list(read_windows(file))
    assert requests[1:] == []


SCRIPT = "a: 150+10/50\noff: -\nNOW == a ->\n+00:00:02 off\n"  # SBaGen's: binaural beats
ODD_SOUND = b"CRYO_APC1.20" + struct.pack("<5I", 4_000, 16_000, 0, 0, 0) + bytes(range(256)) * 8


@pytest.mark.parametrize("content", [SCRIPT.encode(), ODD_SOUND], ids=["script", "odd format"])
def test_what_holds_no_audio_or_is_not_on_the_list_is_not_heard(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of formats alone protects: FFmpeg makes sound of a script's four lines."""
    file = tmp_path / "clip.wav"
    file.write_bytes(content)
    with pytest.raises(AudioError, match="in a format that isn't read"):
        next(read_windows(file))  # a script may last for ever
    monkeypatch.delitem(containers.OPTIONS, "format_whitelist")
    assert len(next(read_windows(file))) >= 4_000  # that it would be


def test_a_packet_of_too_many_samples_is_refused(tmp_path: Path) -> None:
    most = int(containers.CODEC_OPTIONS["max_samples"])
    for count in (most, most + 1):
        save_packet(tmp_path / f"{count}.mkv", bytes(count), "pcm_u8", "matroska")
    assert len(next(read_windows(tmp_path / f"{most}.mkv"))) == 30 * 16_000
    with pytest.raises(AudioError, match="can't be decoded"):
        next(read_windows(tmp_path / f"{most + 1}.mkv"))


@pytest.mark.parametrize("rate", [1, 999, 2_000_000])
def test_absurd_rates_are_refused_before_any_memory_is_taken(tmp_path: Path, rate: int) -> None:
    file = tmp_path / "slow.wav"
    soundfile.write(file, np.zeros(10_000, np.float32), 16_000)
    header = bytearray(file.read_bytes())
    struct.pack_into("<I", header, 24, rate)
    file.write_bytes(header)
    tracemalloc.start()
    with pytest.raises(AudioError, match=f"a sample rate of {rate} Hz"):
        list(read_windows(file))
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_too_many_channels_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "wide.wav", np.zeros((800, 65), np.float32), 16_000)
    with pytest.raises(AudioError, match="65 channels; mix it down to 64"):
        list(read_windows(tmp_path / "wide.wav"))


def test_a_format_that_nobody_vouches_for_is_not_opened(tmp_path: Path) -> None:
    """A game's sounds, which FFmpeg knows by their content, whatever they are called."""
    header = b"CRYO_APC1.20" + struct.pack("<IIiii", 16_000, 16_000, 0, 0, 0)
    (tmp_path / "game.wav").write_bytes(header + bytes(range(256)) * 40)
    with pytest.raises(AudioError, match="a format that isn't read; convert it to WAV or FLAC"):
        list(read_windows(tmp_path / "game.wav"))


@pytest.mark.parametrize("content", [CONCAT, HLS])
def test_no_format_may_open_anything_beside_the_file(
    tmp_path: Path, requests: list[str], content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were a format that names other files let in one day, it would still reach none."""
    monkeypatch.setattr("emobatch.manifests.containers.REFERENCES", {})
    monkeypatch.delitem(containers.OPTIONS, "format_whitelist")
    file = tmp_path / "clip.m3u8"
    other = save(tmp_path / "other.wav", tone(1.0))
    for target in (f"{requests[0]}/segment.ts", other, f"file:{other}"):
        file.write_text(content.format(target=target))
        with pytest.raises(AudioError):
            list(read_windows(file))
    assert requests[1:] == []
