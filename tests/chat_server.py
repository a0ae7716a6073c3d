"""A chat server that says what it is told to, and counts what it is asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Say = Callable[[dict[str, Any], int], "Said | str"]


@dataclass(frozen=True)
class Said:
    """An answer: its text, or a status with what comes with it."""

    text: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0.0


@dataclass
class Chat:
    """The server: its address, and the requests that it got."""

    address: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@contextmanager
def chat(say: Say) -> Iterator[Chat]:
    """Serve: `say` is given a request's body and how many came before it."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                number = len(served.requests)
                served.requests.append(body)
                served.paths.append(self.path)
                served.headers.append({k.lower(): v for k, v in self.headers.items()})
            said = say(body, number)
            said = said if isinstance(said, Said) else Said(said)
            time.sleep(said.after)
            message = {"role": "assistant", "content": said.text}
            content: dict[str, Any] = {
                "id": "1",
                "object": "chat.completion",
                "created": 1,
                "model": body["model"],
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
            }
            if said.status != 200:
                content = {"error": {"message": said.text}}
            data = json.dumps(content).encode()
            try:
                self.send_response(said.status)
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except OSError:
                pass  # whoever asked has gone

        def log_message(self, *arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # whoever asked has gone

    server = Server(("127.0.0.1", 0), Handler)
    served = Chat(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def transcript(body: dict[str, Any]) -> str:
    """What a request quotes as the row's transcript."""
    told = body["messages"][-1]["content"]
    quoted = told.partition("<transcript>")[2].partition("</transcript>")[0]
    return str(json.loads(quoted))
