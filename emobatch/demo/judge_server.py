"""A chat server with a rule in place of a language model, to try `emobatch judge` without one.

Run it as `python -m emobatch.demo.judge_server`. It goes by a few words of the transcript and by
what the speech branch says, and knows nothing else of language.
"""

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import click

MODEL: Final = "rule"
WORDS: Final = {
    "positive": """love adore enjoy loved adored enjoyed admired wonderful perfect magical lovely
    fantastic beautiful delightful brilliant happy glad delighted thrilled grateful proud thank
    best won great good nice""",
    "negative": """hate despise regret dislike hated ruined spoiled destroyed terrible horrible
    awful disgusting worthless disaster unfair miserable dreadful rotten upset hurt disappointed
    worried bitter ashamed worst lost bad sorry""",
}
SIDES: Final = {word: side for side, words in WORDS.items() for word in words.split()}
# Where words are of a side, the emotions that are, and how much likelier than before.
OF_SIDE: Final = {"positive": ("happy",), "negative": ("angry", "sad"), "neutral": ("neutral",)}
LIKELIER: Final = 4


def verdict(prompt: str) -> dict[str, Any]:
    """Answer a question of `emobatch judge`, with the prompt that comes with it.

    Args:
        prompt: the user's message.

    Returns:
        ``emotion``, ``confidence`` (0 to 100) and ``reason``: the speech branch's probabilities,
        those of the emotions that go with the words four times as high.

    Examples:
        >>> heard = "The model that heard it: angry 60 %, happy 0 %, neutral 20 %, sad 20 %"
        >>> verdict('<transcript>"what an awful day"</transcript>' + heard)["emotion"]
        'angry'
    """
    quoted = re.search(r"<transcript>(.*?)</transcript>", prompt)
    words = re.findall(r"[a-z']+", str(json.loads(quoted[1])).lower()) if quoted else []
    heard = dict.fromkeys(("angry", "happy", "neutral", "sad"), 25)
    if line := re.search(r"heard it: (.*)", prompt):
        heard |= {name: int(share) for name, share in re.findall(r"(\w+) (\d+) %", line[1])}
    found = [word for word in words if word in SIDES]
    side = SIDES[found[-1]] if found else "neutral"
    weighed = {
        name: share * (LIKELIER if name in OF_SIDE[side] else 1) for name, share in heard.items()
    }
    emotion = max(weighed, key=lambda name: weighed[name])
    said = f"{found[-1]!r} is {side}" if found else "no word of feeling"
    return {
        "emotion": emotion,
        "confidence": round(100 * weighed[emotion] / (sum(weighed.values()) or 1)),
        "reason": f"{said}, and the voice is {emotion} with {heard[emotion]} %",
    }


class Handler(BaseHTTPRequestHandler):
    """Answers chats; whatever else is asked is not found."""

    protocol_version = "HTTP/1.1"
    # Small answers at once, and not when there are more of them.
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer a chat."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            told = [str(each["content"]) for each in json.loads(body)["messages"]]
            text = json.dumps(verdict(told[-1]))
        except (ValueError, KeyError, IndexError, TypeError):
            self._send(400, {"error": {"message": "a chat of `emobatch judge` is wanted"}})
            return
        message = {"role": "assistant", "content": text}
        tokens = {"prompt_tokens": sum(map(len, told)) // 4, "completion_tokens": len(text) // 4}
        self._send(
            200,
            {
                "object": "chat.completion",
                "model": MODEL,
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                "usage": {**tokens, "total_tokens": sum(tokens.values())},
            },
        )

    def _send(self, status: int, content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing of requests."""


def serve(port: int) -> ThreadingHTTPServer:
    """Open the server, for this machine alone.

    Args:
        port: where; 0 for any that is free.

    Returns:
        The server, which serves once it is told to.
    """
    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


@click.command()
@click.option("--port", default=8000, show_default=True, help="Where it listens, on this machine.")
def main(port: int) -> None:
    """Serve a rule in place of a language model until it is interrupted."""
    with serve(port) as server:
        click.echo(f"http://127.0.0.1:{server.server_port}/v1, model {MODEL}; end it with Ctrl-C")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("ended")


if __name__ == "__main__":
    main()
