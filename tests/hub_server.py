"""A hub on this machine: as much of its protocol as `huggingface_hub` speaks to download models."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

COMMIT = "89abcdef0123456789abcdef0123456789abcdef"


class Hub(ThreadingHTTPServer):
    """Serves folders as repositories, and notes the files that were fetched."""

    def __init__(self, repositories: Mapping[str, Path]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories = repositories
        self.requests: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def fetched(self, repository: str) -> set[str]:
        """Names of the files whose content was asked for."""
        start = f"GET /{repository}/resolve/{COMMIT}/"
        return {line.removeprefix(start) for line in self.requests if line.startswith(start)}


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, *_: object) -> None:
        """Say nothing on standard error."""

    def _answer(self, *, with_body: bool) -> None:
        path = urlsplit(self.path).path
        self.server.requests.append(f"{self.command} {path}")
        body = next(
            (
                found
                for name, folder in self.server.repositories.items()
                if (found := _content(path, name, folder)) is not None
            ),
            None,
        )
        self.send_response(404 if body is None else 200)
        if body is None:
            self.send_header("X-Error-Code", "RepoNotFound")
        body = body or b""
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)


def _content(path: str, name: str, folder: Path) -> bytes | None:
    files = [file for file in sorted(folder.iterdir()) if file.is_file()]
    for file in files:
        if path == f"/{name}/resolve/{COMMIT}/{file.name}":
            return file.read_bytes()
    if path in (f"/api/models/{name}", f"/api/models/{name}/revision/main"):
        siblings = [{"rfilename": file.name, "size": file.stat().st_size} for file in files]
        return json.dumps({"id": name, "sha": COMMIT, "siblings": siblings}).encode()
    if path == f"/api/models/{name}/tree/{COMMIT}":
        tree = [
            {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": "0" * 40}
            for file in files
        ]
        return json.dumps(tree).encode()
    return None


@contextmanager
def serve(repositories: Mapping[str, Path]) -> Iterator[Hub]:
    """A hub that is there as long as the block runs."""
    with Hub(repositories) as hub:
        thread = Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield hub
        hub.shutdown()
        thread.join()
