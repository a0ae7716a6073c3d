"""`judge` against its server's own limit: `python tests/benchmarks/judge.py`.

A server in a process of its own answers each request after 50 ms, and takes as many at a time as
come. The limit is then what so many requests at a time could get; the rival is the openai client in
a loop of its own, without anything of ours.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import polars as pl
from rich.console import Console
from rich.table import Table

VERDICT = json.dumps({"emotion": "sad", "confidence": 90, "reason": "so it sounds"})


async def serve(wait: float) -> None:
    """Answer all requests alike; prints the port first."""
    message = {"role": "assistant", "content": VERDICT}
    body = json.dumps(
        {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "toy",
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": 300, "completion_tokens": 30, "total_tokens": 330},
        }
    ).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    answer = head.encode() + b"\r\n" + body

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                asked = await reader.readuntil(b"\r\n\r\n")
                size = asked.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(size))
                await asyncio.sleep(wait)
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def bare(url: str, messages: list[dict[str, str]], count: int, concurrency: int) -> None:
    """The client alone, with the same question again and again."""
    import openai

    left = iter(range(count))
    async with openai.AsyncOpenAI(api_key="none", base_url=url) as client:

        async def work() -> None:
            for _ in left:
                await client.chat.completions.create(model="toy", messages=messages)  # type: ignore[arg-type]

        await asyncio.gather(*(work() for _ in range(concurrency)))


def make(file: Path, rows: int) -> None:
    number = pl.int_range(rows)
    classes = ("angry", "happy", "neutral", "sad")
    columns = {f"speech_{name}": pl.lit(0.25) for name in classes}
    said = pl.format("what is said in row {} of the table, a dozen words of it", number)
    table = pl.select(
        id=pl.format("clip{}", number), transcript=said, **columns, emotion=pl.lit("happy")
    )
    table.write_parquet(file)


@click.command()
@click.option("--rows", default=10_000, show_default=True)
@click.option("--concurrency", default=32, show_default=True)
@click.option("--wait", default=0.05, show_default=True, help="Seconds to an answer.")
@click.option("--serve", "is_server", is_flag=True, hidden=True)
def main(rows: int, concurrency: int, wait: float, is_server: bool) -> None:
    """Print requests a second."""
    if is_server:
        asyncio.run(serve(wait))
        return
    command = [sys.executable, __file__, "--serve", f"--wait={wait}"]
    with (
        tempfile.TemporaryDirectory() as name,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
    ):
        try:
            url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"  # type: ignore[union-attr]
            source, target = Path(name) / "final.parquet", Path(name) / "judged.parquet"
            make(source, rows)
            began = time.perf_counter()
            asyncio.run(bare(url, [{"role": "user", "content": "x" * 1500}], rows, concurrency))
            rival = time.perf_counter() - began
            judge = [sys.executable, "-m", "emobatch", "judge", source, "-o", target]
            options = ["--endpoint", url, "--model", "toy", f"--concurrency={concurrency}"]
            began = time.perf_counter()
            subprocess.run([*judge, *options], check=True)
            ours = time.perf_counter() - began
        finally:
            server.kill()
    limit = rows * wait / concurrency
    table = Table("", "seconds", "requests a second", "% of the limit", title=f"{rows} rows")
    for what, seconds in (
        ("the server's limit", limit),
        ("openai's client alone", rival),
        ("emobatch judge, start-up included", ours),
    ):
        table.add_row(
            what, f"{seconds:.1f}", f"{rows / seconds:.0f}", f"{100 * limit / seconds:.0f}"
        )
    Console().print(table)


if __name__ == "__main__":
    main()
