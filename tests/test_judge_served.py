"""`emobatch judge` against `transformers serve`, with a small model of random weights."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from checkpoints import save_chat
from click.testing import Result
from finals import decided
from forked import Forked
from transformers.utils.import_utils import is_serve_available

Cli = Callable[..., Result]
TRANSFORMERS = "from transformers.cli.transformers import main; main()"  # its own command
pytestmark = pytest.mark.skipif(
    not is_serve_available(),
    reason="`transformers serve` needs fastapi and uvicorn; pip install 'emobatch[test]'",
)


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """The server's address, and the checkpoint by which its model is called."""
    folder = save_chat(tmp_path / "chat")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    command = ("serve", folder, "--host", "127.0.0.1", "--port", port)
    with Forked(tmp_path / "server.log", *command, code=TRANSFORMERS) as server:
        while not _is_up(f"http://127.0.0.1:{port}/health"):
            assert server.poll() is None, server.said
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1", folder


def _is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def test_what_a_real_server_says_is_no_json_and_rows_stay_as_they_were(
    cli: Cli, served: tuple[str, Path], tmp_path: Path
) -> None:
    address, model = served
    final, target = tmp_path / "final.parquet", tmp_path / "judged.parquet"
    rows = decided(count=4).with_columns(transcript=pl.format("line {}", pl.int_range(pl.len())))
    rows.write_parquet(final)
    options = ("--endpoint", address, "--model", model, "--answer-tokens", 8, "--offline")
    result = cli("judge", final, "-o", target, *options)
    assert result.exit_code == 0, result.stderr
    judged = pl.read_parquet(target)
    assert judged["judge_status"].to_list() == ["unreadable"] * len(rows)
    assert judged.select(rows.columns).equals(rows)
    # Each row was answered, asked again and answered again, and the server counted what it read.
    tokens = int(result.stderr.split(" requests, ")[1].split()[0])
    assert tokens > 2 * len(rows) * 8
    again = cli("judge", final, "-o", target, *options)
    assert again.exit_code == 0 and "request" not in again.stderr
    assert pl.read_parquet(target).equals(judged)
