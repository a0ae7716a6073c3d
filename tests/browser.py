"""Headless Chromium, told what to do over a pair of pipes (the DevTools protocol)."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)


class Tab:
    """One page in a browser.

    Attributes:
        events: what the browser reported of it, by method.
    """

    def __init__(self, commands: int, answers: int) -> None:
        self.events: dict[str, list[dict[str, Any]]] = {}
        self._commands, self._answers = commands, answers
        self._session: str | None = None
        self._number = 0
        self._unread = b""
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        attached = self.do("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.do(f"{domain}.enable")

    def open(self, page: Path, fragment: str = "") -> None:
        """Load a file and wait until it is there."""
        # By way of an empty page: where only the fragment differs, nothing is loaded anew.
        for address in ("about:blank", page.resolve().as_uri() + fragment):
            self.events.clear()
            self.do("Page.navigate", url=address)
            while "Page.loadEventFired" not in self.events:
                self._receive()

    def ask(self, expression: str) -> Any:
        """Evaluate JavaScript in the page; gives its value."""
        answer = self.do("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def click(self, selector: str) -> None:
        """Press the mouse's button where an element is."""
        box = self.ask(
            f"(() => {{ const at = document.querySelector({selector!r}); at.scrollIntoView();"
            "const box = at.getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            where = {"x": box[0], "y": box[1], "button": "left", "clickCount": 1}
            self.do("Input.dispatchMouseEvent", type=kind, **where)

    def type(self, text: str) -> None:
        """Type where the cursor is."""
        self.do("Input.insertText", text=text)

    def complaints(self) -> list[str]:
        """Errors and refusals that the browser reported since the page was opened."""
        logged = [event["entry"]["text"] for event in self.events.get("Log.entryAdded", [])]
        return logged + [str(event) for event in self.events.get("Runtime.exceptionThrown", [])]

    def requests(self) -> list[str]:
        """Addresses outside the page that were asked for since the page was opened."""
        sent = self.events.get("Network.requestWillBeSent", [])
        addresses = [event["request"]["url"] for event in sent]
        return [address for address in addresses if not address.startswith("data:")]

    def do(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give a command of the DevTools protocol; gives its result."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while (answer := self._receive()).get("id") != self._number:
            pass
        assert "error" not in answer, answer
        return dict(answer["result"])

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            piece = os.read(self._answers, 1 << 20)
            assert piece, "the browser has gone"
            self._unread += piece
        text, self._unread = self._unread.split(b"\0", 1)
        message = dict(json.loads(text))
        if "method" in message:
            self.events.setdefault(message["method"], []).append(message.get("params", {}))
        return message


@contextlib.contextmanager
def browser(profile: Path) -> Iterator[Tab]:
    """Start Chromium with an empty profile and end it afterwards."""
    # Chromium reads from 3 and writes to 4: pipes that lie there would be lost in moving them.
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for pair in (os.pipe(), os.pipe()) for end in pair]
    its_commands, commands, answers, its_answers = ends

    def place() -> None:
        os.dup2(its_commands, 3)
        os.dup2(its_answers, 4)

    process = subprocess.Popen(
        [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}"],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        close_fds=False,
        preexec_fn=place,
    )
    os.close(its_commands)
    os.close(its_answers)
    try:
        yield Tab(commands, answers)
    finally:
        process.terminate()
        process.wait(timeout=30)
        os.close(commands)
        os.close(answers)
