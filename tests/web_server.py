"""A web server on this machine: as much of HTTP as files are fetched by, and what goes wrong."""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import unquote, urlsplit


class Web(ThreadingHTTPServer):
    """Serves contents by path, notes what was asked for, and fails as it is told.

    Attributes:
        files: contents by path, which begins with a slash.
        requests: what was asked for, as ``GET /a.wav``.
        answers: by path, the statuses of the next answers; afterwards it is served.
        cut: paths of which only half comes before the connection ends, that many times.
        redirects: addresses by path.
        release: holds up the second half of files in ``held`` until it is set.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.answers: dict[str, list[int]] = {}
        self.cut: Counter[str] = Counter()
        self.redirects: dict[str, str] = {}
        self.held: set[str] = set()
        self.begun, self.release = Event(), Event()
        self.seconds = 0.0
        self.most_at_once = self._now = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def fetched(self, path: str) -> int:
        return self.requests.count(f"GET {path}")

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that have gone."""


class _Handler(BaseHTTPRequestHandler):
    server: Web
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self.server._now += 1
        self.server.most_at_once = max(self.server.most_at_once, self.server._now)
        time.sleep(self.server.seconds)
        try:
            self._answer(with_body=True)
        finally:
            self.server._now -= 1

    def log_message(self, *_: object) -> None:
        """Say nothing on standard error."""

    def _answer(self, *, with_body: bool) -> None:
        server, path = self.server, unquote(urlsplit(self.path).path)
        server.requests.append(f"{self.command} {path}")
        if server.answers.get(path):
            self._end(server.answers[path].pop(0))
        elif path in server.redirects:
            self._end(302, Location=server.redirects[path])
        elif path not in server.files:
            self._end(404)
        else:
            self._serve(path, server.files[path], with_body=with_body)

    def _serve(self, path: str, content: bytes, *, with_body: bool) -> None:
        status, part = 200, content
        if found := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            status, part = 206, content[int(found[1]) : int(found[2] or len(content)) + 1]
        self.send_response(status)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{hashlib.md5(content).hexdigest()}"')
        self.end_headers()
        if not with_body:
            return
        half = len(part) // 2
        self.wfile.write(part[:half])
        if path in self.server.held:
            self.wfile.flush()
            self.server.begun.set()
            self.server.release.wait(60)
        if self.server.cut[path] > 0:
            self.server.cut[path] -= 1
            self.close_connection = True
            return
        self.wfile.write(part[half:])

    def _end(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()


@contextmanager
def serving() -> Iterator[Web]:
    """Serve until the block ends."""
    server = Web()
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server
    finally:
        server.release.set()
        server.shutdown()
        server.server_close()
